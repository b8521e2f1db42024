/* darwin_double_registry.c - CoreFoundation and IOKit: objects are JSON values with an account. */
#include "tests/support/darwin_double_inside.h"

#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "common/json/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A CoreFoundation object. What a Get gives belongs to the object that it was got from. */
struct cf {
    const struct json *value;
    char *text; /* of a string that the probe made; then value is NULL */
    struct cf *parent, *children, *next;
};

/* A matching dictionary, until it is taken over. */
struct matching {
    char class_name[64];
    char bsd[32];
};

#define IO_MAX 64

/* An entry of the registry, or an iterator over entries. */
static struct io {
    const struct json *entry; /* NULL: an iterator */
    const struct json *next;  /* where the iterator stands */
    struct matching matching;
    bool used;
} ios[IO_MAX];

static size_t cf_live, matching_live;

size_t double_registry_live(void)
{
    size_t live = cf_live + matching_live;

    for (size_t i = 0; i < IO_MAX; i++)
        live += ios[i].used;
    return live;
}

/* ---- CoreFoundation ---- */

static struct cf *cf_new(const struct json *value, struct cf *parent)
{
    struct cf *c = double_alloc(sizeof *c);

    c->value = value;
    c->parent = parent;
    if (parent) {
        c->next = parent->children;
        parent->children = c;
    } else {
        cf_live++;
    }
    return c;
}

static const void *cf_get(const void *parent, const struct json *value)
{
    if (!value || json_type_of(value) == JSON_NULL)
        return NULL;
    for (struct cf *c = ((const struct cf *)parent)->children; c; c = c->next) {
        if (c->value == value)
            return c;
    }
    return cf_new(value, (struct cf *)(uintptr_t)parent);
}

static void cf_free(struct cf *c)
{
    struct cf *next;

    for (struct cf *child = c->children; child; child = next) {
        next = child->next;
        cf_free(child);
    }
    free(c->text);
    free(c);
}

static void double_release(const void *object)
{
    struct cf *c = (struct cf *)(uintptr_t)object;

    if (!c || c->parent) /* ASan sees a second release of the same */
        double_die("CFRelease of %s", c ? "something borrowed" : "NULL");
    cf_free(c);
    cf_live--;
}

enum cf_type { CF_STRING = 7, CF_NUMBER = 22, CF_BOOLEAN = 21, CF_DICTIONARY = 18, CF_ARRAY = 19 };

static unsigned long type_of(const struct cf *c)
{
    switch (c->text ? JSON_STRING : json_type_of(c->value)) {
    case JSON_STRING:
        return CF_STRING;
    case JSON_NUMBER:
        return CF_NUMBER;
    case JSON_BOOL:
        return CF_BOOLEAN;
    case JSON_ARRAY:
        return CF_ARRAY;
    default:
        return CF_DICTIONARY;
    }
}

static const struct cf *want(const void *object, unsigned long type, const char *call)
{
    const struct cf *c = object;

    if (!c || type_of(c) != type)
        double_die("%s of %s", call, c ? "another type" : "NULL");
    return c;
}

static unsigned long double_type_id(const void *object)
{
    if (!object)
        double_die("CFGetTypeID of NULL");
    return type_of(object);
}

static unsigned long string_id(void)
{
    return CF_STRING;
}

static unsigned long number_id(void)
{
    return CF_NUMBER;
}

static unsigned long boolean_id(void)
{
    return CF_BOOLEAN;
}

static unsigned long dictionary_id(void)
{
    return CF_DICTIONARY;
}

static unsigned long array_id(void)
{
    return CF_ARRAY;
}

static const void *double_string(const void *allocator, const char *text, uint32_t encoding)
{
    struct cf *c;

    if (allocator || encoding != DARWIN_CF_UTF8)
        double_die("CFStringCreateWithCString in encoding %x", encoding);
    c = cf_new(NULL, NULL);
    if (!(c->text = strdup(text)))
        double_die("no memory");
    return c;
}

static const char *text_of(const void *string, const char *call)
{
    const struct cf *c = want(string, CF_STRING, call);

    return c->text ? c->text : json_text(c->value);
}

