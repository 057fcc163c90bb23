/* tasks.c -- the life of a task, from one change to the next. */
#include "sim/audit/audit_internal.h"

#define HEALTHY_AFTER_NS (40 * BERTH_NS_PER_S) /* semantics 4.2 */

struct audit_task *audit_find_task(struct audit *audit, task_id task)
{
    uint32_t slot = map_get(&audit->task_at, task);
    return slot == MAP_ABSENT ? NULL : &audit->tasks.items[slot];
}

static struct audit_task *add(struct audit *audit, const struct task_view *view)
{
    uint32_t slot;
    if (audit->free_tasks.count > 0) {
        slot = audit->free_tasks.items[--audit->free_tasks.count];
    } else {
        slot = (uint32_t)audit->tasks.count;
        (void)vec_push(&audit->tasks);
    }
    struct audit_task *task = &audit->tasks.items[slot];
    *task = (struct audit_task){
        .view = *view,
        .running_ns = BERTH_NS_NEVER,
        .launched_ns = audit->now_ns,
        .rules = audit->run_task_rules,
        .is_live = true,
    };
    /* What the new task was before: nowhere, wanted. */
    task->view.instance = INSTANCE_NONE;
    task->view.last_status = TASK_PROVISIONING;
    task->view.desired_running = true;
    task->view.version = 0;
    task->view.stop_code = STOP_NONE;
    map_put(&audit->task_at, view->task, slot);
    if (++audit->live_tasks > audit->live_most)
        audit->live_most = audit->live_tasks;
    if (view->service != SERVICE_NONE)
        services_add_task(audit, slot);
    return &audit->tasks.items[slot];
}

static void drop(struct audit *audit, task_id id)
{
    uint32_t slot = map_get(&audit->task_at, id);
    audit->tasks.items[slot].is_live = false;
    (void)map_remove(&audit->task_at, id);
    *vec_push(&audit->free_tasks) = slot;
}

static bool has_check(const struct task_def *def)
{
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].is_essential && container_def_has_health_check(&def->containers[i]))
            return true;
    return false;
}

/* By age, or by its containers' checks; of a service with load balancers, as the change says. */
bool task_is_healthy(struct audit *audit, const struct audit_task *task)
{
    const struct task_view *view = &task->view;
    const struct audit_service *service = audit_find_service(audit, view->service);
    if (!view->desired_running || view->last_status != TASK_RUNNING)
        return false;
    if (service != NULL && service->has_targets)
        return view->counts_as_healthy;
    if (has_check(view->def))
        return view->health == HEALTH_HEALTHY;
    return audit->now_ns - task->running_ns >= HEALTHY_AFTER_NS;
}

static void check_life(struct audit *audit, const struct audit_task *task,
                       const struct change *change)
{
    const struct task_view *was = &task->view, *is = &change->u.task;
    unsigned long long id = is->task;
    AUDIT_CHECK(audit, INVARIANT_FORWARD,
                is->last_status >= was->last_status && is->previous_status == was->last_status &&
                    (is->version == was->version + 1 || change->is_deleted) &&
                    (was->instance == INSTANCE_NONE || is->instance == was->instance),
                "task %llu went from %s version %u on instance %d to %s version %u on %d", id,
                task_status_names[was->last_status], was->version, (int)was->instance,
                task_status_names[is->last_status], is->version, (int)is->instance);
    AUDIT_CHECK(audit, INVARIANT_DESIRED_ONCE,
                (was->desired_running || !is->desired_running) &&
                    was->desired_running == is->was_desired_running &&
                    !(is->desired_running && is->last_status > TASK_RUNNING),
                "task %llu is %s, to run: %d, before: %d", id, task_status_names[is->last_status],
                is->desired_running, was->desired_running);
    AUDIT_CHECK(audit, INVARIANT_STOPPED_TOLD,
                is->desired_running ||
                    (is->stop_code != STOP_NONE && is->stop_reason != STOP_REASON_NONE &&
                     (was->stop_code == STOP_NONE || was->stop_code == is->stop_code)),
                "task %llu, %s, has the code \"%s\" and the reason %s", id,
                task_status_names[is->last_status], stop_code_names[is->stop_code],
                stop_reason_names[is->stop_reason]);
}

/* Its place is taken before, and given back after, what the change says of it. */
static void follow(struct audit *audit, struct audit_task *task, const struct task_view *is)
{
    enum task_status before = task->view.last_status;
    bool was_placed = task->view.instance != INSTANCE_NONE;
    bool was_wanted = task->view.desired_running;
    if (was_wanted && !is->desired_running) {
        if (was_placed)
            hosts_leave(audit, task);
        services_stopped(audit, task, is);
        task->stopping_ns = audit->now_ns;
    }
    task->view = *is;
    if (is->last_status == TASK_STOPPED) {
        if (was_placed && before != TASK_STOPPED)
            hosts_free(audit, task);
        return;
    }
    if (!was_placed && is->instance != INSTANCE_NONE) {
        hosts_check_place(audit, task);
        hosts_take(audit, task);
        phases_watch(audit, &audit->pending, is->task);
    }
    if (was_wanted && !is->desired_running)
        phases_watch(audit, &audit->stopping, is->task);
    if (is->last_status == TASK_RUNNING && before < TASK_RUNNING) {
        task->running_ns = audit->now_ns;
        services_running(audit, task);
    }
}

