/*
 * amounts.c -- a sorted list in blocks of 64, with the most of the other resource in every block
 * and in every run of 16 blocks.
 *
 * Balanced trees answer in a logarithm of cache misses; 64 neighbours of 12 bytes in one block
 * answer most questions in one or two. At 100,000 entries there are some 2,500 blocks in 150 runs,
 * and what a walk reads to skip them, four bytes each, lies side by side.
 *
 * What is noted as the most of a block is raised when an entry comes and not lowered when one goes:
 * most entries come and go without a question in between. A walk that believed it and found
 * nothing in the block knows the true figure and writes it down, so it is believed once.
 *
 * Searches by halving are written without branches: the outcome of each comparison is as good as
 * random, and a wrong guess costs more than the rest of the step.
 */
#include "scheduler/placement/amounts.h"

#include <assert.h>
#include <string.h>

#define BLOCK_MAX 64
#define BLOCK_SMALL 16
#define RUN 16

struct amounts_block {
    uint32_t count;
    uint64_t entries[BLOCK_MAX];
    int32_t others[BLOCK_MAX];
};

void amounts_free(struct amounts *amounts)
{
    for (size_t i = 0; i < amounts->blocks.count; i++)
        mem_free(amounts->blocks.items[i]);
    vec_free(&amounts->blocks);
    vec_free(&amounts->firsts);
    vec_free(&amounts->most);
    vec_free(&amounts->most_of_run);
}

/* The block that holds the entry, or would hold it; the first block begins at 0. */
static size_t block_for(const struct amounts *amounts, uint64_t entry)
{
    const uint64_t *firsts = amounts->firsts.items;
    size_t low = 0;
    for (size_t rest = amounts->firsts.count; rest > 1;) {
        size_t half = rest / 2;
        low += half & (0 - (size_t)(firsts[low + half] <= entry));
        rest -= half;
    }
    return low;
}

/* Where in the block the entry stands, or would stand. */
static uint32_t place_for(const struct amounts_block *block, uint64_t entry)
{
    uint32_t low = 0;
    for (uint32_t rest = block->count; rest > 0;) {
        uint32_t half = (rest + 1) / 2;
        low += half & (0 - (uint32_t)(block->entries[low + half - 1] < entry));
        rest -= half;
    }
    return low;
}

static void compute_run(struct amounts *amounts, size_t run)
{
    int32_t most = INT32_MIN;
    for (size_t i = run * RUN; i < (run + 1) * RUN && i < amounts->most.count; i++)
        most = amounts->most.items[i] > most ? amounts->most.items[i] : most;
    amounts->most_of_run.items[run] = most;
}

/* Blocks from `from` on have moved. */
static void compute_runs_behind(struct amounts *amounts, size_t from)
{
    size_t count = (amounts->blocks.count + RUN - 1) / RUN;
    vec_reserve(&amounts->most_of_run, count);
    amounts->most_of_run.count = count;
    for (size_t run = from / RUN; run < count; run++)
        compute_run(amounts, run);
}

static void note_other(struct amounts *amounts, size_t at, int32_t other)
{
    if (other <= amounts->most.items[at])
        return;
    amounts->most.items[at] = other;
    if (other > amounts->most_of_run.items[at / RUN])
        amounts->most_of_run.items[at / RUN] = other;
}

/* The true figure of a block in which nobody has what was noted. */
static void lower_most(struct amounts *amounts, size_t at)
{
    const struct amounts_block *block = amounts->blocks.items[at];
    int32_t most = INT32_MIN;
    for (uint32_t i = 0; i < block->count; i++)
        most = block->others[i] > most ? block->others[i] : most;
    amounts->most.items[at] = most;
    compute_run(amounts, at / RUN);
}

static void move_entries(struct amounts_block *to, uint32_t to_place,
                         const struct amounts_block *from, uint32_t from_place, uint32_t count)
{
    memmove(to->entries + to_place, from->entries + from_place, count * sizeof *to->entries);
    memmove(to->others + to_place, from->others + from_place, count * sizeof *to->others);
}

static void put_at(struct amounts_block *block, uint32_t place, uint64_t entry, int32_t other)
{
    move_entries(block, place + 1, block, place, block->count - place);
    block->entries[place] = entry;
    block->others[place] = other;
    block->count++;
}

