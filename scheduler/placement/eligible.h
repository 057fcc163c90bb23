/*
 * eligible.h -- which instances pass the checks that are not about CPU and memory: one bit per
 * instance for every question that requests ask, kept in step with the cluster.
 *
 *     ATTRIBUTES  requiresAttributes                  follows an instance's attributes
 *     MEMBER      memberOf over attributes and ids    likewise
 *     PORTS       these static host ports are free    follows every change of the instance
 *     GPUS        these requests find their cards     likewise
 *     APART       no task of the group: distinctInstance, follows joins and leaves
 *
 * A candidate is then told by a few bits in neighbouring words instead of by an expression, a
 * search for a port and a plan of cards, each in memory of its own. And a question that few pass is
 * a short list: placement takes the smallest set where walking an order would be looking for a
 * needle. Question by question it is a bit per instance (1.25 KiB at 10,000); a joint set per
 * request would need one for every pair, and most changes would have to be worked into all.
 *
 * What has no set is asked of the instance as before: zones of subnets, network interfaces,
 * expressions over tasks or the agent, and questions beyond the bounds in eligible.c.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_ELIGIBLE_H
#define BERTH_SCHEDULER_PLACEMENT_ELIGIBLE_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/changes.h"
#include "scheduler/placement/plan.h"

enum eligible_kind {
    ELIGIBLE_ATTRIBUTES = 0,
    ELIGIBLE_MEMBER,
    ELIGIBLE_PORTS,
    ELIGIBLE_GPUS,
    ELIGIBLE_APART,
    ELIGIBLE_KIND_COUNT
};

struct eligible_set {
    enum eligible_kind kind;
    uint32_t number;      /* the filter's symbol, the group, or the number of the demand's list */
    uint32_t count;       /* bits that are set */
    uint32_t instances;   /* those from here on are not worked in yet */
    size_t seen;          /* ATTRIBUTES, MEMBER: of the log of changed attributes */
    VEC(uint64_t) words;  /* by instance */
    struct demand demand; /* PORTS, GPUS: the lists alone, owned */
};

/* Belongs to the index. */
struct eligible {
    VEC(struct eligible_set *) sets;     /* owned */
    VEC(struct eligible_set *) discrete; /* of ports and cards: asked again at each change */
    struct map numbers; /* kind and number, or kind and hash of a list, to the set; but APART: */
    VEC(struct eligible_set *) apart;              /* by group; NULL: it has none */
    VEC(const struct attribute_list *) attributes; /* by instance, as last seen */
    VEC(instance_id) attribute_log;                /* whose attributes have changed, in order */
    uint32_t of_kind[ELIGIBLE_KIND_COUNT];
};

void eligible_deinit(struct eligible *eligible);
void eligible_catch_up(struct eligible *eligible, const struct cluster *cluster);

/* A request's questions; lent until the cluster changes. */
struct eligibility {
    const struct eligible_set *sets[ELIGIBLE_KIND_COUNT]; /* by kind; NULL: not asked, or no set */
    const uint64_t *words[ELIGIBLE_KIND_COUNT];           /* of the first `count` */
    uint32_t count;
    bool is_whole; /* what passes these bits passes all but status, agent, CPU, memory and pool */
    const struct eligible_set *fewest; /* NULL: there is none */
};

void eligible_for(struct eligible *eligible, struct cluster *cluster,
                  const struct placement_request *request, struct eligibility *out);

/*
 * Those without a task of the request's group. NULL: it has no group, or there is no set and none
 * may be made, or there are too many.
 */
const struct eligible_set *eligible_apart(struct eligible *eligible, struct cluster *cluster,
                                          const struct placement_request *request, bool may_make);

static inline bool eligible_set_has(const struct eligible_set *set, instance_id id)
{
    return (set->words.items[id / 64] >> (id % 64) & 1) != 0;
}

static inline bool eligible_has(const struct eligibility *eligibility, instance_id id)
{
    for (uint32_t i = 0; i < eligibility->count; i++)
        if ((eligibility->words[i][id / 64] >> (id % 64) & 1) == 0)
            return false;
    return true;
}

/* Assert that every set is what the checks say. */
void eligible_audit(const struct eligible *eligible, const struct cluster *cluster);

#endif
