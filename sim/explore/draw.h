/* draw.h -- one stream for a whole document: what is drawn first is decided first. */
#ifndef BERTH_SIM_EXPLORE_DRAW_H
#define BERTH_SIM_EXPLORE_DRAW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "scheduler/base/rng.h"

struct draw {
    struct rng rng;
};

/* Uniform in [least, most]. */
static inline unsigned draw_between(struct draw *draw, unsigned least, unsigned most)
{
    return least + (unsigned)rng_below(&draw->rng, (uint64_t)(most - least) + 1);
}

static inline bool draw_chance(struct draw *draw, unsigned percent)
{
    return rng_below(&draw->rng, 100) < percent;
}

#define DRAW_ANY(draw, list) ((list)[rng_below(&(draw)->rng, sizeof(list) / sizeof *(list))])

/* "PREFIX<number>" */
static inline const char *draw_name(char out[32], const char *prefix, unsigned number)
{
    snprintf(out, 32, "%s%u", prefix, number);
    return out;
}

#endif
