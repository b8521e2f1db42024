/* place.c - see place.h. */
#include "coordinator/cli/place.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "coordinator/cli/args.h"
#include "coordinator/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096 /* bytes: a key file has under 200, with room for comments */

void place_clear(struct place *p)
{
    net_keys_wipe(&p->keys);
    memset(p, 0, sizeof *p);
}

char *place_key_path(const struct args *a, char *const *env, struct err *err)
{
    const char *home = args_env(env, "HOME");

    if (args_has(a, OPTION_KEY))
        return file_path(err, "%s", a->value[OPTION_KEY]);
    if (args_has(a, OPTION_DATA_DIR) && !a->from_env[OPTION_DATA_DIR])
        return file_path(err, "%s/tool.keys", a->value[OPTION_DATA_DIR]);
#ifdef __APPLE__
    if (home)
        return file_path(err, "%s/Library/Application Support/Espalier/tool.keys", home);
#else
    {
        const char *config = args_env(env, "XDG_CONFIG_HOME");

        if (config && *config == '/') /* a relative one is to be ignored, says its specification */
            return file_path(err, "%s/espalier/tool.keys", config);
    }
    if (home)
        return file_path(err, "%s/.config/espalier/tool.keys", home);
#endif
    err_set(err, ERR_INVALID, "--key: not given, and HOME is not set either");
    return NULL;
}

/* ---- on this machine ---- */

static int find_local(const struct args *a, char *const *env, struct place *out, struct err *err)
{
    char *data_dir = NULL, *path;
    int rc = 0;

    if (args_has(a, OPTION_SOCKET)) {
        path = file_path(err, "%s", a->value[OPTION_SOCKET]);
    } else {
        data_dir = args_has(a, OPTION_DATA_DIR) ? file_path(err, "%s", a->value[OPTION_DATA_DIR])
                                                : config_data_dir(env, err);
        path = data_dir ? config_ipc_path(data_dir, env, err) : NULL;
    }
    mem_free(data_dir);
    if (!path)
        return -1;
    if (strlen(path) > CONFIG_SOCKET_PATH_MAX)
        rc = err_set(err, ERR_INVALID,
                     "--socket: \"%.120s\" is longer than the %d bytes a socket can have", path,
                     CONFIG_SOCKET_PATH_MAX);
    if (rc == 0) {
        out->local = true;
        snprintf(out->path, sizeof out->path, "%s", path);
        snprintf(out->endpoint, sizeof out->endpoint, "ipc://%s", path);
    }
    mem_free(path);
    return rc;
}

static const char what_to_do[] =
    "start espalier-coordinator, or say where it is: --data-dir, --socket or --coordinator";

int place_check_socket(const struct place *p, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, rc = 0, why;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", p->path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "socket");
    rc = connect(fd, (struct sockaddr *)&address, sizeof address);
    why = errno;
    close(fd);
    if (rc == 0)
        return 0;
    if (why == ENOENT || why == ENOTDIR)
        return err_set(err, ERR_NOT_FOUND, "no coordinator at %.110s; %s", p->path, what_to_do);
    if (why == ECONNREFUSED)
        return err_set(err, ERR_IO, "the coordinator at %.110s is not running any more; %s",
                       p->path, what_to_do);
    if (why == EACCES || why == EPERM)
        return err_set(err, ERR_DENIED,
                       "%.120s belongs to another user; ask that user, or use --coordinator with a "
                       "key of your own",
                       p->path);
    return err_set_errno(err, why, "%.120s", p->path);
}

/* ---- elsewhere ---- */

/* "host", "host:7421", "[::1]" or any of them after tcp://. */
static int read_endpoint(const char *text, struct place *out, struct err *err)
{
    const char *host = strncmp(text, "tcp://", 6) == 0 ? text + 6 : text;
    const char *bracket = strrchr(host, ']'), *colon = strrchr(host, ':');
    bool has_port = colon && (!bracket || colon > bracket);
    int n;

    if (strstr(host, "://") || !*host || *host == ':' || host[strcspn(host, " \t")] ||
        (has_port && !colon[1]))
        return err_set(err, ERR_INVALID,
                       "--coordinator: \"%.120s\", wanted HOST:PORT or tcp://HOST:PORT", text);
    n = has_port
            ? snprintf(out->endpoint, sizeof out->endpoint, "tcp://%s", host)
            : snprintf(out->endpoint, sizeof out->endpoint, "tcp://%s:%d", host, PLACE_TOOLS_PORT);
    if (n < 0 || (size_t)n >= sizeof out->endpoint)
        return err_set(err, ERR_INVALID, "--coordinator: longer than %d bytes", PLACE_ENDPOINT_MAX);
    return 0;
}

/* The first key of a file: alone, or after the label of a key file (never the one of the secret).
 */
static int read_key_file(const char *path, char out[NET_KEY_CHARS + 1], struct err *err)
{
    char *text = NULL, *word, *rest = NULL;
    bool secret = false, found = false;

    if (file_read(path, KEY_FILE_MAX, &text, NULL, err) < 0)
        return err_prefix(err, "--server-key");
    for (word = strtok_r(text, " \t\r\n", &rest); word && !found;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        found = !secret && net_key_check(word, NULL) == 0;
        secret = strstr(word, "secret") != NULL;
        if (found)
            snprintf(out, NET_KEY_CHARS + 1, "%s", word);
    }
    mem_wipe(text, strlen(text));
    mem_free(text);
    if (!found)
        return err_set(err, ERR_INVALID, "--server-key: no public key in %.150s", path);
    return 0;
}

static int read_server_key(const char *text, char out[NET_KEY_CHARS + 1], struct err *err)
{
    if (strlen(text) == NET_KEY_CHARS && net_key_check(text, NULL) == 0) {
        snprintf(out, NET_KEY_CHARS + 1, "%s", text);
        return 0;
    }
    if (!file_exists(text))
        return err_set(err, ERR_INVALID,
                       "--server-key: \"%.120s\" is neither a key of %d characters nor a file",
                       text, NET_KEY_CHARS);
    return read_key_file(text, out, err);
}

static int find_remote(const struct args *a, char *const *env, struct place *out, struct err *err)
{
    char *path;
    int rc;

    if (!args_has(a, OPTION_SERVER_KEY))
        return err_set(err, ERR_INVALID,
                       "--coordinator wants --server-key too: the coordinator's public key, which "
                       "`espalier status` shows where it runs");
    if (read_endpoint(a->value[OPTION_COORDINATOR], out, err) < 0 ||
        read_server_key(a->value[OPTION_SERVER_KEY], out->server_key, err) < 0 ||
        !(path = place_key_path(a, env, err)))
        return -1;
    rc = net_keys_load_or_make(path, &out->keys, err);
    mem_free(path);
    return rc;
}

int place_find(const struct args *a, char *const *env, struct place *out, struct err *err)
{
    struct place p = {0};
    bool remote = args_has(a, OPTION_COORDINATOR);
    int rc;

    if (remote && args_has(a, OPTION_SOCKET) &&
        a->from_env[OPTION_SOCKET] == a->from_env[OPTION_COORDINATOR])
        return err_set(err, ERR_INVALID, "--socket and --coordinator are both given, wanted one");
    if (remote && args_has(a, OPTION_SOCKET))
        remote = a->from_env[OPTION_SOCKET]; /* the command line wins over the environment */
    rc = remote ? find_remote(a, env, &p, err) : find_local(a, env, &p, err);
    if (rc < 0) {
        place_clear(&p);
        return -1;
    }
    *out = p;
    place_clear(&p);
    return 0;
}
