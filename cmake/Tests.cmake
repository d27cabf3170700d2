# Tests. Files are found by their names; a new file needs no line here.
#
#   tests/unit/ROOM/**.cc            -> kura_ROOM_test (GoogleTest, RapidCheck), each suite one ctest entry
#   tests/unit/support/*.cc          -> kura_test_support, helpers that need only the room base
#   tests/unit/support/ROOM/*.cc     -> kura_ROOM_test_support, helpers that need ROOM
#   tests/fuzz/NAME_fuzz.cc          -> a target of kura_fuzz (libFuzzer), corpus in tests/fuzz/corpus/NAME/
#   tests/system/test_NAME.py        -> pytest, with KURA=path of the built program
#   tests/system/support/NAME.cc     -> kura_NAME beside the programs: what some of these use (kura_system_test_support)
#   tests/format/test_NAME.py        -> the same
#   tests/structure/NAME_test.py     -> plain Python, looks only at the sources

set(KURA_PYTHON /usr/bin/python3)  # Debian's: the Python packages that tests use are installed for this one

# System tests that also run with a sanitizer's build of the programs. Each takes several times as long there: list
# those that go through the most code.
set(KURA_SANITIZED_FILES
    format/test_hostile_objects.py system/test_s3_conformance.py system/test_vault.py
    system/test_vault_requests.py
)

# Unit tests that start threads, or whose code under test does; the thread sanitizer has nothing to say of the others.
set(KURA_THREADED_FILES
    base/bounded_queue base/signals crypto/hash_pieces
    store/deadline_store store/folder_store store/folder_faults store/s3_service store/store_conformance
    archive/backup_run archive/backup_stages archive/check archive/check_repair archive/copy archive/reader_chunks
    archive/lost_packs archive/repo_index_cache archive/repo_lease archive/repo_machine
    archive/repo_snapshots
    detect/confined_judge
    guard/actors
    mount/file_system
    archive/restore_damage archive/restore_existing archive/restore_files archive/restore_memory
    archive/restore_round_trip
    vault/derived vault/holding vault/holding_derived vault/journal vault/pull vault/server
)
list(JOIN KURA_THREADED_FILES "|" KURA_THREADED_FILES)

# kura_add_suites(TEST ROOM FILES...): each suite in FILES becomes a ctest entry, and what else the program TEST holds
# one more, so that nothing is left out. Not one for each TEST: with sanitizers, starting takes longer than most tests.
function(kura_add_suites test room)
    set(suites "")
    foreach(file IN LISTS ARGN)
        file(STRINGS "${file}" lines REGEX "^(TEST|TEST_F|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\\([A-Za-z0-9]+,")
        foreach(line IN LISTS lines)
            string(REGEX REPLACE "^[A-Z_]+\\(([A-Za-z0-9]+),.*" "\\1" suite "${line}")
            list(APPEND suites "${suite}")
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES suites)
    set(all "")
    foreach(suite IN LISTS suites)
        kura_add_suite(${test} "${room}/${suite}" "${suite}.*")
        string(APPEND all "${suite}.*:")
    endforeach()
    kura_add_suite(${test} "${room}/rest" "-${all}")
endfunction()

