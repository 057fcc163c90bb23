#include "scheduler/placement/skyline.h"

struct room room_wanted(const struct demand *demand)
{
    return (struct room){demand->cpu_units > 0 ? demand->cpu_units : ROOM_ANY,
                         demand->mem_mib > 0 ? demand->mem_mib : ROOM_ANY};
}

static int32_t at_least_any(int32_t amount)
{
    return amount < ROOM_ANY ? ROOM_ANY : amount;
}

struct room room_of(const struct instance *instance)
{
    if (instance->status != INSTANCE_ACTIVE || !instance->is_agent_connected)
        return (struct room){ROOM_NONE, ROOM_NONE};
    return (struct room){at_least_any(instance->cpu_remaining),
                         at_least_any(instance->mem_remaining)};
}

void skyline_clear(struct skyline *skyline)
{
    for (unsigned level = 0; level < SKYLINE_LEVELS; level++)
        skyline->mem[level] = ROOM_NONE;
}

void skyline_of(struct skyline *skyline, const struct room *rooms, size_t count)
{
    skyline_clear(skyline);
    for (size_t i = 0; i < count; i++) {
        int32_t *mem = &skyline->mem[skyline_level(rooms[i].cpu)];
        if (rooms[i].mem > *mem)
            *mem = rooms[i].mem;
    }
    for (unsigned level = SKYLINE_LEVELS - 1; level > 0; level--)
        if (skyline->mem[level] > skyline->mem[level - 1])
            skyline->mem[level - 1] = skyline->mem[level];
}

void skyline_add(struct skyline *skyline, struct room room)
{
    for (unsigned level = 0; level <= skyline_level(room.cpu); level++)
        if (room.mem > skyline->mem[level])
            skyline->mem[level] = room.mem;
}

void skyline_merge(struct skyline *into, const struct skyline *other)
{
    for (unsigned level = 0; level < SKYLINE_LEVELS; level++)
        into->mem[level] =
            other->mem[level] > into->mem[level] ? other->mem[level] : into->mem[level];
}
