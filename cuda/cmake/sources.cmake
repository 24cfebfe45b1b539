# The sources, and what every build of them needs: by nvcc (cuda/CMakeLists.txt), or by the C++ compiler for tests
# (tests/cuda/emulator/CMakeLists.txt).
find_package(Threads REQUIRED)
set(cuda "${PROJECT_SOURCE_DIR}/cuda")
file(GLOB_RECURSE CREWE_CUDA_KERNELS CONFIGURE_DEPENDS "${cuda}/src/*.cu")
file(GLOB_RECURSE CREWE_CUDA_HOST CONFIGURE_DEPENDS "${cuda}/src/*.cpp")
file(GLOB CREWE_CUDA_BINDINGS CONFIGURE_DEPENDS "${cuda}/bindings/*.cpp")

# Kernels whose results have the bits of the CPU: one rounding per operation.
set(CREWE_CUDA_EXACT ${CREWE_CUDA_KERNELS})
list(FILTER CREWE_CUDA_EXACT INCLUDE REGEX "\\.exact\\.cu$")

function(crewe_cuda_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC "${cuda}/include" PRIVATE "${cuda}/src")
  target_link_libraries(${target} PUBLIC crewe)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -ffp-contract=off>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
endfunction()

# The extension `name` of Python.
function(crewe_cuda_module name library)
  set(PYBIND11_FINDPYTHON ON)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
  find_package(pybind11 CONFIG REQUIRED)
  pybind11_add_module(${name} MODULE ${CREWE_CUDA_BINDINGS})
  target_link_libraries(${name} PRIVATE ${library})
  target_compile_options(${name} PRIVATE -Wall -Wextra)
endfunction()
