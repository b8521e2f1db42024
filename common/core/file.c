/* file.c - whole files and locks; see file.h. Folders are in file_tree.c.
 *
 * A write that must not be lost goes to a new file in the same folder, is synced, renamed over the
 * old one, and then the folder is synced: without the last step the rename itself may be lost. A
 * crash in between leaves a file ".NAME.xxxxxxxx.new", which nothing reads. */
#include "common/core/file.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK 16384 /* bytes; larger reads gain nothing measurable */

char *file_path(struct err *err, const char *fmt, ...)
{
    struct buf b;
    va_list args;
    char *path;

    buf_init(&b, PATH_TEXT_MAX);
    va_start(args, fmt);
    buf_addv(&b, fmt, args);
    va_end(args);
    if (!(path = buf_take(&b, NULL, err)))
        err_prefix(err, "path");
    return path;
}

/* Read from fd to its end into b. */
static int read_to_end(int fd, const char *path, struct buf *b, struct err *err)
{
    char chunk[READ_CHUNK];
    ssize_t n;

    do {
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "read %s", path);
        buf_add(b, chunk, (size_t)n);
        if (b->failed && b->no_memory)
            return err_set(err, ERR_NOMEM, "read %s", path);
        if (b->failed)
            return err_set(err, ERR_TOO_BIG, "%s is longer than %zu bytes", path, b->max);
    } while (n != 0);
    return 0;
}

int file_read(const char *path, size_t max, char **data, size_t *len, struct err *err)
{
    struct buf b;
    char *text = NULL;
    size_t size;
    int fd, rc = -1;

    buf_init(&b, max);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return err_set_errno(err, errno, "open %s", path);
    if (read_to_end(fd, path, &b, err) < 0 || !(text = buf_take(&b, &size, err)))
        goto out;
    if (!len && strlen(text) != size) {
        err_set(err, ERR_MALFORMED, "%s is not text: it holds a NUL at byte %zu", path,
                strlen(text));
        goto out;
    }
    *data = text;
    text = NULL; /* the caller's now */
    if (len)
        *len = size;
    rc = 0;
out:
    mem_free(text);
    buf_clear(&b);
    close(fd);
    return rc;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* To the disk itself: on Darwin fsync stops at the drive's own cache. */
static int sync_fd(int fd)
{
#ifdef F_FULLFSYNC
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return 0; /* else a file system that cannot: fsync is what there is */
#endif
    return fsync(fd);
}

/* Length of the folder part of path, with its slash; 0 when there is none. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

static int sync_folder(const char *path, struct err *err)
{
    char *folder = folder_len(path) ? mem_strndup(path, folder_len(path)) : mem_strdup(".");
    int fd, rc = -1;

    if (!folder)
        return err_set(err, ERR_NOMEM, "sync the folder of %s", path);
    if ((fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)) < 0) {
        err_set_errno(err, errno, "open %s", folder);
        goto out;
    }
    if (sync_fd(fd) < 0)
        err_set_errno(err, errno, "sync %s", folder);
    else
        rc = 0;
    close(fd);
out:
    mem_free(folder);
    return rc;
}

/* Create temp with the content, synced; nothing is left of it on failure. */
static int write_temp(const char *temp, mode_t mode, const void *data, size_t len, struct err *err)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0)
        return err_set_errno(err, errno, "create %s", temp);
    if (write_all(fd, data, len) < 0 || sync_fd(fd) < 0) {
        err_set_errno(err, errno, "write %s", temp);
        close(fd);
        unlink(temp);
        return -1;
    }
    if (close(fd) < 0) {
        err_set_errno(err, errno, "close %s", temp);
        unlink(temp);
        return -1;
    }
    return 0;
}

int file_write_atomic(const char *path, mode_t mode, const void *data, size_t len, struct err *err)
{
    size_t folder = folder_len(path);
    char salt[9], *temp = NULL;
    int rc = -1;

    if (random_hex(salt, 8, err) < 0 ||
        !(temp = file_path(err, "%.*s.%s.%s.new", (int)folder, path, path + folder, salt)))
        return -1;
    if (write_temp(temp, mode, data, len, err) < 0)
        goto out;
    if (rename(temp, path) < 0) {
        err_set_errno(err, errno, "rename %s to %s", temp, path);
        unlink(temp);
        goto out;
    }
    rc = sync_folder(path, err);
out:
    mem_free(temp);
    return rc;
}

bool file_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* What the holder of a lock wrote into it; 0 when it is no process id. */
static long holder_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = 0;

    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9' && pid < INT32_MAX / 10; i++)
        pid = pid * 10 + (text[i] - '0');
    return pid;
}

int file_lock(const char *path, int *fd, struct err *err)
{
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    char pid[24];
    int len, why;

    if (lock < 0)
        return err_set_errno(err, errno, "open %s", path);
    if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        why = errno;
        if (why == EWOULDBLOCK)
            err_set(err, ERR_BUSY, "%s is held by another process (%ld)", path, holder_pid(lock));
        else
            err_set_errno(err, why, "lock %s", path);
        close(lock);
        return -1;
    }
    len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) < 0 || write_all(lock, pid, (size_t)len) < 0) {
        err_set_errno(err, errno, "write %s", path);
        close(lock);
        return -1;
    }
    *fd = lock;
    return 0;
}

void file_unlock(int fd)
{
    if (fd >= 0)
        close(fd); /* the lock goes with its last descriptor */
}
