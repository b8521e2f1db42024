/* wire_map.c - see wire_map.h.
 *
 * Five messages travel; every other one is held by one of them, so walking down from the five, in
 * the records and in the descriptors side by side, matches them all. Value, which holds itself, is
 * met again on the way and then only named. The tables are static: nothing here can run out of
 * memory, and pthread_once orders their writing before every reading. */
#include "common/wire/wire_map.h"

#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/tool_message.h"

#include "espalier/v1/agent.pb-c.h"
#include "espalier/v1/event.pb-c.h"
#include "espalier/v1/tool.pb-c.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPES_MAX 256   /* three times what v1 has */
#define FIELDS_MAX 2048 /* likewise */
#define SLOTS 1024      /* a power of two, sparse: nearly every lookup is one step */

static struct wire_type types[TYPES_MAX];
static size_t types_count;
static struct wire_field fields[FIELDS_MAX];
static size_t fields_count;
static const struct wire_type *slots[SLOTS]; /* by address of the record type */
static struct err fault;                     /* ERR_NONE: all is matched */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t slot_of(const struct record_type *record)
{
    size_t i = ((uintptr_t)record >> 4) * 31 % SLOTS;

    while (slots[i] && slots[i]->record != record)
        i = (i + 1) % SLOTS;
    return i;
}

static const ProtobufCFieldDescriptor *field_by_name(const ProtobufCMessageDescriptor *pb,
                                                     const char *name)
{
    for (unsigned i = 0; i < pb->n_fields; i++)
        if (strcmp(pb->fields[i].name, name) == 0)
            return &pb->fields[i];
    return NULL;
}

/* The protobuf type of a row, and whether it repeats. */
static ProtobufCType pb_type_of(enum field_type type, bool *repeated)
{
    *repeated = type == FIELD_RECORDS || type == FIELD_TEXTS || type == FIELD_I64S;
    switch (type) {
    case FIELD_I64:
    case FIELD_I64S:
        return PROTOBUF_C_TYPE_INT64;
    case FIELD_F64:
        return PROTOBUF_C_TYPE_DOUBLE;
    case FIELD_BOOL:
        return PROTOBUF_C_TYPE_BOOL;
    case FIELD_ENUM:
        return PROTOBUF_C_TYPE_ENUM;
    case FIELD_TEXT:
    case FIELD_PROSE:
    case FIELD_TEXTS:
        return PROTOBUF_C_TYPE_STRING;
    case FIELD_RECORD:
    case FIELD_RECORDS:
        break;
    }
    return PROTOBUF_C_TYPE_MESSAGE;
}

/* Numbers are cast from one to the other, so the two sets of values must be one. */
static int enum_match(const struct field *row, const ProtobufCFieldDescriptor *pb,
                      const char *owner)
{
    const ProtobufCEnumDescriptor *e = pb->descriptor;

    if (strcmp(e->short_name, row->names->name) != 0 || e->n_values != row->names->count)
        return err_set(&fault, ERR_INTERNAL, "%s.%s: enum %s of the .proto is not %s of the model",
                       owner, row->name, e->short_name, row->names->name);
    for (unsigned i = 0; i < e->n_values; i++)
        if (e->values[i].value == 0 || !enum_name(row->names, e->values[i].value))
            return err_set(&fault, ERR_INTERNAL, "%s.%s: the model lacks %s", owner, row->name,
                           e->values[i].name);
    return 0;
}

