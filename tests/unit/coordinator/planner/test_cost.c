/* test_cost.c - memory, time and bytes against worked totals and published measurements. */
#include "coordinator/planner/cost.h"

#include "planner_kit.h"

#include "common/model/enums.h"
#include "common/model/job.h"

#include <math.h>
#include <string.h>

struct worked {
    const char *name;
    enum kit_model model;
    int format;
    int64_t targets, rank, layers, batch, length;
    int64_t checkpoint;
    double weights, training, activations, peak; /* GB */
};

static struct cost_setup setup_of(const struct worked *w)
{
    return (struct cost_setup){.format = w->format,
                               .method = FINE_TUNE_METHOD_LORA,
                               .targets = (int)w->targets,
                               .optimizer = OPTIMIZER_ADAMW,
                               .rank = w->rank,
                               .layers = w->layers,
                               .batch_size = w->batch,
                               .grad_accumulation = 1,
                               .sequence_length = w->length,
                               .grad_checkpoint = w->checkpoint != 0};
}

#define ALL LORA_TARGETS_ALL
#define QV LORA_TARGETS_QV
#define BF16 MODEL_FORMAT_BF16
#define Q4 MODEL_FORMAT_Q4G64

static const struct worked worked_totals[] = {
    {"1B bf16", KIT_LLAMA_1B, BF16, ALL, 8, 16, 4, 512, false, 2.472, 0.090, 7.403, 11.625},
    {"4B q4", KIT_QWEN_4B, Q4, ALL, 16, 36, 1, 1024, false, 2.262, 0.528, 9.436, 14.188},
    {"4B q4 ckpt", KIT_QWEN_4B, Q4, ALL, 16, 36, 1, 1024, true, 2.262, 0.528, 1.622, 5.202},
    {"8B q4 qv", KIT_LLAMA_8B, Q4, QV, 8, 16, 1, 2048, false, 4.517, 0.027, 11.094, 17.893},
    {"8B q4 qv ckpt", KIT_LLAMA_8B, Q4, QV, 8, 16, 1, 2048, true, 4.517, 0.027, 2.638, 8.169},
    {"8B bf16 ckpt", KIT_LLAMA_8B, BF16, ALL, 16, 32, 1, 1024, true, 16.061, 0.671, 1.588, 19.379},
    {"7B bf16 qv", KIT_MISTRAL_7B, BF16, QV, 8, 4, 1, 512, false, 14.483, 0.007, 0.512, 15.868},
    {"8B q4 4096", KIT_QWEN_8B, Q4, ALL, 8, 36, 1, 4096, true, 4.607, 0.349, 8.330, 15.128},
    {"8B q4 8192", KIT_QWEN_8B, Q4, ALL, 8, 36, 1, 8192, true, 4.607, 0.349, 22.028, 30.881},
};

static void memory_equals_the_worked_totals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof worked_totals / sizeof worked_totals[0]; i++) {
        const struct worked *w = &worked_totals[i];
        struct cost_setup s = setup_of(w);
        struct model_shape shape;
        struct cost_memory m;

        kit_shape(w->model, &shape);
        cost_memory(&shape, &s, COST_METAL, 1, &m);
        print_message("%-14s %.3f %.3f %.3f %.3f\n", w->name, m.weights / 1e9, m.training / 1e9,
                      m.activations / 1e9, m.peak / 1e9);
        kit_close(m.weights / 1e9, w->weights, 0.005 * w->weights);
        kit_close(m.training / 1e9, w->training, 0.005 * w->training + 0.0005);
        kit_close(m.activations / 1e9, w->activations, 0.005 * w->activations);
        kit_close(m.peak / 1e9, w->peak, 0.005 * w->peak);
    }
}