static void insert_block(struct amounts *amounts, size_t at, struct amounts_block *block,
                         uint64_t first, int32_t most)
{
    size_t behind = amounts->blocks.count - at;
    (void)vec_push(&amounts->blocks);
    (void)vec_push(&amounts->firsts);
    (void)vec_push(&amounts->most);
    memmove(amounts->blocks.items + at + 1, amounts->blocks.items + at,
            behind * sizeof *amounts->blocks.items);
    memmove(amounts->firsts.items + at + 1, amounts->firsts.items + at,
            behind * sizeof *amounts->firsts.items);
    memmove(amounts->most.items + at + 1, amounts->most.items + at,
            behind * sizeof *amounts->most.items);
    amounts->blocks.items[at] = block;
    amounts->firsts.items[at] = first;
    amounts->most.items[at] = most;
    compute_runs_behind(amounts, at);
}

static void remove_block(struct amounts *amounts, size_t at)
{
    mem_free(amounts->blocks.items[at]);
    size_t behind = --amounts->blocks.count - at;
    amounts->firsts.count--;
    amounts->most.count--;
    memmove(amounts->blocks.items + at, amounts->blocks.items + at + 1,
            behind * sizeof *amounts->blocks.items);
    memmove(amounts->firsts.items + at, amounts->firsts.items + at + 1,
            behind * sizeof *amounts->firsts.items);
    memmove(amounts->most.items + at, amounts->most.items + at + 1,
            behind * sizeof *amounts->most.items);
    if (amounts->blocks.count > 0)
        amounts->firsts.items[0] = 0;
    compute_runs_behind(amounts, at);
}

static void split(struct amounts *amounts, size_t at)
{
    struct amounts_block *old = amounts->blocks.items[at];
    struct amounts_block *upper = mem_alloc(sizeof *upper);
    upper->count = old->count / 2;
    old->count -= upper->count;
    move_entries(upper, 0, old, old->count, upper->count);
    insert_block(amounts, at + 1, upper, upper->entries[0], amounts->most.items[at]);
}

void amounts_insert(struct amounts *amounts, uint64_t entry, int32_t other)
{
    if (amounts->blocks.count == 0)
        insert_block(amounts, 0, mem_alloc(sizeof **amounts->blocks.items), 0, INT32_MIN);
    size_t at = block_for(amounts, entry);
    if (amounts->blocks.items[at]->count == BLOCK_MAX) {
        split(amounts, at);
        at = block_for(amounts, entry);
    }
    struct amounts_block *block = amounts->blocks.items[at];
    uint32_t place = place_for(block, entry);
    assert(place == block->count || block->entries[place] != entry);
    put_at(block, place, entry, other);
    note_other(amounts, at, other);
}

/* Join a small block with the one behind it. */
static bool join_small(struct amounts *amounts, size_t at)
{
    if (at + 1 >= amounts->blocks.count)
        return false;
    struct amounts_block *block = amounts->blocks.items[at];
    const struct amounts_block *next = amounts->blocks.items[at + 1];
    if (block->count + next->count > BLOCK_MAX - BLOCK_SMALL)
        return false;
    move_entries(block, block->count, next, 0, next->count);
    block->count += next->count;
    if (amounts->most.items[at] < amounts->most.items[at + 1])
        amounts->most.items[at] = amounts->most.items[at + 1];
    remove_block(amounts, at + 1);
    compute_run(amounts, at / RUN);
    return true;
}

static uint32_t find_in(const struct amounts_block *block, uint64_t entry)
{
    uint32_t place = place_for(block, entry);
    assert(place < block->count && block->entries[place] == entry);
    return place;
}

void amounts_remove(struct amounts *amounts, uint64_t entry)
{
    assert(amounts->blocks.count > 0);
    size_t at = block_for(amounts, entry);
    struct amounts_block *block = amounts->blocks.items[at];
    uint32_t place = find_in(block, entry);
    block->count--;
    move_entries(block, place, block, place + 1, block->count - place);
    if (block->count == 0)
        remove_block(amounts, at);
    else if (block->count < BLOCK_SMALL && !join_small(amounts, at) && at > 0)
        (void)join_small(amounts, at - 1);
}

/* To another place of the same block. */
static void move_within(struct amounts_block *block, uint64_t from, uint64_t to, int32_t other)
{
    uint32_t place = find_in(block, from), to_place = place_for(block, to);
    if (to_place > place) {
        to_place--;
        move_entries(block, place, block, place + 1, to_place - place);
    } else {
        move_entries(block, to_place + 1, block, to_place, place - to_place);
    }
    block->entries[to_place] = to;
    block->others[to_place] = other;
}

