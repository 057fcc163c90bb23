/*
 * collect_tasks.c -- tasks and instances, as the controller's changes tell of them.
 *
 * A change says what a task is now; what it was when it last was told of is kept here, so the
 * levels get the difference. An instance is read from the cluster itself whenever something on it
 * changed: many changes of one step find the same state, and all but the first add nothing.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/run/collect_internal.h"

static bool is_stranded(const struct collect *collect, int64_t cpu_units, int64_t mem_mib)
{
    for (size_t i = 0; i < collect->smallest.count; i++)
        if (collect->smallest.items[i].cpu_units <= cpu_units &&
            collect->smallest.items[i].mem_mib <= mem_mib)
            return false;
    return true;
}

static int64_t not_negative(int64_t value)
{
    return value > 0 ? value : 0;
}

static struct instance_figures read_instance(const struct collect *collect,
                                             const struct instance *instance,
                                             const struct instance_figures *was)
{
    struct instance_figures is = {.zone = was->zone, .tasks = was->tasks};
    if (instance->status == INSTANCE_INACTIVE)
        return is;
    int64_t cpu_free = not_negative(instance->cpu_remaining);
    int64_t mem_free = not_negative(instance->mem_remaining);
    is.is_registered = true;
    is.figure[LEVEL_CPU_REGISTERED] = instance->cpu_registered;
    is.figure[LEVEL_CPU_RESERVED] = instance->cpu_registered - instance->cpu_remaining;
    is.figure[LEVEL_MEM_REGISTERED] = instance->mem_registered;
    is.figure[LEVEL_MEM_RESERVED] = instance->mem_registered - instance->mem_remaining;
    if (is_stranded(collect, cpu_free, mem_free)) {
        is.figure[LEVEL_CPU_STRANDED] = cpu_free;
        is.figure[LEVEL_MEM_STRANDED] = mem_free;
    }
    is.figure[LEVEL_GPU_REGISTERED] = (int64_t)instance->gpu_count * BERTH_GPU_MILLI;
    is.figure[LEVEL_GPU_RESERVED] = is.figure[LEVEL_GPU_REGISTERED];
    for (uint16_t i = 0; i < instance->gpu_count; i++)
        is.figure[LEVEL_GPU_RESERVED] -= instance->gpu_free_milli[i];
    is.figure[LEVEL_INSTANCES_IN_USE] = was->tasks > 0;
    if (instance->cpu_registered > 0)
        is.load = is.figure[LEVEL_CPU_RESERVED] * 10000 / instance->cpu_registered;
    return is;
}

static uint32_t find_zone(const struct collect *collect, const char *name)
{
    for (uint32_t i = 0; i < collect->zone_count; i++)
        if (strcmp(collect->zones[i], name) == 0)
            return i + 1;
    return 1;
}

static struct instance_figures *instance_figures(struct collect *collect, instance_id id)
{
    while (collect->instances.count <= id)
        *vec_push(&collect->instances) = (struct instance_figures){0};
    struct instance_figures *figures = &collect->instances.items[id];
    if (figures->zone == 0) {
        struct cluster *cluster = controller_cluster(collect->controller);
        const char *name =
            symbols_text(cluster_symbols(cluster), cluster_instance(cluster, id)->zone);
        figures->zone = name == NULL ? 1 : find_zone(collect, name);
    }
    return figures;
}

uint32_t collect_zone(struct collect *collect, instance_id id)
{
    return instance_figures(collect, id)->zone - 1;
}

void collect_instance(struct collect *collect, berth_ns now_ns, instance_id id)
{
    struct instance_figures *was = instance_figures(collect, id);
    struct instance_figures is =
        read_instance(collect, cluster_instance(controller_cluster(collect->controller), id), was);
    for (uint32_t i = LEVEL_CPU_RESERVED; i <= LEVEL_INSTANCES_IN_USE; i++)
        if (is.figure[i] != was->figure[i])
            level_add(&collect->levels, i, now_ns, is.figure[i] - was->figure[i]);
    collect->load_sum += is.load - was->load;
    collect->load_squares += is.load * is.load - was->load * was->load;
    collect->load_count += is.is_registered - was->is_registered;
    *was = is;
}

static struct task_figures *find_task(struct collect *collect, task_id task)
{
    uint32_t slot = task_table_get(&collect->task_at, task);
    return slot == TASK_TABLE_ABSENT ? NULL : &collect->tasks.items[slot];
}

static struct task_figures *add_task(struct collect *collect, berth_ns now_ns,
                                     const struct task_view *view)
{
    uint32_t slot;
    if (collect->free_tasks.count > 0) {
        slot = collect->free_tasks.items[--collect->free_tasks.count];
    } else {
        slot = (uint32_t)collect->tasks.count;
        (void)vec_push(&collect->tasks);
    }
    task_table_put(&collect->task_at, view->task, slot);
    struct task_figures *task = &collect->tasks.items[slot];
    *task =
        (struct task_figures){.begun_ns = now_ns, .instance = INSTANCE_NONE, .service = UINT32_MAX};
    if (view->service != SERVICE_NONE)
        task->service = collect_service_index(collect, view->service);
    level_add(&collect->levels, LEVEL_TASKS, now_ns, 1);
    if (collect->is_in_window && view->service != SERVICE_NONE)
        collect->requested++;
    return task;
}

static void place_task(struct collect *collect, berth_ns now_ns, struct task_figures *task,
                       const struct task_view *view)
{
    task->instance = view->instance;
    task->zone = collect_zone(collect, view->instance);
    task->is_daemon = task->service != UINT32_MAX && !collect_is_measured(collect, task->service);
    collect->instances.items[view->instance].tasks += !task->is_daemon;
    if (!collect->is_in_window)
        return;
    collect->placed++;
    collect->starts += collect_is_measured(collect, task->service);
    if (!task->is_daemon)
        histogram_add(collect->waits, now_ns - view->requested_mono_ns);
}

/* What the end of a task says about the run: who ended it? */
static void count_end(struct collect *collect, const struct task_view *view)
{
    if (!collect->is_in_window)
        return;
    switch (view->stop_reason) {
    case STOP_REASON_HOST_TERMINATED:
    case STOP_REASON_HOST_LOST:
    case STOP_REASON_HOST_STOPPED:
    case STOP_REASON_DEREGISTERED:
    case STOP_REASON_INTERRUPTED:
        collect->killed++;
        break;
    case STOP_REASON_ESSENTIAL_EXIT:
    case STOP_REASON_PULL_FAILED:
    case STOP_REASON_START_FAILED:
    case STOP_REASON_INTERFACE_FAILED:
    case STOP_REASON_OUT_OF_MEMORY:
    case STOP_REASON_TIMEOUT:
    case STOP_REASON_DEPENDENCY:
    case STOP_REASON_UNHEALTHY_TARGET:
    case STOP_REASON_UNHEALTHY_CONTAINER:
        collect->restarted += view->service != SERVICE_NONE;
        break;
    case STOP_REASON_DRAINING:
    case STOP_REASON_REBALANCING:
        collect->moved += view->service != SERVICE_NONE;
        break;
    case STOP_REASON_CAPACITY:
        collect->refused++;
        collect->refused_by[view->verdict]++;
        break;
    case STOP_REASON_NONE:
    case STOP_REASON_SCALING:
    case STOP_REASON_DEPLOYMENT:
    case STOP_REASON_USER:
    case STOP_REASON_SERVICE_DELETED:
    case STOP_REASON_CONSTRAINT:
    case STOP_REASON_COUNT:
        break;
    }
}

