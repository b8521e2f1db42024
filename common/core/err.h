/* err.h - why a call failed.
 *
 * A call that can fail takes a `struct err *` last and returns -1 (or NULL). The function that
 * knows the reason writes it, once; callers may put context before it. The text is for people: one
 * line, valid UTF-8, no control characters, so it can go to a log, a terminal or a peer as it is.
 * NULL is a fine `struct err *`: the caller does not want to know. */
#ifndef COMMON_CORE_ERR_H
#define COMMON_CORE_ERR_H

/* What kind of failure, for code that must choose; names travel in JSON and on the wire. */
enum err_code {
    ERR_NONE,
    ERR_NOMEM,       /* memory ran out */
    ERR_INVALID,     /* a value that nobody could accept: out of range, wrong kind */
    ERR_MALFORMED,   /* bytes that do not parse */
    ERR_TOO_BIG,     /* past a limit of ours */
    ERR_NOT_FOUND,   /* no such thing */
    ERR_EXISTS,      /* there is one already */
    ERR_DENIED,      /* not allowed to this caller */
    ERR_UNSUPPORTED, /* well formed, but not something we do */
    ERR_INFEASIBLE,  /* no answer satisfies the constraints */
    ERR_IO,          /* a file, socket or library failed */
    ERR_TIMEOUT,     /* not in time */
    ERR_BUSY,        /* somebody else has it, try later */
    ERR_CANCELLED,   /* somebody asked us to stop */
    ERR_VERSION,     /* the other side speaks another version */
    ERR_INTERNAL     /* our own bug */
};

#define ERR_TEXT_MAX 240 /* bytes with the NUL: fits a log line, holds a path and a reason */

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

/* int err_set(struct err *err, enum err_code code, const char *fmt, ...)
 * Set both; text that is too long is cut between characters. Arguments may point into err->text.
 * Always -1, so `return err_set(...)`.
 *
 * int err_set_errno(struct err *err, int number, const char *fmt, ...)
 * The same for a failed system call: the code is chosen by `number` (an errno), the text ends in
 * its description: "fmt...: No such file or directory".
 *
 * int err_prefix(struct err *err, const char *fmt, ...)
 * Put "fmt...: " before the text that is there. Always -1.
 *
 * They are macros so that compilers and analysers see the -1 in every file that fails. */
#define err_set(...) (err_write(__VA_ARGS__), err_failed())
#define err_set_errno(...) (err_write_errno(__VA_ARGS__), err_failed())
#define err_prefix(...) (err_write_prefix(__VA_ARGS__), err_failed())

void err_write(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void err_write_errno(struct err *err, int number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void err_write_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline int err_failed(void)
{
    return -1;
}

/* "none", "nomem", "invalid", "malformed", "too_big", ...; "internal" for a number that is none. */
const char *err_code_name(enum err_code code);

/* The code of that name; -1, *out untouched, when there is none. */
int err_code_parse(const char *name, enum err_code *out);

#endif
