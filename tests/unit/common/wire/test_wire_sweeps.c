/* test_wire_sweeps.c - every kind of message, damaged in every small way.
 *
 * Whatever happens to the bytes, a decoder crashes never, and what it hands out has passed
 * record_check. */
#include "tests/unit/common/wire/wire_samples.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct encoded {
    void *record;
    uint8_t *bytes;
    size_t len;
};

static struct encoded encode(const struct wire_sample *s)
{
    struct encoded e = {.record = wire_sample_record(s)};
    struct err err;

    assert_non_null(e.record);
    if (wire_encode(s->type, e.record, &e.bytes, &e.len, &err) < 0)
        fail_msg("%s: %s", s->name, err.text);
    return e;
}

static void encoded_free(const struct wire_sample *s, struct encoded *e)
{
    record_free(s->type, e->record);
    mem_free(e->bytes);
}

/* From the heap and of just that size, so that ASan sees a byte read beyond it. 0: it decoded. */
static int decode_copy(const struct wire_sample *s, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    struct err err = {.code = ERR_NONE};
    void *record = NULL;
    int rc;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    rc = wire_decode(s->type, s->mode, copy, len, wire_max(s->type), &record, NULL, &err);
    free(copy);
    if (rc == 0)
        assert_int_equal(record_check(s->type, record, NULL), 0);
    else
        assert_true(record == NULL && err.code != ERR_NONE && err.text[0]);
    record_free(s->type, record);
    return rc;
}

/* Example of use: a record goes out as bytes and comes back equal. */
static void every_kind_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_samples_count; i++) {
        const struct wire_sample *s = &wire_samples[i];
        struct encoded e = encode(s);
        struct wire_stats stats;
        struct err err;
        void *record = NULL;

        if (wire_decode(s->type, s->mode, e.bytes, e.len, wire_max(s->type), &record, &stats,
                        &err) < 0)
            fail_msg("%s: %s", s->name, err.text);
        assert_true(record_equal(s->type, e.record, record));
        assert_int_equal(stats.unknown_fields, 0);
        assert_int_equal(stats.unknown_values, 0);
        record_free(s->type, record);
        encoded_free(s, &e);
    }
}

static void every_bit_flipped(void **state)
{
    size_t refused = 0, decoded = 0;

    (void)state;
    for (size_t i = 0; i < wire_samples_count; i++) {
        struct encoded e = encode(&wire_samples[i]);

        for (size_t bit = 0; bit < e.len * 8; bit++) {
            e.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (decode_copy(&wire_samples[i], e.bytes, e.len) < 0)
                refused++;
            else
                decoded++;
            e.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        encoded_free(&wire_samples[i], &e);
    }
    /* Some flips are other valid values, many are not. */
    assert_true(refused > 1000 && decoded > 1000);
}

static void every_length_truncated(void **state)
{
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < wire_samples_count; i++) {
        struct encoded e = encode(&wire_samples[i]);

        for (size_t len = 0; len < e.len; len++)
            refused += decode_copy(&wire_samples[i], e.bytes, len) < 0;
        assert_int_equal(decode_copy(&wire_samples[i], e.bytes, e.len), 0);
        encoded_free(&wire_samples[i], &e);
    }
    assert_true(refused > 1000);
}

/* Whichever allocation fails, decoding refuses cleanly; ASan sees any leak. */
static void every_allocation_failed_in_decoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_samples_count; i++) {
        const struct wire_sample *s = &wire_samples[i];
        struct encoded e = encode(s);
        void *record = NULL;
        unsigned nth = 0;
        int rc;

        do {
            struct err err = {.code = ERR_NONE};

            mem_fail_at(++nth);
            rc = wire_decode(s->type, s->mode, e.bytes, e.len, wire_max(s->type), &record, NULL,
                             &err);
            mem_fail_at(0);
            assert_true((rc == 0) == (record != NULL));
            assert_true(rc == 0 || err.code == ERR_NOMEM);
        } while (rc < 0 && nth < 10000);
        assert_in_range(nth, 3, 9999); /* the sweep reached allocations, and ended */
        assert_true(record_equal(s->type, e.record, record));
        record_free(s->type, record);
        encoded_free(s, &e);
    }
}

static void every_allocation_failed_in_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_samples_count; i++) {
        const struct wire_sample *s = &wire_samples[i];
        struct encoded e = encode(s);
        uint8_t *bytes = NULL;
        size_t len = 0;
        unsigned nth = 0;
        int rc;

        do {
            struct err err = {.code = ERR_NONE};

            mem_fail_at(++nth);
            rc = wire_encode(s->type, e.record, &bytes, &len, &err);
            mem_fail_at(0);
            assert_true((rc == 0) == (bytes != NULL));
            assert_true(rc == 0 || err.code == ERR_NOMEM);
        } while (rc < 0 && nth < 10000);
        assert_in_range(nth, 3, 9999);
        assert_int_equal(len, e.len);
        assert_memory_equal(bytes, e.bytes, len);
        mem_free(bytes);
        encoded_free(s, &e);
    }
}

/* ESPALIER_CORPUS=FOLDER writes the samples there, one file each: the seeds of the fuzz targets. */
static int corpus_write(const char *folder)
{
    char path[4096];

    for (size_t i = 0; i < wire_samples_count; i++) {
        struct encoded e = encode(&wire_samples[i]);
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", folder, wire_samples[i].name);
        file = fopen(path, "wb");
        if (!file || fwrite(e.bytes, 1, e.len, file) != e.len || fclose(file) != 0) {
            perror(path);
            return 1;
        }
        encoded_free(&wire_samples[i], &e);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(every_length_truncated),
        cmocka_unit_test(every_allocation_failed_in_decoding),
        cmocka_unit_test(every_allocation_failed_in_encoding),
    };
    const char *folder = getenv("ESPALIER_CORPUS");

    return folder ? corpus_write(folder) : cmocka_run_group_tests(tests, NULL, NULL);
}
