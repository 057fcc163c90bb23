/*
 * skylines.h -- how much room there is in each of many stretches of instances, in CPU and memory at
 * once.
 *
 * Like skyline.h, but the thresholds of CPU are those that requests ask for, learnt as they come:
 * most clusters know a few sizes of tasks, and for each of them a stretch says exactly how much
 * memory goes with so much CPU. When there are more sizes than levels, the level below serves.
 *
 * The same level of all stretches stands side by side: a search looks at one level only, sixteen
 * stretches to a cache line. What is noted is never too low. It may be too high until a search that
 * found nothing lowers it: most rooms come and go without a question in between.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_SKYLINES_H
#define BERTH_SCHEDULER_PLACEMENT_SKYLINES_H

#include "scheduler/placement/skyline.h"

#define SKYLINES_LEVELS_MAX 32

/* Thresholds of CPU, ascending; [0] is ROOM_NONE, which everybody reaches. */
struct skylines_levels {
    int32_t cpu[SKYLINES_LEVELS_MAX];
    unsigned count;
};

struct skylines {
    int32_t *mem; /* owned; [level * capacity + stretch]: falling with the level */
    uint32_t count, capacity;
};

/* The highest level that so much CPU reaches. */
static inline unsigned skylines_level(const struct skylines_levels *levels, int32_t cpu)
{
    unsigned low = 0;
    for (unsigned rest = levels->count; rest > 1;) {
        unsigned half = rest / 2;
        low += half & (0 - (unsigned)(levels->cpu[low + half] <= cpu));
        rest -= half;
    }
    return low;
}

static inline int32_t *skylines_at(const struct skylines *skylines, unsigned level, uint32_t at)
{
    return &skylines->mem[(size_t)level * skylines->capacity + at];
}

/* A new threshold, above the level that the CPU reached; false: it is there, or there are enough.
 */
bool skylines_learn(struct skylines_levels *levels, int32_t cpu);

/* The level has been learnt: until lowered it says what the one below says. */
void skylines_split(struct skylines *skylines, unsigned level_count, unsigned level);

void skylines_push(struct skylines *skylines, unsigned level_count); /* one more, of nobody */
void skylines_free(struct skylines *skylines);

/* There is an instance in the stretch that reaches the level and has so much memory. */
static inline void skylines_raise(struct skylines *skylines, uint32_t at, unsigned level,
                                  int32_t mem)
{
    while (*skylines_at(skylines, level, at) < mem) {
        *skylines_at(skylines, level, at) = mem;
        if (level-- == 0)
            return;
    }
}

/* Nobody in the stretch who reaches the level has more memory; nor, then, on a higher level. */
static inline void skylines_lower(struct skylines *skylines, uint32_t at, unsigned level,
                                  unsigned level_count, int32_t mem)
{
    while (level<level_count && * skylines_at(skylines, level, at)> mem)
        *skylines_at(skylines, level++, at) = mem;
}

#endif
