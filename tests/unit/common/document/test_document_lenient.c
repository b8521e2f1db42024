/* test_document_lenient.c - the lenient reader: what a language model answers. */
#include "common/document/document.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct answer {
    struct federated_proposal *proposal;
    char **notes;
    size_t notes_count;
};

static struct answer answer_of(const char *text)
{
    struct json *v = json_parse(text, strlen(text), NULL);
    struct answer a = {NULL, NULL, 0};
    void *record = NULL;
    struct err err;

    assert_non_null(v);
    if (document_read_lenient(&federated_proposal_type, v, &record, &a.notes, &a.notes_count,
                              &err) < 0)
        fail_msg("%s\n  %s", text, err.text);
    json_free(v);
    a.proposal = record;
    return a;
}

static void answer_clear(struct answer *a)
{
    federated_proposal_free(a->proposal);
    document_notes_free(a->notes, a->notes_count);
}

static const char sloppy[] =
    "{\"reasoning\": \"Small Macs first.\","
    "\"optimization_strategy\": {\"model_format\": \"Q4G64\", \"grad_checkpoint\": \"yes\","
    "\"sequence_length\": 1024.0},"
    "\"resource_allocation\": {\"rank\": \" 16 \", \"layers\": \"all\", \"memory_share\": 0.8},"
    "\"client_optimization\": [{\"client_class\": \"c1\", \"batch_size\": \"lots\"},"
    "{\"batch_size\": 4}, {\"client_class\": \"c2\", \"batch_size\": 5000}],"
    "\"convergence_strategy\": {\"learning_rate\": \"1e-4\", \"warmup\": 10},"
    "\"confidence\": 0.9}";

static void a_sloppy_answer_gives_what_it_can(void **state)
{
    struct answer a = answer_of(sloppy);
    const struct federated_proposal *p = a.proposal;
    static const char *const notes[] = {
        "optimization_strategy.model_format: \"Q4G64\" read as q4g64",
        "optimization_strategy.grad_checkpoint: \"yes\" read as true",
        "resource_allocation.rank: \" 16 \" read as 16",
        "resource_allocation.layers: \"all\", wanted an integer from 1 to 4096 layers: dropped",
        "client_optimization[0].batch_size: \"lots\", wanted an integer from 1 to 4096 sequences: "
        "dropped",
        "client_optimization[1].client_class: missing, wanted a text of at most 64 bytes: the item "
        "is dropped",
        "client_optimization[2].batch_size: 5000, wanted an integer from 1 to 4096 sequences: "
        "dropped",
        "convergence_strategy.learning_rate: \"1e-4\" read as 0.0001",
        "convergence_strategy.warmup: no such key",
        "confidence: no such key",
    };

    (void)state;
    assert_string_equal(p->reasoning, "Small Macs first.");
    assert_int_equal(p->optimization_strategy->model_format, MODEL_FORMAT_Q4G64);
    assert_int_equal(p->optimization_strategy->grad_checkpoint, TRI_TRUE);
    assert_int_equal(p->optimization_strategy->sequence_length, 1024);
    assert_int_equal(p->resource_allocation->rank, 16);
    assert_true(p->resource_allocation->layers == UNKNOWN_I64);
    assert_int_equal(p->client_optimization_count, 2);
    assert_string_equal(p->client_optimization[1].client_class, "c2");
    assert_true(p->client_optimization[1].batch_size == UNKNOWN_I64);
    assert_true(p->convergence_strategy->learning_rate == 1e-4);
    assert_int_equal(a.notes_count, sizeof notes / sizeof notes[0]);
    for (size_t i = 0; i < a.notes_count; i++)
        assert_int_equal(strncmp(a.notes[i], notes[i], strlen(notes[i])), 0);
    answer_clear(&a);
}

static void a_right_answer_has_no_notes(void **state)
{
    struct answer a =
        answer_of("{\"client_optimization\":[{\"client_class\":\"c1\",\"batch_size\":8,"
                  "\"participate\":true}]}");

    (void)state;
    assert_int_equal(a.notes_count, 0);
    assert_null(a.notes);
    assert_int_equal(a.proposal->client_optimization[0].batch_size, 8);
    answer_clear(&a);
}

