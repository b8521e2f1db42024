/* file.h - whole files, folders and locks.
 *
 * Paths are the user's or made by file_path; nothing here opens a path that a peer named. */
#ifndef COMMON_CORE_FILE_H
#define COMMON_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* A path from parts: file_path(err, "%s/plans/%s", dir, job). Yours to mem_free; ERR_TOO_BIG past
 * PATH_TEXT_MAX. */
char *file_path(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Read all of it: *data is NUL-terminated after *len and yours to mem_free. `len` may be NULL when
 * the file may hold no NUL (one that does is refused). ERR_TOO_BIG past max bytes. */
int file_read(const char *path, size_t max, char **data, size_t *len, struct err *err);

/* Afterwards path holds exactly this, or what it held before, also when the power goes: written
 * beside it, synced, renamed, and the folder synced. The umask applies to mode. */
int file_write_atomic(const char *path, mode_t mode, const void *data, size_t len, struct err *err);

/* Make the folder and those above it; one that exists is fine, whatever its mode. */
int file_make_dirs(const char *path, mode_t mode, struct err *err);

bool file_exists(const char *path); /* also a broken link is something that exists */

/* Remove a file or a folder with all in it. Links are removed, never followed; nothing there is
 * fine; deeper than FILE_TREE_DEPTH_MAX is refused. May stop half way. */
int file_remove_tree(const char *path, struct err *err);

#define FILE_TREE_DEPTH_MAX 32 /* our deepest tree has 5; each level holds one open descriptor */

/* Names in a folder, sorted by byte, without those that start with a dot. ERR_TOO_BIG when there
 * are more than max. Free with file_list_free. */
int file_list(const char *path, size_t max, char ***names, size_t *count, struct err *err);
void file_list_free(char **names, size_t count); /* NULL is fine */

/* Hold path (made when absent, 0600, with our process id inside) until file_unlock or the end of
 * the process, however it ends. ERR_BUSY, naming the holder, when another has it. Children do not
 * inherit it. */
int file_lock(const char *path, int *fd, struct err *err);
void file_unlock(int fd); /* -1 is fine; the file stays, so that two never lock different files */

#endif
