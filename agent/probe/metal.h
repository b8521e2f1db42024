/* metal.h - what Metal says of the GPU.
 *
 * Fills profile.metal
 *
 * Linux: nothing (gpu_linux.c has the reason). macOS, through the Objective-C runtime:
 * MTLCopyAllDevices first, since MTLCreateSystemDefaultDevice is nil in programs without a window
 * from macOS 14 on; name, recommendedMaxWorkingSetSize (the GPU's memory budget, which follows the
 * wired limit; never a percentage of memory), maxBufferLength, maxThreadgroupMemoryLength,
 * hasUnifiedMemory, architecture where it responds to it. Families are asked one by one, 1001 to
 * 1020 (Apple1 to Apple20), 2001 to 2002 (Mac), 3001 to 3005 (Common), 5001 to 5005 (Metal3 is
 * 5001, Metal4 is 5002): Metal answers NO to numbers that it does not know. */
#ifndef AGENT_PROBE_METAL_H
#define AGENT_PROBE_METAL_H

struct darwin_source;
struct err;
struct profile;

int metal_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
