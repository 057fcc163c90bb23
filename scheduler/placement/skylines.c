#include "scheduler/placement/skylines.h"

#include <string.h>

#include "scheduler/base/mem.h"

bool skylines_learn(struct skylines_levels *levels, int32_t cpu)
{
    unsigned below = skylines_level(levels, cpu);
    if (levels->cpu[below] == cpu || cpu <= ROOM_ANY || levels->count == SKYLINES_LEVELS_MAX)
        return false;
    memmove(levels->cpu + below + 2, levels->cpu + below + 1,
            (levels->count - below - 1) * sizeof *levels->cpu);
    levels->cpu[below + 1] = cpu;
    levels->count++;
    return true;
}

void skylines_split(struct skylines *skylines, unsigned level_count, unsigned level)
{
    size_t row = skylines->capacity;
    skylines->mem = mem_resize(skylines->mem, row * level_count, sizeof *skylines->mem);
    if (row > 0)
        memmove(skylines->mem + level * row, skylines->mem + (level - 1) * row,
                (level_count - level) * row * sizeof *skylines->mem);
}

void skylines_push(struct skylines *skylines, unsigned level_count)
{
    if (skylines->count == skylines->capacity) {
        struct skylines old = *skylines;
        skylines->capacity = old.capacity + old.capacity / 2 + 1;
        skylines->mem =
            mem_resize(NULL, (size_t)skylines->capacity * level_count, sizeof *skylines->mem);
        for (unsigned level = 0; level < level_count && old.count > 0; level++)
            memcpy(skylines_at(skylines, level, 0), skylines_at(&old, level, 0),
                   old.count * sizeof *old.mem);
        mem_free(old.mem);
    }
    for (unsigned level = 0; level < level_count; level++)
        *skylines_at(skylines, level, skylines->count) = ROOM_NONE;
    skylines->count++;
}

void skylines_free(struct skylines *skylines)
{
    mem_free(skylines->mem);
    *skylines = (struct skylines){NULL, 0, 0};
}
