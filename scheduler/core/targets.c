/*
 * A task's targets in its service's target groups, and its network interface (semantics 4.9, 3.1).
 *
 *     ACTIVATING     registration was asked for: a target is UNUSED until the answer
 *     RUNNING        INITIAL, HEALTHY, UNHEALTHY, as the load balancer says
 *     DEACTIVATING   deregistration was asked for: DRAINING until the answer UNUSED
 *
 * So the states tell what was asked and not answered yet, and a resume asks exactly that again; of
 * a RUNNING task it asks for the present state too, since a change may have been missed. A task
 * that ended by itself leaves its targets DRAINING behind: nobody waits for the answer.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/stopped.h"

enum { STATE_BITS = 3, STATE_MASK = 7 };

enum target_state target_state_of(const struct task *task, uint32_t at)
{
    return (enum target_state)(task->targets >> (at * STATE_BITS) & STATE_MASK);
}

static void set_state(struct task *task, uint32_t at, enum target_state state)
{
    unsigned shift = at * STATE_BITS;
    unsigned others = task->targets & ~((unsigned)STATE_MASK << shift);
    task->targets = (uint16_t)(others | (unsigned)state << shift);
}

bool targets_are_all(const struct task *task, enum target_state state)
{
    for (uint32_t i = 0; i < task->target_count; i++)
        if (target_state_of(task, i) != state)
            return false;
    return true;
}

bool targets_have_any(const struct task *task, enum target_state state)
{
    for (uint32_t i = 0; i < task->target_count; i++)
        if (target_state_of(task, i) == state)
            return true;
    return false;
}

symbol targets_first_unhealthy(const struct task *task)
{
    for (uint32_t i = 0; i < task->target_count; i++)
        if (target_state_of(task, i) == TARGET_UNHEALTHY)
            return task->target_groups[i];
    return SYMBOL_NONE;
}

void targets_set(struct controller *controller, struct task *task, const symbol *groups,
                 const enum target_state *states, uint32_t count)
{
    assert(count <= TARGET_GROUPS_MAX);
    task->target_groups = intern_bytes(controller, groups, count * sizeof *groups);
    task->target_count = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++)
        set_state(task, i, states[i]);
}

void targets_adopt(struct controller *controller, struct task *task)
{
    static const enum target_state unused[TARGET_GROUPS_MAX] = {TARGET_UNUSED};
    if (task->deployment != NULL)
        targets_set(controller, task, task->deployment->target_groups, unused,
                    task->deployment->target_group_count);
}

bool targets_are_left(const struct task *task)
{
    return targets_have_any(task, TARGET_DRAINING);
}

void targets_drain(struct task *task)
{
    for (uint32_t i = 0; i < task->target_count; i++)
        set_state(task, i, TARGET_DRAINING);
}

static void note(struct controller *controller, const struct task *task, symbol target_group,
                 enum service_event_kind kind)
{
    for (size_t i = 0; i < controller->target_notes.count; i++) {
        struct target_note *known = &controller->target_notes.items[i];
        if (known->service == task->service && known->deployment == task->deployment_number &&
            known->target_group == target_group && known->kind == kind) {
            known->count++;
            return;
        }
    }
    *vec_push(&controller->target_notes) =
        (struct target_note){task->service, task->deployment_number, target_group, kind, 1};
}

/* A service that is gone is not named any more. */
static struct request *request_for(struct controller *controller, const struct task *task,
                                   enum request_kind kind)
{
    return emit_request(controller, kind, task->deployment == NULL ? SERVICE_NONE : task->service,
                        task->deployment_number);
}

static void ask(struct controller *controller, const struct task *task, uint32_t at,
                enum request_kind kind)
{
    struct request *request = request_for(controller, task, kind);
    request->u.target.task = task->id;
    request->u.target.instance = task->instance;
    request->u.target.target_group = symbols_text(controller->symbols, task->target_groups[at]);
}

void targets_register(struct controller *controller, struct task *task)
{
    for (uint32_t i = 0; i < task->target_count; i++) {
        ask(controller, task, i, REQUEST_REGISTER_TARGET);
        note(controller, task, task->target_groups[i], SERVICE_EVENT_REGISTERED_TARGETS);
    }
}

void targets_deregister(struct controller *controller, struct task *task)
{
    for (uint32_t i = 0; i < task->target_count; i++) {
        ask(controller, task, i, REQUEST_DEREGISTER_TARGET);
        note(controller, task, task->target_groups[i], SERVICE_EVENT_DEREGISTERED_TARGETS);
    }
    note(controller, task, SYMBOL_NONE, SERVICE_EVENT_DRAINING);
}

void targets_tell(struct controller *controller, const struct service *service,
                  enum service_event_kind kind)
{
    size_t kept = 0;
    if (controller->target_notes.count == 0)
        return;
    for (size_t i = 0; i < controller->target_notes.count; i++) {
        struct target_note item = controller->target_notes.items[i];
        if (item.service != service->id || item.kind != kind) {
            controller->target_notes.items[kept++] = item;
            continue;
        }
        struct service_event event = {.kind = kind,
                                      .service = item.service,
                                      .deployment = item.deployment,
                                      .target_group = item.target_group,
                                      .count = item.count};
        emit_event(controller, &event);
    }
    controller->target_notes.count = kept;
}

void targets_tell_unhealthy(struct controller *controller, const struct task *task)
{
    for (uint32_t i = 0; task->is_unhealthy && i < task->target_count; i++) {
        if (target_state_of(task, i) != TARGET_UNHEALTHY)
            continue;
        struct service_event event = {.kind = SERVICE_EVENT_UNHEALTHY_TARGET,
                                      .service = task->service,
                                      .deployment = task->deployment_number,
                                      .tasks = &task->id,
                                      .task_count = 1,
                                      .target_group = task->target_groups[i]};
        emit_event(controller, &event);
    }
}

