/* log_file.c - see log_file.h. The sink runs under log.c's lock, which guards the state below: it
 * allocates nothing and logs nothing. */
#include "common/core/log_file.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct log_file {
    char path[PATH_TEXT_MAX + 1];
    int64_t max_bytes;
    int files;
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
    int64_t bytes; /* in the file */
};

static struct log_file current = {.fd = -1};

/* Append to what is there. */
static int open_at(struct log_file *f)
{
    struct stat st;

    f->fd = open(f->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (f->fd < 0)
        return -1;
    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(f->fd);
        f->fd = -1;
        errno = EINVAL;
        return -1;
    }
    f->device = st.st_dev;
    f->inode = st.st_ino;
    f->bytes = st.st_size;
    return 0;
}

static void numbered(const struct log_file *f, int number, char *out, size_t size)
{
    if (number == 0)
        snprintf(out, size, "%s", f->path);
    else
        snprintf(out, size, "%s.%d", f->path, number);
}

/* The oldest goes, each becomes one older. */
static void set_aside(struct log_file *f)
{
    char from[PATH_TEXT_MAX + 16], to[PATH_TEXT_MAX + 16];

    numbered(f, f->files, to, sizeof to);
    unlink(to);
    for (int i = f->files; i > 0; i--) {
        numbered(f, i - 1, from, sizeof from);
        numbered(f, i, to, sizeof to);
        rename(from, to); /* one that is not there leaves a gap, which closes by itself */
    }
}

/* Somebody moved or removed what we write to. */
static bool is_elsewhere(const struct log_file *f)
{
    struct stat st;

    return stat(f->path, &st) < 0 || st.st_dev != f->device || st.st_ino != f->inode;
}

/* A descriptor with room for `len` bytes; false: there is none. */
static bool make_room(struct log_file *f, size_t len)
{
    bool full = f->fd >= 0 && f->bytes > 0 && f->bytes + (int64_t)len > f->max_bytes;

    if (f->fd >= 0 && !full && !is_elsewhere(f))
        return true;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    if (full)
        set_aside(f);
    return open_at(f) == 0;
}

/* All or what goes; a line that a full disk cut is followed by a whole one on stderr. */
static bool write_line(int fd, const char *line, size_t len)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)line, len}, {(char[]){'\n'}, 1}};
    ssize_t n;

    do
        n = writev(fd, parts, 2);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len + 1;
}

static void sink(void *arg, enum log_level level, const char *line, size_t len)
{
    struct log_file *f = arg;

    (void)level;
    if (make_room(f, len + 1) && write_line(f->fd, line, len))
        f->bytes += (int64_t)len + 1;
    else
        write_line(STDERR_FILENO, line, len);
}

int log_file_open(const char *path, int64_t max_bytes, int files, struct err *err)
{
    struct log_file next = {.max_bytes = max_bytes, .files = files, .fd = -1};

    if (max_bytes < LOG_FILE_MIN_BYTES || files < 0 || files > LOG_FILES_MAX)
        return err_set(err, ERR_INVALID,
                       "log of %lld bytes, %d older files: wanted at least %d bytes, 0 to %d files",
                       (long long)max_bytes, files, LOG_FILE_MIN_BYTES, LOG_FILES_MAX);
    if (strlen(path) > PATH_TEXT_MAX)
        return err_set(err, ERR_TOO_BIG, "log file: a path of %zu bytes, limit %d", strlen(path),
                       PATH_TEXT_MAX);
    memcpy(next.path, path, strlen(path) + 1);
    if (open_at(&next) < 0)
        return err_set_errno(err, errno, "log file %s", path);
    log_file_close();
    current = next;
    log_set_sink(sink, &current);
    return 0;
}

void log_file_close(void)
{
    if (current.fd < 0 && current.max_bytes == 0)
        return;
    log_set_sink(NULL, NULL); /* afterwards no line is under way in the sink */
    if (current.fd >= 0)
        close(current.fd);
    current = (struct log_file){.fd = -1};
}
