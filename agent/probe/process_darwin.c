/* process_darwin.c - see process.h. */
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/process.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <string.h>

#define PROCESSES_MAX 4096 /* of one group; a trainer has a dozen */

/* What a group holds; a process that ends in between, or is another user's, holds 0. */
static uint64_t group_memory(const struct darwin_calls *calls, pid_t group, pid_t *pids)
{
    int found;
    size_t count;
    struct darwin_rusage usage;
    uint64_t total = 0;

    memset(pids, 0, PROCESSES_MAX * sizeof *pids);
    found = calls->proc_listpgrppids(group, pids, PROCESSES_MAX * (int)sizeof *pids);
    count = found > 0 ? (size_t)found : 0; /* processes, not bytes */
    for (size_t i = 0; i < count && i < PROCESSES_MAX; i++) {
        memset(&usage, 0, sizeof usage);
        if (pids[i] > 0 && calls->proc_pid_rusage(pids[i], DARWIN_RUSAGE_INFO_V0, &usage) == 0 &&
            usage.ri_phys_footprint < 1ULL << 50)
            total += usage.ri_phys_footprint;
    }
    return total;
}

int process_darwin_groups_memory(const struct darwin_calls *calls, const int64_t *groups,
                                 size_t count, int64_t *out, struct err *err)
{
    pid_t *pids;
    uint64_t total = 0;

    if (count == 0) {
        *out = 0;
        return 0;
    }
    if (!(pids = mem_calloc(PROCESSES_MAX, sizeof *pids)))
        return err_set(err, ERR_NOMEM, "list of processes");
    for (size_t i = 0; i < count; i++)
        total += group_memory(calls, (pid_t)groups[i], pids);
    mem_free(pids);
    *out = (int64_t)total;
    return 0;
}
