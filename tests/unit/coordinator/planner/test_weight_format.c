/* test_weight_format.c - bytes of weights by format, against the sizes of published files. */
#include "coordinator/planner/weight_format.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/model/job.h"

#include <string.h>

/* Llama-3.1-8B, as its config.json has it. */
static struct model_shape llama_8b(void)
{
    struct model_shape s;

    kit_shape(KIT_LLAMA_8B, &s);
    return s;
}

/* llama.cpp lists what the whole file takes, in bits per weight, for Llama-3.1-8B. */
static void llama_cpp_s_files_have_their_published_size(void **state)
{
    static const struct {
        const char *format;
        double bits;
    } rows[] = {
        {"F16", 16.0005},   {"q8_0", 8.5008},   {"q6_k", 6.5633},   {"q5_k_m", 5.7036},
        {"q5_k_s", 5.5704}, {"Q4_K_M", 4.8944}, {"q4_k_s", 4.6672}, {"q3_k_l", 4.2979},
        {"q3_k_s", 3.6429}, {"q2_k", 3.1593},   {"iq4_xs", 4.4597},
    };
    struct model_shape s = llama_8b();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weight_format f;

        assert_int_equal(weight_format_find(INFERENCE_LLAMA_CPP, rows[i].format, &f, NULL), 0);
        kit_close(weight_format_bytes(&f, &s) * 8 / (double)s.parameters, rows[i].bits,
                  0.005 * rows[i].bits);
        assert_int_equal(weight_format_is_quantised(&f), rows[i].bits < 16);
    }
}

static void mlx_stores_every_matrix_alike(void **state)
{
    struct model_shape s = llama_8b();
    struct weight_format f;

    (void)state;
    assert_int_equal(weight_format_find(INFERENCE_MLX, "q4g64", &f, NULL), 0);
    kit_close(weight_format_bytes(&f, &s), (double)s.parameters * 4.5 / 8, 1);
    assert_int_equal(f.model_format, MODEL_FORMAT_Q4G64);
    /* a token reads one row of the embedding only */
    kit_close(weight_format_token_bytes(&f, &s), ((double)s.parameters - 128256.0 * 4096) * 4.5 / 8,
              1);
    assert_int_equal(weight_format_find(INFERENCE_MLX, "q3g128", &f, NULL), 0);
    assert_true(f.block_bits == 3.25);
}

/* gpt-oss-20b: its file in MXFP4 takes 12.1 GB, and a token goes through 4 of 32 experts. */
static void experts_are_read_as_far_as_they_are_wanted(void **state)
{
    struct model_shape s = {.layers = 24,
                            .hidden_size = 2880,
                            .vocab_size = 201088,
                            .tied_embeddings = TRI_FALSE,
                            .parameters = 20914757184,
                            .experts = 32,
                            .experts_per_token = 4,
                            .expert_size = 2880};
    struct weight_format f;
    double all, one;

    (void)state;
    assert_int_equal(weight_format_find(INFERENCE_LLAMA_CPP, "mxfp4", &f, NULL), 0);
    all = weight_format_bytes(&f, &s);
    one = weight_format_token_bytes(&f, &s);
    kit_close(all, 12.1e9, 0.1e9);
    kit_close(weight_format_batch_bytes(&f, &s, 1), one, 1);
    assert_true(weight_format_batch_bytes(&f, &s, 8) > 2 * one);
    kit_close(weight_format_batch_bytes(&f, &s, 1000), all - 201088.0 * 2880 * 8.5 / 8, 1e6);
}

static void a_format_of_another_engine_is_refused(void **state)
{
    struct weight_format f = {.block_bits = 7};
    struct err err = {0};

    (void)state;
    assert_int_equal(weight_format_find(INFERENCE_MLX, "q4_k_m", &f, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "\"q4_k_m\", wanted one of mlx"));
    assert_int_equal(weight_format_find(INFERENCE_LLAMA_CPP, "q4g64", &f, &err), -1);
    assert_non_null(strstr(err.text, "q4_k_m"));
    assert_int_equal(weight_format_find(INFERENCE_LLAMA_CPP, "", &f, NULL), -1);
    assert_true(f.block_bits == 7); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_cpp_s_files_have_their_published_size),
        cmocka_unit_test(mlx_stores_every_matrix_alike),
        cmocka_unit_test(experts_are_read_as_far_as_they_are_wanted),
        cmocka_unit_test(a_format_of_another_engine_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
