#include "common/core/mem.h"
#include "coordinator/signature/chat.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdlib.h>

/* Text of an output's section; NULL: missing. */
static const char *section(const struct signature *sig, const struct answer *a, const char *name)
{
    for (size_t i = 0; i < sig->outputs; i++)
        if (strcmp(signature_outputs(sig)[i].name, name) == 0)
            return a->sections[i];
    fail_msg("%s is no output", name);
    return NULL;
}

static int parse(const struct signature *sig, const char *reply, struct answer *a, struct err *err)
{
    return chat_parse(sig, reply, strlen(reply), a, err);
}

static const char whole[] =
    "[[ ## reasoning ## ]]\nThe small ones first.\n\n"
    "[[ ## optimization_strategy ## ]]\n{\"model_format\": \"q4g64\"}\n\n"
    "[[ ## resource_allocation ## ]]\n{\"rank\": 8}\n\n"
    "[[ ## client_optimization ## ]]\n[{\"client_class\": \"c1\"},\n {\"client_class\":"
    " \"c2\"}]\n\n"
    "[[ ## communication_protocol ## ]]\n{\"upload_format\": \"f16\"}\n\n"
    "[[ ## convergence_strategy ## ]]\n{\"learning_rate\": 1e-4}\n\n"
    "[[ ## completed ## ]]\n";

static void a_whole_reply_is_cut_into_fields(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    struct answer a;

    assert_int_equal(parse(sig, whole, &a, NULL), 0);
    assert_int_equal(a.missing, 0);
    assert_int_equal(a.notes.count, 0);
    assert_string_equal(section(sig, &a, "reasoning"), "The small ones first.");
    assert_string_equal(section(sig, &a, "client_optimization"),
                        "[{\"client_class\": \"c1\"},\n {\"client_class\": \"c2\"}]");
    assert_string_equal(section(sig, &a, "convergence_strategy"), "{\"learning_rate\": 1e-4}");
    answer_clear(&a);
    answer_clear(&a); /* twice */
}

/* What each reply gives for two outputs, "" being empty and NULL missing. */
static void replies_are_read_as_dspy_reads_them(void **state)
{
    static const struct {
        const char *reply, *reasoning, *allocation, *noted;
    } rows[] = {
        {"[[ ## reasoning ## ]] same line\nnext", "same line\nnext", NULL, NULL},
        {"[[ ## resource_allocation ## ]]\nr\n[[ ## reasoning ## ]]\nlast", "last", "r", NULL},
        {"before\n[[ ## reasoning ## ]]\n\n  a  \n\n", "a", NULL, NULL},
        {"[[ ## reasoning ## ]]\r\na\r\nb\r\n[[ ## completed ## ]]\r\n", "a\nb", NULL, NULL},
        {"[[ ## reasoning ## ]]\n[[ ## resource_allocation ## ]]\n", "", "", NULL},
        {"[[ ## reasoning ## ]]\none\n[[ ## reasoning ## ]]\ntwo", "one", NULL, "2 times"},
        {"[[ ## reasoning ## ]]\na\n[[ ## unknown ## ]]\nb\n[[ ## hardware_context ## ]]\nc", "a",
         NULL, NULL},
        {"[[ ## reasoning ## ]]\na\n[[ ## completed ## ]]\nPS: more", "a", NULL, NULL},
        {"   [[ ## reasoning ## ]] indented", "indented", NULL, NULL},
        {"[[ ## reasoning ## ]]\nsee [[ ## resource_allocation ## ]] below",
         "see [[ ## resource_allocation ## ]] below", NULL, NULL},
    };
    const struct signature *sig = ((const struct asked *)*state)->federated;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a;
        struct err err = {0};

        if (parse(sig, rows[i].reply, &a, &err) < 0)
            fail_msg("%s: %s", rows[i].reply, err.text);
        assert_string_equal(section(sig, &a, "reasoning"), rows[i].reasoning);
        if (rows[i].allocation)
            assert_string_equal(section(sig, &a, "resource_allocation"), rows[i].allocation);
        else
            assert_null(section(sig, &a, "resource_allocation"));
        assert_int_equal(a.missing, rows[i].allocation ? 4 : 5);
        assert_true(notes_have(&a.notes, "convergence_strategy: missing"));
        assert_true(!rows[i].noted || notes_have(&a.notes, rows[i].noted));
        answer_clear(&a);
    }
}

static void other_markers_are_read_and_noted(void **state)
{
    static const char *const replies[] = {
        "[[##reasoning##]]\na\n[[##resource_allocation##]]\nr",
        "**[[ ## reasoning ## ]]**\na\n**[[ ## resource_allocation ## ]]** r",
        "### [[ ## Reasoning ## ]]\na\n- `[[ ## resource_allocation ]]`: r",
        "[[ ## reasoning ## ]]\na\n**[[ ## resource_allocation ## ]]**\nr", /* mixed */
    };
    const struct signature *sig = ((const struct asked *)*state)->federated;

    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct answer a;

        assert_int_equal(parse(sig, replies[i], &a, NULL), 0);
        assert_string_equal(section(sig, &a, "reasoning"), "a");
        assert_string_equal(section(sig, &a, "resource_allocation"), "r");
        assert_true(notes_have(&a.notes, "markers of another form"));
        answer_clear(&a);
    }
}

