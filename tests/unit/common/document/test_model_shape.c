/* test_model_shape.c - shapes of published models, and what is no shape. */
#include "common/document/model_shape.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG_MAX 65536

static char *config(const char *name, size_t *len)
{
    char path[512];
    char *data = NULL;

    snprintf(path, sizeof path, "%s/configs/%s.json", ESPALIER_TEST_DATA, name);
    assert_int_equal(file_read(path, CONFIG_MAX, &data, len, NULL), 0);
    return data;
}

static void a_config_gives_its_shape(void **state)
{
    struct model_shape *s = NULL;
    struct err err;
    size_t len;
    char *text = config("qwen3-4b", &len);

    (void)state;
    assert_int_equal(model_shape_read(text, len, &s, &err), 0);
    assert_string_equal(s->model_type, "qwen3");
    assert_int_equal(s->layers, 36);
    assert_int_equal(s->hidden_size, 2560);
    assert_int_equal(s->intermediate_size, 9728);
    assert_int_equal(s->attention_heads, 32);
    assert_int_equal(s->kv_heads, 8);
    assert_int_equal(s->head_dim, 128);
    assert_int_equal(s->vocab_size, 151936);
    assert_int_equal(s->tied_embeddings, TRI_TRUE);
    assert_int_equal(s->parameters, 4022468096);
    model_shape_free(s);
    mem_free(text);
}

