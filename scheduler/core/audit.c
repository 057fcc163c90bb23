/*
 * Everything that is kept in two places is counted again from the tasks and compared: lists,
 * figures of deployments and instances, reservations against the cluster's own audit, deadlines
 * against heaps. A difference is a defect, found at the step that made it.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/stopped.h"

static void audit_list(const struct task_list *list, enum task_list_kind kind)
{
    uint32_t count = 0;
    const struct task *before = NULL;
    for (const struct task *task = list->first; task != NULL; task = task->links[kind].next) {
        assert(task->links[kind].prev == before);
        assert(before == NULL || kind == LIST_QUEUE || before->id < task->id);
        before = task;
        count++;
    }
    assert(list->last == before && list->count == count);
}

static void audit_targets(const struct task *task)
{
    bool is_provisioned = task->def->demand.needs_eni && task->instance != INSTANCE_NONE;
    assert(task->status != TASK_PROVISIONING || task->instance == INSTANCE_NONE || is_provisioned);
    assert(task->status != TASK_DEPROVISIONING || is_provisioned);
    assert((task->status != TASK_ACTIVATING && task->status != TASK_DEACTIVATING) ||
           task->target_count > 0);
    assert(task->target_count == 0 || task->status >= TASK_ACTIVATING);
    assert(!task->is_unhealthy || !task->is_healthy || task->status != TASK_RUNNING);
    for (uint32_t i = 0; i < task->target_count; i++) {
        enum target_state state = target_state_of(task, i);
        if (task->status == TASK_RUNNING)
            assert(state != TARGET_UNUSED);
        assert((state != TARGET_DRAINING || !task->desired_running) &&
               (state == TARGET_DRAINING || state == TARGET_UNUSED || task->desired_running));
        assert(state != TARGET_DRAINING || task->status != TASK_STOPPING);
    }
}

static void audit_task(const struct controller *controller, const struct task *task)
{
    assert(task->status != TASK_STOPPED && task->id != TASK_NONE);
    assert(task->id <= controller->last_task);
    assert(task->instance == INSTANCE_NONE ||
           task->seq <= controller->hosts.items[task->instance].last_seq);
    assert(task->revision > 0 && task->revision <= controller->revision);
    assert(task_find(controller, task->id) == task);
    assert((task->status > TASK_RUNNING) == !task->desired_running);
    assert(task->desired_running == (task->stop_code == STOP_NONE));
    assert(task->instance != INSTANCE_NONE || task->status == TASK_PROVISIONING);
    audit_targets(task);
    assert(task->group < controller->groups.count);
    assert(controller->groups.items[task->group].exists);
    assert((task->service == SERVICE_NONE) == (task->deployment_number == 0));
    assert(task_is_protected(task) == heap_has(&controller->protections, task->slot));
    if (task_is_protected(task))
        assert(task->deployment != NULL && task->desired_running);
    if (task->status == TASK_RUNNING)
        assert(task->running_mono_ns != BERTH_NS_NEVER);
    if (task->deployment != NULL) {
        assert(task->deployment->number == task->deployment_number);
        assert(task->deployment->def == task->def);
        assert(task->deployment->service->id == task->service);
    }
    if (task->instance != INSTANCE_NONE) {
        const struct instance *instance = cluster_instance(controller->cluster, task->instance);
        assert(instance->status != INSTANCE_INACTIVE);
        if (task->service != SERVICE_NONE)
            assert(task->is_draining == (instance->status == INSTANCE_DRAINING));
    }
}

static void audit_host(const struct controller *controller, instance_id id)
{
    const struct host *host = &controller->hosts.items[id];
    const struct instance *instance = cluster_instance(controller->cluster, id);
    int64_t cpu_units = 0, mem_mib = 0;
    uint32_t running = 0, ordinary = 0;
    for (uint32_t i = 0; i < host->tasks.count; i++) {
        const struct task *task = host_task(controller, host, i);
        assert(task != NULL && (i == 0 || host->tasks.items[i - 1] < task->id));
        const struct service *service = task->deployment == NULL ? NULL : task->deployment->service;
        assert(task->instance == id);
        cpu_units += task->cpu_units;
        mem_mib += task->mem_mib;
        running += task->status == TASK_RUNNING;
        ordinary += service == NULL || service->scheduling != SCHEDULING_DAEMON;
    }
    assert(instance->cpu_remaining >= 0 && instance->mem_remaining >= 0);
    assert(instance->cpu_registered - cpu_units == instance->cpu_remaining);
    assert(instance->mem_registered - mem_mib == instance->mem_remaining);
    assert(instance->reserved_tasks == host->tasks.count);
    assert(host->running == running && instance->running_tasks == running);
    assert(host->ordinary == ordinary && !host->is_touched);
    assert(host->lost_ns == BERTH_NS_NEVER || !instance->is_agent_connected);
    assert((host->lost_ns != BERTH_NS_NEVER && !host->is_held) ==
           heap_has(&controller->host_deadlines, id));
    assert(host->is_held == heap_has(&controller->held, id));
}

static void audit_health(const struct task *task)
{
    assert(task->target_count == 0 || !is_healthy_by_age(task->deployment));
    if (!task->desired_running || task->status != TASK_RUNNING)
        return;
    assert(!task->is_unhealthy || !is_healthy_by_age(task->deployment));
    if (task->is_healthy && !is_healthy_by_age(task->deployment))
        assert(targets_are_all(task, TARGET_HEALTHY) && task->health != HEALTH_UNHEALTHY);
}

/* What is kept for a rollout is what a walk over the tasks finds. */
static void audit_candidates(const struct deployment *deployment)
{
    const struct victim *kept = deployment->candidates.items;
    size_t count = 0;
    if (!deployment->keeps_candidates) {
        assert(deployment->candidates.count == 0);
        return;
    }
    for (const struct task *task = deployment->tasks.first; task != NULL;
         task = task->links[LIST_OWNER].next) {
        if (!task->desired_running || !task->is_healthy)
            continue;
        assert(count < deployment->candidates.count && kept[count].task == task->id);
        assert(kept[count].instance == task->instance && !kept[count].is_protected &&
               kept[count].class_ == task_victim_class(task) &&
               kept[count].created_ns == task->created_wall_ns &&
               kept[count].demand == &task->def->demand);
        count++;
    }
    assert(count == deployment->candidates.count);
}

