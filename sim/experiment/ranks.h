/*
 * ranks.h -- the farm of an MPI job: rank 0 is the master, every other rank a worker.
 *
 * Only in a build with MPI=1. Ranks share nothing but the command line and the scenario's files:
 * products and files travel to the master as messages, so no folder needs to be seen by all nodes.
 * A rank computes in a process beside it (worker.h), begun before MPI is: a crash there is told
 * like any failure, where the crash of a rank would end the job without a word.
 *
 * Nobody spins. A blocked MPI call costs a core, so both sides probe and sleep in between, for an
 * eighth of the time that they have waited so far and at most 4 ms: little for short tasks to lose,
 * and below 1 % of a core while long ones run.
 */
#ifndef BERTH_SIM_EXPERIMENT_RANKS_H
#define BERTH_SIM_EXPERIMENT_RANKS_H

#include "sim/experiment/farm.h"

/* Of this process, as mpirun or srun has told it; -1 when neither has begun it, or it is alone. */
int ranks_mine(void);

struct ranks;

/* The master's. Nothing, *out is NULL, when there are no other ranks. */
enum berth_err ranks_open(struct ranks **out, struct berth_error *err) BERTH_MUST_CHECK;
const struct farm *ranks_farm(const struct ranks *ranks); /* NULL of NULL */
void ranks_close(struct ranks *ranks);                    /* sends the workers home */

/*
 * A worker's: tasks of `work` until the master sends it home. `origin` must be the master's too.
 * Without a `work`, `origin` is the reason why there is none, which the master then tells.
 */
enum berth_err ranks_serve(const struct farm_work *work, const char *origin,
                           struct berth_error *err) BERTH_MUST_CHECK;

/* What the master's origin is; before its farm runs. */
void ranks_expect(struct ranks *ranks, const char *origin);

#endif
