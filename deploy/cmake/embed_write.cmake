# Run by espalier_embed: writes OUT, defining SYMBOL from the files named in LIST, one a line.

file(STRINGS "${LIST}" files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file ${files})
    get_filename_component(name "${file}" NAME)
    file(READ "${file}" bytes HEX)
    string(LENGTH "${bytes}" digits)
    math(EXPR len "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    # 16 bytes a line, as editors like it
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
           "\\1\n    " bytes "${bytes}")
    # The 0 after the last byte lets text be read as a string; it is not counted.
    string(APPEND arrays "static const unsigned char ${SYMBOL}_${count}[] = {\n    ${bytes}0x00};\n")
    string(APPEND rows "    {\"${name}\", ${SYMBOL}_${count}, ${len}},\n")
    math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
    message(FATAL_ERROR "espalier_embed(${SYMBOL}): no files")
endif()
file(WRITE "${OUT}" "/* Written by deploy/cmake/embed_write.cmake: do not edit. */
#include \"common/core/embed.h\"

extern const struct embedded_file ${SYMBOL}[];
extern const size_t ${SYMBOL}_count;

${arrays}
const struct embedded_file ${SYMBOL}[] = {
${rows}};
const size_t ${SYMBOL}_count = ${count};
")
