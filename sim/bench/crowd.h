/*
 * crowd.h -- within sim/bench: a cluster full of tasks, and turns in which one comes and one goes.
 *
 * The same turns can be taken with the product's placement and with a naive scan: both begin with
 * the same tasks and the same dice, so they must choose the same instances.
 */
#ifndef BERTH_SIM_BENCH_CROWD_H
#define BERTH_SIM_BENCH_CROWD_H

#include "scheduler/base/mem.h"
#include "scheduler/placement/placement.h"
#include "sim/bench/bench.h"
#include "sim/bench/naive_scan.h"

#define CROWD_SHAPES 24

struct crowd_task {
    instance_id instance;
    uint16_t group, shape;
};

struct crowd_plan {
    uint32_t instances, groups;
    uint32_t cpu_steps, mem_steps; /* demands are 1..steps times 64 units and 128 MiB */
    const struct placement_strategy_spec *strategies;
    size_t strategy_count;
    bool is_spread; /* the naive scan's question: spread(zone), spread(instance); else binpack */
};

struct crowd {
    struct crowd_plan plan;
    struct symbols *symbols;
    struct cluster *cluster;
    struct placement_plan *placement;
    group_id *groups;
    struct demand shapes[CROWD_SHAPES];
    struct bench_dice dice;
    struct rng stream;
    VEC(struct crowd_task) tasks;
    int64_t cpu, mem, cpu_used, mem_used;
};

/* An empty cluster in three zones, of four sizes of instances. */
void crowd_open(struct crowd *crowd, const struct crowd_plan *plan, uint64_t seed);
void crowd_close(struct crowd *crowd);

struct placement_request crowd_request(struct crowd *crowd, uint32_t group, uint32_t shape);

/* One task of a random group and shape; INSTANCE_NONE when it found no room. */
instance_id crowd_place(struct crowd *crowd);
void crowd_fill(struct crowd *crowd, uint32_t percent); /* until so much of CPU or memory is used */

/* Seconds of CPU time; `chosen` (turns entries) receives what each turn chose. */
double crowd_turns(struct crowd *crowd, uint32_t turns, instance_id *chosen);

/* The same by a naive scan, from where `tasks` and `dice` stand: a copy of the crowd's. */
struct naive_crowd {
    const struct crowd *crowd;
    struct naive_fleet *fleet;
    struct bench_dice dice;
    VEC(struct crowd_task) tasks;
};
void naive_crowd_open(struct naive_crowd *naive, const struct crowd *crowd);
void naive_crowd_close(struct naive_crowd *naive);
instance_id naive_crowd_choose(struct naive_crowd *naive, uint32_t group, uint32_t shape);
double naive_crowd_turns(struct naive_crowd *naive, uint32_t turns, instance_id *chosen);

#endif
