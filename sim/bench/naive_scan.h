/*
 * naive_scan.h -- placement as a plain scan that a compiler can vectorise, and its own books.
 *
 * CPU and memory that is left lie in two arrays. The first pass finds the least score of each block
 * of 64 instances, without a branch; the second looks for ties only in blocks that have the least.
 * The answers are those of scheduler/placement, with rule U1 for ties: the fewest tasks of the
 * group, then the smallest id. Instances of one zone lie side by side, in ascending id.
 */
#ifndef BERTH_SIM_BENCH_NAIVE_SCAN_H
#define BERTH_SIM_BENCH_NAIVE_SCAN_H

#include "scheduler/model/cluster.h"

#define NAIVE_ZONES_MAX 8

struct naive_fleet {
    uint32_t count, zone_count, group_count;
    uint32_t padded;                      /* places: zones begin at a block */
    uint32_t begins[NAIVE_ZONES_MAX + 1]; /* places of each zone */
    uint32_t *zones_of;                   /* by instance */
    uint32_t *places;                     /* by instance */
    instance_id *ids;                     /* by place; INSTANCE_NONE where none is */
    int32_t *cpu, *mem;                   /* by place; -1 CPU where no instance is */
    int32_t *tasks;                       /* of a group at a place: group * padded + place */
    int32_t *zone_tasks;                  /* group * zone_count + zone */
    int32_t *least;                       /* by block, of the last scan */
};

/* What is left on the instances of a cluster; no task of a group is counted yet. */
struct naive_fleet *naive_fleet_of(const struct cluster *cluster, uint32_t group_count,
                                   bool has_zones);
void naive_fleet_destroy(struct naive_fleet *fleet);

/* binpack(memory), and spread(zone), spread(instance): INSTANCE_NONE when nothing fits. */
instance_id naive_binpack(struct naive_fleet *fleet, uint32_t group, int32_t cpu, int32_t mem);
instance_id naive_spread(struct naive_fleet *fleet, uint32_t group, int32_t cpu, int32_t mem);

/* Charge (sign 1) or return (-1) a task. */
void naive_charge(struct naive_fleet *fleet, instance_id id, uint32_t group, int32_t cpu,
                  int32_t mem, int32_t sign);

#endif
