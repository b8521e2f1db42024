#include "coordinator/lm/lm_stream.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"

#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* As mlx_lm.server streams: comments while it reads the prompt, usage in a chunk of its own. */
static const char sample[] =
    ": keepalive 12/400\n\n: keepalive 400/400\n\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"reasoning\":\"so\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"fi\"},\"finish_reason\":null}]}\r\n\r\n"
    "data:{\"choices\":[{\"delta\":{\"content\":\"ne\"},\"finish_reason\":\"stop\"}],\"usage\":null}\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12}}\n\n"
    "data: [DONE]\n\ndata: this is past the end\n";

static void a_stream_is_put_together(void **state)
{
    struct err err = {0};
    struct json *root = lm_stream_join(sample, strlen(sample), &err);
    char *text;

    (void)state;
    assert_true(lm_stream_is(sample, strlen(sample)));
    assert_non_null(root);
    text = json_print(root, false, NULL);
    assert_string_equal(text, "{\"choices\":[{\"message\":{\"content\":\"fine\","
                              "\"reasoning_content\":\"so\"},\"finish_reason\":\"stop\"}],"
                              "\"usage\":{\"prompt_tokens\":12}}");
    mem_free(text);
    json_free(root);
}

static void odd_streams_are_read(void **state)
{
    static const struct {
        const char *body, *joined; /* NULL: refused */
    } rows[] = {
        {"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
         "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}"}, /* neither [DONE] nor an end */
        {"data: {\"choices\":[{\"message\":{\"content\":\"x\"}}]}\n",
         "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}"}, /* whole, in one event */
        {"event: message\nid: 7\nretry: 10\ndata: {\"choices\":[{}]}\n",
         "{\"choices\":[{\"message\":{}}]}"},
        {"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: {\"error\":{\"message\":"
         "\"fell over\"}}\n\n",
         "{\"error\":{\"message\":\"fell over\"}}"},
        {"data: {\"error\":\"no\"}\n\ndata: {\"choices\":[", "{\"error\":\"no\"}"},
        {": only comments\n\n", "{\"choices\":[]}"},
        {"data:\n\ndata: \n", "{\"choices\":[]}"},
        {"data: [DONE]", "{\"choices\":[]}"},
        {"data: {\"choices\":[", NULL},
        {"data: nonsense\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct json *root = lm_stream_join(rows[i].body, strlen(rows[i].body), &err);
        char *text = root ? json_print(root, false, NULL) : NULL;

        assert_true(lm_stream_is(rows[i].body, strlen(rows[i].body)));
        if (!root != !rows[i].joined)
            fail_msg("%s: %s", rows[i].body, root ? text : err.text);
        if (root)
            assert_string_equal(text, rows[i].joined);
        mem_free(text);
        json_free(root);
    }
}

static void json_is_no_stream(void **state)
{
    static const char *const bodies[] = {"", " ", "{}", "[1]", "<html>", "data", "dat", "da:ta"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_false(lm_stream_is(bodies[i], strlen(bodies[i])));
}

static void every_length_and_bit_is_survived(void **state)
{
    char *text = malloc(sizeof sample);

    (void)state;
    for (size_t len = 0; len < strlen(sample); len++) {
        char *part = malloc(len ? len : 1);

        memcpy(part, sample, len);
        json_free(lm_stream_join(part, len, NULL));
        free(part);
    }
    for (size_t bit = 0; bit < 8 * strlen(sample); bit++) {
        memcpy(text, sample, sizeof sample);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        lm_stream_is(text, strlen(sample));
        json_free(lm_stream_join(text, strlen(sample), NULL));
    }
    free(text);
}

static void lost_memory_is_survived(void **state)
{
    struct json *root = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        struct err err = {0};

        mem_fail_at(++nth);
        root = lm_stream_join(sample, strlen(sample), &err);
        mem_fail_at(0);
        assert_true(root || err.code == ERR_NOMEM);
    } while (!root && nth < 1000);
    assert_in_range(nth, 10, 999);
    json_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_put_together),
        cmocka_unit_test(odd_streams_are_read),
        cmocka_unit_test(json_is_no_stream),
        cmocka_unit_test(every_length_and_bit_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
