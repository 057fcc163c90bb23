/*
 * summary.h -- summary.json: the numbers of an experiment, written and read back.
 *
 *     {"baseline", "buildId", "comparisons": [{"baseline", "ci95", "difference", "metric", "p",
 *      "pHolm", "pairs", "relative", "sd", "significant", "t", "variant"}], "name", "question",
 *      "replications", "scenario", "scenarioHash", "seed",
 *      "variants": [{"metrics": {M: {"ci95", "mean", "pooled"?, "sd", "values"}}, "name"}]}
 *
 * Keys are sorted; a real is the shortest text that reads back to it; what does not exist is null.
 */
#ifndef BERTH_SIM_EXPERIMENT_SUMMARY_H
#define BERTH_SIM_EXPERIMENT_SUMMARY_H

#include "scheduler/base/text.h"
#include "sim/experiment/experiment.h"

void summary_format(const struct experiment *experiment, struct text *out);

/* The same for any JSON and CSV that berth writes: a number, null for NaN. */
void summary_format_number(double number, struct text *out);

struct summary_variant {
    char *name;
    bool has[METRIC_COUNT];
    double *values[METRIC_COUNT]; /* NaN for null; none in a baseline reduced to means */
    double means[METRIC_COUNT];
    uint32_t value_counts[METRIC_COUNT];
};

struct summary {
    char *path; /* of the file itself */
    char *name, *scenario, *scenario_hash, *build_id;
    uint64_t seed;
    uint32_t replications;
    struct summary_variant *variants;
    uint32_t variant_count;
};

/* `path` is the file or the folder that it lies in. *out is owned by the caller. */
enum berth_err summary_read(const char *path, struct summary **out,
                            struct berth_error *err) BERTH_MUST_CHECK;
void summary_destroy(struct summary *summary);

const struct summary_variant *summary_find(const struct summary *summary, const char *name);

#endif
