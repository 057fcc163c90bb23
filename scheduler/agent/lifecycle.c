/*
 * A granted task's containers, from pull to exit.
 *
 *     WAITING -> PULLING -> STARTING -> RUNNING -> TERMINATING -> KILLED
 *        |          |          |           |            |           |
 *        |          |          ^           |            |           |
 *        |          |          +-----------+ restarted  |           |
 *        +----------+----------+-----------+------------+-----------+--> STOPPED
 *
 * Forward: a container is pulled when the conditions of its dependsOn are met, then started; ECS's
 * agent, too, lets the pull of a dependent wait. Backward, once the task stops: a container gets
 * its stop signal when every container that depends on it has stopped, and SIGKILL after its
 * stopTimeout. The task is over when all containers are. A container that can never start (its pull
 * or start failed, or what it depends on did) counts as stopped without having run, which ends the
 * task only if it is essential. Rules: "ECS scheduling semantics" 2.3 and 3.2.
 *
 * A runtime that does not answer an order in time is given up: the container counts as one that
 * could not be pulled or started. A container that exits by itself is started again in place when
 * its restartPolicy allows it, and its task stays what it was.
 */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>

#define EXIT_CODE_KILLED 137 /* 128 + SIGKILL */

enum readiness { READY, NOT_YET, NEVER };

static size_t container_count(const struct agent_task *task)
{
    return task->def->container_count;
}

static const struct container_def *definition(const struct agent_task *task, size_t index)
{
    return &task->def->containers[index];
}

