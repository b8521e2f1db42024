#include "net_lab.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int lab_setup(void **state)
{
    static struct lab lab;

    lab_make(&lab);
    *state = &lab;
    return 0;
}

static int lab_teardown(void **state)
{
    lab_clear(*state);
    return 0;
}

/* Options of a server that opens. */
static struct net_socket_options server_options(struct lab *lab)
{
    return (struct net_socket_options){.kind = NET_ROUTER,
                                       .bind = true,
                                       .endpoint = "tcp://127.0.0.1:*",
                                       .keys = &lab->server,
                                       .zap_domain = "agents"};
}

static struct net_socket_options client_options(struct lab *lab)
{
    return (struct net_socket_options){.kind = NET_DEALER,
                                       .endpoint = "tcp://127.0.0.1:7420",
                                       .keys = &lab->agent,
                                       .server_public_key = lab->server.public_key};
}

static void refuse(struct lab *lab, const struct net_socket_options *o, enum err_code code,
                   const char *says)
{
    struct err err = {ERR_NONE, ""};

    assert_null(net_socket_open(lab->net, o, &err));
    if (err.code != code || !strstr(err.text, says))
        print_error("%s: %s (wanted '%s')\n", err_code_name(err.code), err.text, says);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, says));
}

static void a_free_port_is_read_back(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options o = server_options(lab);
    struct net_socket *a = net_socket_open(lab->net, &o, NULL);
    struct net_socket *b = net_socket_open(lab->net, &o, NULL);
    int port = 0;

    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(sscanf(net_socket_endpoint(a), "tcp://127.0.0.1:%d", &port), 1);
    assert_in_range(port, 1, 65535);
    assert_string_not_equal(net_socket_endpoint(a), net_socket_endpoint(b));
    net_socket_close(a);
    net_socket_close(b);
    net_socket_close(NULL);
}

static void a_port_that_is_taken_is_busy(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options o = server_options(lab);
    struct net_socket *first = net_socket_open(lab->net, &o, NULL);

    assert_non_null(first);
    o.endpoint = net_socket_endpoint(first);
    refuse(lab, &o, ERR_BUSY, o.endpoint);
    net_socket_close(first);
}

static void every_kind_opens_on_every_transport_that_suits_it(void **state)
{
    struct lab *lab = *state;
    const enum net_kind kinds[] = {NET_ROUTER, NET_DEALER, NET_PUB, NET_SUB, NET_REQ};
    char inproc[32];
    const char *const endpoints[] = {"tcp://127.0.0.1:*", inproc, "tcp://[::1]:*"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t j = 0; j < sizeof endpoints / sizeof endpoints[0]; j++) {
            struct net_socket_options o = server_options(lab);
            struct net_socket *s;
            struct err err = {ERR_NONE, ""};

            /* another name each time: libzmq gives one up a moment after its socket is closed */
            snprintf(inproc, sizeof inproc, "inproc://kind-%zu", i);
            o.kind = kinds[i];
            o.endpoint = endpoints[j];
            s = net_socket_open(lab->net, &o, &err);
            if (!s && j == 2 && (err.code == ERR_IO || err.code == ERR_INVALID))
                continue; /* a machine without IPv6 */
            assert_non_null(s);
            net_socket_close(s);
        }
    }
}

static void tcp_without_keys_is_refused(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options o = server_options(lab);
    struct net_socket_options c = client_options(lab);
    struct net_keys mixed = lab->server;

    o.keys = c.keys = NULL;
    refuse(lab, &o, ERR_DENIED, "without keys");
    refuse(lab, &c, ERR_DENIED, "without keys");
    o = server_options(lab);
    o.zap_domain = NULL;
    refuse(lab, &o, ERR_DENIED, "ZAP domain");
    o.zap_domain = "";
    refuse(lab, &o, ERR_DENIED, "ZAP domain");
    c = client_options(lab);
    c.server_public_key = NULL;
    refuse(lab, &c, ERR_INVALID, "key is absent");
    c.server_public_key = "short";
    refuse(lab, &c, ERR_INVALID, "5 characters");
    memcpy(mixed.public_key, lab->agent.public_key, sizeof mixed.public_key);
    o = server_options(lab);
    o.keys = &mixed;
    refuse(lab, &o, ERR_INVALID, "does not belong");
    mixed.secret_key[0] = '\0';
    refuse(lab, &o, ERR_INVALID, "secret key");
}

