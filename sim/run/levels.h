/*
 * levels.h -- figures that step up and down over time, and their exact integrals.
 *
 * A level is an integer that holds until it is changed; its integral is an integer too (units x
 * nanoseconds, 128 bits), so averages do not depend on the order of additions, and conservation
 * laws can be checked for equality. Each level remembers when it was last looked at, so a change
 * costs only the levels it touches.
 */
#ifndef BERTH_SIM_RUN_LEVELS_H
#define BERTH_SIM_RUN_LEVELS_H

#include <stdint.h>

#include "scheduler/base/units.h"

__extension__ typedef __int128 level_integral;

struct level {
    int64_t now;
    int64_t max; /* within the window */
    berth_ns since_ns;
    level_integral total;     /* from the beginning to since_ns */
    level_integral at_window; /* totals when the window began and the sample began */
    level_integral at_sample;
};

struct levels {
    struct level *items; /* owned */
    uint32_t count;
    berth_ns window_ns; /* when the window began, 0 before */
    berth_ns sample_ns;
};

void levels_init(struct levels *levels, uint32_t count);
void levels_free(struct levels *levels);

static inline void level_add(struct levels *levels, uint32_t index, berth_ns at_ns, int64_t change)
{
    struct level *level = &levels->items[index];
    level->total += (level_integral)level->now * (at_ns - level->since_ns);
    level->since_ns = at_ns;
    level->now += change;
    if (level->now > level->max)
        level->max = level->now;
}

void levels_begin_window(struct levels *levels, berth_ns at_ns); /* maxima begin anew */
void levels_begin_sample(struct levels *levels, berth_ns at_ns);

/* Integrals up to `at_ns` since the window or the sample began, in units x ns. */
double level_in_window(struct levels *levels, uint32_t index, berth_ns at_ns);
double level_in_sample(struct levels *levels, uint32_t index, berth_ns at_ns);

#endif
