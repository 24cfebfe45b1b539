# CREWE_NVCC: the compiler from CREWE_CUDA_ROOT, from PyPI (nvidia/cu13 beside the Python that builds), or from this
# machine. CREWE_CUDA_PROBLEM: why there is none, or none that works, or nobody to run what it compiles: with AUTO a
# machine without NVIDIA's driver builds nothing, since that takes minutes.
set(CREWE_CUDA_ROOT "$ENV{CREWE_CUDA_ROOT}" CACHE PATH "Folder of a CUDA toolkit: bin/nvcc, include, lib")
set(CREWE_CUDA_PROBLEM "")

set(root "${CREWE_CUDA_ROOT}")
if(NOT root AND Python_EXECUTABLE)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "import nvidia; print(nvidia.__path__[0] + '/cu13')"
    OUTPUT_VARIABLE from_pypi OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(EXISTS "${from_pypi}/bin/nvcc")
    set(root "${from_pypi}")
  endif()
endif()
if(root)
  find_program(CREWE_NVCC nvcc HINTS "${root}/bin" NO_DEFAULT_PATH)
  string(APPEND CMAKE_CUDA_FLAGS_INIT " -L${root}/lib")  # nvcc.profile names lib64, the packages of PyPI have lib
else()
  find_program(CREWE_NVCC nvcc HINTS /usr/local/cuda/bin)
endif()

find_library(CREWE_CUDA_DRIVER NAMES cuda libcuda.so.1 PATHS /usr/local/nvidia/lib64 /usr/lib/wsl/lib)
file(GLOB driver /proc/driver/nvidia/version /dev/nvidiactl)
if(CREWE_CUDA STREQUAL "AUTO" AND NOT driver AND NOT CREWE_CUDA_DRIVER)
  set(CREWE_CUDA_PROBLEM "this machine has no NVIDIA driver; CREWE_CUDA=ON builds for others")
elseif(NOT CREWE_NVCC)
  set(CREWE_CUDA_PROBLEM "no nvcc was found")
else()
  set(CMAKE_CUDA_COMPILER "${CREWE_NVCC}")
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(CREWE_CUDA_PROBLEM "${CREWE_NVCC} doesn't compile with ${CMAKE_CXX_COMPILER}")
  endif()
endif()
