#include "sim/bench/compare.h"

#include <string.h>

const char *const bench_change_names[BENCH_CHANGES] = {"SLOWER", "alike", "faster"};

static double least_of(const struct bench_file_ratio *ratio)
{
    double least = ratio->values[0];
    for (uint32_t i = 1; i < ratio->count; i++)
        least = ratio->values[i] < least ? ratio->values[i] : least;
    return least;
}

static double largest_of(const struct bench_file_ratio *ratio)
{
    double largest = ratio->values[0];
    for (uint32_t i = 1; i < ratio->count; i++)
        largest = ratio->values[i] > largest ? ratio->values[i] : largest;
    return largest;
}

enum bench_change bench_compare(const struct bench_file_ratio *before,
                                const struct bench_file_ratio *after, double tolerance)
{
    double old_median = bench_number_of(before->values, before->count).median;
    double new_median = bench_number_of(after->values, after->count).median;
    if (largest_of(after) < least_of(before) && new_median < old_median * (1 - tolerance))
        return BENCH_SLOWER;
    if (least_of(after) > largest_of(before) && new_median > old_median * (1 + tolerance))
        return BENCH_FASTER;
    return BENCH_ALIKE;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const struct bench_file_ratio *bench_file_find(const struct bench_file *file,
                                               const struct bench_file_ratio *wanted)
{
    for (size_t i = 0; i < file->ratios.count; i++) {
        const struct bench_file_ratio *ratio = &file->ratios.items[i];
        if (is_same(ratio->id, wanted->id) && is_same(ratio->what, wanted->what) &&
            is_same(ratio->to, wanted->to))
            return ratio;
    }
    return NULL;
}
