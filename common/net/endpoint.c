/* endpoint.c - endpoints as text: which transport, well formed, and for ipc whose folder.
 *
 * libzmq's own refusals say "Invalid argument"; here they name what was wanted. What it would take
 * and we would not: other transports (no CURVE, or not on a Mac), a source address before ';', the
 * abstract names of Linux (ipc://@x), which every user may open, and an ipc path of '*', which is a
 * folder in /tmp. */
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static int tcp_check(const char *endpoint, const char *rest, bool bind, struct err *err)
{
    const char *colon = strrchr(rest, ':');
    int64_t port;

    if (!colon || colon == rest || strchr(rest, ';') || strchr(rest, '/'))
        return err_set(err, ERR_INVALID, "endpoint '%s': wanted tcp://HOST:PORT", endpoint);
    if (memchr(rest, ':', (size_t)(colon - rest)) && (rest[0] != '[' || colon[-1] != ']'))
        return err_set(err, ERR_INVALID, "endpoint '%s': an IPv6 address goes in brackets",
                       endpoint);
    if (!bind && rest[0] == '*')
        return err_set(err, ERR_INVALID, "endpoint '%s': '*' is no host to connect to", endpoint);
    if (strcmp(colon + 1, "*") == 0 && bind)
        return 0;
    if (num_parse_i64(colon + 1, strlen(colon + 1), 1, 65535, &port, "port", err) < 0)
        return err_prefix(err, "endpoint '%s'", endpoint);
    return 0;
}

static int ipc_check(const char *endpoint, const char *path, struct err *err)
{
    size_t len = strlen(path);

    if (len == 0 || path[0] == '@' || path[0] == '*' || path[len - 1] == '/')
        return err_set(err, ERR_INVALID, "endpoint '%s': wanted ipc://PATH of a file", endpoint);
    if (len > NET_IPC_PATH_MAX)
        return err_set(err, ERR_TOO_BIG,
                       "endpoint '%s': a path of %zu bytes, a socket's has at most %d", endpoint,
                       len, NET_IPC_PATH_MAX);
    return 0;
}

int endpoint_check(const char *endpoint, bool bind, enum net_transport *out, struct err *err)
{
    const char *rest;

    if (!endpoint || !endpoint[0])
        return err_set(err, ERR_INVALID, "endpoint is absent");
    if (strlen(endpoint) > NET_ENDPOINT_MAX)
        return err_set(err, ERR_TOO_BIG, "endpoint of %zu bytes, limit %d", strlen(endpoint),
                       NET_ENDPOINT_MAX);
    if ((rest = after(endpoint, "tcp://"))) {
        *out = NET_TCP;
        return tcp_check(endpoint, rest, bind, err);
    }
    if ((rest = after(endpoint, "ipc://"))) {
        *out = NET_IPC;
        return ipc_check(endpoint, rest, err);
    }
    if ((rest = after(endpoint, "inproc://")) && rest[0]) {
        *out = NET_INPROC;
        return 0;
    }
    return err_set(err, ERR_INVALID,
                   "endpoint '%s': wanted tcp://HOST:PORT, ipc://PATH or inproc://NAME", endpoint);
}

static int folder_check(const char *folder, struct err *err)
{
    struct stat st;

    if (stat(folder, &st) < 0)
        return err_set_errno(err, errno, "folder %s", folder);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is not a folder", folder);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "folder %s belongs to user %ld, not to us (%ld)", folder,
                       (long)st.st_uid, (long)geteuid());
    if (st.st_mode & 077)
        return err_set(err, ERR_DENIED,
                       "folder %s may be entered by others (mode %03o): chmod 700 %s", folder,
                       (unsigned)(st.st_mode & 0777), folder);
    return 0;
}

int endpoint_prepare_folder(const char *endpoint, struct err *err)
{
    const char *path = endpoint + strlen("ipc://");
    const char *slash = strrchr(path, '/');
    char *folder;
    int rc = -1;

    if (!slash)
        folder = mem_strdup(".");
    else if (slash == path)
        folder = mem_strdup("/");
    else
        folder = mem_strndup(path, (size_t)(slash - path));
    if (!folder)
        return err_set(err, ERR_NOMEM, "folder of '%s'", endpoint);
    if (file_make_dirs(folder, 0700, err) == 0 && folder_check(folder, err) == 0)
        rc = 0;
    else
        err_prefix(err, "endpoint '%s'", endpoint);
    mem_free(folder);
    return rc;
}
