#define _DEFAULT_SOURCE /* sysconf(_SC_NPROCESSORS_ONLN) */
#include "sim/experiment/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

#define TURN_MS 200       /* how late a signal may be seen */
#define PATIENCE_TURNS 25 /* for a child that was asked to end */

struct child {
    pid_t pid;
    int pipe; /* its error text; closed when it has ended */
    uint32_t task;
};

struct pool {
    const struct pool_work *work;
    struct child *children; /* those that run: `running` of work->jobs */
    struct pollfd *polled;
    uint32_t running, begun, done;
    enum berth_err code; /* the first that was not OK */
    struct pool_failure failure;
    struct berth_error error;
    bool was_stopped;
};

static _Noreturn void child_main(const struct pool_work *work, uint32_t task, int pipe)
{
    struct berth_error err = BERTH_ERROR_INIT;
    enum berth_err code = work->run(work->context, task, &err);
    if (code != BERTH_OK)
        (void)!write(pipe, err.text, strlen(err.text));
    _exit((int)code);
}

static void note_failure(struct pool *pool, struct pool_failure failure, enum berth_err code,
                         const char *text)
{
    if (pool->code != BERTH_OK && pool->failure.task < failure.task)
        return;
    pool->code = code;
    pool->failure = failure;
    (void)berth_fail(&pool->error, code, "%s", text);
}

static void begin(struct pool *pool)
{
    uint32_t task = pool->begun;
    int ends[2] = {-1, -1};
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid < 0) {
        char text[128];
        snprintf(text, sizeof text, "no new process: %s; try a smaller --jobs", strerror(errno));
        note_failure(pool, (struct pool_failure){task, false}, BERTH_ERR_ENVIRONMENT, text);
        for (int i = 0; i < 2; i++)
            if (ends[i] >= 0)
                close(ends[i]);
        return;
    }
    if (pid == 0) {
        close(ends[0]);
        child_main(pool->work, task, ends[1]);
    }
    close(ends[1]);
    pool->children[pool->running++] = (struct child){pid, ends[0], task};
    pool->begun++;
}

static void judge(struct pool *pool, uint32_t task, int status, const char *text)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == BERTH_OK) {
        pool->done++;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == BERTH_ERR_INTERRUPTED) {
        pool->was_stopped = true;
    } else if (WIFEXITED(status) && text[0] != '\0') {
        note_failure(pool, (struct pool_failure){task, false}, (enum berth_err)WEXITSTATUS(status),
                     text);
    } else if (!pool->was_stopped) {
        char crash[128];
        if (WIFSIGNALED(status))
            snprintf(crash, sizeof crash, "its process was ended by signal %d (%s)",
                     WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            snprintf(crash, sizeof crash, "its process ended with status %d", WEXITSTATUS(status));
        note_failure(pool, (struct pool_failure){task, true}, BERTH_ERR_ENVIRONMENT, crash);
    }
}

/* Its pipe has something to say or was closed: it is about to end. */
static void finish(struct pool *pool, uint32_t index)
{
    struct child child = pool->children[index];
    char text[BERTH_ERROR_TEXT_MAX] = "";
    size_t length = 0;
    for (ssize_t got = 1; got != 0 && length < sizeof text - 1;) {
        got = read(child.pipe, text + length, sizeof text - 1 - length);
        if (got < 0 && errno != EINTR)
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    close(child.pipe);
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    pool->children[index] = pool->children[--pool->running];
    judge(pool, child.task, status, text);
}

static void wait_a_turn(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->running; i++)
        pool->polled[i] = (struct pollfd){.fd = pool->children[i].pipe, .events = POLLIN};
    if (poll(pool->polled, pool->running, TURN_MS) > 0)
        for (uint32_t i = pool->running; i-- > 0;)
            if (pool->polled[i].revents != 0)
                finish(pool, i);
    if (pool->work->progress != NULL)
        pool->work->progress(pool->work->context, pool->done);
}

static void end_children(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->running; i++)
        kill(pool->children[i].pid, SIGTERM);
    for (int turn = 0; pool->running > 0 && turn < PATIENCE_TURNS; turn++)
        wait_a_turn(pool);
    for (uint32_t i = 0; i < pool->running; i++)
        kill(pool->children[i].pid, SIGKILL);
    while (pool->running > 0)
        wait_a_turn(pool);
}

static bool must_stop(const struct pool *pool)
{
    return pool->was_stopped || (pool->work->stop != NULL && *pool->work->stop != 0);
}

enum berth_err pool_run(const struct pool_work *work, struct pool_failure *failure,
                        struct berth_error *err)
{
    struct pool pool = {.work = work, .error = BERTH_ERROR_INIT};
    pool.children = mem_alloc(work->jobs * sizeof *pool.children);
    pool.polled = mem_alloc(work->jobs * sizeof *pool.polled);
    while (!must_stop(&pool) && (pool.running > 0 || pool.begun < work->task_count)) {
        while (pool.code == BERTH_OK && pool.running < work->jobs && pool.begun < work->task_count)
            begin(&pool);
        if (pool.running == 0)
            break;
        wait_a_turn(&pool);
    }
    if (must_stop(&pool)) {
        pool.was_stopped = true;
        end_children(&pool);
    }
    mem_free(pool.children);
    mem_free(pool.polled);
    *failure = pool.failure;
    if (pool.code != BERTH_OK)
        return berth_fail(err, pool.code, "%s", pool.error.text);
    return pool.was_stopped ? berth_fail(err, BERTH_ERR_INTERRUPTED, "interrupted") : BERTH_OK;
}

uint32_t pool_core_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 1024 ? 1024 : (uint32_t)cores;
}
