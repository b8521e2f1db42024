/* test_recorded_machines.c - every recorded Mac, against what an independent reading of it says.
 *
 * expected.csv was derived from the recordings by a program that shares nothing with the loader. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "tests/support/machine_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES 107

static const struct fact_note *fact_of(const struct fact_note *facts, size_t count,
                                       const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].field, field) == 0)
            return &facts[i];
    return NULL;
}

static bool is_unknown(const struct unknown_fact *unknown, size_t count, const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(unknown[i].field, field) == 0)
            return unknown[i].reason[0] != '\0';
    return false;
}

static char *machine(const char *id, size_t *len)
{
    char path[512];
    char *text = NULL;

    snprintf(path, sizeof path, "%s/machines/%s.json", ESPALIER_TEST_DATA, id);
    assert_int_equal(file_read(path, RECORDING_TEXT_MAX, &text, len, NULL), 0);
    return text;
}

static void every_machine_is_what_its_recording_says(void **state)
{
    struct machine_table t = machine_table_open(ESPALIER_TEST_DATA "/machines/expected.csv");
    size_t machines = 0, wrong = 0;

    (void)state;
    while (*t.next) {
        char *cells[MACHINE_COLUMNS_MAX], got[MACHINE_CELL_MAX];
        struct profile *p = NULL;
        struct state *s = NULL;
        struct err err;
        size_t count, len;
        char *text;

        machine_table_row(&t, cells, &count);
        assert_int_equal(count, t.columns);
        text = machine(cells[0], &len);
        if (recording_read(text, len, &p, &s, &err) < 0)
            fail_msg("%s: %s", cells[0], err.text);
        for (size_t i = 0; i < count; i++) {
            machine_shown(p, s, t.names[i], got);
            if (strcmp(got, cells[i]) != 0) {
                print_error("%s: %s is \"%s\", wanted \"%s\"\n", cells[0], t.names[i], got,
                            cells[i]);
                wrong++;
            }
        }
        profile_free(p);
        state_free(s);
        mem_free(text);
        machines++;
    }
    assert_int_equal(machines, MACHINES);
    assert_int_equal(wrong, 0);
    mem_free(t.text);
}

/* The profile's own fields, less those that the owner and the agent have. */
static void check_account(const struct record_type *type, const void *record, const char *prefix,
                          const struct profile *p, const char *id)
{
    static const char not_facts[] = " origin recording_id name agent_version facts unknown ";

    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        char path[MACHINE_CELL_MAX], word[MACHINE_CELL_MAX];
        bool known = field_is_known(f, record), noted, listed;

        snprintf(word, sizeof word, " %s ", f->name);
        if (!prefix[0] && strstr(not_facts, word))
            continue;
        snprintf(path, sizeof path, "%s%s", prefix, f->name);
        if (known && f->type == FIELD_RECORD)
            continue; /* its own fields are noted */
        noted = fact_of(p->facts, p->facts_count, path) != NULL;
        listed = is_unknown(p->unknown, p->unknown_count, path);
        if (noted != known || listed == known)
            fail_msg("%s: %s is %sknown, noted %d, listed as unknown %d", id, path,
                     known ? "" : "un", noted, listed);
    }
}

static void every_field_is_noted_or_listed_as_unknown(void **state)
{
    char **names = NULL;
    size_t count = 0, read = 0;

    (void)state;
    assert_int_equal(file_list(ESPALIER_TEST_DATA "/machines", 1000, &names, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        char *dot = strstr(names[i], ".json"), *text;
        struct profile *p = NULL;
        struct state *s = NULL;
        size_t len;

        if (!dot)
            continue;
        *dot = '\0';
        text = machine(names[i], &len);
        assert_int_equal(recording_read(text, len, &p, &s, NULL), 0);
        assert_int_equal(p->origin, DEVICE_ORIGIN_RECORDED);
        assert_string_equal(p->recording_id, names[i]);
        check_account(&profile_type, p, "", p, names[i]);
        if (p->metal)
            check_account(&metal_type, p->metal, "metal.", p, names[i]);
        if (s) {
            assert_int_equal(s->synthetic, TRI_UNKNOWN);
            assert_in_range(s->facts_count, 1, 10);
            assert_true(is_unknown(s->unknown, s->unknown_count, "thermal"));
        }
        profile_free(p);
        state_free(s);
        mem_free(text);
        read++;
    }
    assert_int_equal(read, MACHINES);
    file_list_free(names, count);
}

/* As sysctl(8) printed it on some Macs; what the CPU can do stands beside it. */
static void a_negative_cpufamily_is_a_large_number(void **state)
{
    struct profile *p = NULL;
    struct state *s = NULL;
    size_t len;
    char *text = machine("m2-24gb-1", &len);

    (void)state;
    assert_int_equal(recording_read(text, len, &p, &s, NULL), 0);
    assert_int_equal(p->cpu_family, 0xda33d83d);
    assert_int_equal(p->cpu_features_count, 5);
    assert_string_equal(p->cpu_features[3], "FEAT_BF16");
    profile_free(p);
    state_free(s);
    mem_free(text);
}

/* Only text is made of a file, so no cut of it may be taken, and no flip may do harm. */
static void every_cut_and_flip_of_some_machines_is_survived(void **state)
{
    static const char *const ids[] = {"m4-24gb-1", "m5ultra-256gb-1", "m2pro-16gb-2", "m6-32gb-1"};
    size_t accepted = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct profile *p = NULL;
        size_t len;
        char *text = machine(ids[i], &len);

        for (size_t cut = 0; cut + 2 < len; cut++)
            assert_int_equal(recording_read(text, cut, &p, NULL, NULL), -1);
        for (size_t bit = 0; bit < len * 8; bit++) {
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
            if (recording_read(text, len, &p, NULL, NULL) == 0) {
                profile_free(p);
                p = NULL;
                accepted++;
            } else {
                refused++;
            }
            assert_null(p);
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        }
        mem_free(text);
    }
    assert_true(accepted > 100 && refused > 100);
}

static void a_machine_survives_lost_memory(void **state)
{
    struct profile *p = NULL;
    struct state *s = NULL;
    size_t len;
    char *text = machine("m4-24gb-1", &len);
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = recording_read(text, len, &p, &s, NULL);
        assert_true((rc == 0) == (p != NULL));
        assert_true((rc == 0) == (s != NULL));
    } while (rc < 0 && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 4999);
    profile_free(p);
    state_free(s);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_machine_is_what_its_recording_says),
        cmocka_unit_test(every_field_is_noted_or_listed_as_unknown),
        cmocka_unit_test(a_negative_cpufamily_is_a_large_number),
        cmocka_unit_test(every_cut_and_flip_of_some_machines_is_survived),
        cmocka_unit_test(a_machine_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
