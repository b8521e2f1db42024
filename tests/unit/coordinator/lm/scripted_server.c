#include "tests/unit/coordinator/lm/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* not on a Mac */
#endif

#define REQUEST_MAX (1 << 20)

struct scripted_server {
    int listener, port;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    struct script_step steps[SCRIPT_STEPS_MAX];
    bool used[SCRIPT_STEPS_MAX];
    size_t count; /* of steps */
    char *requests[SCRIPT_REQUESTS_MAX];
    size_t seen;
    bool held, stopping;
    pthread_cond_t released;
};

/* The text of a whole request by its Content-Length; NULL when the client left before. */
static char *read_request(int fd)
{
    char *text = calloc(1, REQUEST_MAX + 1);
    size_t len = 0, wanted = REQUEST_MAX;
    ssize_t got;

    while (text && len < wanted && (got = read(fd, text + len, wanted - len)) > 0) {
        const char *end = NULL, *length;

        len += (size_t)got;
        end = strstr(text, "\r\n\r\n");
        length = end ? strstr(text, "Content-Length: ") : NULL;
        if (end)
            wanted = (size_t)(end + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0);
        if (wanted > REQUEST_MAX)
            break;
    }
    if (len == wanted)
        return text;
    free(text);
    return NULL;
}

static const char *choose(struct scripted_server *s, const char *request)
{
    size_t last = s->count;

    for (size_t i = 0; i < s->count; i++) {
        if (s->steps[i].if_has) {
            if (strstr(request, s->steps[i].if_has))
                return s->steps[i].bytes;
            continue;
        }
        last = i;
        if (!s->used[i]) {
            s->used[i] = true;
            return s->steps[i].bytes;
        }
    }
    return last < s->count ? s->steps[last].bytes : "";
}

static void write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t put = send(fd, p, len, MSG_NOSIGNAL);

        if (put <= 0)
            return;
        p += put;
        len -= (size_t)put;
    }
}

static void answer(int fd, const char *bytes)
{
    const char *body = strstr(bytes, "{body}");
    char head[64];

    if (!body) {
        write_all(fd, bytes, strlen(bytes));
        return;
    }
    write_all(fd, bytes, (size_t)(body - bytes));
    body += 6;
    write_all(fd, head,
              (size_t)snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", strlen(body)));
    write_all(fd, body, strlen(body));
}

static bool is_stopping(struct scripted_server *s)
{
    bool stopping;

    pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

static void *serve(void *arg)
{
    struct scripted_server *s = arg;
    int fd;

    while ((fd = accept(s->listener, NULL, NULL)) >= 0 && !is_stopping(s)) {
        char *request = read_request(fd);
        const char *bytes = "";

        if (request) {
            pthread_mutex_lock(&s->lock);
            bytes = choose(s, request);
            if (s->seen < SCRIPT_REQUESTS_MAX)
                s->requests[s->seen++] = request;
            else
                free(request);
            while (s->held)
                pthread_cond_wait(&s->released, &s->lock);
            pthread_mutex_unlock(&s->lock);
            answer(fd, bytes);
        }
        close(fd);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

struct scripted_server *scripted_server_start(const struct script_step *steps)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct scripted_server *s = calloc(1, sizeof *s);
    socklen_t len = sizeof a;

    if (!s)
        return NULL;
    while (s->count < SCRIPT_STEPS_MAX && steps[s->count].bytes) {
        s->steps[s->count] = steps[s->count];
        s->count++;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->released, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(s->listener, 16) < 0 || getsockname(s->listener, (struct sockaddr *)&a, &len) < 0 ||
        pthread_create(&s->thread, NULL, serve, s) != 0)
        abort(); /* no test without it */
    s->port = ntohs(a.sin_port);
    return s;
}

void scripted_server_stop(struct scripted_server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)s->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    scripted_server_release(s);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) /* accept returns */
        abort();
    close(fd);
    pthread_join(s->thread, NULL);
    close(s->listener);
    for (size_t i = 0; i < s->seen; i++)
        free(s->requests[i]);
    pthread_cond_destroy(&s->released);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void scripted_server_hold(struct scripted_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->held = true;
    pthread_mutex_unlock(&s->lock);
}

void scripted_server_release(struct scripted_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->held = false;
    pthread_cond_broadcast(&s->released);
    pthread_mutex_unlock(&s->lock);
}

int scripted_server_port(const struct scripted_server *s)
{
    return s->port;
}

size_t scripted_server_count(struct scripted_server *s)
{
    size_t count;

    pthread_mutex_lock(&s->lock);
    count = s->seen;
    pthread_mutex_unlock(&s->lock);
    return count;
}

const char *scripted_server_request(struct scripted_server *s, size_t i)
{
    const char *text;

    pthread_mutex_lock(&s->lock);
    text = i < s->seen ? s->requests[i] : "";
    pthread_mutex_unlock(&s->lock);
    return text;
}
