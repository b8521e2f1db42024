/* machine_table.c - see machine_table.h. */
#include "tests/support/machine_table.h"

#include "common/core/file.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Split the line at p into cells; the start of the next line. */
static char *split(char *p, char *cells[MACHINE_COLUMNS_MAX], size_t *count)
{
    char *end = strchr(p, '\n');

    assert_non_null(end);
    *end = '\0';
    for (*count = 0; p; (*count)++) {
        char *bar = strchr(p, '|');

        assert_in_range(*count, 0, MACHINE_COLUMNS_MAX - 1);
        cells[*count] = p;
        if (bar)
            *bar++ = '\0';
        p = bar;
    }
    return end + 1;
}

struct machine_table machine_table_open(const char *path)
{
    struct machine_table t = {0};

    assert_int_equal(file_read(path, 1 << 20, &t.text, NULL, NULL), 0);
    t.next = split(t.text, t.names, &t.columns);
    return t;
}

static const struct fact_note *fact_of(const struct fact_note *facts, size_t count,
                                       const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].field, field) == 0)
            return &facts[i];
    return NULL;
}

/* One field as the table writes it; "" when unknown. */
static void shown(const struct record_type *type, const void *record, const char *name,
                  char out[MACHINE_CELL_MAX])
{
    const struct field *f = record_field(type, name);
    const void *at;

    out[0] = '\0';
    assert_non_null(f);
    if (!record || !field_is_known(f, record))
        return;
    at = field_at(f, record);
    if (f->type == FIELD_I64)
        snprintf(out, MACHINE_CELL_MAX, "%" PRId64, *(const int64_t *)at);
    else if (f->type == FIELD_BOOL)
        snprintf(out, MACHINE_CELL_MAX, "%s", *(const int *)at ? "true" : "false");
    else if (f->type == FIELD_ENUM)
        snprintf(out, MACHINE_CELL_MAX, "%s", enum_name(f->names, *(const int *)at));
    else
        snprintf(out, MACHINE_CELL_MAX, "%s", *(char *const *)at);
}

static void shown_levels(const struct profile *p, char out[MACHINE_CELL_MAX])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < p->cpu_levels_count; i++) {
        char cores[MACHINE_CELL_MAX], l2[MACHINE_CELL_MAX], sharing[MACHINE_CELL_MAX];
        const struct cpu_level *level = &p->cpu_levels[i];

        shown(&cpu_level_type, level, "cores", cores);
        shown(&cpu_level_type, level, "l2_bytes", l2);
        shown(&cpu_level_type, level, "cpus_per_l2", sharing);
        len += (size_t)snprintf(out + len, MACHINE_CELL_MAX - len, "%s%s:%.20s:%.20s:%.20s",
                                i ? ";" : "", level->name ? level->name : "", cores, l2, sharing);
    }
}

static void shown_source(const struct profile *p, const char *field, char out[MACHINE_CELL_MAX])
{
    const struct fact_note *fact = fact_of(p->facts, p->facts_count, field);

    snprintf(out, MACHINE_CELL_MAX, "%s", fact ? enum_name(&fact_source_names, fact->source) : "");
}

/* The columns that are not simply a field of the profile. */
static const struct {
    const char *column, *field;
    enum { OF_PROFILE, OF_METAL, OF_STATE, SOURCE_OF } what;
} columns[] = {
    {"chip_source", "chip", SOURCE_OF},
    {"memory_source", "memory_bytes", SOURCE_OF},
    {"gpu_cores_source", "gpu_cores", SOURCE_OF},
    {"model_source", "model_identifier", SOURCE_OF},
    {"cpu_levels_source", "cpu_levels", SOURCE_OF},
    {"cpu_cores_source", "cpu_cores", SOURCE_OF},
    {"os_source", "os_version", SOURCE_OF},
    {"id", "recording_id", OF_PROFILE},
    {"working_set_bytes", "working_set_bytes", OF_METAL},
    {"max_buffer_bytes", "max_buffer_bytes", OF_METAL},
    {"metal_family", "family", OF_METAL},
    {"metal_version", "metal_version", OF_METAL},
    {"architecture", "architecture", OF_METAL},
    {"unified_memory", "unified_memory", OF_METAL},
    {"threadgroup_memory_bytes", "threadgroup_memory_bytes", OF_METAL},
    {"memory_pressure", "memory_pressure", OF_STATE},
    {"swap_used_bytes", "swap_used_bytes", OF_STATE},
    {"swap_total_bytes", "swap_total_bytes", OF_STATE},
    {"memory_available_bytes", "memory_available_bytes", OF_STATE},
};

void machine_table_row(struct machine_table *t, char *cells[MACHINE_COLUMNS_MAX], size_t *count)
{
    t->next = split(t->next, cells, count);
}

void machine_shown(const struct profile *p, const struct state *s, const char *column,
                   char out[MACHINE_CELL_MAX])
{
    if (strcmp(column, "cpu_levels") == 0) {
        shown_levels(p, out);
        return;
    }
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (strcmp(columns[i].column, column) != 0)
            continue;
        if (columns[i].what == SOURCE_OF)
            shown_source(p, columns[i].field, out);
        else if (columns[i].what == OF_METAL)
            shown(&metal_type, p->metal, columns[i].field, out);
        else if (columns[i].what == OF_STATE)
            shown(&state_type, s, columns[i].field, out);
        else
            shown(&profile_type, p, columns[i].field, out);
        return;
    }
    shown(&profile_type, p, column, out);
}
