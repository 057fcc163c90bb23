#include "scheduler/placement/skyline.h"

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
