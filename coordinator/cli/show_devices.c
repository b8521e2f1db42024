/* show_devices.c - the fleet as a table, and one device whole. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct table *show_devices_table(void)
{
    static const struct column columns[] = {
        {.title = "id", .whole = true},
        {.title = "name", .most = 32, .least = NAME_LEAST},
        {.title = "origin", .whole = true},
        {.title = "chip", .most = 24},
        {.title = "memory", .right = true},
        {.title = "gpu", .right = true, .keep = 1},
        {.title = "working set", .right = true, .keep = 4},
        {.title = "state", .whole = true},
        {.title = "available", .right = true, .keep = 5},
        {.title = "thermal", .keep = 2},
        {.title = "power", .keep = 3},
    };

    return table_new(columns, sizeof columns / sizeof columns[0]);
}

bool show_devices_synthetic(const struct device *d)
{
    return d->state && d->state->synthetic == TRI_TRUE;
}

static void power_word(const struct state *s, char *out, size_t size)
{
    const char *source =
        s && s->power_source ? enum_name(&power_source_names, s->power_source) : "?";

    if (s && s->power_source == POWER_SOURCE_BATTERY && known_f64(s->battery_percent))
        snprintf(out, size, "%s %.0f %%", source, s->battery_percent);
    else
        snprintf(out, size, "%s", source);
}

/* "online, now", "late, 20 s", "offline, 2 h 5 min": how long nothing was heard. */
static void state_word(const struct device *d, char *out, size_t size)
{
    const char *word = d->liveness ? enum_name(&liveness_names, d->liveness) : "?";
    char age[FORMAT_MAX];

    if (!known_i64(d->last_seen_age_ms))
        snprintf(age, sizeof age, "never seen");
    else if (d->last_seen_age_ms < 1000)
        snprintf(age, sizeof age, "now");
    else
        format_seconds(floor((double)d->last_seen_age_ms / 1000), age);
    snprintf(out, size, "%s, %s", word, age);
}

static enum style state_style(const struct device *d)
{
    return d->liveness == LIVENESS_ONLINE ? STYLE_GOOD
           : d->liveness == LIVENESS_LATE ? STYLE_WARN
                                          : STYLE_FAINT;
}

static void origin_cell(struct table *t, const struct device *d)
{
    int origin = d->profile ? d->profile->origin : 0;

    table_cell(t, origin == DEVICE_ORIGIN_MAC ? STYLE_PLAIN : STYLE_WARN, "%s%s",
               origin ? enum_name(&device_origin_names, origin) : "?",
               show_devices_synthetic(d) ? "*" : "");
}

void show_devices_row(struct table *t, const struct device *d)
{
    const struct profile *f = d->profile;
    const struct state *s = d->state;
    char text[80], number[FORMAT_MAX];
    int64_t set = f && f->metal ? f->metal->working_set_bytes : UNKNOWN_I64;

    table_cell(t, STYLE_PLAIN, "%s", d->device_id);
    table_cell(t, STYLE_PLAIN, "%s", f && f->name ? f->name : "?");
    origin_cell(t, d);
    table_cell(t, STYLE_PLAIN, "%s", format_chip(f ? f->chip : NULL));
    table_cell(t, STYLE_PLAIN, "%s", format_memory(f ? f->memory_bytes : UNKNOWN_I64, number));
    table_cell(t, STYLE_PLAIN, "%s", format_integer(f ? f->gpu_cores : UNKNOWN_I64, number));
    table_cell(t, STYLE_PLAIN, "%s", format_bytes(set, number));
    state_word(d, text, sizeof text);
    table_cell(t, state_style(d), "%s", text);
    table_cell(t, STYLE_PLAIN, "%s",
               format_bytes(s ? s->memory_available_bytes : UNKNOWN_I64, number));
    table_cell(t, s && s->thermal > THERMAL_FAIR ? STYLE_WARN : STYLE_PLAIN, "%s",
               s && s->thermal ? enum_name(&thermal_names, s->thermal) : "?");
    power_word(s, text, sizeof text);
    table_cell(t, STYLE_PLAIN, "%s", text);
    table_row(t);
}

