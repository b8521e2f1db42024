/* recording_facts.c - where in a recording each fact stands, best source first.
 *
 * The order is that of the format: what the system said, then what a tool printed of it, then what
 * the author states. `other` is what a tool printed without saying where it read it: as good as
 * stated. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define READ FACT_SOURCE_READ
#define STATED FACT_SOURCE_STATED
#define GIB 0x1p30
#define MIB 0x1p20

static const struct source chip[] = {
    {"sysctl", "machdep.cpu.brand_string", SOURCE_TEXT, 1, READ, false},
    {"metal", "name", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "Chip", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "chip_type", SOURCE_TEXT, 1, READ, false},
    {"ioreg", "model", SOURCE_TEXT, 1, READ, false}, /* of the accelerator: the GPU's name */
    {"stated", "chip", SOURCE_TEXT, 1, STATED, false},
};
static const struct source model_identifier[] = {
    {"sysctl", "hw.product", SOURCE_TEXT, 1, READ, false},
    {"sysctl", "hw.model", SOURCE_TEXT, 1, READ, false},
    {"ioreg", "IOPlatformExpertDevice.model", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "Model Identifier", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "machine_model", SOURCE_TEXT, 1, READ, false},
    {"stated", "model_identifier", SOURCE_TEXT, 1, STATED, false},
    {"other", "model", SOURCE_TEXT, 1, STATED, false},
};
static const struct source memory_bytes[] = {
    {"sysctl", "hw.memsize", SOURCE_NUMBER, 1, READ, false},
    {"metal", "memory_size", SOURCE_NUMBER, 1, READ, false},
    {"system_profiler", "Memory", SOURCE_SIZE, 1, READ, false},
    {"system_profiler", "physical_memory", SOURCE_SIZE, 1, READ, false},
    {"stated", "memory_gb", SOURCE_NUMBER, GIB, STATED, false},
    {"other", "memory", SOURCE_SIZE, 1, STATED, false},
    {"other", "unified_memory_total_gib", SOURCE_NUMBER, GIB, STATED, false},
};
static const struct source memory_usable_bytes[] = {
    {"sysctl", "hw.memsize_usable", SOURCE_NUMBER, 1, READ, false},
};
static const struct source gpu_cores[] = {
    {"ioreg", "gpu-core-count", SOURCE_NUMBER, 1, READ, true},
    {"ioreg", "GPUConfigurationVariable.num_cores", SOURCE_NUMBER, 1, READ, true},
    {"system_profiler", "sppci_cores", SOURCE_NUMBER, 1, READ, true},
    {"system_profiler", "GPU Total Number of Cores", SOURCE_NUMBER, 1, READ, true},
    {"stated", "gpu_cores", SOURCE_NUMBER, 1, STATED, false},
    {"other", "gpu_cores", SOURCE_NUMBER, 1, STATED, false},
};
static const struct source neural_engine_cores[] = {
    {"ioreg", "ANEDevicePropertyNumANECores", SOURCE_NUMBER, 1, READ, true},
};
static const struct source wired_limit_bytes[] = {
    {"sysctl", "iogpu.wired_limit_mb", SOURCE_NUMBER, MIB, READ, true},
};

static const struct source cpu_family[] = {{"sysctl", "hw.cpufamily", SOURCE_U32, 1, READ, false}};
static const struct source sme_vector[] = {
    {"sysctl", "hw.optional.arm.sme_max_svl_b", SOURCE_NUMBER, 1, READ, true},
};
static const struct source engine_architecture[] = {
    {"ioreg", "ANEDevicePropertyTypeANEArchitectureTypeStr", SOURCE_TEXT, 1, READ, false},
};
static const struct source virtual_machine[] = {
    {"sysctl", "kern.hv_vmm_present", SOURCE_FLAG, 1, READ, false},
};

