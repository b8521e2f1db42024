/* keys_file.c - the file that holds a key pair; see keys.h.
 *
 * The permissions are asked of the open file, so what is checked is what is read. */
#include "common/net/keys.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_PUBLIC "espalier-public-key "
#define LABEL_SECRET "espalier-secret-key "
#define FILE_MAX 512 /* ours has 122 bytes; a little more may be a wrong file, much more is one */

static int file_may_be_read(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "key file %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "key file %s is not a file", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "key file %s belongs to user %ld, not to us: chown %ld %s",
                       path, (long)st.st_uid, (long)geteuid(), path);
    if (st.st_mode & 077)
        return err_set(err, ERR_DENIED,
                       "key file %s may be used by others (mode %03o): chmod 600 %s", path,
                       (unsigned)(st.st_mode & 0777), path);
    return 0;
}

/* The text of the file; its length or -1. */
static ssize_t text_read(const char *path, char text[FILE_MAX + 1], struct err *err)
{
    /* Not blocking: a pipe under that name must not stop us here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0) {
        err_set_errno(err, errno, "key file %s", path);
        return -1;
    }
    if (file_may_be_read(fd, path, err) < 0)
        goto fail;
    while (len < FILE_MAX && n != 0) {
        if ((n = read(fd, text + len, FILE_MAX - len)) < 0 && errno != EINTR) {
            err_set_errno(err, errno, "key file %s", path);
            goto fail;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    text[len] = '\0';
    return (ssize_t)len;
fail:
    close(fd);
    return -1;
}

/* "label KEY\n" at *text into key, and *text past it. */
static bool line_take(const char **text, const char *label, char key[NET_KEY_CHARS + 1])
{
    size_t len = strlen(label);

    if (strncmp(*text, label, len) != 0 || strnlen(*text + len, NET_KEY_CHARS) < NET_KEY_CHARS ||
        (*text)[len + NET_KEY_CHARS] != '\n')
        return false;
    memcpy(key, *text + len, NET_KEY_CHARS);
    key[NET_KEY_CHARS] = '\0';
    *text += len + NET_KEY_CHARS + 1;
    return true;
}

static int text_parse(const char *text, size_t len, const char *path, struct net_keys *out,
                      struct err *err)
{
    const char *rest = text;
    char derived[NET_KEY_CHARS + 1];

    if (!line_take(&rest, LABEL_PUBLIC, out->public_key) ||
        !line_take(&rest, LABEL_SECRET, out->secret_key) || rest != text + len)
        return err_set(
            err, ERR_MALFORMED,
            "key file %s: wanted two lines, '" LABEL_PUBLIC "KEY' and '" LABEL_SECRET "KEY'", path);
    if (net_keys_derive_public(out->secret_key, derived, err) < 0) {
        err_set(err, ERR_MALFORMED, "key file %s: the secret key is not %d characters of Z85", path,
                NET_KEY_CHARS);
        return -1;
    }
    if (strcmp(derived, out->public_key) != 0)
        return err_set(err, ERR_MALFORMED,
                       "key file %s: the public key does not belong to the secret one", path);
    return 0;
}

int net_keys_load(const char *path, struct net_keys *out, struct err *err)
{
    char text[FILE_MAX + 1];
    struct net_keys keys;
    ssize_t len = text_read(path, text, err);
    int rc = -1;

    if (len >= 0 && (rc = text_parse(text, (size_t)len, path, &keys, err)) == 0)
        *out = keys;
    mem_wipe(text, sizeof text);
    net_keys_wipe(&keys);
    return rc;
}

static int folder_make(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    int rc;

    if (!slash || slash == path)
        return 0;
    if (!(folder = mem_strndup(path, (size_t)(slash - path))))
        return err_set(err, ERR_NOMEM, "key file %s", path);
    rc = file_make_dirs(folder, 0700, err);
    mem_free(folder);
    return rc;
}

static int keys_write(const char *path, const struct net_keys *keys, struct err *err)
{
    char text[FILE_MAX];
    int len = snprintf(text, sizeof text, LABEL_PUBLIC "%s\n" LABEL_SECRET "%s\n", keys->public_key,
                       keys->secret_key);
    int rc = -1;

    if (folder_make(path, err) == 0)
        rc = file_write_atomic(path, 0600, text, (size_t)len, err);
    mem_wipe(text, sizeof text);
    return rc;
}

int net_keys_load_or_make(const char *path, struct net_keys *out, struct err *err)
{
    struct err reason = {ERR_NONE, ""};
    struct net_keys keys;
    int rc;

    if (net_keys_load(path, out, &reason) == 0)
        return 0;
    if (reason.code != ERR_NOT_FOUND)
        return err_set(err, reason.code, "%s", reason.text);
    if (net_keys_make(&keys, err) < 0)
        return -1;
    if ((rc = keys_write(path, &keys, err)) == 0)
        *out = keys;
    net_keys_wipe(&keys);
    return rc;
}
