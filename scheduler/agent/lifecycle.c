/*
 * A granted task's containers, from pull to exit.
 *
 *     WAITING -> PULLING -> STARTING -> RUNNING -> TERMINATING -> KILLED
 *        |          |          |           |            |           |
 *        +----------+----------+-----------+------------+-----------+--> STOPPED
 *
 * Forward: a container is pulled when the conditions of its dependsOn are met, then started; ECS's
 * agent, too, lets the pull of a dependent wait. Backward, once the task stops: a container gets
 * its stop signal when every container that depends on it has stopped, and SIGKILL after its
 * stopTimeout. The task is over when all containers are. A container that can never start (its pull
 * or start failed, or what it depends on did) counts as stopped without having run, which ends the
 * task only if it is essential. Rules: "ECS scheduling semantics" 2.3 and 3.2.
 *
 * LIMIT: the condition HEALTHY is treated as START, until containers have health checks. A runtime
 * that never answers an order is waited for without end: ECS's agent gives up a create after 4
 * minutes and a start after 3, which the driver of a real engine has to tell as START_FAILED.
 */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>

enum readiness { READY, NOT_YET, NEVER };

static size_t container_count(const struct agent_task *task)
{
    return task->payload.def->container_count;
}

static const struct container_def *definition(const struct agent_task *task, size_t index)
{
    return &task->payload.def->containers[index];
}

static enum readiness dependency_readiness(const struct container *on,
                                           enum dependency_condition condition)
{
    bool is_stopped = on->state == CONTAINER_STOPPED;
    if (is_stopped && !on->has_run)
        return NEVER;
    switch (condition) {
    case DEPENDS_START:
    case DEPENDS_HEALTHY:
        return on->state >= CONTAINER_RUNNING ? READY : NOT_YET;
    case DEPENDS_COMPLETE:
        return is_stopped ? READY : NOT_YET;
    case DEPENDS_SUCCESS:
        return !is_stopped ? NOT_YET : on->succeeded ? READY : NEVER;
    }
    return NEVER;
}

static enum readiness container_readiness(struct agent_task *task, size_t index)
{
    const struct container_def *def = definition(task, index);
    enum readiness all = READY;
    for (uint16_t i = 0; i < def->depends_on_count; i++) {
        const struct container_dependency *dependency = &def->depends_on[i];
        enum readiness one = dependency_readiness(task_container(task, dependency->container),
                                                  dependency->condition);
        if (one > all)
            all = one;
    }
    return all;
}

static void order(struct turn *turn, struct agent_task *task, size_t index,
                  enum agent_action_kind kind)
{
    struct agent_action *action = turn_act(turn, kind, task->payload.task);
    action->container = (uint16_t)index;
    action->payload = &task->payload;
}

static void pull(struct turn *turn, struct agent_task *task, size_t index)
{
    task_container(task, index)->state = CONTAINER_PULLING;
    if (task->pull_started_ns == 0)
        task->pull_started_ns = turn->now.wall_ns;
    order(turn, task, index, AGENT_ACTION_PULL);
}

/* An absurdly long timeout is no deadline at all, rather than one in the past. */
static berth_ns deadline_after(const struct turn *turn, berth_ns timeout_ns)
{
    berth_ns now_ns = turn->now.mono_ns;
    return timeout_ns < BERTH_NS_NEVER - now_ns ? now_ns + timeout_ns : BERTH_NS_NEVER;
}

static void watch_deadline(struct turn *turn, struct agent_task *task)
{
    if (task->is_timed)
        return;
    task->is_timed = true;
    task->next = turn->agent->timed;
    turn->agent->timed = task;
}

static void end_container(struct container *container, bool has_run, bool succeeded)
{
    *container = (struct container){
        .deadline_ns = BERTH_NS_NEVER,
        .state = CONTAINER_STOPPED,
        .has_run = has_run,
        .succeeded = succeeded,
    };
}

static bool all_stopped(struct agent_task *task)
{
    for (size_t i = 0; i < container_count(task); i++)
        if (task_container(task, i)->state != CONTAINER_STOPPED)
            return false;
    return true;
}

static void untime(struct agent *agent, struct agent_task *task)
{
    if (!task->is_timed)
        return;
    struct agent_task **at = &agent->timed;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    task->next = NULL;
    task->is_timed = false;
}

static void finish(struct turn *turn, struct agent_task *task)
{
    untime(turn->agent, task);
    task->is_stopping = true;
    task->payload.desired_running = false;
    if (task->cause == EXIT_NONE)
        task->cause = EXIT_ESSENTIAL;
    if (task->stopped_ns == 0)
        task->stopped_ns = turn->now.wall_ns;
    if (task->stage == STAGE_GRANTED)
        gate_release(turn, task);
    report_stopped(turn, task);
}

