/*
 * id_order.c -- the order that never changes: by id, in blocks of 64 with their skylines.
 *
 * First fit skips full stretches by the skylines. Spreading over instances wants the fewest tasks
 * of one group among those with room: a second small table per group that asked holds, for every
 * block, the fewest tasks on an instance and a bit for each instance that has so few. Most answers
 * need no more than that: the first set bit whose instance has room. Joins and leaves of the group
 * flip bits; when the last bit goes, the block is counted again at the next visit.
 *
 * A block whose fewest have no room may hide an instance with more tasks and room; such blocks are
 * looked into one instance at a time, and only when they could still win.
 *
 * Memory: 22 bytes per instance, and 16 per 64 instances and group that spreads over instances.
 */
#include "scheduler/placement/id_order.h"

#include <assert.h>
#include <string.h>

#define BLOCK 64u
#define RUN 16u

static uint32_t block_count(const struct id_part *part)
{
    return (uint32_t)part->blocks.count;
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
    if (position % BLOCK == 0)
        skyline_clear(vec_push(&part->blocks));
    if (position % (BLOCK * RUN) == 0)
        skyline_clear(vec_push(&part->runs));
    skyline_add(&part->blocks.items[position / BLOCK], room);
    skyline_add(&part->runs.items[position / (BLOCK * RUN)], room);
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
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        append(order, cluster, id);
}

void id_order_forget_groups(struct id_order *order)
{
    for (size_t i = 0; i < order->groups.count; i++) {
        struct group_fewest *group = &order->groups.items[i];
        for (size_t part = 0; part < group->part_count; part++)
            mem_free(group->parts[part]);
        mem_free(group->parts);
        mem_free(group->block_counts);
    }
    vec_free(&order->groups);
    map_free(&order->number_of_group);
}

void id_order_deinit(struct id_order *order)
{
    for (size_t i = 0; i < order->parts.count; i++) {
        struct id_part *part = &order->parts.items[i];
        vec_free(&part->ids);
        vec_free(&part->rooms);
        vec_free(&part->blocks);
        vec_free(&part->runs);
    }
    vec_free(&order->parts);
    vec_free(&order->places);
    id_order_forget_groups(order);
}

static void compute_run(struct id_part *part, size_t run)
{
    size_t end = (run + 1) * RUN;
    skyline_clear(&part->runs.items[run]);
    for (size_t block = run * RUN; block < end && block < part->blocks.count; block++)
        skyline_merge(&part->runs.items[run], &part->blocks.items[block]);
}

static void set_room(struct id_part *part, uint32_t position, struct room room)
{
    struct room old = part->rooms.items[position];
    size_t block = position / BLOCK, run = block / RUN;
    bool may_fall = skyline_needs(&part->blocks.items[block], old) &&
                    (room.cpu < old.cpu || room.mem < old.mem);
    part->rooms.items[position] = room;
    if (may_fall) {
        size_t first = block * BLOCK, count = part->rooms.count - first;
        struct skyline old_skyline = part->blocks.items[block];
        skyline_of(&part->blocks.items[block], part->rooms.items + first,
                   count < BLOCK ? count : BLOCK);
        if (skyline_falls(&part->runs.items[run], &old_skyline, &part->blocks.items[block]))
            compute_run(part, run);
    } else {
        skyline_add(&part->blocks.items[block], room);
    }
    skyline_add(&part->runs.items[run], room);
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
    set_room(&order->parts.items[place.part], place.position,
             room_of(cluster_instance(cluster, id)));
    return true;
}

