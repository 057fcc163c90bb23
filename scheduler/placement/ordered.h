/*
 * ordered.h -- instances sorted by a key, asked for those with room, lowest key first.
 *
 * Entries are (key, id) with the instance's free CPU and memory. A walk gives, from a key on, only
 * those with at least so much of both; stretches without any are skipped by their skylines.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_ORDERED_H
#define BERTH_SCHEDULER_PLACEMENT_ORDERED_H

#include "scheduler/base/mem.h"
#include "scheduler/model/cluster.h"
#include "scheduler/placement/skyline.h"

struct ordered_block;

struct ordered_head {
    int64_t key; /* the block's first entry */
    instance_id id;
    int32_t cpu_max;             /* a first look at the block without touching it */
    struct ordered_block *block; /* owned */
};

struct ordered {
    VEC(struct ordered_head) heads; /* ascending */
    VEC(struct skyline) runs;       /* of ORDERED_RUN heads each */
};

void ordered_free(struct ordered *ordered);
void ordered_insert(struct ordered *ordered, int64_t key, instance_id id, struct room room);
void ordered_remove(struct ordered *ordered, int64_t key, instance_id id);
void ordered_update(struct ordered *ordered, int64_t key, instance_id id, struct room room);

struct ordered_walk {
    const struct ordered *ordered; /* must not change while walking */
    struct room wanted;
    size_t head;
    uint32_t place;
};

/* The first entry to be given is the first at or after (key, 0). */
struct ordered_walk ordered_seek(const struct ordered *ordered, int64_t key, struct room wanted);
bool ordered_next(struct ordered_walk *walk, int64_t *key, instance_id *id);

void ordered_audit(const struct ordered *ordered);

#endif
