/*
 * worker.h -- one process that does task after task, and whose end takes nothing else with it.
 *
 * It lives for many tasks: a process for each would cost as much as a replication of a few
 * milliseconds (a fork, and memory faulted in anew). What was loaded before is shared without a
 * copy. A crash ends the worker and is the answer of its task. When its parent ends, however that
 * comes about, it ends as well, in the middle of its task.
 */
#ifndef BERTH_SIM_EXPERIMENT_WORKER_H
#define BERTH_SIM_EXPERIMENT_WORKER_H

#include <sys/types.h>

#include "sim/experiment/farm.h"

struct worker {
    pid_t pid;   /* 0: none lives */
    int channel; /* tasks one way, answers the other */
    uint32_t task;
    bool is_busy;
};

/* `work` is the worker's from now on: its run, context and stop. False: no new process. */
bool worker_start(struct worker *worker, const struct farm_work *work, const char *folder);
void worker_give(struct worker *worker, uint32_t task);
/* Waits until its task has ended, which poll() on its channel foretells. */
void worker_take(struct worker *worker, struct farm_answer *out, struct text *product);
void worker_interrupt(struct worker *worker); /* its `stop` is set by SIGTERM */
void worker_kill(struct worker *worker);      /* its task is then answered by a crash */
void worker_end(struct worker *worker);       /* an idle one, or one that is dead */

#endif
