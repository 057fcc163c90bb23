#include "sim/experiment/statistics.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

static double t_quantile(double freedom)
{
    return gsl_cdf_tdist_Pinv(1 - STATISTICS_ALPHA / 2, freedom);
}

/* Moves the values that exist to the front of `kept`; returns how many. */
static size_t keep_existing(const double *values, size_t count, double *kept)
{
    size_t existing = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            kept[existing++] = values[i];
    return existing;
}

static struct statistics_summary summarize_existing(const double *values, size_t count)
{
    struct statistics_summary summary = {(uint32_t)count, NAN, NAN, NAN, NAN};
    if (count == 0)
        return summary;
    summary.mean = gsl_stats_mean(values, 1, count);
    if (count == 1)
        return summary;
    summary.sd = gsl_stats_sd_m(values, 1, count, summary.mean);
    double half = t_quantile((double)count - 1) * summary.sd / sqrt((double)count);
    summary.low = summary.mean - half;
    summary.high = summary.mean + half;
    return summary;
}

struct statistics_summary statistics_summarize(const double *values, size_t count)
{
    double *kept = mem_alloc((count + 1) * sizeof *kept);
    struct statistics_summary summary =
        summarize_existing(kept, keep_existing(values, count, kept));
    mem_free(kept);
    return summary;
}

static double p_of(double t, double freedom)
{
    return fmin(1, 2 * gsl_cdf_tdist_Q(fabs(t), freedom));
}

/* A difference that never varies leaves nothing to chance: p is 0, or 1 when there is none. */
static void test_without_variance(struct statistics_test *test)
{
    test->t = test->difference == 0 ? 0 : copysign(HUGE_VAL, test->difference);
    test->p = test->difference == 0 ? 1 : 0;
}

/* Sums of the same terms in another order differ in their last bits: that is no difference. */
static double difference_of(double value, double other)
{
    double difference = value - other;
    double noise = 16 * DBL_EPSILON * fmax(fabs(value), fabs(other));
    return fabs(difference) <= noise ? 0 : difference;
}

struct statistics_test statistics_paired(const double *values, const double *other, size_t count)
{
    double *differences = mem_alloc((count + 1) * sizeof *differences);
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]) && !isnan(other[i]))
            differences[pairs++] = difference_of(values[i], other[i]);
    struct statistics_summary summary = summarize_existing(differences, pairs);
    mem_free(differences);
    struct statistics_test test = {.count = (uint32_t)pairs,
                                   .difference = summary.mean,
                                   .sd = summary.sd,
                                   .low = summary.low,
                                   .high = summary.high,
                                   .t = NAN,
                                   .p = NAN};
    if (pairs < 2)
        return test;
    if (!(summary.sd > 0)) {
        test_without_variance(&test);
        return test;
    }
    test.t = summary.mean / (summary.sd / sqrt((double)pairs));
    test.p = p_of(test.t, (double)pairs - 1);
    return test;
}

struct statistics_test statistics_welch(const double *values, size_t count, const double *other,
                                        size_t other_count)
{
    struct statistics_summary a = statistics_summarize(values, count);
    struct statistics_summary b = statistics_summarize(other, other_count);
    struct statistics_test test = {.count = a.count < b.count ? a.count : b.count,
                                   .difference = difference_of(a.mean, b.mean),
                                   .sd = NAN,
                                   .low = NAN,
                                   .high = NAN,
                                   .t = NAN,
                                   .p = NAN};
    if (test.count < 2)
        return test;
    double va = a.sd * a.sd / a.count, vb = b.sd * b.sd / b.count;
    if (!(va + vb > 0)) {
        test.low = test.high = test.difference;
        test_without_variance(&test);
        return test;
    }
    double freedom = (va + vb) * (va + vb) / (va * va / (a.count - 1) + vb * vb / (b.count - 1));
    double error = sqrt(va + vb);
    test.t = test.difference / error;
    test.p = p_of(test.t, freedom);
    test.low = test.difference - t_quantile(freedom) * error;
    test.high = test.difference + t_quantile(freedom) * error;
    return test;
}

struct ranked {
    double p;
    size_t index;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->p < b->p || a->p > b->p)
        return a->p < b->p ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

void statistics_holm(const double *p, size_t count, double *adjusted)
{
    struct ranked *ranked = mem_alloc((count + 1) * sizeof *ranked);
    size_t questions = 0;
    for (size_t i = 0; i < count; i++) {
        adjusted[i] = NAN;
        if (!isnan(p[i]))
            ranked[questions++] = (struct ranked){p[i], i};
    }
    if (questions > 0)
        qsort(ranked, questions, sizeof *ranked, compare_ranked);
    double largest = 0;
    for (size_t i = 0; i < questions; i++) {
        largest = fmax(largest, fmin(1, (double)(questions - i) * ranked[i].p));
        adjusted[ranked[i].index] = largest;
    }
    mem_free(ranked);
}

bool statistics_is_significant(double p)
{
    return p < STATISTICS_ALPHA;
}
