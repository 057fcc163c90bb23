/*
 * arena.h -- memory that lives until the arena is reset: what a step lends to its caller.
 *
 * Pieces come from blocks by bumping a pointer and are never freed one by one. A reset keeps the
 * blocks, so a settled program allocates nothing. Zero-initialised is a valid empty arena.
 */
#ifndef BERTH_SCHEDULER_BASE_ARENA_H
#define BERTH_SCHEDULER_BASE_ARENA_H

#include "scheduler/base/mem.h"

struct arena_block {
    char *bytes; /* owned */
    size_t size_bytes;
};

struct arena {
    VEC(struct arena_block) blocks; /* owned */
    size_t block;                   /* the one in use */
    size_t used_bytes;              /* of it */
};

void *arena_alloc(struct arena *arena, size_t size_bytes); /* aligned for any type; not zeroed */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