static const struct source metal_name[] = {{"metal", "name", SOURCE_TEXT, 1, READ, false}};
static const struct source working_set[] = {
    {"metal", "recommended_max_working_set_bytes", SOURCE_NUMBER, 1, READ, true},
    {"metal", "recommended_max_working_set_mib", SOURCE_NUMBER, MIB, READ, true},
    {"metal", "recommended_max_working_set_gib", SOURCE_NUMBER, GIB, READ, true},
    {"metal", "recommended_max_working_set_gb", SOURCE_NUMBER, 1e9, READ, true},
    {"metal", "recommended_max_working_set_printed", SOURCE_PRINTED, 1, READ, true},
};
static const struct source max_buffer[] = {
    {"metal", "max_buffer_length", SOURCE_NUMBER, 1, READ, true},
    {"metal", "max_buffer_length_mib", SOURCE_NUMBER, MIB, READ, true},
};
static const struct source threadgroup[] = {
    {"metal", "max_threadgroup_memory_length", SOURCE_NUMBER, 1, READ, true},
};
static const struct source unified[] = {
    {"metal", "has_unified_memory", SOURCE_FLAG, 1, READ, false},
};
static const struct source family[] = {{"metal", "gpu_family", SOURCE_TEXT, 1, READ, false}};
static const struct source metal_version[] = {
    {"metal", "gpu_family_metal", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "Metal Support", SOURCE_TEXT, 1, READ, false},
    {"system_profiler", "spdisplays_mtlgpufamilysupport", SOURCE_TEXT, 1, READ, false},
    {"stated", "metal", SOURCE_TEXT, 1, STATED, false},
};
static const struct source architecture[] = {
    {"metal", "architecture", SOURCE_TEXT, 1, READ, false},
};

/* vm.swapusage prints M for 2^20 bytes, and so do the tools that pass it on. */
static const struct source swap_used[] = {
    {"other", "swap_used_mb", SOURCE_NUMBER, MIB, STATED, false},
};
static const struct source swap_total[] = {
    {"other", "swap_total_mb", SOURCE_NUMBER, MIB, STATED, false},
};

static const struct source free_percent[] = {
    {"sysctl", "kern.memorystatus_level", SOURCE_NUMBER, 1, READ, false},
};
static const struct source gpu_memory_used[] = {
    {"ioreg", "PerformanceStatistics.In use system memory", SOURCE_NUMBER, 1, READ, false},
};

struct fact_row {
    const char *field;
    const struct source *sources;
    size_t count;
};

#define ROW(field, list)                            \
    {                                               \
        field, list, sizeof(list) / sizeof(list)[0] \
    }

static const struct fact_row profile_rows[] = {
    ROW("chip", chip),
    ROW("model_identifier", model_identifier),
    ROW("memory_bytes", memory_bytes),
    ROW("memory_usable_bytes", memory_usable_bytes),
    ROW("gpu_cores", gpu_cores),
    ROW("neural_engine_cores", neural_engine_cores),
    ROW("wired_limit_bytes", wired_limit_bytes),
    ROW("cpu_family", cpu_family),
    ROW("sme_vector_bytes", sme_vector),
    ROW("neural_engine_architecture", engine_architecture),
    ROW("virtual_machine", virtual_machine),
};

static const struct fact_row metal_rows[] = {
    ROW("name", metal_name),
    ROW("working_set_bytes", working_set),
    ROW("max_buffer_bytes", max_buffer),
    ROW("threadgroup_memory_bytes", threadgroup),
    ROW("unified_memory", unified),
    ROW("family", family),
    ROW("metal_version", metal_version),
    ROW("architecture", architecture),
};

static const struct fact_row state_rows[] = {
    ROW("swap_used_bytes", swap_used),
    ROW("swap_total_bytes", swap_total),
    ROW("memory_free_percent", free_percent),
    ROW("gpu_memory_used_bytes", gpu_memory_used),
};

#define ROWS(list) list, sizeof(list) / sizeof(list)[0]

/* How many of the rows were found, or -1. */
static int fill(struct recording *r, const struct record_type *type, void *record,
                const char *prefix, const struct fact_row *rows, size_t count,
                struct fact_note **facts, size_t *facts_count)
{
    int found = 0;

    for (size_t i = 0; i < count; i++) {
        int rc = recording_fact(r, type, record, prefix, rows[i].field, rows[i].sources,
                                rows[i].count, facts, facts_count);

        if (rc < 0)
            return -1;
        found += rc;
    }
    return found;
}

