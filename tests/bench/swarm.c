/* swarm.c - see swarm.h. */
#include "tests/bench/swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

struct swarm {
    void *context;
    void **sockets;
    zmq_pollitem_t *items;
    size_t count;
};

double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int64_t resident_bytes(int pid)
{
    char path[64];
    long long pages = -1, resident = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    f = fopen(path, "r");
    if (!f)
        return -1;
    if (fscanf(f, "%lld %lld", &pages, &resident) != 2)
        resident = -1;
    fclose(f);
    return resident < 0 ? -1 : resident * sysconf(_SC_PAGESIZE);
}

static void fail(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

void swarm_make_keys(struct swarm_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_curve_keypair(keys[i].public_key, keys[i].secret_key) != 0)
            fail("key pair");
}

struct swarm *swarm_open(const char *endpoint, const char *server_key, const struct swarm_key *keys,
                         size_t count)
{
    struct swarm *s = calloc(1, sizeof *s);
    int linger = 0, high_water = 1000, patience_ms = 120000;

    if (!s || !(s->sockets = calloc(count, sizeof *s->sockets)) ||
        !(s->items = calloc(count, sizeof *s->items)))
        fail("memory");
    s->context = zmq_ctx_new();
    zmq_ctx_set(s->context, ZMQ_MAX_SOCKETS, (int)count + 16);
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        void *socket = s->sockets[i] = zmq_socket(s->context, ZMQ_DEALER);

        if (!socket)
            fail("socket");
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
        zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
        zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, strlen(server_key) + 1);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys[i].public_key, 41);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys[i].secret_key, 41);
        if (zmq_connect(socket, endpoint) != 0)
            fail(endpoint);
        s->items[i].socket = socket;
        s->items[i].events = ZMQ_POLLIN;
    }
    return s;
}

void swarm_close(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++)
        zmq_close(s->sockets[i]);
    zmq_ctx_term(s->context);
    free(s->sockets);
    free(s->items);
    free(s);
}

void swarm_tell_all(struct swarm *s, const void *bytes, size_t len)
{
    for (size_t i = 0; i < s->count; i++)
        if (zmq_send(s->sockets[i], bytes, len, 0) < 0)
            fail("send");
}

/* Read one message of any length; -1 when there is none. */
static int read_one(void *socket)
{
    zmq_msg_t m;
    int len;

    zmq_msg_init(&m);
    len = zmq_msg_recv(&m, socket, ZMQ_DONTWAIT);
    zmq_msg_close(&m);
    return len;
}

size_t swarm_ask_all(struct swarm *s, const void *bytes, size_t len, double patience_seconds)
{
    double end = now_seconds() + patience_seconds;
    char *answered = calloc(s->count, 1);
    size_t got = 0;

    swarm_tell_all(s, bytes, len);
    while (answered && got < s->count && now_seconds() < end) {
        if (zmq_poll(s->items, (int)s->count, 100) < 0)
            fail("poll");
        for (size_t i = 0; i < s->count; i++) {
            if (!(s->items[i].revents & ZMQ_POLLIN))
                continue;
            while (read_one(s->sockets[i]) >= 0)
                if (!answered[i]) {
                    answered[i] = 1;
                    got++;
                }
        }
    }
    free(answered);
    return got;
}

size_t swarm_receive(struct swarm *s, size_t wanted, size_t min_len, double patience_seconds,
                     double *first, double *last)
{
    double end = now_seconds() + patience_seconds;
    size_t got = 0;

    while (got < wanted && now_seconds() < end) {
        if (zmq_poll(s->items, (int)s->count, 100) < 0)
            fail("poll");
        for (size_t i = 0; i < s->count; i++) {
            int length;

            if (!(s->items[i].revents & ZMQ_POLLIN))
                continue;
            while ((length = read_one(s->sockets[i])) >= 0) {
                if ((size_t)length < min_len)
                    continue;
                *last = now_seconds();
                if (got++ == 0)
                    *first = *last;
            }
        }
    }
    return got;
}

void swarm_drain(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++)
        while (read_one(s->sockets[i]) >= 0)
            continue;
}
