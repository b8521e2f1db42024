/* chip.h - which chip, in which model of machine.
 *
 * Fills profile.chip, profile.model_identifier, profile.virtual_machine
 *
 * Linux: "model name" of /proc/cpuinfo (x86) or "Model"; DMI's product name or the device tree's
 * model. macOS: sysctl machdep.cpu.brand_string; hw.product, then hw.model;
 * kern.hv_vmm_present. */
#ifndef AGENT_PROBE_CHIP_H
#define AGENT_PROBE_CHIP_H

struct darwin_source;
struct err;
struct linux_source;
struct profile;

int chip_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int chip_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
