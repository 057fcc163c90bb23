/*
 * file.h -- the table as JSON, written and read back.
 *
 *     {"format": "berth-bench/1", "buildId", "seed", "quick", "judgesRatios",
 *      "machine": {"system", "release", "architecture", "processor", "cores", "memoryMiB",
 *                  "compiler"},
 *      "lines": [{"id", "workload", "smaller", "leftOut" (text or null), "runs", "failed",
 *                 "figures": [{"what" (text or null), "unit", "lowerIsBetter", "must", "aim",
 *                              "verdict", "median", "spread", "values", "ratio" (null, or
 *                              {"to", "least" (or null), "median", "spread", "values"})}],
 *                 "checks": [{"what", "holds"}]}]}
 *
 * A spread is (largest - least) / median of the rounds. A ratio is above 1 when faster than what it
 * is to. The figure of P5 is a ratio by itself, to be held: its "ratio" is that of the falls-off.
 */
#ifndef BERTH_SIM_BENCH_FILE_H
#define BERTH_SIM_BENCH_FILE_H

#include <jansson.h>

#include "scheduler/base/mem.h"
#include "sim/bench/bench.h"

/* Build, seed and machine in a line, for people. */
void bench_format_origin(const struct bench_setting *setting, struct text *out);

void bench_file_format(const struct bench_result *results, size_t count,
                       const struct bench_setting *setting, struct text *out);

/* A ratio of a file: of one figure of one line. */
struct bench_file_ratio {
    char *id, *what, *to; /* owned; `what` may be NULL */
    double values[BENCH_ROUNDS_MAX];
    uint32_t count;
};

struct bench_file {
    char *path, *build_id, *processor; /* owned */
    bool is_quick;
    VEC(struct bench_file_ratio) ratios;
};

bool bench_file_is(const json_t *json);

/* *out is owned by the caller; the JSON is borrowed for the call. */
enum berth_err bench_file_read(const json_t *json, const char *path, struct bench_file **out,
                               struct berth_error *err) BERTH_MUST_CHECK;
void bench_file_destroy(struct bench_file *file);

#endif