static enum readiness dependency_readiness(const struct container *on,
                                           enum dependency_condition condition)
{
    bool is_stopped = on->state == CONTAINER_STOPPED;
    if (is_stopped && !on->has_run)
        return NEVER;
    switch (condition) {
    case DEPENDS_START:
        return on->has_run ? READY : NOT_YET;
    case DEPENDS_HEALTHY:
        return is_stopped ? NEVER : on->health == HEALTH_HEALTHY ? READY : NOT_YET;
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
    struct agent_action *action = turn_act(turn, kind, task->task);
    action->container = (uint16_t)index;
    action->place = task->number;
    action->payload = (struct task_payload){
        .task = task->task,
        .def = task->def,
        .group = task->group,
        .reference = task->reference,
        .cpu_units = task->cpu_units,
        .mem_mib = task->mem_mib,
        .grants = task->more != NULL ? task->more->grants : NULL,
        .grant_count = task->more != NULL ? task->more->grant_count : 0,
        .desired_running = !task->is_stopping,
    };
}

/* Only a restart asks when it was. */
static void note_start(const struct turn *turn, struct agent_task *task, size_t index)
{
    if (task->more != NULL)
        task->more->began_ns[index] = turn->now.mono_ns;
}

static void pull(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    container->state = CONTAINER_PULLING;
    deadline_set(turn, container, turn->agent->limits->pull_ns);
    if (task->pull_started_ns == 0)
        task->pull_started_ns = turn->now.wall_ns;
    order(turn, task, index, AGENT_ACTION_PULL);
}

static void start(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    container->state = CONTAINER_STARTING;
    container->health = HEALTH_UNKNOWN;
    note_start(turn, task, index);
    deadline_set(turn, container, turn->agent->limits->start_ns);
    order(turn, task, index, AGENT_ACTION_START);
}

static void end_container(struct turn *turn, struct container *container, bool has_run,
                          bool succeeded)
{
    deadline_clear(turn->agent, container);
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

static void finish(struct turn *turn, struct agent_task *task)
{
    task->is_stopping = true;
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
        timeout_ns = turn->agent->limits->stop_ns;
    container->state = CONTAINER_TERMINATING;
    deadline_set(turn, container, timeout_ns);
    order(turn, task, index, AGENT_ACTION_TERMINATE);
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
    task->cause = (uint8_t)cause;
    if (task->stage == STAGE_QUEUED)
        gate_withdraw(turn, task);
    for (size_t i = 0; i < container_count(task); i++) {
        struct container *container = task_container(task, i);
        if (container->state < CONTAINER_STARTING) /* its pull may go on: nobody waits for it */
            end_container(turn, container, false, false);
        else if (container->state == CONTAINER_RUNNING)
            deadline_clear(turn->agent, container); /* a start timeout has no object any more */
    }
    stop_more(turn, task);
}

/* A container that will not run, or not again: the task fails with it if it is essential. */
static void give_up(struct turn *turn, struct agent_task *task, size_t index, enum exit_cause cause)
{
    struct container *container = task_container(task, index);
    end_container(turn, container, container->has_run, false);
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
            give_up(turn, task, i, EXIT_DEPENDENCY);
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

/* startTimeout: how long others wait for this one, counted from its own start. */
static void began(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    berth_ns timeout_ns = definition(task, index)->start_timeout_ns;
    container->state = CONTAINER_RUNNING;
    container->has_run = true;
    note_start(turn, task, index);
    deadline_clear(turn->agent, container);
    if (!task->is_stopping && timeout_ns != BERTH_NS_NEVER)
        deadline_set(turn, container, timeout_ns);
}

static bool may_restart(const struct turn *turn, struct agent_task *task, size_t index,
                        int32_t exit_code)
{
    const struct restart_policy *policy = &definition(task, index)->restart;
    if (!policy->is_enabled || task->is_stopping ||
        turn->now.mono_ns - task->more->began_ns[index] < policy->attempt_period_ns)
        return false;
    for (uint16_t i = 0; i < policy->ignored_count; i++)
        if (policy->ignored_exit_codes[i] == exit_code)
            return false;
    return true;
}

/* The first essential exit is the task's. */
static void note_exit(struct turn *turn, struct agent_task *task, int32_t exit_code)
{
    if (task->has_exit)
        return;
    task->has_exit = true;
    task->exit_code = exit_code;
    task->stopped_ns = turn->now.wall_ns;
}

static void exited(struct turn *turn, struct agent_task *task, size_t index,
                   const struct agent_event *event)
{
    if (may_restart(turn, task, index, event->exit_code)) {
        task_container(task, index)->has_run = true;
        start(turn, task, index);
        return;
    }
    end_container(turn, task_container(task, index), true, event->exit_code == 0);
    if (!definition(task, index)->is_essential)
        return;
    note_exit(turn, task, event->exit_code);
    lifecycle_stop(turn, task, event->is_out_of_memory ? EXIT_OUT_OF_MEMORY : EXIT_ESSENTIAL);
}

/* Only of one that runs: an outcome of before a restart tells nothing about what runs now. */
static bool check_said(struct agent_task *task, size_t index, enum task_health health)
{
    struct container *container = task_container(task, index);
    if (container->state != CONTAINER_RUNNING || container->health == (uint8_t)health ||
        !container_def_has_health_check(definition(task, index)))
        return false;
    container->health = (uint8_t)health;
    return true;
}

/*
 * False when nothing more follows: a pull that is done, which nobody depends on, or an event that
 * does not fit the container's state, which is a repeat or a late outcome.
 */
static bool apply(struct turn *turn, struct agent_task *task, const struct agent_event *event)
{
    size_t index = event->container;
    enum container_state state = task_container(task, index)->state;
    switch (event->kind) {
    case AGENT_EVENT_PULLED:
        if (state != CONTAINER_PULLING)
            return false;
        task->pull_stopped_ns = turn->now.wall_ns;
        start(turn, task, index);
        return false;
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
        exited(turn, task, index, event);
        return true;
    case AGENT_EVENT_HEALTH:
        return check_said(task, index, event->health);
    case AGENT_EVENT_TIMER:
    case AGENT_EVENT_MESSAGE:
    case AGENT_EVENT_CONNECTED:
    case AGENT_EVENT_DISCONNECTED:
    case AGENT_EVENT_HOST_RESTARTED:
    case AGENT_EVENT_ENGINE_RESTARTED:
    case AGENT_EVENT_KIND_COUNT:
        break;
    }
    return false;
}

/* After anything that happened to a container. */
static void go_on(struct turn *turn, struct agent_task *task)
{
    if (task->is_stopping)
        stop_more(turn, task);
    else
        start_more(turn, task);
    health_roll_up(turn, task);
}

void lifecycle_runtime(struct turn *turn, struct agent_task *task, const struct agent_event *event)
{
    if (task->stage != STAGE_GRANTED || event->container >= container_count(task) ||
        !apply(turn, task, event) || task->stage != STAGE_GRANTED)
        return;
    go_on(turn, task);
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
            end_container(turn, container, container->has_run, container->succeeded);
        else if (container->state == CONTAINER_PULLING)
            pull(turn, task, i);
    }
    if (!has_lost)
        return;
    if (task->cause == EXIT_NONE)
        task->cause = EXIT_HOST_LOST;
    finish(turn, task);
}

/* They run on, but the engine has forgotten what their checks said. */
void lifecycle_engine_kept(struct turn *turn, struct agent_task *task)
{
    for (size_t i = 0; i < container_count(task); i++)
        task_container(task, i)->health = HEALTH_UNKNOWN;
    health_roll_up(turn, task);
}

/*
 * Every container that was there has exited, at once: so none of them is told to stop, and what is
 * decided first is whether the task lives on.
 */
void lifecycle_engine_lost(struct turn *turn, struct agent_task *task)
{
    bool is_over = task->is_stopping, is_gone[TASK_DEF_CONTAINERS_MAX];
    for (size_t i = 0; i < container_count(task); i++) {
        struct container *container = task_container(task, i);
        is_gone[i] =
            container->state >= CONTAINER_STARTING && container->state != CONTAINER_STOPPED;
        if (!is_gone[i] || may_restart(turn, task, i, EXIT_CODE_KILLED))
            continue;
        end_container(turn, container, true, false);
        if (definition(task, i)->is_essential) {
            note_exit(turn, task, EXIT_CODE_KILLED);
            is_over = true;
        }
    }
    for (size_t i = 0; i < container_count(task); i++) {
        struct container *container = task_container(task, i);
        if (is_over)
            end_container(turn, container, container->has_run, container->succeeded);
        else if (container->state == CONTAINER_PULLING)
            pull(turn, task, i);
        else if (is_gone[i] && container->state != CONTAINER_STOPPED)
            start(turn, task, i);
    }
    if (is_over)
        finish(turn, task);
    else
        go_on(turn, task);
}

static void give_up_dependents(struct turn *turn, struct agent_task *task, size_t on)
{
    for (size_t i = 0; i < container_count(task); i++) {
        const struct container_def *def = definition(task, i);
        if (task_container(task, i)->state != CONTAINER_WAITING)
            continue;
        for (uint16_t j = 0; j < def->depends_on_count; j++) {
            const struct container_dependency *dependency = &def->depends_on[j];
            if (dependency->container != on ||
                dependency_readiness(task_container(task, on), dependency->condition) == READY)
                continue;
            give_up(turn, task, i, EXIT_DEPENDENCY);
            break;
        }
    }
}

static void container_deadline(struct turn *turn, struct agent_task *task, size_t index)
{
    struct container *container = task_container(task, index);
    deadline_clear(turn->agent, container);
    switch ((enum container_state)container->state) {
    case CONTAINER_PULLING:
        give_up(turn, task, index, EXIT_TIMEOUT);
        break;
    case CONTAINER_STARTING: /* it may come up yet, and nobody would ever stop it */
        order(turn, task, index, AGENT_ACTION_KILL);
        give_up(turn, task, index, EXIT_TIMEOUT);
        break;
    case CONTAINER_RUNNING:
        give_up_dependents(turn, task, index);
        break;
    case CONTAINER_TERMINATING:
        container->state = CONTAINER_KILLED;
        order(turn, task, index, AGENT_ACTION_KILL);
        break;
    case CONTAINER_WAITING:
    case CONTAINER_KILLED:
    case CONTAINER_STOPPED:
        break;
    }
}

static void task_deadlines(struct turn *turn, struct agent_task *task)
{
    bool is_due = false;
    for (size_t i = 0; i < container_count(task) && task->stage == STAGE_GRANTED; i++)
        if (task_container(task, i)->deadline_ns <= turn->now.mono_ns) {
            container_deadline(turn, task, i);
            is_due = true;
        }
    if (is_due && task->stage == STAGE_GRANTED)
        go_on(turn, task);
}

/* Once more when a deadline has set another that is due at once, such as a stopTimeout of 0. */
void lifecycle_deadlines(struct turn *turn)
{
    struct agent *agent = turn->agent;
    while (agent->timed_ns <= turn->now.mono_ns) {
        for (size_t i = 0; i < agent->entry_count; i++)
            task_deadlines(turn, table_task(agent, i));
        deadline_refresh(agent);
    }
}
