/*
 * statistics.h -- means with intervals, differences with p values, and the price of many questions.
 *
 * NaN is a value that does not exist and is left out; in a pair, it takes the other with it. What
 * cannot be computed (an interval of one value) is NaN.
 */
#ifndef BERTH_SIM_EXPERIMENT_STATISTICS_H
#define BERTH_SIM_EXPERIMENT_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATISTICS_ALPHA 0.05 /* the level of every test; 1 - alpha of every interval */

struct statistics_summary {
    uint32_t count; /* of values that exist */
    double mean, sd;
    double low, high; /* 95% t interval of the mean */
};

struct statistics_test {
    uint32_t count;    /* pairs; Welch: the smaller sample */
    double difference; /* mean of value - other */
    double sd;         /* of the paired differences; Welch: NaN */
    double low, high;  /* 95% interval of the difference */
    double t;          /* HUGE_VAL with the sign of the difference when it never varies */
    double p;          /* two-sided; NaN when there are fewer than two values */
};

struct statistics_summary statistics_summarize(const double *values, size_t count);

/* values[i] and other[i] met the same chance: replication i of two variants. */
struct statistics_test statistics_paired(const double *values, const double *other, size_t count);

/* Independent samples of unequal variance (Welch 1947). */
struct statistics_test statistics_welch(const double *values, size_t count, const double *other,
                                        size_t other_count);

/*
 * Holm's step-down correction (Holm 1979): adjusted[i] < alpha for all that may be called
 * significant with a chance of at most alpha of calling even one wrongly. NaN stays NaN and does
 * not count as a question. O(n log n).
 */
void statistics_holm(const double *p, size_t count, double *adjusted);

/* False for NaN. */
bool statistics_is_significant(double p);

#endif
