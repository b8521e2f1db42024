/* show_clients.c - the clients of a federated plan, a line each. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Columns that stand between chip and delivery; rank and layers only where they differ by client.
 */
static struct table *clients_table(bool ranks, bool layers, bool deliveries)
{
    static const struct column all[] = {
        {.title = "client", .most = 32, .least = NAME_LEAST},
        {.title = "chip", .most = 24},
        {.title = "memory", .right = true},
        {.title = "model", .keep = 8},
        {.title = "batch", .right = true, .keep = 7},
        {.title = "seq", .right = true, .keep = 5},
        {.title = "ckpt", .keep = 1},
        {.title = "steps", .right = true, .keep = 6},
        {.title = "predicted memory", .right = true, .keep = 9},
        {.title = "step", .right = true, .keep = 3},
        {.title = "round", .right = true},
        {.title = "rank", .right = true, .keep = 2},
        {.title = "layers", .right = true, .keep = 2},
        {.title = "delivery", .keep = 4},
    };
    struct column used[sizeof all / sizeof all[0]];
    size_t count = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *title = all[i].title;

        if ((!ranks && strcmp(title, "rank") == 0) || (!layers && strcmp(title, "layers") == 0) ||
            (!deliveries && strcmp(title, "delivery") == 0))
            continue;
        used[count++] = all[i];
    }
    return table_new(used, count);
}

static void training_cells(struct table *t, const struct assignment *a)
{
    const struct training *m = a->training;
    char number[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s",
               m->model_format ? enum_name(&model_format_names, m->model_format) : "?");
    if (known_i64(m->grad_accumulation) && m->grad_accumulation > 1)
        table_cell(t, STYLE_PLAIN, "%" PRId64 " x %" PRId64, m->batch_size, m->grad_accumulation);
    else
        table_cell(t, STYLE_PLAIN, "%s", format_integer(m->batch_size, number));
    table_cell(t, STYLE_PLAIN, "%" PRId64, m->sequence_length);
    table_cell(t, STYLE_PLAIN, "%s", m->grad_checkpoint == TRI_TRUE ? "yes" : "no");
    table_cell(t, STYLE_PLAIN, "%s", format_integer(m->local_steps, number));
}

static void prediction_cells(struct table *t, const struct assignment *a)
{
    const struct prediction *f = a->prediction;
    char number[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s",
               format_used(f ? f->memory_bytes : UNKNOWN_I64, a->memory_limit_bytes, number));
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(f ? f->step_seconds : UNKNOWN_F64, number));
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(f ? f->round_seconds : UNKNOWN_F64, number));
}

static void client_row(struct table *t, const struct plan_reply *reply, const struct assignment *a,
                       bool ranks, bool layers, bool deliveries)
{
    const struct class_summary *k = show_class(reply->plan, a->client_class);
    bool part = a->participate == TRI_TRUE && a->training;
    char text[80];

    table_cell(t, part ? STYLE_PLAIN : STYLE_FAINT, "%s", show_client_name(a));
    table_cell(t, part ? STYLE_PLAIN : STYLE_FAINT, "%s", format_chip(k ? k->chip : NULL));
    table_cell(t, part ? STYLE_PLAIN : STYLE_FAINT, "%s",
               format_memory(k ? k->memory_bytes : UNKNOWN_I64, text));
    if (!part) {
        table_span(t, STYLE_WARN, "left out: %s", show_reason(a));
        table_row(t);
        return;
    }
    training_cells(t, a);
    prediction_cells(t, a);
    if (ranks)
        table_cell(t, STYLE_PLAIN, "%s", format_integer(a->training->rank, text));
    if (layers)
        table_cell(t, STYLE_PLAIN, "%s", format_integer(a->training->layers, text));
    if (deliveries) {
        const struct delivery *d = show_delivery(reply, a->device_id);

        table_cell(t, show_delivery_style(d), "%s", show_delivery_word(d, text, sizeof text));
    }
    table_row(t);
}

static void show_missing(struct page *p, const struct plan *plan)
{
    char number[FORMAT_MAX];

    if (plan->forecast && known_i64(plan->forecast->clients) && plan->forecast->clients > 0)
        page_wrap(p, 0, STYLE_PLAIN,
                  "%s clients: too many for this answer. espalier plan show %s lists them.",
                  format_integer(plan->forecast->clients, number),
                  plan->plan_id ? plan->plan_id : "ID");
    else
        page_line(p, STYLE_PLAIN, "No client.");
}

void show_clients(struct page *p, const struct plan_reply *reply, bool waiting)
{
    const struct plan *plan = reply->plan;
    const struct federated_plan *f = plan->federated;
    bool ranks = false, layers = false, deliveries = !waiting && reply->deliveries_count > 0;
    struct table *t;

    page_blank(p);
    if (plan->assignments_count == 0) {
        show_missing(p, plan);
        return;
    }
    for (size_t i = 0; i < plan->assignments_count; i++) {
        const struct training *m = plan->assignments[i].training;

        ranks = ranks || (m && f && known_i64(m->rank) && m->rank != f->rank);
        layers = layers || (m && f && m->layers != f->layers);
    }
    t = clients_table(ranks, layers, deliveries);
    for (size_t i = 0; i < plan->assignments_count; i++)
        client_row(t, reply, &plan->assignments[i], ranks, layers, deliveries);
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
}
