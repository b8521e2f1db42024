/* folder.h - a folder of a test's own, with files in it; gone at the end. */
#ifndef TESTS_UNIT_AGENT_FOLDER_H
#define TESTS_UNIT_AGENT_FOLDER_H

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A new folder; its path is yours to mem_free, after folder_remove. */
static inline char *folder_make(void)
{
    const char *base = getenv("TMPDIR");
    char *path = file_path(NULL, "%s/espalier-test-XXXXXX", base && *base ? base : "/tmp");

    return path && mkdtemp(path) ? path : NULL;
}

static inline void folder_remove(char *path)
{
    file_remove_tree(path, NULL);
    mem_free(path);
}

/* Write folder/name, with the folders above it. */
static inline void folder_put(const char *folder, const char *name, const char *text)
{
    char *path = file_path(NULL, "%s/%s", folder, name), *slash = strrchr(path, '/');

    *slash = '\0';
    if (file_make_dirs(path, 0755, NULL) < 0)
        abort();
    *slash = '/';
    if (file_write_atomic(path, 0755, text, strlen(text), NULL) < 0)
        abort();
    mem_free(path);
}

/* What folder/name holds, yours to mem_free; NULL when there is no such file. */
static inline char *folder_get(const char *folder, const char *name)
{
    char *path = file_path(NULL, "%s/%s", folder, name), *text = NULL;
    size_t len;

    if (file_read(path, 16 * 1024 * 1024, &text, &len, NULL) < 0)
        text = NULL;
    mem_free(path);
    return text;
}

static inline int folder_has(const char *folder, const char *name)
{
    char *path = file_path(NULL, "%s/%s", folder, name);
    int there = file_exists(path);

    mem_free(path);
    return there;
}

#endif
