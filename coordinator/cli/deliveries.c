/* deliveries.c - see deliveries.h. */
#include "coordinator/cli/deliveries.h"

#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/cli.h"
#include "coordinator/cli/show.h"
#include "coordinator/cli/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WATCH_WAIT_MS 10000 /* one question: a coordinator that is gone is noticed after this */
#define WATCH_GRACE_MS 3000 /* and this, the time for the answer to come back */
#define WATCH_AGAIN_MS 1000 /* before the next one where there was no answer */
#define WATCH_PAUSE_MS 500  /* or where one came at once and said nothing new */
#define LOST_SHOWN_MAX 50   /* clients named at the end; --json has all */

/* ---- counting ---- */

void tally_count(const struct deliveries_reply *reply, struct tally *out)
{
    memset(out, 0, sizeof *out);
    out->total = reply->deliveries_count;
    for (size_t i = 0; i < reply->deliveries_count; i++) {
        int state = reply->deliveries[i].state;

        out->by_state[state > 0 && state < DELIVERY_STATES ? state : 0]++;
    }
    out->open = out->by_state[DELIVERY_STATE_UNSET] + out->by_state[DELIVERY_STATE_PENDING] +
                out->by_state[DELIVERY_STATE_SENT] + out->by_state[DELIVERY_STATE_RECEIVED];
    out->running = out->by_state[DELIVERY_STATE_RUNNING];
    out->lost = out->total - out->open - out->running - out->by_state[DELIVERY_STATE_APPLIED] -
                out->by_state[DELIVERY_STATE_DONE];
}

char *tally_text(const struct tally *t, char out[TALLY_TEXT_MAX])
{
    /* the best first, as a person wants to know */
    static const int order[] = {
        DELIVERY_STATE_DONE,      DELIVERY_STATE_RUNNING,    DELIVERY_STATE_APPLIED,
        DELIVERY_STATE_RECEIVED,  DELIVERY_STATE_SENT,       DELIVERY_STATE_PENDING,
        DELIVERY_STATE_FAILED,    DELIVERY_STATE_REFUSED,    DELIVERY_STATE_EXPIRED,
        DELIVERY_STATE_CANCELLED, DELIVERY_STATE_SUPERSEDED,
    };
    const char *between = ": ";
    size_t at;

    snprintf(out, TALLY_TEXT_MAX, "%zu %s", t->total, t->total == 1 ? "client" : "clients");
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (t->by_state[order[i]] == 0)
            continue;
        at = strlen(out);
        snprintf(out + at, TALLY_TEXT_MAX - at, "%s%zu %s", between, t->by_state[order[i]],
                 enum_name(&delivery_state_names, order[i]));
        between = ", ";
    }
    return out;
}

/* ---- asking ---- */

static void fill(struct request *request, struct deliveries_request *asked, const char *plan_id)
{
    record_init(&deliveries_request_type, asked);
    record_init(&request_type, request);
    asked->plan_id = (char *)(uintptr_t)plan_id; /* borrowed */
    request->deliveries = asked;
}

static void take(struct response *r, struct deliveries_reply **out)
{
    deliveries_reply_free(*out);
    *out = r->deliveries;
    r->deliveries = NULL;
    response_free(r);
}

int deliveries_ask(struct cli *c, const char *plan_id, struct deliveries_reply **out)
{
    struct deliveries_request asked;
    struct request request;
    struct response *r = NULL;
    int rc;

    fill(&request, &asked, plan_id);
    rc = cli_ask(c, &request, offsetof(struct response, deliveries), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc == CLI_OK)
        take(r, out);
    return rc;
}

/* ---- watching ---- */

struct watch {
    struct cli *cli;
    const char *plan_id;
    int64_t end_ms; /* monotonic; UNKNOWN_I64: none */
    struct deliveries_reply *last;
    char said[TALLY_TEXT_MAX];
    bool lost_touch; /* the last question was not answered */
};

static int64_t left(const struct watch *w)
{
    int64_t now = clock_mono_ms();

    if (!known_i64(w->end_ms))
        return WATCH_WAIT_MS + WATCH_GRACE_MS;
    return w->end_ms > now ? w->end_ms - now : 0;
}

/* How it goes, where that has changed: one line rewritten on a terminal, else a line each time. */
static void say(struct watch *w)
{
    char text[TALLY_TEXT_MAX];
    struct tally t;

    tally_count(w->last, &t);
    tally_text(&t, text);
    if (strcmp(text, w->said) == 0 && !w->lost_touch)
        return;
    snprintf(w->said, sizeof w->said, "%s", text);
    if (w->cli->err_live)
        cli_progress(w->cli, text);
    else
        cli_say(w->cli, "%s", text);
}

static void say_lost_touch(struct watch *w, const struct err *err)
{
    if (w->cli->err_live)
        cli_progress(w->cli, "no answer from the coordinator, asking again");
    else if (!w->lost_touch)
        cli_say(w->cli, "no answer, asking again: %s", err->text);
    w->lost_touch = true;
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

    nanosleep(&t, NULL); /* sooner when a signal came: then we ask sooner */
}

