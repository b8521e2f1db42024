/* recording.h - what a Mac once printed, or what tables say of one, as a profile and a state.
 *
 * A recorded machine is one tool's partial view of a real Mac: groups `sysctl`, `metal`, `ioreg`,
 * `system_profiler`, `os`, `other`, and `stated`, what the author of the source says of it. A
 * composed machine (kind "composed") has a group `composed` with values from published tables, each
 * with its row in `composed.sources`, and may have a `state` that is marked synthetic.
 *
 * Every known field of the profile is in its `facts` with where it came from, and every one that is
 * not is in its `unknown` with the reason. Nothing is guessed: a chip's name implies nothing here.
 * Thread: none, pure functions. */
#ifndef COMMON_RECORDING_RECORDING_H
#define COMMON_RECORDING_RECORDING_H

#include <stddef.h>

struct err;
struct profile;
struct state;

/* A file larger than this is no recording: the largest known is 8 KB. */
#define RECORDING_TEXT_MAX (256 * 1024)

/* *profile is yours to profile_free, *state (NULL where the file has no live values) to state_free.
 * `state` may be NULL. A value of the wrong kind is refused, naming its key:
 * "sysctl.hw.memsize: \"lots\", wanted an integer from 1 to 1125899906842624". */
int recording_read(const char *text, size_t len, struct profile **profile, struct state **state,
                   struct err *err);

/* A state by itself, as the `state` of a composed machine: the document of a State. What does not
 * say "synthetic": false is synthetic. */
int recording_state_read(const char *text, size_t len, struct state **state, struct err *err);

#endif
