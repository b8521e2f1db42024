/* test_store_kill.c - a process that is killed at any moment loses nothing that was acknowledged.
 *
 * The test starts itself again as a writer. The writer stores plans and measurements and prints a
 * line for each once its result says that it is on the disk; it is killed after a random number of
 * lines and some more microseconds, so in the middle of something. Then the database must open and
 * hold everything that was printed. */
#include "store_fixture.h"

#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/net/net.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS 20
#define ACKS_MAX 4096 /* more than a writer prints before it is killed */

static char *self;

/* --- the writer --- */

/* Stores from `first` on, without end: plan N, then measurement N of it; several are under way at
 * any time. */
static int write_for_ever(const char *path, long first)
{
    struct store_settings settings = {.path = path};
    struct net *net = net_new(1, NULL);
    struct store *s = net ? store_open(net, &settings, NULL) : NULL;
    long next = first;

    if (!s)
        return 1;
    for (;;) {
        struct store_result *r = store_receive(s);

        while (store_pending(s) < 8) {
            char id[32], job[32];
            struct store_op *op;

            snprintf(id, sizeof id, "p%06ld", next / 2);
            snprintf(job, sizeof job, "j%ld", next / 2 % 3);
            op = next % 2 ? measurement_op(id, "d1", 1, 3) : plan_op(id, job, 5, next / 2 + 1);
            op->tag = (uint64_t)next++;
            if (store_submit(s, &op, NULL) < 0)
                return 1;
        }
        if (!r)
            continue;
        if (r->err.code != ERR_NONE)
            return 1;
        if (dprintf(1, "%ld\n", (long)r->tag) < 0)
            return 1;
        store_result_free(r);
    }
}

/* --- the one who kills --- */

static pid_t start_writer(const char *path, long first, int *out)
{
    int ends[2];
    char number[32];
    pid_t pid;

    snprintf(number, sizeof number, "%ld", first);
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl(self, self, "--write", path, number, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

/* Lines until `wanted` of them are there, then kill, then what was still in the pipe. Returns the
 * last number. */
static long read_and_kill(pid_t pid, int fd, int wanted, useconds_t more_us)
{
    FILE *f = fdopen(fd, "r");
    long last = -1, number;
    int lines = 0, status;
    bool killed = false;

    assert_non_null(f);
    while (fscanf(f, "%ld", &number) == 1) {
        assert_true(last < 0 || number == last + 1);
        last = number;
        if (++lines == wanted && !killed) {
            usleep(more_us); /* any moment will do: nothing waits for this */
            kill(pid, SIGKILL);
            killed = true;
        }
    }
    fclose(f);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(killed && WIFSIGNALED(status)); /* it ended by us, not by an error of its own */
    return last;
}

static void check_plan(struct store *s, long number)
{
    struct store_result *r;
    char id[32];

    snprintf(id, sizeof id, "p%06ld", number / 2);
    if (number % 2) {
        r = store_call(s, get_op(STORE_GET_MEASUREMENTS, id, "d1"));
        assert_int_equal(r->err.code, ERR_NONE);
        assert_int_equal(r->measurements_count, 3);
    } else {
        r = store_call(s, get_op(STORE_GET_PLAN, id, NULL));
        assert_int_equal(r->err.code, ERR_NONE);
        assert_int_equal(r->plan->assignments_count, 5);
        assert_int_equal(r->deliveries_count, 5);
    }
    store_result_free(r);
}

/* The number after the newest plan that is there (acknowledged or not); every plan is whole. */
static long next_number(struct store *s)
{
    struct store_result *r = store_call(s, op_of(STORE_LIST_PLANS));
    long newest = -1;

    assert_int_equal(r->err.code, ERR_NONE);
    if (r->plans_count)
        newest = strtol(r->plans[0].plan_id + 1, NULL, 10);
    store_result_free(r);
    if (newest >= 0)
        check_plan(s, newest * 2);
    return (newest + 1) * 2;
}

static void what_was_acknowledged_survives(void **unused)
{
    struct store_fixture fx;
    long first = 0;

    (void)unused;
    fixture_open(&fx);
    srandom(4711);
    for (int i = 0; i < KILLS; i++) {
        int fd;
        pid_t pid = start_writer(fx.path, first, &fd);
        long last = read_and_kill(pid, fd, 1 + (int)(random() % 40), (useconds_t)(random() % 3000));
        struct store *s = fixture_store(&fx, false);

        for (long n = first; n <= last; n++)
            check_plan(s, n);
        assert_true(last >= first);
        first = next_number(s);
        assert_true(first > last);
        store_close(s);
    }
    fixture_close(&fx);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives),
    };

    self = argv[0];
    if (argc == 4 && strcmp(argv[1], "--write") == 0)
        return write_for_ever(argv[2], strtol(argv[3], NULL, 10));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
