/* settings_file.c - a config file, through inih, or what stands in for it (ini_reader.h).
 *
 * inih calls back per key without the line's number, joins indented lines to the value above, and
 * reads a line that is longer than its buffer as two. So it gets its lines from here: without their
 * indentation, counted, and never one that is too long. */
#include "common/settings/settings_inner.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#ifdef ESPALIER_OWN_INI
#include "common/settings/ini_reader.h"
#else
#include <ini.h>
#endif

#include <string.h>

struct reading {
    const char *path;
    const char *rest; /* text not yet handed over */
    int line;         /* of the last one handed over */
    settings_file_fn *fn;
    void *arg;
    struct err *err;
    bool failed;
};

/* As fgets. */
static char *next_line(char *out, int size, void *stream)
{
    struct reading *r = stream;
    size_t len;

    if (r->failed || !*r->rest)
        return NULL;
    r->line++;
    r->rest += strspn(r->rest, " \t");
    len = strcspn(r->rest, "\n");
    if (len + 1 >= (size_t)size) { /* with its newline and a NUL */
        err_set(r->err, ERR_TOO_BIG, "%s:%d: a line of %zu bytes, wanted at most %d", r->path,
                r->line, len, size - 2);
        r->failed = true;
        return NULL;
    }
    len += r->rest[len] == '\n';
    memcpy(out, r->rest, len);
    out[len] = '\0';
    r->rest += len;
    return out;
}

/* inih's convention: 0 is failure. */
static int found(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;

    if (r->failed)
        return 0;
    if (*section)
        err_set(r->err, ERR_INVALID, "%s:%d: section [%.60s], wanted settings without sections",
                r->path, r->line, section);
    else if (r->fn(r->arg, name, value ? value : "", r->line, r->err) == 0)
        return 1;
    r->failed = true;
    return 0;
}

int settings_file_read(const char *path, settings_file_fn *fn, void *arg, struct err *err)
{
    struct reading r = {path, NULL, 0, fn, arg, err, false};
    char *text;
    int bad_line;

    if (file_read(path, SETTINGS_FILE_MAX, &text, NULL, err) < 0)
        return -1;
    r.rest = text;
    bad_line = ini_parse_stream(next_line, &r, found, &r);
    mem_free(text);
    if (r.failed)
        return -1;
    if (bad_line)
        return err_set(err, bad_line < 0 ? ERR_NOMEM : ERR_MALFORMED,
                       "%s:%d: wanted NAME = VALUE, or # before a comment", path,
                       bad_line < 0 ? 0 : bad_line);
    return 0;
}
