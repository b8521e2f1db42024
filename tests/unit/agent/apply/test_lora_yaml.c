/* test_lora_yaml.c - the file mlx_lm.lora takes, and texts that try to be more than texts. */
#include "agent/apply/lora_yaml.h"
#include "agent/apply/yaml.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "tests/unit/agent/apply/apply_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct lora_paths paths = {"/models/tiny", "/data/notes", "/plans/job-1/7/adapters"};

static char *yaml_of(struct assignment *a)
{
    struct err err;
    char *text = lora_yaml(a, &paths, &err);

    if (!text)
        fail_msg("%s", err.text);
    return text;
}

static void the_whole_file(void **state)
{
    static const char expected[] =
        "# Written by espalier-agent from plan.json beside it: mlx_lm.lora -c lora.yaml\n"
        "model: \"/models/tiny\"\n"
        "train: true\n"
        "data: \"/data/notes\"\n"
        "adapter_path: \"/plans/job-1/7/adapters\"\n"
        "fine_tune_type: \"lora\"\n"
        "optimizer: \"adamw\"\n"
        "num_layers: 4\n"
        "batch_size: 2\n"
        "iters: 6\n"
        "learning_rate: 0.0001\n"
        "max_seq_length: 512\n"
        "grad_checkpoint: false\n"
        "grad_accumulation_steps: 2\n"
        "seed: 0\n"
        "steps_per_report: 6\n"
        "steps_per_eval: 6\n"
        "save_every: 6\n"
        "val_batches: 25\n"
        "lora_parameters:\n"
        "  rank: 8\n"
        "  scale: 20.0\n"
        "  dropout: 0.0\n"
        "  keys: [\"self_attn.q_proj\", \"self_attn.v_proj\"]\n"
        "espalier_plan_id: \"plan-1\"\n"
        "espalier_job_id: \"job-1\"\n"
        "espalier_generation: 7\n";
    struct assignment *a = lab_assignment(7);
    char *text = yaml_of(a);

    (void)state;
    assert_string_equal(text, expected);
    mem_free(text);
    assignment_free(a);
}

