/*
 * pack.h -- a few numbers in as many bytes as they need, for what is kept in millions and read
 * once.
 *
 * A byte that says how many pairs follow, a byte a pair with the two lengths, then the bytes of
 * all, the least first. Zeros at the end cost nothing, others half a byte; small numbers first is
 * best.
 */
#ifndef BERTH_SCHEDULER_BASE_PACK_H
#define BERTH_SCHEDULER_BASE_PACK_H

#include <stddef.h>
#include <stdint.h>

enum { PACK_SLACK = 8 }; /* written and read past the end, so that no number needs a loop */

/* Room for `count` numbers, slack included. */
#define PACK_BYTES_MAX(count) (1 + (count) / 2 + 8 * (count) + PACK_SLACK)

/* Counts are even: numbers go in pairs. */
size_t pack_numbers(const uint64_t *numbers, uint32_t count, unsigned char *out); /* bytes used */
/* The first `count` of them; `in` can be read PACK_SLACK bytes past its end. Bytes of all. */
size_t unpack_numbers(const unsigned char *in, uint64_t *numbers, uint32_t count);

/* Differences of either sign are small numbers: 0, -1, 1, -2 ... Any two 64-bit values will do. */
static inline uint64_t pack_difference(uint64_t a, uint64_t b)
{
    uint64_t by = a - b;
    return by << 1 ^ (0 - (by >> 63));
}

static inline uint64_t unpack_difference(uint64_t packed, uint64_t b)
{
    return b + (packed >> 1 ^ (0 - (packed & 1)));
}

#endif