static unsigned char double_get_string(const void *string, char *out, long size, uint32_t encoding)
{
    const char *text = text_of(string, "CFStringGetCString");

    if (encoding != DARWIN_CF_UTF8)
        double_die("CFStringGetCString in encoding %x", encoding);
    if ((long)strlen(text) >= size)
        return 0;
    snprintf(out, (size_t)size, "%s", text);
    return 1;
}

static unsigned char double_get_number(const void *number, long type, void *out)
{
    const struct cf *c = want(number, CF_NUMBER, "CFNumberGetValue");
    double value = json_number(c->value);
    int64_t integer = (int64_t)value;

    if (type != DARWIN_CF_NUMBER_I64)
        double_die("CFNumberGetValue of type %ld", type);
    memcpy(out, &integer, sizeof integer);
    return json_is_integer(c->value); /* else it was rounded, and says so */
}

static unsigned char double_get_boolean(const void *boolean)
{
    return json_bool_value(want(boolean, CF_BOOLEAN, "CFBooleanGetValue")->value);
}

static const void *double_get_member(const void *dictionary, const void *key)
{
    const struct cf *c = want(dictionary, CF_DICTIONARY, "CFDictionaryGetValue");

    return cf_get(c, json_member(c->value, text_of(key, "CFDictionaryGetValue")));
}

static long double_get_count(const void *array)
{
    return (long)json_count(want(array, CF_ARRAY, "CFArrayGetCount")->value);
}

static const void *double_get_item(const void *array, long i)
{
    const struct cf *c = want(array, CF_ARRAY, "CFArrayGetValueAtIndex");

    if (i < 0 || i >= (long)json_count(c->value))
        double_die("CFArrayGetValueAtIndex(%ld) of %zu", i, json_count(c->value));
    return cf_get(c, json_item(c->value, (size_t)i));
}

/* ---- IOKit ---- */

static uint32_t io_new(const struct json *entry)
{
    for (uint32_t i = 0; i < IO_MAX; i++) {
        if (!ios[i].used) {
            ios[i] = (struct io){.entry = entry, .used = true};
            return i + 1;
        }
    }
    double_die("%d objects of IOKit are out", IO_MAX);
}

static struct io *io_at(uint32_t object, const char *call)
{
    if (object == 0 || object > IO_MAX || !ios[object - 1].used)
        double_die("%s of object %u, which is none", call, object);
    return &ios[object - 1];
}

static const struct json *entry_at(uint32_t object, const char *call)
{
    const struct io *io = io_at(object, call);

    if (!io->entry)
        double_die("%s of an iterator", call);
    return io->entry;
}

static void *double_matching_class(const char *class_name)
{
    struct matching *m = double_alloc(sizeof *m);

    snprintf(m->class_name, sizeof m->class_name, "%s", class_name);
    matching_live++;
    return m;
}

static void *double_matching_bsd(uint32_t port, uint32_t options, const char *name)
{
    struct matching *m = double_alloc(sizeof *m);

    if (port || options)
        double_die("IOBSDNameMatching(%u, %u)", port, options);
    snprintf(m->bsd, sizeof m->bsd, "%s", name);
    matching_live++;
    return m;
}

static bool is_class(const struct json *entry, const char *class_name)
{
    const char *own = json_text(json_member(entry, "class"));
    bool found = own && strcmp(own, class_name) == 0;

    for (const struct json *c = json_first(json_member(entry, "conforms")); c && !found;
         c = json_next(c))
        found = strcmp(json_text(c), class_name) == 0;
    return found;
}

static bool matches(const struct json *entry, const struct matching *m)
{
    const char *bsd = json_text(json_member(entry, "bsd"));

    return m->class_name[0] ? is_class(entry, m->class_name) : bsd && strcmp(bsd, m->bsd) == 0;
}

static int double_services(uint32_t port, void *matching, uint32_t *iterator)
{
    struct io *io;

    if (port)
        double_die("IOServiceGetMatchingServices of port %u", port);
    *iterator = io_new(NULL);
    io = io_at(*iterator, "");
    io->matching = *(struct matching *)matching;
    io->next = json_first(json_member(double_root(), "registry"));
    free(matching);
    matching_live--;
    return 0;
}

