/* log.h - one event, one line, on stderr.
 *
 *     2026-11-23T06:41:00.123Z WARN mac-07: report is 40 s late, asked again
 *
 * Levels: err lost something, warn ends in what we did instead, info is a change of state, debug is
 * traffic. Each line names its peer (a device, a tool, a file; NULL when there is none) and holds
 * no secret. Control characters and bytes that are not UTF-8 are escaped, so a peer's name cannot
 * forge a line. May be called from every thread; a line is one write(2). */
#ifndef COMMON_CORE_LOG_H
#define COMMON_CORE_LOG_H

#include <stddef.h>

/* Not LOG_ERR and its kin: syslog.h has those. */
enum log_level { LOGL_ERR, LOGL_WARN, LOGL_INFO, LOGL_DEBUG };

#define LOG_LINE_MAX 2048 /* bytes with the newline; what is longer is cut and ends in "..." */

void log_err(const char *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What is less urgent than this is not written; LOGL_INFO until set. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "err", "warn", "info", "debug"; -1, *out untouched, for anything else. */
int log_level_parse(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);

/* Lines go to fn instead of stderr (a line has no newline, and len does not count its NUL); NULL
 * puts stderr back. fn is called under a lock: it must not log. */
typedef void (*log_sink_fn)(void *arg, enum log_level level, const char *line, size_t len);
void log_set_sink(log_sink_fn fn, void *arg);

#endif
