/* embed.h - files that were made part of the program by espalier_embed (deploy/cmake/embed.cmake).
 *
 *     extern const struct embedded_file signature_files[];
 *     extern const size_t signature_files_count;
 *     f = embed_find(signature_files, signature_files_count, "FederatedFineTuning.json"); */
#ifndef COMMON_CORE_EMBED_H
#define COMMON_CORE_EMBED_H

#include <stddef.h>
#include <string.h>

struct embedded_file {
    const char *name;          /* the file's own name, without its folder */
    const unsigned char *data; /* len bytes, and a NUL that is not counted */
    size_t len;
};

/* NULL when there is none of that name. */
static inline const struct embedded_file *embed_find(const struct embedded_file *files,
                                                     size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

#endif