/* ---- one device ---- */

static void show_origin(struct page *p, const struct device *d)
{
    int origin = d->profile ? d->profile->origin : 0;
    const char *id = d->profile && d->profile->recording_id ? d->profile->recording_id : NULL;

    if (origin == DEVICE_ORIGIN_COMPOSED)
        page_pair(p, "origin",
                  "composed%s%s: put together from published tables; no such Mac was seen",
                  id ? " " : "", id ? id : "");
    else if (origin == DEVICE_ORIGIN_RECORDED)
        page_pair(p, "origin", "recorded%s%s: what a real Mac once printed, replayed",
                  id ? " " : "", id ? id : "");
    else if (origin == DEVICE_ORIGIN_LINUX)
        page_pair(p, "origin", "linux: a real machine, but no Mac");
    else
        page_pair(p, "origin", "%s", origin ? enum_name(&device_origin_names, origin) : "?");
    if (show_devices_synthetic(d))
        page_pair(p, "state", "synthetic: made up for a demonstration");
}

static void show_unknown(struct page *p, const char *of, const struct unknown_fact *facts,
                         size_t count)
{
    static const struct column columns[] = {{.title = "unknown"}, {.title = "why"}};
    struct table *t;

    if (count == 0)
        return;
    t = table_new(columns, 2);
    page_blank(p);
    page_line(p, STYLE_STRONG, "Not known of its %s", of);
    for (size_t i = 0; i < count; i++) {
        table_cell(t, STYLE_PLAIN, "%s", facts[i].field);
        table_span(t, STYLE_PLAIN, "%s", facts[i].reason);
        table_row(t);
    }
    table_print(t, p);
    table_free(t);
}

static void show_profile(struct page *p, const struct device *d)
{
    static const char *const skip[] = {"origin", "recording_id", "name", "facts", "unknown", NULL};
    const struct profile *f = d->profile;
    char age[FORMAT_MAX];

    page_blank(p);
    if (!f) {
        page_line(p, STYLE_STRONG, "No profile yet");
        return;
    }
    page_line(p, STYLE_STRONG, "Profile, received %s", format_age(d->profile_age_ms, age));
    show_record(p, 2, &profile_type, f, skip, f->facts, f->facts_count);
    show_unknown(p, "profile", f->unknown, f->unknown_count);
}

static void show_state(struct page *p, const struct device *d)
{
    static const char *const skip[] = {"synthetic", "facts", "unknown", NULL};
    const struct state *s = d->state;
    char age[FORMAT_MAX];

    page_blank(p);
    if (!s) {
        page_line(p, STYLE_STRONG, "No state yet");
        return;
    }
    page_line(p, STYLE_STRONG, "State, received %s%s", format_age(d->state_age_ms, age),
              s->synthetic == TRI_TRUE ? " (synthetic)" : "");
    show_record(p, 2, &state_type, s, skip, s->facts, s->facts_count);
    show_unknown(p, "state", s->unknown, s->unknown_count);
}

void show_device(struct page *p, const struct device *d)
{
    char age[FORMAT_MAX], number[FORMAT_MAX];

    page_line(p, STYLE_STRONG, "Device %s%s%s", d->device_id,
              d->profile && d->profile->name ? "  " : "",
              d->profile && d->profile->name ? d->profile->name : "");
    page_pair(p, "heard", "%s, %s", d->liveness ? enum_name(&liveness_names, d->liveness) : "?",
              format_age(d->last_seen_age_ms, age));
    show_origin(p, d);
    if (d->client_class)
        page_pair(p, "class", "%s", d->client_class);
    page_pair(p, "assignments", "%s open, highest generation %s",
              known_i64(d->plans_open) ? format_integer(d->plans_open, age) : "?",
              known_i64(d->generation) ? format_integer(d->generation, number) : "none");
    if (d->public_key)
        page_pair(p, "public key", "%s", d->public_key);
    show_profile(p, d);
    show_state(p, d);
}
