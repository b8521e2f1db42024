/* plan_check.c - see plan_check.h. */
#include "agent/apply/plan_check.h"
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/model/plan.h"

#include <stdbool.h>
#include <string.h>

static int check_present(const char *field, const char *value, struct err *err)
{
    return value ? 0 : err_set(err, ERR_INVALID, "%s: absent, an assignment needs one", field);
}

/* What a device that takes part needs, by the kind of its plan. */
static int check_part(const struct assignment *a, struct err *err)
{
    bool trains = a->kind == PLAN_KIND_FEDERATED || a->kind == PLAN_KIND_LORA;

    if (a->participate != TRI_TRUE)
        return 0;
    if (trains && !a->training)
        return err_set(err, ERR_INVALID, "training: absent, a client that takes part needs one");
    if (a->kind == PLAN_KIND_FEDERATED && !a->training->upload_format)
        return err_set(err, ERR_INVALID,
                       "training.upload_format: absent, a federated client needs one");
    if (a->kind == PLAN_KIND_DIFFUSION && !a->image_generation)
        return err_set(err, ERR_INVALID,
                       "image_generation: absent, a device that generates images needs one");
    return 0;
}

int plan_check_identity(const struct assignment *a, const char *device_id,
                        const char *coordinator_id, struct err *err)
{
    if (check_present("coordinator_id", a->coordinator_id, err) < 0 ||
        check_present("plan_id", a->plan_id, err) < 0 ||
        check_present("job_id", a->job_id, err) < 0)
        return -1;
    if (!known_i64(a->generation))
        return err_set(err, ERR_INVALID, "generation: absent, an assignment needs one");
    if (!plan_name_is_safe(a->job_id))
        return err_set(err, ERR_INVALID,
                       "job_id: \"%s\", wanted letters, digits, '.', '-' and '_', not a dot first",
                       a->job_id);
    if (!coordinator_id || strcmp(a->coordinator_id, coordinator_id) != 0)
        return err_set(err, ERR_DENIED, "coordinator_id: \"%s\", wanted \"%s\"", a->coordinator_id,
                       coordinator_id ? coordinator_id : "");
    if (!device_id || strcmp(a->device_id, device_id) != 0)
        return err_set(err, ERR_DENIED, "device_id: \"%s\", this device is \"%s\"", a->device_id,
                       device_id ? device_id : "");
    return check_part(a, err);
}

/* What it may use at most, as promised: of a pipeline the largest stage, since they run in turn. */
static int64_t memory_wanted(const struct assignment *a, const char **field)
{
    int64_t most = UNKNOWN_I64;

    if (a->training) {
        *field = "training.memory_limit_bytes";
        return a->training->memory_limit_bytes;
    }
    if (a->image_generation) {
        *field = "image_generation.memory_limit_bytes";
        return a->image_generation->memory_limit_bytes;
    }
    *field = "stages.memory_bytes";
    for (size_t i = 0; i < a->stages_count; i++) {
        if (known_i64(a->stages[i].memory_bytes) && a->stages[i].memory_bytes > most)
            most = a->stages[i].memory_bytes;
    }
    return most;
}

int plan_check_memory(const struct assignment *a, const struct plan_limits *limits, struct err *err)
{
    char want_text[NUM_BYTES_TEXT_MAX], limit_text[NUM_BYTES_TEXT_MAX];
    const char *field;
    int64_t wanted;

    if (a->participate != TRI_TRUE || !known_i64(limits->memory_bytes))
        return 0;
    wanted = memory_wanted(a, &field);
    if (!known_i64(wanted) || wanted <= limits->memory_bytes)
        return 0;
    return err_set(err, ERR_INFEASIBLE, "%s: %s, more than this machine has for it now: %s (%s)",
                   field, num_format_bytes(wanted, want_text),
                   num_format_bytes(limits->memory_bytes, limit_text), limits->memory_source);
}

int plan_check_disk(const struct assignment *a, const struct plan_limits *limits, struct err *err)
{
    char want_text[NUM_BYTES_TEXT_MAX], free_text[NUM_BYTES_TEXT_MAX];
    int64_t wanted = PLAN_DISK_EXTRA_BYTES;

    if (a->participate != TRI_TRUE || !known_i64(limits->disk_free_bytes))
        return 0;
    if (a->prediction && known_i64(a->prediction->upload_bytes))
        wanted += 2 * a->prediction->upload_bytes;
    if (a->prediction && known_i64(a->prediction->download_bytes))
        wanted += a->prediction->download_bytes;
    if (wanted <= limits->disk_free_bytes)
        return 0;
    return err_set(err, ERR_INFEASIBLE, "disk: %s wanted for adapters and output, %s free",
                   num_format_bytes(wanted, want_text),
                   num_format_bytes(limits->disk_free_bytes, free_text));
}

static bool holds(const char *folder, const char *marker)
{
    char *path = file_path(NULL, "%s/%s", folder, marker);
    bool there = path && file_exists(path);

    mem_free(path);
    return there;
}

/* The last part of a path or hub id, where it is safe to look for below a folder. */
static const char *last_part(const char *wanted)
{
    const char *slash = wanted ? strrchr(wanted, '/') : NULL;
    const char *part = slash ? slash + 1 : wanted;

    return part && plan_name_is_safe(part) ? part : NULL;
}

static int find_in_own(const struct plan_place *place, const char *wanted, char **out,
                       struct err *err)
{
    const char *part = last_part(wanted);
    char *path;

    if (holds(place->own, place->marker)) {
        if (!(*out = mem_strdup(place->own)))
            return err_set(err, ERR_NOMEM, "%s", place->what);
        return 0;
    }
    if (!part)
        return err_set(err, ERR_NOT_FOUND, "%s: %s holds no %s, and the job names none below it",
                       place->what, place->own, place->marker);
    if (!(path = file_path(err, "%s/%s", place->own, part)))
        return -1;
    if (!holds(path, place->marker)) {
        err_set(err, ERR_NOT_FOUND, "%s: neither %s nor %s holds %s", place->what, place->own, path,
                place->marker);
        mem_free(path);
        return -1;
    }
    *out = path;
    return 0;
}

int plan_find_folder(const struct plan_place *place, const char *wanted, char **out,
                     struct err *err)
{
    char *path;

    if (place->own)
        return find_in_own(place, wanted, out, err);
    if (!wanted && !place->standard)
        return err_set(err, ERR_NOT_FOUND, "%s: the job names none, nor do the agent's settings",
                       place->what);
    if (wanted && place->standard && plan_name_is_safe(wanted))
        path = file_path(err, "%s/%s", place->standard, wanted);
    else
        path = file_path(err, "%s", wanted ? wanted : place->standard);
    if (!path)
        return -1;
    *out = path;
    return 0;
}
