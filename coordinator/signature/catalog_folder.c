/* catalog_folder.c - a folder of definitions, read whole before anything is made of it. */
#include "coordinator/signature/catalog.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "coordinator/signature/definition.h"

#include <stdbool.h>
#include <string.h>

static bool is_definition(const char *name)
{
    size_t len = strlen(name);

    return len > strlen(".json") && strcmp(name + len - strlen(".json"), ".json") == 0;
}

static int read_one(const char *folder, const char *name, struct catalog_file *out, struct err *err)
{
    char *path = file_path(err, "%s/%s", folder, name), *text = NULL;
    int rc = path ? file_read(path, DEFINITION_TEXT_MAX, &text, &out->len, err) : -1;

    mem_free(path);
    if (rc < 0)
        return -1;
    out->file = name;
    out->text = text;
    return 0;
}

struct catalog *catalog_new_from_folder(const char *folder, struct err *err)
{
    struct catalog_file *files = NULL;
    size_t names_count = 0, count = 0;
    struct catalog *c = NULL;
    char **names = NULL;
    bool whole = false;

    if (file_list(folder, CATALOG_MAX, &names, &names_count, err) < 0)
        return NULL;
    if (!(files = mem_calloc(names_count, sizeof *files)))
        err_set(err, ERR_NOMEM, "%.200s", folder);
    whole = files != NULL;
    for (size_t i = 0; whole && i < names_count; i++) {
        if (!is_definition(names[i]))
            continue;
        whole = read_one(folder, names[i], &files[count], err) == 0;
        count += whole;
    }
    if (whole)
        c = catalog_new_with(files, count, err);
    for (size_t i = 0; i < count; i++)
        mem_free((char *)files[i].text);
    mem_free(files);
    file_list_free(names, names_count);
    return c;
}
