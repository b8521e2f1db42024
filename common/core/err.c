/* err.c - see err.h. */
#include "common/core/err.h"
#include "common/core/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Formatted text before cleaning: room for what cleaning removes. */
#define RAW_MAX (4 * ERR_TEXT_MAX)

static const char *const names[] = {
    [ERR_NONE] = "none",
    [ERR_NOMEM] = "nomem",
    [ERR_INVALID] = "invalid",
    [ERR_MALFORMED] = "malformed",
    [ERR_TOO_BIG] = "too_big",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_DENIED] = "denied",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_INFEASIBLE] = "infeasible",
    [ERR_IO] = "io",
    [ERR_TIMEOUT] = "timeout",
    [ERR_BUSY] = "busy",
    [ERR_CANCELLED] = "cancelled",
    [ERR_VERSION] = "version",
    [ERR_INTERNAL] = "internal",
};

#define NAMES (sizeof names / sizeof names[0])

/* Format into raw, cut between characters. */
__attribute__((format(printf, 2, 0))) static void format_raw(char raw[RAW_MAX], const char *fmt,
                                                             va_list args)
{
    int n = vsnprintf(raw, RAW_MAX, fmt, args);

    if (n < 0)
        raw[0] = '\0';
    else if (n >= RAW_MAX)
        raw[text_utf8_fit(raw, RAW_MAX - 1, RAW_MAX - 2)] = '\0';
}

void err_write(struct err *err, enum err_code code, const char *fmt, ...)
{
    char raw[RAW_MAX];
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    format_raw(raw, fmt, args);
    va_end(args);
    err->code = code;
    text_clean(err->text, sizeof err->text, raw);
}

static enum err_code code_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case ENOMEM:
        return ERR_NOMEM;
    case EINVAL:
        return ERR_INVALID;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case EAGAIN:
    case EBUSY:
        return ERR_BUSY;
    case ENAMETOOLONG:
    case EFBIG:
        return ERR_TOO_BIG;
    default:
        return ERR_IO;
    }
}

/* strerror_r has two shapes; these pick the text out of either. */
__attribute__((unused)) static const char *strerror_text_posix(int rc, const char *buffer)
{
    return rc == 0 ? buffer : "unknown error";
}

__attribute__((unused)) static const char *strerror_text_gnu(const char *text, const char *buffer)
{
    (void)buffer;
    return text;
}

#define strerror_text(call, buffer) \
    _Generic((call), int : strerror_text_posix, default : strerror_text_gnu)(call, buffer)

void err_write_errno(struct err *err, int number, const char *fmt, ...)
{
    char raw[RAW_MAX], why[128];
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    format_raw(raw, fmt, args);
    va_end(args);
    err_write(err, code_of_errno(number), "%s: %s", raw,
              strerror_text(strerror_r(number, why, sizeof why), why));
}

void err_write_prefix(struct err *err, const char *fmt, ...)
{
    char raw[RAW_MAX];
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    format_raw(raw, fmt, args);
    va_end(args);
    err_write(err, err->code, "%s: %s", raw, err->text);
}

const char *err_code_name(enum err_code code)
{
    return (size_t)code < NAMES ? names[code] : names[ERR_INTERNAL];
}

int err_code_parse(const char *name, enum err_code *out)
{
    for (size_t i = 0; name && i < NAMES; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum err_code)i;
            return 0;
        }
    }
    return -1;
}