function(kura_add_suite test name filter)
    # From the top of the tree, by which tests find what lies in it.
    add_test(NAME "${KURA_PRESET}/${name}" COMMAND ${test} "--gtest_filter=${filter}"
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties("${KURA_PRESET}/${name}" PROPERTIES TIMEOUT 240 LABELS unit)
    # A ring opens and closes descriptors unseen by the thread sanitizer, which then takes one that came back under the
    # same number for one that two threads share.
    if(KURA_PRESET STREQUAL "tsan")
        set_tests_properties("${KURA_PRESET}/${name}" PROPERTIES ENVIRONMENT "KURA_IO_URING=off")
    endif()
endfunction()

function(kura_unit_tests)
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
    set(unit "${CMAKE_SOURCE_DIR}/tests/unit")

    file(GLOB files CONFIGURE_DEPENDS "${unit}/support/*.cc")
    kura_library(kura_test_support INCLUDE "${unit}" FILES ${files}
        LINKS kura_base rapidcheck GTest::gmock GTest::gtest)

    get_property(rooms GLOBAL PROPERTY KURA_ROOMS)
    foreach(room IN LISTS rooms)
        # Helpers of the rooms below are there for the rooms above them.
        kura_rooms_used_by(${room} used)
        list(TRANSFORM used REPLACE "(.+)" "kura_\\1_test_support")
        file(GLOB files CONFIGURE_DEPENDS "${unit}/support/${room}/*.cc")
        kura_library(kura_${room}_test_support INCLUDE "${unit}" FILES ${files}
            LINKS kura_${room} kura_test_support ${used})

        file(GLOB_RECURSE files CONFIGURE_DEPENDS "${unit}/${room}/*.cc")
        if(KURA_THREADED_TESTS_ONLY)
            list(FILTER files INCLUDE REGEX "/(${KURA_THREADED_FILES})_test\\.cc$")
        endif()
        if(NOT files)
            continue()
        endif()
        set(test kura_${room}_test)
        add_executable(${test} ${files})
        target_link_libraries(${test} PRIVATE kura_${room}_test_support GTest::gtest_main)
        kura_executable_settings(${test})
        kura_precompile(${test} tests "${CMAKE_SOURCE_DIR}/cmake/precompiled.h" <gtest/gtest.h> <rapidcheck/gtest.h>)
        kura_add_suites(${test} ${room} ${files})
    endforeach()
endfunction()

function(kura_fuzz_targets)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc")
    get_property(rooms GLOBAL PROPERTY KURA_ROOMS)
    list(TRANSFORM rooms PREPEND kura_)
    add_executable(kura_fuzz ${files} "${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.cc")
    target_link_libraries(kura_fuzz PRIVATE ${rooms})
    target_link_options(kura_fuzz PRIVATE -fsanitize=fuzzer)
    kura_executable_settings(kura_fuzz)
    foreach(file IN LISTS files)
        get_filename_component(name "${file}" NAME_WE)
        string(REGEX REPLACE "_fuzz$" "" name "${name}")
        add_test(NAME "${KURA_PRESET}/fuzz/${name}"
            COMMAND sh "${CMAKE_SOURCE_DIR}/tests/fuzz/run.sh" "$<TARGET_FILE:kura_fuzz>" "${name}" 3
            "${CMAKE_BINARY_DIR}/fuzz")
        set_tests_properties("${KURA_PRESET}/fuzz/${name}" PROPERTIES TIMEOUT 120 LABELS fuzz)
    endforeach()
endfunction()

function(kura_pytest kind file)
    get_filename_component(name "${file}" NAME_WE)
    string(REGEX REPLACE "^test_" "" name "${name}")
    set(test "${KURA_PRESET}/${kind}/${name}")
    # Temporary files are in the build tree, on a real disk; those of a file that failed stay there (tests/conftest.py).
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/pytest")
    add_test(NAME "${test}"
        COMMAND "${KURA_PYTHON}" -m pytest -q -ra -p no:cacheprovider
            "--confcutdir=${CMAKE_SOURCE_DIR}/tests" "--basetemp=${CMAKE_BINARY_DIR}/pytest/${kind}-${name}" "${file}"
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties("${test}" PROPERTIES
        TIMEOUT 600
        LABELS "${kind}"
        ENVIRONMENT "KURA=$<TARGET_FILE:kura>;KURA_TREE=${KURA_PRESET};PYTHONDONTWRITEBYTECODE=1")
endfunction()

# What system tests use beside the programs: a library to preload, and a client that does not behave.
function(kura_system_test_support)
    set(support "${CMAKE_SOURCE_DIR}/tests/system/support")
    add_library(kura_write_recorder MODULE "${support}/write_recorder.cc")
    # It stands in for functions that are inline with fortification.
    target_compile_options(kura_write_recorder PRIVATE -U_FORTIFY_SOURCE)
    set_target_properties(kura_write_recorder PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
    add_executable(kura_altered_client "${support}/altered_client.cc")
    target_link_libraries(kura_altered_client PRIVATE kura_archive)
    kura_executable_settings(kura_altered_client)
endfunction()

function(kura_system_tests)
    foreach(kind IN ITEMS system format)
        file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${kind}/test_*.py")
        foreach(file IN LISTS files)
            file(RELATIVE_PATH name "${CMAKE_SOURCE_DIR}/tests" "${file}")
            if(KURA_SYSTEM_TESTS OR (KURA_SANITIZED_SYSTEM_TESTS AND name IN_LIST KURA_SANITIZED_FILES))
                kura_pytest(${kind} "${file}")
            endif()
        endforeach()
    endforeach()
endfunction()

function(kura_structure_tests)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/structure/*_test.py")
    foreach(file IN LISTS files)
        get_filename_component(name "${file}" NAME_WE)
        string(REGEX REPLACE "_test$" "" name "${name}")
        add_test(NAME "${KURA_PRESET}/structure/${name}" COMMAND "${KURA_PYTHON}" "${file}")
        set_tests_properties("${KURA_PRESET}/structure/${name}" PROPERTIES
            TIMEOUT 60 LABELS structure ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endfunction()

function(kura_tests)
    if(KURA_UNIT_TESTS)
        kura_unit_tests()
    endif()
    if(KURA_FUZZ)
        kura_fuzz_targets()
    endif()
    kura_system_tests()
    if(KURA_SYSTEM_TESTS)
        kura_system_test_support()
        kura_structure_tests()
    endif()
endfunction()
