/* wire_map.h - which row of which record is which field of which protobuf message.
 *
 * Inside common/wire only. Built once from the descriptors that protobuf-c generates and the rows
 * of common/model, and never changed: borrowed pointers from here live as long as the program. A
 * row without its protobuf field (or the other way round) is a bug of ours; every call then fails
 * with ERR_INTERNAL naming it. */
#ifndef COMMON_WIRE_WIRE_MAP_H
#define COMMON_WIRE_WIRE_MAP_H

#include "common/core/err.h"
#include "common/model/record.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_type;

struct wire_field {
    const struct field *row;
    const ProtobufCFieldDescriptor *pb;
    const struct wire_type *record; /* of FIELD_RECORD and FIELD_RECORDS; else NULL */
};

struct wire_type {
    const struct record_type *record;
    const ProtobufCMessageDescriptor *pb;
    const struct wire_field *fields; /* by rising number, as pb->fields */
    size_t count;
    bool one_required; /* exactly one of its bodies must be present */
    bool done;         /* false while its fields are being matched */
};

/* More than any message has (28): the walk of the bytes counts items per field on the stack. */
#define WIRE_FIELDS_MAX 64

/* Records within records. Value nests 32 deep (VALUE_DEPTH_MAX of coordinator/signature), a map's
 * members take two levels for one, and what is around them less than ten. */
#define WIRE_DEPTH_MAX 80

/* NULL with ERR_INTERNAL: no protobuf message belongs to that record. */
const struct wire_type *wire_type_find(const struct record_type *record, struct err *err);

/* The i-th of the matched types, roots before what they hold; NULL after the last. */
const struct wire_type *wire_type_at(size_t i, struct err *err);

/* NULL: this version has no such field. */
const struct wire_field *wire_field_find(const struct wire_type *type, uint32_t number);

static inline bool wire_field_is_repeated(const struct wire_field *f)
{
    return f->pb->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Where a fault is: written as text only when there is one. */
struct wire_path {
    const struct wire_path *up; /* NULL: the message itself */
    const char *name;           /* of the field */
    size_t item;                /* from 1 among the field's items; 0: the field itself */
    unsigned depth;             /* of records around it, counted by wire_scan alone */
};

/* err_set with "links[3].name: " before the text. Always -1. */
int wire_fault(const struct wire_path *path, struct err *err, enum err_code code, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));

#endif
