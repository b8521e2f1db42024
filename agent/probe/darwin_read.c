/* darwin_read.c - sysctl, the registry and CoreFoundation's objects, read carefully; see darwin.h.
 *
 * Whether a key is there, and of which type, is undocumented for most of them and has changed
 * before: each reader takes nothing for granted. */
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- sysctl ---- */

/* The value into a zeroed buffer: integers have 4 or 8 bytes, whatever one would expect. */
static int read_integer(const struct darwin_source *source, const char *name, uint64_t *out,
                        size_t *len)
{
    *out = 0;
    *len = sizeof *out;
    if (source->calls->sysctlbyname(name, out, len, NULL, 0) < 0)
        return -1;
    if (*len == 4 || *len == 8)
        return 0;
    errno = EOVERFLOW;
    return -1;
}

int darwin_sysctl_i64(const struct darwin_source *source, const char *name, int64_t *out)
{
    uint64_t value;
    int32_t narrow;
    size_t len;

    if (read_integer(source, name, &value, &len) < 0)
        return -1;
    if (len == 8) {
        *out = (int64_t)value;
    } else {
        memcpy(&narrow, &value, sizeof narrow);
        *out = narrow;
    }
    return 0;
}

int darwin_sysctl_u32(const struct darwin_source *source, const char *name, int64_t *out)
{
    uint64_t value;
    size_t len;

    if (read_integer(source, name, &value, &len) < 0)
        return -1;
    *out = (uint32_t)value; /* its 4 bytes; of 8, a negative int that was widened */
    return 0;
}

int darwin_sysctl_text(const struct darwin_source *source, const char *name, char *out, size_t size)
{
    size_t len = size - 1;

    if (source->calls->sysctlbyname(name, out, &len, NULL, 0) < 0 && errno != ENOMEM)
        return -1; /* ENOMEM: longer than the buffer, which holds its beginning */
    out[len < size ? len : size - 1] = '\0';
    if (out[0])
        return 0;
    errno = ENOENT;
    return -1;
}

const char *darwin_sysctl_reason(const char *name, char *out, size_t size)
{
    if (errno == ENOENT)
        snprintf(out, size, "this macOS has no sysctl %s", name);
    else
        snprintf(out, size, "sysctl %s: %s", name, strerror(errno));
    return out;
}

/* ---- the registry ---- */

void darwin_services(const struct darwin_source *source, const char *class_name,
                     bool (*visit)(const struct darwin_source *source, uint32_t entry, void *arg),
                     void *arg)
{
    const struct darwin_calls *c = source->calls;
    void *matching = c->IOServiceMatching(class_name);
    uint32_t iterator = 0, entry;
    bool more = true;

    if (!matching || c->IOServiceGetMatchingServices(0, matching, &iterator) != 0)
        return;
    while (more && (entry = c->IOIteratorNext(iterator))) {
        more = visit(source, entry, arg);
        c->IOObjectRelease(entry);
    }
    c->IOObjectRelease(iterator);
}

uint32_t darwin_service(const struct darwin_source *source, const char *class_name)
{
    const struct darwin_calls *c = source->calls;
    void *matching = c->IOServiceMatching(class_name);
    uint32_t iterator = 0, entry;

    if (!matching || c->IOServiceGetMatchingServices(0, matching, &iterator) != 0)
        return 0;
    entry = c->IOIteratorNext(iterator);
    c->IOObjectRelease(iterator);
    return entry;
}

const void *darwin_property(const struct darwin_source *source, uint32_t entry, const char *key)
{
    const struct darwin_calls *c = source->calls;
    const void *name = c->CFStringCreateWithCString(NULL, key, DARWIN_CF_UTF8), *value;

    if (!name)
        return NULL;
    value = c->IORegistryEntryCreateCFProperty(entry, name, NULL, 0);
    c->CFRelease(name);
    return value;
}

bool darwin_property_i64(const struct darwin_source *source, uint32_t entry, const char *key,
                         int64_t *out)
{
    const void *value = darwin_property(source, entry, key);
    bool found = darwin_cf_i64(source, value, out);

    if (value)
        source->calls->CFRelease(value);
    return found;
}

/* ---- CoreFoundation ---- */

bool darwin_cf_i64(const struct darwin_source *source, const void *value, int64_t *out)
{
    const struct darwin_calls *c = source->calls;
    int64_t number;

    if (!value || c->CFGetTypeID(value) != c->CFNumberGetTypeID() ||
        !c->CFNumberGetValue(value, DARWIN_CF_NUMBER_I64, &number)) /* false: it would not fit */
        return false;
    *out = number;
    return true;
}

bool darwin_cf_bool(const struct darwin_source *source, const void *value, bool *out)
{
    const struct darwin_calls *c = source->calls;

    if (!value || c->CFGetTypeID(value) != c->CFBooleanGetTypeID())
        return false;
    *out = c->CFBooleanGetValue(value);
    return true;
}

bool darwin_cf_text(const struct darwin_source *source, const void *value, char *out, size_t size)
{
    const struct darwin_calls *c = source->calls;

    return value && c->CFGetTypeID(value) == c->CFStringGetTypeID() &&
           c->CFStringGetCString(value, out, (long)size, DARWIN_CF_UTF8);
}

const void *darwin_cf_member(const struct darwin_source *source, const void *dictionary,
                             const char *key)
{
    const struct darwin_calls *c = source->calls;
    const void *name, *value;

    if (!dictionary || c->CFGetTypeID(dictionary) != c->CFDictionaryGetTypeID() ||
        !(name = c->CFStringCreateWithCString(NULL, key, DARWIN_CF_UTF8)))
        return NULL;
    value = c->CFDictionaryGetValue(dictionary, name);
    c->CFRelease(name);
    return value;
}
