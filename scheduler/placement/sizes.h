/*
 * sizes.h -- the sizes of tasks that requests ask for, numbered as they come, and which of them a
 * room takes.
 *
 * Most clusters know a few sizes of tasks. Which of up to 64 fit into a room is then one word,
 * found by two searches among the amounts of each resource, however many sizes there are.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_SIZES_H
#define BERTH_SCHEDULER_PLACEMENT_SIZES_H

#include "scheduler/placement/skyline.h"

#define SIZES_MAX 64
#define SIZE_NONE UINT32_MAX

struct sizes {
    struct room items[SIZES_MAX]; /* by number */
    uint32_t count;
    uint8_t slots[2 * SIZES_MAX];           /* a hash table: number + 1, 0 for nothing */
    int32_t cpu[SIZES_MAX], mem[SIZES_MAX]; /* theirs, ascending */
    uint64_t of_cpu[SIZES_MAX + 1], of_mem[SIZES_MAX + 1]; /* [n]: whose are the first n of them */
};

uint32_t sizes_find(const struct sizes *sizes, struct room wanted); /* or SIZE_NONE */

/* A size that is not there; its number, SIZE_NONE when there are SIZES_MAX. */
uint32_t sizes_learn(struct sizes *sizes, struct room wanted);

/* How many of `count` ascending amounts are not above the amount. */
static inline uint32_t sizes_count_reached(const int32_t *amounts, uint32_t count, int32_t amount)
{
    uint32_t low = 0;
    for (uint32_t rest = count; rest > 0;) {
        uint32_t half = (rest + 1) / 2;
        low += half & (0 - (uint32_t)(amounts[low + half - 1] <= amount));
        rest -= half;
    }
    return low;
}

/* Bit by number: the sizes that the room takes. */
static inline uint64_t sizes_within(const struct sizes *sizes, struct room room)
{
    return sizes->of_cpu[sizes_count_reached(sizes->cpu, sizes->count, room.cpu)] &
           sizes->of_mem[sizes_count_reached(sizes->mem, sizes->count, room.mem)];
}

#endif
