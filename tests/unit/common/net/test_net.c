#include "common/net/net.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/net/actor.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_net_is_made_and_freed(void **state)
{
    struct err err = {ERR_NONE, ""};
    struct net *net = net_new(1, &err);

    (void)state;
    assert_non_null(net);
    net_free(net);
    net_free(NULL);
    assert_non_null(net = net_new(NET_IO_THREADS_MAX, &err));
    net_free(net);
}

static void a_number_of_threads_out_of_range_is_refused(void **state)
{
    const int bad[] = {-1, 0, NET_IO_THREADS_MAX + 1};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {ERR_NONE, ""};

        assert_null(net_new(bad[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "io_threads"));
    }
}

static void no_memory_is_an_error(void **state)
{
    struct err err = {ERR_NONE, ""};

    (void)state;
    mem_fail_at(1);
    assert_null(net_new(1, &err));
    mem_fail_at(0);
    assert_int_equal(err.code, ERR_NOMEM);
}

static void random_ids_differ_and_can_be_read_out(void **state)
{
    char a[64];
    char b[64];

    (void)state;
    assert_int_equal(net_random_id(a, sizeof a, "p"), 0);
    assert_int_equal(net_random_id(b, sizeof b, "p"), 0);
    assert_int_equal(strlen(a), 1 + NET_RANDOM_ID_CHARS);
    assert_int_equal(a[0], 'p');
    assert_string_not_equal(a, b);
    assert_int_equal(strspn(a + 1, "0123456789abcdefghjkmnpqrstvwxyz"), NET_RANDOM_ID_CHARS);
}

static void a_random_id_that_does_not_fit_is_refused(void **state)
{
    char id[4 + NET_RANDOM_ID_CHARS + 1] = "as it was";

    (void)state;
    assert_int_equal(net_random_id(id, sizeof id - 1, "plan"), -1);
    assert_string_equal(id, "as it was");
    assert_int_equal(net_random_id(id, sizeof id, "plan"), 0);
    assert_int_equal(net_random_id(id, NET_RANDOM_ID_CHARS + 1, ""), 0);
}

static void waiting_run(struct actor_pipe *pipe, void *fd)
{
    void *msg;

    actor_ready(pipe);
    while (pipe_receive(pipe, -1, &msg) == 1)
        mem_free(msg);
    if (write(*(int *)fd, "x", 1) != 1)
        _exit(3);
}

static void log_nothing(void *arg, enum log_level level, const char *line, size_t len)
{
    (void)arg;
    (void)level;
    (void)line;
    (void)len;
}

/* An owner that forgets its actor: the actor ends, and net_free returns. In a process of its own,
 * since what was forgotten stays in memory. */
static void a_forgotten_actor_ends_with_the_net(void **state)
{
    const struct actor_type waiting = {"waiting", waiting_run, mem_free, mem_free};
    int fds[2];
    int status = -1;
    pid_t child;
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    if ((child = fork()) == 0) {
        struct net *net = net_new(1, NULL);

        alarm(20);
        log_set_sink(log_nothing, NULL);
        if (!net || !actor_start(net, &waiting, &fds[1], NULL))
            _exit(1);
        net_free(net);
        _exit(read(fds[0], &byte, 1) == 1 ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_is_made_and_freed),
        cmocka_unit_test(a_number_of_threads_out_of_range_is_refused),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(random_ids_differ_and_can_be_read_out),
        cmocka_unit_test(a_random_id_that_does_not_fit_is_refused),
        cmocka_unit_test(a_forgotten_actor_ends_with_the_net),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
