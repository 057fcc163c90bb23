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

/* The figures of `was` that only change here; of an unregistered instance nothing else is left. */
static struct instance_figures read_instance(const struct collect *collect,
                                             const struct instance *instance,
                                             const struct instance_figures *was)
{
    struct instance_figures is = {.zone = was->zone, .tasks = was->tasks};
    if (instance->status == INSTANCE_INACTIVE)
        return is;
    is.is_registered = true;
    is.is_in_use = was->tasks > 0;
    is.cpu_remaining = instance->cpu_remaining;
    is.mem_remaining = instance->mem_remaining;
    is.cpu_registered = instance->cpu_registered;
    is.mem_registered = instance->mem_registered;
    is.is_stranded = is_stranded(collect, not_negative(instance->cpu_remaining),
                                 not_negative(instance->mem_remaining));
    is.gpu_registered = (int32_t)instance->gpu_count * BERTH_GPU_MILLI;
    is.gpu_reserved = is.gpu_registered;
    for (uint16_t i = 0; i < instance->gpu_count; i++)
        is.gpu_reserved -= instance->gpu_free_milli[i];
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

/* Most changes of a task change nothing of its instance: RUNNING reserves what PENDING did. */
static bool is_as_it_was(const struct instance *instance, const struct instance_figures *was)
{
    return was->is_registered && instance->status != INSTANCE_INACTIVE &&
           instance->cpu_remaining == was->cpu_remaining &&
           instance->mem_remaining == was->mem_remaining && was->is_in_use == (was->tasks > 0) &&
           instance->cpu_registered == was->cpu_registered &&
           instance->mem_registered == was->mem_registered && instance->gpu_count == 0 &&
           was->gpu_registered == 0;
}

/* Reserved CPU in ten-thousandths of what is registered. */
int64_t collect_instance_load(const struct instance_figures *figures)
{
    int64_t reserved = (int64_t)figures->cpu_registered - figures->cpu_remaining;
    return figures->cpu_registered > 0 ? reserved * 10000 / figures->cpu_registered : 0;
}

static void change_level(struct collect *collect, berth_ns now_ns, enum level_name level,
                         int64_t change)
{
    if (change != 0)
        level_add(&collect->levels, level, now_ns, change);
}

static int64_t stranded(const struct instance_figures *figures, int32_t remaining)
{
    return figures->is_stranded ? not_negative(remaining) : 0;
}

static void change_levels(struct collect *collect, berth_ns now_ns,
                          const struct instance_figures *was, const struct instance_figures *is)
{
    int64_t cpu = (int64_t)is->cpu_registered - was->cpu_registered;
    int64_t mem = (int64_t)is->mem_registered - was->mem_registered;
    change_level(collect, now_ns, LEVEL_CPU_REGISTERED, cpu);
    change_level(collect, now_ns, LEVEL_MEM_REGISTERED, mem);
    change_level(collect, now_ns, LEVEL_CPU_RESERVED,
                 cpu - ((int64_t)is->cpu_remaining - was->cpu_remaining));
    change_level(collect, now_ns, LEVEL_MEM_RESERVED,
                 mem - ((int64_t)is->mem_remaining - was->mem_remaining));
    change_level(collect, now_ns, LEVEL_CPU_STRANDED,
                 stranded(is, is->cpu_remaining) - stranded(was, was->cpu_remaining));
    change_level(collect, now_ns, LEVEL_MEM_STRANDED,
                 stranded(is, is->mem_remaining) - stranded(was, was->mem_remaining));
    change_level(collect, now_ns, LEVEL_GPU_REGISTERED,
                 (int64_t)is->gpu_registered - was->gpu_registered);
    change_level(collect, now_ns, LEVEL_GPU_RESERVED,
                 (int64_t)is->gpu_reserved - was->gpu_reserved);
    change_level(collect, now_ns, LEVEL_INSTANCES_IN_USE, is->is_in_use - was->is_in_use);
}

/* `was` is what is known of it so far. */
static void read_again(struct collect *collect, berth_ns now_ns, instance_id id,
                       struct instance_figures *was)
{
    const struct instance *instance = cluster_instance(controller_cluster(collect->controller), id);
    if (is_as_it_was(instance, was))
        return;
    struct instance_figures is = read_instance(collect, instance, was);
    int64_t load = collect_instance_load(&is), load_before = collect_instance_load(was);
    change_levels(collect, now_ns, was, &is);
    collect->load_sum += load - load_before;
    collect->load_squares += load * load - load_before * load_before;
    collect->load_count += is.is_registered - was->is_registered;
    *was = is;
}

void collect_instance(struct collect *collect, berth_ns now_ns, instance_id id)
{
    read_again(collect, now_ns, id, instance_figures(collect, id));
}

enum task_trait {
    TRAIT_KNOWN = 1,
    TRAIT_PLACED = 2,
    TRAIT_WAITING = 4,
    TRAIT_RUNNING = 8,
    TRAIT_HAS_RUN = 16, /* it was seen RUNNING once */
    TRAIT_COUNTED = 32, /* in its service's zone counts */
};

/* The traits of a task that has not ended; they are there, perhaps not known yet. */
static uint8_t *traits_of(struct collect *collect, task_id task)
{
    size_t page = (size_t)(task / TASK_TRAITS);
    while (collect->tasks.count <= page)
        *vec_push(&collect->tasks) = NULL;
    struct task_traits **tasks = &collect->tasks.items[page];
    if (*tasks == NULL)
        *tasks = mem_alloc(sizeof **tasks);
    return &(*tasks)->traits[task % TASK_TRAITS];
}

void collect_prefetch(const struct collect *collect, task_id task, instance_id instance)
{
    size_t page = (size_t)(task / TASK_TRAITS);
    if (page < collect->tasks.count && collect->tasks.items[page] != NULL)
        __builtin_prefetch(&collect->tasks.items[page]->traits[task % TASK_TRAITS], 1);
    if (instance < collect->instances.count)
        __builtin_prefetch(&collect->instances.items[instance], 1);
}

static void add_task(struct collect *collect, berth_ns now_ns, const struct task_view *view)
{
    collect->tasks.items[view->task / TASK_TRAITS]->count++;
    collect->begun_ns += now_ns;
    level_add(&collect->levels, LEVEL_TASKS, now_ns, 1);
    if (collect->is_in_window && view->service != SERVICE_NONE)
        collect->requested++;
}

static void place_task(struct collect *collect, berth_ns now_ns, bool is_measured, bool is_daemon,
                       const struct task_view *view)
{
    if (!collect->is_in_window)
        return;
    collect->placed++;
    collect->starts += is_measured;
    if (!is_daemon)
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

static void remove_task(struct collect *collect, berth_ns now_ns, bool is_measured,
                        const struct task_view *view)
{
    struct task_traits **tasks = &collect->tasks.items[view->task / TASK_TRAITS];
    uint8_t *traits = &(*tasks)->traits[view->task % TASK_TRAITS];
    collect->ended_ns += now_ns;
    level_add(&collect->levels, LEVEL_TASKS, now_ns, -1);
    if (collect->is_in_window && is_measured) {
        collect->stops += view->instance != INSTANCE_NONE;
        collect->disturbed += (*traits & TRAIT_HAS_RUN) != 0;
    }
    count_end(collect, view);
    *traits = 0;
    if (--(*tasks)->count > 0)
        return;
    mem_free(*tasks);
    *tasks = NULL;
}

static void set_level(struct collect *collect, berth_ns now_ns, enum level_name level, bool was,
                      bool is)
{
    if (was != is)
        level_add(&collect->levels, level, now_ns, is ? 1 : -1);
}

/* A task of a service counts in its zone, or no longer. */
static void count_task(struct collect *collect, berth_ns now_ns, uint32_t service,
                       const struct task_view *view, bool is_counted)
{
    if (!is_counted && view->stop_reason == STOP_REASON_REBALANCING)
        collect_rebalanced(collect, service);
    collect_zone_count(collect, now_ns, service,
                       instance_figures(collect, view->instance)->zone - 1u, is_counted ? 1 : -1);
    if (is_counted && collect->is_in_window)
        collect_blast(collect, service,
                      cluster_group_tasks_on(controller_cluster(collect->controller), view->group,
                                             view->instance));
}

/* Once it is placed, every change of a task names its instance. */
void collect_task(struct collect *collect, berth_ns now_ns, const struct change *change)
{
    const struct task_view *view = &change->u.task;
    bool has_ended = view->last_status == TASK_STOPPED;
    if (view->previous_status == TASK_STOPPED)
        return; /* It ended an hour ago, and is forgotten now. */
    uint32_t service =
        view->service == SERVICE_NONE ? UINT32_MAX : collect_service_index(collect, view->service);
    bool is_measured = collect_is_measured(collect, service);
    bool is_daemon = service != UINT32_MAX && !is_measured;
    uint8_t *traits = traits_of(collect, view->task), was = *traits;
    bool is_placed = view->instance != INSTANCE_NONE;
    bool is_running = !has_ended && view->last_status == TASK_RUNNING;
    bool is_waiting = !has_ended && !is_placed;
    bool is_counted = !has_ended && is_placed && view->desired_running;
    assert(is_placed || (was & TRAIT_PLACED) == 0);
    *traits = (uint8_t)(TRAIT_KNOWN | (was & TRAIT_HAS_RUN) | (is_placed ? TRAIT_PLACED : 0) |
                        (is_waiting ? TRAIT_WAITING : 0) | (is_counted ? TRAIT_COUNTED : 0) |
                        (is_running ? TRAIT_RUNNING | TRAIT_HAS_RUN : 0));
    if ((was & TRAIT_KNOWN) == 0)
        add_task(collect, now_ns, view);
    story_task(collect->teller, service, view);
    if (is_placed && (was & TRAIT_PLACED) == 0)
        place_task(collect, now_ns, is_measured, is_daemon, view);
    set_level(collect, now_ns, LEVEL_WAITING, (was & TRAIT_WAITING) != 0, is_waiting);
    set_level(collect, now_ns, LEVEL_RUNNING, (was & TRAIT_RUNNING) != 0, is_running);
    if (is_measured && is_counted != ((was & TRAIT_COUNTED) != 0))
        count_task(collect, now_ns, service, view, is_counted);
    if (is_placed) {
        struct instance_figures *figures = instance_figures(collect, view->instance);
        figures->tasks += !is_daemon && (was & TRAIT_PLACED) == 0;
        figures->tasks -= !is_daemon && has_ended;
        read_again(collect, now_ns, view->instance, figures);
    }
    if (has_ended)
        remove_task(collect, now_ns, is_measured, view);
}