static int field_match(const struct field *row, const ProtobufCFieldDescriptor *pb,
                       const char *owner)
{
    bool one_of = row->flags & (FIELD_ONE_OF | FIELD_ONE_REQUIRED);
    bool repeated;
    ProtobufCType type = pb_type_of(row->type, &repeated);

    if (!pb)
        return err_set(&fault, ERR_INTERNAL, "%s.%s: the .proto has no such field", owner,
                       row->name);
    if (pb->type != type)
        return err_set(&fault, ERR_INTERNAL, "%s.%s: protobuf type %d, the row wants %d", owner,
                       row->name, (int)pb->type, (int)type);
    if (pb->label != (repeated ? PROTOBUF_C_LABEL_REPEATED : PROTOBUF_C_LABEL_OPTIONAL))
        return err_set(&fault, ERR_INTERNAL, "%s.%s: wanted %s", owner, row->name,
                       repeated ? "repeated" : "optional");
    if (!(pb->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != !one_of ||
        (one_of && row->type != FIELD_RECORD))
        return err_set(&fault, ERR_INTERNAL,
                       "%s.%s: oneof in one and not in the other, or no record", owner, row->name);
    return row->type == FIELD_ENUM ? enum_match(row, pb, owner) : 0;
}

static const struct wire_type *type_add(const struct record_type *record,
                                        const ProtobufCMessageDescriptor *pb);

/* The rows of one type, at `at` in the order of the protobuf's numbers. */
static int fields_add(struct wire_type *type, struct wire_field *at)
{
    const struct record_type *record = type->record;

    for (size_t i = 0; i < record->count; i++) {
        const struct field *row = &record->fields[i];
        const ProtobufCFieldDescriptor *pb = field_by_name(type->pb, row->name);
        struct wire_field *f;

        if (field_match(row, pb, record->name) < 0)
            return -1;
        f = &at[pb - type->pb->fields];
        f->row = row;
        f->pb = pb;
        type->one_required |= (row->flags & FIELD_ONE_REQUIRED) != 0;
        if (row->record && !(f->record = type_add(row->record, pb->descriptor)))
            return -1;
    }
    for (unsigned i = 0; i < type->pb->n_fields; i++)
        if (!at[i].row)
            return err_set(&fault, ERR_INTERNAL, "%s.%s: the model has no such row", record->name,
                           type->pb->fields[i].name);
    return 0;
}

/* NULL, with `fault` set, when record and message differ. */
static const struct wire_type *type_add(const struct record_type *record,
                                        const ProtobufCMessageDescriptor *pb)
{
    size_t slot = slot_of(record);
    struct wire_type *type;
    struct wire_field *at = &fields[fields_count];

    /* A message inside itself lets the sender choose how deep we recurse: wire_scan sets the limit.
     */
    if (slots[slot] && slots[slot]->pb == pb)
        return slots[slot];
    if (slots[slot]) {
        err_set(&fault, ERR_INTERNAL, "%s belongs to two messages", record->name);
        return NULL;
    }
    if (strcmp(record->name, pb->short_name) != 0) {
        err_set(&fault, ERR_INTERNAL, "record %s is not message %s", record->name, pb->short_name);
        return NULL;
    }
    if (pb->n_fields > WIRE_FIELDS_MAX || types_count == TYPES_MAX ||
        fields_count + pb->n_fields > FIELDS_MAX) {
        err_set(&fault, ERR_INTERNAL, "%s: a table of common/wire is too small", record->name);
        return NULL;
    }
    type = &types[types_count++];
    *type = (struct wire_type){.record = record, .pb = pb, .fields = at, .count = pb->n_fields};
    fields_count += pb->n_fields;
    slots[slot] = type;
    if (fields_add(type, at) < 0)
        return NULL;
    type->done = true;
    return type;
}

static void map_build(void)
{
    const struct {
        const struct record_type *record;
        const ProtobufCMessageDescriptor *pb;
    } roots[] = {
        {&agent_message_type, &espalier__v1__agent_message__descriptor},
        {&coordinator_message_type, &espalier__v1__coordinator_message__descriptor},
        {&request_type, &espalier__v1__request__descriptor},
        {&tool_message_type, &espalier__v1__tool_message__descriptor},
        {&event_type, &espalier__v1__event__descriptor},
    };

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (!type_add(roots[i].record, roots[i].pb))
            return;
}

/* -1 with the fault when the model and the .proto files differ. */
static int map_ready(struct err *err)
{
    pthread_once(&once, map_build);
    if (fault.code == ERR_NONE)
        return 0;
    return err_set(err, fault.code, "%s", fault.text);
}

const struct wire_type *wire_type_find(const struct record_type *record, struct err *err)
{
    const struct wire_type *type;

    if (map_ready(err) < 0)
        return NULL;
    type = slots[slot_of(record)];
    if (!type)
        err_set(err, ERR_INTERNAL, "no message of the protocol holds a %s", record->name);
    return type;
}

const struct wire_type *wire_type_at(size_t i, struct err *err)
{
    return map_ready(err) == 0 && i < types_count ? &types[i] : NULL;
}

const struct wire_field *wire_field_find(const struct wire_type *type, uint32_t number)
{
    size_t low = 0, high = type->count;

    /* Numbers run from 1 without gaps as long as no field was retired: then this is the place. */
    if (number - 1 < type->count && type->fields[number - 1].pb->id == number)
        return &type->fields[number - 1];
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (type->fields[middle].pb->id == number)
            return &type->fields[middle];
        if (type->fields[middle].pb->id < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Writes the path from the outermost field; the length so far. */
static size_t path_text(const struct wire_path *path, char *out, size_t size)
{
    size_t at;
    int n;

    if (!path)
        return 0;
    at = path_text(path->up, out, size);
    if (at >= size)
        return size;
    if (path->item)
        n = snprintf(out + at, size - at, "%s%s[%zu]", at ? "." : "", path->name, path->item - 1);
    else
        n = snprintf(out + at, size - at, "%s%s", at ? "." : "", path->name);
    return n < 0 ? at : at + (size_t)n;
}

int wire_fault(const struct wire_path *path, struct err *err, enum err_code code, const char *fmt,
               ...)
{
    char where[ERR_TEXT_MAX] = "", what[ERR_TEXT_MAX];
    va_list args;

    path_text(path, where, sizeof where);
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return err_set(err, code, "%s%s%s", where, where[0] ? ": " : "", what);
}
