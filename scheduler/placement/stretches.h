/*
 * stretches.h -- the rooms of a row of instances in stretches of 16 with their skylines: the next
 * one with room, for any size. Where few sizes are asked for, fits.h is faster.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_STRETCHES_H
#define BERTH_SCHEDULER_PLACEMENT_STRETCHES_H

#include "scheduler/base/mem.h"
#include "scheduler/placement/skylines.h"

#define STRETCHES_NONE UINT32_MAX

struct stretches {
    VEC(struct room) rooms;   /* by position */
    struct skylines skylines; /* of 16 rooms each */
    struct skylines runs;     /* of 16 stretches each */
};

void stretches_free(struct stretches *stretches);
void stretches_append(struct stretches *stretches, const struct skylines_levels *levels,
                      struct room room);
void stretches_set(struct stretches *stretches, const struct skylines_levels *levels,
                   uint32_t position, struct room room);

/* The level has been learnt. */
void stretches_split(struct stretches *stretches, unsigned level_count, unsigned level);

/* The first position from `from` on with room, or STRETCHES_NONE; may lower skylines. */
uint32_t stretches_next(struct stretches *stretches, const struct skylines_levels *levels,
                        struct room wanted, uint32_t from);

void stretches_audit(const struct stretches *stretches, const struct skylines_levels *levels);

#endif
