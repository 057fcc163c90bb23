/*
 * A deployment's life, from the command that starts it to the record that is left (semantics 4.1,
 * 4.3, 4.13).
 *
 *     rollout   IN_PROGRESS ----> COMPLETED        status   IN_PROGRESS -> SUCCESSFUL
 *                    |                                        STOP_REQUESTED -> STOPPED
 *                    +----------> FAILED                      ROLLBACK_* (a failed one's)
 *
 * A service's revisions are all it remembers, by number; its deployments are those that are live:
 * PRIMARY first, then older ones that still have tasks.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

struct deployment *deployment_new(struct service *service, uint64_t number)
{
    struct deployment *deployment = mem_alloc_lines(sizeof *deployment);
    deployment->service = service;
    deployment->number = number;
    deployment->matured_ns = BERTH_NS_NEVER;
    deployment->staging.since_ns = BERTH_NS_NEVER;
    deployment->unplaced_ns = BERTH_NS_NEVER;
    deployment->bake_until_ns = BERTH_NS_NEVER;
    (void)vec_push(&service->revisions);
    size_t at = service->revisions.count - 1;
    for (; at > 0 && service->revisions.items[at - 1]->number > number; at--)
        service->revisions.items[at] = service->revisions.items[at - 1];
    service->revisions.items[at] = deployment;
    return deployment;
}

void deployment_free(struct controller *controller, struct deployment *deployment)
{
    if (deployment->plan != NULL)
        plan_drop(controller, deployment->plan);
    vec_free(&deployment->providers);
    candidates_forget(deployment);
    mem_free(deployment);
}

struct deployment *deployment_find(const struct service *service, uint64_t number)
{
    for (size_t i = service->revisions.count; i-- > 0;)
        if (service->revisions.items[i]->number == number)
            return service->revisions.items[i];
    return NULL;
}

static bool is_primary(const struct deployment *deployment)
{
    const struct service *service = deployment->service;
    if (service->controller == CONTROLLER_EXTERNAL)
        return deployment->number == service->primary_task_set;
    return deployment == service->deployments.items[0];
}

/* Who serves: whom the stages say, else PRIMARY as soon as it runs. */
static void view_traffic(const struct deployment *deployment, struct deployment_view *view)
{
    const struct deployment *green = stages_green(deployment->service);
    view->stage = deployment->staging.stage;
    view->production_permille = view->test_permille = 0;
    if (deployment == green || deployment->staging.is_reversing) {
        view->production_permille = deployment->staging.listeners[0].permille;
        view->test_permille = deployment->staging.listeners[1].permille;
    } else if (green != NULL && green->staging.blue == deployment->number) {
        view->production_permille = 1000 - green->staging.listeners[0].permille;
        view->test_permille = 1000 - green->staging.listeners[1].permille;
    } else if (green == NULL) {
        view->production_permille = view->is_primary && view->running_count > 0 ? 1000 : 0;
    }
}

/* What any pass may change of it; all else stays, or marks its record. */
static void view_progress(const struct deployment *deployment, struct deployment_view *view)
{
    const struct tally *staying = &deployment->tally[0], *draining = &deployment->tally[1];
    view->is_primary = is_primary(deployment);
    view->is_live = deployment->is_live;
    view->rollout = deployment->rollout;
    view->previous_rollout = deployment->emitted.rollout;
    view->status = deployment->status;
    view->cause = deployment->cause;
    view->failed_count = deployment->failed_count;
    view->pending_count = staying->pending + draining->pending;
    view->healthy_count = staying->healthy + draining->healthy;
    view->running_count = view->healthy_count + staying->young + staying->unhealthy +
                          draining->young + draining->unhealthy;
    view->desired_count = deployment_wanted(deployment);
    view->threshold = view->is_primary ? deployment_threshold(deployment) : 0;
    view_traffic(deployment, view);
}

struct deployment_view deployment_view_of(const struct deployment *deployment)
{
    const struct service *service = deployment->service;
    struct deployment_view view = {
        .service = service->id,
        .service_name = service->name,
        .deployment = deployment->number,
        .source = deployment->source,
        .rolled_back_to = deployment->rolled_back_to,
        .def = deployment->def,
        .scale_permille = deployment->scale_permille,
        .created_wall_ns = deployment->created_wall_ns,
        .updated_wall_ns = deployment->emitted.updated_wall_ns,
    };
    view_progress(deployment, &view);
    return view;
}

/* By members: a struct has holes. Counts come first, since they differ most often. */
static bool has_progressed(const struct deployment_view *a, const struct deployment_view *b)
{
    return a->running_count != b->running_count || a->pending_count != b->pending_count ||
           a->healthy_count != b->healthy_count || a->desired_count != b->desired_count ||
           a->failed_count != b->failed_count || a->threshold != b->threshold ||
           a->is_primary != b->is_primary || a->is_live != b->is_live || a->rollout != b->rollout ||
           a->status != b->status || a->cause != b->cause || a->stage != b->stage ||
           a->production_permille != b->production_permille || a->test_permille != b->test_permille;
}

