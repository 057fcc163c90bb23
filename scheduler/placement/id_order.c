/*
 * id_order.c -- the order that never changes: by id, in stretches of 16 with their skylines.
 *
 * First fit skips full stretches by their skylines, and runs of 16 stretches by theirs. Spreading
 * over instances wants the fewest tasks of one group among those with room. In a large fleet most
 * groups have no task on most instances, and the first instance with room and none of the group's
 * tasks is the answer; the first few with room are tried for that.
 *
 * Where those have tasks of the group already, a small table of the group holds, for every block of
 * 64, the fewest tasks on an instance and a bit for each instance that has so few. Most answers
 * need no more: the first set bit whose instance has room. Joins and leaves of the group flip bits;
 * when the last bit goes, the block is counted again at the next visit. A block whose fewest have
 * no room may hide an instance with more tasks and room; such blocks are looked into one instance
 * at a time, and only when they could still win. A table that nobody asks any more is given up.
 *
 * Memory: 20 bytes per instance, up to 8 more for skylines, and 16 per 64 instances and group with
 * a table.
 */
#include "scheduler/placement/id_order.h"

#include <assert.h>
#include <string.h>

#define BLOCK 64u
#define STRETCH 16u    /* instances to a skyline: few, for a look into one costs a look at each */
#define RUN 16u        /* stretches to a skyline of skylines */
#define TRIES 8        /* instances with room that are looked at before a group gets a table */
#define UNASKED_MAX 32 /* changes of a group that its table follows for nothing */

static void note_room(const struct id_order *order, struct id_part *part, uint32_t position,
                      struct room room)
{
    unsigned level = skylines_level(&order->levels, room.cpu);
    skylines_raise(&part->stretches, position / STRETCH, level, room.mem);
    skylines_raise(&part->runs, position / (STRETCH * RUN), level, room.mem);
}

static void append(struct id_order *order, const struct cluster *cluster, instance_id id)
{
    if (!pool_has(order->pool, cluster_instance(cluster, id))) {
        *vec_push(&order->places) = (struct id_place){ID_PART_NONE, 0};
        return;
    }
    uint32_t value =
        order->tracked == TRACKED_NONE ? 0 : cluster_value_of(cluster, order->tracked, id);
    while (order->parts.count <= value)
        memset(vec_push(&order->parts), 0, sizeof *order->parts.items);
    struct id_part *part = &order->parts.items[value];
    uint32_t position = (uint32_t)part->ids.count;
    struct room room = room_of(cluster_instance(cluster, id));
    assert(order->places.count == id);
    *vec_push(&order->places) = (struct id_place){value, position};
    *vec_push(&part->ids) = id;
    *vec_push(&part->rooms) = room;
    if (position % STRETCH == 0)
        skylines_push(&part->stretches, order->levels.count);
    if (position % (STRETCH * RUN) == 0)
        skylines_push(&part->runs, order->levels.count);
    note_room(order, part, position, room);
    for (size_t i = 0; i < order->groups.count; i++) {
        struct group_fewest *group = &order->groups.items[i];
        if (value < group->part_count && position / BLOCK < group->block_counts[value])
            group->parts[value][position / BLOCK].who = 0;
    }
}

void id_order_init(struct id_order *order, const struct cluster *cluster, tracked_id tracked,
                   symbol pool)
{
    memset(order, 0, sizeof *order);
    order->tracked = tracked;
    order->pool = pool;
    order->levels = (struct skylines_levels){{ROOM_NONE}, 1};
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        append(order, cluster, id);
}

/* A question may name no group yet (GROUP_NONE): its place is the first. */
static uint32_t slot_of_group(group_id group)
{
    return (uint32_t)(group + 1);
}

static void free_table(struct group_fewest *table)
{
    for (size_t part = 0; part < table->part_count; part++)
        mem_free(table->parts[part]);
    mem_free(table->parts);
    mem_free(table->block_counts);
}

