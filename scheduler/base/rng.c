#include "scheduler/base/rng.h"

#include <assert.h>

#include "scheduler/base/map.h"

__extension__ typedef unsigned __int128 uint128;

void rng_philox(uint64_t key, const uint64_t in[2], uint64_t out[2])
{
    uint64_t low = in[0], high = in[1];
    for (int round = 0; round < 10; round++) {
        uint128 product = (uint128)low * UINT64_C(0xD2B74407B1CE6E93);
        low = (uint64_t)(product >> 64) ^ key ^ high;
        high = (uint64_t)product;
        key += UINT64_C(0x9E3779B97F4A7C15);
    }
    out[0] = low;
    out[1] = high;
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
    uint64_t block[2] = {purpose, entity};
    rng_philox(parent, block, block);
    return block[0];
}

uint64_t rng_key(uint64_t parent, const char *purpose, uint64_t entity)
{
    return rng_key_for(parent, rng_purpose(purpose), entity);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t block[2] = {rng->counter++, 0};
    rng_philox(rng->key, block, block);
    return block[0];
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
