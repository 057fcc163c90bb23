/*
 * ports.c -- sets of occupied host ports.
 *
 * A sorted array: an instance may hold at most PORTS_PER_INSTANCE_MAX ports (ECS's own limit), so
 * 200 bytes that fit a few cache lines beat a bitmap of 8 KiB per protocol and instance.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

/* Where `port` stands, or would stand. */
static uint16_t place_of(const struct port_set *set, uint16_t port)
{
    uint16_t low = 0, high = set->count;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        if (set->ports[middle] < port)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct port_set *set, uint16_t place, uint16_t port)
{
    return place < set->count && set->ports[place] == port;
}

bool port_set_has_none(const struct port_set *set, const uint16_t *ports, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        if (is_at(set, place_of(set, ports[i]), ports[i]))
            return false;
    return true;
}

void port_set_share(struct port_set *set, const struct port_set *other)
{
    *set = (struct port_set){other->ports, other->count, 0};
}

/* Most instances never hold other ports than their agent's. */
static void make_own(struct port_set *set)
{
    const uint16_t *shared = set->ports;
    if (set->capacity > 0 || set->count == 0)
        return;
    set->capacity = (uint16_t)(set->count + 3);
    set->ports = mem_alloc(set->capacity * sizeof *set->ports);
    memcpy(set->ports, shared, set->count * sizeof *set->ports);
}

static void insert(struct port_set *set, uint16_t place, uint16_t port)
{
    make_own(set);
    if (set->count >= set->capacity) {
        size_t capacity = set->capacity;
        set->ports = mem_grow(set->ports, &capacity, (size_t)set->count + 1, sizeof *set->ports);
        set->capacity = (uint16_t)(capacity > UINT16_MAX ? UINT16_MAX : capacity);
    }
    memmove(set->ports + place + 1, set->ports + place,
            (size_t)(set->count - place) * sizeof *set->ports);
    set->ports[place] = port;
    set->count++;
}

bool port_set_equals(const struct port_set *a, const struct port_set *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->ports, b->ports, a->count * sizeof *a->ports) == 0);
}

void port_set_add(struct port_set *set, const uint16_t *ports, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        uint16_t place = place_of(set, ports[i]);
        assert(!is_at(set, place, ports[i]));
        insert(set, place, ports[i]);
    }
}

void port_set_remove(struct port_set *set, const uint16_t *ports, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        uint16_t place = place_of(set, ports[i]);
        assert(is_at(set, place, ports[i]));
        make_own(set);
        set->count--;
        memmove(set->ports + place, set->ports + place + 1,
                (size_t)(set->count - place) * sizeof *set->ports);
    }
}

void port_set_free(struct port_set *set)
{
    if (set->capacity > 0)
        mem_free(set->ports);
    *set = (struct port_set){NULL, 0, 0};
}

/* From outside: any order, repeats allowed. */
void port_set_assign(struct port_set *set, const uint16_t *ports, uint16_t count)
{
    port_set_free(set);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t place = place_of(set, ports[i]);
        if (!is_at(set, place, ports[i]))
            insert(set, place, ports[i]);
    }
}