static void audit_deployment(const struct deployment *deployment)
{
    struct tally tally[2] = {{0}, {0}};
    uint32_t stopping = 0, young = 0;
    audit_list(&deployment->tasks, LIST_OWNER);
    audit_list(&deployment->young, LIST_QUEUE);
    audit_list(&deployment->unhealthy, LIST_QUEUE);
    for (const struct task *task = deployment->tasks.first; task != NULL;
         task = task->links[LIST_OWNER].next) {
        struct tally *figures = &tally[task->is_draining];
        assert(task->deployment == deployment);
        if (!task->desired_running)
            stopping++;
        else if (task->status < TASK_RUNNING)
            figures->pending++;
        else if (task->is_unhealthy)
            figures->unhealthy++;
        else if (task->is_healthy)
            figures->healthy++;
        else
            figures->young++;
        audit_health(task);
    }
    for (const struct task *task = deployment->young.first; task != NULL;
         task = task->links[LIST_QUEUE].next)
        young++;
    for (const struct task *task = deployment->unhealthy.first; task != NULL;
         task = task->links[LIST_QUEUE].next) {
        const struct task *next = task->links[LIST_QUEUE].next;
        assert(task->deployment == deployment && task->desired_running && task->is_unhealthy);
        assert(next == NULL || task->id < next->id);
    }
    assert(deployment->unhealthy.count == tally[0].unhealthy + tally[1].unhealthy);
    audit_candidates(deployment);
    assert(memcmp(tally, deployment->tally, sizeof tally) == 0);
    assert(stopping == deployment->stopping && young == deployment->young.count);
}

/* What is remembered: by number, told as it is, and only the live ones have tasks. */
static void audit_revisions(const struct controller *controller, const struct service *service)
{
    size_t live = 0;
    for (size_t i = 0; i < service->revisions.count; i++) {
        const struct deployment *deployment = service->revisions.items[i];
        struct deployment_view view = deployment_view_of(deployment);
        const struct deployment_view *told = &deployment->emitted;
        assert(deployment->service == service && deployment->plan != NULL);
        assert(i == 0 || service->revisions.items[i - 1]->number < deployment->number);
        assert(deployment->number <= controller->last_deployment);
        assert(deployment->is_live || deployment->tasks.count == 0);
        assert(view.rollout == told->rollout && view.status == told->status &&
               view.is_primary == told->is_primary && view.is_live == told->is_live &&
               view.running_count == told->running_count && view.source == told->source &&
               view.rolled_back_to == told->rolled_back_to &&
               view.scale_permille == told->scale_permille);
        live += deployment->is_live;
    }
    assert(live == service->deployments.count);
    const struct deployment *green = NULL;
    for (size_t i = 0; i < live && green == NULL; i++)
        if (service->deployments.items[i]->staging.is_active)
            green = service->deployments.items[i];
    assert(stages_green(service) == green);
}