/* The counts are what the model cards and weight indexes say. */
static void parameters_are_counted_exactly(void **state)
{
    static const struct {
        const char *name;
        int64_t parameters, head_dim;
        int tied;
    } rows[] = {
        {"llama-3.2-1b", 1235814400, 64, TRI_TRUE},
        {"llama-3.1-8b", 8030261248, 128, TRI_FALSE},
        {"smollm2-135m", 134515008, 64, TRI_TRUE},
        {"mistral-7b", 7241732096, 128, TRI_FALSE},
        {"mistral-7b-v0.3", 7248023552, 128, TRI_FALSE},
        {"qwen2.5-0.5b", 494032768, 64, TRI_TRUE},
        {"qwen2.5-7b", 7615616512, 128, TRI_FALSE},
        {"qwen3-0.6b", 596049920, 128, TRI_TRUE},
        {"qwen3-4b", 4022468096, 128, TRI_TRUE},
        {"qwen3-8b", 8190735360, 128, TRI_FALSE},
        {"gemma-2b", 2506172416, 256, TRI_TRUE},
        {"gemma-2-2b", 2614341888, 256, TRI_TRUE},
        {"gemma-3-1b", 999885952, 256, TRI_TRUE},
        /* the language part of 4,300,079,472: 262,208 of 2,560 and 34 blocks */
        {"gemma-3-4b", 3880263168, 256, TRI_TRUE},
        {"phi-3-mini", 3821079552, 96, TRI_FALSE},
        {"smollm3-3b", 3075098624, 128, TRI_TRUE},
        {"granite-3.1-8b", 8170848256, 128, TRI_TRUE},
        {"aya-8b", 8028033024, 128, TRI_TRUE},
        {"mixtral-8x7b", 46702792704, 128, TRI_FALSE},
        {"qwen1.5-moe-a2.7b", 14315784192, 128, TRI_FALSE},
        {"qwen3-30b-a3b", 30532122624, 128, TRI_FALSE},
        {"gpt-oss-20b", 20914757184, 64, TRI_FALSE},
        {"llama-7b", 6738415616, 128, TRI_FALSE},
        {"llama-3-70b", 70553706496, 128, TRI_FALSE},
        {"llama-3.2-3b", 3212749824, 128, TRI_TRUE},
        {"tinyllama-1.1b", 1100048384, 64, TRI_FALSE},
        {"phi-4", 14659507200, 128, TRI_FALSE},
        {"qwen3-14b", 14768307200, 128, TRI_FALSE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model_shape *s = NULL;
        size_t len;
        char *text = config(rows[i].name, &len);

        assert_int_equal(model_shape_read(text, len, &s, NULL), 0);
        if (s->parameters != rows[i].parameters)
            print_error("%s\n", rows[i].name);
        assert_int_equal(s->parameters, rows[i].parameters);
        assert_int_equal(s->head_dim, rows[i].head_dim);
        assert_int_equal(s->tied_embeddings, rows[i].tied);
        model_shape_free(s);
        mem_free(text);
    }
}

/* A token goes through few of the experts; what it does go through is counted too. */
static void experts_are_counted_apart(void **state)
{
    static const struct {
        const char *name;
        int64_t experts, per_token, size, active;
    } rows[] = {
        {"mixtral-8x7b", 8, 2, 14336, 12879925248},
        {"qwen3-30b-a3b", 128, 8, 768, 3353032704},
        {"gpt-oss-20b", 32, 4, 2880, 4187440704},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model_shape *s = NULL;
        size_t len;
        char *text = config(rows[i].name, &len);

        assert_int_equal(model_shape_read(text, len, &s, NULL), 0);
        assert_int_equal(s->experts, rows[i].experts);
        assert_int_equal(s->experts_per_token, rows[i].per_token);
        assert_int_equal(s->expert_size, rows[i].size);
        assert_int_equal(s->active_parameters, rows[i].active);
        model_shape_free(s);
        mem_free(text);
    }
}

#define SHAPE "\"num_hidden_layers\":2,\"hidden_size\":8,\"intermediate_size\":16,\"vocab_size\":10"
#define HEADS ",\"num_attention_heads\":4"
#define LLAMA "\"model_type\":\"llama\"," SHAPE

static int64_t parameters_of(const char *text)
{
    struct model_shape *s = NULL;
    int64_t n;

    assert_int_equal(model_shape_read(text, strlen(text), &s, NULL), 0);
    n = s->parameters;
    model_shape_free(s);
    return n;
}

/* By hand: embeddings 2*10*8, blocks 2*(4*8*8 + 3*8*16 + 2*8), last norm 8. */
static void small_shapes_by_hand(void **state)
{
    const int64_t plain = 160 + 2 * (256 + 384 + 16) + 8;

    (void)state;
    assert_int_equal(parameters_of("{" LLAMA HEADS "}"), plain);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"tie_word_embeddings\":true}"), plain - 80);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"num_key_value_heads\":null}"), plain);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"num_key_value_heads\":1}"),
                     plain - 2 * 2 * 8 * 6);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"head_dim\":4}"), plain + 2 * 4 * 8 * 8);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"attention_bias\":true}"), plain + 2 * 4 * 8);
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"mlp_bias\":true}"),
                     plain + 2 * (2 * 16 + 8));
    assert_int_equal(parameters_of("{\"model_type\":\"qwen2\"," SHAPE HEADS "}"), plain + 2 * 24);
    assert_int_equal(parameters_of("{\"model_type\":\"qwen3\"," SHAPE HEADS ",\"head_dim\":2}"),
                     plain + 2 * 4);
}

static void other_keys_are_not_our_business(void **state)
{
    (void)state;
    assert_int_equal(parameters_of("{" LLAMA HEADS ",\"rope_scaling\":{\"factor\":8.0},"
                                   "\"torch_dtype\":\"bfloat16\",\"mlp_bias\":null,\"x\":[1]}"),
                     parameters_of("{" LLAMA HEADS "}"));
}

/* tie_word_embeddings of the outer object counts only where the inner one is silent. */
static void text_config_is_read_through(void **state)
{
    int64_t untied = parameters_of("{" LLAMA HEADS "}");

    (void)state;
    assert_int_equal(parameters_of("{\"model_type\":\"x\",\"text_config\":{" LLAMA HEADS "}}"),
                     untied);
    assert_int_equal(
        parameters_of("{\"tie_word_embeddings\":true,\"text_config\":{" LLAMA HEADS "}}"),
        untied - 80);
    assert_int_equal(parameters_of("{\"tie_word_embeddings\":true,\"text_config\":{" LLAMA HEADS
                                   ",\"tie_word_embeddings\":false}}"),
                     untied);
}

