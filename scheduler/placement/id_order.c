/*
 * id_order.c -- the order that never changes: by id.
 *
 * Where there is room is known by a bit for every instance and size of task, as long as requests
 * ask for no more than 64 sizes (fits.h); first fit is then the first set bit. For more sizes
 * skylines of stretches of 16 are kept instead (stretches.h).
 *
 * Spreading over instances wants the fewest tasks of one group among those with room. In a large
 * fleet most groups have no task on most instances, and the first instance with room and none of
 * the group's tasks is the answer; the first few with room are tried for that.
 *
 * Where those have tasks of the group already, a small table of the group holds, for every block of
 * 64, the fewest tasks on an instance and a bit for each instance that has so few. Most answers
 * need no more: the first bit that is set there and has room. Joins and leaves of the group flip
 * bits; when the last bit goes, the block is counted again at the next visit. A block whose fewest
 * have no room may hide an instance with more tasks and room; such blocks are looked into one
 * instance at a time, and only when they could still win. A table that nobody asks any more is
 * given up.
 *
 * Memory: 20 bytes per instance, a bit per instance and size, and 16 bytes per 64 instances and
 * group with a table.
 */
#include "scheduler/placement/id_order.h"

#include <assert.h>
#include <string.h>

#define BLOCK 64u
#define STRIDE_MIN 8   /* sizes that an order has room for at first */
#define TRIES 8        /* instances with room that are looked at before a group gets a table */
#define UNASKED_MAX 32 /* changes of a group that its table follows for nothing */
#define NOWHERE UINT32_MAX

_Static_assert(FITS_NONE == NOWHERE && STRETCHES_NONE == NOWHERE, "one word for it");