/* Bits per weight of every format, with its group's scale and bias. */
static void formats_have_their_bits(void **state)
{
    static const struct {
        int format;
        double bits;
    } rows[] = {
        {MODEL_FORMAT_F32, 32},      {MODEL_FORMAT_BF16, 16},     {MODEL_FORMAT_F16, 16},
        {MODEL_FORMAT_Q8G64, 8.5},   {MODEL_FORMAT_Q6G64, 6.5},   {MODEL_FORMAT_Q5G32, 6},
        {MODEL_FORMAT_Q5G64, 5.5},   {MODEL_FORMAT_Q4G32, 5},     {MODEL_FORMAT_Q4G64, 4.5},
        {MODEL_FORMAT_Q3G64, 3.5},   {MODEL_FORMAT_Q2G64, 2.5},   {MODEL_FORMAT_MXFP8, 8.25},
        {MODEL_FORMAT_MXFP4, 4.25},  {MODEL_FORMAT_NVFP4, 4.5},   {MODEL_FORMAT_Q8G32, 9},
        {MODEL_FORMAT_Q8G128, 8.25}, {MODEL_FORMAT_Q6G32, 7},     {MODEL_FORMAT_Q6G128, 6.25},
        {MODEL_FORMAT_Q5G128, 5.25}, {MODEL_FORMAT_Q4G128, 4.25}, {MODEL_FORMAT_Q3G32, 4},
        {MODEL_FORMAT_Q3G128, 3.25}, {MODEL_FORMAT_Q2G32, 3},     {MODEL_FORMAT_Q2G128, 2.25},
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], model_format_names.count);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(cost_bits_per_weight(rows[i].format) == rows[i].bits);
}

/* Counts that mlx-lm itself printed in public logs. */
static void trainable_parameters_equal_printed_ones(void **state)
{
    static const struct {
        enum kit_model model;
        int targets;
        int64_t rank, layers;
        double count;
    } rows[] = {
        {KIT_LLAMA_8B, ALL, 32, 32, 83886080},   {KIT_LLAMA_8B, ALL, 64, 16, 83886080},
        {KIT_LLAMA_8B, ALL, 128, 32, 335544320}, {KIT_MISTRAL_7B, QV, 8, 4, 425984},
        {KIT_MISTRAL_7B, QV, 8, 16, 1703936},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct worked w = {.targets = rows[i].targets,
                           .rank = rows[i].rank,
                           .format = Q4,
                           .layers = rows[i].layers,
                           .batch = 1,
                           .length = 512};
        struct cost_setup s = setup_of(&w);
        struct model_shape shape;

        kit_shape(rows[i].model, &shape);
        assert_true(cost_trainable(&shape, &s) == rows[i].count);
    }
}

static void dora_keeps_a_plain_copy_of_quantised_matrices(void **state)
{
    struct worked w = {
        .targets = ALL, .rank = 8, .format = Q4, .layers = 36, .batch = 1, .length = 512};
    struct cost_setup s = setup_of(&w);
    struct cost_memory lora, dora;
    struct model_shape shape;
    double body, plain;

    (void)state;
    kit_shape(KIT_QWEN_4B, &shape);
    body = 36 * (2560.0 * 4096 * 2 + 2560.0 * 1024 * 2 + 3 * 2560.0 * 9728);
    cost_memory(&shape, &s, COST_METAL, 1, &lora);
    s.method = FINE_TUNE_METHOD_DORA;
    cost_memory(&shape, &s, COST_METAL, 1, &dora);
    kit_close(dora.training - lora.training, 2 * body + 16 * 36 * (4096.0 + 2048 + 5120 + 19456),
              1e4);
    s.format = BF16;
    cost_memory(&shape, &s, COST_METAL, 1, &dora);
    plain = 5.2 * body / 36 + 16 * 36 * (4096.0 + 2048 + 5120 + 19456);
    kit_close(dora.training - lora.training, plain, 1e4);
}

