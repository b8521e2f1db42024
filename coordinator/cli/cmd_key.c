/* cmd_key.c - this tool's own public key, to be let in at a coordinator elsewhere. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/net/keys.h"
#include "coordinator/cli/place.h"

static int show_json(struct cli *c, const char *public_key, const char *path)
{
    struct json *object = json_object();
    struct err err = {0};
    char *text = NULL;
    struct page p;

    if (!object || json_set_text(object, "public_key", public_key) < 0 ||
        json_set_text(object, "file", path) < 0) {
        json_free(object);
        cli_say(c, "no memory");
        return CLI_BROKEN;
    }
    text = json_print(object, true, &err);
    json_free(object);
    if (!text)
        return cli_fail(c, &err);
    cli_page(c, &p);
    buf_adds(&p.text, text);
    mem_free(text);
    return cli_show(c, &p);
}

int cmd_key(struct cli *c, const char *const *words, size_t count)
{
    struct net_keys keys;
    struct page p;
    struct err err = {0};
    char *path = place_key_path(&c->args, c->env, &err);
    int rc;

    (void)words;
    (void)count;
    if (!path || net_keys_load_or_make(path, &keys, &err) < 0) {
        mem_free(path);
        cli_say(c, "%s", err.text);
        return CLI_USAGE;
    }
    if (c->json) {
        rc = show_json(c, keys.public_key, path);
    } else {
        cli_page(c, &p);
        page_line(&p, STYLE_PLAIN, "%s", keys.public_key);
        rc = cli_show(c, &p);
    }
    net_keys_wipe(&keys);
    mem_free(path);
    return rc;
}
