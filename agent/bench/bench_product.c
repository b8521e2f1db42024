/* bench_product.c - a small matrix product that keeps its results in registers.
 *
 * Written once with vectors of eight floats; the compiler makes of it two or four instructions
 * where a processor's registers are shorter. On x86-64, where only SSE2 may be taken for granted,
 * there is a second copy for AVX2. Compiled with multiply-adds allowed, unlike the rest of the
 * tree: nothing here goes into a plan but the time it took. */
#include "agent/bench/bench.h"

#include <string.h>

typedef float eight __attribute__((vector_size(32), aligned(4)));

#define PRODUCT_INLINE static inline __attribute__((always_inline))

PRODUCT_INLINE void product(const float *a, const float *b, float *c, size_t depth)
{
    eight sums[BENCH_ROWS][2];

    memcpy(sums, c, sizeof sums);
    for (size_t k = 0; k < depth; k++, a += BENCH_ROWS, b += BENCH_COLUMNS) {
        eight left, right;

        memcpy(&left, b, sizeof left);
        memcpy(&right, b + 8, sizeof right);
        for (int i = 0; i < BENCH_ROWS; i++) {
            sums[i][0] += a[i] * left;
            sums[i][1] += a[i] * right;
        }
    }
    memcpy(c, sums, sizeof sums);
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static void product_avx2(const float *a, const float *b,
                                                             float *c, size_t depth)
{
    product(a, b, c, depth);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

void bench_product(const float *a, const float *b, float *c, size_t depth)
{
#ifdef __x86_64__
    if (has_avx2()) {
        product_avx2(a, b, c, depth);
        return;
    }
#endif
    product(a, b, c, depth);
}

const char *bench_product_name(void)
{
#if defined(__x86_64__)
    return has_avx2() ? "AVX2" : "SSE2";
#elif defined(__aarch64__)
    return "NEON";
#else
    return "plain C";
#endif
}
