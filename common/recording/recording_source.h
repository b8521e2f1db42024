/* recording_source.h - a recording while it is read: look-ups, facts, reasons.
 *
 * A fact has a list of sources, best first. The first that the recording has fills the field, and
 * is noted in `facts`; none, and the field stays unknown with a reason. */
#ifndef COMMON_RECORDING_RECORDING_SOURCE_H
#define COMMON_RECORDING_RECORDING_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct fact_note;
struct json;
struct profile;
struct record_type;
struct state;

enum source_kind {
    SOURCE_TEXT,    /* as it stands */
    SOURCE_NUMBER,  /* times factor; also as text, also with a decimal comma */
    SOURCE_U32,     /* 32 bits without a sign, which sysctl(8) prints with one */
    SOURCE_SIZE,    /* "16 GB", "16 GB LPDDR5": the GB of Macs are 2^30 */
    SOURCE_PRINTED, /* times metal.printed_divisor */
    SOURCE_FIRST,   /* the first number of "10 (4 Performance and 6 Efficiency)", "proc 10:4:6" */
    SOURCE_FLAG,    /* true, false, 1, 0 */
    SOURCE_VERSION, /* the dotted number of "26.5", "macOS 27", "macOS-27.0.1" */
};

struct source {
    const char *group, *key;
    enum source_kind kind;
    double factor;
    int how;              /* enum fact_source */
    bool zero_is_unknown; /* the tools print 0 where they do not know */
};

#define REASON_MAX 160 /* of one reason, with the NUL */
#define REASONS_MAX 16 /* special reasons of one recording: four kinds exist */
#define DETAIL_MAX 256 /* of where a fact was found, with the NUL */

struct reason {
    const char *field; /* one of ours, "metal." before those of metal */
    char text[REASON_MAX];
};

struct recording {
    const struct json *root;
    struct profile *profile;
    struct state *state;
    struct reason reasons[REASONS_MAX];
    size_t reasons_count;
    struct err *err;
};

/* A group's value; NULL when absent, null or an empty text. */
const struct json *recording_value(const struct recording *r, const char *group, const char *key);

/* Fill the field of the record from the first source there is: 1, with where that was in detail and
 * how in *how; 0 when there is none; -1 with r->err naming the key. */
int recording_resolve(struct recording *r, const struct record_type *type, void *record,
                      const char *field, const struct source *sources, size_t count,
                      char detail[DETAIL_MAX], int *how);

/* recording_resolve, and the fact noted under `prefix` and field. */
int recording_fact(struct recording *r, const struct record_type *type, void *record,
                   const char *prefix, const char *field, const struct source *sources,
                   size_t count, struct fact_note **facts, size_t *facts_count);

int recording_note(struct fact_note **facts, size_t *count, const char *prefix, const char *field,
                   int how, const char *detail, struct err *err);

/* Why a field is unknown, where that is not just "no source". */
void recording_reason(struct recording *r, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An integer of a group in min..max, without filling a field: 1, 0 when absent, -1. */
int recording_integer(struct recording *r, const char *group, const char *key, int min, int max,
                      int *out);

/* ---- the parts: each fills what it is named for; -1 with r->err ---- */
int recording_cpu(struct recording *r);      /* cpu_levels, cpu_cores */
int recording_features(struct recording *r); /* cpu_features */
int recording_os(struct recording *r);       /* os_name, os_version, os_build, kernel_version */
int recording_facts(struct recording *r);    /* all else of a profile, and the state */
int recording_composed(struct recording *r);

/* `unknown` of profile and state, where there is one: a reason for every field that is not known.
 */
int recording_unknown(struct recording *r, const char *reason);

/* JSON readers hold integers up to 2^53, but some sysctls are 64 bits of flags: the text with those
 * put in quotes, yours to mem_free. */
char *recording_quote_wide(const char *text, size_t len, size_t *out_len, struct err *err);

#endif
