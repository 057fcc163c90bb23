/*
 * index.h -- the orders in which placement finds candidates without looking at every instance.
 *
 * An order is built when a plan first asks for it, O(instances log instances), and then follows the
 * cluster's changes, those of a what-if and its undoing included. It belongs to the cluster.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_INDEX_H
#define BERTH_SCHEDULER_PLACEMENT_INDEX_H

#include "scheduler/placement/amounts.h"
#include "scheduler/placement/eligible.h"
#include "scheduler/placement/id_order.h"
#include "scheduler/placement/ordered.h"
#include "scheduler/placement/strategy.h"

#define KEY_LIST_NONE UINT32_MAX

struct amount_place {
    uint32_t value; /* KEY_LIST_NONE: not ACTIVE, not connected or not of the pool */
    int32_t other;
    uint64_t entry;
};

/* ORDER_AMOUNT, apart by value of an attribute, of a pool. */
struct amount_order {
    enum strategy_field field;       /* FIELD_CPU or FIELD_MEMORY; the other one is looked at too */
    tracked_id tracked;              /* TRACKED_NONE: one value, 0 */
    symbol pool;                     /* as in id_order */
    VEC(struct amounts) lists;       /* by value */
    VEC(struct amount_place) places; /* by instance */
};

/* Instances of one value and one size, on which the key depends. */
struct key_list {
    uint32_t value;
    int32_t cpu_registered, mem_registered;
    struct ordered ordered;
};

struct key_place {
    uint32_t list; /* KEY_LIST_NONE: not ACTIVE or not connected */
    int64_t key;
    struct room room;
};

/* ORDER_SHARES or ORDER_SHARES_DESCENDING, apart by value of an attribute, of a pool. */
struct key_order {
    enum strategy_order order;
    tracked_id tracked; /* TRACKED_NONE: one value, 0 */
    symbol pool;        /* as in id_order */
    VEC(struct key_list) lists;
    struct map shape_number;      /* cpu and mem registered -> number */
    struct map number_of_list;    /* value and shape -> list */
    VEC(struct key_place) places; /* by instance */
};

struct value_ranks {
    uint64_t *items; /* owned; by value */
    size_t count;
    size_t capacity;
};

struct placement_index {
    VEC(struct id_order *) id_orders;
    VEC(struct amount_order *) amount_orders;
    VEC(struct key_order *) key_orders;
    struct eligible eligible;
    VEC(instance_id) scratch;         /* candidates of the choice under way */
    struct value_ranks ranks;         /* of its values, */
    struct value_ranks lead_ranks[2]; /* and when they are pairs, of the two attributes */
};

/* The cluster's index, made on first use and caught up. */
struct placement_index *index_of(struct cluster *cluster);

struct id_order *index_id_order(struct placement_index *index, const struct cluster *cluster,
                                tracked_id tracked, symbol pool);
struct amount_order *index_amount_order(struct placement_index *index,
                                        const struct cluster *cluster, enum strategy_field field,
                                        tracked_id tracked, symbol pool);
struct key_order *index_key_order(struct placement_index *index, const struct cluster *cluster,
                                  enum strategy_order order, tracked_id tracked, symbol pool);

/* The walk over one value's instances with room for the demand, the least amount first. */
struct amounts_walk amount_order_walk(struct amount_order *order, uint32_t value,
                                      const struct demand *demand);

/* The lowest key of the list's that an instance with room for the demand can have. */
int64_t key_order_start(const struct key_order *order, const struct key_list *list,
                        const struct demand *demand);

void index_eligibility(struct placement_index *index, struct cluster *cluster,
                       const struct placement_request *request, struct eligibility *out);

/* Assert that everything equals what the cluster says; O(everything), for tests. */
void index_audit(struct cluster *cluster);

#endif