static void audit_daemon(const struct service *service)
{
    uint32_t wanted = 0, blocked = 0;
    assert(service->daemon.checks.count == 0);
    for (instance_id id = 0; id < service->daemon.seats.count; id++) {
        const struct daemon_seat *seat = &service->daemon.seats.items[id];
        wanted += seat->is_wanted;
        blocked += seat->is_blocked;
        assert(!seat->is_queued);
        assert(seat->task == NULL || seat->task->instance == id);
        assert(seat->is_blocked == (seat->is_wanted && seat->task == NULL));
    }
    assert(wanted == service->daemon.wanted_count && blocked == service->daemon.blocked_count);
    assert(wanted == service->desired_count);
}

static uint32_t protected_of(const struct service *service)
{
    uint32_t count = 0;
    for (size_t i = 0; i < service->deployments.count; i++)
        for (const struct task *task = service->deployments.items[i]->tasks.first; task != NULL;
             task = task->links[LIST_OWNER].next)
            count += task_is_protected(task);
    return count;
}

static void audit_service(const struct controller *controller, const struct service *service)
{
    struct service_view view = service_view_of(service);
    bool is_external = service->controller == CONTROLLER_EXTERNAL;
    assert(is_external || service->deployments.count > 0);
    assert(!service->is_dirty && !service->is_new);
    assert(!service->is_record_dirty &&
           memcmp(&view.desired_count, &service->emitted.desired_count, 6 * sizeof(uint32_t)) == 0);
    assert(map_get(&controller->service_by_name, service->name) == service->id);
    assert(service->protected_count == protected_of(service));
    assert((service->weighted & service->clearing) == 0);
    assert(stages_green(service) == NULL || service->clearing == 0 ||
           stages_green(service)->staging.blue == 0);
    assert((service->deadline_ns != BERTH_NS_NEVER) ==
           heap_has(&controller->service_deadlines, service->id));
    for (size_t i = 0; i < service->deployments.count; i++) {
        const struct deployment *deployment = service->deployments.items[i];
        audit_deployment(deployment);
        assert(deployment->service == service && deployment->plan->users > 0);
        assert(deployment->is_live && !deployment->is_record_dirty);
        assert(deployment_find(service, deployment->number) == deployment);
        assert(i == 0 || deployment->tasks.count > 0 || sets_are_meant(service));
    }
    audit_revisions(controller, service);
    if (service->scheduling == SCHEDULING_DAEMON)
        audit_daemon(service);
}

/* What lacks room fits nowhere: capacity that appeared was offered to it. */
static void audit_no_room(const struct controller *controller, const struct plan *plan,
                          group_id group, symbol pool, const struct demand *demand)
{
    struct placement_request request = {
        .plan = plan->compiled, .demand = demand, .group = group, .pool = pool};
    for (instance_id id = 0; id < cluster_instance_count(controller->cluster); id++)
        assert(placement_check(controller->cluster, &request, id) != PLACEMENT_FITS);
}

static void audit_waiting(const struct controller *controller)
{
    uint32_t count = 0;
    audit_list(&controller->waiting.tasks, LIST_UNPLACED);
    for (uint32_t at = 0; at < controller->waiting.classes.count; at++) {
        const struct wait_class *class = &controller->waiting.classes.items[at];
        if (class->plan == NULL)
            continue;
        struct demand demand = task_demand(class->tasks.first);
        audit_no_room(controller, class->plan, class->group, class->pool, &demand);
        audit_list(&class->tasks, LIST_QUEUE);
        assert(class->tasks.count > 0 && class->plan->users > 0);
        for (const struct task *task = class->tasks.first; task != NULL;
             task = task->links[LIST_QUEUE].next)
            assert(task->wait_class == at && task->status == TASK_PROVISIONING);
        count += class->tasks.count;
    }
    assert(count == controller->waiting.tasks.count);
}

static void audit_watchful(const struct controller *controller)
{
    uint32_t watchful = 0;
    for (size_t i = 0; i < controller->waiting.classes.count; i++)
        if (controller->waiting.classes.items[i].plan != NULL)
            watchful += controller->waiting.classes.items[i].plan->has_member_of;
    for (size_t i = 0; i < controller->blocked.count; i++) {
        const struct service *service = controller->services.items[controller->blocked.items[i]];
        const struct deployment *primary = service->deployments.items[0];
        assert(service->blocked_since_ns != BERTH_NS_NEVER);
        audit_no_room(controller, primary->plan, service->group, SYMBOL_NONE,
                      &primary->def->demand);
        watchful += service->deployments.items[0]->plan->has_member_of;
    }
    assert(watchful == controller->watchful);
}

