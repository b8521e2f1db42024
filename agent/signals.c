/* signals.c - see signals.h. */
#include "agent/signals.h"
#include "common/core/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t stops;

static void on_signal(int number)
{
    int saved = errno;

    if (number != SIGCHLD)
        stops++;
    if (write(signal_pipe[1], "s", 1) < 0) /* full: the loop is awake anyway */
        errno = 0;
    errno = saved;
}

int signals_catch(struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP};

    if (pipe(signal_pipe) < 0)
        return err_set_errno(err, errno, "pipe");
    for (size_t i = 0; i < 2; i++) {
        fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int signals_fd(void)
{
    return signal_pipe[0];
}

void signals_drain(void)
{
    char bytes[64];

    while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
        ;
}

int signals_stops(void)
{
    return stops;
}
