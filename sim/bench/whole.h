/*
 * whole.h -- within sim/bench: the controller behind its loop, with a store that keeps records, and
 * agents that say at once what is to be said.
 *
 * Tasks are of forty families: some with a static port, some with a GPU, all with a memberOf, every
 * third with distinctInstance; spread over zones, then binpack(memory).
 */
#ifndef BERTH_SIM_BENCH_WHOLE_H
#define BERTH_SIM_BENCH_WHOLE_H

#include "scheduler/base/mem.h"
#include "scheduler/core/loop.h"

struct whole_task {
    task_id task;
    instance_id instance;
};

struct whole {
    struct controller_options options;
    struct loop *loop;
    struct store store;
    struct step_time now;
    VEC(struct whole_task) tasks; /* in the order in which they were placed */
    size_t running;               /* of these, those that were told to run */
    size_t ended;                 /* of these, from the first on */
    uint32_t called;              /* calls of RunTask so far */
    uint64_t reports, refused, failed;
    char family[8], group[16]; /* of the last call */
};

void whole_open(struct whole *whole, uint32_t instances, uint64_t seed);
void whole_close(struct whole *whole);

/* The call of that number; lent until the next. */
struct event_run_task whole_call(struct whole *whole, uint32_t number);

void whole_start(struct whole *whole);      /* the next call; what is placed runs */
void whole_end_oldest(struct whole *whole); /* stopped, and said to be */
/* Services whose families have neither ports nor GPUs. */
void whole_serve(struct whole *whole, uint32_t services, uint32_t copies);

/* A controller that is loaded from the store equals the one that ran. */
bool whole_reloads_equal(struct whole *whole, size_t *record_count);

#endif
