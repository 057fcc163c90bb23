/*
 * histogram.c -- log-linear buckets: 64 to each power of two.
 *
 * Values below 64 have a bucket each. A larger value with highest bit e falls into one of the 64
 * buckets [2^e, 2^(e+1)) / 64, so a bucket's bound is less than 1/64 above any value in it. The
 * whole range of int64 takes 3,712 counters; HdrHistogram's layout, with fixed precision.
 */
#include "sim/run/histogram.h"

#include <assert.h>
#include <math.h>

#include "scheduler/base/mem.h"

enum { SUB_BITS = 6, SUB_COUNT = 1 << SUB_BITS, BUCKET_COUNT = SUB_COUNT * (63 - SUB_BITS + 1) };

__extension__ typedef unsigned __int128 histogram_sum_type;

struct histogram {
    uint64_t counts[BUCKET_COUNT];
    uint64_t count;
    histogram_sum_type sum; /* 2^64 values of 2^63 do not overflow it */
    int64_t max;
};

static uint32_t bucket_of(int64_t value)
{
    assert(value >= 0);
    uint32_t shift = 0;
    uint64_t left = (uint64_t)value;
    if (left >= SUB_COUNT) {
        shift = (uint32_t)(63 - SUB_BITS - __builtin_clzll((unsigned long long)left));
        left >>= shift;
    }
    return shift * SUB_COUNT + (uint32_t)left;
}

/* The largest value of a bucket; bucket_of() gives values from 64 up the rows 1, 2, ... */
static int64_t bound_of(uint32_t bucket)
{
    uint32_t row = bucket / SUB_COUNT;
    if (row < 2)
        return bucket;
    uint32_t shift = row - 1;
    uint64_t head = SUB_COUNT + bucket % SUB_COUNT + 1;
    return (int64_t)((head << shift) - 1);
}

struct histogram *histogram_create(void)
{
    return mem_alloc(sizeof(struct histogram));
}

void histogram_destroy(struct histogram *histogram)
{
    mem_free(histogram);
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->count++;
    histogram->sum += (uint64_t)value;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (uint32_t i = 0; i < BUCKET_COUNT; i++)
        into->counts[i] += from->counts[i];
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    return histogram->count;
}

int64_t histogram_max(const struct histogram *histogram)
{
    return histogram->max;
}

double histogram_sum(const struct histogram *histogram)
{
    return (double)histogram->sum;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? NAN : (double)histogram->sum / (double)histogram->count;
}

double histogram_quantile(const struct histogram *histogram, double share)
{
    if (histogram->count == 0)
        return NAN;
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < BUCKET_COUNT; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= wanted) {
            int64_t bound = bound_of(i);
            return (double)(bound < histogram->max ? bound : histogram->max);
        }
    }
    return (double)histogram->max;
}

uint32_t histogram_bucket_count(const struct histogram *histogram)
{
    uint32_t filled = 0;
    for (uint32_t i = 0; i < BUCKET_COUNT; i++)
        filled += histogram->counts[i] > 0;
    return filled;
}

uint32_t histogram_next(const struct histogram *histogram, uint32_t from, int64_t *upper,
                        uint64_t *count)
{
    while (histogram->counts[from] == 0) {
        from++;
        assert(from < BUCKET_COUNT);
    }
    *upper = bound_of(from);
    *count = histogram->counts[from];
    return from + 1;
}

void histogram_bucket(const struct histogram *histogram, uint32_t index, int64_t *upper,
                      uint64_t *count)
{
    uint32_t at = histogram_next(histogram, 0, upper, count);
    while (index-- > 0)
        at = histogram_next(histogram, at, upper, count);
}

void histogram_restore(struct histogram *histogram, int64_t upper, uint64_t count)
{
    histogram->counts[bucket_of(upper)] += count;
    histogram->count += count;
}

void histogram_restore_sum(struct histogram *histogram, double sum, int64_t max)
{
    assert(sum >= 0);
    histogram->sum += (histogram_sum_type)sum;
    if (max > histogram->max)
        histogram->max = max;
}
