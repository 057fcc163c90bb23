#include "scheduler/base/rng.h"

#include <assert.h>

#include "scheduler/base/map.h"

__extension__ typedef unsigned __int128 uint128;

struct philox {
    uint64_t low, high, key;
};

static inline void turn(struct philox *state)
{
    uint128 product = (uint128)state->low * UINT64_C(0xD2B74407B1CE6E93);
    state->low = (uint64_t)(product >> 64) ^ state->key ^ state->high;
    state->high = (uint64_t)product;
    state->key += UINT64_C(0x9E3779B97F4A7C15);
}

/* Ten rounds, written out: they stay in registers, at half the instructions of a loop. */
static inline struct philox turned(uint64_t key, uint64_t low, uint64_t high)
{
    struct philox state = {low, high, key};
    turn(&state), turn(&state), turn(&state), turn(&state), turn(&state);
    turn(&state), turn(&state), turn(&state), turn(&state), turn(&state);
    return state;
}

void rng_philox(uint64_t key, const uint64_t in[2], uint64_t out[2])
{
    struct philox state = turned(key, in[0], in[1]);
    out[0] = state.low;
    out[1] = state.high;
}

uint64_t rng_purpose(const char *purpose)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *purpose != '\0'; purpose++)
        hash = (hash ^ (unsigned char)*purpose) * UINT64_C(0x100000001b3);
    return map_mix(hash);
}

uint64_t rng_key_for(uint64_t parent, uint64_t purpose, uint64_t entity)
{
    return turned(parent, purpose, entity).low;
}

uint64_t rng_key(uint64_t parent, const char *purpose, uint64_t entity)
{
    return rng_key_for(parent, rng_purpose(purpose), entity);
}

uint64_t rng_next(struct rng *rng)
{
    return turned(rng->key, rng->counter++, 0).low;
}

/* Multiply-shift with rejection: unbiased, and nearly always one draw (Lemire 2019). */
uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    assert(limit > 0);
    uint128 product = (uint128)rng_next(rng) * limit;
    if ((uint64_t)product < limit) {
        uint64_t floor = (0 - limit) % limit;
        while ((uint64_t)product < floor)
            product = (uint128)rng_next(rng) * limit;
    }
    return (uint64_t)(product >> 64);
}
