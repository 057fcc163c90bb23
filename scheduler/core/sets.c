/*
 * One pass over a service whose deployments stand side by side, each with a count of its own: the
 * revisions of a blue/green deployment and its kin (stages.c), the task sets of an EXTERNAL service
 * (task_sets.c). Within one set what is on a draining instance is replaced under floor and ceiling,
 * as in reconcile.c; between sets nothing rolls by itself.
 */
#include "scheduler/core/controller_internal.h"

bool sets_are_meant(const struct service *service)
{
    return service->controller == CONTROLLER_EXTERNAL || stages_green(service) != NULL;
}

static uint32_t alive_of(const struct deployment *deployment)
{
    uint32_t alive = 0;
    for (int draining = 0; draining < 2; draining++) {
        const struct tally *tally = &deployment->tally[draining];
        alive += tally->pending + tally->young + tally->healthy + tally->unhealthy;
    }
    return alive;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Green, blue, and what is left of others. */
static uint32_t staged_count(const struct deployment *deployment, const struct deployment *green)
{
    const struct service *service = deployment->service;
    const struct staging *staging = &green->staging;
    bool is_stalled = green->rollout == ROLLOUT_FAILED && !staging->is_reversing;
    if (is_stalled)
        return least(alive_of(deployment), service->desired_count);
    if (deployment == green && staging->is_reversing)
        return staging->stage == STAGE_CLEAN_UP ? 0
                                                : least(alive_of(green), service->desired_count);
    if (deployment == green)
        return staging->stage >= STAGE_SCALE_UP ? service->desired_count : 0;
    if (deployment->number == staging->blue)
        return !staging->is_reversing && staging->stage == STAGE_CLEAN_UP ? 0
                                                                          : service->desired_count;
    bool waits = staging->listeners[0].is_pending || staging->listeners[1].is_pending;
    return waits && staging->stage == STAGE_RECONCILE_SERVICE ? alive_of(deployment) : 0;
}

uint32_t deployment_wanted(const struct deployment *deployment)
{
    const struct service *service = deployment->service;
    const struct deployment *green = stages_green(service);
    if (!deployment->is_live)
        return 0;
    if (service->controller == CONTROLLER_EXTERNAL)
        return task_set_count(deployment);
    if (green != NULL)
        return staged_count(deployment, green);
    return deployment == service->deployments.items[0] ? service->desired_count : 0;
}

/* Every set has what it should, and nothing is on its way. */
bool sets_are_calm(const struct service *service)
{
    for (size_t i = 0; i < service->deployments.count; i++) {
        const struct deployment *deployment = service->deployments.items[i];
        const struct tally *kept = &deployment->tally[0];
        if (deployment->tasks.count != kept->healthy ||
            kept->healthy != deployment_wanted(deployment))
            return false;
    }
    return true;
}

static struct rollout_counts counts_of(const struct deployment *deployment, uint32_t wanted)
{
    const struct tally *kept = &deployment->tally[0], *draining = &deployment->tally[1];
    return (struct rollout_counts){.desired = wanted,
                                   .kept = kept->pending + kept->young + kept->healthy +
                                           kept->unhealthy,
                                   .kept_healthy = kept->healthy,
                                   .outgoing_pending = draining->pending,
                                   .outgoing_young = draining->young + draining->unhealthy,
                                   .outgoing_healthy = draining->healthy,
                                   .counted = deployment->tasks.count};
}

static void stop_matching(struct controller *controller, struct deployment *deployment,
                          uint32_t count, bool is_draining, bool is_any_status)
{
    if (count == 0)
        return;
    service_clear_victims(controller);
    for (struct task *task = deployment->tasks.first; task != NULL;
         task = task->links[LIST_OWNER].next)
        if (task->desired_running && task->is_draining == is_draining &&
            (is_any_status || task->is_healthy))
            service_add_victim(controller, task);
    service_stop_victims(controller, deployment, count, !is_draining);
}

static void stop_some(struct controller *controller, struct deployment *deployment, uint32_t wanted)
{
    const struct service *service = deployment->service;
    struct rollout_counts counts = counts_of(deployment, wanted);
    struct rollout_bounds bounds =
        rollout_bounds(wanted, service->minimum_percent, service->maximum_percent);
    struct rollout_stops stops = rollout_stops(&counts, bounds);
    uint32_t draining = stops.healthy;
    if (stops.pending)
        draining += counts.outgoing_pending;
    if (stops.young)
        draining += counts.outgoing_young;
    stop_matching(controller, deployment, draining, true, stops.pending || stops.young);
    stop_matching(controller, deployment, stops.surplus, false, true);
}

static void start_some(struct controller *controller, struct deployment *deployment,
                       uint32_t wanted)
{
    struct service *service = deployment->service;
    struct rollout_counts counts = counts_of(deployment, wanted);
    uint32_t missing = rollout_starts(
        &counts, rollout_bounds(wanted, service->minimum_percent, service->maximum_percent));
    uint32_t left = rate_left(controller, service);
    if (deployment->throttled_until_ns > controller->now.mono_ns ||
        deployment->rollout == ROLLOUT_FAILED)
        return;
    if (missing > left) {
        rule_fired(controller, RULE_LAUNCH_RATE);
        missing = left;
    }
    if (deployment->providers.count > 0) {
        capacity_start_some(controller, deployment, missing);
        return;
    }
    struct placement_request request =
        task_request(controller, deployment->plan, service->group, &deployment->def->demand);
    for (; missing > 0; missing--) {
        instance_id instance = placement_choose(controller->cluster, &request);
        if (instance == INSTANCE_NONE)
            break;
        (void)service_launch(controller, deployment, instance);
    }
    if (missing > 0)
        service_tell_no_room(controller, deployment, &request);
    else
        service_clear(service, SERVICE_EVENT_PLACEMENT_FAILURE);
}

void reconcile_sets(struct controller *controller, struct service *service)
{
    vec_clear(&controller->started);
    vec_clear(&controller->stopped);
    service_set_blocked(controller, service, BERTH_NS_NEVER);
    for (size_t i = 0; i < service->deployments.count; i++)
        deployment_mature(controller, service->deployments.items[i]);
    deployments_retire(controller, service); /* A stage may wait for just that. */
    stages_pass(controller, service);
    for (size_t i = 0; i < service->deployments.count; i++) {
        struct deployment *deployment = service->deployments.items[i];
        uint32_t wanted = deployment_wanted(deployment);
        stop_some(controller, deployment, wanted);
        start_some(controller, deployment, wanted);
    }
    service_finish_pass(controller, service);
}