void id_order_forget_groups(struct id_order *order)
{
    for (size_t i = 0; i < order->groups.count; i++)
        free_table(&order->groups.items[i]);
    vec_free(&order->groups);
    vec_free(&order->number_of_group);
}

static void give_up_table(struct id_order *order, uint32_t number)
{
    struct group_fewest *last = &order->groups.items[order->groups.count - 1];
    struct group_fewest *table = &order->groups.items[number];
    order->number_of_group.items[slot_of_group(last->group)] = number;
    order->number_of_group.items[slot_of_group(table->group)] = GROUP_NONE;
    free_table(table);
    *table = *last;
    order->groups.count--;
}

void id_order_deinit(struct id_order *order)
{
    for (size_t i = 0; i < order->parts.count; i++) {
        struct id_part *part = &order->parts.items[i];
        vec_free(&part->ids);
        vec_free(&part->rooms);
        skylines_free(&part->stretches);
        skylines_free(&part->runs);
    }
    vec_free(&order->parts);
    vec_free(&order->places);
    id_order_forget_groups(order);
}

bool id_order_update(struct id_order *order, const struct cluster *cluster, instance_id id)
{
    while (order->places.count <= id)
        append(order, cluster, (instance_id)order->places.count);
    struct id_place place = order->places.items[id];
    if (place.part == ID_PART_NONE)
        return true; /* A pool is for life. */
    if (order->tracked != TRACKED_NONE &&
        cluster_value_of(cluster, order->tracked, id) != place.part)
        return false;
    struct id_part *part = &order->parts.items[place.part];
    struct room *room = &part->rooms.items[place.position], old = *room;
    *room = room_of(cluster_instance(cluster, id));
    if (room->cpu > old.cpu || room->mem > old.mem)
        note_room(order, part, place.position, *room);
    return true;
}

void id_order_note_group(struct id_order *order, const struct group_change *change)
{
    if (slot_of_group(change->group) >= order->number_of_group.count ||
        change->id >= order->places.count)
        return;
    uint32_t number = order->number_of_group.items[slot_of_group(change->group)];
    if (number == GROUP_NONE)
        return;
    struct group_fewest *group = &order->groups.items[number];
    if (++group->unasked > UNASKED_MAX) {
        give_up_table(order, number);
        return;
    }
    struct id_place place = order->places.items[change->id];
    if (place.part >= group->part_count ||
        place.position / BLOCK >= group->block_counts[place.part])
        return;
    struct fewest *fewest = &group->parts[place.part][place.position / BLOCK];
    uint64_t bit = UINT64_C(1) << (place.position % BLOCK);
    if (fewest->who == 0)
        return;
    if (change->is_join) {
        fewest->who &= ~bit; /* It had the fewest, or its bit was not set. */
    } else if (change->tasks < fewest->tasks) {
        *fewest = (struct fewest){bit, change->tasks};
    } else if (change->tasks == fewest->tasks) {
        fewest->who |= bit;
    }
}

static struct group_fewest *group_table(struct id_order *order, group_id group, uint32_t part)
{
    while (order->number_of_group.count <= slot_of_group(group))
        *vec_push(&order->number_of_group) = GROUP_NONE;
    uint32_t number = order->number_of_group.items[slot_of_group(group)];
    if (number == GROUP_NONE) {
        number = (uint32_t)order->groups.count;
        *vec_push(&order->groups) = (struct group_fewest){.group = group};
        order->number_of_group.items[slot_of_group(group)] = number;
    }
    struct group_fewest *table = &order->groups.items[number];
    table->unasked = 0;
    if (part >= table->part_count) {
        size_t count = order->parts.count;
        table->parts = mem_resize(table->parts, count, sizeof *table->parts);
        table->block_counts = mem_resize(table->block_counts, count, sizeof *table->block_counts);
        for (size_t i = table->part_count; i < count; i++) {
            table->parts[i] = NULL;
            table->block_counts[i] = 0;
        }
        table->part_count = count;
    }
    uint32_t blocks = (uint32_t)(order->parts.items[part].ids.count + BLOCK - 1) / BLOCK;
    if (table->block_counts[part] < blocks) {
        table->parts[part] = mem_resize(table->parts[part], blocks, sizeof **table->parts);
        for (uint32_t i = table->block_counts[part]; i < blocks; i++)
            table->parts[part][i] = (struct fewest){0, 0};
        table->block_counts[part] = blocks;
    }
    return table;
}