/* Its place among the task's groups, or TARGET_GROUPS_MAX. */
static uint32_t find_group(const struct controller *controller, const struct task *task,
                           const char *name)
{
    symbol group = name == NULL ? SYMBOL_NONE : symbols_find(controller->symbols, name);
    for (uint32_t i = 0; group != SYMBOL_NONE && i < task->target_count; i++)
        if (task->target_groups[i] == group)
            return i;
    return TARGET_GROUPS_MAX;
}

/* A registered target is in one of three states, and never INITIAL again once it was checked. */
static void take_state(struct controller *controller, struct task *task, uint32_t at,
                       enum target_state state)
{
    enum target_state before = target_state_of(task, at);
    if (state == before || state == TARGET_UNUSED || state == TARGET_DRAINING ||
        (state == TARGET_INITIAL && before != TARGET_UNUSED))
        return;
    bool was_unhealthy = task->is_unhealthy;
    task_uncount(task);
    set_state(task, at, state);
    task_assess(controller, task);
    task_count(task);
    if (task->status == TASK_ACTIVATING && !targets_have_any(task, TARGET_UNUSED)) {
        task_running(controller, task);
        return;
    }
    emit_task(controller, task, task->status, true);
    if (!was_unhealthy)
        targets_tell_unhealthy(controller, task);
    if (task->deployment != NULL)
        service_mark(controller, task->deployment->service);
}

static void take_end(struct controller *controller, struct task *task, uint32_t at)
{
    if (target_state_of(task, at) == TARGET_UNUSED)
        return;
    set_state(task, at, TARGET_UNUSED);
    if (task->status == TASK_DEACTIVATING && targets_are_all(task, TARGET_UNUSED))
        task_drained(controller, task);
    else
        emit_task(controller, task, task->status, false);
}

void targets_answer(struct controller *controller, const struct answer *answer)
{
    struct task *task = task_find(controller, answer->u.target.task);
    enum target_state state = answer->u.target.state;
    uint32_t at = task == NULL ? TARGET_GROUPS_MAX
                               : find_group(controller, task, answer->u.target.target_group);
    if (at == TARGET_GROUPS_MAX || (unsigned)state >= TARGET_STATE_COUNT)
        return;
    if (task->desired_running)
        take_state(controller, task, at, state);
    else if (state == TARGET_UNUSED)
        take_end(controller, task, at);
}

void interface_request(struct controller *controller, const struct task *task,
                       enum request_kind kind)
{
    struct request *request = request_for(controller, task, kind);
    request->u.interface.task = task->id;
    request->u.interface.instance = task->instance;
}

void interface_answer(struct controller *controller, const struct answer *answer)
{
    struct task *task = task_find(controller, answer->u.interface.task);
    bool is_attached = answer->u.interface.is_attached;
    if (task == NULL || task->instance == INSTANCE_NONE)
        return;
    if (task->status == TASK_PROVISIONING && is_attached) {
        task_attached(controller, task);
    } else if (task->status == TASK_PROVISIONING) {
        if (task->deployment != NULL) {
            service_start_failed(controller, task->deployment);
            deployment_task_failed(controller, task->deployment, FAILED_TO_START);
        }
        task_end(controller, task, STOP_TASK_FAILED_TO_START, STOP_REASON_INTERFACE_FAILED);
    } else if (task->status == TASK_DEPROVISIONING && !is_attached) {
        task_end(controller, task, task->stop_code, task->stop_reason);
    }
}

/* Whether a target's registration, or its end, may not have been heard of; or what became of it. */
static void resume_targets(struct controller *controller, const struct task *task)
{
    for (uint32_t i = 0; i < task->target_count; i++) {
        if (task->desired_running)
            ask(controller, task, i, REQUEST_REGISTER_TARGET);
        else if (target_state_of(task, i) == TARGET_DRAINING)
            ask(controller, task, i, REQUEST_DEREGISTER_TARGET);
        else
            continue;
        rule_fired(controller, RULE_RESUMED);
    }
}

/* Nobody waited for these: they are asked for as long as the task is remembered. */
static void resume_stopped(struct controller *controller, const struct stopped_task *task)
{
    for (uint32_t i = 0; task->leaves_targets && i < task->target_count; i++) {
        struct request *request =
            emit_request(controller, REQUEST_DEREGISTER_TARGET, SERVICE_NONE, task->deployment);
        request->u.target.task = task->id;
        request->u.target.instance = task->instance;
        request->u.target.target_group = symbols_text(controller->symbols, task->target_groups[i]);
        rule_fired(controller, RULE_RESUMED);
    }
    if (!task->leaves_interface)
        return;
    struct request *request =
        emit_request(controller, REQUEST_DETACH_INTERFACE, SERVICE_NONE, task->deployment);
    request->u.interface.task = task->id;
    request->u.interface.instance = task->instance;
    rule_fired(controller, RULE_RESUMED);
}

void targets_resume(struct controller *controller)
{
    struct stopped_task stopped;
    for (uint64_t place = 0; stopped_next(controller, &place, &stopped);)
        resume_stopped(controller, &stopped);
    for (const struct task *task = task_after(controller, TASK_NONE); task != NULL;
         task = task_after(controller, task->id)) {
        resume_targets(controller, task);
        if (task->instance == INSTANCE_NONE ||
            (task->status != TASK_PROVISIONING && task->status != TASK_DEPROVISIONING))
            continue;
        interface_request(controller, task,
                          task->status == TASK_PROVISIONING ? REQUEST_ATTACH_INTERFACE
                                                            : REQUEST_DETACH_INTERFACE);
        rule_fired(controller, RULE_RESUMED);
    }
}
