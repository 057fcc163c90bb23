#include "scheduler/placement/stretches.h"

#include <assert.h>

#define STRETCH 16u /* instances to a skyline: few, for a look into one costs a look at each */
#define RUN 16u     /* stretches to a skyline of skylines */

void stretches_free(struct stretches *stretches)
{
    vec_free(&stretches->rooms);
    skylines_free(&stretches->skylines);
    skylines_free(&stretches->runs);
}

static void note_room(struct stretches *stretches, const struct skylines_levels *levels,
                      uint32_t position, struct room room)
{
    unsigned level = skylines_level(levels, room.cpu);
    skylines_raise(&stretches->skylines, position / STRETCH, level, room.mem);
    skylines_raise(&stretches->runs, position / (STRETCH * RUN), level, room.mem);
}

void stretches_append(struct stretches *stretches, const struct skylines_levels *levels,
                      struct room room)
{
    uint32_t position = (uint32_t)stretches->rooms.count;
    *vec_push(&stretches->rooms) = room;
    if (position % STRETCH == 0)
        skylines_push(&stretches->skylines, levels->count);
    if (position % (STRETCH * RUN) == 0)
        skylines_push(&stretches->runs, levels->count);
    note_room(stretches, levels, position, room);
}

void stretches_set(struct stretches *stretches, const struct skylines_levels *levels,
                   uint32_t position, struct room room)
{
    struct room old = stretches->rooms.items[position];
    stretches->rooms.items[position] = room;
    if (room.cpu > old.cpu || room.mem > old.mem)
        note_room(stretches, levels, position, room);
}

void stretches_split(struct stretches *stretches, unsigned level_count, unsigned level)
{
    skylines_split(&stretches->skylines, level_count, level);
    skylines_split(&stretches->runs, level_count, level);
}

static uint32_t stretch_end(const struct stretches *stretches, uint32_t stretch)
{
    uint32_t end = (stretch + 1) * STRETCH;
    return end < stretches->rooms.count ? end : (uint32_t)stretches->rooms.count;
}

/* A walk found nobody in the stretch: note how much memory there is at its level. */
static void lower_stretch(struct stretches *stretches, const struct skylines_levels *levels,
                          unsigned level, uint32_t stretch)
{
    int32_t threshold = levels->cpu[level], most = ROOM_NONE;
    const struct room *end = stretches->rooms.items + stretch_end(stretches, stretch);
    for (const struct room *room = stretches->rooms.items + stretch * STRETCH; room < end; room++) {
        int32_t mem = room->cpu >= threshold ? room->mem : ROOM_NONE;
        most = mem > most ? mem : most;
    }
    skylines_lower(&stretches->skylines, stretch, level, levels->count, most);
}

/* The same for a run, which ends before `end`. */
static void lower_run(struct stretches *stretches, const struct skylines_levels *levels,
                      unsigned level, uint32_t run, uint32_t end)
{
    const int32_t *skylines = skylines_at(&stretches->skylines, level, 0);
    int32_t most = ROOM_NONE;
    for (uint32_t at = run * RUN; at < end; at++)
        most = skylines[at] > most ? skylines[at] : most;
    skylines_lower(&stretches->runs, run, level, levels->count, most);
}

/* The first stretch from `at` on that may have room; the count of them when none has. */
static uint32_t promising_stretch(struct stretches *stretches, const struct skylines_levels *levels,
                                  unsigned level, int32_t wanted, uint32_t at)
{
    const int32_t *skylines = skylines_at(&stretches->skylines, level, 0);
    const int32_t *runs = skylines_at(&stretches->runs, level, 0);
    uint32_t count = stretches->skylines.count;
    for (uint32_t run = at / RUN; at < count; at = run * RUN) {
        uint32_t end = (run + 1) * RUN < count ? (run + 1) * RUN : count;
        while (at < end && skylines[at] < wanted)
            at++;
        if (at < end)
            return at;
        if (runs[run] >= wanted)
            lower_run(stretches, levels, level, run, end);
        do
            run++;
        while (run < stretches->runs.count && runs[run] < wanted);
    }
    return count;
}

uint32_t stretches_next(struct stretches *stretches, const struct skylines_levels *levels,
                        struct room wanted, uint32_t from)
{
    unsigned level = skylines_level(levels, wanted.cpu);
    for (uint32_t stretch = from / STRETCH;; stretch++) {
        stretch = promising_stretch(stretches, levels, level, wanted.mem, stretch);
        if (stretch == stretches->skylines.count)
            return STRETCHES_NONE;
        uint32_t first = stretch * STRETCH, end = stretch_end(stretches, stretch);
        uint32_t at = from > first ? from : first;
        bool is_whole = at == first;
        while (at < end && !room_has(stretches->rooms.items[at], wanted))
            at++;
        if (at < end)
            return at;
        if (is_whole)
            lower_stretch(stretches, levels, level, stretch);
    }
}

static void audit_runs(const struct stretches *stretches, unsigned level_count)
{
    assert(stretches->skylines.count == (stretches->rooms.count + STRETCH - 1) / STRETCH);
    for (uint32_t at = 0; at < stretches->skylines.count; at++)
        for (unsigned level = 0; level < level_count; level++) {
            int32_t mem = *skylines_at(&stretches->skylines, level, at);
            int32_t most = *skylines_at(&stretches->runs, level, at / RUN);
            assert(mem <= most);
            assert(level == 0 || mem <= *skylines_at(&stretches->skylines, level - 1, at));
            assert(level == 0 || most <= *skylines_at(&stretches->runs, level - 1, at / RUN));
            (void)mem;
            (void)most;
        }
}

void stretches_audit(const struct stretches *stretches, const struct skylines_levels *levels)
{
    for (uint32_t at = 0; at < stretches->rooms.count; at++) {
        struct room room = stretches->rooms.items[at];
        unsigned level = skylines_level(levels, room.cpu);
        assert(*skylines_at(&stretches->skylines, level, at / STRETCH) >= room.mem);
        (void)room;
        (void)level;
    }
    audit_runs(stretches, levels->count);
}