static void append(struct id_order *order, const struct cluster *cluster, instance_id id)
{
    if (!pool_has(order->pool, cluster_instance(cluster, id))) {
        *vec_push(&order->places) = (struct id_place){ID_PART_NONE, 0, 0};
        return;
    }
    uint32_t value =
        order->tracked == TRACKED_NONE ? 0 : cluster_value_of(cluster, order->tracked, id);
    while (order->parts.count <= value)
        *vec_push(&order->parts) = (struct id_part){.fits = {.stride = order->stride}};
    struct id_part *part = &order->parts.items[value];
    uint32_t position = (uint32_t)part->ids.count;
    struct room room = room_of(cluster_instance(cluster, id));
    uint64_t sizes = sizes_within(&order->sizes, room);
    assert(order->places.count == id);
    *vec_push(&order->places) = (struct id_place){value, position, sizes};
    *vec_push(&part->ids) = id;
    if (order->is_of_many) {
        stretches_append(&part->stretches, &order->levels, room);
    } else {
        fits_append(&part->fits, position);
        fits_turn(&part->fits, position, sizes);
    }
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
    order->stride = STRIDE_MIN;
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
        fits_free(&part->fits);
        stretches_free(&part->stretches);
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
    struct room room = room_of(cluster_instance(cluster, id));
    if (order->is_of_many) {
        stretches_set(&part->stretches, &order->levels, place.position, room);
        return true;
    }
    uint64_t sizes = sizes_within(&order->sizes, room);
    fits_turn(&part->fits, place.position, sizes ^ place.sizes);
    order->places.items[id].sizes = sizes;
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

/* A size of which nothing is known yet, looked for among all. */
static void work_in(struct id_order *order, const struct cluster *cluster, uint32_t size)
{
    uint64_t bit = UINT64_C(1) << size;
    struct room wanted = order->sizes.items[size];
    bool is_wider = size == order->stride;
    order->stride *= is_wider ? 2 : 1;
    for (size_t i = 0; i < order->parts.count; i++) {
        struct id_part *part = &order->parts.items[i];
        if (is_wider)
            fits_widen(&part->fits, order->stride);
        for (uint32_t at = 0; at < part->ids.count; at++) {
            instance_id id = part->ids.items[at];
            if (!room_has(room_of(cluster_instance(cluster, id)), wanted))
                continue;
            order->places.items[id].sizes |= bit;
            fits_turn(&part->fits, at, bit);
        }
    }
}

/* One size too many: from now on skylines say where there is room. */
static void become_of_many(struct id_order *order, const struct cluster *cluster)
{
    order->is_of_many = true;
    for (size_t i = 0; i < order->parts.count; i++) {
        struct id_part *part = &order->parts.items[i];
        fits_free(&part->fits);
        for (uint32_t at = 0; at < part->ids.count; at++)
            stretches_append(&part->stretches, &order->levels,
                             room_of(cluster_instance(cluster, part->ids.items[at])));
    }
}

static void learn_level(struct id_order *order, int32_t cpu)
{
    unsigned level = skylines_level(&order->levels, cpu);
    if (order->levels.cpu[level] == cpu || !skylines_learn(&order->levels, cpu))
        return;
    for (size_t i = 0; i < order->parts.count; i++)
        stretches_split(&order->parts.items[i].stretches, order->levels.count, level + 1);
}

/* The size's number, learnt if need be; SIZE_NONE: there are many. */
static uint32_t number_of_size(struct id_order *order, const struct cluster *cluster,
                               struct room wanted)
{
    uint32_t size = order->is_of_many ? SIZE_NONE : sizes_find(&order->sizes, wanted);
    if (size != SIZE_NONE)
        return size;
    if (!order->is_of_many) {
        size = sizes_learn(&order->sizes, wanted);
        if (size != SIZE_NONE) {
            work_in(order, cluster, size);
            return size;
        }
        become_of_many(order, cluster);
    }
    learn_level(order, wanted.cpu);
    return SIZE_NONE;
}

struct id_walk id_order_walk(struct id_order *order, const struct cluster *cluster, uint32_t part,
                             struct room wanted)
{
    return (struct id_walk){.order = order,
                            .size = number_of_size(order, cluster, wanted),
                            .part = &order->parts.items[part],
                            .wanted = wanted};
}

/* The first position from `from` on with room; NOWHERE when there is none. */
static uint32_t next_room(const struct id_walk *walk, uint32_t from)
{
    return walk->size != SIZE_NONE
               ? fits_next(&walk->part->fits, walk->size, from)
               : stretches_next(&walk->part->stretches, &walk->order->levels, walk->wanted, from);
}

/* Those of the block's instances `who` (a bit each) that have room. */
static uint64_t with_room(const struct id_walk *walk, uint32_t block, uint64_t who)
{
    if (walk->size != SIZE_NONE)
        return who & fits_block(&walk->part->fits, walk->size, block);
    const struct room *rooms = walk->part->stretches.rooms.items + block * BLOCK;
    uint64_t with = 0;
    for (; who != 0; who &= who - 1)
        if (room_has(rooms[__builtin_ctzll(who)], walk->wanted))
            with |= who & (0 - who);
    return with;
}

bool id_walk_next(struct id_walk *walk, instance_id *id)
{
    uint32_t at = next_room(walk, walk->position);
    if (at == NOWHERE)
        return false;
    *id = walk->part->ids.items[at];
    walk->position = at + 1;
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
    uint64_t who = with_room(&search->walk, block, fewest->who);
    for (; who != 0; who &= who - 1)
        if (try_position(search, block * BLOCK + (uint32_t)__builtin_ctzll(who), fewest->tasks))
            return;
}

/* Among all of the block. */
static void search_all(struct search *search, uint32_t block)
{
    uint32_t count = positions_end(search->part, block) - block * BLOCK;
    for (uint64_t who = with_room(&search->walk, block, ~UINT64_C(0) >> (BLOCK - count)); who != 0;
         who &= who - 1) {
        uint32_t at = block * BLOCK + (uint32_t)__builtin_ctzll(who);
        try_position(
            search, at,
            cluster_group_tasks_on(search->cluster, search->group, search->part->ids.items[at]));
    }
}

/* The next block from `block` on with room; NOWHERE when none has. */
static uint32_t roomy_block(const struct search *search, uint32_t block)
{
    uint32_t at = next_room(&search->walk, block * BLOCK);
    return at == NOWHERE ? NOWHERE : at / BLOCK;
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
    for (uint32_t at = roomy_block(search, 0); at != NOWHERE; at = roomy_block(search, at + 1)) {
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
    for (uint32_t at = roomy_block(search, 0); at != NOWHERE; at = roomy_block(search, at + 1))
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
                            .walk = id_order_walk(order, cluster, part, wanted),
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

static void audit_place(const struct id_order *order, const struct id_part *part, uint32_t position,
                        struct room room)
{
    uint64_t sizes = order->places.items[part->ids.items[position]].sizes;
    if (order->is_of_many) {
        struct room kept = part->stretches.rooms.items[position];
        assert(room.cpu == kept.cpu && room.mem == kept.mem);
        (void)kept;
        return;
    }
    assert(sizes == sizes_within(&order->sizes, room));
    for (uint32_t size = 0; size < order->sizes.count; size++) {
        bool has = (sizes >> size & 1) != 0;
        uint64_t word = fits_block(&part->fits, size, position / BLOCK);
        assert(has == room_has(room, order->sizes.items[size]));
        assert(has == ((word >> position % BLOCK & 1) != 0));
        assert(!has || fits_next(&part->fits, size, position) == position);
        (void)word;
        (void)has;
    }
}

void id_order_audit(const struct id_order *order, const struct cluster *cluster)
{
    for (size_t i = 0; i < order->parts.count; i++) {
        const struct id_part *part = &order->parts.items[i];
        for (uint32_t at = 0; at < part->ids.count; at++)
            audit_place(order, part, at, room_of(cluster_instance(cluster, part->ids.items[at])));
        if (order->is_of_many)
            stretches_audit(&part->stretches, &order->levels);
    }
    audit_groups(order, cluster);
}