static int fill_metal(struct recording *r)
{
    struct profile *p = r->profile;
    int found;

    p->metal = metal_new(r->err);
    if (!p->metal)
        return -1;
    found = fill(r, &metal_type, p->metal, "metal.", ROWS(metal_rows), &p->facts, &p->facts_count);
    if (found > 0)
        return 0;
    metal_free(p->metal);
    p->metal = NULL;
    return found;
}

/* The kernel counts 1, 2, 4. */
static int fill_pressure(struct recording *r)
{
    static const int levels[] = {0, MEMORY_PRESSURE_NORMAL, MEMORY_PRESSURE_WARN, 0,
                                 MEMORY_PRESSURE_CRITICAL};
    static const char key[] = "kern.memorystatus_vm_pressure_level";
    struct state *s = r->state;
    char shown[DOCUMENT_VALUE_MAX];
    int level = 0, rc = recording_integer(r, "sysctl", key, 1, 4, &level);

    if (rc <= 0)
        return rc;
    if (!levels[level])
        return err_set(r->err, ERR_INVALID, "sysctl.%s: %s, wanted 1, 2 or 4", key,
                       document_shown(recording_value(r, "sysctl", key), shown));
    s->memory_pressure = levels[level];
    return recording_note(&s->facts, &s->facts_count, "", "memory_pressure", READ,
                          "sysctl.kern.memorystatus_vm_pressure_level", r->err) < 0
               ? -1
               : 1;
}

/* A tool that prints both all memory and the used part has said what is left. */
static int fill_available(struct recording *r)
{
    static const struct source used[] = {
        {"other", "unified_memory_used_gib", SOURCE_NUMBER, GIB, STATED, false},
    };
    static const struct source total[] = {
        {"other", "unified_memory_total_gib", SOURCE_NUMBER, GIB, STATED, false},
    };
    struct state *s = r->state;
    char detail[DETAIL_MAX];
    int64_t all;
    int how, rc;

    rc = recording_resolve(r, &state_type, s, "memory_available_bytes", total, 1, detail, &how);
    if (rc <= 0)
        return rc;
    all = s->memory_available_bytes;
    s->memory_available_bytes = UNKNOWN_I64;
    rc = recording_resolve(r, &state_type, s, "memory_available_bytes", used, 1, detail, &how);
    if (rc <= 0)
        return rc;
    if (s->memory_available_bytes > all)
        return err_set(r->err, ERR_INVALID,
                       "other.unified_memory_used_gib: %" PRId64 " bytes, wanted at most "
                       "unified_memory_total_gib",
                       s->memory_available_bytes);
    s->memory_available_bytes = all - s->memory_available_bytes;
    return recording_note(&s->facts, &s->facts_count, "", "memory_available_bytes",
                          FACT_SOURCE_DERIVED,
                          "other.unified_memory_total_gib less unified_memory_used_gib", r->err) < 0
               ? -1
               : 1;
}

/* Most recordings have no live value: then there is no state. */
static int fill_state(struct recording *r)
{
    int pressure, available, found;

    r->state = state_new(r->err);
    if (!r->state || (pressure = fill_pressure(r)) < 0 || (available = fill_available(r)) < 0 ||
        (found = fill(r, &state_type, r->state, "", ROWS(state_rows), &r->state->facts,
                      &r->state->facts_count)) < 0)
        return -1;
    if (pressure || available || found)
        return 0;
    state_free(r->state);
    r->state = NULL;
    return 0;
}

static void explain_wired_limit(struct recording *r)
{
    const struct json *raised = recording_value(r, "stated", "iogpu.wired_limit_mb_overridden");

    if (recording_value(r, "sysctl", "iogpu.wired_limit_mb"))
        recording_reason(r, "wired_limit_bytes", "iogpu.wired_limit_mb is 0: the system chooses");
    else if (json_bool_value(raised))
        recording_reason(r, "wired_limit_bytes",
                         "stated to have been raised by the owner, without the value");
}

int recording_facts(struct recording *r)
{
    struct profile *p = r->profile;

    if (fill(r, &profile_type, p, "", ROWS(profile_rows), &p->facts, &p->facts_count) < 0)
        return -1;
    if (!known_i64(p->wired_limit_bytes))
        explain_wired_limit(r);
    return fill_metal(r) < 0 || fill_state(r) < 0 ? -1 : 0;
}
