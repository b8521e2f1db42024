/* log.c - see log.h. A line is put together on the stack and written at once: no allocation, so a
 * log line still comes out when memory is gone. */
#include "common/core/log.h"
#include "common/core/clock.h"
#include "common/core/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"err", "warn", "info", "debug"};
static const char *const shown[] = {"ERR", "WARN", "INFO", "DEBUG"};

static atomic_int threshold = LOGL_INFO;
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static log_sink_fn sink;
static void *sink_arg;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&threshold);
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (int i = 0; name && i <= LOGL_DEBUG; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

const char *log_level_name(enum log_level level)
{
    return (unsigned)level <= LOGL_DEBUG ? names[level] : names[LOGL_ERR];
}

void log_set_sink(log_sink_fn fn, void *arg)
{
    pthread_mutex_lock(&sink_lock);
    sink = fn;
    sink_arg = arg;
    pthread_mutex_unlock(&sink_lock);
}

struct line {
    char text[LOG_LINE_MAX + 1];
    size_t len;
    bool full; /* something did not fit: nothing more is added */
};

#define LINE_END "..." /* how a line that was cut ends; always kept free */
#define LINE_ROOM (LOG_LINE_MAX - 1 - (sizeof LINE_END - 1))

static void line_add(struct line *line, const char *p, size_t len)
{
    if (line->full || len > LINE_ROOM - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, p, len);
    line->len += len;
}

/* What would end the line, move the cursor or is no UTF-8 goes in as \n, \t or \xNN. */
static void line_add_escaped(struct line *line, const char *text)
{
    size_t left = strlen(text);
    char hex[5];

    while (left > 0) {
        size_t n = text_utf8_len(text, left);
        unsigned char first = (unsigned char)text[0];
        bool c1 = n == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0;

        if (n > 0 && first >= 0x20 && first != 0x7F && !c1) {
            line_add(line, text, n);
        } else if (first == '\n' || first == '\t') {
            line_add(line, first == '\n' ? "\\n" : "\\t", 2);
            n = 1;
        } else {
            snprintf(hex, sizeof hex, "\\x%02x", first);
            line_add(line, hex, 4);
            n = 1;
        }
        text += n;
        left -= n;
    }
}

/* One write, tried again when a signal came or only part went; a log that cannot be written has no
 * one to tell. */
static void write_all(const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void line_emit(struct line *line, enum log_level level)
{
    if (line->full) {
        memcpy(line->text + line->len, LINE_END, sizeof LINE_END - 1);
        line->len += sizeof LINE_END - 1;
    }
    pthread_mutex_lock(&sink_lock);
    if (sink) {
        line->text[line->len] = '\0';
        sink(sink_arg, level, line->text, line->len);
    } else {
        line->text[line->len] = '\n';
        write_all(line->text, line->len + 1);
    }
    pthread_mutex_unlock(&sink_lock);
}

__attribute__((format(printf, 3, 0))) static void log_line(enum log_level level, const char *peer,
                                                           const char *fmt, va_list args)
{
    char message[LOG_LINE_MAX], when[CLOCK_TEXT_MAX];
    struct line line = {.len = 0};
    int saved = errno; /* a caller may log between a call and its look at errno */

    if ((int)level > atomic_load(&threshold))
        return;
    clock_format_utc(clock_wall_ms(), when);
    line_add(&line, when, strlen(when));
    line_add(&line, " ", 1);
    line_add(&line, shown[level], strlen(shown[level]));
    line_add(&line, " ", 1);
    if (peer) {
        line_add_escaped(&line, peer);
        line_add(&line, ": ", 2);
    }
    if (vsnprintf(message, sizeof message, fmt, args) < 0)
        message[0] = '\0';
    line_add_escaped(&line, message);
    line_emit(&line, level);
    errno = saved;
}

#define LOG_AT(level)                     \
    do {                                  \
        va_list args;                     \
                                          \
        va_start(args, fmt);              \
        log_line(level, peer, fmt, args); \
        va_end(args);                     \
    } while (0)

void log_err(const char *peer, const char *fmt, ...)
{
    LOG_AT(LOGL_ERR);
}

void log_warn(const char *peer, const char *fmt, ...)
{
    LOG_AT(LOGL_WARN);
}

void log_info(const char *peer, const char *fmt, ...)
{
    LOG_AT(LOGL_INFO);
}

void log_debug(const char *peer, const char *fmt, ...)
{
    LOG_AT(LOGL_DEBUG);
}
