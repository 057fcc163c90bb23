/*
 * map.h -- hash map from a 64-bit key to a 32-bit value, open addressing, no order.
 *
 * Lookups only: nothing may depend on the order of slots, so there is no iterator. Zero-initialised
 * is a valid empty map.
 */
#ifndef BERTH_SCHEDULER_BASE_MAP_H
#define BERTH_SCHEDULER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_ABSENT UINT32_MAX /* Never a stored value. */

struct map_slot {
    uint64_t key;
    uint32_t value; /* MAP_ABSENT marks a free slot. */
};

struct map {
    struct map_slot *slots; /* owned */
    size_t capacity;        /* a power of two, or 0 */
    size_t count;
};

#define MAP_INIT   \
    {              \
        NULL, 0, 0 \
    }

void map_free(struct map *map);
uint32_t map_get(const struct map *map, uint64_t key); /* MAP_ABSENT when not there */
void map_put(struct map *map, uint64_t key, uint32_t value);
bool map_remove(struct map *map, uint64_t key); /* false when it was not there */

/* A good 64-bit mix (the finaliser of SplitMix64, Steele et al. 2014). */
uint64_t map_mix(uint64_t key);

#endif
