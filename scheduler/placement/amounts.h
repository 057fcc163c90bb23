/*
 * amounts.h -- instances sorted by what remains of one resource, asked for the least that also has
 * enough of another: best fit in two dimensions.
 *
 * An entry is the amount and the instance's number in one word, so that the order of entries is one
 * comparison. A walk gives, from an entry on, those with at least so much of the other resource;
 * stretches without any are skipped by what is known to be the most in them.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_AMOUNTS_H
#define BERTH_SCHEDULER_PLACEMENT_AMOUNTS_H

#include "scheduler/base/mem.h"
#include "scheduler/model/cluster.h"

struct amounts_block;

struct amounts {
    VEC(struct amounts_block *) blocks; /* owned; ascending */
    VEC(uint64_t) firsts;     /* by block: no entry is below it, none of the block before above */
    VEC(int32_t) most;        /* by block: no entry has more of the other resource; perhaps less */
    VEC(int32_t) most_of_run; /* of 16 blocks each: the most of theirs */
};

/* Amounts may be below zero, in a user's snapshot. */
static inline uint64_t amounts_entry(int32_t amount, instance_id id)
{
    return ((uint64_t)(uint32_t)amount << 32 | id) ^ UINT64_C(1) << 63;
}

static inline instance_id amounts_id(uint64_t entry)
{
    return (instance_id)entry;
}

static inline int64_t amounts_amount(uint64_t entry)
{
    return (int64_t)(entry >> 32) + INT32_MIN;
}

void amounts_free(struct amounts *amounts);
void amounts_insert(struct amounts *amounts, uint64_t entry, int32_t other);
void amounts_remove(struct amounts *amounts, uint64_t entry);
void amounts_move(struct amounts *amounts, uint64_t from, uint64_t to, int32_t other);
void amounts_set_other(struct amounts *amounts, uint64_t entry, int32_t other);

struct amounts_walk {
    struct amounts *amounts; /* must not change while walking, except by the walk */
    int32_t wanted;          /* of the other resource */
    uint32_t place;
    size_t block;
};

/* The first entry to be given is the first at or after `from`. */
struct amounts_walk amounts_seek(struct amounts *amounts, uint64_t from, int32_t wanted);
bool amounts_next(struct amounts_walk *walk, uint64_t *entry);

void amounts_audit(const struct amounts *amounts);

#endif
