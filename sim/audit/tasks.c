/* tasks.c -- the life of a task, from one change to the next. */
#include <string.h>

#include "sim/audit/audit_internal.h"

#define HEALTHY_AFTER_NS (40 * BERTH_NS_PER_S) /* semantics 4.2 */

static uint32_t slot_of(struct audit *audit, task_id task)
{
    struct audit_recent *recent = &audit->recent[task % AUDIT_RECENT];
    if (recent->task == task && recent->place != 0)
        return recent->place - 1;
    uint32_t slot = id_table_get(&audit->task_at, task);
    if (slot != ID_ABSENT)
        *recent = (struct audit_recent){task, slot + 1};
    return slot;
}

struct audit_task *audit_find_task(struct audit *audit, task_id task)
{
    uint32_t slot = slot_of(audit, task);
    return slot == ID_ABSENT ? NULL : task_at(audit, slot);
}

void tasks_prefetch(struct audit *audit, task_id task)
{
    const struct audit_task *found = audit_find_task(audit, task);
    if (found != NULL)
        audit_prefetch(found, sizeof *found);
}

static bool has_check(const struct task_def *def)
{
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].is_essential && container_def_has_health_check(&def->containers[i]))
            return true;
    return false;
}

static void note(struct audit_task *task, const struct task_view *is)
{
    task->def = is->def;
    task->deployment = is->deployment;
    task->instance = is->instance;
    task->service = is->service;
    task->group = is->group;
    task->version = is->version;
    task->cpu_units = is->cpu_units;
    task->mem_mib = is->mem_mib;
    task->gpu_milli = is->gpu_milli;
    task->last_status = (uint8_t)is->last_status;
    task->stop_code = (uint8_t)is->stop_code;
    task->health = (uint8_t)is->health;
    task->desired_running = is->desired_running;
    task->counts_as_healthy = is->counts_as_healthy;
    task->is_protected = is->is_protected;
}

static struct audit_task *add(struct audit *audit, const struct task_view *view)
{
    uint32_t slot = pool_take(&audit->tasks);
    struct audit_task *task = task_at(audit, slot);
    *task = (struct audit_task){
        .task = view->task,
        .slot = slot,
        .running_ns = BERTH_NS_NEVER,
        .rules = audit->run_task_rules,
        .has_check = has_check(view->def),
        .is_live = true,
    };
    note(task, view);
    /* What the new task was before: nowhere, wanted. */
    task->instance = INSTANCE_NONE;
    task->last_status = TASK_PROVISIONING;
    task->desired_running = true;
    task->version = 0;
    task->stop_code = STOP_NONE;
    id_table_put(&audit->task_at, view->task, slot);
    if (view->task > audit->newest_task)
        audit->newest_task = view->task;
    if (++audit->live_tasks > audit->live_most)
        audit->live_most = audit->live_tasks;
    if (view->service != SERVICE_NONE)
        services_add_task(audit, task);
    return task;
}

static void drop(struct audit *audit, struct audit_task *task)
{
    task->is_live = false;
    id_table_remove(&audit->task_at, task->task);
    audit->recent[task->task % AUDIT_RECENT].place = 0;
    pool_give(&audit->tasks, task->slot);
}

/* One without checks is healthy by its age. All grow old alike, so only the first is looked at. */
void tasks_grow_old(struct audit *audit)
{
    struct audit_fifo *fifo = &audit->young;
    while (fifo->first < fifo->items.count &&
           audit->now_ns - fifo->items.items[fifo->first].since_ns >= HEALTHY_AFTER_NS) {
        struct audit_task *task = audit_find_task(audit, fifo->items.items[fifo->first++].task);
        if (task == NULL || task->last_status != TASK_RUNNING ||
            audit->now_ns - task->running_ns < HEALTHY_AFTER_NS)
            continue;
        services_count(audit, task, -1);
        task->is_old = true;
        services_count(audit, task, 1);
    }
}

