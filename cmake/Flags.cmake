# Language, warnings, sanitizers and hardening: the same for everything that is built here.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR
        "Kuramori is built with clang 19, but the compiler here is ${CMAKE_CXX_COMPILER_ID} "
        "${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER}). g++ 12 miscompiles coroutines. "
        "Install clang-19 and configure with a preset: cmake --preset release")
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

add_compile_options(
    -Wall -Wextra -Wpedantic -Werror
    -Wshadow -Wconversion -Wcast-qual -Wcast-align -Wformat=2 -Wundef -Wcomma -Wextra-semi
    -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wunused-result -Wunreachable-code
    -Wrange-loop-analysis -Wnull-dereference
    -Wthread-safety
    -Wno-gnu-statement-expression  # the TRY macro needs a value out of a block
)

# No path of the building machine in messages, debug information or programs.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" -no-canonical-prefixes)

# Bounds checks of the standard library: an index past the end stops the program, never reads on.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

find_package(Threads REQUIRED)

# A program depends only on the libraries that it uses, not on all that its rooms name.
add_link_options(-Wl,--as-needed)

if(KURA_SANITIZE)
    add_compile_options("-fsanitize=${KURA_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options("-fsanitize=${KURA_SANITIZE}")
    if(KURA_SANITIZE MATCHES "undefined")
        # What the address sanitizer reports as well, when it is touched; these two are a fifth of a build.
        add_compile_options(-fno-sanitize=null,object-size)
    endif()
    # The checks make functions large, and each one inlined is compiled again: a quarter of the time of a build. What
    # the tests take is the same.
    add_compile_options("SHELL:-mllvm -inline-threshold=20")
endif()

# This many files are compiled as one, which takes a third of the time, in all trees but dev (their presets say so). There
# each file has to include what it uses, and a change is built in seconds.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

if(KURA_HARDEN)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
        -fcf-protection)
    add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
