/* darwin_double.c - see darwin_double.h. */
#include "tests/support/darwin_double.h"
#include "tests/support/darwin_double_inside.h"

#include "agent/probe/darwin_calls.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/recording/recording.h"
#include "common/recording/recording_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 512
#define PAUSE_MS 1000

static struct darwin_calls calls;
static struct json *root;

static struct note {
    char what[96];
    int64_t at_ms;
} notes[NOTES_MAX];
static size_t notes_count;
static unsigned reads;
static int64_t clock_ms;
static char too_soon[160];

void double_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("darwin_double: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void *double_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        double_die("no memory");
    return p;
}

const struct json *double_root(void)
{
    return root;
}

const struct json *double_at(const char *group, const char *name)
{
    return json_member(json_member(root, group), name);
}

int64_t double_i64(const struct json *object, const char *name, int64_t otherwise)
{
    const struct json *value = json_member(object, name);

    return json_is_integer(value) ? json_integer(value) : otherwise;
}

/* ---- readings ---- */

void double_note(const char *what, const char *key)
{
    char text[sizeof notes[0].what];
    size_t i = 0;

    snprintf(text, sizeof text, "%s%s%s", what, key[0] ? " " : "", key);
    reads++;
    while (i < notes_count && strcmp(notes[i].what, text) != 0)
        i++;
    if (i == NOTES_MAX)
        double_die("more than %d things are read", NOTES_MAX);
    if (i < notes_count && clock_ms - notes[i].at_ms < PAUSE_MS && !too_soon[0])
        snprintf(too_soon, sizeof too_soon, "%s at %lld ms and at %lld ms", text,
                 (long long)notes[i].at_ms, (long long)clock_ms);
    snprintf(notes[i].what, sizeof notes[i].what, "%s", text);
    notes[i].at_ms = clock_ms;
    notes_count += i == notes_count;
}

void darwin_double_clock(int64_t now_ms)
{
    clock_ms = now_ms;
}

unsigned darwin_double_reads(void)
{
    return reads;
}

const char *darwin_double_too_soon(void)
{
    return too_soon[0] ? too_soon : NULL;
}

/* ---- the file ---- */

/* Lay `over` over `base`; both are objects. */
static void merge(struct json *base, const struct json *over)
{
    for (const struct json *m = json_first(over); m; m = json_next(m)) {
        struct json *old = json_remove(base, json_name(m)), *value;

        if (json_type_of(m) == JSON_NULL) {
            json_free(old);
            continue;
        }
        if (old && json_type_of(old) == JSON_OBJECT && json_type_of(m) == JSON_OBJECT) {
            merge(old, m);
            value = old;
        } else {
            json_free(old);
            value = json_dup(m);
        }
        if (json_set(base, json_name(m), &value) < 0)
            double_die("no memory for %s", json_name(m));
    }
}

void darwin_double_change(const char *changes)
{
    struct err err;
    struct json *over = json_parse(changes, strlen(changes), &err);

    if (!over)
        double_die("changes: %s", err.text);
    merge(root, over);
    json_free(over);
}

struct json *darwin_double_read(const char *path)
{
    char *text = NULL, *quoted = NULL;
    struct json *file = NULL;
    size_t len, quoted_len;
    struct err err;

    if (file_read(path, RECORDING_TEXT_MAX, &text, &len, &err) < 0 ||
        !(quoted = recording_quote_wide(text, len, &quoted_len, &err)) ||
        !(file = json_parse(quoted, quoted_len, &err)))
        double_die("%s: %s", path, err.text);
    mem_free(text);
    mem_free(quoted);
    return file;
}

const struct darwin_calls *darwin_double_open(const char *path, const char *changes)
{
    struct json *file = darwin_double_read(path);
    const char *kind = json_text(json_member(file, "kind"));

    if (!kind)
        double_die("%s: it has no kind", path);
    if (root)
        double_die("the last one is still open");
    root = strcmp(kind, "invented") == 0 ? json_dup(file) : double_from_recording(file);
    json_free(file);
    if (!root)
        double_die("no memory for %s", path);
    if (changes)
        darwin_double_change(changes);
    memset(&calls, 0, sizeof calls);
    double_fill_system(&calls);
    double_start_system();
    calls.registry_missing = json_text(double_at("missing", "registry"));
    if (!calls.registry_missing)
        double_fill_registry(&calls);
    calls.metal_missing = json_text(double_at("missing", "metal"));
    if (!calls.metal_missing)
        double_fill_metal(&calls);
    notes_count = reads = 0;
    clock_ms = 0;
    too_soon[0] = '\0';
    return &calls;
}

void darwin_double_close(void)
{
    size_t system = double_system_live(), registry = double_registry_live(),
           metal = double_metal_live();

    if (system || registry || metal)
        double_die("not given back: %zu of the system, %zu of the registry, %zu of Metal", system,
                   registry, metal);
    json_free(root);
    root = NULL;
}