static void check_life(struct audit *audit, const struct audit_task *task,
                       const struct change *change)
{
    const struct audit_task *was = task;
    const struct task_view *is = &change->u.task;
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

static void begin_running(struct audit *audit, struct audit_task *task)
{
    task->running_ns = audit->now_ns;
    task->is_old = false;
    if (task->service == SERVICE_NONE)
        return;
    if (!task->has_check)
        phases_watch(audit, &audit->young, task->task);
    services_running(audit, task);
}

/* Its place is taken before, and given back after, what the change says of it. */
static void follow(struct audit *audit, struct audit_task *task, const struct task_view *is)
{
    enum task_status before = (enum task_status)task->last_status;
    bool was_placed = task->instance != INSTANCE_NONE;
    bool was_wanted = task->desired_running;
    if (was_wanted && !is->desired_running) {
        if (was_placed)
            hosts_leave(audit, task);
        services_stopped(audit, task, is);
    }
    services_count(audit, task, -1);
    note(task, is);
    if (is->last_status == TASK_RUNNING && before < TASK_RUNNING)
        begin_running(audit, task);
    services_count(audit, task, 1);
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
}

void tasks_changed(struct audit *audit, const struct change *change)
{
    const struct task_view *is = &change->u.task;
    struct audit_task *task =
        is->task > audit->newest_task ? NULL : audit_find_task(audit, is->task);
    bool is_new = task == NULL;
    if (is_new && change->is_deleted && is->last_status == TASK_STOPPED)
        return; /* it had ended before the controller that forgets it now was loaded */
    if (is_new)
        task = add(audit, is);
    enum task_status before = (enum task_status)task->last_status;
    check_life(audit, task, change);
    if (is_new && is->service != SERVICE_NONE)
        services_launched(audit, task);
    follow(audit, task, is);
    task->revision = change->revision;
    if (is->last_status == TASK_STOPPED && before != TASK_STOPPED) {
        audit->live_tasks--;
        if (is->service != SERVICE_NONE)
            services_drop_task(audit, task);
    }
    if (change->is_deleted)
        drop(audit, task);
}

/* What the message could rightly do, and what it did. */
void tasks_message(struct audit *audit, const struct message *message,
                   const struct audit_step *step)
{
    if (message->kind != MESSAGE_TASK_STATE)
        return;
    const struct task_report *report = &message->u.report;
    const struct audit_host *host = audit_find_host(audit, message->instance);
    struct audit_task *task = audit_find_task(audit, report->task);
    const struct task_view *changed = step->changed;
    bool is_fenced = host == NULL || host->status == INSTANCE_INACTIVE || task == NULL ||
                     task->instance != message->instance || task->last_status == TASK_STOPPED;
    if (is_fenced)
        AUDIT_CHECK(audit, INVARIANT_FENCED, changed == NULL,
                    "instance %u reported task %llu, and task %llu changed", message->instance,
                    (unsigned long long)report->task, (unsigned long long)changed->task);
    if (task == NULL)
        return;
    uint64_t mark = message->seq << 8 | (uint64_t)report->status << 4 | (uint64_t)report->health;
    if (task->report_mark == mark)
        AUDIT_CHECK(audit, INVARIANT_REPEAT, changed == NULL,
                    "report %llu of instance %u about task %llu came again, and task %llu changed",
                    (unsigned long long)message->seq, message->instance,
                    (unsigned long long)report->task, (unsigned long long)changed->task);
    if (step->is_acknowledged) /* else it was throttled, and the agent says it again */
        task->report_mark = mark;
}

static void check_durable(struct audit *audit, const struct audit_task *task,
                          const struct controller *controller)
{
    struct task_view now;
    if (task->revision > audit->released_revision)
        return;
    bool is_there = controller_task(controller, task->task, &now);
    if (task->last_status == TASK_STOPPED && !is_there)
        return; /* what has ended is only described */
    AUDIT_CHECK(audit, INVARIANT_DURABLE,
                is_there && now.last_status == task->last_status &&
                    now.instance == task->instance && now.desired_running == task->desired_running,
                "task %llu was %s on instance %d, and is %s", (unsigned long long)task->task,
                task_status_names[task->last_status], (int)task->instance,
                is_there ? task_status_names[now.last_status] : "gone");
}

static void adopt(struct audit *audit, const struct audit_task *old, const struct task_view *view)
{
    struct audit_task *task = add(audit, view);
    if (old != NULL) {
        task->running_ns = old->running_ns;
        task->is_old = old->is_old;
        task->rules = old->rules;
        task->revision = old->revision;
    }
    services_count(audit, task, -1);
    note(task, view);
    if (view->last_status >= TASK_RUNNING && task->running_ns == BERTH_NS_NEVER) {
        task->running_ns = audit->now_ns;
        phases_watch(audit, &audit->young, view->task);
    }
    services_count(audit, task, 1);
    if (view->last_status == TASK_STOPPED) {
        audit->live_tasks--;
        if (view->service != SERVICE_NONE)
            services_drop_task(audit, task);
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
    struct id_table old_at = {.count = 0};
    audit->controller = controller;
    for (uint32_t i = 0; i < audit->tasks.count; i++) {
        const struct audit_task *task = task_at(audit, i);
        if (!task->is_live)
            continue;
        check_durable(audit, task, controller);
        id_table_put(&old_at, task->task, (uint32_t)old.count);
        *vec_push(&old) = *task;
    }
    services_reloaded(audit, controller);
    hosts_clear(audit);
    pool_free(&audit->tasks);
    id_table_free(&audit->task_at);
    memset(audit->recent, 0, sizeof audit->recent);
    audit->newest_task = TASK_NONE;
    audit->live_tasks = 0;
    struct task_view view;
    for (task_id after = TASK_NONE; controller_next_task(controller, after, &view);
         after = view.task) {
        uint32_t at = id_table_get(&old_at, view.task);
        adopt(audit, at == ID_ABSENT ? NULL : &old.items[at], &view);
    }
    vec_free(&old);
    id_table_free(&old_at);
}
