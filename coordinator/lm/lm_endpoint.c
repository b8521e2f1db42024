/* lm_endpoint.c - an address taken apart by libcurl's own parser, the one that will use it. */
#include "coordinator/lm/lm_endpoint.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static const char completions[] = "/chat/completions";

/* Whether a segment of the path is a version: v1, v3, v1beta. */
static bool has_version(const char *path)
{
    for (const char *p = path; (p = strchr(p, '/')); p++)
        if (p[1] == 'v' && p[2] >= '0' && p[2] <= '9')
            return true;
    return false;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    return len >= strlen(end) && memcmp(text + len - strlen(end), end, strlen(end)) == 0;
}

/* The path to ask; false when memory is out. */
static bool set_path(CURLU *u, const char *path)
{
    size_t len = strlen(path);
    struct buf b;
    char *full;
    bool done;

    while (len > 0 && path[len - 1] == '/')
        len--;
    buf_init(&b, PATH_TEXT_MAX);
    buf_add(&b, path, len);
    if (!ends_with(path, len, completions)) {
        if (!has_version(path))
            buf_adds(&b, "/v1");
        buf_adds(&b, completions);
    }
    full = buf_take(&b, NULL, NULL);
    done = full && curl_url_set(u, CURLUPART_PATH, full, 0) == CURLUE_OK;
    mem_free(full);
    return done;
}

static bool has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(u, part, &text, 0) == CURLUE_OK && text && *text;

    curl_free(text);
    return there;
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0 || strcmp(host, "::1") == 0;
}

/* Texts of libcurl's as ours. */
static char *take_url(CURLU *u)
{
    char *text = NULL, *copy = NULL;

    if (curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
        copy = mem_strdup(text);
    curl_free(text);
    return copy;
}

static int check_parts(CURLU *u, struct err *err)
{
    char *scheme = NULL;
    bool http;

    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return err_set(err, ERR_INVALID, "model address: no scheme, wanted http:// or https://");
    http = strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
    if (!http)
        err_set(err, ERR_INVALID, "model address: scheme \"%.20s\", wanted http or https", scheme);
    curl_free(scheme);
    if (!http)
        return -1;
    if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
        return err_set(
            err, ERR_INVALID,
            "model address: holds a user or password, which would be shown; give the key "
            "in a file or the environment");
    if (has_part(u, CURLUPART_FRAGMENT))
        return err_set(err, ERR_INVALID, "model address: holds a #fragment");
    return 0;
}

int lm_endpoint_parse(const char *text, struct lm_endpoint *out, struct err *err)
{
    struct lm_endpoint e = {0};
    char *path = NULL, *host = NULL;
    CURLU *u = curl_url();
    CURLUcode code;
    int rc = -1;

    if (!u)
        return err_set(err, ERR_NOMEM, "model address");
    /* without a scheme libcurl would guess one by the host's name: it must be said */
    code = curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK) {
        err_set(err, ERR_INVALID,
                "model address: %s, wanted something like http://127.0.0.1:8080/v1",
                curl_url_strerror(code));
        goto out;
    }
    if (check_parts(u, err) < 0)
        goto out;
    if (curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !set_path(u, path) ||
        !(e.url = take_url(u)))
        goto no_memory;
    e.loopback = is_loopback(host);
    curl_url_set(u, CURLUPART_QUERY, NULL, 0);
    if (!(e.display = take_url(u)))
        goto no_memory;
    *out = e;
    rc = 0;
    goto out;
no_memory:
    err_set(err, ERR_NOMEM, "model address");
    lm_endpoint_clear(&e);
out:
    curl_free(path);
    curl_free(host);
    curl_url_cleanup(u);
    return rc;
}

void lm_endpoint_clear(struct lm_endpoint *e)
{
    mem_free(e->url);
    mem_free(e->display);
    memset(e, 0, sizeof *e);
}