static void what_follows_the_thinking_counts(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    struct answer a;

    assert_int_equal(
        parse(sig,
              "I will write\n[[ ## reasoning ## ]]\ndraft\n[[ ## resource_allocation ## "
              "]]\nr\n</think>\n[[ ## reasoning ## ]]\nfinal",
              &a, NULL),
        0);
    assert_string_equal(section(sig, &a, "reasoning"), "final");
    assert_string_equal(section(sig, &a, "resource_allocation"), "r\n</think>");
    assert_true(notes_have(&a.notes, "2 times"));
    answer_clear(&a);
}

static void one_json_object_will_do(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    struct answer a;

    assert_int_equal(parse(sig,
                           "Here you are:\n```json\n{\"reasoning\": \"a\", 'resource_allocation': "
                           "{\"rank\": 8,}, \"other\": 1, \"communication_protocol\": null}\n```",
                           &a, NULL),
                     0);
    assert_string_equal(section(sig, &a, "reasoning"), "a");
    assert_string_equal(section(sig, &a, "resource_allocation"), "{\"rank\":8}");
    assert_null(section(sig, &a, "communication_protocol"));
    assert_true(notes_have(&a.notes, "no markers"));
    assert_true(notes_have(&a.notes, "commas"));
    answer_clear(&a);
}

static void useless_replies_are_refused(void **state)
{
    static const char *const replies[] = {
        "",
        " \n\t ",
        "I cannot help with that.",
        "{\"answer\": 42}",
        "[[ ## completed ## ]]",
        "[[ ## hardware_context ## ]]\nM1",
        "<html>[[</html>",
        "[[[[[[[[[[ ## ## ## ]]",
    };
    const struct signature *sig = ((const struct asked *)*state)->federated;
    struct answer a = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        assert_int_equal(parse(sig, replies[i], &a, &err), -1);
        assert_int_equal(err.code, ERR_MALFORMED);
        assert_null(a.sections); /* untouched */
    }
    assert_int_equal(chat_parse(sig, NULL, 0, &a, &err), -1);
}

static void a_reply_has_a_limit(void **state)
{
    static const char head[] = "[[ ## reasoning ## ]]\n";
    const struct signature *sig = ((const struct asked *)*state)->federated;
    char *reply = malloc(REPLY_TEXT_MAX + 1);
    struct answer a;
    struct err err = {0};

    memset(reply, '\n', REPLY_TEXT_MAX + 1);
    memcpy(reply, head, sizeof head - 1);
    reply[REPLY_TEXT_MAX - 1] = 'x';
    assert_int_equal(chat_parse(sig, reply, REPLY_TEXT_MAX, &a, &err), 0);
    answer_clear(&a);
    assert_int_equal(chat_parse(sig, reply, REPLY_TEXT_MAX + 1, &a, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    for (size_t i = 0; i < REPLY_TEXT_MAX; i++) /* nothing but the beginnings of markers */
        reply[i] = "[[ ## "[i % 6];
    assert_int_equal(chat_parse(sig, reply, REPLY_TEXT_MAX, &a, &err), -1);
    free(reply);
}

/* Whatever is cut or flipped, the call ends, reads nothing outside, and says yes or no. */
static void every_length_truncated_is_survived(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    size_t last = sig->outputs;

    for (size_t len = strlen(whole); len > 0; len--) {
        char *part = malloc(len);
        struct answer a;

        memcpy(part, whole, len);
        if (chat_parse(sig, part, len, &a, NULL) == 0) {
            assert_true(a.count - a.missing <= last);
            last = a.count - a.missing;
            answer_clear(&a);
        } else {
            last = 0;
        }
        free(part);
    }
    assert_int_equal(last, 0);
}

static void every_bit_flipped_is_survived(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    char text[sizeof whole];
    size_t fewer = 0;

    for (size_t bit = 0; bit < 8 * strlen(whole); bit++) {
        struct answer a;

        memcpy(text, whole, sizeof whole);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (chat_parse(sig, text, strlen(whole), &a, NULL) == 0) {
            fewer += a.missing > 0;
            answer_clear(&a);
        }
    }
    assert_in_range(fewer, 50, 8 * sizeof whole);
}

static void lost_memory_is_survived(void **state)
{
    const struct signature *sig = ((const struct asked *)*state)->federated;
    struct answer a;
    struct err err = {0};
    unsigned nth = 0;
    int rc;

    do {
        mem_fail_at(++nth);
        rc =
            parse(sig, "{\"reasoning\": \"a\", \"resource_allocation\": {\"rank\": 8,}}", &a, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 10, 999);
    answer_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_reply_is_cut_into_fields),
        cmocka_unit_test(replies_are_read_as_dspy_reads_them),
        cmocka_unit_test(other_markers_are_read_and_noted),
        cmocka_unit_test(what_follows_the_thinking_counts),
        cmocka_unit_test(one_json_object_will_do),
        cmocka_unit_test(useless_replies_are_refused),
        cmocka_unit_test(a_reply_has_a_limit),
        cmocka_unit_test(every_length_truncated_is_survived),
        cmocka_unit_test(every_bit_flipped_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
