/*
 * ordered.c -- a sorted list in blocks of 64, with a skyline of every block and of every run of 16
 * blocks.
 *
 * Best fit in one resource wants the smallest key that is large enough and has room in the other.
 * Balanced trees answer in a logarithm of cache misses; 64 neighbours in one block answer most
 * questions in one or two, and a walk past full blocks reads 32 bytes each. At 100,000 entries
 * there are some 2,500 blocks in 150 runs, so even a walk that finds nothing stays near a
 * microsecond.
 *
 * Blocks split when full and join a neighbour when both are small. Only then do heads move, and the
 * skylines of the runs behind are computed again: rare against single updates.
 */
#include "scheduler/placement/ordered.h"

#include <assert.h>
#include <string.h>

#define BLOCK_MAX 64
#define BLOCK_SMALL 16
#define ORDERED_RUN 16

struct ordered_block {
    struct skyline skyline;
    uint32_t count;
    int64_t keys[BLOCK_MAX];
    instance_id ids[BLOCK_MAX];
    struct room rooms[BLOCK_MAX];
};

void ordered_free(struct ordered *ordered)
{
    for (size_t i = 0; i < ordered->heads.count; i++)
        mem_free(ordered->heads.items[i].block);
    vec_free(&ordered->heads);
    vec_free(&ordered->runs);
}

static bool is_before(int64_t key_a, instance_id id_a, int64_t key_b, instance_id id_b)
{
    return key_a < key_b || (key_a == key_b && id_a < id_b);
}

/* The last block that begins at or before the entry; the first when all begin after it. */
static size_t head_for(const struct ordered *ordered, int64_t key, instance_id id)
{
    size_t low = 0, high = ordered->heads.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct ordered_head *head = &ordered->heads.items[middle];
        if (is_before(key, id, head->key, head->id))
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? 0 : low - 1;
}

