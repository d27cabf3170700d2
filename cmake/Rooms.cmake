# Rooms (static libraries under src/) and programs (under apps/).
#
# src/rooms.txt is the only place where it is written which room uses which; tests/structure/rooms_test.py holds the
# #include lines to the same file.

set(KURA_ROOM_GRAPH "${CMAKE_SOURCE_DIR}/src/rooms.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${KURA_ROOM_GRAPH}")

# The rooms that ROOM may use, as src/rooms.txt says.
function(kura_rooms_used_by room out)
    file(STRINGS "${KURA_ROOM_GRAPH}" lines REGEX "^${room}:")
    list(LENGTH lines count)
    if(NOT count EQUAL 1)
        message(FATAL_ERROR "src/rooms.txt has ${count} lines for the room '${room}'; it needs exactly one, "
            "such as '${room}: base'")
    endif()
    string(REGEX REPLACE "^${room}:[ \t]*" "" used "${lines}")
    string(REGEX REPLACE "[ \t]*#.*$" "" used "${used}")
    separate_arguments(used UNIX_COMMAND "${used}")
    set(${out} "${used}" PARENT_SCOPE)
endfunction()

# kura_precompile(TARGET GROUP headers...): parses these only once for all targets of GROUP, which are compiled with the
# same options. Not in dev, where each file is to include what it uses.
function(kura_precompile target group)
    if(NOT CMAKE_UNITY_BUILD)
        return()
    endif()
    get_property(first GLOBAL PROPERTY KURA_PRECOMPILED_${group})
    if(first)
        target_precompile_headers(${target} REUSE_FROM ${first})
    else()
        target_precompile_headers(${target} PRIVATE ${ARGN})
        set_property(GLOBAL PROPERTY KURA_PRECOMPILED_${group} ${target})
    endif()
endfunction()

# kura_library(TARGET INCLUDE folder FILES... LINKS...): a static library of FILES, or only its link lines while there
# are none.
function(kura_library target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "INCLUDE" "FILES;LINKS")
    if(arg_FILES)
        add_library(${target} STATIC ${arg_FILES})
        set(scope PUBLIC)
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(${target} ${scope} "${arg_INCLUDE}")
    target_link_libraries(${target} ${scope} ${arg_LINKS})
endfunction()

# kura_room(NAME [LINKS library...]): src/NAME with all .cc files below it becomes the library kura_NAME.
function(kura_room room)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS")
    kura_rooms_used_by(${room} used)
    list(TRANSFORM used PREPEND kura_)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${room}/*.cc")
    kura_library(kura_${room} INCLUDE "${CMAKE_SOURCE_DIR}/src" FILES ${files}
        LINKS ${used} ${arg_LINKS} Threads::Threads)
    if(files)
        kura_precompile(kura_${room} rooms "${CMAKE_SOURCE_DIR}/cmake/precompiled.h")
    endif()
    if(KURA_FUZZ AND files)
        # Coverage for libFuzzer of what it is to explore; only the fuzz targets link the fuzzer itself.
        target_compile_options(kura_${room} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
    set_property(GLOBAL APPEND PROPERTY KURA_ROOMS ${room})
endfunction()

# What every program and test needs besides its own files.
function(kura_executable_settings target)
    if(KURA_SANITIZE)
        # Not what is slow when it runs, and built in half the time.
        target_compile_options(${target} PRIVATE -O0)
        target_sources(${target} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/sanitizer_options.cc")
    endif()
endfunction()

# kura_app(NAME ROOMS room... [LINKS library...] [PRECOMPILE header...]): apps/NAME becomes the program NAME.
function(kura_app app)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ROOMS;LINKS;PRECOMPILE")
    file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/apps/${app}/*.cc")
    if(NOT files)
        message(WARNING "apps/${app} has no .cc file; the program ${app} is left out")
        return()
    endif()
    list(TRANSFORM arg_ROOMS PREPEND kura_)
    add_executable(${app} ${files})
    target_include_directories(${app} PRIVATE "${CMAKE_SOURCE_DIR}/apps")
    target_link_libraries(${app} PRIVATE ${arg_ROOMS} ${arg_LINKS})
    kura_executable_settings(${app})
    # Most of the time would go into parsing CLI11 and Boost.JSON again for each command's file.
    kura_precompile(${app} ${app} "${CMAKE_SOURCE_DIR}/cmake/precompiled.h" ${arg_PRECOMPILE})
    if(NOT KURA_SANITIZE)
        # A command line's code runs once and is read from disk at every start: small is fast.
        target_compile_options(${app} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-Os>)
    endif()
    if(NOT KURA_APPS_BY_DEFAULT)
        set_target_properties(${app} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    install(TARGETS ${app} OPTIONAL RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
    set_property(GLOBAL APPEND PROPERTY KURA_APPS ${app})
endfunction()

# kura_compiled_first(HEADER out): whether the .cc of the same name includes HEADER before anything else; compiling that
# file then proves already that the header includes what it needs.
function(kura_compiled_first header out)
    set(${out} FALSE PARENT_SCOPE)
    string(REGEX REPLACE "\\.h$" ".cc" source "${CMAKE_SOURCE_DIR}/${header}")
    if(EXISTS "${source}")
        file(STRINGS "${source}" first REGEX "^#include" LIMIT_COUNT 1)
        string(REGEX REPLACE "^src/" "" name "${header}")
        if(first STREQUAL "#include \"${name}\"")
            set(${out} TRUE PARENT_SCOPE)
        endif()
    endif()
endfunction()

# The target `headers` compiles by itself each header of a room that no .cc includes first, so that each one includes
# what it needs.
function(kura_headers_target)
    get_property(rooms GLOBAL PROPERTY KURA_ROOMS)
    list(TRANSFORM rooms PREPEND kura_)
    add_custom_target(headers)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}"
        "${CMAKE_SOURCE_DIR}/src/*.h")
    set(units "")
    foreach(header IN LISTS headers)
        kura_compiled_first(${header} proven)
        if(proven)
            continue()
        endif()
        set(unit "${CMAKE_BINARY_DIR}/headers/${header}.cc")
        # The second #include finds a missing include guard.
        file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
        list(APPEND units "${unit}")
    endforeach()
    if(NOT units)
        return()
    endif()
    add_library(kura_header_units OBJECT EXCLUDE_FROM_ALL ${units})
    target_include_directories(kura_header_units PRIVATE
        "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/apps")
    set_target_properties(kura_header_units PROPERTIES UNITY_BUILD OFF)
    target_compile_options(kura_header_units PRIVATE -O0 -g0 -U_FORTIFY_SOURCE)
    target_link_libraries(kura_header_units PRIVATE ${rooms})
    add_dependencies(headers kura_header_units)
endfunction()
