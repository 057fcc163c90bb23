#include "scheduler/placement/shares.h"

/* Instances that registered nothing of a resource count as if with one unit: no division by zero.
 */
static int64_t at_least_one(int32_t registered)
{
    return registered > 0 ? registered : 1;
}

static int64_t clamp(int64_t value, int64_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

int64_t shares_of(int64_t amount, int32_t registered)
{
    /* Twice the largest int32: a snapshot may be that odd, and 2^32 << 20 still fits. */
    int64_t cut = clamp(amount, INT64_C(1) << 32);
    return clamp(cut * SHARES_ONE / at_least_one(registered), SHARES_MAX);
}

/* Cut to int32's range, so that each product stays below 2^62 and their sum within int64. */
int64_t shares_key(int64_t cpu, int32_t cpu_registered, int64_t mem, int32_t mem_registered)
{
    return clamp(cpu, INT32_MAX) * at_least_one(mem_registered) +
           clamp(mem, INT32_MAX) * at_least_one(cpu_registered);
}

/*
 * key / size with 20 bits of fraction, without a 128-bit product: whole instances first, then the
 * rest, both cut to 43 bits when they are longer. Rising in key for one size: each step is.
 */
int64_t shares_sum(int64_t cpu, int32_t cpu_registered, int64_t mem, int32_t mem_registered)
{
    int64_t key = shares_key(cpu, cpu_registered, mem, mem_registered);
    int64_t size = at_least_one(cpu_registered) * at_least_one(mem_registered);
    int64_t whole = key / size, rest = key % size;
    while (size >= INT64_C(1) << 43) {
        size /= 2;
        rest /= 2;
    }
    return whole * SHARES_ONE + rest * SHARES_ONE / size; /* whole is 2^32 at most */
}
