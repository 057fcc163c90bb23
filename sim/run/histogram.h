/*
 * histogram.h -- counts of non-negative durations in log-linear buckets, merged exactly.
 *
 * Bucket width is 1/64 of the value's power of two: a quantile is at most 1.6% above the true one,
 * and 0 is exact. Counts are integers, so the order of merging does not matter.
 */
#ifndef BERTH_SIM_RUN_HISTOGRAM_H
#define BERTH_SIM_RUN_HISTOGRAM_H

#include <stdint.h>

struct histogram;

struct histogram *histogram_create(void);
void histogram_destroy(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);
uint64_t histogram_count(const struct histogram *histogram);
int64_t histogram_max(const struct histogram *histogram);
double histogram_mean(const struct histogram *histogram); /* exact; NaN when empty */

/*
 * Smallest bucket bound with at least `share` of the counts at or below it, and never above the
 * largest value seen; NaN when empty.
 */
double histogram_quantile(const struct histogram *histogram, double share);

/*
 * For storage and plots: (upper bound, count) of each non-empty bucket, ascending. What was stored
 * (all buckets, histogram_sum, histogram_max) is restored into an empty histogram; sums above 2^53
 * are then rounded to a double.
 */
double histogram_sum(const struct histogram *histogram);
uint32_t histogram_bucket_count(const struct histogram *histogram);
void histogram_bucket(const struct histogram *histogram, uint32_t index, int64_t *upper,
                      uint64_t *count);
/* All of them in one pass: begin with 0, go on with what the call before returned. */
uint32_t histogram_next(const struct histogram *histogram, uint32_t from, int64_t *upper,
                        uint64_t *count);
void histogram_restore(struct histogram *histogram, int64_t upper, uint64_t count);
void histogram_restore_sum(struct histogram *histogram, double sum, int64_t max);

#endif
