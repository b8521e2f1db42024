/* proto_text.c - see proto_text.h. */
#include "tests/unit/common/wire/proto_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void comment_add(struct proto_item *item, const char *text)
{
    size_t at = strlen(item->comment);

    text += strspn(text, "/ ");
    snprintf(item->comment + at, sizeof item->comment - at, "%s%s", at ? " " : "", text);
}

static bool is_name(const char *word)
{
    return word[0] &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               strlen(word);
}

/* The word before " = NUMBER". */
static bool name_before_number(const char *line, char *name, size_t size)
{
    const char *sign = strstr(line, " = ");
    const char *start = sign;

    if (!sign || !isdigit((unsigned char)sign[3]))
        return false;
    while (start > line && !isspace((unsigned char)start[-1]))
        start--;
    snprintf(name, size, "%.*s", (int)(sign - start), start);
    return is_name(name);
}

static void line_read(struct proto_item *item, bool *in_enum, char *line, proto_item_fn *fn,
                      void *arg)
{
    char *behind;

    line += strspn(line, " ");
    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, "//", 2) == 0) {
        comment_add(item, line);
        return;
    }
    if ((behind = strstr(line, "//"))) {
        comment_add(item, behind);
        *behind = '\0';
    }
    if (sscanf(line, "message %95s", item->owner) == 1 ||
        sscanf(line, "enum %95s", item->owner) == 1) {
        *in_enum = line[0] == 'e';
        item->kind = *in_enum ? PROTO_ENUM : PROTO_MESSAGE;
        snprintf(item->name, sizeof item->name, "%s", item->owner);
        fn(item, arg);
    } else if (item->owner[0] && name_before_number(line, item->name, sizeof item->name)) {
        item->kind = *in_enum ? PROTO_VALUE : PROTO_FIELD;
        fn(item, arg);
    }
    item->comment[0] = '\0';
}

bool proto_text_read(const char *path, proto_item_fn *fn, void *arg)
{
    struct proto_item item = {.file = path};
    FILE *file = fopen(path, "r");
    bool in_enum = false;
    char line[512];

    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        item.line++;
        line_read(&item, &in_enum, line, fn, arg);
    }
    fclose(file);
    return true;
}