static void remove_task(struct collect *collect, berth_ns now_ns, const struct task_view *view)
{
    uint32_t slot = task_table_get(&collect->task_at, view->task);
    collect->sojourn_ns += now_ns - collect->tasks.items[slot].begun_ns;
    level_add(&collect->levels, LEVEL_TASKS, now_ns, -1);
    task_table_remove(&collect->task_at, view->task);
    collect->tasks.items[slot].begun_ns = BERTH_NS_NEVER;
    *vec_push(&collect->free_tasks) = slot;
    const struct task_figures *task = &collect->tasks.items[slot];
    if (collect->is_in_window && collect_is_measured(collect, task->service)) {
        collect->stops += view->instance != INSTANCE_NONE;
        collect->disturbed += task->has_run;
    }
    count_end(collect, view);
}

static void set_flag(struct collect *collect, berth_ns now_ns, enum level_name level, bool *flag,
                     bool is)
{
    if (*flag != is)
        level_add(&collect->levels, level, now_ns, is ? 1 : -1);
    *flag = is;
}

void collect_task(struct collect *collect, berth_ns now_ns, const struct change *change)
{
    const struct task_view *view = &change->u.task;
    bool has_ended = view->last_status == TASK_STOPPED;
    if (view->previous_status == TASK_STOPPED)
        return; /* It ended an hour ago, and is forgotten now. */
    struct task_figures *task = find_task(collect, view->task);
    if (task == NULL)
        task = add_task(collect, now_ns, view);
    story_task(collect->teller, task->service, view);
    if (task->instance == INSTANCE_NONE && view->instance != INSTANCE_NONE)
        place_task(collect, now_ns, task, view);
    set_flag(collect, now_ns, LEVEL_WAITING, &task->is_waiting,
             !has_ended && view->instance == INSTANCE_NONE);
    set_flag(collect, now_ns, LEVEL_RUNNING, &task->is_running,
             !has_ended && view->last_status == TASK_RUNNING);
    task->has_run = task->has_run || task->is_running;
    bool is_counted = !has_ended && task->instance != INSTANCE_NONE && view->desired_running;
    if (collect_is_measured(collect, task->service) && is_counted != task->is_counted) {
        if (!is_counted && view->stop_reason == STOP_REASON_REBALANCING)
            collect_rebalanced(collect, task->service);
        collect_zone_count(collect, now_ns, task->service, task->zone, is_counted ? 1 : -1);
        if (is_counted && collect->is_in_window)
            collect_blast(collect, task->service,
                          cluster_group_tasks_on(controller_cluster(collect->controller),
                                                 view->group, view->instance));
    }
    task->is_counted = is_counted;
    if (has_ended && task->instance != INSTANCE_NONE)
        collect->instances.items[task->instance].tasks -= !task->is_daemon;
    if (task->instance != INSTANCE_NONE)
        collect_instance(collect, now_ns, task->instance);
    if (has_ended)
        remove_task(collect, now_ns, view);
}