static void endpoints_out_of_form_are_refused(void **state)
{
    struct lab *lab = *state;
    char long_path[256];
    char too_long[400];
    const struct {
        const char *endpoint;
        bool bind;
        enum err_code code;
        const char *says;
    } rows[] = {
        {NULL, true, ERR_INVALID, "absent"},
        {"", true, ERR_INVALID, "absent"},
        {"7420", true, ERR_INVALID, "wanted tcp://"},
        {"udp://127.0.0.1:7420", true, ERR_INVALID, "wanted tcp://"},
        {"tcp://", true, ERR_INVALID, "HOST:PORT"},
        {"tcp://localhost", false, ERR_INVALID, "HOST:PORT"},
        {"tcp://:7420", false, ERR_INVALID, "HOST:PORT"},
        {"tcp://127.0.0.1:7420/x", false, ERR_INVALID, "HOST:PORT"},
        {"tcp://127.0.0.1:1;127.0.0.1:7420", false, ERR_INVALID, "HOST:PORT"},
        {"tcp://127.0.0.1:", false, ERR_INVALID, "port"},
        {"tcp://127.0.0.1:0", true, ERR_INVALID, "port"},
        {"tcp://127.0.0.1:65536", true, ERR_INVALID, "65535"},
        {"tcp://127.0.0.1:x", true, ERR_INVALID, "port"},
        {"tcp://127.0.0.1:*", false, ERR_INVALID, "port"},
        {"tcp://*:7420", false, ERR_INVALID, "no host"},
        {"tcp://::1:7420", true, ERR_INVALID, "brackets"},
        {"ipc://", true, ERR_INVALID, "ipc://PATH"},
        {"ipc://*", true, ERR_INVALID, "ipc://PATH"},
        {"ipc://@name", true, ERR_INVALID, "ipc://PATH"},
        {"ipc://folder/", true, ERR_INVALID, "ipc://PATH"},
        {long_path, true, ERR_TOO_BIG, "104 bytes, a socket's has at most 103"},
        {long_path, false, ERR_TOO_BIG, "104 bytes"},
        {"inproc://", true, ERR_INVALID, "inproc://NAME"},
        {too_long, true, ERR_TOO_BIG, "limit 255"},
    };

    memset(long_path, 0, sizeof long_path);
    memcpy(long_path, "ipc:///", 7);
    memset(long_path + 7, 'x', 103);
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct net_socket_options o = rows[i].bind ? server_options(lab) : client_options(lab);

        o.endpoint = rows[i].endpoint;
        refuse(lab, &o, rows[i].code, rows[i].says);
    }
}

