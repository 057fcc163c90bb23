#include "scheduler/base/map.h"

#include <assert.h>

#include "scheduler/base/mem.h"

uint64_t map_mix(uint64_t key)
{
    key ^= key >> 30;
    key *= UINT64_C(0xbf58476d1ce4e5b9);
    key ^= key >> 27;
    key *= UINT64_C(0x94d049bb133111eb);
    return key ^ (key >> 31);
}

void map_free(struct map *map)
{
    mem_free(map->slots);
    *map = (struct map)MAP_INIT;
}

static size_t home_of(const struct map *map, uint64_t key)
{
    return (size_t)map_mix(key) & (map->capacity - 1);
}

/* The slot that holds `key`, or the free slot where it would go. */
static size_t slot_of(const struct map *map, uint64_t key)
{
    size_t at = home_of(map, key);
    while (map->slots[at].value != MAP_ABSENT && map->slots[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

uint32_t map_get(const struct map *map, uint64_t key)
{
    return map->capacity == 0 ? MAP_ABSENT : map->slots[slot_of(map, key)].value;
}

static void map_resize(struct map *map, size_t capacity)
{
    struct map old = *map;
    map->capacity = capacity;
    map->slots = mem_resize(NULL, capacity, sizeof *map->slots);
    for (size_t i = 0; i < capacity; i++)
        map->slots[i] = (struct map_slot){0, MAP_ABSENT};
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value != MAP_ABSENT)
            map->slots[slot_of(map, old.slots[i].key)] = old.slots[i];
    mem_free(old.slots);
}

void map_put(struct map *map, uint64_t key, uint32_t value)
{
    assert(value != MAP_ABSENT);
    if ((map->count + 1) * 3 > map->capacity * 2)
        map_resize(map, map->capacity == 0 ? 16 : map->capacity * 2);
    size_t at = slot_of(map, key);
    if (map->slots[at].value == MAP_ABSENT)
        map->count++;
    map->slots[at] = (struct map_slot){key, value};
}

/* Backward-shift deletion keeps probe chains whole without tombstones. */
bool map_remove(struct map *map, uint64_t key)
{
    if (map->capacity == 0)
        return false;
    size_t mask = map->capacity - 1;
    size_t hole = slot_of(map, key);
    if (map->slots[hole].value == MAP_ABSENT)
        return false;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != MAP_ABSENT; at = (at + 1) & mask) {
        size_t home = home_of(map, map->slots[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].value = MAP_ABSENT;
    map->count--;
    return true;
}
