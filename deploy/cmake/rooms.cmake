# Rooms, programs and unit tests.
#
# In USES and LIBS a name with a slash is a room (common/core); any other is a library or target
# (dep_zmq, Threads::Threads, m).

# While a room is being written the rest must go on building: with ESPALIER_PARTIAL, files and rooms
# that a list names but that are not there yet are left out, and named.
option(ESPALIER_PARTIAL "Leave out sources that are not there yet" OFF)

# Those of the sources that exist, or will be made while building (full paths).
function(espalier_sources out)
    set(sources "")
    foreach(source ${ARGN})
        if(NOT ESPALIER_PARTIAL OR IS_ABSOLUTE "${source}" OR
           EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${source}" OR
           EXISTS "${CMAKE_CURRENT_BINARY_DIR}/${source}")
            list(APPEND sources "${source}")
        else()
            message(STATUS "NOT THERE YET: ${CMAKE_CURRENT_SOURCE_DIR}/${source}")
            file(GLOB seen CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}") # look again
        endif()
    endforeach()
    if(NOT sources)
        set(sources "${CMAKE_CURRENT_BINARY_DIR}/not_there_yet.c")
        file(WRITE "${sources}" "extern int not_there_yet;\n")
    endif()
    set(${out} "${sources}" PARENT_SCOPE)
endfunction()

# The targets behind names of rooms and libraries.
function(espalier_targets out)
    set(targets "")
    foreach(name ${ARGN})
        if(name MATCHES "/")
            get_filename_component(room "${name}" NAME)
            if(ESPALIER_PARTIAL AND NOT EXISTS "${PROJECT_SOURCE_DIR}/${name}/CMakeLists.txt")
                message(STATUS "NOT THERE YET: room ${name}, which ${CMAKE_CURRENT_SOURCE_DIR} uses")
                file(GLOB seen CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${name}/CMakeLists.txt")
                continue()
            endif()
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
    espalier_sources(sources ${room_SOURCES})
    add_library(espalier_${name} STATIC ${sources})
    add_library(espalier::${name} ALIAS espalier_${name})
    target_include_directories(espalier_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    espalier_targets(used ${room_USES})
    target_link_libraries(espalier_${name} PUBLIC ${used})
endfunction()

# espalier_program(espalier-agent SOURCES main.c USES agent/link ...): an executable of that name.
function(espalier_program name)
    cmake_parse_arguments(PARSE_ARGV 1 program "" "" "SOURCES;USES")
    espalier_sources(sources ${program_SOURCES})
    add_executable(${name} ${sources})
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
    espalier_sources(sources ${test_SOURCES})
    add_executable(test_${name} ${sources})
    target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_compile_definitions(test_${name} PRIVATE
        ESPALIER_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    target_link_libraries(test_${name} PRIVATE ${used} dep_cmocka)
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60 LABELS unit)
endfunction()