/* Without a mark, what was told last is still so but for its progress. */
static void tell_change(struct controller *controller, struct deployment *deployment)
{
    bool is_marked = deployment->record_revision == 0 || deployment->is_record_dirty;
    struct deployment_view view = is_marked ? deployment_view_of(deployment) : deployment->emitted;
    if (!is_marked) {
        view_progress(deployment, &view);
        if (!has_progressed(&view, &deployment->emitted))
            return;
    }
    view.updated_wall_ns = controller->now.wall_ns;
    emit_deployment(controller, deployment, &view);
}

void deployment_changed(struct controller *controller, struct deployment *deployment)
{
    deployment->is_record_dirty = true;
    if (deployment->is_live)
        service_mark(controller, deployment->service);
    else
        tell_change(controller, deployment);
}

/* A rollout is over that was in progress: what it was started in place of learns of it. */
void deployment_end_rollback(struct controller *controller, struct deployment *deployment,
                             enum service_deployment_status status)
{
    struct deployment *failed = deployment_find(deployment->service, deployment->rolls_back);
    deployment->rolls_back = 0;
    deployment->is_record_dirty = true;
    if (failed == NULL)
        return;
    failed->status = status;
    deployment_changed(controller, failed);
}

static void supersede(struct controller *controller, struct deployment *before)
{
    if (before->rollout != ROLLOUT_IN_PROGRESS)
        return;
    rule_fired(controller, RULE_DEPLOY_SUPERSEDED);
    before->cause = ROLLOUT_CAUSE_SUPERSEDED;
    if (before->rolls_back != 0)
        deployment_end_rollback(controller, before, SERVICE_DEPLOYMENT_ROLLBACK_FAILED);
    else
        before->status = SERVICE_DEPLOYMENT_STOP_REQUESTED;
}

/* Moved to the front, or put there. */
void deployment_make_primary(struct controller *controller, struct deployment *deployment)
{
    struct service *service = deployment->service;
    size_t at = 0;
    service_set_blocked(controller, service, BERTH_NS_NEVER);
    while (at < service->deployments.count && service->deployments.items[at] != deployment)
        at++;
    if (at == service->deployments.count)
        service_add_live(service, deployment);
    memmove(service->deployments.items + 1, service->deployments.items,
            at * sizeof(struct deployment *));
    service->deployments.items[0] = deployment;
    deployment->is_live = true;
    candidates_forget(deployment);
    deployment->ignores_alarms = alarms_are_on(controller, &service->settings);
    deployment->bake_until_ns = BERTH_NS_NEVER;
    service->is_record_dirty = true;
    if (service->scheduling == SCHEDULING_DAEMON)
        daemon_check_all(controller, service);
    for (int kind = 0; kind < SERVICE_EVENT_KIND_COUNT; kind++)
        service_clear(service, (enum service_event_kind)kind);
}

static void forget(struct controller *controller, struct service *service, size_t at)
{
    struct deployment *deployment = service->revisions.items[at];
    memmove(service->revisions.items + at, service->revisions.items + at + 1,
            (--service->revisions.count - at) * sizeof(struct deployment *));
    emit_deployment_gone(controller, deployment);
    deployment_free(controller, deployment);
}

/* The oldest one that is neither live nor what a rollback would go back to. */
static void forget_oldest(struct controller *controller, struct service *service,
                          const struct deployment *newest)
{
    size_t keep = service->revisions.count;
    while (keep-- > 0)
        if (service->revisions.items[keep]->rollout == ROLLOUT_COMPLETED)
            break;
    for (size_t at = 0; at < service->revisions.count; at++)
        if (at != keep && !service->revisions.items[at]->is_live &&
            service->revisions.items[at] != newest) {
            forget(controller, service, at);
            return;
        }
}

struct deployment *deployment_create(struct controller *controller, struct service *service,
                                     struct plan *plan, const char *const *target_groups,
                                     uint16_t target_group_count)
{
    struct deployment *deployment = deployment_new(service, ++controller->last_deployment);
    deployment->def = plan->def;
    deployment->plan = plan;
    plan_hold(controller, plan);
    for (uint16_t i = 0; i < target_group_count; i++)
        deployment->target_groups[i] = symbols_add(controller->symbols, target_groups[i]);
    deployment->target_group_count = target_group_count;
    deployment->created_wall_ns = controller->now.wall_ns;
    deployment->status = SERVICE_DEPLOYMENT_IN_PROGRESS;
    if (service->revisions.count > DEPLOYMENTS_KEPT)
        forget_oldest(controller, service, deployment);
    return deployment;
}

struct deployment *deployment_start(struct controller *controller, struct service *service,
                                    struct plan *plan, const char *const *target_groups,
                                    uint16_t target_group_count)
{
    struct deployment *before =
        service->deployments.count > 0 ? service->deployments.items[0] : NULL;
    struct deployment *green = stages_green(service);
    struct deployment *deployment =
        deployment_create(controller, service, plan, target_groups, target_group_count);
    if (before != NULL) {
        deployment->source = before->number;
        supersede(controller, before);
    }
    if (green != NULL)
        stages_cut(controller, green);
    deployment_make_primary(controller, deployment);
    struct service_event event = {.kind = SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS,
                                  .service = service->id,
                                  .deployment = deployment->number};
    emit_event(controller, &event);
    if (stages_are_meant(service, deployment))
        stages_begin(controller, deployment);
    else
        stages_clear_weights(controller, service);
    return deployment;
}

