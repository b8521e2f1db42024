/* show_client.c - one client of a plan: all of its assignment, and the reasons for it. */
#include "coordinator/cli/show.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <stdio.h>

static void client_head(struct page *p, const struct plan *plan, const struct assignment *a)
{
    const struct class_summary *k = show_class(plan, a->client_class);
    char memory[FORMAT_MAX], cores[FORMAT_MAX], limit[FORMAT_MAX];

    page_line(p, STYLE_STRONG, "%s in plan %s, job %s", show_client_name(a),
              plan->plan_id ? plan->plan_id : "(dry run)", plan->job_id ? plan->job_id : "?");
    page_pair(p, "device", "%s", a->device_id);
    if (k)
        page_pair(p, "machine", "%s, %s, %s GPU cores; class %s",
                  k->chip ? k->chip : "unknown chip", format_memory(k->memory_bytes, memory),
                  format_integer(k->gpu_cores, cores), a->client_class);
    page_pair(p, a->participate == TRI_TRUE ? "takes part" : "left out", "%s", show_reason(a));
    if (known_i64(a->memory_limit_bytes))
        page_pair(p, "memory limit", "%s%s%s", format_bytes(a->memory_limit_bytes, limit),
                  a->memory_limit_source ? ": " : "",
                  a->memory_limit_source ? a->memory_limit_source : "");
}

/* ---- everything ---- */

static void show_own_stages(struct page *p, const struct plan *plan, const struct assignment *a)
{
    static const char *const skip[] = {"stage", "device_id", "inputs", NULL};

    for (size_t i = 0; i < a->stages_count; i++) {
        const struct stage_part *s = &a->stages[i];

        page_blank(p);
        page_line(p, STYLE_STRONG, "Stage %s", s->stage);
        show_record(p, 2, &stage_part_type, s, skip, NULL, 0);
        for (size_t k = 0; k < s->inputs_count; k++) {
            const struct stage_input *in = &s->inputs[k];
            char bytes[FORMAT_MAX], text[256];

            snprintf(text, sizeof text, "%s on %s, %s to be moved", in->stage,
                     show_device_name(plan, in->device_id), format_bytes(in->bytes, bytes));
            show_value(p, 2, k == 0 ? "waits for" : "", text);
        }
    }
}

static void show_own_delivery(struct page *p, const struct delivery *d)
{
    static const char *const skip[] = {"plan_id", "device_id", "device_name", "job_id", NULL};

    if (!d)
        return;
    page_blank(p);
    page_line(p, STYLE_STRONG, "Delivery");
    show_record(p, 2, &delivery_type, d, skip, NULL, 0);
}

void show_client(struct page *p, const struct plan_reply *reply, const struct assignment *a)
{
    client_head(p, reply->plan, a);
    if (a->training) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "Assignment");
        show_record(p, 2, &training_type, a->training, NULL, NULL, 0);
    }
    if (a->image_generation) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "Assignment");
        show_record(p, 2, &image_generation_type, a->image_generation, NULL, NULL, 0);
    }
    show_own_stages(p, reply->plan, a);
    if (a->prediction) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "Predicted");
        show_record(p, 2, &prediction_type, a->prediction, NULL, NULL, 0);
    }
    show_own_delivery(p, show_delivery(reply, a->device_id));
    show_measurements(p, reply, 20);
    if (reply->plan->plan_id) {
        page_blank(p);
        page_wrap(p, 0, STYLE_FAINT, "espalier plan why %s %s gives the reasons.",
                  reply->plan->plan_id, a->device_id);
    }
}

/* ---- why ---- */

static void show_reasons(struct page *p, const struct assignment *a)
{
    static const struct column columns[] = {{.title = "field", .most = 32},
                                            {.title = "value", .most = 32},
                                            {.title = "bound by"},
                                            {.title = "because"}};
    struct table *t;

    if (a->reasons_count == 0)
        return;
    t = table_new(columns, 4);
    for (size_t i = 0; i < a->reasons_count; i++) {
        const struct reason *r = &a->reasons[i];
        const char *bound = r->constraint ? enum_name(&constraint_names, r->constraint) : "?";

        table_cell(t, STYLE_PLAIN, "%s", r->field);
        table_cell(t, STYLE_PLAIN, "%s", r->value ? r->value : "-");
        table_cell(t, r->constraint == CONSTRAINT_NONE ? STYLE_FAINT : STYLE_WARN, "%s",
                   r->constraint == CONSTRAINT_NONE ? "-" : bound);
        table_span(t, STYLE_PLAIN, "%s", r->text);
        table_row(t);
    }
    page_blank(p);
    table_print(t, p);
    table_free(t);
}

static void show_class_facts(struct page *p, const struct class_summary *k)
{
    char number[FORMAT_MAX], rate[FORMAT_MAX], batch[FORMAT_MAX];
    const struct field *flops = record_field(&class_summary_type, "gpu_flops");
    const struct field *bandwidth =
        record_field(&class_summary_type, "memory_bandwidth_bytes_per_s");

    page_blank(p);
    page_line(p, STYLE_STRONG, "Clients of its kind (class %s, %s %s)", k->client_class,
              format_integer(k->devices, number), k->devices == 1 ? "device" : "devices");
    if (known_f64(k->gpu_flops) || known_f64(k->memory_bandwidth_bytes_per_s))
        page_pair(p, "rates", "%s, %s%s%s", format_field(flops, k, number),
                  format_field(bandwidth, k, rate), k->rate_source ? ": " : "",
                  k->rate_source ? k->rate_source : "");
    if (known_i64(k->configurations) && k->configurations == 0)
        page_pair(p, "fits", "no configuration; bound by %s",
                  k->constraint ? enum_name(&constraint_names, k->constraint) : "?");
    else if (known_i64(k->configurations))
        page_pair(p, "fits", "%s configurations, batch %s at most, %s tokens/s at best",
                  format_integer(k->configurations, number),
                  format_integer(k->max_batch_size, batch),
                  format_amount(k->best_tokens_per_second, rate));
    if (k->text)
        page_pair(p, "in words", "%s", k->text);
}

/* What was proposed for its class, for it, and for its stages. */
static void show_proposed(struct page *p, const struct plan *plan, const struct assignment *a)
{
    const char **subjects;
    size_t count = 0, shown;

    page_blank(p);
    if (plan->lora || plan->diffusion) {
        page_wrap(p, 0, STYLE_FAINT,
                  "espalier plan show %s --proposal has every value that an engine proposed.",
                  plan->plan_id ? plan->plan_id : "ID");
        return;
    }
    subjects = mem_calloc(a->stages_count + 2, sizeof *subjects);
    page_line(p, STYLE_STRONG, "What the %s engine proposed for it",
              plan->engine_asked ? enum_name(&engine_kind_names, plan->engine_asked) : "");
    if (!subjects) {
        page_lost(p);
        return;
    }
    if (a->client_class)
        subjects[count++] = a->client_class;
    subjects[count++] = a->device_id;
    for (size_t i = 0; i < a->stages_count; i++)
        subjects[count++] = a->stages[i].stage;
    shown = show_decisions(p, plan, subjects, count);
    if (shown == 0)
        page_line(p, STYLE_PLAIN, "  Nothing of its own.");
    mem_free(subjects);
}

void show_why(struct page *p, const struct plan *plan, const struct assignment *a)
{
    const struct class_summary *k = show_class(plan, a->client_class);

    client_head(p, plan, a);
    show_reasons(p, a);
    if (k)
        show_class_facts(p, k);
    show_proposed(p, plan, a);
}
