/* zap_refusals.c - at most one line a minute for a key, and 64 a minute in all; see
 * zap_internal.h. */
#include "common/net/zap_internal.h"

#include <string.h>

bool zap_refusals_note(struct zap_refusals *r, const char *key, int64_t now_ms, uint64_t *since,
                       uint64_t *beyond)
{
    struct zap_refusal *place = NULL;

    for (size_t i = 0; i < ZAP_REFUSALS_KEPT; i++) {
        struct zap_refusal *k = &r->kept[i];
        bool over = !k->key[0] || now_ms - k->logged_ms >= ZAP_REFUSALS_QUIET_MS;

        if (strcmp(k->key, key) == 0) {
            if (!over) {
                k->since++;
                return false;
            }
            place = k;
            break;
        }
        if (over && !place)
            place = k;
    }
    if (!place) {
        r->beyond++;
        return false;
    }
    /* A place that changes hands takes its count along, so that no refusal is lost. */
    if (strcmp(place->key, key) != 0) {
        r->beyond += place->since;
        place->since = 0;
        strncpy(place->key, key, sizeof place->key - 1);
        place->key[sizeof place->key - 1] = '\0';
    }
    *since = place->since;
    *beyond = r->beyond;
    place->since = r->beyond = 0;
    place->logged_ms = now_ms;
    return true;
}
