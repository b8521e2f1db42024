/* cpu_features.h - instructions that matter for matrices, and the CPU's family.
 *
 * Fills profile.cpu_features, profile.sme_vector_bytes, profile.cpu_family
 *
 * Linux: nothing. macOS: hw.optional.arm.FEAT_* and SME_* (1: it can; 0 or no such key: it cannot,
 * as far as this macOS knows), hw.optional.arm.sme_max_svl_b, hw.cpufamily (unsigned, though
 * sysctl(8) prints some with a sign). */
#ifndef AGENT_PROBE_CPU_FEATURES_H
#define AGENT_PROBE_CPU_FEATURES_H

struct darwin_source;
struct err;
struct profile;

int cpu_features_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
