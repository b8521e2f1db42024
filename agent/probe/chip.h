/* chip.h - which chip, in which model of machine.
 *
 * Fills profile.chip, profile.model_identifier
 *
 * Linux: "model name" of /proc/cpuinfo (x86) or "Model"; DMI's product name or the device tree's
 * model. macOS: sysctl machdep.cpu.brand_string; hw.product, then hw.model. */
#ifndef AGENT_PROBE_CHIP_H
#define AGENT_PROBE_CHIP_H

struct err;
struct linux_source;
struct profile;

int chip_linux_profile(struct linux_source *source, struct profile *p, struct err *err);

#endif
