/*
 * gate.h -- has a result become worse than a committed baseline?
 *
 * A metric of a variant is a regression when all of this holds: it moved to its worse side, by more
 * than the tolerance, and by more than chance. Chance is a paired t test where both ran the same
 * seed and replications, else Welch's; p is Holm-corrected over all that moved, so that a gate of
 * many metrics is not red every twentieth day. With fewer than two values nothing is known of
 * chance, and the tolerance alone decides.
 */
#ifndef BERTH_SIM_EXPERIMENT_GATE_H
#define BERTH_SIM_EXPERIMENT_GATE_H

#include "sim/experiment/summary.h"

enum gate_verdict {
    GATE_EQUAL = 0,
    GATE_CHANCE,    /* moved, not more than chance would */
    GATE_NEUTRAL,   /* moved; the metric has no better and worse */
    GATE_BETTER,    /* more than chance */
    GATE_TOLERATED, /* worse, within the tolerance */
    GATE_WORSE,     /* the regression */
    GATE_VERDICT_COUNT
};

extern const char *const gate_verdict_names[GATE_VERDICT_COUNT];

struct gate_row {
    const char *variant; /* borrowed from the baseline */
    enum metric metric;
    double baseline, result; /* means */
    double relative;         /* of the baseline's size; HUGE_VAL when that is 0 */
    struct statistics_test test;
    double p; /* corrected; NaN when there was nothing to test */
    bool is_paired;
    enum gate_verdict verdict;
};

struct gate {
    struct gate_row *rows; /* by variant and metric of the baseline */
    size_t row_count;
    size_t counts[GATE_VERDICT_COUNT];
};

/* `tolerances`: by metric, as a ratio. What the result lacks is bad input, named. */
enum berth_err gate_compare(const struct summary *baseline, const struct summary *result,
                            const double tolerances[METRIC_COUNT], struct gate *out,
                            struct berth_error *err) BERTH_MUST_CHECK;
void gate_free(struct gate *gate);

/* What moved, the worst first, and a line that sums up. `brief`: only what is more than chance. */
void gate_format(const struct gate *gate, bool brief, struct text *out);

#endif
