/* ini_reader.c - see ini_reader.h. */
#include "common/settings/ini_reader.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 200 /* with newline and NUL, as inih is compiled by default */
#define SECTION_MAX 50

static char *trim(char *text)
{
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* End the text before a ';' that follows a blank. */
static void cut_comment(char *text)
{
    for (char *p = text; *p; p++) {
        if (*p == ';' && p > text && isspace((unsigned char)p[-1])) {
            *p = '\0';
            return;
        }
    }
}

/* One line that is no comment and not empty; false when it is neither section nor setting, or the
 * handler refuses it. */
static bool take_line(char *line, char section[SECTION_MAX], ini_handler handler, void *user)
{
    char *end;

    if (line[0] == '[') {
        if (!(end = strchr(line, ']')))
            return false;
        *end = '\0';
        snprintf(section, SECTION_MAX, "%.*s", SECTION_MAX - 1, line + 1);
        return true;
    }
    cut_comment(line);
    if (!(end = strpbrk(line, "=:")))
        return false;
    *end = '\0';
    return handler(user, section, trim(line), trim(end + 1)) != 0;
}

int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char buffer[LINE_MAX_BYTES], section[SECTION_MAX] = "", *line;
    int number = 0, bad = 0;

    while (reader(buffer, sizeof buffer, stream)) {
        number++;
        line = buffer;
        if (number == 1 && strncmp(line, byte_order_mark, 3) == 0)
            line += 3;
        line = trim(line);
        if (*line && *line != '#' && *line != ';' && !take_line(line, section, handler, user) &&
            !bad)
            bad = number;
    }
    return bad;
}
