# Each *.simd.cpp is compiled once per instruction-set level into a namespace of its own; crewe::isa() picks one at run time.
# Such a file includes no std templates: their weak symbols would carry AVX code into the base path.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(CREWE_ISA_LEVELS base v3 v4)
else()
  set(CREWE_ISA_LEVELS base)
endif()
set(CREWE_ISA_FLAGS_base "")
set(CREWE_ISA_FLAGS_v3 -march=x86-64-v3)
set(CREWE_ISA_FLAGS_v4 -march=x86-64-v4 -mprefer-vector-width=512)

# crewe_simd_sources(<target> <file>...): adds the objects of every level to <target>.
function(crewe_simd_sources target)
  foreach(level IN LISTS CREWE_ISA_LEVELS)
    set(objects ${target}_simd_${level})
    add_library(${objects} OBJECT ${ARGN})
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_compile_definitions(${objects} PRIVATE CREWE_ISA_LEVEL=${level} CREWE_ISA_IS_${level}=1)
    target_compile_options(${objects} PRIVATE ${CREWE_COMPILE_OPTIONS} -Wno-psabi ${CREWE_ISA_FLAGS_${level}})
    target_include_directories(${objects} PRIVATE ${PROJECT_SOURCE_DIR}/cpp/include ${PROJECT_SOURCE_DIR}/cpp/src)
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
endfunction()