/* Where in the block the entry stands, or would stand. */
static uint32_t place_for(const struct ordered_block *block, int64_t key, instance_id id)
{
    uint32_t low = 0, high = block->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (is_before(block->keys[middle], block->ids[middle], key, id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void compute_run(struct ordered *ordered, size_t run)
{
    struct skyline *skyline = &ordered->runs.items[run];
    size_t end = (run + 1) * ORDERED_RUN;
    skyline_clear(skyline);
    for (size_t i = run * ORDERED_RUN; i < end && i < ordered->heads.count; i++)
        skyline_merge(skyline, &ordered->heads.items[i].block->skyline);
}

/* Heads from `from` on have moved. */
static void compute_runs_behind(struct ordered *ordered, size_t from)
{
    size_t count = (ordered->heads.count + ORDERED_RUN - 1) / ORDERED_RUN;
    vec_reserve(&ordered->runs, count);
    ordered->runs.count = count;
    for (size_t run = from / ORDERED_RUN; run < count; run++)
        compute_run(ordered, run);
}

static void name_head(struct ordered_head *head)
{
    head->key = head->block->keys[0];
    head->id = head->block->ids[0];
}

/* The block's skyline and head afresh. */
static void compute_block(struct ordered_head *head)
{
    const struct ordered_block *block = head->block;
    skyline_of(&head->block->skyline, block->rooms, block->count);
    head->cpu_max = ROOM_NONE;
    for (uint32_t i = 0; i < block->count; i++)
        head->cpu_max = block->rooms[i].cpu > head->cpu_max ? block->rooms[i].cpu : head->cpu_max;
    name_head(head);
}

/* After an entry's room went or shrank: its block, and the run around it if that could fall. */
static void compute_block_and_run(struct ordered *ordered, size_t at)
{
    struct ordered_head *head = &ordered->heads.items[at];
    struct skyline old = head->block->skyline;
    compute_block(head);
    if (skyline_falls(&ordered->runs.items[at / ORDERED_RUN], &old, &head->block->skyline))
        compute_run(ordered, at / ORDERED_RUN);
}

static void move_entries(struct ordered_block *to, uint32_t to_place,
                         const struct ordered_block *from, uint32_t from_place, uint32_t count)
{
    memmove(to->keys + to_place, from->keys + from_place, count * sizeof *to->keys);
    memmove(to->ids + to_place, from->ids + from_place, count * sizeof *to->ids);
    memmove(to->rooms + to_place, from->rooms + from_place, count * sizeof *to->rooms);
}

static void insert_head(struct ordered *ordered, size_t at, struct ordered_block *block)
{
    (void)vec_push(&ordered->heads);
    struct ordered_head *head = &ordered->heads.items[at];
    memmove(head + 1, head, (ordered->heads.count - 1 - at) * sizeof *head);
    *head = (struct ordered_head){.block = block};
}

static void remove_head(struct ordered *ordered, size_t at)
{
    struct ordered_head *head = &ordered->heads.items[at];
    mem_free(head->block);
    ordered->heads.count--;
    memmove(head, head + 1, (ordered->heads.count - at) * sizeof *head);
}

static void split(struct ordered *ordered, size_t at)
{
    struct ordered_block *old = ordered->heads.items[at].block;
    struct ordered_block *upper = mem_alloc(sizeof *upper);
    upper->count = old->count / 2;
    old->count -= upper->count;
    move_entries(upper, 0, old, old->count, upper->count);
    insert_head(ordered, at + 1, upper);
    compute_block(&ordered->heads.items[at]);
    compute_block(&ordered->heads.items[at + 1]);
    compute_runs_behind(ordered, at);
}

void ordered_insert(struct ordered *ordered, int64_t key, instance_id id, struct room room)
{
    if (ordered->heads.count == 0) {
        struct ordered_block *first = mem_alloc(sizeof *first);
        skyline_clear(&first->skyline);
        insert_head(ordered, 0, first);
        ordered->heads.items[0].cpu_max = ROOM_NONE;
        compute_runs_behind(ordered, 0);
    }
    size_t at = head_for(ordered, key, id);
    if (ordered->heads.items[at].block->count == BLOCK_MAX) {
        split(ordered, at);
        at = head_for(ordered, key, id);
    }
    struct ordered_head *head = &ordered->heads.items[at];
    struct ordered_block *block = head->block;
    uint32_t place = place_for(block, key, id);
    assert(place == block->count || block->keys[place] != key || block->ids[place] != id);
    move_entries(block, place + 1, block, place, block->count - place);
    block->keys[place] = key;
    block->ids[place] = id;
    block->rooms[place] = room;
    block->count++;
    name_head(head);
    head->cpu_max = room.cpu > head->cpu_max ? room.cpu : head->cpu_max;
    skyline_add(&block->skyline, room);
    skyline_add(&ordered->runs.items[at / ORDERED_RUN], room);
}

/* Join a small block with the one behind it. */
static bool join_small(struct ordered *ordered, size_t at)
{
    if (at + 1 >= ordered->heads.count)
        return false;
    struct ordered_block *block = ordered->heads.items[at].block;
    const struct ordered_block *next = ordered->heads.items[at + 1].block;
    if (block->count + next->count > BLOCK_MAX - BLOCK_SMALL)
        return false;
    move_entries(block, block->count, next, 0, next->count);
    block->count += next->count;
    remove_head(ordered, at + 1);
    compute_block(&ordered->heads.items[at]);
    compute_runs_behind(ordered, at);
    return true;
}

static void find(const struct ordered *ordered, int64_t key, instance_id id, size_t *at,
                 uint32_t *place)
{
    assert(ordered->heads.count > 0);
    *at = head_for(ordered, key, id);
    *place = place_for(ordered->heads.items[*at].block, key, id);
    assert(*place < ordered->heads.items[*at].block->count &&
           ordered->heads.items[*at].block->keys[*place] == key &&
           ordered->heads.items[*at].block->ids[*place] == id);
}

void ordered_remove(struct ordered *ordered, int64_t key, instance_id id)
{
    size_t at;
    uint32_t place;
    find(ordered, key, id, &at, &place);
    struct ordered_head *head = &ordered->heads.items[at];
    struct ordered_block *block = head->block;
    struct room gone = block->rooms[place];
    block->count--;
    move_entries(block, place, block, place + 1, block->count - place);
    if (block->count == 0) {
        remove_head(ordered, at);
        compute_runs_behind(ordered, at);
        return;
    }
    if (block->count < BLOCK_SMALL &&
        (join_small(ordered, at) || (at > 0 && join_small(ordered, at - 1))))
        return;
    name_head(head);
    if (gone.cpu == head->cpu_max || skyline_needs(&block->skyline, gone))
        compute_block_and_run(ordered, at);
}

void ordered_update(struct ordered *ordered, int64_t key, instance_id id, struct room room)
{
    size_t at;
    uint32_t place;
    find(ordered, key, id, &at, &place);
    struct ordered_head *head = &ordered->heads.items[at];
    head->block->rooms[place] = room;
    compute_block_and_run(ordered, at);
    skyline_add(&ordered->runs.items[at / ORDERED_RUN], room);
}

struct ordered_walk ordered_seek(const struct ordered *ordered, int64_t key, struct room wanted)
{
    struct ordered_walk walk = {.ordered = ordered, .wanted = wanted};
    if (ordered->heads.count == 0)
        return walk;
    walk.head = head_for(ordered, key, 0);
    walk.place = place_for(ordered->heads.items[walk.head].block, key, 0);
    return walk;
}

bool ordered_next(struct ordered_walk *walk, int64_t *key, instance_id *id)
{
    const struct ordered *ordered = walk->ordered;
    while (walk->head < ordered->heads.count) {
        if (walk->place == 0 && walk->head % ORDERED_RUN == 0 &&
            !skyline_has(&ordered->runs.items[walk->head / ORDERED_RUN], walk->wanted)) {
            walk->head += ORDERED_RUN;
            continue;
        }
        const struct ordered_head *head = &ordered->heads.items[walk->head];
        const struct ordered_block *block = head->block;
        if (head->cpu_max < walk->wanted.cpu) {
            walk->head++;
            walk->place = 0;
            continue;
        }
        uint32_t place = skyline_has(&block->skyline, walk->wanted) ? walk->place : block->count;
        while (place < block->count && !room_has(block->rooms[place], walk->wanted))
            place++;
        if (place < block->count) {
            walk->place = place + 1;
            *key = block->keys[place];
            *id = block->ids[place];
            return true;
        }
        walk->head++;
        walk->place = 0;
    }
    return false;
}

void ordered_audit(const struct ordered *ordered)
{
    for (size_t at = 0; at < ordered->heads.count; at++) {
        const struct ordered_head *head = &ordered->heads.items[at];
        struct skyline skyline;
        skyline_of(&skyline, head->block->rooms, head->block->count);
        assert(head->block->count > 0 && head->block->count <= BLOCK_MAX);
        assert(head->key == head->block->keys[0] && head->id == head->block->ids[0]);
        assert(memcmp(&skyline, &head->block->skyline, sizeof skyline) == 0);
        for (uint32_t i = 0; i < head->block->count; i++)
            assert(head->block->rooms[i].cpu <= head->cpu_max);
        for (uint32_t i = 1; i < head->block->count; i++)
            assert(is_before(head->block->keys[i - 1], head->block->ids[i - 1],
                             head->block->keys[i], head->block->ids[i]));
        assert(at == 0 || is_before(head[-1].key, head[-1].id, head->key, head->id));
        skyline_merge(&skyline, &ordered->runs.items[at / ORDERED_RUN]);
        assert(memcmp(&skyline, &ordered->runs.items[at / ORDERED_RUN], sizeof skyline) == 0);
        (void)skyline;
    }
}
