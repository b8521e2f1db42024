/* show_device_plan.c - what is particular to the plans of one device: LoRA and diffusion. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <stdio.h>

void show_lora_header(struct page *p, const struct plan *plan)
{
    const struct lora_plan *l = plan->lora;
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], span[FORMAT_MAX];

    page_pair(p, "adapters", "rank %s on %s layers: %s parameters, %s on disk",
              format_integer(l->rank, a), format_integer(l->layers, b),
              known_i64(l->trainable_parameters) ? format_amount((double)l->trainable_parameters, c)
                                                 : "?",
              format_bytes(l->adapter_bytes, span));
    page_pair(p, "training", "%s updates in %s: %s epochs, %s tokens",
              format_integer(l->updates, a), format_seconds(l->training_seconds, span),
              format_amount(l->epochs, b), format_amount(l->tokens, c));
    if (l->seconds_source)
        page_pair(p, "time from", "%s", l->seconds_source);
    if (l->memory_source)
        page_pair(p, "memory from", "%s", l->memory_source);
}

void show_diffusion_header(struct page *p, const struct plan *plan)
{
    const struct diffusion_plan *d = plan->diffusion;
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], e[FORMAT_MAX];

    page_pair(p, "an image", "%s: prompt %s, a step %s, decoding %s",
              format_seconds(d->image_seconds, a), format_seconds(d->text_seconds, b),
              format_seconds(d->step_seconds, c), format_seconds(d->decode_seconds, e));
    if (known_f64(d->load_seconds) && d->load_seconds > 0)
        page_pair(p, "reading again", "%s a batch, since parts take turns in memory",
                  format_seconds(d->load_seconds, a));
    page_pair(p, "memory", "prompt %s, steps %s, decoding %s; all weights %s",
              format_bytes(d->text_bytes, a), format_bytes(d->denoise_bytes, b),
              format_bytes(d->decode_bytes, c), format_bytes(d->weights_bytes, e));
    if (known_f64(d->flop_per_step))
        page_pair(p, "arithmetic", "%s FLOP a step and image%s%s",
                  format_amount(d->flop_per_step, a), d->flop_source ? ": " : "",
                  d->flop_source ? d->flop_source : "");
    if (d->seconds_source)
        page_pair(p, "time from", "%s", d->seconds_source);
}

static void image_row(struct table *t, const struct plan_reply *reply, const struct assignment *a,
                      bool deliveries)
{
    const struct class_summary *k = show_class(reply->plan, a->client_class);
    const struct image_generation *g = a->image_generation;
    const struct delivery *d = show_delivery(reply, a->device_id);
    char text[80], other[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", show_client_name(a));
    table_cell(t, STYLE_PLAIN, "%s", format_chip(k ? k->chip : NULL));
    if (!g || a->participate != TRI_TRUE) {
        table_span(t, STYLE_WARN, "left out: %s", show_reason(a));
        table_row(t);
        return;
    }
    table_cell(t, STYLE_PLAIN, "%s",
               g->model_format ? enum_name(&model_format_names, g->model_format) : "?");
    table_cell(t, STYLE_PLAIN, "%s x %s", format_integer(g->width, text),
               format_integer(g->height, other));
    table_cell(t, STYLE_PLAIN, "%s", format_integer(g->batch_size, text));
    table_cell(t, STYLE_PLAIN, "%s", format_integer(g->steps, text));
    table_cell(t, STYLE_PLAIN, "%s", g->offload == TRI_TRUE ? "yes" : "no");
    table_cell(t, STYLE_PLAIN, "%s", g->vae_tiling == TRI_TRUE ? "yes" : "no");
    table_cell(t, STYLE_PLAIN, "%s",
               format_used(a->prediction ? a->prediction->memory_bytes : UNKNOWN_I64,
                           a->memory_limit_bytes, text));
    if (deliveries)
        table_cell(t, show_delivery_style(d), "%s", show_delivery_word(d, text, sizeof text));
    table_row(t);
}

void show_images(struct page *p, const struct plan_reply *reply, bool waiting)
{
    static const struct column columns[] = {
        {.title = "device", .most = 32, .least = NAME_LEAST},
        {.title = "chip", .most = 24},
        {.title = "model", .keep = 6},
        {.title = "size", .right = true, .keep = 5},
        {.title = "batch", .right = true, .keep = 4},
        {.title = "steps", .right = true, .keep = 5},
        {.title = "offload", .keep = 2},
        {.title = "tiles", .keep = 2},
        {.title = "predicted memory", .right = true, .keep = 7},
        {.title = "delivery", .keep = 3},
    };
    bool deliveries = !waiting && reply->deliveries_count > 0;
    size_t all = sizeof columns / sizeof columns[0];
    struct table *t = table_new(columns, deliveries ? all : all - 1);

    page_blank(p);
    for (size_t i = 0; i < reply->plan->assignments_count; i++)
        image_row(t, reply, &reply->plan->assignments[i], deliveries);
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
}
