/* linux.h - what the facts of a Linux machine share: its folders, and the last reading of counters.
 *
 * Each fact's *_linux.c has up to two functions, declared in the fact's header and listed in
 * linux.c: int memory_linux_profile(struct linux_source *source, struct profile *p, struct err
 * *err); int memory_linux_state(struct linux_source *source, struct state *s, struct err *err);
 * They set what they can read and give a reason for what they cannot; only want of memory fails. */
#ifndef AGENT_PROBE_LINUX_H
#define AGENT_PROBE_LINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel's texts that we read whole: /proc/meminfo has 1.5 KB. Of the longer ones (/proc/stat,
 * /proc/cpuinfo) we need the beginning. */
#define LINUX_TEXT_MAX 8192

struct linux_source {
    char *root;          /* "" but for tests */
    char *volume;        /* see probe.h */
    uint64_t busy_ticks; /* of all CPUs, at the last reading */
    uint64_t all_ticks;  /* 0: not read yet */
    int64_t plugged; /* physical memory: read once, it takes a file per block; 0: not read yet */
};

/* Why Metal, the GPU and what else only a Mac has is unknown here. */
#define LINUX_NO_METAL "no Metal device: this is Linux, not a Mac"

/* The beginning of a file, NUL-terminated, without the last newline; -1 with errno. */
ssize_t linux_read(const struct linux_source *source, const char *path, char *out, size_t size);

/* A file that holds one integer min..max; -1 with errno (EINVAL when it holds something else). */
int linux_read_i64(const struct linux_source *source, const char *path, int64_t min, int64_t max,
                   int64_t *out);

/* Names in a folder, sorted, at most max, each shorter than 64 bytes, without those that start with
 * a dot; more are left off. -1 with errno. */
#define LINUX_NAME_MAX 64
int linux_list(const struct linux_source *source, const char *path, char (*names)[LINUX_NAME_MAX],
               size_t max, size_t *count);

/* The text after "key" and blanks, a colon or an equals sign at the start of a line of `text`:
 * copied to out without blanks around and quotes. -1 when no line has it, or its value is empty. */
int linux_value(const char *text, const char *key, char *out, size_t size);

#endif
