/*
 * skyline.h -- a short summary of how much room a stretch of instances has in CPU and memory at
 * once.
 *
 * The largest free CPU and the largest free memory of a stretch say little: one instance may have
 * the one, another the other, and in a well packed fleet nearly every stretch looks roomy though no
 * instance is. So the largest free memory is kept for each of 24 thresholds of free CPU, half an
 * octave apart: 16, 24, 32, 48, ... 32768 units. A request is refused by the summary unless some
 * instance has the memory and a CPU not below the request's own threshold.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_SKYLINE_H
#define BERTH_SCHEDULER_PLACEMENT_SKYLINE_H

#include "scheduler/model/cluster.h"

/* Free amounts of one instance, or those that a request wants. */
struct room {
    int32_t cpu, mem;
};

/* An instance that takes nothing; below ROOM_ANY. */
#define ROOM_NONE INT32_MIN
/* A request for nothing passes even on an instance that is below zero. */
#define ROOM_ANY (INT32_MIN + 1)

#define SKYLINE_LEVELS 24

struct skyline {
    int32_t mem[SKYLINE_LEVELS]; /* the largest at this threshold of CPU or above: falling */
};

/* Whether a request for a pool (SYMBOL_NONE: any) looks at the instance at all. */
static inline bool pool_has(symbol pool, const struct instance *instance)
{
    return !instance->is_dedicated && (pool == SYMBOL_NONE || instance->pool == pool);
}

static inline struct room room_wanted(const struct demand *demand)
{
    return (struct room){demand->cpu_units > 0 ? demand->cpu_units : ROOM_ANY,
                         demand->mem_mib > 0 ? demand->mem_mib : ROOM_ANY};
}

static inline int32_t at_least_any(int32_t amount)
{
    return amount < ROOM_ANY ? ROOM_ANY : amount;
}

/* ROOM_NONE when not ACTIVE and connected. */
static inline struct room room_of(const struct instance *instance)
{
    if (instance->status != INSTANCE_ACTIVE || !instance->is_agent_connected)
        return (struct room){ROOM_NONE, ROOM_NONE};
    return (struct room){at_least_any(instance->cpu_remaining),
                         at_least_any(instance->mem_remaining)};
}

static inline bool room_has(struct room room, struct room wanted)
{
    return room.cpu >= wanted.cpu && room.mem >= wanted.mem;
}

/* The threshold of an amount: 0 for less than 16, then two per doubling. */
static inline unsigned skyline_level(int32_t cpu)
{
    if (cpu < 16)
        return 0;
    unsigned octave = 31u - (unsigned)__builtin_clz((unsigned)cpu);
    unsigned level = 2 * (octave - 4) + ((unsigned)cpu >> (octave - 1) & 1) + 1;
    return level < SKYLINE_LEVELS ? level : SKYLINE_LEVELS - 1;
}

/* False: certainly no instance of the stretch has the room. True: perhaps one has. */
static inline bool skyline_has(const struct skyline *skyline, struct room wanted)
{
    return skyline->mem[skyline_level(wanted.cpu)] >= wanted.mem;
}

/* True when the stretch's summary may be different without an instance of this room. */
static inline bool skyline_needs(const struct skyline *skyline, struct room room)
{
    return skyline->mem[skyline_level(room.cpu)] <= room.mem;
}

/* True when `whole`, a stretch around, may fall now that a part of it went from old to new. */
static inline bool skyline_falls(const struct skyline *whole, const struct skyline *old,
                                 const struct skyline *new)
{
    for (unsigned level = 0; level < SKYLINE_LEVELS; level++)
        if (new->mem[level] < old->mem[level] && whole->mem[level] == old->mem[level])
            return true;
    return false;
}

void skyline_of(struct skyline *skyline, const struct room *rooms, size_t count);
void skyline_add(struct skyline *skyline, struct room room);
void skyline_clear(struct skyline *skyline);
void skyline_merge(struct skyline *into, const struct skyline *other);

#endif