void tasks_changed(struct audit *audit, const struct change *change)
{
    const struct task_view *is = &change->u.task;
    struct audit_task *task = audit_find_task(audit, is->task);
    bool is_new = task == NULL;
    if (is_new && change->is_deleted && is->last_status == TASK_STOPPED)
        return; /* it had ended before the controller that forgets it now was loaded */
    if (is_new)
        task = add(audit, is);
    enum task_status before = task->view.last_status;
    check_life(audit, task, change);
    if (is_new && is->service != SERVICE_NONE)
        services_launched(audit, task);
    follow(audit, task, is);
    task->revision = change->revision;
    if (is->last_status == TASK_STOPPED && before != TASK_STOPPED) {
        audit->live_tasks--;
        if (is->service != SERVICE_NONE)
            services_drop_task(audit, map_get(&audit->task_at, is->task));
    }
    if (change->is_deleted)
        drop(audit, is->task);
}

static const struct task_view *changed_task(const struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE &&
            actions->items[i].u.change.kind == RECORD_TASK)
            return &actions->items[i].u.change.u.task;
    return NULL;
}

static bool is_acknowledged(const struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_SEND &&
            actions->items[i].u.send.kind == MESSAGE_REPORT_ACK)
            return true;
    return false;
}

/* Before the changes are read: what the message could rightly do, and what it did. */
void tasks_message(struct audit *audit, const struct event *event,
                   const struct action_list *actions)
{
    const struct message *message = &event->u.message;
    if (message->kind != MESSAGE_TASK_STATE)
        return;
    const struct task_report *report = &message->u.report;
    const struct audit_host *host = audit_find_host(audit, message->instance);
    struct audit_task *task = audit_find_task(audit, report->task);
    const struct task_view *changed = changed_task(actions);
    bool is_fenced = host == NULL || host->status == INSTANCE_INACTIVE || task == NULL ||
                     task->view.instance != message->instance ||
                     task->view.last_status == TASK_STOPPED;
    if (is_fenced)
        AUDIT_CHECK(audit, INVARIANT_FENCED, changed == NULL,
                    "instance %u reported task %llu, and task %llu changed", message->instance,
                    (unsigned long long)report->task, (unsigned long long)changed->task);
    if (task == NULL)
        return;
    uint64_t mark = message->seq << 8 | (uint64_t)report->status << 4 | (uint64_t)report->health;
    if (task->report_seq == mark)
        AUDIT_CHECK(audit, INVARIANT_REPEAT, changed == NULL,
                    "report %llu of instance %u about task %llu came again, and task %llu changed",
                    (unsigned long long)message->seq, message->instance,
                    (unsigned long long)report->task, (unsigned long long)changed->task);
    if (is_acknowledged(actions)) /* else it was throttled, and the agent says it again */
        task->report_seq = mark;
}

static void check_durable(struct audit *audit, const struct audit_task *task,
                          const struct controller *controller)
{
    struct task_view now;
    if (task->revision > audit->released_revision)
        return;
    bool is_there = controller_task(controller, task->view.task, &now);
    if (task->view.last_status == TASK_STOPPED && !is_there)
        return; /* what has ended is only described */
    AUDIT_CHECK(audit, INVARIANT_DURABLE,
                is_there && now.last_status == task->view.last_status &&
                    now.instance == task->view.instance &&
                    now.desired_running == task->view.desired_running,
                "task %llu was %s on instance %d, and is %s", (unsigned long long)task->view.task,
                task_status_names[task->view.last_status], (int)task->view.instance,
                is_there ? task_status_names[now.last_status] : "gone");
}

static void adopt(struct audit *audit, const struct audit_task *old, const struct task_view *view)
{
    struct audit_task *task = add(audit, view);
    if (old != NULL) {
        task->running_ns = old->running_ns;
        task->launched_ns = old->launched_ns;
        task->rules = old->rules;
        task->revision = old->revision;
    }
    task->view = *view;
    if (view->last_status >= TASK_RUNNING && task->running_ns == BERTH_NS_NEVER)
        task->running_ns = audit->now_ns;
    if (view->last_status == TASK_STOPPED) {
        audit->live_tasks--;
        if (view->service != SERVICE_NONE)
            services_drop_task(audit, map_get(&audit->task_at, view->task));
    } else if (view->instance != INSTANCE_NONE) {
        hosts_take(audit, task);
        if (!view->desired_running)
            hosts_leave(audit, task);
    }
}

/* The controller stands where the store was: so do the books, once what was released is found. */
void tasks_reloaded(struct audit *audit, const struct controller *controller)
{
    VEC(struct audit_task) old = VEC_INIT;
    struct map old_at = MAP_INIT;
    audit->controller = controller;
    for (size_t i = 0; i < audit->tasks.count; i++) {
        const struct audit_task *task = &audit->tasks.items[i];
        if (!task->is_live)
            continue;
        check_durable(audit, task, controller);
        map_put(&old_at, task->view.task, (uint32_t)old.count);
        *vec_push(&old) = *task;
    }
    services_reloaded(audit, controller);
    hosts_clear(audit);
    vec_clear(&audit->tasks);
    vec_clear(&audit->free_tasks);
    map_free(&audit->task_at);
    audit->live_tasks = 0;
    struct task_view view;
    for (task_id after = TASK_NONE; controller_next_task(controller, after, &view);
         after = view.task) {
        uint32_t at = map_get(&old_at, view.task);
        adopt(audit, at == MAP_ABSENT ? NULL : &old.items[at], &view);
    }
    vec_free(&old);
    map_free(&old_at);
}
