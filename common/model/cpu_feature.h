/* cpu_feature.h - the CPU features that profile.cpu_features speaks of.
 *
 * Reduced precision, integer dot products and the matrix unit: what decides how fast a CPU
 * multiplies. Names are those of the system, which has one sysctl each: 1 where the CPU can do it.
 */
#ifndef COMMON_MODEL_CPU_FEATURE_H
#define COMMON_MODEL_CPU_FEATURE_H

#include <stddef.h>

#define CPU_FEATURE_PREFIX "hw.optional.arm."

/* Without the prefix: FEAT_BF16. */
extern const char *const cpu_features[];
extern const size_t cpu_features_count;

#endif
