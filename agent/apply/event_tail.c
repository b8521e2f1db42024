/* event_tail.c - see event_tail.h. */
#include "agent/apply/event_tail.h"
#include "agent/apply/event_line.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/agent_message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pending {
    int64_t line;
    int64_t end; /* offset after it */
    bool settled;
};

struct event_tail {
    char *path;                                /* events.jsonl */
    char *position;                            /* events.position */
    int64_t line;                              /* lines read */
    int64_t offset;                            /* of the first byte not yet taken as a line */
    int64_t settled_line, settled_offset;      /* up to here all are settled */
    bool dirty;                                /* the two above are not on disk */
    bool skipping;                             /* within a line that is too long */
    struct pending pending[EVENT_TAIL_WINDOW]; /* handed out, oldest first */
    size_t pending_count;
    struct event_counts counts;
    char buffer[EVENT_LINE_MAX + 1]; /* bytes from offset on */
    size_t have;
};

static void read_position(struct event_tail *t)
{
    struct json *doc;
    int64_t line, offset;
    size_t len;
    char *text;

    if (!file_exists(t->position) || file_read(t->position, 256, &text, &len, NULL) < 0)
        return;
    doc = json_parse(text, len, NULL);
    line = json_integer(json_member(doc, "line"));
    offset = json_integer(json_member(doc, "offset"));
    if (known_i64(line) && known_i64(offset) && line >= 0 && offset >= 0) {
        t->line = t->settled_line = line;
        t->offset = t->settled_offset = offset;
    } else {
        log_warn(t->position, "does not read: events are sent again from the start");
    }
    json_free(doc);
    mem_free(text);
}

struct event_tail *event_tail_new(const char *folder, struct err *err)
{
    struct event_tail *t = mem_zalloc(sizeof *t);

    if (!t) {
        err_set(err, ERR_NOMEM, "events of %s", folder);
        return NULL;
    }
    if (!(t->path = file_path(err, "%s/events.jsonl", folder)) ||
        !(t->position = file_path(err, "%s/events.position", folder))) {
        event_tail_free(t);
        return NULL;
    }
    read_position(t);
    return t;
}

void event_tail_free(struct event_tail *t)
{
    if (!t)
        return;
    mem_free(t->path);
    mem_free(t->position);
    mem_free(t);
}

/* Everything up to the first unsettled line is settled. */
static void advance(struct event_tail *t)
{
    size_t n = 0;

    while (n < t->pending_count && t->pending[n].settled)
        n++;
    if (n > 0) {
        t->settled_line = t->pending[n - 1].line;
        t->settled_offset = t->pending[n - 1].end;
        t->pending_count -= n;
        memmove(t->pending, t->pending + n, t->pending_count * sizeof t->pending[0]);
        t->dirty = true;
    }
}

void event_tail_settle(struct event_tail *t, int64_t sequence)
{
    for (size_t i = 0; i < t->pending_count; i++) {
        if (t->pending[i].line == sequence)
            t->pending[i].settled = true;
    }
    advance(t);
}

int event_tail_save(struct event_tail *t, struct err *err)
{
    char text[96];
    int len;

    if (!t->dirty)
        return 0;
    len = snprintf(text, sizeof text, "{\"line\": %" PRId64 ", \"offset\": %" PRId64 "}\n",
                   t->settled_line, t->settled_offset);
    if (file_write_atomic(t->position, 0644, text, (size_t)len, err) < 0)
        return -1;
    t->dirty = false;
    return 0;
}

struct event_counts event_tail_counts(const struct event_tail *t)
{
    return t->counts;
}

/* The file may belong to another user: no link is followed, and nothing but a plain file is read.
 */
static int open_events(const char *path, int flags, struct stat *st, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    return err_set(err, ERR_IO, "%s is no plain file", path);
}

/* Fill the buffer up from the file; `*more` when it holds bytes beyond. */
static int fill(struct event_tail *t, bool *more, struct err *err)
{
    struct stat st;
    ssize_t n;
    int fd;

    *more = false;
    if (!file_exists(t->path))
        return 0;
    if ((fd = open_events(t->path, O_RDONLY, &st, err)) < 0)
        return -1;
    if (st.st_size < t->offset + (int64_t)t->have) { /* numbers go on: each is used once */
        log_warn(t->path, "was cut by its writer: reading it from the start");
        t->offset = 0;
        t->have = 0;
        t->skipping = false;
    }
    if (t->offset + (int64_t)t->have >= EVENT_FILE_MAX) {
        close(fd);
        return err_set(err, ERR_TOO_BIG, "%s is larger than %lld bytes: the rest is not sent",
                       t->path, EVENT_FILE_MAX);
    }
    n = pread(fd, t->buffer + t->have, sizeof t->buffer - t->have, t->offset + (off_t)t->have);
    if (n > 0) {
        t->have += (size_t)n;
        *more = t->offset + (int64_t)t->have < st.st_size;
    }
    close(fd);
    return n < 0 ? err_set_errno(err, errno, "%s", t->path) : 0;
}

