/* snapshot.c - one immutable picture of the fleet, shared by counting. */
#include "common/model/snapshot.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/tool_message.h"

#include <string.h>

struct snapshot *snapshot_new(size_t classes, size_t clients, struct err *err)
{
    struct snapshot *s = mem_zalloc(sizeof *s);

    if (s)
        s->refs = 1;
    if (!s || !(s->classes = mem_calloc(classes + 1, sizeof *s->classes)) ||
        !(s->clients = mem_calloc(clients + 1, sizeof *s->clients))) {
        err_set(err, ERR_NOMEM, "snapshot of %zu devices", clients);
        snapshot_unref(s);
        return NULL;
    }
    s->classes_count = classes;
    s->clients_count = clients;
    return s;
}

const struct snapshot *snapshot_ref(const struct snapshot *s)
{
    __atomic_add_fetch(&((struct snapshot *)(uintptr_t)s)->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void client_clear(struct client *c)
{
    mem_free(c->device_id);
    mem_free(c->name);
    for (size_t i = 0; i < c->committed_jobs; i++)
        mem_free(c->committed_job_ids[i]);
    mem_free(c->committed_job_ids);
    mem_free(c->committed_job_bytes);
}

void snapshot_unref(const struct snapshot *shared)
{
    struct snapshot *s = (struct snapshot *)(uintptr_t)shared;

    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; s->classes && i < s->classes_count; i++) {
        profile_free(s->classes[i].profile);
        state_free(s->classes[i].state);
    }
    for (size_t i = 0; s->clients && i < s->clients_count; i++)
        client_clear(&s->clients[i]);
    for (size_t i = 0; i < s->calibrations_count; i++)
        record_clear(&calibration_type, &s->calibrations[i]);
    mem_free(s->calibrations);
    mem_free(s->classes);
    mem_free(s->clients);
    mem_free(s);
}

const struct calibration *snapshot_calibration(const struct snapshot *s, const char *key)
{
    size_t low = 0, high = s->calibrations_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(s->calibrations[mid].key, key);

        if (order == 0)
            return &s->calibrations[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

int64_t client_committed_bytes(const struct client *c, const char *job_id)
{
    int64_t sum = 0;

    for (size_t i = 0; i < c->committed_jobs; i++)
        if (strcmp(c->committed_job_ids[i], job_id) != 0)
            sum += c->committed_job_bytes[i];
    return sum;
}
