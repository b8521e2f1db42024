/* bench_fleet.c - the coordinator under 1,000 CURVE connections, beside a bare libzmq ROUTER under
 * the same.
 *
 *     bench_fleet COORDINATOR [CONNECTIONS] [SECONDS]
 *
 * Two swarms of the same clients, one at each server, take turns in one run and with the same
 * bytes, so that a machine whose speed drifts slows both: memory per connection, messages per
 * second in, assignments per second out. Prints figures and ratios; asserts nothing.
 *
 * Messages in: every client puts its share of a burst into its queue, and time runs until the
 * server has counted the last of them; bursts follow one another for SECONDS. Assignments out: time
 * runs from the first that any client has to the last. One State in eight puts its device into
 * another class, which is the dearer way through the coordinator. */
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/document/job_file.h"
#include "common/model/agent_message.h"
#include "common/model/job.h"
#include "common/model/tool_message.h"
#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/wire/wire.h"
#include "tests/bench/bare_server.h"
#include "tests/bench/swarm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 120.0 /* seconds that a step may take */
#define ROUNDS 5       /* each figure is the median of so many */
#define BURST 200      /* messages a client: far below its queue's limit, so nobody waits to send */
#define MOVE_EVERY 8   /* messages of a client, one of which is of another class */
#define STATES 2

struct bench {
    const char *program;
    size_t connections;
    double seconds;
    char folder[64];
    struct swarm_key *keys;
    struct err err;
};

static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench: %s: %s\n", what, err ? err->text : "failed");
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ---- bytes that both servers get ---- */

static uint8_t *encode_agent(struct bench *b, const struct agent_message *m, size_t *len)
{
    uint8_t *bytes = NULL;

    if (wire_encode(&agent_message_type, m, &bytes, len, &b->err) < 0)
        die("encode", &b->err);
    return bytes;
}

static uint8_t *hello_bytes(struct bench *b, size_t *len)
{
    struct hello hello;
    struct agent_message m;

    record_init(&hello_type, &hello);
    record_init(&agent_message_type, &m);
    hello.protocol_version = 1;
    hello.boot_id = "bench";
    hello.profile_digest = "bench";
    hello.highest_generation = 0;
    m.hello = &hello;
    return encode_agent(b, &m, len);
}

static uint8_t *state_bytes(struct bench *b, double cpu_load, size_t *len)
{
    struct state s;
    struct agent_message m;

    record_init(&state_type, &s);
    record_init(&agent_message_type, &m);
    s.synthetic = TRI_TRUE;
    s.memory_available_bytes = 40000000000;
    s.memory_free_bytes = 30000000000;
    s.swap_used_bytes = 0;
    s.memory_pressure = MEMORY_PRESSURE_NORMAL;
    s.cpu_load = cpu_load;
    s.gpu_load = 0.5;
    s.load_average = 1.5;
    s.thermal = THERMAL_NOMINAL;
    s.power_source = POWER_SOURCE_AC;
    s.low_power_mode = TRI_FALSE;
    s.user_idle_seconds = 1000;
    s.disk_free_bytes = 500000000000;
    s.up_bps = 1e8;
    s.down_bps = 1e8;
    m.state = &s;
    return encode_agent(b, &m, len);
}

static uint8_t *profile_bytes(struct bench *b, size_t *len)
{
    struct profile p;
    struct metal metal;
    struct agent_message m;

    record_init(&profile_type, &p);
    record_init(&metal_type, &metal);
    record_init(&agent_message_type, &m);
    p.origin = DEVICE_ORIGIN_COMPOSED;
    p.chip = "Apple M4 Max";
    p.memory_bytes = 68719476736;
    p.gpu_cores = 40;
    p.os_name = "macOS";
    p.os_version = "26.1";
    metal.name = p.chip;
    metal.working_set_bytes = 55662788608;
    p.metal = &metal;
    m.profile = &p;
    return encode_agent(b, &m, len);
}

/* ---- the coordinator ---- */

struct server {
    int pid;
    struct net *net;
    struct net_socket *tool;
    char endpoint[96], key[41];
};