static void numbers_out_of_range_are_refused_by_name(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options good = server_options(lab);
    struct net_socket_options o;

#define BAD(member, value) \
    o = good;              \
    o.member = (value);    \
    refuse(lab, &o, ERR_INVALID, #member)
    BAD(send_hwm, -1);
    BAD(send_hwm, 1000001);
    BAD(receive_hwm, -1);
    BAD(message_max, (size_t)1 << 31);
    BAD(message_max, SIZE_MAX);
    BAD(linger_ms, -2);
    BAD(linger_ms, 600001);
    BAD(heartbeat_ms, -2);
    BAD(heartbeat_ms, 49);
    BAD(heartbeat_ms, 600001);
    BAD(reconnect_ms, -1);
    BAD(reconnect_max_ms, 3600001);
    BAD(backlog, 65536);
    BAD(kind, (enum net_kind)99);
}

struct folder {
    char path[64];
    char endpoint[128];
};

static struct folder folder_make(mode_t mode)
{
    struct folder f = {"/tmp/espalier-ipc-XXXXXX", ""};

    assert_non_null(mkdtemp(f.path));
    assert_int_equal(chmod(f.path, mode), 0);
    snprintf(f.endpoint, sizeof f.endpoint, "ipc://%s/sock", f.path);
    return f;
}

static void ipc_needs_no_keys_but_a_folder_of_its_own(void **state)
{
    struct lab *lab = *state;
    struct folder f = folder_make(0700);
    struct net_socket_options o = {.kind = NET_ROUTER, .bind = true, .endpoint = f.endpoint};
    struct net_socket *s = net_socket_open(lab->net, &o, NULL);
    const mode_t open_to_others[] = {0701, 0710, 0755, 0777};

    assert_non_null(s);
    assert_string_equal(net_socket_endpoint(s), f.endpoint);
    net_socket_close(s);
    for (size_t i = 0; i < sizeof open_to_others / sizeof open_to_others[0]; i++) {
        assert_int_equal(chmod(f.path, open_to_others[i]), 0);
        refuse(lab, &o, ERR_DENIED, "chmod 700");
    }
    assert_int_equal(file_remove_tree(f.path, NULL), 0);
}

static void an_ipc_folder_is_made_for_the_owner_alone(void **state)
{
    struct lab *lab = *state;
    struct folder f = folder_make(0700);
    struct net_socket_options o = {.kind = NET_ROUTER, .bind = true, .endpoint = f.endpoint};
    char made[128];
    struct net_socket *s;
    struct stat st;

    snprintf(made, sizeof made, "%s/run/espalier", f.path);
    snprintf(f.endpoint, sizeof f.endpoint, "ipc://%s/sock", made);
    assert_non_null(s = net_socket_open(lab->net, &o, NULL));
    assert_int_equal(stat(made, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    net_socket_close(s);
    assert_int_equal(file_remove_tree(f.path, NULL), 0);
}

/* The longest path works: the limit is the system's and not one less. */
static void an_ipc_path_of_103_bytes_opens(void **state)
{
    struct lab *lab = *state;
    struct folder f = folder_make(0700);
    char endpoint[256];
    struct net_socket_options o = {.kind = NET_ROUTER, .bind = true, .endpoint = endpoint};
    int len = snprintf(endpoint, sizeof endpoint, "ipc://%s/", f.path);
    struct net_socket *s;

    memset(endpoint + len, 'x', (size_t)(6 + 103 - len));
    endpoint[6 + 103] = '\0';
    assert_non_null(s = net_socket_open(lab->net, &o, NULL));
    net_socket_close(s);
    assert_int_equal(file_remove_tree(f.path, NULL), 0);
}

static void an_ipc_folder_that_is_a_file_is_refused(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options o = {
        .kind = NET_ROUTER, .bind = true, .endpoint = "ipc:///dev/null/sock"};
    struct err err = {ERR_NONE, ""};

    assert_null(net_socket_open(lab->net, &o, &err));
    assert_non_null(strstr(err.text, "/dev/null"));
}

static void opening_survives_lost_memory(void **state)
{
    struct lab *lab = *state;
    struct net_socket_options o = server_options(lab);
    struct net_socket *s;
    int nth = 0;

    do {
        struct err err = {ERR_NONE, ""};

        mem_fail_at((unsigned)++nth);
        s = net_socket_open(lab->net, &o, &err);
        mem_fail_at(0);
        assert_true(s || err.code == ERR_NOMEM);
    } while (!s && nth < 1000);
    assert_in_range(nth, 2, 999);
    net_socket_close(s);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_free_port_is_read_back),
        ROW(a_port_that_is_taken_is_busy),
        ROW(every_kind_opens_on_every_transport_that_suits_it),
        ROW(tcp_without_keys_is_refused),
        ROW(endpoints_out_of_form_are_refused),
        ROW(numbers_out_of_range_are_refused_by_name),
        ROW(ipc_needs_no_keys_but_a_folder_of_its_own),
        ROW(an_ipc_folder_is_made_for_the_owner_alone),
        ROW(an_ipc_path_of_103_bytes_opens),
        ROW(an_ipc_folder_that_is_a_file_is_refused),
        ROW(opening_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
