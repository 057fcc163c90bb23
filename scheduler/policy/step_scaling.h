/*
 * step_scaling.h -- how much a step policy adds or removes, by how far its metric is from the
 * alarm's threshold (semantics 6.4).
 *
 * Bounds of a step are relative to the threshold. Above it a step holds its lower bound and not its
 * upper one, below it the other way round; a missing bound is infinity.
 */
#ifndef BERTH_SCHEDULER_POLICY_STEP_SCALING_H
#define BERTH_SCHEDULER_POLICY_STEP_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#define STEPS_MAX 20
#define STEP_MILLI_MAX INT64_C(1000000000000000)
#define STEP_ADJUSTMENT_MAX 1000000

enum adjustment_type {
    ADJUST_CHANGE = 0, /* by so many tasks */
    ADJUST_PERCENT,    /* by so many percent of those running */
    ADJUST_EXACT,      /* to so many */
    ADJUSTMENT_COUNT
};

extern const char *const adjustment_names[ADJUSTMENT_COUNT + 1]; /* "ChangeInCapacity", ... */

struct scaling_step {
    bool has_lower, has_upper;
    int64_t lower_milli, upper_milli;
    int32_t adjustment;
};

/*
 * A step as text: LOWER:UPPER:ADJUSTMENT, bounds in thousandths, an absent bound empty:
 * "0:10000:1", "20000::4". Parse: false when it is not one.
 */
#define STEP_TEXT_MAX 64
void step_format(const struct scaling_step *step, char text[STEP_TEXT_MAX]);
bool step_parse(const char *text, struct scaling_step *out);

/* NULL when steps, in ascending order, neither overlap nor leave gaps; else what is wrong. */
const char *steps_check(const struct scaling_step *steps, uint32_t count);

/* The step for a metric so far from the threshold; NULL: none. `is_high`: what 0 counts as. */
const struct scaling_step *steps_find(const struct scaling_step *steps, uint32_t count,
                                      int64_t distance_milli, bool is_high);

/* The capacity that the step asks for. `minimum_magnitude` (percent only): 0 for none. */
uint32_t step_capacity(const struct scaling_step *step, enum adjustment_type type,
                       uint32_t minimum_magnitude, uint32_t running);

#endif
