/* keyring.c - two lists of keys: read, checked whole, handed to ZAP, rewritten atomically. */
#include "coordinator/front/keyring.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/tool_message.h"
#include "common/net/keys.h"
#include "common/net/zap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEYS_FILE_MAX (256u * 1024 * 1024) /* KEYRING_KEYS_MAX lines of the longest form */

enum { AGENTS, TOOLS, LISTS };

struct list {
    char *path;
    struct timespec changed; /* of the file when it was read */
    off_t size;
    char refused[ERR_TEXT_MAX]; /* the fault told last, so that it is told once */
};

struct keyring {
    struct net_zap *zap;
    struct list lists[LISTS];
    struct key *keys; /* agents, then tools */
    size_t count, agents;
    uint64_t version;
    struct map *by_user; /* device id or tool user id -> struct key in keys */
};

static const char *const file_names[LISTS] = {"agents.keys", "tools.keys"};
static const char *const domains[LISTS] = {KEYRING_AGENTS_DOMAIN, KEYRING_TOOLS_DOMAIN};

static int user_id_of(const struct key *k, char out[ID_TEXT_MAX + 1], struct err *err)
{
    char id[ID_TEXT_MAX + 1];

    if (k->kind == KEY_KIND_AGENT) {
        snprintf(out, ID_TEXT_MAX + 1, "%s", k->device_id);
        return 0;
    }
    if (net_device_id(k->public_key, id, err) < 0)
        return -1;
    snprintf(out, ID_TEXT_MAX + 1, "%s:%.40s", enum_name(&role_names, k->role), id);
    return 0;
}

/* One word of a line, up to a blank; NULL at its end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    size_t len = strcspn(word, " \t");

    if (len == 0)
        return NULL;
    *rest = word + len;
    if (word[len])
        *(*rest)++ = '\0';
    return word;
}

static int parse_line(char *line, int list, struct key *k, struct err *err)
{
    char *rest = line, *key = next_word(&rest), *second = next_word(&rest);

    if (net_key_check(key, err) < 0)
        return -1;
    if (!second)
        return err_set(err, ERR_INVALID, "wanted \"KEY %s [NAME]\"",
                       list == AGENTS ? "DEVICE_ID" : "viewer|operator");
    k->kind = list == AGENTS ? KEY_KIND_AGENT : KEY_KIND_TOOL;
    rest += strspn(rest, " \t");
    if (text_set(&k->public_key, key, err) < 0 || (*rest && text_set(&k->name, rest, err) < 0))
        return -1;
    if (list == AGENTS)
        return text_set(&k->device_id, second, err);
    return enum_parse(&role_names, second, &k->role, "role", err);
}

static int parse_list(char *text, int list, struct key **keys, size_t *count, struct err *err)
{
    char *line, *rest = text;

    for (int number = 1; (line = strsep(&rest, "\n")); number++) {
        struct key *k;

        line[strcspn(line, "\r")] = '\0';
        if (!line[strspn(line, " \t")] || strncmp(line, "# ", 2) == 0)
            continue;
        if (*count >= KEYRING_KEYS_MAX)
            return err_set(err, ERR_TOO_BIG, "line %d: more than %d keys", number,
                           KEYRING_KEYS_MAX);
        if (!(k = records_add(&key_type, keys, count, err)) || parse_line(line, list, k, err) < 0 ||
            record_check(&key_type, k, err) < 0)
            return err_prefix(err, "line %d", number);
    }
    return 0;
}

static void keys_free(struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_clear(&key_type, &keys[i]);
    mem_free(keys);
}

static int read_list(const struct list *l, int list, struct key **keys, size_t *count,
                     struct err *err)
{
    char *text = NULL;
    int rc;

    if (!file_exists(l->path))
        return 0;
    if (file_read(l->path, KEYS_FILE_MAX, &text, NULL, err) < 0)
        return -1;
    rc = parse_list(text, list, keys, count, err);
    mem_free(text);
    return rc < 0 ? err_prefix(err, "%s", file_names[list]) : 0;
}

static struct map *index_keys(struct key *keys, size_t count, struct err *err)
{
    struct map *by_user = map_new(2 * KEYRING_KEYS_MAX);
    char user[ID_TEXT_MAX + 1];

    assert(keys || count == 0);
    for (size_t i = 0; by_user && i < count; i++) {
        if (user_id_of(&keys[i], user, err) < 0)
            goto fail;
        if (map_get(by_user, user)) {
            err_set(err, ERR_EXISTS, "%s is on the list twice", user);
            goto fail;
        }
        if (map_put(by_user, user, &keys[i], NULL) < 0)
            goto nomem;
    }
    if (by_user)
        return by_user;
nomem:
    err_set(err, ERR_NOMEM, "index of %zu keys", count);
fail:
    map_free(by_user, NULL);
    return NULL;
}

static int tell_zap(struct net_zap *zap, const struct key *keys, size_t agents, size_t count,
                    struct err *err)
{
    struct net_zap_entry *entries = mem_calloc(count + 1, sizeof *entries);
    char(*users)[ID_TEXT_MAX + 1] = mem_calloc(count + 1, sizeof *users);
    int rc = -1;

    if (!entries || !users) {
        err_set(err, ERR_NOMEM, "list of %zu keys", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (user_id_of(&keys[i], users[i], err) < 0)
            goto out;
        entries[i].public_key = keys[i].public_key;
        entries[i].user_id = users[i];
    }
    if (zap && (net_zap_set(zap, domains[AGENTS], entries, agents, err) < 0 ||
                net_zap_set(zap, domains[TOOLS], entries + agents, count - agents, err) < 0))
        goto out;
    rc = 0;
out:
    mem_free(entries);
    mem_free(users);
    return rc;
}

/* Make these keys the ones in force; takes them over on success only. */
static int install(struct keyring *k, struct key *keys, size_t agents, size_t count,
                   struct err *err)
{
    struct map *by_user = index_keys(keys, count, err);

