/*
 * rng.h -- counter-based random streams: Philox2x64-10 (Salmon et al., SC 2011).
 *
 * A stream is 16 bytes of open, copyable state: a key that names it and a counter. Equal keys give
 * equal draws on every machine, streams of different keys are independent, and a draw from one
 * stream never moves another. Keys come from rng_key(), by the entity and the purpose.
 */
#ifndef BERTH_SCHEDULER_BASE_RNG_H
#define BERTH_SCHEDULER_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t key;
    uint64_t counter; /* draws made so far */
};

/* A key from a parent key, a purpose ("pull", "lifetime") and an entity's number. */
uint64_t rng_key(uint64_t parent, const char *purpose, uint64_t entity);

/* The same in two halves, for who draws often: the purpose's text is read once. */
uint64_t rng_purpose(const char *purpose);
uint64_t rng_key_for(uint64_t parent, uint64_t purpose, uint64_t entity);

uint64_t rng_next(struct rng *rng);                  /* 64 uniform bits */
uint64_t rng_below(struct rng *rng, uint64_t limit); /* uniform in [0, limit), limit > 0 */
void rng_philox(uint64_t key, const uint64_t in[2], uint64_t out[2]); /* the bare block function */

#endif
