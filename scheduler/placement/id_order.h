/*
 * id_order.h -- instances in the order of their ids, apart by the value of an attribute, asked for
 * those with room: the first, all, or the one with the fewest tasks of a group.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_ID_ORDER_H
#define BERTH_SCHEDULER_PLACEMENT_ID_ORDER_H

#include "scheduler/base/map.h"
#include "scheduler/model/changes.h"
#include "scheduler/model/values.h"
#include "scheduler/placement/fits.h"
#include "scheduler/placement/sizes.h"
#include "scheduler/placement/stretches.h"

/* The instances of one value. Position p stands in block p / 64. */
struct id_part {
    VEC(instance_id) ids;       /* ascending */
    struct fits fits;           /* as long as few sizes are asked for */
    struct stretches stretches; /* from then on */
};

/* Of one group in one block: its fewest tasks on an instance, and which instances have so few. */
struct fewest {
    uint64_t who; /* bit by position; 0: not known, count again */
    uint32_t tasks;
};

struct group_fewest {
    group_id group;
    uint32_t unasked;      /* changes noted since a search last asked */
    struct fewest **parts; /* owned, each by block */
    uint32_t *block_counts;
    size_t part_count;
};

/* Where an instance stands; part ID_PART_NONE: it is not of the pool. */
#define ID_PART_NONE UINT32_MAX

struct id_place {
    uint32_t part, position;
    uint64_t sizes; /* those that the instance has room for, as long as they are few */
};

struct id_order {
    tracked_id tracked; /* TRACKED_NONE: all in part 0 */
    symbol pool;        /* whose instances; SYMBOL_NONE: all but dedicated ones */
    bool is_of_many;    /* more sizes have been asked for than `sizes` can number */
    uint32_t stride;    /* of the parts' fits */
    struct sizes sizes;
    struct skylines_levels levels; /* of the skylines of all parts */
    VEC(struct id_part) parts;
    VEC(struct id_place) places;     /* by instance */
    VEC(struct group_fewest) groups; /* in no order */
    VEC(uint32_t) number_of_group;   /* among them, or GROUP_NONE */
};

void id_order_init(struct id_order *order, const struct cluster *cluster, tracked_id tracked,
                   symbol pool);
void id_order_deinit(struct id_order *order);

/* Catch up with one instance; false when it changed its value: build the order afresh. */
bool id_order_update(struct id_order *order, const struct cluster *cluster, instance_id id);
void id_order_note_group(struct id_order *order, const struct group_change *change);
void id_order_forget_groups(struct id_order *order); /* their changes were missed */

struct id_walk {
    const struct id_order *order;
    struct id_part *part; /* whose skylines the walk may lower */
    struct room wanted;
    uint32_t size; /* its number, or SIZE_NONE when there are many */
    uint32_t position;
};

/* Instances of a part with room, ascending by id. */
struct id_walk id_order_walk(struct id_order *order, const struct cluster *cluster, uint32_t part,
                             struct room wanted);
bool id_walk_next(struct id_walk *walk, instance_id *id);

/* Asks back whether an instance with room is a candidate in every other respect as well. */
typedef bool (*id_order_accepts)(void *context, instance_id id);

/*
 * Better `*best` with the part's best: fewest tasks of the group, then the smallest id, among
 * accepted instances with room. *best INSTANCE_NONE: nothing yet.
 */
void id_order_fewest(struct id_order *order, const struct cluster *cluster, uint32_t part,
                     group_id group, struct room wanted, id_order_accepts accepts, void *context,
                     instance_id *best, uint32_t *best_tasks);

void id_order_audit(const struct id_order *order, const struct cluster *cluster);

#endif
