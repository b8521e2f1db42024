/* recording_os.c - which macOS it was.
 *
 * The kernel's version is the surer one: to programs built against an older SDK macOS 26 calls
 * itself 16, so where the product's version and Darwin's disagree, the major comes from Darwin. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/model/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Darwin 20 was macOS 11, ..., 24 was 15; from 25 on macOS counts by years: 26. 0: not known. */
static long macos_of_darwin(long darwin)
{
    if (darwin < 20)
        return 0;
    return darwin < 25 ? darwin - 9 : darwin + 1;
}

/* The version that holds, where the printed one and the kernel disagree. The compatibility version
 * keeps the minor numbers of macOS 26; of others only the major is sure. */
static int set_by_kernel(struct recording *r, long darwin)
{
    struct profile *p = r->profile;
    long major = macos_of_darwin(darwin), printed = p->os_version ? atol(p->os_version) : 0;
    const char *minor = p->os_version ? strchr(p->os_version, '.') : NULL;
    char version[64], detail[DETAIL_MAX];

    if (major == 0 || printed == major)
        return 0;
    if (p->os_version)
        snprintf(detail, sizeof detail, "%s was printed, but Darwin %ld is macOS %ld",
                 p->os_version, darwin, major);
    else
        snprintf(detail, sizeof detail, "Darwin %ld is macOS %ld", darwin, major);
    snprintf(version, sizeof version, "%ld%s", major,
             printed == 16 && major == 26 && minor ? minor : "");
    if (text_set(&p->os_version, version, r->err) < 0)
        return -1;
    for (size_t i = 0; i < p->facts_count; i++) {
        if (strcmp(p->facts[i].field, "os_version") != 0)
            continue;
        p->facts[i].source = FACT_SOURCE_DERIVED;
        return text_set(&p->facts[i].detail, detail, r->err);
    }
    return recording_note(&p->facts, &p->facts_count, "", "os_version", FACT_SOURCE_DERIVED, detail,
                          r->err);
}

int recording_os(struct recording *r)
{
    static const struct source version[] = {
        {"sysctl", "kern.osproductversion", SOURCE_VERSION, 1, FACT_SOURCE_READ, false},
        {"os", "version", SOURCE_VERSION, 1, FACT_SOURCE_READ, false},
        {"system_profiler", "System Version", SOURCE_VERSION, 1, FACT_SOURCE_READ, false},
        {"stated", "os", SOURCE_VERSION, 1, FACT_SOURCE_STATED, false},
    };
    static const struct source build[] = {
        {"sysctl", "kern.osversion", SOURCE_TEXT, 1, FACT_SOURCE_READ, false},
        {"os", "build", SOURCE_TEXT, 1, FACT_SOURCE_READ, false},
    };
    static const struct source kernel[] = {
        {"sysctl", "kern.osrelease", SOURCE_TEXT, 1, FACT_SOURCE_READ, false},
        {"os", "darwin", SOURCE_TEXT, 1, FACT_SOURCE_READ, false},
    };
    struct profile *p = r->profile;

    if (text_set(&p->os_name, "macOS", r->err) < 0 ||
        recording_note(&p->facts, &p->facts_count, "", "os_name", FACT_SOURCE_DERIVED,
                       "recordings are of Macs", r->err) < 0 ||
        recording_fact(r, &profile_type, p, "", "os_version", version, COUNT(version), &p->facts,
                       &p->facts_count) < 0 ||
        recording_fact(r, &profile_type, p, "", "os_build", build, COUNT(build), &p->facts,
                       &p->facts_count) < 0 ||
        recording_fact(r, &profile_type, p, "", "kernel_version", kernel, COUNT(kernel), &p->facts,
                       &p->facts_count) < 0)
        return -1;
    return p->kernel_version ? set_by_kernel(r, atol(p->kernel_version)) : 0;
}