/* A coordinator that does not wait (it keeps ended plans in its store alone) is not asked in a
 * circle. */
static void slow_down(const struct watch *w, int64_t asked_ms, int64_t revision)
{
    if (w->last->revision == revision && clock_mono_ms() - asked_ms < WATCH_PAUSE_MS)
        pause_ms(WATCH_PAUSE_MS < left(w) ? WATCH_PAUSE_MS : left(w));
}

/* One question. CLI_OK: w->last is newer, or the same after a while; CLI_UNREACHED: ask again. */
static int ask_once(struct watch *w, struct err *err)
{
    struct deliveries_request asked;
    struct request request;
    struct response *r = NULL;
    int64_t rest = left(w), wait = rest < WATCH_WAIT_MS ? rest : WATCH_WAIT_MS;
    int rc;

    fill(&request, &asked, w->plan_id);
    asked.wait_ms = wait;
    if (w->last && !w->lost_touch)
        asked.revision = w->last->revision;
    rc = cli_try(w->cli, &request, wait + WATCH_GRACE_MS, &r, err);
    text_set(&request.request_id, NULL, NULL);
    if (rc == CLI_OK && r->deliveries) {
        take(r, &w->last);
        return CLI_OK;
    }
    if (rc == CLI_OK)
        err_set(err, ERR_MALFORMED, "the coordinator's answer holds no deliveries");
    if (rc == CLI_REFUSED) {
        err_set(err, ERR_NOT_FOUND, "%s", r->message ? r->message : "the coordinator refused");
        rc = r->code == RESPONSE_CODE_BUSY ? CLI_UNREACHED : CLI_REFUSED;
    }
    response_free(r);
    return rc == CLI_OK ? CLI_UNREACHED : rc;
}

static bool is_over(const struct watch *w, bool to_the_end, int *rc)
{
    struct tally t;

    tally_count(w->last, &t);
    if (t.open > 0 || (to_the_end && t.running > 0))
        return false;
    *rc = t.lost > 0 ? CLI_UNDELIVERED : CLI_OK;
    return true;
}

int deliveries_watch(struct cli *c, const char *plan_id, bool to_the_end, int64_t limit_ms,
                     struct deliveries_reply **out)
{
    struct watch w = {.cli = c, .plan_id = plan_id, .end_ms = UNKNOWN_I64};
    int rc = CLI_OK;

    if (known_i64(limit_ms))
        w.end_ms = clock_mono_ms() + limit_ms;
    for (;;) {
        int64_t revision = w.last ? w.last->revision : UNKNOWN_I64, asked_ms = clock_mono_ms();
        struct err err = {0};

        rc = ask_once(&w, &err);
        if (rc == CLI_OK) {
            say(&w);
            w.lost_touch = false;
            if (is_over(&w, to_the_end, &rc))
                break;
            slow_down(&w, asked_ms, revision);
        } else if (rc != CLI_UNREACHED || (!w.last && to_the_end)) {
            cli_say(c, "%s", err.text); /* of a plan that may not be there */
            break;
        } else {
            say_lost_touch(&w, &err);
            pause_ms(WATCH_AGAIN_MS < left(&w) ? WATCH_AGAIN_MS : left(&w));
        }
        rc = CLI_UNFINISHED;
        if (left(&w) == 0)
            break;
    }
    if (rc == CLI_UNFINISHED)
        cli_say(c, "the time is up; espalier plan watch %s goes on", plan_id);
    cli_quiet(c);
    *out = w.last;
    return rc;
}

/* ---- the end ---- */

void show_deliveries(struct page *p, const struct deliveries_reply *reply)
{
    static const struct column columns[] = {
        {.title = "not delivered", .most = 40}, {.title = "state"}, {.title = "why"}};
    struct table *t = table_new(columns, 3);
    char text[TALLY_TEXT_MAX];
    struct tally tally;
    size_t shown = 0;

    tally_count(reply, &tally);
    for (size_t i = 0; i < reply->deliveries_count; i++) {
        const struct delivery *d = &reply->deliveries[i];

        if (show_delivery_style(d) == STYLE_GOOD || shown == LOST_SHOWN_MAX)
            continue;
        table_cell(t, STYLE_PLAIN, "%s", d->device_name ? d->device_name : d->device_id);
        table_cell(t, show_delivery_style(d), "%s", show_delivery_word(d, text, sizeof text));
        table_span(t, STYLE_PLAIN, "%s", d->reason ? d->reason : "");
        table_row(t);
        shown++;
    }
    page_line(p, tally.lost ? STYLE_BAD : STYLE_STRONG, "%s", tally_text(&tally, text));
    if (shown > 0)
        table_print(t, p);
    if (tally.open + tally.lost > shown)
        page_line(p, STYLE_FAINT, "(and %zu more; --json has all)",
                  tally.open + tally.lost - shown);
    table_free(t);
}