static uint32_t double_next(uint32_t iterator)
{
    struct io *io = io_at(iterator, "IOIteratorNext");
    const struct json *entry;

    while (io->next && !matches(io->next, &io->matching))
        io->next = json_next(io->next);
    entry = io->next;
    if (!entry)
        return 0;
    io->next = json_next(entry);
    return io_new(entry);
}

static int double_io_release(uint32_t object)
{
    io_at(object, "IOObjectRelease")->used = false;
    return 0;
}

static unsigned char double_conforms(uint32_t object, const char *class_name)
{
    return is_class(entry_at(object, "IOObjectConformsTo"), class_name);
}

static const void *double_property(uint32_t object, const void *key, const void *allocator,
                                   uint32_t options)
{
    const struct json *entry = entry_at(object, "IORegistryEntryCreateCFProperty");
    const char *name = text_of(key, "IORegistryEntryCreateCFProperty");
    const char *bsd = json_text(json_member(entry, "for"));
    const struct json *value = json_member(json_member(entry, "properties"), name);
    char what[96];

    if (allocator || options)
        double_die("IORegistryEntryCreateCFProperty with options %u", options);
    snprintf(what, sizeof what, "%s %s", json_text(json_member(entry, "class")), bsd ? bsd : "");
    double_note(what, name);
    return value && json_type_of(value) != JSON_NULL ? cf_new(value, NULL) : NULL;
}

static int double_parent(uint32_t object, const char *plane, uint32_t *parent)
{
    const struct json *entry = entry_at(object, "IORegistryEntryGetParentEntry");
    const struct json *above = json_member(entry, "parent");

    if (strcmp(plane, "IOService") != 0)
        double_die("plane %s", plane);
    if (!above)
        return -536870160; /* kIOReturnNoDevice, say */
    *parent = io_new(above);
    return 0;
}

/* ---- what feeds it ---- */

static const void *double_power_info(void)
{
    const struct json *power = json_member(double_root(), "power");

    double_note("IOPSCopyPowerSourcesInfo", "");
    return power ? cf_new(power, NULL) : NULL;
}

static const void *double_power_list(const void *info)
{
    const struct json *list = json_member(((const struct cf *)info)->value, "sources");

    return list ? cf_new(list, NULL) : NULL;
}

static const void *double_power_source(const void *info, const void *source)
{
    if (!info || type_of(source) != CF_DICTIONARY)
        double_die("IOPSGetPowerSourceDescription of no source");
    return source;
}

static const void *double_power_providing(const void *info)
{
    return cf_get(info, json_member(((const struct cf *)info)->value, "providing"));
}

void double_fill_registry(struct darwin_calls *calls)
{
    calls->CFRelease = double_release;
    calls->CFGetTypeID = double_type_id;
    calls->CFStringGetTypeID = string_id;
    calls->CFNumberGetTypeID = number_id;
    calls->CFBooleanGetTypeID = boolean_id;
    calls->CFDictionaryGetTypeID = dictionary_id;
    calls->CFArrayGetTypeID = array_id;
    calls->CFStringCreateWithCString = double_string;
    calls->CFStringGetCString = double_get_string;
    calls->CFNumberGetValue = double_get_number;
    calls->CFBooleanGetValue = double_get_boolean;
    calls->CFDictionaryGetValue = double_get_member;
    calls->CFArrayGetCount = double_get_count;
    calls->CFArrayGetValueAtIndex = double_get_item;
    calls->IOServiceMatching = double_matching_class;
    calls->IOBSDNameMatching = double_matching_bsd;
    calls->IOServiceGetMatchingServices = double_services;
    calls->IOIteratorNext = double_next;
    calls->IOObjectRelease = double_io_release;
    calls->IOObjectConformsTo = double_conforms;
    calls->IORegistryEntryCreateCFProperty = double_property;
    calls->IORegistryEntryGetParentEntry = double_parent;
    calls->IOPSCopyPowerSourcesInfo = double_power_info;
    calls->IOPSCopyPowerSourcesList = double_power_list;
    calls->IOPSGetPowerSourceDescription = double_power_source;
    calls->IOPSGetProvidingPowerSourceType = double_power_providing;
}
