/*
 * pool.h -- independent tasks on several processes.
 *
 * One process for each task, at most `jobs` at a time. A task that crashes takes nothing with it, a
 * leak ends with its task, and what was loaded before is shared without a copy. A fork costs well
 * below a millisecond; a replication takes many.
 */
#ifndef BERTH_SIM_EXPERIMENT_POOL_H
#define BERTH_SIM_EXPERIMENT_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/error.h"

struct pool_work {
    /* In the child: do task number `task` and leave the result in a file. */
    enum berth_err (*run)(void *context, uint32_t task, struct berth_error *err);
    /* In the parent, as tasks end well, in any order; also now and then between (done as before).
     */
    void (*progress)(void *context, uint32_t done);
    void *context;
    uint32_t task_count;
    uint32_t jobs;                     /* at least 1 */
    const volatile sig_atomic_t *stop; /* set: end the children, return INTERRUPTED; may be NULL */
};

struct pool_failure {
    uint32_t task;
    bool is_crash; /* its process did not live to say why */
};

/*
 * After a failure no new task begins, and those that run are waited for. The failure told is the
 * one of the lowest task, which does not depend on `jobs`: tasks begin in order.
 */
enum berth_err pool_run(const struct pool_work *work, struct pool_failure *failure,
                        struct berth_error *err) BERTH_MUST_CHECK;

uint32_t pool_core_count(void);

#endif
