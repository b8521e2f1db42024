#include "tests/bench/canned_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* not on a Mac */
#endif

#define PEERS_MAX 64
#define REQUEST_MAX 65536

struct peer {
    size_t len;
    char text[REQUEST_MAX + 1];
};

struct canned_server {
    const char *response;
    size_t response_len;
    int port;
    pthread_t thread;
    atomic_bool stopping;
    struct pollfd fds[1 + PEERS_MAX]; /* the listener first; fd -1: free */
    struct peer *peers[1 + PEERS_MAX];
};

static void drop(struct canned_server *s, size_t i)
{
    close(s->fds[i].fd);
    s->fds[i].fd = -1;
    free(s->peers[i]);
    s->peers[i] = NULL;
}

static void admit(struct canned_server *s)
{
    int fd = accept(s->fds[0].fd, NULL, NULL), yes = 1;

    for (size_t i = 1; fd >= 0 && i <= PEERS_MAX; i++) {
        if (s->fds[i].fd >= 0 || !(s->peers[i] = calloc(1, sizeof *s->peers[i])))
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        s->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        return;
    }
    if (fd >= 0)
        close(fd);
}

/* Bytes of the whole request at the front of the text; 0: not all of it is here. */
static size_t whole(const struct peer *p)
{
    const char *end = strstr(p->text, "\r\n\r\n"), *length;
    size_t bytes;

    if (!end || !(length = strstr(p->text, "Content-Length: ")))
        return 0;
    bytes = (size_t)(end + 4 - p->text) + strtoul(length + strlen("Content-Length: "), NULL, 10);
    return bytes <= p->len ? bytes : 0;
}

static void serve_peer(struct canned_server *s, size_t i)
{
    struct peer *p = s->peers[i];
    ssize_t got = read(s->fds[i].fd, p->text + p->len, REQUEST_MAX - p->len);
    size_t used;

    if (got <= 0) {
        drop(s, i);
        return;
    }
    p->len += (size_t)got;
    p->text[p->len] = '\0';
    while ((used = whole(p)) > 0) {
        memmove(p->text, p->text + used, p->len - used + 1);
        p->len -= used;
        if (send(s->fds[i].fd, s->response, s->response_len, MSG_NOSIGNAL) !=
            (ssize_t)s->response_len) {
            drop(s, i);
            return;
        }
    }
}

static void *serve(void *arg)
{
    struct canned_server *s = arg;

    while (!atomic_load(&s->stopping)) {
        if (poll(s->fds, 1 + PEERS_MAX, 100) <= 0)
            continue;
        if (s->fds[0].revents)
            admit(s);
        for (size_t i = 1; i <= PEERS_MAX; i++)
            if (s->fds[i].fd >= 0 && s->fds[i].revents)
                serve_peer(s, i);
    }
    return NULL;
}

struct canned_server *canned_server_start(const char *response, size_t len)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct canned_server *s = calloc(1, sizeof *s);
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (!s || fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) < 0) {
        free(s);
        return NULL;
    }
    for (size_t i = 0; i <= PEERS_MAX; i++)
        s->fds[i].fd = -1;
    s->fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    s->port = ntohs(a.sin_port);
    s->response = response;
    s->response_len = len;
    atomic_init(&s->stopping, false);
    if (pthread_create(&s->thread, NULL, serve, s) != 0) {
        close(fd);
        free(s);
        return NULL;
    }
    return s;
}

void canned_server_stop(struct canned_server *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    for (size_t i = 1; i <= PEERS_MAX; i++)
        if (s->fds[i].fd >= 0)
            drop(s, i);
    close(s->fds[0].fd);
    free(s);
}

int canned_server_port(const struct canned_server *s)
{
    return s->port;
}