static uint32_t positions_end(const struct id_part *part, uint32_t block)
{
    uint32_t end = (block + 1) * BLOCK;
    return end < part->ids.count ? end : (uint32_t)part->ids.count;
}

static void count_block(const struct cluster *cluster, const struct id_part *part, uint32_t block,
                        group_id group, struct fewest *fewest)
{
    *fewest = (struct fewest){0, UINT32_MAX};
    for (uint32_t at = block * BLOCK; at < positions_end(part, block); at++) {
        uint32_t tasks = cluster_group_tasks_on(cluster, group, part->ids.items[at]);
        if (tasks < fewest->tasks)
            *fewest = (struct fewest){0, tasks};
        if (tasks == fewest->tasks)
            fewest->who |= UINT64_C(1) << (at % BLOCK);
    }
}

static uint32_t stretch_end(const struct id_part *part, uint32_t stretch)
{
    uint32_t end = (stretch + 1) * STRETCH;
    return end < part->ids.count ? end : (uint32_t)part->ids.count;
}

/* A walk found nobody in the stretch: note how much memory there is at its level. */
static void lower_stretch(const struct id_walk *walk, uint32_t stretch)
{
    struct id_part *part = walk->part;
    const struct skylines_levels *levels = &walk->order->levels;
    int32_t threshold = levels->cpu[walk->level], most = ROOM_NONE;
    const struct room *end = part->rooms.items + stretch_end(part, stretch);
    for (const struct room *room = part->rooms.items + stretch * STRETCH; room < end; room++) {
        int32_t mem = room->cpu >= threshold ? room->mem : ROOM_NONE;
        most = mem > most ? mem : most;
    }
    skylines_lower(&part->stretches, stretch, walk->level, levels->count, most);
}

/* The same for a run, which ends before `end`. */
static void lower_run(const struct id_walk *walk, uint32_t run, uint32_t end)
{
    const int32_t *stretches = skylines_at(&walk->part->stretches, walk->level, 0);
    int32_t most = ROOM_NONE;
    for (uint32_t at = run * RUN; at < end; at++)
        most = stretches[at] > most ? stretches[at] : most;
    skylines_lower(&walk->part->runs, run, walk->level, walk->order->levels.count, most);
}

/* The first stretch from `at` on that may have room; the count of them when none has. */
static uint32_t promising_stretch(const struct id_walk *walk, uint32_t at)
{
    const int32_t *stretches = skylines_at(&walk->part->stretches, walk->level, 0);
    const int32_t *runs = skylines_at(&walk->part->runs, walk->level, 0);
    uint32_t count = walk->part->stretches.count;
    int32_t wanted = walk->wanted.mem;
    for (uint32_t run = at / RUN; at < count; at = run * RUN) {
        uint32_t end = (run + 1) * RUN < count ? (run + 1) * RUN : count;
        while (at < end && stretches[at] < wanted)
            at++;
        if (at < end)
            return at;
        if (runs[run] >= wanted)
            lower_run(walk, run, end);
        do
            run++;
        while (run < walk->part->runs.count && runs[run] < wanted);
    }
    return count;
}

