/*
 * scaling.h -- what all kinds of auto scaling policies have in common (semantics 6.1): several
 * policies become one decision, cooldowns hold changes back, and capacity stays between Min and
 * Max.
 */
#ifndef BERTH_SCHEDULER_POLICY_SCALING_H
#define BERTH_SCHEDULER_POLICY_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

#define SCALING_COOLDOWN_NS (300 * BERTH_NS_PER_S) /* ECS's default */

enum scaling_direction { SCALING_NONE = 0, SCALING_OUT, SCALING_IN };

/* What one policy says now. */
struct scaling_vote {
    enum scaling_direction direction;
    uint32_t capacity; /* that it asks for, from the running count */
    bool may_scale_in; /* it has a say in scaling in: without its IN there is none */
    berth_ns cooldown_ns;
};

/*
 * Out if any says so, in only if all that may say it do; of those that say the same, the largest
 * capacity wins. Index of the winning vote, or `count` for none.
 */
uint32_t scaling_choose(const struct scaling_vote *votes, uint32_t count);

/* Of a scalable target: which cooldown runs, and what the scale-out that began it started from. */
struct scaling_cooldown {
    berth_ns out_until_ns, in_until_ns; /* monotonic; 0: none */
    uint32_t out_base;                  /* the running count of the scale-out's computation */
    uint32_t out_added;                 /* by all scale-outs of this cooldown together */
};

/*
 * The capacity that the cooldowns leave of a wish to have `wanted`, from `running`; `desired` when
 * they hold all of it back. Scaling out: within the scale-out cooldown only what is larger than
 * what was added already, and only the difference. Scaling in: nothing within either cooldown.
 */
uint32_t scaling_cool(const struct scaling_cooldown *cooldown, berth_ns now_ns,
                      enum scaling_direction direction, uint32_t desired, uint32_t running,
                      uint32_t wanted);

/* The desired count has been changed to `result`. A scale-out ends the cooldown of a scale-in. */
void scaling_changed(struct scaling_cooldown *cooldown, berth_ns now_ns,
                     enum scaling_direction direction, uint32_t running, uint32_t result,
                     berth_ns cooldown_ns);

/*
 * `wanted` within Min and Max. From below Min a scale-out lifts at least to Min and a scale-in does
 * nothing; from above Max a scale-in comes down at least to Max and a scale-out does nothing.
 */
uint32_t scaling_bound(enum scaling_direction direction, uint32_t desired, uint32_t wanted,
                       uint32_t min, uint32_t max);

#endif