static void retire(struct service *service, size_t at)
{
    struct deployment *old = service->deployments.items[at];
    memmove(service->deployments.items + at, service->deployments.items + at + 1,
            (--service->deployments.count - at) * sizeof(struct deployment *));
    old->is_live = false;
    candidates_forget(old);
    if (old->status == SERVICE_DEPLOYMENT_STOP_REQUESTED)
        old->status = SERVICE_DEPLOYMENT_STOPPED;
    if (old->staging.is_active) {
        stages_set_active(old, false);
        old->status = SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL;
        old->is_record_dirty = true;
    }
    service->is_record_dirty = true;
}

static bool has_arrived(const struct service *service)
{
    const struct deployment *primary = service->deployments.items[0];
    if (primary->staging.is_active && primary->staging.stage != STAGE_CLEAN_UP)
        return false;
    return service->deployments.count == 1 && primary->tally[0].healthy == service->desired_count &&
           primary->tally[0].pending + primary->tally[0].young + primary->tally[0].unhealthy == 0;
}

berth_ns deployment_bake_ns(const struct service *service)
{
    if (service->settings.has_bake)
        return service->settings.bake_ns;
    return service->settings.alarms.is_enabled ? ALARM_BAKE_NS : 0;
}

/* The time in which alarms are still watched; what is rolled back to has had it before. */
static bool has_baked(struct controller *controller, struct deployment *primary)
{
    berth_ns bake_ns = deployment_bake_ns(primary->service);
    if (primary->rolls_back != 0 || bake_ns == 0 || primary->staging.is_active)
        return true; /* Staged ones had a stage for it. */
    if (primary->bake_until_ns == BERTH_NS_NEVER) {
        primary->bake_until_ns = controller->now.mono_ns + bake_ns;
        primary->is_record_dirty = true;
    }
    return controller->now.mono_ns >= primary->bake_until_ns;
}

static void complete(struct controller *controller, struct deployment *primary)
{
    struct service_event event = {.kind = SERVICE_EVENT_DEPLOYMENT_COMPLETED,
                                  .service = primary->service->id,
                                  .deployment = primary->number};
    rule_fired(controller, RULE_DEPLOY_COMPLETED);
    primary->rollout = ROLLOUT_COMPLETED;
    primary->status = SERVICE_DEPLOYMENT_SUCCESSFUL;
    primary->cause = ROLLOUT_CAUSE_NONE;
    if (primary->staging.is_active) {
        primary->is_record_dirty = true;
        stages_set_active(primary, false);
    }
    if (primary->rolls_back != 0)
        deployment_end_rollback(controller, primary, SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL);
    emit_event(controller, &event);
}

/* It has no task, and none will come: a staged one and its blue wait for each other. */
static bool is_over(const struct deployment *old)
{
    const struct deployment *green = stages_green(old->service);
    if (old->tasks.count > 0)
        return false;
    if (old->service->controller == CONTROLLER_EXTERNAL)
        return old->status == SERVICE_DEPLOYMENT_STOP_REQUESTED;
    if (old == old->service->deployments.items[0])
        return false;
    if (green != NULL && (old == green || green->staging.blue == old->number))
        return green->staging.stage == STAGE_CLEAN_UP;
    return true;
}

void deployments_retire(struct controller *controller, struct service *service)
{
    for (size_t i = service->deployments.count; i-- > 0;) {
        struct deployment *old = service->deployments.items[i];
        if (!is_over(old))
            continue;
        retire(service, i);
        tell_change(controller, old);
    }
}

void deployments_settle(struct controller *controller, struct service *service)
{
    bool is_external = service->controller == CONTROLLER_EXTERNAL;
    deployments_retire(controller, service);
    if (!is_external && service->deployments.items[0]->rollout == ROLLOUT_IN_PROGRESS &&
        has_arrived(service) && has_baked(controller, service->deployments.items[0]))
        complete(controller, service->deployments.items[0]);
    for (size_t i = 0; i < service->deployments.count; i++) {
        if (is_external)
            task_set_settle(controller, service->deployments.items[i]);
        tell_change(controller, service->deployments.items[i]);
    }
}

uint32_t controller_deployment_count(const struct controller *controller, service_id service)
{
    assert(service < controller->services.count);
    const struct service *found = controller->services.items[service];
    return found == NULL ? 0 : (uint32_t)found->revisions.count;
}

struct deployment_view controller_deployment(const struct controller *controller,
                                             service_id service, uint32_t index)
{
    assert(index < controller_deployment_count(controller, service));
    const struct service *found = controller->services.items[service];
    return deployment_view_of(found->revisions.items[found->revisions.count - 1 - index]);
}
