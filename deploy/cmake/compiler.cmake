# How every C file of the tree is compiled.
#
# Presets set flags for all targets rather than using CMAKE_BUILD_TYPE, so that a build folder has
# one answer, and asserts (our own bugs) stay on in a release.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu11: POSIX declarations without a macro in every file
set(CMAKE_EXPORT_COMPILE_COMMANDS ON) # clang-tidy reads it
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(ESPALIER_PRESET "release" CACHE STRING "How to compile: debug, tsan or release")
set_property(CACHE ESPALIER_PRESET PROPERTY STRINGS debug tsan release)

# Contracted multiply-adds round differently: without this, plans made on arm64 and x86-64 differ.
add_compile_options(-Wall -Wextra -Werror -ffp-contract=off)
# gcc warns where snprintf might cut; cutting is what it is there for
add_compile_options($<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)

if(ESPALIER_PRESET STREQUAL "debug")
    set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
    add_compile_options(-O1 -g -fno-omit-frame-pointer ${sanitizers})
    add_link_options(${sanitizers})
elseif(ESPALIER_PRESET STREQUAL "tsan")
    add_compile_options(-O1 -g -fno-omit-frame-pointer -fsanitize=thread)
    add_link_options(-fsanitize=thread)
elseif(ESPALIER_PRESET STREQUAL "release")
    # -U first: some distributions set the level themselves
    add_compile_options(-O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
else()
    message(FATAL_ERROR "ESPALIER_PRESET is '${ESPALIER_PRESET}', want debug, tsan or release")
endif()

if(ESPALIER_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "ESPALIER_FUZZ needs clang: add -DCMAKE_C_COMPILER=clang")
    endif()
    if(NOT ESPALIER_PRESET STREQUAL "debug")
        message(FATAL_ERROR "ESPALIER_FUZZ goes with -DESPALIER_PRESET=debug")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
