/* os_darwin.c - see os.h.
 *
 * The trap: a program built for an older system is told an older number. macOS 26 says 16.x to a
 * program whose SDK is older than 26, as macOS 11 said 10.16. The kernel's release does not change
 * with who asks, and its major number is one per major macOS: where the two differ, the kernel's is
 * believed, and the minor number is not made up. */
#include "agent/probe/os.h"
#include "agent/probe/darwin.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/core/num.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DARWIN_OF_MACOS_11 20
#define DARWIN_OF_MACOS_26 25 /* the numbers jump from 15 to 26 */
#define DARWIN_NEWEST 26      /* macOS 27, the newest that was seen */
#define MACOS_COMPATIBLE 16   /* what macOS 26 calls itself to older programs */

/* The number before the first dot; UNKNOWN_I64 when there is none. */
static int64_t major_of(const char *version)
{
    int64_t major = UNKNOWN_I64;

    num_parse_i64(version, strcspn(version, "."), 0, 1000, &major, "version", NULL);
    return major;
}

/* The macOS of a kernel; UNKNOWN_I64 for one that nobody has seen. */
static int64_t macos_of(int64_t darwin)
{
    if (darwin >= DARWIN_OF_MACOS_11 && darwin < DARWIN_OF_MACOS_26)
        return darwin - 9;
    return darwin >= DARWIN_OF_MACOS_26 && darwin <= DARWIN_NEWEST ? darwin + 1 : UNKNOWN_I64;
}

static int put_derived(struct profile *p, int64_t major, const char *kernel, struct err *err)
{
    char detail[192];

    snprintf(detail, sizeof detail, "the major number, of kern.osrelease %s", kernel);
    if (text_setf(&p->os_version, err, "%" PRId64, major) < 0)
        return -1;
    return profile_note(p, err, "os_version", FACT_SOURCE_DERIVED, detail);
}

/* `product` and `kernel` are "" where they could not be read. */
static int put_version(struct profile *p, const char *product, const char *kernel, struct err *err)
{
    int64_t said = major_of(product), darwin = major_of(kernel), major = macos_of(darwin);

    if (known_i64(major) && said != major) /* also when there is no product version */
        return put_derived(p, major, kernel, err);
    if (said == MACOS_COMPATIBLE)
        return profile_unknown(p, err, "os_version",
                               "kern.osproductversion is %s, which macOS 26 and later say to older "
                               "programs, and kern.osrelease (\"%s\") does not tell which it is",
                               product, kernel);
    if (known_i64(said))
        return profile_put_text(p, err, "os_version", product, "sysctl kern.osproductversion");
    return profile_unknown(p, err, "os_version",
                           "neither kern.osproductversion (\"%s\") nor "
                           "kern.osrelease (\"%s\") tells it",
                           product, kernel);
}

int os_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    char product[64] = "", kernel[128] = "", build[64], why[160];
    int rc;

    if (darwin_sysctl_text(source, "kern.osproductversion", product, sizeof product) < 0)
        product[0] = '\0';
    if (darwin_sysctl_text(source, "kern.osrelease", kernel, sizeof kernel) == 0)
        rc = profile_put_text(p, err, "kernel_version", kernel, "sysctl kern.osrelease");
    else
        rc = profile_unknown(p, err, "kernel_version", "%s",
                             darwin_sysctl_reason("kern.osrelease", why, sizeof why));
    if (rc < 0 || text_set(&p->os_name, "macOS", err) < 0 ||
        put_version(p, product, kernel, err) < 0)
        return -1;
    if (darwin_sysctl_text(source, "kern.osversion", build, sizeof build) == 0)
        return profile_put_text(p, err, "os_build", build, "sysctl kern.osversion");
    return profile_unknown(p, err, "os_build", "%s",
                           darwin_sysctl_reason("kern.osversion", why, sizeof why));
}