static void write_keys(struct bench *b)
{
    char *path = file_path(&b->err, "%s/agents.keys", b->folder);
    FILE *f = path ? fopen(path, "w") : NULL;

    if (!f)
        die(path ? path : "path", NULL);
    for (size_t i = 0; i < b->connections; i++) {
        char id[ID_TEXT_MAX + 1];

        if (net_device_id(b->keys[i].public_key, id, &b->err) < 0)
            die("device id", &b->err);
        fprintf(f, "%s %s bench-%zu\n", b->keys[i].public_key, id, i);
    }
    fclose(f);
    mem_free(path);
}

static void ask(struct bench *b, struct server *s, struct request *request)
{
    uint8_t *bytes = NULL;
    size_t len;
    static int number;
    char id[32];

    snprintf(id, sizeof id, "bench-%d", number++);
    request->protocol_version = 1;
    request->request_id = id;
    if (wire_encode(&request_type, request, &bytes, &len, &b->err) < 0)
        die("request", &b->err);
    request->request_id = NULL; /* it was ours */
    net_send(s->tool, NULL, bytes, len);
    mem_free(bytes);
}

static struct tool_message *answer_wait(struct bench *b, struct server *s)
{
    struct net_message m = {0};
    struct tool_message *answer = NULL;
    double end = now_seconds() + PATIENCE;

    while (net_receive(s->tool, &m) != 1) {
        if (now_seconds() > end)
            die("no answer from the coordinator", NULL);
        usleep(200);
    }
    if (wire_decode(&tool_message_type, WIRE_REPORT, m.body, m.len, WIRE_TOOL_MAX, (void **)&answer,
                    NULL, &b->err) < 0)
        die("answer", &b->err);
    net_message_clear(&m);
    if (!answer->response || answer->response->code != RESPONSE_CODE_OK)
        die(answer->response && answer->response->message ? answer->response->message : "refused",
            NULL);
    return answer;
}

static struct tool_message *ask_status(struct bench *b, struct server *s)
{
    struct request request;
    struct status_request status = {0};

    record_init(&request_type, &request);
    request.status = &status;
    ask(b, s, &request);
    return answer_wait(b, s);
}

static void run_program(struct bench *b, const char *ipc_path)
{
    char log[96];

    snprintf(log, sizeof log, "%s/log", b->folder);
    if (!freopen(log, "w", stderr))
        _exit(1);
    execl(b->program, b->program, "--data-dir", b->folder, "--ipc-path", ipc_path,
          "--agents-endpoint", "tcp://127.0.0.1:*", "--tools-endpoint", "tcp://127.0.0.1:*",
          "--events-endpoint", "tcp://127.0.0.1:*", "--log-level", "warn", (char *)NULL);
    _exit(1);
}

static void server_start(struct bench *b, struct server *s)
{
    char path[96], endpoint[128];
    struct net_socket_options options = {
        .kind = NET_DEALER, .endpoint = endpoint, .message_max = WIRE_TOOL_MAX};
    struct tool_message *status;

    snprintf(path, sizeof path, "%s/run/s", b->folder);
    snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
    write_keys(b);
    if ((s->pid = fork()) == 0)
        run_program(b, path);
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        usleep(20000);
    if (!(s->net = net_new(1, &b->err)) || !(s->tool = net_socket_open(s->net, &options, &b->err)))
        die("tool socket", &b->err);
    status = ask_status(b, s);
    snprintf(s->endpoint, sizeof s->endpoint, "%s", status->response->status->agents_endpoint);
    snprintf(s->key, sizeof s->key, "%s", status->response->status->public_key);
    tool_message_free(status);
}

static void server_stop(struct server *s)
{
    net_socket_close(s->tool);
    net_free(s->net);
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
}

static uint64_t messages_in(struct bench *b, struct server *s)
{
    struct tool_message *status = ask_status(b, s);
    uint64_t count = (uint64_t)status->response->status->messages_in;

    tool_message_free(status);
    return count;
}

static struct job *read_job(struct bench *b)
{
    static const char text[] =
        "{\"format_version\": 1, \"job_id\": \"bench\", \"federated\": {\"model\": {\"config_json\": "
        "\"{\\\"model_type\\\": \\\"llama\\\", \\\"hidden_size\\\": 2048, \\\"num_hidden_layers\\\": 16, "
        "\\\"intermediate_size\\\": 8192, \\\"num_attention_heads\\\": 32, \\\"num_key_value_heads\\\": 8, "
        "\\\"head_dim\\\": 64, \\\"vocab_size\\\": 128256, \\\"tie_word_embeddings\\\": true}\", "
        "\"variants\": [{\"format\": \"bf16\", \"path\": \"model\"}]}, "
        "\"tuning\": {\"method\": \"lora\", \"rank\": 8, \"sequence_length\": 1024}, "
        "\"round\": {\"rounds\": 5, \"deadline_seconds\": 900}}}";
    struct job *job = NULL;