/* One leniency a row: what is put in the item c1, its batch size (0: unknown), the first note. */
static void each_leniency_is_noted(void **state)
{
    static const struct {
        const char *member, *note;
        int64_t batch_size;
    } rows[] = {
        {"\"batch_size\":\"8\"", "batch_size: \"8\" read as 8", 8},
        {"\"batch_size\":\"8.0\"", "batch_size: \"8.0\" read as 8", 8},
        {"\"batch_size\":8.5", "batch_size: 8.5, wanted an integer from 1 to 4096", 0},
        {"\"batch_size\":\"8.5\"", "batch_size: \"8.5\" read as 8.5", 0},
        {"\"batch_size\":\"about 8\"", "batch_size: \"about 8\", wanted an integer", 0},
        {"\"batch_size\":\"1e300\"", "batch_size: \"1e300\" read as", 0},
        {"\"batch_size\":null", "batch_size: null, taken as absent", 0},
        {"\"batch_size\":true", "batch_size: true, wanted an integer", 0},
        {"\"batch_size\":[8]", "batch_size: a list, wanted an integer", 0},
        {"\"Batch Size\":8", "Batch Size: read as batch_size", 8},
        {"\"batchSize\":8", "batchSize: read as batch_size", 8},
        {"\"batch_size\":8,\"batch-size\":9", "batch-size: no such key (did you mean batch_size?)",
         8},
        {"\"batch-size\":9,\"batchsize\":8", "batch-size: read as batch_size", 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        struct answer a;
        int64_t got;

        snprintf(text, sizeof text, "{\"client_optimization\":[{\"client_class\":\"c1\",%s}]}",
                 rows[i].member);
        a = answer_of(text);
        got = a.proposal->client_optimization[0].batch_size;
        assert_true(rows[i].batch_size ? got == rows[i].batch_size : got == UNKNOWN_I64);
        assert_in_range(a.notes_count, 1, 3);
        if (!strstr(a.notes[0], rows[i].note))
            print_error("%s\n  gave %s\n", text, a.notes[0]);
        assert_non_null(strstr(a.notes[0], rows[i].note));
        answer_clear(&a);
    }
}

static void truth_has_many_words(void **state)
{
    static const struct {
        const char *value;
        int wanted;
    } rows[] = {
        {"\"true\"", TRI_TRUE}, {"\"Yes\"", TRI_TRUE},
        {"\" ON \"", TRI_TRUE}, {"1", TRI_TRUE},
        {"\"no\"", TRI_FALSE},  {"\"FALSE\"", TRI_FALSE},
        {"0", TRI_FALSE},       {"true", TRI_TRUE},
        {"2", TRI_UNKNOWN},     {"\"maybe\"", TRI_UNKNOWN},
        {"\"\"", TRI_UNKNOWN},  {"[]", TRI_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        struct answer a;

        snprintf(text, sizeof text, "{\"optimization_strategy\":{\"grad_checkpoint\":%s}}",
                 rows[i].value);
        a = answer_of(text);
        assert_int_equal(a.proposal->optimization_strategy->grad_checkpoint, rows[i].wanted);
        assert_int_equal(a.notes_count, strcmp(rows[i].value, "true") != 0);
        answer_clear(&a);
    }
}

static void one_and_a_list_of_one_are_the_same(void **state)
{
    struct answer a = answer_of("{\"client_optimization\":{\"client_class\":\"c1\"},"
                                "\"communication_protocol\":[{\"upload_format\":\"F16\"}]}");

    (void)state;
    assert_int_equal(a.proposal->client_optimization_count, 1);
    assert_int_equal(a.proposal->communication_protocol->upload_format, UPLOAD_FORMAT_F16);
    assert_string_equal(a.notes[0], "client_optimization: no list, read as a list of one");
    assert_string_equal(a.notes[1], "communication_protocol: a list of one, its item was read");
    assert_int_equal(a.notes_count, 3);
    answer_clear(&a);

    a = answer_of("{\"client_optimization\":\"c1\",\"communication_protocol\":[{},{}]}");
    assert_int_equal(a.proposal->client_optimization_count, 0);
    assert_null(a.proposal->communication_protocol);
    assert_int_equal(a.notes_count, 2);
    answer_clear(&a);
}

static void texts_are_trimmed_and_numbers_become_texts(void **state)
{
    struct answer a = answer_of("{\"reasoning\":42,\"client_optimization\":[{\"client_class\":"
                                "\" c1\\n\",\"rationale\":\"two\\nlines \"}]}");

    (void)state;
    assert_string_equal(a.proposal->reasoning, "42");
    assert_string_equal(a.proposal->client_optimization[0].client_class, "c1");
    assert_string_equal(a.proposal->client_optimization[0].rationale, "two\nlines");
    assert_string_equal(a.notes[0], "reasoning: 42 read as text");
    answer_clear(&a);
}

static void a_record_that_lacks_what_it_must_have_goes(void **state)
{
    struct json *v = json_parse("{\"plan_field\":\"x\"}", 18, NULL);
    char **notes = NULL;
    size_t count = 0;
    void *record = NULL;
    struct err err;

    (void)state;
    assert_int_equal(document_read_lenient(&decision_type, v, &record, &notes, &count, &err), -1);
    assert_string_equal(err.text, "field: missing, wanted a text of at most 128 bytes");
    assert_null(record);
    assert_null(notes);
    assert_int_equal(
        document_read_lenient(&decision_type, json_first(v), &record, &notes, &count, &err), -1);
    assert_string_equal(err.text, "Decision: \"x\", wanted an object");
    json_free(v);
}

static void notes_have_an_end(void **state)
{
    size_t len = 0, size = 64 * 1024;
    char *text = mem_alloc(size);
    struct answer a;

    (void)state;
    for (int i = 0; i < 600; i++)
        len += (size_t)snprintf(text + len, size - len, "%c\"x%d\":1", i ? ',' : '{', i);
    snprintf(text + len, size - len, "}");
    a = answer_of(text);
    assert_int_equal(a.notes_count, DOCUMENT_NOTES_MAX + 1);
    assert_string_equal(a.notes[DOCUMENT_NOTES_MAX], "more was forgiven or dropped");
    answer_clear(&a);
    mem_free(text);
}

static void lists_past_their_limit_lose_their_end(void **state)
{
    struct json *v = json_object(), *list = json_set_array(v, "colocate");
    struct pipeline_architecture *p;
    char **notes = NULL;
    size_t count = 0;
    void *record = NULL;

    (void)state;
    for (int i = 0; i < 1001; i++) {
        struct json *group = json_append_object(list);

        assert_int_equal(json_append_text(json_set_array(group, "stages"), "s"), 0);
    }
    assert_int_equal(
        document_read_lenient(&pipeline_architecture_type, v, &record, &notes, &count, NULL), 0);
    p = record;
    assert_int_equal(p->colocate_count, 1000);
    assert_int_equal(count, 1);
    assert_string_equal(notes[0], "colocate: 1001 items, wanted at most 1000: the rest is dropped");
    pipeline_architecture_free(p);
    document_notes_free(notes, count);
    json_free(v);
}

/* Memory that runs out is an error, never a dropped member. */
static void a_sloppy_answer_survives_lost_memory(void **state)
{
    struct json *v = json_parse(sloppy, strlen(sloppy), NULL);
    struct answer whole = answer_of(sloppy);
    void *record = NULL;
    char **notes = NULL;
    size_t count = 0;
    int rc, nth = 0;

    (void)state;
    do {
        struct err err = {ERR_NONE, ""};

        mem_fail_at((unsigned)++nth);
        rc = document_read_lenient(&federated_proposal_type, v, &record, &notes, &count, &err);
        assert_true((rc == 0) == (record != NULL));
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0 && nth < 2000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 1999);
    assert_true(record_equal(&federated_proposal_type, record, whole.proposal));
    assert_int_equal(count, whole.notes_count);
    federated_proposal_free(record);
    document_notes_free(notes, count);
    answer_clear(&whole);
    json_free(v);
}

static void every_flip_is_survived(void **state)
{
    size_t len = strlen(sloppy), accepted = 0;
    char text[sizeof sloppy];

    (void)state;
    memcpy(text, sloppy, sizeof sloppy);
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct json *v;
        void *record = NULL;
        char **notes = NULL;
        size_t count = 0;

        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        v = json_parse(text, len, NULL);
        if (v && document_read_lenient(&federated_proposal_type, v, &record, &notes, &count,
                                       NULL) == 0) {
            assert_int_equal(record_check(&federated_proposal_type, record, NULL), 0);
            accepted++;
        }
        federated_proposal_free(record);
        document_notes_free(notes, count);
        json_free(v);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_in_range(accepted, 1, len * 8 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sloppy_answer_gives_what_it_can),
        cmocka_unit_test(a_right_answer_has_no_notes),
        cmocka_unit_test(each_leniency_is_noted),
        cmocka_unit_test(truth_has_many_words),
        cmocka_unit_test(one_and_a_list_of_one_are_the_same),
        cmocka_unit_test(texts_are_trimmed_and_numbers_become_texts),
        cmocka_unit_test(a_record_that_lacks_what_it_must_have_goes),
        cmocka_unit_test(notes_have_an_end),
        cmocka_unit_test(lists_past_their_limit_lose_their_end),
        cmocka_unit_test(a_sloppy_answer_survives_lost_memory),
        cmocka_unit_test(every_flip_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
