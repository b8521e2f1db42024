/* config_paths.c - where the coordinator keeps its things when nobody says so. */
#include "coordinator/config/config.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/hash.h"
#include "common/core/mem.h"

#include <string.h>
#include <unistd.h>

static const char *env_get(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; env && *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=' && (*env)[len + 1])
            return *env + len + 1;
    return NULL;
}

char *config_data_dir(char *const *env, struct err *err)
{
    const char *home = env_get(env, "HOME");

#ifdef __APPLE__
    if (home)
        return file_path(err, "%s/Library/Application Support/Espalier", home);
#else
    const char *state = env_get(env, "XDG_STATE_HOME");

    if (state && *state == '/') /* a relative one is to be ignored, says its specification */
        return file_path(err, "%s/espalier", state);
    if (home)
        return file_path(err, "%s/.local/state/espalier", home);
#endif
    err_set(err, ERR_INVALID, "data_dir: not set, and HOME is not set either");
    return NULL;
}

char *config_ipc_path(const char *data_dir, char *const *env, struct err *err)
{
    const char *temporary = env_get(env, "TMPDIR");
    char *path = file_path(err, "%s/run/coordinator.sock", data_dir);
    char hex[17];

    if (!path || strlen(path) <= CONFIG_SOCKET_PATH_MAX)
        return path;
    mem_free(path);
    hash64_hex(hash64_add_text(hash64_init(), data_dir), hex);
    path = file_path(err, "%s/espalier-%lu/%s.sock", temporary ? temporary : "/tmp",
                     (unsigned long)getuid(), hex);
    if (path && strlen(path) > CONFIG_SOCKET_PATH_MAX) {
        err_set(err, ERR_TOO_BIG,
                "ipc_path: \"%.120s\" is longer than the %d bytes a socket can have", path,
                CONFIG_SOCKET_PATH_MAX);
        mem_free(path);
        return NULL;
    }
    return path;
}
