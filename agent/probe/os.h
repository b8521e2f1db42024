/* os.h - the system and its version.
 *
 * Fills profile.os_name, profile.os_version, profile.os_build, profile.kernel_version
 *
 * Linux: uname; VERSION_ID and BUILD_ID of /etc/os-release.
 * macOS: the major number from kern.osrelease (Darwin 25 is macOS 26), since kern.osproductversion
 * tells programs built for older systems an older number; kern.osversion. */
#ifndef AGENT_PROBE_OS_H
#define AGENT_PROBE_OS_H

struct darwin_source;
struct err;
struct linux_source;
struct profile;

int os_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int os_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
