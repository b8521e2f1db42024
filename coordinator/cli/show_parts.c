/* show_parts.c - names, look-ups and words that several pages share. */
#include "coordinator/cli/show.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *show_client_name(const struct assignment *a)
{
    if (a->device_name && *a->device_name)
        return a->device_name;
    return a->device_id ? a->device_id : "?";
}

const char *show_reason(const struct assignment *a)
{
    static const char *const said[] = {"left out: ", "takes part: "};

    if (!a->reason)
        return "?";
    for (size_t i = 0; i < 2; i++)
        if (strncmp(a->reason, said[i], strlen(said[i])) == 0 && a->reason[strlen(said[i])])
            return a->reason + strlen(said[i]);
    return a->reason;
}

/* Assignments come by rising device id; one that is out of order is found by the walk. */
const struct assignment *show_assignment(const struct plan *plan, const char *device_id)
{
    size_t low = 0, high = plan->assignments_count;

    if (!device_id)
        return NULL;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(plan->assignments[mid].device_id, device_id);

        if (order == 0)
            return &plan->assignments[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = 0; i < plan->assignments_count; i++)
        if (strcmp(plan->assignments[i].device_id, device_id) == 0)
            return &plan->assignments[i];
    return NULL;
}

const char *show_device_name(const struct plan *plan, const char *device_id)
{
    const struct assignment *a = show_assignment(plan, device_id);

    return a ? show_client_name(a) : device_id ? device_id : "?";
}

const struct delivery *show_delivery(const struct plan_reply *reply, const char *device_id)
{
    size_t low = 0, high = reply->deliveries_count;

    while (low < high) { /* by rising device id, as the protocol says */
        size_t mid = low + (high - low) / 2;
        int order = strcmp(reply->deliveries[mid].device_id, device_id);

        if (order == 0)
            return &reply->deliveries[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct class_summary *show_class(const struct plan *plan, const char *client_class)
{
    for (size_t i = 0; client_class && i < plan->classes_count; i++)
        if (strcmp(plan->classes[i].client_class, client_class) == 0)
            return &plan->classes[i];
    return NULL;
}

const char *show_delivery_word(const struct delivery *d, char *out, size_t size)
{
    const char *word = d && d->state ? enum_name(&delivery_state_names, d->state) : "-";

    if (d && d->state == DELIVERY_STATE_FAILED && known_i64(d->exit_code))
        snprintf(out, size, "%s (%" PRId64 ")", word, d->exit_code);
    else
        snprintf(out, size, "%s", word ? word : "?");
    return out;
}

enum style show_delivery_style(const struct delivery *d)
{
    switch (d ? d->state : 0) {
    case DELIVERY_STATE_APPLIED:
    case DELIVERY_STATE_RUNNING:
    case DELIVERY_STATE_DONE:
        return STYLE_GOOD;
    case DELIVERY_STATE_FAILED:
    case DELIVERY_STATE_REFUSED:
    case DELIVERY_STATE_EXPIRED:
        return STYLE_BAD;
    case DELIVERY_STATE_SUPERSEDED:
    case DELIVERY_STATE_CANCELLED:
        return STYLE_FAINT;
    default:
        return STYLE_PLAIN;
    }
}

void show_hidden(struct page *p, const struct table *t)
{
    char *hidden = table_hidden(t);

    if (!hidden)
        page_lost(p);
    else if (*hidden)
        page_wrap(p, 0, STYLE_FAINT, "(no room for: %s)", hidden);
    mem_free(hidden);
}
