/* file_tree.c - folders: make, list, remove (file.h).
 *
 * Removal goes down by descriptor (openat, O_NOFOLLOW), never by path, so nobody who can write in
 * the tree can point it elsewhere while it runs. */
#include "common/core/file.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One folder; fine when it is there already. */
static int make_dir(const char *path, mode_t mode, struct err *err)
{
    struct stat st;
    int why;

    if (mkdir(path, mode) == 0)
        return 0;
    why = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        return err_set(err, ERR_EXISTS, "%s is there and is no folder", path);
    }
    return err_set_errno(err, why, "make folder %s", path);
}

int file_make_dirs(const char *path, mode_t mode, struct err *err)
{
    char *copy = file_path(err, "%s", path);
    int rc = 0;

    if (!copy)
        return -1;
    for (char *p = copy + (*copy == '/'); rc == 0 && *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        rc = make_dir(copy, mode, err);
        *p = '/';
    }
    if (rc == 0)
        rc = make_dir(path, mode, err);
    mem_free(copy);
    return rc;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int remove_inside(int folder, const char *path, int depth, struct err *err);

/* Remove `name` in the open folder `at`, whatever it is. */
static int remove_at(int at, const char *name, const char *path, int depth, struct err *err)
{
    int fd;

    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* Linux and POSIX name a folder differently */
        return err_set_errno(err, errno, "remove %s in %s", name, path);
    if (depth >= FILE_TREE_DEPTH_MAX)
        return err_set(err, ERR_TOO_BIG, "%s is deeper than %d folders", path, FILE_TREE_DEPTH_MAX);
    fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return err_set_errno(err, errno, "remove %s in %s", name, path);
    if (remove_inside(fd, path, depth + 1, err) < 0)
        return -1;
    if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "remove %s in %s", name, path);
    return 0;
}

/* Empty an open folder; closes it. */
static int remove_inside(int folder, const char *path, int depth, struct err *err)
{
    DIR *dir = fdopendir(folder);
    const struct dirent *entry;
    int rc = 0;

    if (!dir) {
        err_set_errno(err, errno, "read %s", path);
        close(folder);
        return -1;
    }
    while (rc == 0 && (entry = readdir(dir)))
        if (!is_dots(entry->d_name))
            rc = remove_at(dirfd(dir), entry->d_name, path, depth, err);
    closedir(dir);
    return rc;
}

int file_remove_tree(const char *path, struct err *err)
{
    return remove_at(AT_FDCWD, path, path, 0, err);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Add a copy of name to the list, whose capacity is a power of two. */
static int list_add(char ***names, size_t *count, const char *name)
{
    char **more;

    if ((*count & (*count - 1)) == 0) { /* full, or empty: to the next power of two */
        if (!(more = mem_realloc_array(*names, *count ? 2 * *count : 1, sizeof *more)))
            return -1;
        *names = more;
    }
    if (!((*names)[*count] = mem_strdup(name)))
        return -1;
    (*count)++;
    return 0;
}

static int list_read(DIR *dir, const char *path, size_t max, char ***names, size_t *count,
                     struct err *err)
{
    const struct dirent *entry;

    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count >= max)
            return err_set(err, ERR_TOO_BIG, "%s holds more than %zu files", path, max);
        if (list_add(names, count, entry->d_name) < 0)
            return err_set(err, ERR_NOMEM, "names in %s", path);
    }
    return errno ? err_set_errno(err, errno, "read %s", path) : 0;
}

int file_list(const char *path, size_t max, char ***names, size_t *count, struct err *err)
{
    DIR *dir = opendir(path);
    char **found = NULL;
    size_t n = 0;
    int rc;

    if (!dir)
        return err_set_errno(err, errno, "open %s", path);
    rc = list_read(dir, path, max, &found, &n, err);
    closedir(dir);
    if (rc < 0) {
        file_list_free(found, n);
        return -1;
    }
    if (n > 1)
        qsort(found, n, sizeof *found, compare_names);
    *names = found;
    *count = n;
    return 0;
}

void file_list_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        mem_free(names[i]);
    mem_free(names);
}