static bool walk_to_room(struct id_walk *walk)
{
    struct id_part *part = walk->part;
    for (uint32_t stretch = walk->position / STRETCH;; stretch++) {
        stretch = promising_stretch(walk, stretch);
        if (stretch == part->stretches.count)
            return false;
        uint32_t first = stretch * STRETCH, end = stretch_end(part, stretch);
        uint32_t at = walk->position > first ? walk->position : first;
        bool is_whole = at == first;
        while (at < end && !room_has(part->rooms.items[at], walk->wanted))
            at++;
        walk->position = at;
        if (at < end)
            return true;
        if (is_whole)
            lower_stretch(walk, stretch);
    }
}

struct id_walk id_order_walk(struct id_order *order, uint32_t part, struct room wanted)
{
    unsigned level = skylines_level(&order->levels, wanted.cpu);
    if (order->levels.cpu[level] != wanted.cpu && skylines_learn(&order->levels, wanted.cpu)) {
        level++;
        for (size_t i = 0; i < order->parts.count; i++) {
            skylines_split(&order->parts.items[i].stretches, order->levels.count, level);
            skylines_split(&order->parts.items[i].runs, order->levels.count, level);
        }
    }
    return (struct id_walk){
        .order = order, .part = &order->parts.items[part], .wanted = wanted, .level = level};
}

bool id_walk_next(struct id_walk *walk, instance_id *id)
{
    if (!walk_to_room(walk))
        return false;
    *id = walk->part->ids.items[walk->position++];
    return true;
}

/* One question for the fewest tasks. */
struct search {
    const struct cluster *cluster;
    const struct id_part *part;
    struct id_walk walk; /* from the first position */
    group_id group;
    id_order_accepts accepts;
    void *context;
    instance_id best;
    uint32_t best_tasks;
};

static bool would_win(const struct search *search, uint32_t tasks, instance_id id)
{
    return search->best == INSTANCE_NONE || tasks < search->best_tasks ||
           (tasks == search->best_tasks && id < search->best);
}

static bool try_position(struct search *search, uint32_t position, uint32_t tasks)
{
    instance_id id = search->part->ids.items[position];
    if (!would_win(search, tasks, id) || !search->accepts(search->context, id))
        return false;
    search->best = id;
    search->best_tasks = tasks;
    __builtin_prefetch(cluster_instance(search->cluster, id)->groups); /* The task may join. */
    return true;
}

/* Among the block's instances with the fewest tasks. */
static void search_fewest(struct search *search, uint32_t block, const struct fewest *fewest)
{
    for (uint64_t who = fewest->who; who != 0; who &= who - 1) {
        uint32_t at = block * BLOCK + (uint32_t)__builtin_ctzll(who);
        if (room_has(search->part->rooms.items[at], search->walk.wanted) &&
            try_position(search, at, fewest->tasks))
            return;
    }
}

/* Among all of the block. */
static void search_all(struct search *search, uint32_t block)
{
    for (uint32_t at = block * BLOCK; at < positions_end(search->part, block); at++)
        if (room_has(search->part->rooms.items[at], search->walk.wanted))
            try_position(search, at,
                         cluster_group_tasks_on(search->cluster, search->group,
                                                search->part->ids.items[at]));
}

/* The next block from `block` on with room; UINT32_MAX when none has. */
static uint32_t roomy_block(const struct search *search, uint32_t block)
{
    struct id_walk walk = search->walk;
    walk.position = block * BLOCK;
    return walk_to_room(&walk) ? walk.position / BLOCK : UINT32_MAX;
}

/* The first few with room, or as many as there are; true when that settles it. */
static bool search_first(struct search *search)
{
    struct id_walk walk = search->walk;
    instance_id id;
    for (uint32_t tries = 0; tries < TRIES; tries++) {
        if (!id_walk_next(&walk, &id))
            return true;
        if (search->best != INSTANCE_NONE && search->best_tasks == 0 && id > search->best)
            return true; /* Zero tasks cannot be bettered, and every id that follows is larger. */
        uint32_t tasks = cluster_group_tasks_on(search->cluster, search->group, id);
        if (try_position(search, walk.position - 1, tasks) && tasks == 0)
            return true;
    }
    return false;
}

