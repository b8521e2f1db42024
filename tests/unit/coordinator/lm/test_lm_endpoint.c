#include "coordinator/lm/lm_endpoint.h"

#include "common/core/err.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void addresses_are_completed(void **state)
{
    static const struct {
        const char *text, *url, *display;
        bool loopback;
    } rows[] = {
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/chat/completions", NULL, true},
        {"http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/chat/completions", NULL, true},
        {"http://localhost:1234/v1", "http://localhost:1234/v1/chat/completions", NULL, true},
        {"http://[::1]:1234/v1///", "http://[::1]:1234/v1/chat/completions", NULL, true},
        {"https://api.example.org/v1/chat/completions",
         "https://api.example.org/v1/chat/completions", NULL, false},
        {"https://api.example.org/openai", "https://api.example.org/openai/v1/chat/completions",
         NULL, false},
        {"https://api.example.org/api/v3", "https://api.example.org/api/v3/chat/completions", NULL,
         false},
        {"https://api.example.org/v1beta/openai/",
         "https://api.example.org/v1beta/openai/chat/completions", NULL, false},
        {"https://api.example.org/deploy/v1/chat/completions?api-version=2&sig=secret",
         "https://api.example.org/deploy/v1/chat/completions?api-version=2&sig=secret",
         "https://api.example.org/deploy/v1/chat/completions", false},
        {"HTTP://10.0.0.7:8000", "http://10.0.0.7:8000/v1/chat/completions", NULL, false},
        {"http://localhost.example.org", "http://localhost.example.org/v1/chat/completions", NULL,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_endpoint e;
        struct err err = {0};

        if (lm_endpoint_parse(rows[i].text, &e, &err) < 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_string_equal(e.url, rows[i].url);
        assert_string_equal(e.display, rows[i].display ? rows[i].display : rows[i].url);
        assert_int_equal(e.loopback, rows[i].loopback);
        lm_endpoint_clear(&e);
        lm_endpoint_clear(&e); /* twice */
    }
}

static void other_addresses_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "localhost:8080",
        "127.0.0.1",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://example.org",
        "gopher://127.0.0.1:6379/_x",
        "http://",
        "http://user:hunter2@example.org/v1",
        "http://user@example.org/v1",
        "http://example.org/v1#part",
        "http://exa mple.org",
        "javascript:alert(1)",
        "http://[::1",
        "http://127.0.0.1:99999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_endpoint e = {0};
        struct err err = {0};

        if (lm_endpoint_parse(rows[i], &e, &err) == 0)
            fail_msg("%s was taken as %s", rows[i], e.url);
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(strstr(err.text, "hunter2"));
        assert_null(e.url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_completed),
        cmocka_unit_test(other_addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