static void full_training_costs_six_bytes_a_parameter(void **state)
{
    struct worked w = {
        .targets = ALL, .rank = 8, .format = BF16, .layers = 16, .batch = 1, .length = 512};
    struct cost_setup s = setup_of(&w);
    struct cost_memory m;
    struct model_shape shape;

    (void)state;
    kit_shape(KIT_LLAMA_1B, &shape);
    s.method = FINE_TUNE_METHOD_FULL;
    cost_memory(&shape, &s, COST_METAL, 1, &m);
    kit_close(m.training, 6 * (1.2358e9 - 128256.0 * 2048), 100);
    s.optimizer = OPTIMIZER_SGD;
    cost_memory(&shape, &s, COST_METAL, 1, &m);
    kit_close(m.training, 2 * (1.2358e9 - 128256.0 * 2048), 100);
    s.grad_accumulation = 4; /* one more copy of the gradients */
    cost_memory(&shape, &s, COST_METAL, 1, &m);
    kit_close(m.training, 4 * (1.2358e9 - 128256.0 * 2048), 100);
}

/* Real runs of mlx-lm on a CPU (bf16, h 768, 8 layers): peak less weights and training state over
 * the formula: without checkpointing 0.91 to 1.13, with it 1.17. */
static void cpu_activations_hold_both_phases(void **state)
{
    static const struct {
        int64_t rank, layers, batch, length;
        bool checkpoint;
        double peak; /* GB, as mlx-lm reported */
    } runs[] = {
        {8, 8, 1, 255, false, 0.3927}, {8, 8, 2, 255, false, 0.5747},
        {8, 8, 1, 511, false, 0.6027}, {8, 8, 1, 511, true, 0.4102},
        {8, 2, 1, 511, false, 0.4220}, {16, 2, 1, 1023, false, 0.6720},
    };
    struct model_shape shape;

    (void)state;
    kit_shape(KIT_TINY_100M, &shape);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct worked w = {.targets = ALL,
                           .rank = runs[i].rank,
                           .format = BF16,
                           .layers = runs[i].layers,
                           .batch = runs[i].batch,
                           .length = runs[i].length,
                           .checkpoint = runs[i].checkpoint};
        struct cost_setup s = setup_of(&w);
        struct cost_memory m;
        double ratio;

        cost_memory(&shape, &s, COST_CPU, 1, &m);
        ratio = m.activations / (runs[i].peak * 1e9 - m.weights - m.training);
        print_message("cpu run %zu: formula / measured %.2f\n", i, ratio);
        assert_true(ratio > 0.85 && ratio < 1.25);
    }
}

static void flop_per_token_equals_the_worked_values(void **state)
{
    struct worked w = {
        .targets = ALL, .rank = 16, .format = BF16, .layers = 32, .batch = 1, .length = 1024};
    struct cost_setup s = setup_of(&w);
    struct model_shape shape;
    struct cost_time t;

    (void)state;
    kit_shape(KIT_LLAMA_8B, &shape);
    cost_step(&shape, &s, 1e13, 4e11, 1, &t);
    kit_close(t.flop_per_token / 1e9, 31.08, 0.005 * 31.08);
    s.grad_checkpoint = true;
    cost_step(&shape, &s, 1e13, 4e11, 1, &t);
    kit_close(t.flop_per_token / 1e9, 45.30, 0.005 * 45.30);
    w = (struct worked){
        .targets = QV, .rank = 8, .format = BF16, .layers = 4, .batch = 1, .length = 256};
    s = setup_of(&w);
    kit_shape(KIT_MISTRAL_7B, &shape);
    cost_step(&shape, &s, 1e13, 4e11, 1, &t);
    kit_close(t.flop_per_token / 1e9, 16.31, 0.005 * 16.31);
}

/* Qwen3-8B-4bit, checkpointed, on a 32-core M1 Max: tokens per second that were measured. */
static void step_time_is_near_what_an_m1_max_measured(void **state)
{
    static const struct {
        int64_t length;
        double tokens_per_second;
    } rows[] = {{2048, 97.8}, {4096, 89.6}, {8192, 78.1}};
    struct model_shape shape;

    (void)state;
    kit_shape(KIT_QWEN_8B, &shape);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct worked w = {.targets = ALL,
                           .rank = 8,
                           .format = Q4,
                           .layers = 36,
                           .batch = 1,
                           .length = rows[i].length,
                           .checkpoint = true};
        struct cost_setup s = setup_of(&w);
        struct cost_time t, hot;

        cost_step(&shape, &s, 10.617e12, 400e9, 1, &t);
        print_message("length %ld: %.1f tokens/s, measured %.1f\n", (long)rows[i].length,
                      t.tokens_per_second, rows[i].tokens_per_second);
        kit_close(t.tokens_per_second, rows[i].tokens_per_second, 0.12 * rows[i].tokens_per_second);
        cost_step(&shape, &s, 10.617e12, 400e9, 1.5, &hot);
        kit_close(hot.step_seconds, 1.5 * t.step_seconds, 1e-9);
    }
}

