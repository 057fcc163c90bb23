/*
 * fits.h -- which instances of a row have room for each of a few sizes: a bit for each, and a bit
 * for every 64 of them that says whether one is set.
 *
 * Words of the same 64 instances stand side by side, `stride` of them, one for each size: an
 * instance that changes flips the bits of a few sizes in the same lines of the cache.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_FITS_H
#define BERTH_SCHEDULER_PLACEMENT_FITS_H

#include <stdint.h>

#include "scheduler/base/mem.h"

#define FITS_NONE UINT32_MAX

struct fits {
    VEC(uint64_t) words;  /* by block of 64 positions, and size */
    VEC(uint64_t) blocks; /* by 64 blocks, and size: those with a bit set */
    uint32_t stride;
};

void fits_free(struct fits *fits);
void fits_widen(struct fits *fits, uint32_t stride);

/* The next position, which has room for nothing yet. */
void fits_append(struct fits *fits, uint32_t position);

/* The position's answer is another now for each of the sizes (bit by number). */
void fits_turn(struct fits *fits, uint32_t position, uint64_t sizes);

/* The first position from `from` on with room for the size, or FITS_NONE. */
uint32_t fits_next(const struct fits *fits, uint32_t size, uint32_t from);

static inline uint64_t fits_block(const struct fits *fits, uint32_t size, uint32_t block)
{
    return fits->words.items[(size_t)block * fits->stride + size];
}

#endif