    if (job_file_read(text, sizeof text - 1, NULL, NULL, &job, &b->err) < 0)
        die("job", &b->err);
    return job;
}

/* ---- the measuring ---- */

/* One of the two servers, and what was measured of it. */
struct side {
    struct server *server;    /* the coordinator; NULL: the bare server */
    struct bare_server *bare; /* NULL: the coordinator */
    struct swarm *swarm;
    double in[ROUNDS], out[ROUNDS]; /* per second */
    double bytes_per_connection;
};

static uint64_t count_of(struct bench *b, const struct side *side)
{
    return side->server ? messages_in(b, side->server) : bare_server_count(side->bare);
}

static void wait_for_count(struct bench *b, const struct side *side, uint64_t wanted)
{
    double end = now_seconds() + PATIENCE;

    while (count_of(b, side) < wanted) {
        if (now_seconds() > end)
            die("a server did not count every message", NULL);
        usleep(2000); /* of bursts that last half a second and more */
    }
}

static void open_coordinator(struct bench *b, struct side *side, uint8_t *state, size_t state_len)
{
    size_t hello_len, profile_len;
    uint8_t *hello = hello_bytes(b, &hello_len), *profile = profile_bytes(b, &profile_len);
    int64_t before;

    server_start(b, side->server);
    before = resident_bytes(side->server->pid);
    side->swarm = swarm_open(side->server->endpoint, side->server->key, b->keys, b->connections);
    if (swarm_ask_all(side->swarm, hello, hello_len, PATIENCE) < b->connections)
        die("not every client was welcomed", NULL);
    swarm_tell_all(side->swarm, profile, profile_len);
    swarm_tell_all(side->swarm, state, state_len);
    wait_for_count(b, side, 3 * b->connections);
    side->bytes_per_connection =
        (double)(resident_bytes(side->server->pid) - before) / (double)b->connections;
    mem_free(hello);
    mem_free(profile);
}

static void open_bare(struct bench *b, struct side *side, uint8_t *state, size_t state_len)
{
    int64_t before = resident_bytes(side->bare->pid);

    side->swarm = swarm_open(side->bare->endpoint, side->bare->server_key, b->keys, b->connections);
    bare_server_echo(side->bare, 1);
    if (swarm_ask_all(side->swarm, state, state_len, PATIENCE) < b->connections)
        die("not every client reached the bare server", NULL);
    bare_server_echo(side->bare, 0);
    side->bytes_per_connection =
        (double)(resident_bytes(side->bare->pid) - before) / (double)b->connections;
}

/* Bursts for so many seconds; messages per second, all of them counted. */
static double measure_in(struct bench *b, struct side *side, uint8_t *const states[STATES],
                         const size_t lens[STATES])
{
    uint64_t first = count_of(b, side), sent = 0;
    double start = now_seconds(), now;

    do {
        for (int i = 0; i < BURST; i++) {
            int which = i % MOVE_EVERY == 0;

            swarm_tell_all(side->swarm, states[which], lens[which]);
        }
        sent += (uint64_t)BURST * b->connections;
        wait_for_count(b, side, first + sent);
        now = now_seconds();
    } while (now - start < b->seconds);
    return (double)sent / (now - start);
}

/* Clients' messages of an assignment's size from the first to the last, per second. */
static double receive_all(struct bench *b, struct side *side, double *last)
{
    double first = 0;
    size_t got = swarm_receive(side->swarm, b->connections, 200, PATIENCE, &first, last);

    if (got < b->connections)
        fprintf(stderr, "bench: only %zu of %zu assignments came\n", got, b->connections);
    return (double)got / (*last - first);
}

static size_t assignment_bytes(struct bench *b, const struct tool_message *answer)
{
    struct coordinator_message m;
    uint8_t *bytes = NULL;
    size_t len;

    record_init(&coordinator_message_type, &m);
    m.assignment = &answer->response->plan->plan->assignments[0];
    if (wire_encode(&coordinator_message_type, &m, &bytes, &len, &b->err) < 0)
        die("assignment", &b->err);
    mem_free(bytes);
    return len;
}