static void search_part(struct search *search, struct fewest *blocks)
{
    const struct id_part *part = search->part;
    uint32_t none = UINT32_MAX;
    for (uint32_t at = roomy_block(search, 0); at != none; at = roomy_block(search, at + 1)) {
        if (search->best != INSTANCE_NONE && search->best_tasks == 0 &&
            part->ids.items[at * BLOCK] > search->best)
            return;
        if (blocks[at].who == 0)
            count_block(search->cluster, part, at, search->group, &blocks[at]);
        if (would_win(search, blocks[at].tasks, part->ids.items[at * BLOCK]))
            search_fewest(search, at, &blocks[at]);
    }
    if (search->best != INSTANCE_NONE && search->best_tasks == 0)
        return;
    for (uint32_t at = roomy_block(search, 0); at != none; at = roomy_block(search, at + 1))
        if (would_win(search, blocks[at].tasks + 1, part->ids.items[at * BLOCK]))
            search_all(search, at);
}

void id_order_fewest(struct id_order *order, const struct cluster *cluster, uint32_t part,
                     group_id group, struct room wanted, id_order_accepts accepts, void *context,
                     instance_id *best, uint32_t *best_tasks)
{
    if (part >= order->parts.count)
        return;
    struct search search = {.cluster = cluster,
                            .part = &order->parts.items[part],
                            .walk = id_order_walk(order, part, wanted),
                            .group = group,
                            .accepts = accepts,
                            .context = context,
                            .best = *best,
                            .best_tasks = *best_tasks};
    if (!search_first(&search))
        search_part(&search, group_table(order, group, part)->parts[part]);
    *best = search.best;
    *best_tasks = search.best_tasks;
}

static void audit_groups(const struct id_order *order, const struct cluster *cluster)
{
    for (size_t i = 0; i < order->groups.count; i++) {
        const struct group_fewest *group = &order->groups.items[i];
        for (size_t at = 0; at < group->part_count; at++)
            for (uint32_t block = 0; block < group->block_counts[at]; block++) {
                const struct fewest *kept = &group->parts[at][block];
                struct fewest counted;
                if (kept->who == 0)
                    continue;
                count_block(cluster, &order->parts.items[at], block, group->group, &counted);
                assert(counted.who == kept->who && counted.tasks == kept->tasks);
            }
    }
}

static void audit_skylines(const struct id_part *part, unsigned level_count)
{
    assert(part->stretches.count == (part->ids.count + STRETCH - 1) / STRETCH);
    for (uint32_t at = 0; at < part->stretches.count; at++)
        for (unsigned level = 0; level < level_count; level++) {
            int32_t mem = *skylines_at(&part->stretches, level, at);
            int32_t most = *skylines_at(&part->runs, level, at / RUN);
            assert(mem <= most);
            assert(level == 0 || mem <= *skylines_at(&part->stretches, level - 1, at));
            assert(level == 0 || most <= *skylines_at(&part->runs, level - 1, at / RUN));
            (void)mem;
            (void)most;
        }
}

void id_order_audit(const struct id_order *order, const struct cluster *cluster)
{
    for (size_t i = 0; i < order->parts.count; i++) {
        const struct id_part *part = &order->parts.items[i];
        for (uint32_t at = 0; at < part->ids.count; at++) {
            struct room room = room_of(cluster_instance(cluster, part->ids.items[at]));
            assert(room.cpu == part->rooms.items[at].cpu && room.mem == part->rooms.items[at].mem);
            unsigned level = skylines_level(&order->levels, room.cpu);
            assert(*skylines_at(&part->stretches, level, at / STRETCH) >= room.mem);
            (void)room;
            (void)level;
        }
        audit_skylines(part, order->levels.count);
    }
    audit_groups(order, cluster);
}
