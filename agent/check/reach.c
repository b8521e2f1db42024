/* reach.c - see reach.h. */
#include "agent/check/reach.h"
#include "agent/check/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __APPLE__
#define IS_MAC true
#else
#define IS_MAC false
#endif

int reach_parse(const char *endpoint, char host[REACH_HOST_MAX], char port[6])
{
    const char *at = endpoint, *colon, *last;

    if (strncmp(at, "tcp://", 6) != 0)
        return -1;
    at += 6;
    colon = strrchr(at, ':');
    if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return -1;
    last = colon;
    if (*at == '[' && last[-1] == ']') {
        at++;
        last--;
    }
    if (last == at || last - at >= REACH_HOST_MAX)
        return -1;
    snprintf(host, REACH_HOST_MAX, "%.*s", (int)(last - at), at);
    snprintf(port, 6, "%s", colon + 1);
    return 0;
}

void reach_explain(struct findings *f, const char *endpoint, int error, bool mac)
{
    struct finding *item =
        finding_add(f, "network", FINDING_FAIL, "%s: %s", endpoint, strerror(error));

    if (error == ECONNREFUSED)
        finding_todo(item, "the machine is there and nothing listens on that port: is "
                           "espalier-coordinator running there, and is 7420 the port it prints at "
                           "its start?");
    else if (error == ETIMEDOUT)
        finding_todo(item, "nothing answers: is the machine on, is the address right, does a "
                           "firewall drop the port?");
    else if (mac && error == EHOSTUNREACH)
        finding_todo(item,
                     "macOS 15 and later say this where a program may not use the local "
                     "network: System Settings, Privacy & Security, Local Network; or run the "
                     "agent as a daemon (deploy/service install agent), which needs no "
                     "permission. Else there is no route to that machine");
    else if (error == EHOSTUNREACH || error == ENETUNREACH)
        finding_todo(item, "there is no route to that machine: is this one on the lab's network?");
    else
        finding_todo(item,
                     "try the address from another program on this machine: nc -vz HOST PORT");
}

/* 0, or why it did not connect. */
static int connect_within(const struct addrinfo *a, int64_t patience_ms)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol), error = 0;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof error;

    if (fd < 0)
        return errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
        error = errno;
        if (error == EINPROGRESS) {
            if (poll(&wait, 1, (int)patience_ms) <= 0)
                error = ETIMEDOUT;
            else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        }
    }
    close(fd);
    return error;
}

bool reach_check(struct findings *f, const char *endpoint, int64_t patience_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char host[REACH_HOST_MAX], port[6];
    int rc, error = ETIMEDOUT;

    if (reach_parse(endpoint, host, port) < 0) {
        finding_todo(finding_add(f, "network", FINDING_FAIL, "coordinator is \"%s\"", endpoint),
                     "wanted tcp://HOST:7420");
        return false;
    }
    if ((rc = getaddrinfo(host, port, &hints, &list)) != 0) {
        finding_todo(
            finding_add(f, "network", FINDING_FAIL, "%s: %s", host, gai_strerror(rc)),
            "the name is not known here: is it spelled right? A .local name needs Bonjour; "
            "an address works as well");
        return false;
    }
    for (const struct addrinfo *a = list; a && error != 0; a = a->ai_next)
        error = connect_within(a, patience_ms);
    freeaddrinfo(list);
    if (error != 0)
        reach_explain(f, endpoint, error, IS_MAC);
    else
        finding_add(f, "network", FINDING_OK, "%s can be reached", endpoint);
    return error == 0;
}