    if (!by_user)
        return -1;
    if (tell_zap(k->zap, keys, agents, count, err) < 0) {
        map_free(by_user, NULL);
        return -1;
    }
    map_free(k->by_user, NULL);
    keys_free(k->keys, k->count);
    k->by_user = by_user;
    k->keys = keys;
    k->agents = agents;
    k->count = count;
    k->version++;
    return 0;
}

static void note_stamp(struct list *l)
{
    struct stat st;

    if (stat(l->path, &st) < 0)
        memset(&st, 0, sizeof st);
#ifdef __APPLE__
    l->changed = st.st_mtimespec;
#else
    l->changed = st.st_mtim;
#endif
    l->size = st.st_size;
}

static bool stamp_is_new(const struct list *l)
{
    struct list now = *l;

    note_stamp(&now);
    return now.size != l->size || now.changed.tv_sec != l->changed.tv_sec ||
           now.changed.tv_nsec != l->changed.tv_nsec;
}

static int reread(struct keyring *k, struct err *err)
{
    struct key *keys = NULL;
    size_t count = 0, agents;

    for (int i = 0; i < LISTS; i++)
        note_stamp(&k->lists[i]);
    if (read_list(&k->lists[AGENTS], AGENTS, &keys, &count, err) < 0)
        goto fail;
    agents = count;
    if (read_list(&k->lists[TOOLS], TOOLS, &keys, &count, err) < 0 ||
        install(k, keys, agents, count, err) < 0)
        goto fail;
    return 0;
fail:
    keys_free(keys, count);
    return -1;
}

struct keyring *keyring_new(const char *folder, struct net_zap *zap, struct err *err)
{
    struct keyring *k = mem_zalloc(sizeof *k);