/* One plan: assignments per second, and the seconds from the request to the last of them. */
static double measure_plan(struct bench *b, struct side *side, double *whole, size_t *bytes)
{
    struct request request;
    struct plan_request plan;
    struct tool_message *answer;
    double start, last = 0, rate;

    record_init(&request_type, &request);
    record_init(&plan_request_type, &plan);
    plan.job = read_job(b);
    plan.engine = ENGINE_KIND_ANALYTIC;
    request.plan = &plan;
    swarm_drain(side->swarm);
    start = now_seconds();
    ask(b, side->server, &request);
    rate = receive_all(b, side, &last); /* before the answer is read: they come together */
    *whole = last - start;
    answer = answer_wait(b, side->server);
    *bytes = assignment_bytes(b, answer);
    tool_message_free(answer);
    job_free(plan.job);
    return rate;
}

static double measure_bare_out(struct bench *b, struct side *side, size_t bytes)
{
    double last;

    swarm_drain(side->swarm);
    bare_server_send_all(side->bare, bytes);
    return receive_all(b, side, &last);
}

static void print_row(const char *what, const char *format, double ours, double bare)
{
    printf("%-34s ", what);
    printf(format, ours);
    printf(" ");
    printf(format, bare);
    printf(" %8.2f\n", ours / bare);
}

static void measure(struct bench *b, struct side *ours, struct side *bare)
{
    size_t lens[STATES], bytes = 0;
    uint8_t *states[STATES];
    double whole[ROUNDS];

    states[0] = state_bytes(b, 0.25, &lens[0]);
    states[1] = state_bytes(b, 0.75, &lens[1]);
    open_coordinator(b, ours, states[0], lens[0]);
    open_bare(b, bare, states[0], lens[0]);
    for (int i = 0; i < ROUNDS; i++) {
        ours->in[i] = measure_in(b, ours, states, lens);
        bare->in[i] = measure_in(b, bare, states, lens);
    }
    for (int i = 0; i < ROUNDS; i++) {
        ours->out[i] = measure_plan(b, ours, &whole[i], &bytes);
        bare->out[i] = measure_bare_out(b, bare, bytes);
    }
    printf("%zu CURVE connections, one machine; medians of %d\n", b->connections, ROUNDS);
    printf("%-34s %14s %14s %8s\n", "", "coordinator", "bare libzmq", "ratio");
    print_row("messages in, per second", "%14.0f", median(ours->in, ROUNDS),
              median(bare->in, ROUNDS));
    print_row("assignments out, per second", "%14.0f", median(ours->out, ROUNDS),
              median(bare->out, ROUNDS));
    print_row("memory per connection, KB", "%14.1f", ours->bytes_per_connection / 1000,
              bare->bytes_per_connection / 1000);
    printf("%-34s %14.3f\n", "request to last assignment, s", median(whole, ROUNDS));
    printf("%-34s %14zu\n", "bytes of an assignment", bytes);
    swarm_close(ours->swarm);
    swarm_close(bare->swarm);
    for (int i = 0; i < STATES; i++)
        mem_free(states[i]);
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct bench b = {.connections = 1000, .seconds = 3};
    struct bare_server bare_server;
    struct server server;
    struct side ours = {.server = &server}, bare = {.bare = &bare_server};

    if (argc < 2) {
        fprintf(stderr, "usage: bench_fleet COORDINATOR [CONNECTIONS] [SECONDS]\n");
        return 2;
    }
    b.program = argv[1];
    if (argc > 2)
        b.connections = strtoul(argv[2], NULL, 10);
    if (argc > 3)
        b.seconds = strtod(argv[3], NULL);
    raise_descriptors();
    bare_server_start(&bare_server);
    snprintf(b.folder, sizeof b.folder, "/tmp/espalier-bench-XXXXXX");
    if (b.connections < 1 || b.connections > 20000 || !(b.seconds > 0) || !mkdtemp(b.folder) ||
        !(b.keys = calloc(b.connections, sizeof *b.keys)))
        die("wanted 1 to 20000 connections, some seconds, and a temporary folder", NULL);
    swarm_make_keys(b.keys, b.connections);
    measure(&b, &ours, &bare);
    bare_server_stop(&bare_server);
    server_stop(&server);
    file_remove_tree(b.folder, NULL);
    free(b.keys);
    return 0;
}
