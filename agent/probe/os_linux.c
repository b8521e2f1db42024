/* os_linux.c - see os.h. */
#include "agent/probe/os.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <sys/utsname.h>

static int from_release(struct profile *p, char **field, const char *name, const char *text,
                        const char *key, struct err *err)
{
    char value[65], clean[65]; /* 64 bytes, as the rows of the model */

    if (linux_value(text, key, value, sizeof value) < 0)
        return profile_unknown(p, err, name, "/etc/os-release has no %s", key);
    text_clean(clean, sizeof clean, value);
    return text_set(field, clean, err);
}

int os_linux_profile(struct linux_source *source, struct profile *p, struct err *err)
{
    char text[LINUX_TEXT_MAX];
    struct utsname name;

    if (linux_read(source, "/etc/os-release", text, sizeof text) < 0)
        text[0] = '\0';
    if (text_set(&p->os_name, "Linux", err) < 0 ||
        from_release(p, &p->os_version, "os_version", text, "VERSION_ID", err) < 0 ||
        from_release(p, &p->os_build, "os_build", text, "BUILD_ID", err) < 0)
        return -1;
    if (uname(&name) < 0)
        return profile_unknown(p, err, "kernel_version", "uname failed");
    return text_set(&p->kernel_version, name.release, err);
}