void id_order_note_group(struct id_order *order, const struct group_change *change)
{
    uint32_t number = map_get(&order->number_of_group, change->group);
    if (number == MAP_ABSENT || change->id >= order->places.count)
        return;
    struct group_fewest *group = &order->groups.items[number];
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
    uint32_t number = map_get(&order->number_of_group, group);
    if (number == MAP_ABSENT) {
        number = (uint32_t)order->groups.count;
        *vec_push(&order->groups) = (struct group_fewest){group, NULL, NULL, 0};
        map_put(&order->number_of_group, group, number);
    }
    struct group_fewest *table = &order->groups.items[number];
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
    uint32_t blocks = block_count(&order->parts.items[part]);
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

bool id_walk_next(struct id_walk *walk, instance_id *id)
{
    const struct id_part *part = walk->part;
    while (walk->position < part->ids.count) {
        uint32_t block = walk->position / BLOCK;
        if (walk->position % (BLOCK * RUN) == 0 &&
            !skyline_has(&part->runs.items[block / RUN], walk->wanted)) {
            walk->position += BLOCK * RUN;
            continue;
        }
        uint32_t end = positions_end(part, block);
        if (!skyline_has(&part->blocks.items[block], walk->wanted))
            walk->position = end;
        while (walk->position < end && !room_has(part->rooms.items[walk->position], walk->wanted))
            walk->position++;
        if (walk->position < end) {
            *id = part->ids.items[walk->position++];
            return true;
        }
    }
    return false;
}

/* One question for the fewest tasks. */
struct search {
    const struct cluster *cluster;
    const struct id_part *part;
    group_id group;
    struct room wanted;
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
    return true;
}

/* Among the block's instances with the fewest tasks. */
static void search_fewest(struct search *search, uint32_t block, const struct fewest *fewest)
{
    for (uint64_t who = fewest->who; who != 0; who &= who - 1) {
        uint32_t at = block * BLOCK + (uint32_t)__builtin_ctzll(who);
        if (room_has(search->part->rooms.items[at], search->wanted) &&
            try_position(search, at, fewest->tasks))
            return;
    }
}

/* Among all of the block. */
static void search_all(struct search *search, uint32_t block)
{
    for (uint32_t at = block * BLOCK; at < positions_end(search->part, block); at++)
        if (room_has(search->part->rooms.items[at], search->wanted))
            try_position(search, at,
                         cluster_group_tasks_on(search->cluster, search->group,
                                                search->part->ids.items[at]));
}

/* The next block from `block` on that may have room; block_count when none has. */
static uint32_t roomy_block(const struct search *search, uint32_t block)
{
    const struct id_part *part = search->part;
    while (block < block_count(part)) {
        if (block % RUN == 0 && !skyline_has(&part->runs.items[block / RUN], search->wanted))
            block += RUN;
        else if (!skyline_has(&part->blocks.items[block], search->wanted))
            block++;
        else
            return block;
    }
    return block_count(part);
}

static void search_part(struct search *search, struct fewest *blocks)
{
    const struct id_part *part = search->part;
    uint32_t end = block_count(part);
    for (uint32_t at = roomy_block(search, 0); at < end; at = roomy_block(search, at + 1)) {
        if (search->best != INSTANCE_NONE && search->best_tasks == 0 &&
            part->ids.items[at * BLOCK] > search->best)
            return; /* Zero tasks cannot be bettered, and every id that follows is larger. */
        if (blocks[at].who == 0)
            count_block(search->cluster, part, at, search->group, &blocks[at]);
        if (would_win(search, blocks[at].tasks, part->ids.items[at * BLOCK]))
            search_fewest(search, at, &blocks[at]);
    }
    if (search->best != INSTANCE_NONE && search->best_tasks == 0)
        return;
    for (uint32_t at = roomy_block(search, 0); at < end; at = roomy_block(search, at + 1))
        if (would_win(search, blocks[at].tasks + 1, part->ids.items[at * BLOCK]))
            search_all(search, at);
}

void id_order_fewest(struct id_order *order, const struct cluster *cluster, uint32_t part,
                     group_id group, struct room wanted, id_order_accepts accepts, void *context,
                     instance_id *best, uint32_t *best_tasks)
{
    if (part >= order->parts.count)
        return;
    struct group_fewest *table = group_table(order, group, part);
    struct search search = {.cluster = cluster,
                            .part = &order->parts.items[part],
                            .group = group,
                            .wanted = wanted,
                            .accepts = accepts,
                            .context = context,
                            .best = *best,
                            .best_tasks = *best_tasks};
    search_part(&search, table->parts[part]);
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

void id_order_audit(const struct id_order *order, const struct cluster *cluster)
{
    for (size_t i = 0; i < order->parts.count; i++) {
        const struct id_part *part = &order->parts.items[i];
        for (uint32_t at = 0; at < part->ids.count; at++) {
            struct room room = room_of(cluster_instance(cluster, part->ids.items[at]));
            assert(room.cpu == part->rooms.items[at].cpu && room.mem == part->rooms.items[at].mem);
            assert(skyline_has(&part->blocks.items[at / BLOCK], room));
            assert(skyline_has(&part->runs.items[at / (BLOCK * RUN)], room));
            (void)room;
        }
    }
    audit_groups(order, cluster);
}
