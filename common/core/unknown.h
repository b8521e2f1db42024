/* unknown.h - what we do not know is not zero.
 *
 * Each kind of value has one that means "unknown": in structs it is set from the start, on the wire
 * and in JSON the field is then absent. */
#ifndef COMMON_CORE_UNKNOWN_H
#define COMMON_CORE_UNKNOWN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define UNKNOWN_I64 INT64_MIN
#define UNKNOWN_F64 ((double)NAN)

enum tristate { TRI_UNKNOWN = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

static inline double unknown_f64(void)
{
    return UNKNOWN_F64;
}

static inline bool known_i64(int64_t value)
{
    return value != UNKNOWN_I64;
}

static inline bool known_f64(double value)
{
    return !isnan(value);
}

static inline bool known_tri(enum tristate value)
{
    return value != TRI_UNKNOWN;
}

#endif
