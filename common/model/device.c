/* device.c - one row per field: name, limits, unit, help. The rows drive checking, copying, the
 * wire and JSON. */
#include "common/model/device.h"

static const struct field fact_note_fields[] = {
    ROW_TEXT(fact_note, field, 128, FIELD_REQUIRED, "name of the field it speaks of"),
    ROW_ENUM(fact_note, source, fact_source, FIELD_REQUIRED, "how it was learnt"),
    ROW_TEXT(fact_note, detail, 512, 0, "the key or table it was read from"),
};
RECORD_DEFINE(fact_note, "FactNote");

static const struct field unknown_fact_fields[] = {
    ROW_TEXT(unknown_fact, field, 128, FIELD_REQUIRED, "name of the field"),
    ROW_TEXT(unknown_fact, reason, 512, FIELD_REQUIRED, "why it is unknown"),
};
RECORD_DEFINE(unknown_fact, "UnknownFact");

static const struct field cpu_level_fields[] = {
    ROW_TEXT(cpu_level, name, 64, 0, "as the system names it: Performance, Efficiency, Super"),
    ROW_I64(cpu_level, cores, 1, 4096, "cores", 0, "physical cores of this level"),
    ROW_I64(cpu_level, l2_bytes, 1, 0x1p50, "bytes", 0, "one L2 cache of this level"),
    ROW_I64(cpu_level, cpus_per_l2, 1, 4096, "cores", 0, "cores that share one L2 cache"),
};
RECORD_DEFINE(cpu_level, "CpuLevel");

static const struct field metal_fields[] = {
    ROW_TEXT(metal, name, 128, 0, "name of the Metal device"),
    ROW_I64(metal, working_set_bytes, 1, 0x1p50, "bytes", 0,
            "recommendedMaxWorkingSetSize: what the GPU may keep resident"),
    ROW_I64(metal, max_buffer_bytes, 1, 0x1p50, "bytes", 0, "largest single buffer"),
    ROW_I64(metal, threadgroup_memory_bytes, 1, 0x1p50, "bytes", 0, "largest threadgroup memory"),
    ROW_BOOL(metal, unified_memory, 0, "CPU and GPU share memory"),
    ROW_TEXT(metal, family, 128, 0, "highest GPU family, as printed"),
    ROW_TEXT(metal, metal_version, 64, 0, "Metal3, Metal4, ..., as printed"),
    ROW_TEXT(metal, architecture, 64, 0, "architecture name, as printed"),
    ROW_I64S(metal, families, 64, 1, 65535, "", 0,
             "every GPU family that it says it supports: 1009, 5002"),
};
RECORD_DEFINE(metal, "Metal");

static const struct field profile_fields[] = {
    ROW_ENUM(profile, origin, device_origin, 0, "where these facts come from"),
    ROW_TEXT(profile, recording_id, 64, 0, "id of the recorded or composed machine"),
    ROW_TEXT(profile, name, 128, 0, "for people; chosen by the owner; enters no prompt"),
    ROW_TEXT(profile, agent_version, 64, 0, "version of the agent"),
    ROW_TEXT(profile, chip, 128, 0, "as the system names it: Apple M4 Max"),
    ROW_TEXT(profile, model_identifier, 64, 0, "as the system names it: Mac16,5"),
    ROW_I64(profile, memory_bytes, 1, 0x1p50, "bytes", 0, "physical memory"),
    ROW_I64(profile, memory_usable_bytes, 1, 0x1p50, "bytes", 0, "memory less what firmware keeps"),
    ROW_I64(profile, gpu_cores, 1, 4096, "cores", 0, "GPU cores"),
    ROW_I64(profile, neural_engine_cores, 1, 4096, "cores", 0, "Neural Engine cores"),
    ROW_I64(profile, cpu_cores, 1, 65536, "cores", 0, "physical CPU cores of all levels"),
    ROW_RECORDS(profile, cpu_levels, cpu_level, 16, 0,
                "performance levels, fastest first; any number of them"),
    ROW_TEXT(profile, os_name, 64, 0, "macOS or Linux"),
    ROW_TEXT(profile, os_version, 64, 0, "product version: 26.1"),
    ROW_TEXT(profile, os_build, 64, 0, "build: 25B78"),
    ROW_TEXT(profile, kernel_version, 128, 0, "kernel release"),
    ROW_RECORD(profile, metal, metal, 0, "absent: no Metal device, or unknown (see unknown)"),
    ROW_I64(profile, wired_limit_bytes, 1, 0x1p50, "bytes", 0,
            "limit that the owner set for wired GPU memory; absent where the system chooses"),
    ROW_F64(profile, gpu_flops, 1e+06, 1e+18, "FLOP/s", 0,
            "16-bit matrix rate, measured on the device or published"),
    ROW_F64(profile, memory_bandwidth_bytes_per_s, 1e+06, 1e+18, "bytes/s", 0,
            "memory bandwidth, measured on the device or published"),
    ROW_RECORDS(profile, facts, fact_note, 128, 0,
                "how facts were learnt; a fact that is not listed was read from the system"),
    ROW_RECORDS(profile, unknown, unknown_fact, 128, 0, "facts that could not be learnt, and why"),
    ROW_TEXTS(profile, cpu_features, 64, 32, 0, "as the system names them: FEAT_BF16, FEAT_SME2"),
    ROW_I64(profile, sme_vector_bytes, 1, 65536, "bytes", 0,
            "widest streaming vector of its matrix unit (SME)"),
    ROW_I64(profile, cpu_family, 0, 4294967295, "", 0,
            "hw.cpufamily, of the fastest cores; a hint"),
    ROW_TEXT(profile, neural_engine_architecture, 64, 0, "as the system names it: h16g"),
    ROW_BOOL(profile, virtual_machine, 0, "it runs in a virtual machine"),
    ROW_BOOL(profile, rdma, 0, "RDMA over Thunderbolt is there and switched on"),
    ROW_TEXTS(profile, rdma_devices, 16, 64, 0, "its devices: rdma_en2"),
};
RECORD_DEFINE(profile, "Profile");