/* True when nothing that is still there depends on the container. */
static bool may_terminate(struct agent_task *task, size_t index)
{
    for (size_t i = 0; i < container_count(task); i++) {
        const struct container_def *def = definition(task, i);
        if (task_container(task, i)->state == CONTAINER_STOPPED)
            continue;
        for (uint16_t j = 0; j < def->depends_on_count; j++)
            if (def->depends_on[j].container == index)
                return false;
    }
    return true;
}

static void terminate(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    berth_ns timeout_ns = definition(task, index)->stop_timeout_ns;
    if (timeout_ns == BERTH_NS_NEVER)
        timeout_ns = turn->agent->config.stop_timeout_ns;
    container->state = CONTAINER_TERMINATING;
    container->deadline_ns = deadline_after(turn, timeout_ns);
    order(turn, task, index, AGENT_ACTION_TERMINATE);
    watch_deadline(turn, task);
}

static void stop_more(struct turn *turn, struct agent_task *task)
{
    if (all_stopped(task)) {
        finish(turn, task);
        return;
    }
    for (size_t i = 0; i < container_count(task); i++)
        if (task_container(task, i)->state == CONTAINER_RUNNING && may_terminate(task, i))
            terminate(turn, task, i);
}

void lifecycle_stop(struct turn *turn, struct agent_task *task, enum exit_cause cause)
{
    if (task->is_stopping)
        return;
    task->is_stopping = true;
    task->payload.desired_running = false;
    task->cause = (uint8_t)cause;
    if (task->stage == STAGE_QUEUED)
        gate_withdraw(turn, task);
    for (size_t i = 0; i < container_count(task); i++) {
        struct container *container = task_container(task, i);
        if (container->state < CONTAINER_STARTING) /* its pull may go on: nobody waits for it */
            end_container(container, false, false);
        else if (container->state == CONTAINER_RUNNING)
            container->deadline_ns = BERTH_NS_NEVER; /* a start timeout has no object any more */
    }
    stop_more(turn, task);
}

/* A container that will never run: the task fails with it if it is essential. */
static void give_up(struct turn *turn, struct agent_task *task, size_t index, enum exit_cause cause)
{
    end_container(task_container(task, index), false, false);
    if (definition(task, index)->is_essential)
        lifecycle_stop(turn, task, cause);
}

/* One pass forward; true when a container was given up, which others may have waited for. */
static bool start_some(struct turn *turn, struct agent_task *task)
{
    for (size_t i = 0; i < container_count(task); i++) {
        if (task_container(task, i)->state != CONTAINER_WAITING)
            continue;
        switch (container_readiness(task, i)) {
        case READY:
            pull(turn, task, i);
            break;
        case NOT_YET:
            break;
        case NEVER:
            give_up(turn, task, i, EXIT_START_FAILED);
            return true;
        }
    }
    return false;
}

static bool is_settled(struct agent_task *task)
{
    for (size_t i = 0; i < container_count(task); i++)
        if (task_container(task, i)->state < CONTAINER_RUNNING)
            return false;
    return true;
}

static void start_more(struct turn *turn, struct agent_task *task)
{
    while (!task->is_stopping && start_some(turn, task))
        ;
    if (task->is_stopping)
        return;
    if (all_stopped(task)) { /* only when none of them was essential */
        finish(turn, task);
    } else if (!task->is_running_told && is_settled(task)) {
        task->started_ns = turn->now.wall_ns;
        report_running(turn, task);
    }
}

void lifecycle_start(struct turn *turn, struct agent_task *task)
{
    assert(task->stage == STAGE_GRANTED);
    start_more(turn, task);
}

/* startTimeout: how long others wait for this one to complete, counted from its own start. */
static void began(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    berth_ns timeout_ns = definition(task, index)->start_timeout_ns;
    container->state = CONTAINER_RUNNING;
    if (!task->is_stopping && timeout_ns != BERTH_NS_NEVER) {
        container->deadline_ns = deadline_after(turn, timeout_ns);
        watch_deadline(turn, task);
    }
}

static void exited(struct turn *turn, struct agent_task *task, size_t index, int32_t exit_code)
{
    end_container(task_container(task, index), true, exit_code == 0);
    if (!definition(task, index)->is_essential)
        return;
    if (!task->has_exit) {
        task->has_exit = true;
        task->exit_code = exit_code;
        task->stopped_ns = turn->now.wall_ns;
    }
    lifecycle_stop(turn, task, EXIT_ESSENTIAL);
}

