/* device.h - a device's profile and state, as reported.
 *
 * Plain structs, one per message of proto/espalier/v1/device.proto, field for field; ranges and
 * units stand in the tables of device.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an enum's
 * unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with every
 * field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_DEVICE_H
#define COMMON_MODEL_DEVICE_H

#include "common/model/enums.h"
#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

/* how one fact of a report was learnt */
struct fact_note {
    char *field;  /* name of the field it speaks of */
    int source;   /* enum fact_source: how it was learnt */
    char *detail; /* the key or table it was read from */
};
RECORD_DECLARE(fact_note);

/* one fact that could not be learnt, and why */
struct unknown_fact {
    char *field;  /* name of the field */
    char *reason; /* why it is unknown */
};
RECORD_DECLARE(unknown_fact);

/* one performance level of the CPU, fastest first */
struct cpu_level {
    char *name;          /* as the system names it: Performance, Efficiency, Super */
    int64_t cores;       /* cores: physical cores of this level */
    int64_t l2_bytes;    /* bytes: one L2 cache of this level */
    int64_t cpus_per_l2; /* cores: cores that share one L2 cache */
};
RECORD_DECLARE(cpu_level);

/* what Metal says of the GPU */
struct metal {
    char *name; /* name of the Metal device */
    /* bytes: recommendedMaxWorkingSetSize: what the GPU may keep resident */
    int64_t working_set_bytes;
    int64_t max_buffer_bytes;         /* bytes: largest single buffer */
    int64_t threadgroup_memory_bytes; /* bytes: largest threadgroup memory */
    int unified_memory;               /* enum tristate: CPU and GPU share memory */
    char *family;                     /* highest GPU family, as printed */
    char *metal_version;              /* Metal3, Metal4, ..., as printed */
    char *architecture;               /* architecture name, as printed */
    int64_t *families;                /* every GPU family that it says it supports: 1009, 5002 */
    size_t families_count;
};
RECORD_DECLARE(metal);

/* what does not change while a device runs */
struct profile {
    int origin;                   /* enum device_origin: where these facts come from */
    char *recording_id;           /* id of the recorded or composed machine */
    char *name;                   /* for people; chosen by the owner; enters no prompt */
    char *agent_version;          /* version of the agent */
    char *chip;                   /* as the system names it: Apple M4 Max */
    char *model_identifier;       /* as the system names it: Mac16,5 */
    int64_t memory_bytes;         /* bytes: physical memory */
    int64_t memory_usable_bytes;  /* bytes: memory less what firmware keeps */
    int64_t gpu_cores;            /* cores: GPU cores */
    int64_t neural_engine_cores;  /* cores: Neural Engine cores */
    int64_t cpu_cores;            /* cores: physical CPU cores of all levels */
    struct cpu_level *cpu_levels; /* performance levels, fastest first; any number of them */
    size_t cpu_levels_count;
    char *os_name;        /* macOS or Linux */
    char *os_version;     /* product version: 26.1 */
    char *os_build;       /* build: 25B78 */
    char *kernel_version; /* kernel release */
    struct metal *metal;  /* absent: no Metal device, or unknown (see unknown) */
    /* bytes: limit that the owner set for wired GPU memory; absent where the system chooses */
    int64_t wired_limit_bytes;
    double gpu_flops; /* FLOP/s: 16-bit matrix rate, measured on the device or published */
    /* bytes/s: memory bandwidth, measured on the device or published */
    double memory_bandwidth_bytes_per_s;
    struct fact_note
        *facts; /* how facts were learnt; a fact that is not listed was read from the system */
    size_t facts_count;
    struct unknown_fact *unknown; /* facts that could not be learnt, and why */
    size_t unknown_count;
    char **cpu_features; /* as the system names them: FEAT_BF16, FEAT_SME2 */
    size_t cpu_features_count;
    int64_t sme_vector_bytes;         /* bytes: widest streaming vector of its matrix unit (SME) */
    int64_t cpu_family;               /* hw.cpufamily, of the fastest cores; a hint */
    char *neural_engine_architecture; /* as the system names it: h16g */
    int virtual_machine;              /* enum tristate: it runs in a virtual machine */
    int rdma;            /* enum tristate: RDMA over Thunderbolt is there and switched on */
    char **rdma_devices; /* its devices: rdma_en2 */
    size_t rdma_devices_count;
};
RECORD_DECLARE(profile);

/* one network interface */
struct link {
    char *name;       /* as the system names it: en0 */
    int kind;         /* enum link_kind: kind of interface */
    int up;           /* enum tristate: it carries traffic now */
    double speed_bps; /* bits/s: link speed as the system states it */
};
RECORD_DECLARE(link);

/* what changes while a device runs */
struct state {
    int synthetic;                  /* enum tristate: the values are made up for a demonstration */
    int64_t memory_available_bytes; /* bytes: memory that could be had without swapping */
    int64_t memory_free_bytes;      /* bytes: memory in no use at all */
    int64_t swap_used_bytes;        /* bytes: swap in use */
    int64_t swap_total_bytes;       /* bytes: swap there is */
    int memory_pressure;            /* enum memory_pressure: the system's own word */
    int64_t plan_memory_bytes;      /* bytes: held now by the processes of our own assignments */
    double cpu_load;                /* share: busy share of all CPU cores since the last report */
    double gpu_load;                /* share: busy share of the GPU */
    double load_average;            /* processes: 1-minute load average */
    int thermal;                    /* enum thermal: thermal state */
    int power_source;               /* enum power_source: what feeds it now */
    double battery_percent;         /* percent: charge; absent on a device with no battery */
    int charging;                   /* enum tristate: the battery is being charged */
    int has_battery;                /* enum tristate: there is a battery */
    int low_power_mode;             /* enum tristate: low-power mode is on */
    double user_idle_seconds;       /* s: since a person last touched it */
    int lid_closed;          /* enum tristate: the lid is closed; absent where there is no lid */
    int64_t disk_free_bytes; /* bytes: free on the volume of the agent's folder */
    struct link *links;      /* network interfaces */
    size_t links_count;
    double up_bps;           /* bits/s: measured or configured rate to the coordinator */
    double down_bps;         /* bits/s: measured or configured rate from the coordinator */
    double uptime_seconds;   /* s: since the device was started */
    struct fact_note *facts; /* how facts were learnt */
    size_t facts_count;
    /* facts that could not be learnt, and why; sent in the first report of a session */
    struct unknown_fact *unknown;
    size_t unknown_count;
    int64_t memory_wired_bytes;      /* bytes: memory that cannot be paged out, the GPU's too */
    int64_t memory_compressed_bytes; /* bytes: memory that holds compressed pages */
    double memory_free_percent;      /* percent: what the system itself calls free */
    int64_t gpu_memory_used_bytes;   /* bytes: system memory in use by the GPU, of all processes */
};
RECORD_DECLARE(state);
#endif
