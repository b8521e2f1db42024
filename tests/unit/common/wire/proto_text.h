/* proto_text.h - a .proto file as text, line by line: what protobuf's descriptors no longer hold,
 * the comments. Reads the plain style of our own files, nothing more. */
#ifndef TESTS_WIRE_PROTO_TEXT_H
#define TESTS_WIRE_PROTO_TEXT_H

#include <stdbool.h>

enum proto_kind { PROTO_MESSAGE, PROTO_ENUM, PROTO_FIELD, PROTO_VALUE };

struct proto_item {
    enum proto_kind kind;
    char owner[96];     /* message or enum that it stands in; its own name for those two */
    char name[96];      /* of the field or value */
    char comment[4096]; /* the // lines above it, or behind it on its line, joined by spaces */
    const char *file;
    int line;
};

typedef void proto_item_fn(const struct proto_item *item, void *arg);

/* False: the file cannot be read. */
bool proto_text_read(const char *path, proto_item_fn *fn, void *arg);

#endif
