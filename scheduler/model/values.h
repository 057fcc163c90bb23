/*
 * values.h -- counts by attribute value, and the list of changed instances: what placement reads of
 * the cluster beside cluster.h.
 *
 * A tracked attribute has its values numbered from 0 (0: missing or empty, rule U3), and the
 * cluster keeps for every group how many of its tasks stand at each value. Tracking starts when a
 * plan first spreads over the attribute, costs O(instances) once, and stays. ecs.availability-zone
 * is tracked from the start.
 */
#ifndef BERTH_SCHEDULER_MODEL_VALUES_H
#define BERTH_SCHEDULER_MODEL_VALUES_H

#include "scheduler/model/cluster.h"

typedef uint32_t tracked_id;

#define TRACKED_NONE UINT32_MAX
#define TRACKED_PAIR 0x40000000u /* set in the id of a pair */
#define TRACKED_ZONE 0u

tracked_id cluster_track(struct cluster *cluster, symbol name); /* found or started */
tracked_id cluster_find_tracked(const struct cluster *cluster, symbol name);

/*
 * Two of them taken together: values are the pairs that instances have ever had. Counts are asked
 * of the two, not of the pair.
 */
struct value_pair {
    uint32_t first, second; /* values */
};
tracked_id cluster_track_pair(struct cluster *cluster, tracked_id first, tracked_id second);
struct value_pair cluster_value_pair(const struct cluster *cluster, tracked_id pair,
                                     uint32_t value);

/* Values ever seen; numbers are never used again. */
uint32_t cluster_value_count(const struct cluster *cluster, tracked_id tracked);
uint32_t cluster_value_of(const struct cluster *cluster, tracked_id tracked, instance_id id);
uint32_t cluster_tasks_at(const struct cluster *cluster, group_id group, tracked_id tracked,
                          uint32_t value);

/* The same for all values at once, lent until the cluster changes. */
struct value_counts {
    const uint32_t *instances; /* by value: those that have it, INACTIVE ones among them */
    const uint32_t *tasks;     /* by value, of the first `task_count`; the others have none */
    uint32_t value_count, task_count;
};
struct value_counts cluster_value_counts(const struct cluster *cluster, group_id group,
                                         tracked_id tracked);

/* The value of an attribute as spread sees it: SYMBOL_NONE when missing, without value or empty. */
symbol cluster_spread_value(const struct cluster *cluster, instance_id id, symbol name);

/* True when `demand` would fit on the instance if no task held anything of it. */
bool cluster_fits_empty(const struct cluster *cluster, instance_id id, const struct demand *demand);

/* Host ports of the instance's own agent: occupied when no task is there. */
const struct port_set *cluster_own_ports(const struct cluster *cluster, instance_id id,
                                         bool is_tcp);

/* CPU, memory, ports, ENI and GPUs taken one by one. */
bool cluster_fits_ports(const struct cluster *cluster, instance_id id, const struct demand *demand);
bool cluster_fits_eni(const struct cluster *cluster, instance_id id, const struct demand *demand);
bool cluster_fits_gpus(const struct cluster *cluster, instance_id id, const struct demand *demand);

#endif
