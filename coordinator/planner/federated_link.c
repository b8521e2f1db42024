/* federated_link.c - ranks and upload formats, ordered; their bytes. */
#include "coordinator/planner/federated_link.h"

#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "coordinator/planner/adapters.h"
#include "coordinator/planner/federated_solve.h"
#include "coordinator/planner/federated_want.h"

#include <math.h>

#define TOP_K_BYTES 6 /* a 16-bit value and a 32-bit index */

/* Bytes of `values` in one format; masked ones fill a ring of 32 or 64 bits each. */
static double bytes_of(const struct federated_want *w, const struct federated_settings *s,
                       double values, int format, bool top_k)
{
    if (top_k)
        return ceil(ceil(values * w->top_k_share) * TOP_K_BYTES);
    return ceil(cost_update_bytes(values, format) * s->mask_factor);
}

static void add(const struct federated_want *w, const struct federated_settings *s, int64_t rank,
                int format, bool top_k, struct link_options *o)
{
    struct cost_setup setup = {.format = w->formats[0],
                               .method = w->method,
                               .targets = w->targets,
                               .rank = rank,
                               .layers = s->layers};
    double values = cost_trainable(w->shape, &setup);
    double up = values * adapters_up_share(w->shape, w->targets, s->adapters, w->strategy);
    double down = values * adapters_down_share(w->shape, w->targets, s->adapters, w->strategy,
                                               s->stacked_clients);
    struct link_option option = {rank, format, top_k, bytes_of(w, s, up, format, top_k),
                                 cost_update_bytes(down, s->upload_format)};

    if (o->count == LINK_OPTIONS_MAX)
        return;
    if (o->count > 0 && option.up_bytes >= o->items[o->count - 1].up_bytes)
        return; /* no smaller than the one before, and worse */
    o->items[o->count++] = option;
}

void federated_link_options(const struct federated_want *w, const struct federated_settings *s,
                            struct link_options *o)
{
    static const int coarser[] = {UPLOAD_FORMAT_F16, UPLOAD_FORMAT_INT8, UPLOAD_FORMAT_INT4};

    o->count = 0;
    add(w, s, s->rank, s->upload_format, false, o);
    if (s->by_link) {
        for (size_t i = 0; i < sizeof coarser / sizeof coarser[0]; i++)
            add(w, s, s->rank, coarser[i], false, o);
        if (known_f64(w->top_k_share))
            add(w, s, s->rank, UPLOAD_FORMAT_F16, true, o);
    }
    if (!s->mix_ranks)
        return;
    for (int64_t rank = s->rank / 2; rank >= w->rank_min; rank /= 2) {
        const struct link_option *last = &o->items[o->count - 1];

        add(w, s, rank, last->format, last->top_k, o);
    }
}

const struct link_option *federated_link_pick(const struct federated_want *w,
                                              const struct link_options *o, double up_bps,
                                              double seconds)
{
    size_t i = 0;

    while (i + 1 < o->count && o->items[i].up_bytes * 8 / up_bps > w->upload_share_max * seconds)
        i++;
    return &o->items[i];
}