    if (!k) {
        err_set(err, ERR_NOMEM, "keyring");
        return NULL;
    }
    k->zap = zap;
    for (int i = 0; i < LISTS; i++)
        if (!(k->lists[i].path = file_path(err, "%s/%s", folder, file_names[i])))
            goto fail;
    if (reread(k, err) < 0)
        goto fail;
    return k;
fail:
    keyring_free(k);
    return NULL;
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    for (int i = 0; i < LISTS; i++)
        mem_free(k->lists[i].path);
    map_free(k->by_user, NULL);
    keys_free(k->keys, k->count);
    mem_free(k);
}

int keyring_refresh(struct keyring *k, struct err *err)
{
    if (!stamp_is_new(&k->lists[AGENTS]) && !stamp_is_new(&k->lists[TOOLS]))
        return 0;
    return reread(k, err) < 0 ? -1 : 1;
}

static int write_list(struct keyring *k, const struct key *keys, size_t agents, size_t count,
                      int list, struct err *err)
{
    size_t from = list == AGENTS ? 0 : agents, to = list == AGENTS ? agents : count;
    struct buf b;
    char *text;
    size_t len;
    int rc;

    assert(keys || count == 0);
    buf_init(&b, KEYS_FILE_MAX);
    buf_addf(&b, "# KEY %s [NAME]\n", list == AGENTS ? "DEVICE_ID" : "viewer|operator");
    for (size_t i = from; i < to; i++)
        buf_addf(&b, "%s %s%s%s\n", keys[i].public_key,
                 list == AGENTS ? keys[i].device_id : enum_name(&role_names, keys[i].role),
                 keys[i].name ? " " : "", keys[i].name ? keys[i].name : "");
    if (!(text = buf_take(&b, &len, err)))
        return -1;
    rc = file_write_atomic(k->lists[list].path, 0600, text, len, err);
    mem_free(text);
    return rc;
}

/* A copy of all keys but the one at `skip` (count: none), with room for one more at `place`. */
static int copy_keys(const struct keyring *k, size_t skip, size_t place, struct key **out,
                     struct err *err)
{
    struct key *keys = NULL;
    size_t count = 0;

    for (size_t i = 0; i <= k->count; i++) {
        if (i == place && !records_add(&key_type, &keys, &count, err))
            goto fail;
        if (i < k->count && i != skip) {
            struct key *to = records_add(&key_type, &keys, &count, err);
            struct key *copy = to ? key_dup(&k->keys[i], err) : NULL;

            if (!copy)
                goto fail;
            *to = *copy;
            mem_free(copy);
        }
    }
    *out = keys;
    return 0;
fail:
    keys_free(keys, count);
    return -1;
}

static size_t find_key(const struct keyring *k, const char *id)
{
    const struct key *found = map_get(k->by_user, id);

    if (found)
        return (size_t)(found - k->keys);
    for (size_t i = 0; i < k->count; i++) {
        char tool_id[ID_TEXT_MAX + 1];

        if (strcmp(k->keys[i].public_key, id) == 0)
            return i;
        if (i >= k->agents && net_device_id(k->keys[i].public_key, tool_id, NULL) == 0 &&
            strcmp(tool_id, id) == 0)
            return i;
    }
    return k->count;
}

static int commit(struct keyring *k, struct key *keys, size_t agents, size_t count, int list,
                  struct err *err)
{
    if (write_list(k, keys, agents, count, list, err) < 0 ||
        install(k, keys, agents, count, err) < 0) {
        keys_free(keys, count);
        return -1;
    }
    note_stamp(&k->lists[list]);
    return 0;
}

/* Where the key of `wanted` goes: the place of the key that it replaces; count: a new place.
 * `derived` is the id that the key makes by itself. */
