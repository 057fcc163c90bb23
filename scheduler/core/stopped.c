/*
 * Tasks that have ended, kept for exactly an hour (U20), in order of their end.
 *
 * A ring that grows: the first to end is the first to go. The table of tasks finds them too, by a
 * number with STOPPED_FLAG in place of a slot. What is kept is what describes a task, no more.
 */
#include "scheduler/core/stopped.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Never all ones with the flag, which would be ID_ABSENT. */
enum { NUMBER_MASK = 0x3fffffff, CAPACITY_FIRST = 64 };

static struct stopped_task *at_number(const struct stopped *stopped, uint64_t number)
{
    return &stopped->items[number & (stopped->capacity - 1)];
}

static void grow(struct stopped *stopped)
{
    struct stopped grown = {.first = stopped->first, .next = stopped->next};
    grown.capacity = stopped->capacity == 0 ? CAPACITY_FIRST : 2 * stopped->capacity;
    grown.items = mem_resize(NULL, grown.capacity, sizeof *grown.items);
    for (uint64_t number = stopped->first; number < stopped->next; number++)
        *at_number(&grown, number) = *at_number(stopped, number);
    mem_free(stopped->items);
    *stopped = grown;
}

void stopped_free(struct controller *controller)
{
    mem_free(controller->stopped_tasks.items);
}

uint32_t stopped_count(const struct controller *controller)
{
    return (uint32_t)(controller->stopped_tasks.next - controller->stopped_tasks.first);
}

const struct stopped_task *stopped_at(const struct controller *controller, uint32_t index)
{
    return at_number(&controller->stopped_tasks, controller->stopped_tasks.first + index);
}

struct stopped_task *stopped_push(struct controller *controller, task_id task)
{
    struct stopped *stopped = &controller->stopped_tasks;
    if (stopped->next - stopped->first == stopped->capacity)
        grow(stopped);
    id_table_put(&controller->tasks, task, STOPPED_FLAG | (uint32_t)(stopped->next & NUMBER_MASK));
    struct stopped_task *kept = at_number(stopped, stopped->next++);
    memset(kept, 0, sizeof *kept);
    kept->id = task;
    return kept;
}

void stopped_keep(struct controller *controller, const struct task *task, bool leaves_interface)
{
    struct stopped_task *kept = stopped_push(controller, task->id);
    kept->stopped_mono_ns = controller->now.mono_ns;
    kept->revision = task->revision;
    kept->reference = task->reference;
    kept->deployment = task->deployment_number;
    kept->def = task->def;
    kept->created_wall_ns = task->created_wall_ns;
    kept->pull_started_ns = task->pull_started_ns;
    kept->pull_stopped_ns = task->pull_stopped_ns;
    kept->started_ns = task->started_ns;
    kept->stopping_ns = task->stopping_ns;
    kept->stopped_ns = task->stopped_ns;
    kept->target_groups = task->target_groups;
    kept->service = task->service;
    kept->group = task->group;
    kept->instance = task->instance;
    kept->cpu_units = task->cpu_units;
    kept->mem_mib = task->mem_mib;
    kept->exit_code = task->exit_code;
    for (uint16_t i = 0; i < task->gpu_count; i++)
        kept->gpu_milli += task->gpus[i].milli;
    kept->version = task->version;
    kept->stop_text = task->stop_text;
    kept->provider = task->provider;
    kept->stop_code = (uint8_t)task->stop_code;
    kept->stop_reason = (uint8_t)task->stop_reason;
    kept->verdict = (uint8_t)task->verdict;
    kept->health = (uint8_t)task_health_of(task);
    kept->target_count = task->target_count;
    kept->leaves_targets = targets_are_left(task);
    kept->leaves_interface = leaves_interface;
}

const struct stopped_task *stopped_find(const struct controller *controller, task_id task)
{
    const struct stopped *stopped = &controller->stopped_tasks;
    uint32_t slot = id_table_get(&controller->tasks, task);
    if (slot == ID_ABSENT || (slot & STOPPED_FLAG) == 0)
        return NULL;
    uint32_t after = (slot - (uint32_t)(stopped->first & NUMBER_MASK)) & NUMBER_MASK;
    return at_number(stopped, stopped->first + after);
}

struct task_view stopped_view(const struct stopped_task *kept)
{
    return (struct task_view){
        .task = kept->id,
        .instance = kept->instance,
        .service = kept->service,
        .group = kept->group,
        .def = kept->def,
        .deployment = kept->deployment,
        .reference = kept->reference,
        .last_status = TASK_STOPPED,
        .previous_status = TASK_STOPPED,
        .stop_code = (enum stop_code)kept->stop_code,
        .stop_reason = (enum stop_reason)kept->stop_reason,
        .stop_text = kept->stop_text,
        .provider = kept->provider,
        .verdict = (enum placement_verdict)kept->verdict,
        .exit_code = kept->exit_code,
        .cpu_units = kept->cpu_units,
        .mem_mib = kept->mem_mib,
        .gpu_milli = kept->gpu_milli,
        .version = kept->version,
        .created_wall_ns = kept->created_wall_ns,
        .pull_started_ns = kept->pull_started_ns,
        .pull_stopped_ns = kept->pull_stopped_ns,
        .started_ns = kept->started_ns,
        .stopping_ns = kept->stopping_ns,
        .stopped_ns = kept->stopped_ns,
        .health = (enum task_health)kept->health,
        .previous_health = (enum task_health)kept->health,
    };
}

bool controller_stopped_task(const struct controller *controller, task_id task,
                             struct task_view *out)
{
    const struct stopped_task *kept = stopped_find(controller, task);
    if (kept == NULL)
        return false;
    *out = stopped_view(kept);
    return true;
}

uint32_t controller_stopped_count(const struct controller *controller)
{
    return stopped_count(controller);
}

berth_ns stopped_deadline(const struct controller *controller)
{
    if (stopped_count(controller) == 0)
        return BERTH_NS_NEVER;
    return stopped_at(controller, 0)->stopped_mono_ns + STOPPED_KEPT_NS;
}

void stopped_timer(struct controller *controller)
{
    while (stopped_deadline(controller) <= controller->now.mono_ns) {
        const struct stopped_task *kept = stopped_at(controller, 0);
        struct task_view view = stopped_view(kept);
        id_table_remove(&controller->tasks, kept->id);
        controller->stopped_tasks.first++;
        emit_task_gone(controller, &view);
    }
}

static int by_revision(const void *left, const void *right)
{
    uint64_t a = ((const struct stopped_task *)left)->revision;
    uint64_t b = ((const struct stopped_task *)right)->revision;
    return (a > b) - (a < b);
}

/* Pushed since it was made, nothing has gone yet: the ring is an array from its beginning. */
bool stopped_settle(struct controller *controller)
{
    struct stopped *stopped = &controller->stopped_tasks;
    berth_ns before_ns = 0;
    assert(stopped->first == 0);
    if (stopped->next == 0)
        return true;
    qsort(stopped->items, stopped->next, sizeof *stopped->items, by_revision);
    for (uint32_t i = 0; i < stopped->next; i++) {
        id_table_put(&controller->tasks, stopped->items[i].id, STOPPED_FLAG | i);
        if (stopped->items[i].stopped_mono_ns < before_ns)
            return false;
        before_ns = stopped->items[i].stopped_mono_ns;
    }
    return true;
}