static void take_bytes(struct event_tail *t, size_t len)
{
    t->offset += (int64_t)len;
    t->have -= len;
    memmove(t->buffer, t->buffer + len, t->have);
}

/* One line was taken: when nothing is sent for it, it is settled as soon as those before it are. */
static void count_line(struct event_tail *t, bool handed_out)
{
    t->line++;
    t->counts.lines++;
    t->pending[t->pending_count++] = (struct pending){t->line, t->offset, !handed_out};
    advance(t);
}

/* The length of the next line in the buffer, without its end, and how many bytes it takes; 0 bytes:
 * there is no whole one yet. */
static size_t next_line(struct event_tail *t, bool last, size_t *bytes)
{
    const char *newline = memchr(t->buffer, '\n', t->have);
    size_t len = newline ? (size_t)(newline - t->buffer) : t->have;

    *bytes = newline ? len + 1 : last ? len : 0;
    return len > 0 && t->buffer[len - 1] == '\r' ? len - 1 : len;
}

/* More than a line may have, and no end in sight: its bytes go, and it counts when it ends. */
static void skip_bytes(struct event_tail *t)
{
    t->skipping = true;
    take_bytes(t, t->have);
}

/* What the line says: 1, *out is it; 0, nothing to anybody; -1, no memory to say so. */
static int read_line(struct event_tail *t, size_t len, int64_t now_wall_ms,
                     struct measurement **out, struct err *err)
{
    struct measurement *m;
    struct err why = {ERR_NONE, ""};

    if (len == 0)
        return 0;
    if (!(m = measurement_new(err)))
        return -1;
    m->sequence = t->line + 1;
    m->at_ms = now_wall_ms;
    if (event_line_read(t->buffer, len, m, &why) == 0) {
        *out = m;
        return 1;
    }
    measurement_free(m);
    if (why.code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "event");
    t->counts.garbage += why.code != ERR_TOO_BIG;
    t->counts.oversize += why.code == ERR_TOO_BIG;
    return 0;
}

/* Bytes up to the end of a line, as far as there are any. `*last`: what is there is all there will
 * be. */
static int look(struct event_tail *t, bool ended, bool *last, struct err *err)
{
    bool more = true;

    if (!memchr(t->buffer, '\n', t->have) && fill(t, &more, err) < 0)
        return -1;
    *last = ended && !more && !memchr(t->buffer, '\n', t->have);
    return 0;
}

int event_tail_next(struct event_tail *t, bool ended, int64_t now_wall_ms, struct measurement **out,
                    struct err *err)
{
    while (t->pending_count < EVENT_TAIL_WINDOW) {
        size_t len, bytes;
        bool last;
        int rc = 0;

        if (look(t, ended, &last, err) < 0)
            return -1;
        len = next_line(t, last, &bytes);
        if (bytes == 0 && t->have < sizeof t->buffer)
            return 0;
        if (bytes == 0) {
            skip_bytes(t);
            continue;
        }
        if (t->skipping)
            t->counts.oversize++;
        else if ((rc = read_line(t, len, now_wall_ms, out, err)) < 0)
            return -1;
        t->skipping = false;
        take_bytes(t, bytes);
        count_line(t, rc == 1);
        if (rc == 1)
            return 1;
    }
    return 0;
}

bool event_tail_is_done(struct event_tail *t)
{
    struct stat st;

    if (t->pending_count > 0)
        return false;
    if (t->offset + (int64_t)t->have >= EVENT_FILE_MAX)
        return true;
    return t->have == 0 && (stat(t->path, &st) < 0 || st.st_size <= t->offset);
}

int event_file_close_line(const char *folder, struct err *err)
{
    char *path = file_path(err, "%s/events.jsonl", folder), last = '\n';
    struct stat st;
    int fd, rc = 0;

    if (!path)
        return -1;
    if (!file_exists(path)) {
        mem_free(path);
        return 0;
    }
    if ((fd = open_events(path, O_RDWR | O_APPEND, &st, err)) < 0) {
        mem_free(path);
        return -1;
    }
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' &&
        write(fd, "\n", 1) != 1)
        rc = err_set_errno(err, errno, "%s", path);
    close(fd);
    mem_free(path);
    return rc;
}
