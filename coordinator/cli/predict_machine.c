/* predict_machine.c - a machine from a file, in any of three forms. */
#include "coordinator/cli/predict.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"
#include "common/model/device.h"
#include "common/model/record.h"
#include "common/model/tool_message.h"
#include "common/recording/recording.h"

#include <string.h>

#define GIB 1073741824.0
#define MEMORY_GB_MAX 1048576

static int note(struct profile *p, const char *field, struct err *err)
{
    struct fact_note *n = records_add(&fact_note_type, &p->facts, &p->facts_count, err);

    if (!n || text_set(&n->field, field, err) < 0)
        return -1;
    n->source = FACT_SOURCE_STATED;
    return text_set(&n->detail, "the machine file", err);
}

/* {"chip": "Apple M4 Max", "gpu_cores": 40, "memory_gb": 64} */
static int read_plain(const struct json *v, struct profile *p, struct err *err)
{
    static const char *const names[] = {"chip",         "gpu_cores", "memory_gb",
                                        "memory_bytes", "name",      NULL};
    const char *chip = NULL, *name = NULL;
    double gb = UNKNOWN_F64;

    if (json_only(v, "machine", names, err) < 0 ||
        json_may_text(v, "", "chip", 64, &chip, err) < 0 ||
        json_may_text(v, "", "name", 128, &name, err) < 0 ||
        json_may_i64(v, "", "gpu_cores", 1, 1024, &p->gpu_cores, err) < 0 ||
        json_may_f64(v, "", "memory_gb", 1, MEMORY_GB_MAX, &gb, err) < 0 ||
        json_may_i64(v, "", "memory_bytes", 1, (int64_t)(MEMORY_GB_MAX * GIB), &p->memory_bytes,
                     err) < 0)
        return -1;
    if (known_f64(gb))
        p->memory_bytes = (int64_t)(gb * GIB);
    if (!chip && !known_i64(p->memory_bytes))
        return err_set(err, ERR_INVALID,
                       "machine: neither chip nor memory_gb, wanted one at least");
    p->origin = DEVICE_ORIGIN_RECORDED;
    if ((chip && (text_set(&p->chip, chip, err) < 0 || note(p, "chip", err) < 0)) ||
        (name && text_set(&p->name, name, err) < 0) ||
        (known_i64(p->gpu_cores) && note(p, "gpu_cores", err) < 0) ||
        (known_i64(p->memory_bytes) && note(p, "memory_bytes", err) < 0))
        return -1;
    return record_check(&profile_type, p, err);
}

static int read_device(const struct json *v, struct profile **profile, struct state **state,
                       struct err *err)
{
    void *record = NULL;
    struct device *d;

    if (document_read(&device_type, v, &record, err) < 0)
        return -1;
    d = record;
    if (!d->profile) {
        device_free(d);
        return err_set(err, ERR_INVALID, "profile: missing: the device has not reported one");
    }
    *profile = d->profile;
    *state = d->state;
    d->profile = NULL;
    d->state = NULL;
    device_free(d);
    return 0;
}

/* `devices ID --json` prints {"devices": [...]}. */
static const struct json *device_of(const struct json *v)
{
    const struct json *list = json_member(v, "devices");

    if (list && json_type_of(list) == JSON_ARRAY && json_count(list) == 1)
        v = json_item(list, 0);
    return json_member(v, "profile") ? v : NULL;
}

/* A recording says its kind; what has only its groups is one too. */
static bool is_recording(const struct json *v)
{
    static const char *const marks[] = {"kind",  "stated", "sysctl",
                                        "metal", "ioreg",  "system_profiler"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (json_member(v, marks[i]))
            return true;
    return false;
}

/* id and kind are asked of recordings that are kept; here a file may do without. */
static int read_recording(struct json *v, struct profile **profile, struct state **state,
                          struct err *err)
{
    char *text;
    int rc;

    if ((!json_member(v, "id") && json_set_text(v, "id", "machine") < 0) ||
        (!json_member(v, "kind") && json_set_text(v, "kind", "stated") < 0))
        return err_set(err, ERR_NOMEM, "machine file");
    if (!(text = json_print(v, false, err)))
        return -1;
    rc = recording_read(text, strlen(text), profile, state, err);
    mem_free(text);
    return rc;
}

int predict_machine_read(const char *text, size_t len, struct profile **profile,
                         struct state **state, struct err *err)
{
    struct json *v = NULL;
    struct profile *p = NULL;
    struct state *s = NULL;
    int rc = -1;

    /* a whole recording has its own reader: it takes numbers wider than JSON's */
    if (recording_read(text, len, &p, &s, NULL) == 0) {
        rc = 0;
    } else if ((v = json_parse(text, len, err))) {
        const struct json *device = device_of(v);

        if (device)
            rc = read_device(device, &p, &s, err);
        else if (is_recording(v))
            rc = read_recording(v, &p, &s, err);
        else if ((p = profile_new(err)))
            rc = read_plain(v, p, err);
    }
    json_free(v);
    if (rc < 0) {
        profile_free(p);
        return -1;
    }
    *profile = p;
    *state = s;
    return 0;
}
