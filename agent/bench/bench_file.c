/* bench_file.c - a result as a sentence, as JSON, and kept in a file. */
#include "agent/bench/bench.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"

#include <stdio.h>
#include <string.h>

/* As the profile's fields are checked. */
#define RATE_MIN 1e6
#define RATE_MAX 1e18

void bench_describe(const struct bench_result *r, char *out, size_t size)
{
    snprintf(out, size, "%.1f s on the device: %s%s%s", r->seconds, r->how,
             r->conditions[0] ? "; " : "", r->conditions);
}

char *bench_print(const struct bench_result *r, struct err *err)
{
    struct json *doc = json_object();
    char *text = NULL;

    if (doc && json_set_f64(doc, "gpu_flops", r->flops) == 0 &&
        json_set_f64(doc, "memory_bandwidth_bytes_per_s", r->bandwidth) == 0 &&
        json_set_f64(doc, "seconds", r->seconds) == 0 &&
        (!known_i64(r->at_ms) || json_set_i64(doc, "at_ms", r->at_ms) == 0) &&
        json_set_text(doc, "how", r->how) == 0 &&
        json_set_text(doc, "conditions", r->conditions) == 0 &&
        json_set_text(doc, "chip", r->chip) == 0)
        text = json_print(doc, true, err);
    else
        err_set(err, ERR_NOMEM, "bench");
    json_free(doc);
    return text;
}

int bench_save(const char *path, const struct bench_result *r, struct err *err)
{
    char *text = bench_print(r, err);
    int rc = text ? file_write_atomic(path, 0644, text, strlen(text), err) : -1;

    mem_free(text);
    return rc;
}

static int read_result(const struct json *doc, struct bench_result *r, struct err *err)
{
    static const char *const names[] = {"gpu_flops", "memory_bandwidth_bytes_per_s",
                                        "seconds",   "at_ms",
                                        "how",       "conditions",
                                        "chip",      NULL};
    const char *how = "", *conditions = "", *chip = "";

    r->at_ms = UNKNOWN_I64;
    if (json_only(doc, "", names, err) < 0 ||
        json_want_f64(doc, "", "gpu_flops", RATE_MIN, RATE_MAX, &r->flops, err) < 0 ||
        json_want_f64(doc, "", "memory_bandwidth_bytes_per_s", RATE_MIN, RATE_MAX, &r->bandwidth,
                      err) < 0 ||
        json_want_f64(doc, "", "seconds", 0, 10 * BENCH_SECONDS_MAX, &r->seconds, err) < 0 ||
        json_may_i64(doc, "", "at_ms", 0, 1LL << 53, &r->at_ms, err) < 0 ||
        json_want_text(doc, "", "how", BENCH_TEXT_MAX - 1, &how, err) < 0 ||
        json_may_text(doc, "", "conditions", BENCH_TEXT_MAX - 1, &conditions, err) < 0 ||
        json_may_text(doc, "", "chip", BENCH_TEXT_MAX - 1, &chip, err) < 0)
        return -1;
    snprintf(r->how, sizeof r->how, "%s", how);
    snprintf(r->conditions, sizeof r->conditions, "%s", conditions);
    snprintf(r->chip, sizeof r->chip, "%s", chip);
    return 0;
}

int bench_parse(const char *text, size_t len, struct bench_result *out, struct err *err)
{
    struct bench_result r = {.flops = 0};
    struct json *doc = json_parse(text, len, err);
    int rc = doc ? read_result(doc, &r, err) : -1;

    if (rc == 0)
        *out = r;
    json_free(doc);
    return rc;
}

int bench_load(const char *path, struct bench_result *out, struct err *err)
{
    char *text = NULL;
    size_t len;
    int rc;

    if (file_read(path, BENCH_FILE_MAX, &text, &len, err) < 0)
        return -1;
    rc = bench_parse(text, len, out, err);
    mem_free(text);
    return rc < 0 ? err_prefix(err, "%s", path) : 0;
}