static void what_is_no_shape_is_refused_by_key(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "1:1"},
        {"[1]", "config: a list, wanted an object"},
        {"{}", "model_type: missing, wanted one of llama, mistral"},
        {"{\"model_type\":\"mamba\"}", "model_type: \"mamba\", wanted one of llama"},
        {"{\"model_type\":7}", "model_type: 7, wanted one of"},
        {"{\"model_type\":\"llama\"}", "num_hidden_layers: missing, wanted an integer from 1 to"},
        {"{" LLAMA "}", "num_attention_heads: missing"},
        {"{" LLAMA ",\"num_attention_heads\":0}", "num_attention_heads: 0, wanted an integer"},
        {"{" LLAMA ",\"num_attention_heads\":\"4\"}",
         "num_attention_heads: \"4\", wanted an integ"},
        {"{" LLAMA ",\"num_attention_heads\":4.5}", "num_attention_heads: 4.5, wanted an integer"},
        {"{" LLAMA ",\"num_attention_heads\":3}", "head_dim: missing, and hidden_size 8"},
        {"{" LLAMA ",\"num_attention_heads\":16}", "head_dim: missing, and hidden_size 8"},
        {"{" LLAMA HEADS ",\"num_key_value_heads\":3}", "num_key_value_heads: 3, wanted a divisor"},
        {"{" LLAMA HEADS ",\"head_dim\":-1}", "head_dim: -1, wanted an integer from 1"},
        {"{" LLAMA HEADS ",\"tie_word_embeddings\":1}", "tie_word_embeddings: 1, wanted true"},
        {"{" LLAMA HEADS ",\"attention_bias\":\"no\"}", "attention_bias: \"no\", wanted true"},
        {"{\"text_config\":[]}", "text_config: a list, wanted an object"},
        {"{\"text_config\":{}}", "text_config: model_type: missing"},
        {"{\"model_type\":\"llama\",\"num_hidden_layers\":4097}", "num_hidden_layers: 4097"},
        {"{\"model_type\":\"llama\",\"num_hidden_layers\":4096,\"hidden_size\":1048576,"
         "\"intermediate_size\":4194304,\"vocab_size\":67108864,\"num_attention_heads\":65536,"
         "\"head_dim\":65536}",
         "parameters, wanted at most"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model_shape *s = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(model_shape_read(rows[i].text, strlen(rows[i].text), &s, &err), -1);
        assert_null(s);
        if (!strstr(err.text, rows[i].why))
            print_error("%s\n  gave %s\n", rows[i].text, err.text);
        assert_non_null(strstr(err.text, rows[i].why));
        assert_int_not_equal(err.code, ERR_NONE);
    }
}

static void a_shape_survives_lost_memory(void **state)
{
    struct model_shape *s = NULL;
    size_t len;
    char *text = config("gemma-3-4b", &len);
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = model_shape_read(text, len, &s, NULL);
        assert_true((rc == 0) == (s != NULL));
    } while (rc < 0 && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 999);
    model_shape_free(s);
    mem_free(text);
}

static void every_cut_and_flip_is_survived(void **state)
{
    size_t len, accepted = 0;
    char *text = config("llama-3.2-1b", &len);

    (void)state;
    for (size_t cut = 0; cut < len - 2; cut++) { /* without the last brace */
        struct model_shape *s = NULL;

        assert_int_equal(model_shape_read(text, cut, &s, NULL), -1);
    }
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct model_shape *s = NULL;

        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (model_shape_read(text, len, &s, NULL) == 0)
            accepted++;
        model_shape_free(s);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_in_range(accepted, 1, len * 8 - 1);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_gives_its_shape),
        cmocka_unit_test(parameters_are_counted_exactly),
        cmocka_unit_test(experts_are_counted_apart),
        cmocka_unit_test(small_shapes_by_hand),
        cmocka_unit_test(other_keys_are_not_our_business),
        cmocka_unit_test(text_config_is_read_through),
        cmocka_unit_test(what_is_no_shape_is_refused_by_key),
        cmocka_unit_test(a_shape_survives_lost_memory),
        cmocka_unit_test(every_cut_and_flip_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
