# Rooms, programs and unit tests.
#
# In USES and LIBS a name with a slash is a room (common/core); any other is a library or target
# (dep_zmq, Threads::Threads, m).

# The targets behind names of rooms and libraries.
function(espalier_targets out)
    set(targets "")
    foreach(name ${ARGN})
        if(name MATCHES "/")
            get_filename_component(room "${name}" NAME)
            list(APPEND targets "espalier::${room}") # with ::, a room that is missing is an error
        else()
            list(APPEND targets "${name}")
        endif()
    endforeach()
    set(${out} "${targets}" PARENT_SCOPE)
endfunction()

# espalier_room(common/core SOURCES a.c ... [USES common/other dep_x ...])
#
# The static library espalier_core. Includes are written from the top of the tree:
# "common/core/err.h". The room links what USES says and nothing else.
function(espalier_room path)
    cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;USES")
    if(room_UNPARSED_ARGUMENTS OR NOT room_SOURCES)
        message(FATAL_ERROR "espalier_room(${path}): want SOURCES ... USES ..., "
                            "got '${room_UNPARSED_ARGUMENTS}'")
    endif()
    get_filename_component(name "${path}" NAME)
    add_library(espalier_${name} STATIC ${room_SOURCES})
    add_library(espalier::${name} ALIAS espalier_${name})
    target_include_directories(espalier_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    espalier_targets(used ${room_USES})
    target_link_libraries(espalier_${name} PUBLIC ${used})
endfunction()

# espalier_program(espalier-agent SOURCES main.c USES agent/link ...): an executable of that name.
function(espalier_program name)
    cmake_parse_arguments(PARSE_ARGV 1 program "" "" "SOURCES;USES")
    add_executable(${name} ${program_SOURCES})
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    espalier_targets(used ${program_USES})
    target_link_libraries(${name} PRIVATE ${used})
endfunction()

# espalier_unit_test(fleet SOURCES test_fleet.c LIBS coordinator/fleet)
#
# The executable test_fleet, run by ctest with the label "unit". It links only what LIBS says (and
# cmocka), so a room that reaches further than its own USES does not link here. A test of a room
# that this build leaves out (an agent-only build, say) is passed over.
function(espalier_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 test "" "" "SOURCES;LIBS")
    espalier_targets(used ${test_LIBS})
    foreach(target ${used})
        if(target MATCHES "::" AND NOT TARGET ${target})
            message(STATUS "test_${name} is left out: this build has no ${target}")
            return()
        endif()
    endforeach()
    add_executable(test_${name} ${test_SOURCES})
    target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_compile_definitions(test_${name} PRIVATE
        ESPALIER_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    target_link_libraries(test_${name} PRIVATE ${used} dep_cmocka)
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60 LABELS unit)
endfunction()
