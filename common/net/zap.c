/* zap.c - the owner's side of zap.h: lists are checked and built here, and given to the actor
 * whole, so a handshake sees the old list or the new one and never waits while one is built. */
#include "common/net/zap.h"
#include "common/net/actor.h"
#include "common/net/net_internal.h"
#include "common/net/zap_internal.h"
#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"

#include <string.h>

struct net_zap {
    struct actor *actor;
    struct zap_counts counts;
    struct zap_context context;
};

static const struct actor_type zap_actor = {"zap", zap_run, zap_list_free, zap_list_free};

struct net_zap *net_zap_start(struct net *net, struct err *err)
{
    struct net_zap *zap = mem_zalloc(sizeof *zap);

    if (!zap) {
        err_set(err, ERR_NOMEM, "the list of keys");
        return NULL;
    }
    zap->context = (struct zap_context){net, &zap->counts};
    if (!(zap->actor = actor_start(net, &zap_actor, &zap->context, err))) {
        mem_free(zap);
        return NULL;
    }
    return zap;
}

void net_zap_stop(struct net_zap *zap)
{
    if (!zap)
        return;
    actor_stop(zap->actor);
    mem_free(zap);
}

void zap_list_free(void *list)
{
    struct zap_list *l = list;

    if (!l)
        return;
    map_free(l->users, mem_free);
    mem_free(l);
}

static bool is_user_id(const char *text)
{
    size_t len = text ? strnlen(text, ID_TEXT_MAX + 1) : 0;

    if (len < 1 || len > ID_TEXT_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

static int entry_add(struct map *users, const struct net_zap_entry *e, struct err *err)
{
    char *user_id;

    if (net_key_check(e->public_key, err) < 0)
        return -1;
    if (!is_user_id(e->user_id))
        return err_set(err, ERR_INVALID, "user id '%s': wanted 1 to %d visible ASCII characters",
                       e->user_id ? e->user_id : "", ID_TEXT_MAX);
    if (map_get(users, e->public_key))
        return err_set(err, ERR_INVALID, "key '%s' is there twice", e->public_key);
    if (!(user_id = mem_strdup(e->user_id)) || map_put(users, e->public_key, user_id, NULL) < 0) {
        mem_free(user_id);
        return err_set(err, ERR_NOMEM, "no memory for it");
    }
    return 0;
}

static struct zap_list *list_new(const char *domain, const struct net_zap_entry *entries,
                                 size_t count, struct err *err)
{
    struct zap_list *l = mem_zalloc(sizeof *l);

    if (!l || !(l->users = map_new(count ? count : 1))) {
        err_set(err, ERR_NOMEM, "a list of %zu keys", count);
        goto fail;
    }
    memcpy(l->domain, domain, strlen(domain)); /* zeroed: the NUL is there */
    for (size_t i = 0; i < count; i++) {
        if (entry_add(l->users, &entries[i], err) < 0) {
            err_prefix(err, "entry %zu of the keys of '%s'", i + 1, domain);
            goto fail;
        }
    }
    return l;
fail:
    zap_list_free(l);
    return NULL;
}

int net_zap_set(struct net_zap *zap, const char *domain, const struct net_zap_entry *entries,
                size_t count, struct err *err)
{
    size_t len = domain ? strnlen(domain, NET_ZAP_DOMAIN_MAX + 1) : 0;
    struct zap_list *list;
    int rc = 0;

    if (len < 1 || len > NET_ZAP_DOMAIN_MAX)
        return err_set(err, ERR_INVALID, "ZAP domain of %zu bytes, wanted 1 to %d", len,
                       NET_ZAP_DOMAIN_MAX);
    if (count > NET_ZAP_ENTRIES_MAX)
        return err_set(err, ERR_TOO_BIG, "%zu keys in '%s', limit %d", count, domain,
                       NET_ZAP_ENTRIES_MAX);
    if (!(list = list_new(domain, entries, count, err)))
        return -1;
    if (actor_send(zap->actor, list) < 0) {
        zap_list_free(list);
        return err_set(err, ERR_CANCELLED, "keys of '%s': the handler has ended", domain);
    }
    /* The actor swaps two pointers between handshakes: this wait is short. */
    if (!(list = actor_receive_wait(zap->actor, -1)))
        return err_set(err, ERR_CANCELLED, "keys of '%s': the handler has ended", domain);
    if (list->refused)
        rc = err_set(err, ERR_TOO_BIG, "keys of '%s': there are %d domains already", domain,
                     NET_ZAP_DOMAINS_MAX);
    zap_list_free(list);
    return rc;
}

void net_zap_counters(const struct net_zap *zap, struct net_zap_counters *out)
{
    const struct zap_counts *c = &zap->counts;

    out->accepted = atomic_load(&c->accepted);
    out->unknown_key = atomic_load(&c->unknown_key);
    out->unknown_domain = atomic_load(&c->unknown_domain);
    out->wrong_mechanism = atomic_load(&c->wrong_mechanism);
    out->malformed = atomic_load(&c->malformed);
    out->refused = out->unknown_key + out->unknown_domain + out->wrong_mechanism + out->malformed;
}