/* False when the event does not fit the container's state: a repeat, or a late outcome. */
static bool apply(struct turn *turn, struct agent_task *task, const struct agent_event *event)
{
    size_t index = event->container;
    enum container_state state = task_container(task, index)->state;
    switch (event->kind) {
    case AGENT_EVENT_PULLED:
        if (state != CONTAINER_PULLING)
            return false;
        task->pull_stopped_ns = turn->now.wall_ns;
        task_container(task, index)->state = CONTAINER_STARTING;
        order(turn, task, index, AGENT_ACTION_START);
        return true;
    case AGENT_EVENT_PULL_FAILED:
        if (state != CONTAINER_PULLING)
            return false;
        task->pull_stopped_ns = turn->now.wall_ns;
        give_up(turn, task, index, EXIT_PULL_FAILED);
        return true;
    case AGENT_EVENT_STARTED:
        if (state != CONTAINER_STARTING)
            return false;
        began(turn, task, index);
        return true;
    case AGENT_EVENT_START_FAILED:
        if (state != CONTAINER_STARTING)
            return false;
        give_up(turn, task, index, EXIT_START_FAILED);
        return true;
    case AGENT_EVENT_EXITED:
        if (state < CONTAINER_STARTING || state == CONTAINER_STOPPED)
            return false;
        exited(turn, task, index, event->exit_code);
        return true;
    case AGENT_EVENT_TIMER:
    case AGENT_EVENT_MESSAGE:
    case AGENT_EVENT_CONNECTED:
    case AGENT_EVENT_DISCONNECTED:
    case AGENT_EVENT_HOST_RESTARTED:
    case AGENT_EVENT_KIND_COUNT:
        break;
    }
    return false;
}

void lifecycle_runtime(struct turn *turn, struct agent_task *task, const struct agent_event *event)
{
    if (task->stage != STAGE_GRANTED || event->container >= container_count(task) ||
        !apply(turn, task, event) || task->stage != STAGE_GRANTED)
        return;
    if (task->is_stopping)
        stop_more(turn, task);
    else
        start_more(turn, task);
}

/* A task none of whose containers was started yet begins again; any other has lost them. */
void lifecycle_host_restarted(struct turn *turn, struct agent_task *task)
{
    bool has_lost = task->is_stopping;
    if (task->stage != STAGE_GRANTED)
        return;
    for (size_t i = 0; i < container_count(task); i++) {
        const struct container *container = task_container(task, i);
        has_lost = has_lost || container->has_run ||
                   (container->state >= CONTAINER_STARTING && container->state < CONTAINER_STOPPED);
    }
    for (size_t i = 0; i < container_count(task); i++) {
        struct container *container = task_container(task, i);
        if (has_lost)
            end_container(container, container->has_run, container->succeeded);
        else if (container->state == CONTAINER_PULLING)
            pull(turn, task, i);
    }
    if (!has_lost)
        return;
    if (task->cause == EXIT_NONE)
        task->cause = EXIT_HOST_LOST;
    finish(turn, task);
}

static void give_up_dependents(struct turn *turn, struct agent_task *task, size_t on)
{
    for (size_t i = 0; i < container_count(task); i++) {
        const struct container_def *def = definition(task, i);
        if (task_container(task, i)->state != CONTAINER_WAITING)
            continue;
        for (uint16_t j = 0; j < def->depends_on_count; j++) {
            const struct container_dependency *dependency = &def->depends_on[j];
            if (dependency->container != on || dependency->condition == DEPENDS_START ||
                dependency->condition == DEPENDS_HEALTHY)
                continue;
            give_up(turn, task, i, EXIT_START_FAILED);
            break;
        }
    }
    if (!task->is_stopping)
        start_more(turn, task);
}

static void container_deadline(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    container->deadline_ns = BERTH_NS_NEVER;
    if (container->state == CONTAINER_TERMINATING) {
        container->state = CONTAINER_KILLED;
        order(turn, task, index, AGENT_ACTION_KILL);
    } else if (container->state == CONTAINER_RUNNING) {
        give_up_dependents(turn, task, index);
    }
}

void lifecycle_deadlines(struct turn *turn)
{
    for (struct agent_task *task = turn->agent->timed, *next; task != NULL; task = next) {
        next = task->next; /* the task may leave the list, or end and leave it */
        for (size_t i = 0; i < container_count(task); i++)
            if (task_container(task, i)->deadline_ns <= turn->now.mono_ns)
                container_deadline(turn, task, i);
    }
}

berth_ns lifecycle_next_deadline(struct agent *agent)
{
    berth_ns next_ns = BERTH_NS_NEVER;
    for (struct agent_task **at = &agent->timed; *at != NULL;) {
        struct agent_task *task = *at;
        berth_ns task_ns = BERTH_NS_NEVER;
        for (size_t i = 0; i < container_count(task); i++) {
            berth_ns deadline_ns = task_container(task, i)->deadline_ns;
            if (deadline_ns < task_ns)
                task_ns = deadline_ns;
        }
        if (task_ns == BERTH_NS_NEVER) { /* nothing left to wait for: off the list */
            *at = task->next;
            task->next = NULL;
            task->is_timed = false;
            continue;
        }
        if (task_ns < next_ns)
            next_ns = task_ns;
        at = &task->next;
    }
    return next_ns;
}
