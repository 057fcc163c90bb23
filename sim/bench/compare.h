/*
 * compare.h -- has a build become slower? Two files of `berth bench --json`, by their ratios.
 *
 * A ratio to a naive way in the same process hardly knows the machine, so the two files need not be
 * of the same one. A ratio is worse when its median fell by more than the tolerance, and every
 * round of the new file lies below every round of the old one. The default tolerance is a fifth: in
 * runs of one build beside a dozen other processes on two cores, medians moved by up to 15%.
 */
#ifndef BERTH_SIM_BENCH_COMPARE_H
#define BERTH_SIM_BENCH_COMPARE_H

#include "sim/bench/file.h"

#define BENCH_TOLERANCE 0.2

enum bench_change { BENCH_SLOWER = 0, BENCH_ALIKE, BENCH_FASTER, BENCH_CHANGES };
extern const char *const bench_change_names[BENCH_CHANGES];

enum bench_change bench_compare(const struct bench_file_ratio *before,
                                const struct bench_file_ratio *after, double tolerance);

/* The same line, figure and naive way; NULL when there is none. */
const struct bench_file_ratio *bench_file_find(const struct bench_file *file,
                                               const struct bench_file_ratio *wanted);

#endif
