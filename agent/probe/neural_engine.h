/* neural_engine.h - the Neural Engine.
 *
 * Fills profile.neural_engine_cores, profile.neural_engine_architecture
 *
 * Linux: nothing (gpu_linux.c has the reason). macOS: DeviceProperties of each H11ANEIn in the
 * IORegistry (the class has kept its name from M1 to M4): ANEDevicePropertyNumANECores, summed, as
 * an Ultra should have two; ANEDevicePropertyTypeANEArchitectureTypeStr. Undocumented: absent is
 * unknown. */
#ifndef AGENT_PROBE_NEURAL_ENGINE_H
#define AGENT_PROBE_NEURAL_ENGINE_H

struct darwin_source;
struct err;
struct profile;

int neural_engine_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