static uint32_t count_wanted(const struct controller *controller, symbol provider, symbol zone)
{
    uint32_t count = 0;
    for (const struct task *task = task_after(controller, TASK_NONE); task != NULL;
         task = task_after(controller, task->id))
        count += task->desired_running && task->provider == provider && task->zone == zone;
    return count;
}

static void audit_zones(const struct controller *controller, const struct provider *provider)
{
    for (size_t i = 0; i < provider->zones.count; i++) {
        const struct provider_zone *zone = &provider->zones.items[i];
        uint32_t sum = 0;
        for (group_id group = 0; group < controller->groups.count; group++) {
            uint32_t tasks = map_get(&zone->tasks, group);
            sum += tasks == MAP_ABSENT ? 0 : tasks;
        }
        assert(sum == count_wanted(controller, provider->name, zone->name));
        (void)sum;
    }
}

static void audit_provider(const struct controller *controller, const struct provider *provider)
{
    uint32_t busy = 0, leaving = 0, waiting = 0;
    for (uint32_t i = 0; i < provider->instances.count; i++) {
        instance_id id = provider->instances.items[i];
        const struct host *host = &controller->hosts.items[id];
        const struct instance *instance = cluster_instance(controller->cluster, id);
        assert(instance->pool == provider->name && instance->status != INSTANCE_INACTIVE);
        assert(host->provider_place == i);
        assert((host->leave == HOST_DRAINS) == heap_has(&controller->leave_deadlines, id));
        assert(host->leave != HOST_IS_ASKED || instance->status != INSTANCE_ACTIVE);
        leaving += host->leave != HOST_STAYS;
        busy += host->leave == HOST_STAYS && host->ordinary > 0;
    }
    for (const struct task *task = controller->waiting.tasks.first; task != NULL;
         task = task->links[LIST_UNPLACED].next)
        waiting += task->provider == provider->name;
    assert(busy == provider->busy && leaving == provider->leaving && waiting == provider->waiting);
    assert(!provider->is_dirty && !provider->is_changed);
    audit_zones(controller, provider);
}

static void audit_capacity(const struct controller *controller)
{
    uint32_t provisioning = 0;
    audit_list(&controller->machines, LIST_UNPLACED);
    for (const struct task *task = controller->machines.first; task != NULL;
         task = task->links[LIST_UNPLACED].next)
        assert(task->status == TASK_PROVISIONING && task->zone != SYMBOL_NONE);
    for (size_t i = 0; i < controller->providers.count; i++) {
        audit_provider(controller, &controller->providers.items[i]);
        provisioning += controller->providers.items[i].waiting;
    }
    assert(provisioning == controller->provisioning && !controller->is_capacity_dirty);
}

static void audit_stopped(const struct controller *controller)
{
    struct stopped_task task, found;
    berth_ns before_ns = 0;
    uint32_t count = 0;
    for (uint64_t place = 0; stopped_next(controller, &place, &task); count++) {
        assert(stopped_find(controller, task.id, &found));
        assert(found.id == task.id && found.revision == task.revision);
        assert(task.id <= controller->last_task && task.revision <= controller->revision);
        assert(task.stop_code != STOP_NONE && task.def != NULL);
        assert(task.stopped_mono_ns >= before_ns);
        before_ns = task.stopped_mono_ns;
    }
    assert(count == stopped_count(controller));
}

void controller_audit(const struct controller *controller)
{
    uint32_t live = 0, placed = 0, active = 0, missing = 0;
    assert(controller->dirty.count == 0 && controller->touched.count == 0);
    assert(!controller->needs_own_record);
    for (const struct task *task = task_after(controller, TASK_NONE); task != NULL;
         task = task_after(controller, task->id)) {
        audit_task(controller, task);
        live++;
    }
    for (instance_id id = 0; id < controller->hosts.count; id++) {
        audit_host(controller, id);
        placed += controller->hosts.items[id].tasks.count;
        if (cluster_instance(controller->cluster, id)->status != INSTANCE_ACTIVE)
            continue;
        active++;
        missing += controller->hosts.items[id].lost_ns != BERTH_NS_NEVER;
    }
    assert(active == controller->active_count && missing == controller->missing_count);
    assert(controller->held.items.count == 0 || brake_is_on(controller));
    assert(placed + controller->waiting.tasks.count + controller->machines.count == live);
    assert(controller->tasks.count == live + stopped_count(controller));
    audit_stopped(controller);
    for (size_t i = 0; i < controller->services.count; i++)
        if (controller->services.items[i] != NULL)
            audit_service(controller, controller->services.items[i]);
    audit_waiting(controller);
    audit_watchful(controller);
    scaling_audit(controller);
    audit_capacity(controller);
}