static int find_place(const struct keyring *k, const struct key *wanted, const char *derived,
                      int list, size_t *out, struct err *err)
{
    size_t same = find_key(k, wanted->public_key), device;

    if (same < k->count && (same < k->agents) != (list == AGENTS))
        return err_set(err, ERR_EXISTS,
                       "public_key: this key is on the list of %s: forget it there first",
                       same < k->agents ? "agents" : "tools");
    *out = same;
    if (!wanted->device_id && same == k->count && list == AGENTS && keyring_agent(k, derived))
        return err_set(err, ERR_EXISTS,
                       "public_key: this key was device %s's, which has another one now: give "
                       "device_id to put it back",
                       derived);
    if (!wanted->device_id)
        return 0;
    if (list != AGENTS)
        return err_set(err, ERR_INVALID, "device_id: goes with an agent's key");
    device = find_key(k, wanted->device_id);
    if (device >= k->agents || strcmp(k->keys[device].device_id, wanted->device_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "device_id: no device \"%.64s\" is let in",
                       wanted->device_id);
    if (same < k->count && same != device)
        return err_set(err, ERR_EXISTS, "public_key: this key is device %s: forget that one first",
                       k->keys[same].device_id);
    *out = device;
    return 0;
}

int keyring_allow(struct keyring *k, const struct key *wanted, char **id, struct err *err)
{
    int list = wanted->kind == KEY_KIND_TOOL ? TOOLS : AGENTS;
    char derived[ID_TEXT_MAX + 1];
    size_t old, place, agents = k->agents;
    const char *name = wanted->name;
    struct key *keys, *fresh;

    if (net_key_check(wanted->public_key, err) < 0 ||
        net_device_id(wanted->public_key, derived, err) < 0)
        return err_prefix(err, "public_key");
    if (find_place(k, wanted, derived, list, &old, err) < 0)
        return -1;
    if (wanted->device_id && !name)
        name = k->keys[old].name;
    place = old < k->count ? old : list == AGENTS ? k->agents : k->count;
    if (copy_keys(k, old, place, &keys, err) < 0)
        return -1;
    assert(keys); /* a place was asked for: there is one at least */
    fresh = &keys[place];
    fresh->kind = list == AGENTS ? KEY_KIND_AGENT : KEY_KIND_TOOL;
    if (list == TOOLS)
        fresh->role = wanted->role ? wanted->role : ROLE_VIEWER;
    if (old == k->count && list == AGENTS)
        agents++;
    if (text_set(&fresh->public_key, wanted->public_key, err) < 0 ||
        (name && text_set(&fresh->name, name, err) < 0) ||
        (list == AGENTS &&
         text_set(&fresh->device_id, old < k->count ? k->keys[old].device_id : derived, err) < 0) ||
        record_check(&key_type, fresh, err) < 0 ||
        text_set(id, list == AGENTS ? fresh->device_id : derived, err) < 0) {
        keys_free(keys, k->count + (old == k->count));
        return -1;
    }
    return commit(k, keys, agents, k->count + (old == k->count), list, err);
}

int keyring_forget(struct keyring *k, const char *id, char **device_id, struct err *err)
{
    size_t at = find_key(k, id), count = k->count;
    bool is_agent = at < k->agents;
    struct key *keys;

    if (at == count)
        return err_set(err, ERR_NOT_FOUND, "id: no key or device \"%.64s\"", id);
    if (text_set(device_id, is_agent ? k->keys[at].device_id : NULL, err) < 0 ||
        copy_keys(k, at, count + 1, &keys, err) < 0)
        return -1;
    return commit(k, keys, k->agents - is_agent, count - 1, is_agent ? AGENTS : TOOLS, err);
}

const struct key *keyring_keys(const struct keyring *k, size_t *count)
{
    *count = k->count;
    return k->keys;
}

int keyring_tool_role(const struct keyring *k, const char *user_id)
{
    const struct key *key = map_get(k->by_user, user_id);

    return key && key->kind == KEY_KIND_TOOL ? key->role : ROLE_UNSET;
}

const struct key *keyring_agent(const struct keyring *k, const char *device_id)
{
    const struct key *key = map_get(k->by_user, device_id);

    return key && key->kind == KEY_KIND_AGENT ? key : NULL;
}

uint64_t keyring_version(const struct keyring *k)
{
    return k->version;
}