/*
 * What remove and insert do. Both places are found before anything is moved: two searches side by
 * side take the time of one.
 */
void amounts_move(struct amounts *amounts, uint64_t from, uint64_t to, int32_t other)
{
    assert(amounts->blocks.count > 0);
    size_t at = block_for(amounts, from), to_at = block_for(amounts, to);
    struct amounts_block *block = amounts->blocks.items[at];
    struct amounts_block *to_block = amounts->blocks.items[to_at];
    if (at == to_at) {
        move_within(block, from, to, other);
        note_other(amounts, at, other);
        return;
    }
    if (block->count <= BLOCK_SMALL || to_block->count == BLOCK_MAX) {
        amounts_remove(amounts, from);
        amounts_insert(amounts, to, other);
        return;
    }
    uint32_t place = find_in(block, from), to_place = place_for(to_block, to);
    assert(to_place == to_block->count || to_block->entries[to_place] != to);
    block->count--;
    move_entries(block, place, block, place + 1, block->count - place);
    put_at(to_block, to_place, to, other);
    note_other(amounts, to_at, other);
}

void amounts_set_other(struct amounts *amounts, uint64_t entry, int32_t other)
{
    assert(amounts->blocks.count > 0);
    size_t at = block_for(amounts, entry);
    struct amounts_block *block = amounts->blocks.items[at];
    block->others[find_in(block, entry)] = other;
    note_other(amounts, at, other);
}

struct amounts_walk amounts_seek(struct amounts *amounts, uint64_t from, int32_t wanted)
{
    struct amounts_walk walk = {.amounts = amounts, .wanted = wanted};
    if (amounts->blocks.count == 0)
        return walk;
    walk.block = block_for(amounts, from);
    if (amounts->most.items[walk.block] < wanted)
        walk.block++; /* Not worth a look into the block. */
    else
        walk.place = place_for(amounts->blocks.items[walk.block], from);
    return walk;
}

/* The next block from `at` on in which somebody may have so much; the count when none is left. */
static size_t block_with(const struct amounts *amounts, size_t at, int32_t wanted)
{
    const int32_t *most = amounts->most.items, *of_run = amounts->most_of_run.items;
    size_t count = amounts->blocks.count;
    for (size_t run = at / RUN; at < count; at = run * RUN) {
        size_t end = (run + 1) * RUN < count ? (run + 1) * RUN : count;
        while (at < end && most[at] < wanted)
            at++;
        if (at < end)
            return at;
        do
            run++;
        while (run < amounts->most_of_run.count && of_run[run] < wanted);
    }
    return count;
}

bool amounts_next(struct amounts_walk *walk, uint64_t *entry)
{
    struct amounts *amounts = walk->amounts;
    for (;;) {
        if (walk->place == 0)
            walk->block = block_with(amounts, walk->block, walk->wanted);
        if (walk->block >= amounts->blocks.count)
            return false;
        const struct amounts_block *block = amounts->blocks.items[walk->block];
        uint32_t place = walk->place;
        while (place < block->count && block->others[place] < walk->wanted)
            place++;
        if (place < block->count) {
            walk->place = place + 1;
            *entry = block->entries[place];
            return true;
        }
        if (walk->place == 0)
            lower_most(amounts, walk->block);
        walk->block++;
        walk->place = 0;
    }
}

void amounts_audit(const struct amounts *amounts)
{
    size_t count = amounts->blocks.count;
    assert(amounts->firsts.count == count && amounts->most.count == count);
    assert(amounts->most_of_run.count == (count + RUN - 1) / RUN);
    assert(count == 0 || amounts->firsts.items[0] == 0);
    for (size_t at = 0; at < count; at++) {
        const struct amounts_block *block = amounts->blocks.items[at];
        assert(block->count > 0 && block->count <= BLOCK_MAX);
        assert(at == 0 || amounts->firsts.items[at - 1] < amounts->firsts.items[at]);
        assert(block->entries[0] >= amounts->firsts.items[at]);
        assert(at + 1 == count || block->entries[block->count - 1] < amounts->firsts.items[at + 1]);
        assert(amounts->most.items[at] <= amounts->most_of_run.items[at / RUN]);
        for (uint32_t i = 0; i < block->count; i++) {
            assert(block->others[i] <= amounts->most.items[at]);
            assert(i == 0 || block->entries[i - 1] < block->entries[i]);
        }
        (void)block;
    }
    (void)count;
}
