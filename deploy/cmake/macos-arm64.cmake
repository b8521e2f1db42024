# A Mac with Apple Silicon as the target, from any system: used by deploy/cross-macos, which makes the
# compilers in bin/ and the libraries in prefix/ of ESPALIER_CROSS. Nothing is looked for elsewhere.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_VERSION 22.0) # macOS 13
set(CMAKE_SYSTEM_PROCESSOR arm64)

if(NOT ESPALIER_CROSS)
    set(ESPALIER_CROSS "$ENV{ESPALIER_CROSS}") # tests of the compiler are projects of their own
endif()
set(CMAKE_C_COMPILER "${ESPALIER_CROSS}/bin/cc")
set(CMAKE_CXX_COMPILER "${ESPALIER_CROSS}/bin/c++")
set(CMAKE_AR "${ESPALIER_CROSS}/bin/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${ESPALIER_CROSS}/bin/ranlib" CACHE FILEPATH "")
# The target's version is in the compilers; an SDK there is not, and nothing is to be renamed.
set(CMAKE_OSX_SYSROOT "" CACHE STRING "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "")
set(CMAKE_INSTALL_NAME_TOOL /bin/true CACHE FILEPATH "")

set(CMAKE_FIND_ROOT_PATH "${ESPALIER_CROSS}/prefix")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