static void updates_have_their_bytes(void **state)
{
    (void)state;
    kit_close(cost_update_bytes(20971520, UPLOAD_FORMAT_BF16), 41943040, 0);
    kit_close(cost_update_bytes(20971520, UPLOAD_FORMAT_F16), 41943040, 0);
    kit_close(cost_update_bytes(20971520, UPLOAD_FORMAT_F32), 83886080, 0);
    kit_close(cost_update_bytes(20971520, UPLOAD_FORMAT_INT8), 22282240, 0);
    kit_close(cost_update_bytes(20971520, UPLOAD_FORMAT_INT4), 11796480, 0);
    kit_close(cost_update_bytes(1, UPLOAD_FORMAT_INT4), 1, 0); /* a part of a byte is a byte */
}

/* T* 600 s, 5 s beside the transfers, 41.9 MB each way. */
static void local_steps_finish_together(void **state)
{
    static const struct {
        double step, down, up; /* s, MB/s */
        int64_t steps;
    } rows[] = {{1.0, 12.5, 5, 583}, {2.5, 12.5, 2.5, 229}, {6.0, 6.25, 1.25, 92}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cost_link link = {.up_bps = rows[i].up * 8e6, .down_bps = rows[i].down * 8e6};
        double fixed = cost_fixed_seconds(&link, 41.9e6, 41.9e6, 5);

        assert_int_equal(cost_steps_within(600, fixed, rows[i].step), rows[i].steps);
    }
    assert_int_equal(cost_steps_within(10, 10, 1), 0);
    assert_int_equal(cost_steps_within(10, 9, 1), 1);
    assert_int_equal(cost_steps_within(9, 10, 1), 0);
    assert_int_equal(cost_steps_within(10, 0, 0), 0);
    /* 3 x 0.1 is a little more than 0.3 in doubles: never past the deadline */
    assert_int_equal(cost_steps_within(0.3, 0, 0.1), 2);
}

static void over_selection_covers_drop_out(void **state)
{
    static const struct {
        int64_t wanted;
        double dropout;
        int64_t selected;
    } rows[] = {{5, .1, 7},   {10, .06, 12}, {10, .1, 13},
                {20, .1, 25}, {20, .3, 35},  {100, .1, 117}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(cost_over_selection(rows[i].wanted, rows[i].dropout, 1000),
                         rows[i].selected);
    assert_int_equal(cost_over_selection(1, 0, 1000), 1);
    assert_int_equal(cost_over_selection(10, 0.1, 12), 12); /* there are no more */
    assert_int_equal(cost_over_selection(20, 0.1, 12), 12);
    assert_in_range(cost_over_selection(50000, 0.5, 1000000), 100300, 101000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_equals_the_worked_totals),
        cmocka_unit_test(formats_have_their_bits),
        cmocka_unit_test(trainable_parameters_equal_printed_ones),
        cmocka_unit_test(dora_keeps_a_plain_copy_of_quantised_matrices),
        cmocka_unit_test(full_training_costs_six_bytes_a_parameter),
        cmocka_unit_test(cpu_activations_hold_both_phases),
        cmocka_unit_test(flop_per_token_equals_the_worked_values),
        cmocka_unit_test(step_time_is_near_what_an_m1_max_measured),
        cmocka_unit_test(updates_have_their_bytes),
        cmocka_unit_test(local_steps_finish_together),
        cmocka_unit_test(over_selection_covers_drop_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