static void a_schedule_advances_per_update(void **state)
{
    static const struct {
        int schedule;
        int64_t warmup;
        const char *expected; /* NULL: none */
    } rows[] = {
        {LR_SCHEDULE_CONSTANT, 0, NULL},
        {LR_SCHEDULE_UNSET, 0, NULL},
        {LR_SCHEDULE_COSINE, 0,
         "lr_schedule:\n  name: \"cosine_decay\"\n  arguments: [0.0001, 100]\nespalier"},
        {LR_SCHEDULE_COSINE, 10,
         "lr_schedule:\n  name: \"cosine_decay\"\n  arguments: [0.0001, 90]\n  warmup: 10\n"},
        {LR_SCHEDULE_LINEAR, 0,
         "lr_schedule:\n  name: \"linear_schedule\"\n  arguments: [0.0001, 0.0, 100]\n"},
        {LR_SCHEDULE_CONSTANT, 10,
         "  name: \"linear_schedule\"\n  arguments: [0.0001, 0.0001, 90]\n  warmup: 10\n"},
        {LR_SCHEDULE_LINEAR, 500, /* longer than the run: still a schedule mlx-lm can build */
         "arguments: [0.0001, 0.0, 1]\n  warmup: 500\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignment *a = lab_assignment(1);
        char *text;

        a->training->local_steps = 100;
        a->training->iters = 200;
        a->training->lr_schedule = rows[i].schedule;
        a->training->warmup_steps = rows[i].warmup;
        text = yaml_of(a);
        if (rows[i].expected ? !strstr(text, rows[i].expected) : !!strstr(text, "lr_schedule"))
            fail_msg("row %zu:\n%s", i, text);
        mem_free(text);
        assignment_free(a);
    }
}

static void full_tuning_has_no_adapters_and_all_has_no_keys(void **state)
{
    struct assignment *a = lab_assignment(1);
    char *text;

    (void)state;
    a->training->targets = LORA_TARGETS_ALL;
    text = yaml_of(a);
    assert_non_null(strstr(text, "lora_parameters:"));
    assert_null(strstr(text, "keys"));
    mem_free(text);
    a->training->method = FINE_TUNE_METHOD_FULL;
    text = yaml_of(a);
    assert_non_null(strstr(text, "fine_tune_type: \"full\"\n"));
    assert_null(strstr(text, "lora_parameters"));
    mem_free(text);
    a->training->method = FINE_TUNE_METHOD_DORA;
    a->training->rank = UNKNOWN_I64; /* mlx-lm wants all three: its own defaults then */
    a->training->scale = a->training->dropout = UNKNOWN_F64;
    text = yaml_of(a);
    assert_non_null(strstr(text, "  rank: 8\n  scale: 20.0\n  dropout: 0.0\n"));
    mem_free(text);
    assignment_free(a);
}

static void the_last_interval_of_reports_is_as_full_as_can_be(void **state)
{
    static const int64_t rows[][2] = {{1, 1},    {4, 4},    {6, 6},    {7, 7},         {13, 13},
                                      {100, 10}, {223, 16}, {997, 20}, {4294967296, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignment *a = lab_assignment(1);
        char want[64], *text;

        a->training->iters = rows[i][0];
        snprintf(want, sizeof want, "steps_per_report: %lld\n", (long long)rows[i][1]);
        text = yaml_of(a);
        assert_non_null(strstr(text, want));
        mem_free(text);
        assignment_free(a);
    }
}

static void what_mlx_lm_cannot_do_is_refused(void **state)
{
    struct assignment *a = lab_assignment(1);
    struct err err;

    (void)state;
    a->training->optimizer = 99;
    assert_null(lora_yaml(a, &paths, &err));
    assert_non_null(strstr(err.text, "optimizer"));
    a->training->optimizer = OPTIMIZER_UNSET;
    assert_null(lora_yaml(a, &paths, &err));
    training_free(a->training);
    a->training = NULL;
    assert_null(lora_yaml(a, &paths, &err));
    assert_non_null(strstr(err.text, "training"));
    assignment_free(a);
}

/* In the plane of two bytes YAML's escapes are JSON's: our reader says what a text means. */
static void hostile_texts_stay_texts(void **state)
{
    static const char *const texts[] = {"",
                                        "yes",
                                        "null",
                                        "~",
                                        "1e5",
                                        "- a",
                                        "a: b",
                                        "{x}",
                                        "[1]",
                                        "&a",
                                        "*a",
                                        "!!python/object:x",
                                        "%YAML",
                                        "#",
                                        "'",
                                        "\"",
                                        "\\",
                                        "\\n",
                                        "a\"\nmodel: \"evil",
                                        "a\tb",
                                        "\x01\x1f\x7f",
                                        "caf\xc3\xa9",
                                        "\xe2\x80\xa8line\xe2\x80\xa9",
                                        "\xc2\x85",
                                        "\xef\xbb\xbf",
                                        "\xe2\x80\xae\xd7\x90",
                                        " leading",
                                        "trailing ",
                                        "...",
                                        "---",
                                        "\xef\xbf\xbe"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json *v;
        struct buf b;

        buf_init(&b, 4096);
        yaml_text(&b, texts[i]);
        for (size_t k = 0; k < b.len; k++) /* one line of plain ASCII */
            assert_in_range((unsigned char)b.data[k], 0x20, 0x7e);
        assert_non_null(v = json_parse(b.data, b.len, NULL));
        assert_string_equal(json_text(v), texts[i]);
        json_free(v);
        buf_clear(&b);
    }
}

static void characters_beyond_and_bytes_that_are_none(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    yaml_text(&b, "\xf0\x9f\x8d\x8e\xff");
    assert_string_equal(b.data, "\"\\U0001F34E\\uFFFD\"");
    buf_clear(&b);
}

static void floats_look_like_floats(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0.0"},          {1, "1.0"},        {1e-5, "1.0e-05"}, {0.0001, "0.0001"},
                {2.5e-9, "2.5e-09"}, {1e22, "1.0e+22"}, {-3, "-3.0"},      {0.1, "0.1"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b;

        buf_init(&b, 64);
        yaml_f64(&b, rows[i].value);
        assert_string_equal(b.data, rows[i].text);
        buf_clear(&b);
    }
}

static void a_path_that_is_far_too_long_is_refused(void **state)
{
    struct assignment *a = lab_assignment(1);
    char *long_path = mem_alloc(40000);
    struct lora_paths far = {long_path, "d", "a"};
    struct err err;

    (void)state;
    memset(long_path, 'x', 39999);
    long_path[39999] = '\0';
    assert_null(lora_yaml(a, &far, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    mem_free(long_path);
    assignment_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_file),
        cmocka_unit_test(a_schedule_advances_per_update),
        cmocka_unit_test(full_tuning_has_no_adapters_and_all_has_no_keys),
        cmocka_unit_test(the_last_interval_of_reports_is_as_full_as_can_be),
        cmocka_unit_test(what_mlx_lm_cannot_do_is_refused),
        cmocka_unit_test(hostile_texts_stay_texts),
        cmocka_unit_test(characters_beyond_and_bytes_that_are_none),
        cmocka_unit_test(floats_look_like_floats),
        cmocka_unit_test(a_path_that_is_far_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