static const struct field link_fields[] = {
    ROW_TEXT(link, name, 64, FIELD_REQUIRED, "as the system names it: en0"),
    ROW_ENUM(link, kind, link_kind, 0, "kind of interface"),
    ROW_BOOL(link, up, 0, "it carries traffic now"),
    ROW_F64(link, speed_bps, 1, 1e+13, "bits/s", 0, "link speed as the system states it"),
};
RECORD_DEFINE(link, "Link");

static const struct field state_fields[] = {
    ROW_BOOL(state, synthetic, 0, "the values are made up for a demonstration"),
    ROW_I64(state, memory_available_bytes, 0, 0x1p50, "bytes", 0,
            "memory that could be had without swapping"),
    ROW_I64(state, memory_free_bytes, 0, 0x1p50, "bytes", 0, "memory in no use at all"),
    ROW_I64(state, swap_used_bytes, 0, 0x1p50, "bytes", 0, "swap in use"),
    ROW_I64(state, swap_total_bytes, 0, 0x1p50, "bytes", 0, "swap there is"),
    ROW_ENUM(state, memory_pressure, memory_pressure, 0, "the system's own word"),
    ROW_I64(state, plan_memory_bytes, 0, 0x1p50, "bytes", 0,
            "held now by the processes of our own assignments"),
    ROW_F64(state, cpu_load, 0, 1, "share", 0, "busy share of all CPU cores since the last report"),
    ROW_F64(state, gpu_load, 0, 1, "share", 0, "busy share of the GPU"),
    ROW_F64(state, load_average, 0, 1e+06, "processes", 0, "1-minute load average"),
    ROW_ENUM(state, thermal, thermal, 0, "thermal state"),
    ROW_ENUM(state, power_source, power_source, 0, "what feeds it now"),
    ROW_F64(state, battery_percent, 0, 100, "percent", 0,
            "charge; absent on a device with no battery"),
    ROW_BOOL(state, charging, 0, "the battery is being charged"),
    ROW_BOOL(state, has_battery, 0, "there is a battery"),
    ROW_BOOL(state, low_power_mode, 0, "low-power mode is on"),
    ROW_F64(state, user_idle_seconds, 0, 1e+09, "s", 0, "since a person last touched it"),
    ROW_BOOL(state, lid_closed, 0, "the lid is closed; absent where there is no lid"),
    ROW_I64(state, disk_free_bytes, 0, 0x1p50, "bytes", 0,
            "free on the volume of the agent's folder"),
    ROW_RECORDS(state, links, link, 64, 0, "network interfaces"),
    ROW_F64(state, up_bps, 1, 1e+13, "bits/s", 0, "measured or configured rate to the coordinator"),
    ROW_F64(state, down_bps, 1, 1e+13, "bits/s", 0,
            "measured or configured rate from the coordinator"),
    ROW_F64(state, uptime_seconds, 0, 1e+10, "s", 0, "since the device was started"),
    ROW_RECORDS(state, facts, fact_note, 64, 0, "how facts were learnt"),
    ROW_RECORDS(state, unknown, unknown_fact, 64, 0,
                "facts that could not be learnt, and why; sent in the first report of a session"),
    ROW_I64(state, memory_wired_bytes, 0, 0x1p50, "bytes", 0,
            "memory that cannot be paged out, the GPU's too"),
    ROW_I64(state, memory_compressed_bytes, 0, 0x1p50, "bytes", 0,
            "memory that holds compressed pages"),
    ROW_F64(state, memory_free_percent, 0, 100, "percent", 0, "what the system itself calls free"),
    ROW_I64(state, gpu_memory_used_bytes, 0, 0x1p50, "bytes", 0,
            "system memory in use by the GPU, of all processes"),
};
RECORD_DEFINE(state, "State");
