/* bare_server.c - see bare_server.h. Commands come as one byte and an 8-byte number over a pipe. */
#include "tests/bench/bare_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#define PEERS_MAX 65536
#define ROUTING_ID 5 /* bytes that libzmq gives a peer that chose none */

struct server {
    void *context, *router;
    int commands, answers;
    uint64_t received;
    int echo;
    unsigned char (*peers)[ROUTING_ID];
    size_t peers_count;
};

static void note_peer(struct server *s, const unsigned char *id)
{
    if (s->peers_count < PEERS_MAX)
        memcpy(s->peers[s->peers_count++], id, ROUTING_ID);
}

static void send_to(struct server *s, const unsigned char *id, const void *bytes, size_t len)
{
    zmq_send(s->router, id, ROUTING_ID, ZMQ_SNDMORE);
    zmq_send(s->router, bytes, len, 0);
}

static void take(struct server *s)
{
    for (int n = 0; n < 256; n++) {
        unsigned char id[64];
        zmq_msg_t m;
        int len = zmq_recv(s->router, id, sizeof id, ZMQ_DONTWAIT);

        if (len < 0)
            return;
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, s->router, 0) >= 0)
            s->received++;
        zmq_msg_close(&m);
        if (s->echo) {
            note_peer(s, id);
            send_to(s, id, "!", 1);
        }
    }
}

static void send_all(struct server *s, size_t len)
{
    char *bytes = calloc(1, len + 1);

    for (size_t i = 0; bytes && i < s->peers_count; i++)
        send_to(s, s->peers[i], bytes, len);
    free(bytes);
}

static int obey(struct server *s)
{
    struct {
        char what;
        uint64_t number;
    } command;

    if (read(s->commands, &command, sizeof command) != (ssize_t)sizeof command)
        return -1;
    if (command.what == 'e')
        s->echo = command.number != 0;
    else if (command.what == 's')
        send_all(s, command.number);
    else if (command.what == 'c' && write(s->answers, &s->received, sizeof s->received) < 0)
        return -1;
    return 0;
}

static void serve(struct server *s)
{
    zmq_pollitem_t items[2] = {{s->router, 0, ZMQ_POLLIN, 0}, {NULL, s->commands, ZMQ_POLLIN, 0}};

    for (;;) {
        if (zmq_poll(items, 2, -1) < 0)
            return;
        if (items[0].revents)
            take(s);
        if (items[1].revents && obey(s) < 0)
            return;
    }
}

static void child(int commands, int answers)
{
    struct server s = {.commands = commands, .answers = answers};
    struct swarm_key key;
    char endpoint[64] = "";
    size_t size = sizeof endpoint;
    int on = 1, high_water = 256, sockets = PEERS_MAX;

    s.context = zmq_ctx_new();
    zmq_ctx_set(s.context, ZMQ_MAX_SOCKETS, sockets);
    s.router = zmq_socket(s.context, ZMQ_ROUTER);
    s.peers = calloc(PEERS_MAX, sizeof *s.peers);
    swarm_make_keys(&key, 1);
    zmq_setsockopt(s.router, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(s.router, ZMQ_CURVE_SECRETKEY, key.secret_key, 41);
    zmq_setsockopt(s.router, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
    zmq_setsockopt(s.router, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt(s.router, ZMQ_RCVHWM, &high_water, sizeof high_water);
    if (zmq_bind(s.router, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(s.router, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0 || !s.peers)
        _exit(1);
    if (write(answers, endpoint, sizeof endpoint) < 0 || write(answers, key.public_key, 41) < 0)
        _exit(1);
    serve(&s);
    _exit(0);
}

void bare_server_start(struct bare_server *b)
{
    int to_child[2], from_child[2];

    if (pipe(to_child) < 0 || pipe(from_child) < 0 || (b->pid = fork()) < 0) {
        perror("bench: bare server");
        exit(1);
    }
    if (b->pid == 0) {
        close(to_child[1]);
        close(from_child[0]);
        child(to_child[0], from_child[1]);
    }
    close(to_child[0]);
    close(from_child[1]);
    b->to_child = to_child[1];
    b->from_child = from_child[0];
    if (read(b->from_child, b->endpoint, sizeof b->endpoint) != (ssize_t)sizeof b->endpoint ||
        read(b->from_child, b->server_key, 41) != 41) {
        fprintf(stderr, "bench: the bare server did not start\n");
        exit(1);
    }
}

static void command(struct bare_server *b, char what, uint64_t number)
{
    struct {
        char what;
        uint64_t number;
    } c;

    memset(&c, 0, sizeof c);
    c.what = what;
    c.number = number;
    if (write(b->to_child, &c, sizeof c) != (ssize_t)sizeof c) {
        perror("bench: bare server");
        exit(1);
    }
}

uint64_t bare_server_count(struct bare_server *b)
{
    uint64_t count = 0;

    command(b, 'c', 0);
    if (read(b->from_child, &count, sizeof count) != (ssize_t)sizeof count)
        exit(1);
    return count;
}

void bare_server_echo(struct bare_server *b, int on)
{
    command(b, 'e', (uint64_t)on);
}

void bare_server_send_all(struct bare_server *b, size_t len)
{
    command(b, 's', len);
}

void bare_server_stop(struct bare_server *b)
{
    close(b->to_child);
    close(b->from_child);
    kill(b->pid, SIGTERM);
    waitpid(b->pid, NULL, 0);
}
