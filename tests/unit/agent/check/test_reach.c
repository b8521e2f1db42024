/* test_reach.c - ports that answer, that refuse, and addresses that are none. */
#include "agent/check/reach.h"
#include "agent/check/finding.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 20000

/* A socket on a free port of loopback, which listens or does not. */
static int bound(bool listens, char endpoint[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    if (listens)
        assert_int_equal(listen(fd, 4), 0);
    snprintf(endpoint, 64, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void a_port_that_listens_is_reached(void **state)
{
    struct findings f = {.count = 0};
    char endpoint[64];
    int fd = bound(true, endpoint);

    (void)state;
    assert_true(reach_check(&f, endpoint, PATIENCE_MS));
    assert_int_equal(f.count, 1);
    assert_int_equal(f.items[0].grade, FINDING_OK);
    close(fd);
}

static void a_port_where_nothing_listens_is_said(void **state)
{
    struct findings f = {.count = 0};
    char endpoint[64];
    int fd = bound(false, endpoint);

    (void)state;
    assert_false(reach_check(&f, endpoint, PATIENCE_MS));
    assert_int_equal(f.items[0].grade, FINDING_FAIL);
    assert_non_null(strstr(f.items[0].seen, endpoint));
    assert_non_null(strstr(f.items[0].todo, "nothing listens"));
    close(fd);
}

static void an_address_of_another_form_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "mac-1",
                                        "tcp://",
                                        "tcp://mac",
                                        "tcp://:7420",
                                        "tcp://mac:",
                                        "tcp://mac:port",
                                        "tcp://mac:123456",
                                        "ipc:///tmp/s",
                                        "http://mac:7420",
                                        "tcp://[]:7420"};
    char host[REACH_HOST_MAX], port[6], long_host[400] = "tcp://";

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct findings f = {.count = 0};

        assert_int_equal(reach_parse(wrong[i], host, port), -1);
        assert_false(reach_check(&f, wrong[i], PATIENCE_MS));
        assert_int_equal(f.items[0].grade, FINDING_FAIL);
    }
    memset(long_host + 6, 'a', REACH_HOST_MAX);
    snprintf(long_host + 6 + REACH_HOST_MAX, 8, ":1");
    assert_int_equal(reach_parse(long_host, host, port), -1);
    snprintf(long_host + 6 + REACH_HOST_MAX - 1, 8, ":1");
    assert_int_equal(reach_parse(long_host, host, port), 0);
}

static void hosts_and_ports_are_told_apart(void **state)
{
    char host[REACH_HOST_MAX], port[6];

    (void)state;
    assert_int_equal(reach_parse("tcp://mac-1.local:7420", host, port), 0);
    assert_string_equal(host, "mac-1.local");
    assert_string_equal(port, "7420");
    assert_int_equal(reach_parse("tcp://[fe80::1%en0]:65535", host, port), 0);
    assert_string_equal(host, "fe80::1%en0");
    assert_string_equal(port, "65535");
}

/* The same error means another thing on a Mac, where it is a permission more often than a route. */
static void each_error_says_what_to_do(void **state)
{
    static const struct {
        int error;
        bool mac;
        const char *word;
    } rows[] = {
        {ECONNREFUSED, false, "nothing listens"}, {ETIMEDOUT, false, "firewall"},
        {EHOSTUNREACH, true, "Local Network"},    {EHOSTUNREACH, false, "no route"},
        {ENETUNREACH, true, "no route"},          {EACCES, false, "nc -vz"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings f = {.count = 0};

        reach_explain(&f, "tcp://mac:7420", rows[i].error, rows[i].mac);
        assert_int_equal(f.items[0].grade, FINDING_FAIL);
        assert_non_null(strstr(f.items[0].seen, strerror(rows[i].error)));
        assert_non_null(strstr(f.items[0].todo, rows[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_listens_is_reached),
        cmocka_unit_test(a_port_where_nothing_listens_is_said),
        cmocka_unit_test(an_address_of_another_form_is_refused),
        cmocka_unit_test(hosts_and_ports_are_told_apart),
        cmocka_unit_test(each_error_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
