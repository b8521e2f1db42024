# Files as C data, with CMake alone.
#
# espalier_embed(TARGET OUT_C SYMBOL FILES...) adds to TARGET a generated source OUT_C (a plain name
# is put in the current build folder) that defines
#     const struct embedded_file SYMBOL[];   one row a file, sorted as given
#     const size_t SYMBOL_count;
# of common/core/embed.h. A row's name is the file's own name, without its folder. Declare the two
# with `extern` in the C file that reads them.

set(ESPALIER_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_write.cmake")

function(espalier_embed target out symbol)
    if(NOT IS_ABSOLUTE "${out}")
        set(out "${CMAKE_CURRENT_BINARY_DIR}/${out}")
    endif()
    set(files "")
    set(names "")
    foreach(file ${ARGN})
        get_filename_component(full "${file}" ABSOLUTE)
        get_filename_component(name "${file}" NAME)
        if(name IN_LIST names)
            message(FATAL_ERROR "espalier_embed(${symbol}): two files are called ${name}")
        endif()
        list(APPEND names "${name}")
        list(APPEND files "${full}")
    endforeach()
    # The list travels as a file: a command line has a limit, and ; would split it.
    string(REPLACE ";" "\n" lines "${files}")
    file(GENERATE OUTPUT "${out}.list" CONTENT "${lines}\n")
    add_custom_command(OUTPUT "${out}"
        COMMAND "${CMAKE_COMMAND}" "-DOUT=${out}" "-DSYMBOL=${symbol}" "-DLIST=${out}.list"
                -P "${ESPALIER_EMBED_SCRIPT}"
        DEPENDS ${files} "${out}.list" "${ESPALIER_EMBED_SCRIPT}"
        COMMENT "Embedding ${symbol}" VERBATIM)
    target_sources(${target} PRIVATE "${out}")
endfunction()
