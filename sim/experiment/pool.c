#define _DEFAULT_SOURCE /* sysconf(_SC_NPROCESSORS_ONLN) */
#include "sim/experiment/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/worker.h"

#define TURN_MS 200       /* how late a signal may be seen */
#define PATIENCE_TURNS 25 /* for a worker that was asked to end */

struct pool {
    const struct farm_work *work;
    struct worker *workers;
    struct pollfd *polled;
    uint32_t worker_count, busy_count;
    struct farm_tally tally;
    struct text product; /* of the task that has just ended */
};

static void fail_to_start(struct pool *pool, uint32_t task)
{
    char text[128];
    snprintf(text, sizeof text, "no new process: %s; try a smaller --jobs", strerror(errno));
    farm_fail(&pool->tally, (struct farm_failure){task, false}, BERTH_ERR_ENVIRONMENT, text);
}

/* Tasks for all who are idle; a worker begins with its first task. */
static void give_out(struct pool *pool)
{
    uint32_t task;
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->is_busy)
            continue;
        if (!farm_next(&pool->tally, pool->work, &task))
            return;
        if (worker->pid == 0 && !worker_start(worker, pool->work, pool->work->folder)) {
            fail_to_start(pool, task);
            return;
        }
        worker_give(worker, task);
        pool->busy_count++;
    }
}

static void take_in(struct pool *pool, struct worker *worker)
{
    struct farm_answer answer;
    uint32_t task = worker->task;
    worker_take(worker, &answer, &pool->product);
    farm_take(&pool->tally, pool->work, task, &answer, &pool->product);
    pool->busy_count--;
}

static void wait_a_turn(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->worker_count; i++)
        pool->polled[i] = (struct pollfd){
            .fd = pool->workers[i].is_busy ? pool->workers[i].channel : -1, .events = POLLIN};
    if (poll(pool->polled, pool->worker_count, TURN_MS) > 0)
        for (uint32_t i = 0; i < pool->worker_count; i++)
            if (pool->polled[i].revents != 0)
                take_in(pool, &pool->workers[i]);
    if (pool->work->progress != NULL)
        pool->work->progress(pool->work->context, pool->tally.done);
}

static void interrupt_all(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->worker_count; i++)
        worker_interrupt(&pool->workers[i]);
    for (int turn = 0; pool->busy_count > 0 && turn < PATIENCE_TURNS; turn++)
        wait_a_turn(pool);
    for (uint32_t i = 0; i < pool->worker_count; i++)
        if (pool->workers[i].is_busy)
            worker_kill(&pool->workers[i]);
    while (pool->busy_count > 0)
        wait_a_turn(pool);
}

static bool is_stopped(const struct pool *pool)
{
    return pool->tally.was_stopped || (pool->work->stop != NULL && *pool->work->stop != 0);
}

enum berth_err pool_run(const struct farm_work *work, struct farm_failure *failure,
                        struct berth_error *err)
{
    struct pool pool = {.work = work};
    pool.worker_count = work->jobs < work->task_count ? work->jobs : work->task_count;
    pool.workers = mem_alloc((pool.worker_count + 1) * sizeof *pool.workers);
    pool.polled = mem_alloc((pool.worker_count + 1) * sizeof *pool.polled);
    while (!is_stopped(&pool)) {
        give_out(&pool);
        if (pool.busy_count == 0)
            break;
        wait_a_turn(&pool);
    }
    if (is_stopped(&pool)) {
        pool.tally.was_stopped = true;
        interrupt_all(&pool);
    }
    for (uint32_t i = 0; i < pool.worker_count; i++)
        worker_end(&pool.workers[i]);
    text_free(&pool.product);
    mem_free(pool.workers);
    mem_free(pool.polled);
    return farm_conclude(&pool.tally, failure, err);
}

static enum berth_err run(void *context, const struct farm_work *work, struct farm_failure *failure,
                          struct berth_error *err)
{
    (void)context;
    return pool_run(work, failure, err);
}

const struct farm pool_farm = {run, NULL};

uint32_t pool_core_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 1024 ? 1024 : (uint32_t)cores;
}
