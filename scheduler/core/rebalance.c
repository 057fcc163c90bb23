/*
 * Availability zone rebalancing (semantics 4.10, U19): one task at a time from the fullest zone to
 * the emptiest.
 *
 *     settled, not balanced --> mover started in an emptier zone --> healthy --> one is stopped in
 *              ^                                                                 the fullest zone
 *              +------------------------------------------------------------------------+
 *
 * The mover is one more task than desired, which scale-in lets stand while the move goes on. Only a
 * settled service moves anything; a deployment, a change of the desired count, a drain, an
 * unhealthy task (the mover is its replacement then) or the mover's own end interrupts the move,
 * and the pass goes on as if there were no rebalancing. A service that no zone can help (or whose
 * fullest zone's tasks are all protected) is blocked: it costs nothing until capacity appears in an
 * emptier zone or something of its own changes.
 */
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"
#include "scheduler/model/values.h"
#include "scheduler/policy/rebalance.h"

#define ZONE_ATTRIBUTE "ecs.availability-zone"

static bool is_zone_spread(const struct placement_strategy_spec *first)
{
    return strcmp(first->type, "spread") == 0 && first->field != NULL &&
           strcmp(first->field, "attribute:" ZONE_ATTRIBUTE) == 0;
}

static bool names_zone(const struct placement_constraint_spec *constraint)
{
    return constraint->expression != NULL && strstr(constraint->expression, ZONE_ATTRIBUTE) != NULL;
}

enum berth_err rebalance_check(const struct event_service *wanted, bool is_daemon,
                               uint32_t maximum_percent, struct berth_error *err)
{
    static const char *const key = "availabilityZoneRebalancing";
    if (wanted->rebalancing < OVERRIDE_NONE || wanted->rebalancing > 1)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: use ENABLED or DISABLED", key);
    if (wanted->rebalancing != 1)
        return BERTH_OK;
    if (is_daemon)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: not for a DAEMON service; leave it out", key);
    if (maximum_percent <= 100)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: needs a maximumPercent above 100; raise it or use DISABLED", key);
    if (wanted->strategy_count > 0 && !is_zone_spread(&wanted->strategies[0]))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the first strategy must be spread over attribute:" ZONE_ATTRIBUTE
                          "; change it or use DISABLED",
                          key);
    for (uint16_t i = 0; i < wanted->constraint_count; i++)
        if (names_zone(&wanted->constraints[i]))
            return berth_fail(
                err, BERTH_ERR_INPUT,
                "%s: a constraint names " ZONE_ATTRIBUTE "; remove it or use DISABLED", key);
    return BERTH_OK;
}

void rebalance_set_enabled(struct service *service, int32_t wanted)
{
    bool is_enabled = wanted != 0 && service->scheduling == SCHEDULING_REPLICA;
    if (service->rebalance.is_enabled == is_enabled)
        return;
    service->rebalance.is_enabled = is_enabled;
    service->is_record_dirty = true;
}

static bool is_eligible(const struct service *service)
{
    const struct plan *plan = service->deployments.items[0]->plan;
    struct rollout_bounds bounds =
        rollout_bounds(service->desired_count, service->minimum_percent, service->maximum_percent);
    if (!service->rebalance.is_enabled || service->scheduling != SCHEDULING_REPLICA ||
        service->controller != CONTROLLER_ECS || bounds.upper <= service->desired_count)
        return false;
    if (service->deployments.items[0]->providers.count > 0)
        return false; /* which zone a machine comes in is its provider's */
    if (plan->strategy_count > 0 && !is_zone_spread(&plan->strategies[0]))
        return false;
    for (uint16_t i = 0; i < plan->constraint_count; i++)
        if (names_zone(&plan->constraints[i]))
            return false;
    for (size_t i = 0; i < plan->def->member_of_count; i++)
        if (strstr(plan->def->member_of[i], ZONE_ATTRIBUTE) != NULL)
            return false;
    return true;
}

static void tell(struct controller *controller, const struct service *service,
                 enum service_event_kind kind, const struct zone_tasks *zones, size_t zone_count,
                 const task_id *task)
{
    struct service_event event = {.kind = kind,
                                  .service = service->id,
                                  .deployment = service->deployments.items[0]->number,
                                  .tasks = task,
                                  .task_count = task != NULL,
                                  .zones = zones,
                                  .zone_count = (uint32_t)zone_count};
    emit_event(controller, &event);
}

void rebalance_set_blocked(struct controller *controller, struct service *service, bool is_blocked)
{
    struct rebalance *state = &service->rebalance;
    if (state->is_blocked == is_blocked)
        return;
    state->is_blocked = is_blocked;
    service->is_record_dirty = true;
    if (is_blocked)
        *vec_push(&controller->unbalanced) = service->id;
    else
        service_ids_remove(controller->unbalanced.items, &controller->unbalanced.count,
                           service->id);
}

static void interrupt(struct controller *controller, struct service *service)
{
    rebalance_set_blocked(controller, service, false);
    if (!service->rebalance.is_under_way && service->rebalance.mover == TASK_NONE)
        return;
    service->rebalance.is_under_way = false;
    service->rebalance.mover = TASK_NONE;
    service->is_record_dirty = true;
    tell(controller, service, SERVICE_EVENT_REBALANCING_STOPPED, NULL, 0, NULL);
}

static bool is_known(const struct rebalance *state, uint32_t value)
{
    for (size_t i = 0; i < state->zones.count; i++)
        if (state->zones.items[i].value == value)
            return true;
    return false;
}

static void add_zone(const struct controller *controller, struct rebalance *state, symbol zone,
                     uint32_t value)
{
    const char *name = symbols_text(controller->symbols, zone);
    size_t at = state->zones.count;
    (void)vec_push(&state->zones);
    for (; at > 0; at--) {
        const char *before = symbols_text(controller->symbols, state->zones.items[at - 1].zone);
        if (name != NULL && (before == NULL || strcmp(before, name) <= 0))
            break;
        state->zones.items[at] = state->zones.items[at - 1];
    }
    state->zones.items[at] = (struct rebalance_zone){zone, value};
}

static struct placement_request request_of(struct controller *controller,
                                           const struct service *service)
{
    const struct deployment *primary = service->deployments.items[0];
    return task_request(controller, primary->plan, service->group, &primary->def->demand);
}

/* Which zones count: O(instances), once for each change of the fleet or of the plan. */
static void find_zones(struct controller *controller, struct service *service)
{
    struct rebalance *state = &service->rebalance;
    struct plan *plan = service->deployments.items[0]->plan;
    if (state->plan == plan && state->fleet_version == controller->fleet_version)
        return;
    struct placement_request request = request_of(controller, service);
    vec_clear(&state->zones);
    for (instance_id id = 0; id < cluster_instance_count(controller->cluster); id++) {
        const struct instance *instance = cluster_instance(controller->cluster, id);
        uint32_t value = cluster_value_of(controller->cluster, TRACKED_ZONE, id);
        if (instance->status == INSTANCE_ACTIVE && !is_known(state, value) &&
            placement_fits_empty(controller->cluster, &request, id))
            add_zone(controller, state, instance->zone, value);
    }
    plan_hold(controller, plan);
    if (state->plan != NULL)
        plan_drop(controller, state->plan);
    state->plan = plan;
    state->fleet_version = controller->fleet_version;
}

/* The service's tasks by zone; both lent until the end of the step. */
static uint32_t *count_zones(struct controller *controller, struct service *service,
                             struct zone_tasks **told)
{
    find_zones(controller, service);
    size_t count = service->rebalance.zones.count;
    uint32_t *tasks = arena_alloc(&controller->arena, count * sizeof *tasks);
    *told = arena_alloc(&controller->arena, count * sizeof **told);
    for (size_t i = 0; i < count; i++) {
        const struct rebalance_zone *zone = &service->rebalance.zones.items[i];
        tasks[i] = cluster_tasks_at(controller->cluster, service->group, TRACKED_ZONE, zone->value);
        (*told)[i] = (struct zone_tasks){zone->zone, tasks[i]};
    }
    return tasks;
}

/* Whoever may be stopped in a zone, into controller->victims: all but the protected ones. */
static void gather_givers(struct controller *controller, const struct service *service,
                          uint32_t value)
{
    const struct deployment *primary = service->deployments.items[0];
    service_clear_victims(controller);
    for (struct task *task = primary->tasks.first; task != NULL;
         task = task->links[LIST_OWNER].next)
        if (task->desired_running && task->instance != INSTANCE_NONE &&
            task->id != service->rebalance.mover &&
            cluster_value_of(controller->cluster, TRACKED_ZONE, task->instance) == value)
            service_add_victim(controller, task);
}

/* The one to be stopped, by the strategy's rule (1.6); NULL when there is none. */
static struct task *choose_giver(struct controller *controller, const struct service *service,
                                 uint32_t value)
{
    const struct deployment *primary = service->deployments.items[0];
    gather_givers(controller, service, value);
    if (controller->victims.count == 0)
        return NULL;
    size_t at =
        placement_choose_victim(controller->cluster, primary->plan->compiled, service->group,
                                &controller->groups.items[service->group].stream,
                                controller->victims.items, controller->victims.count);
    return at == SIZE_MAX ? NULL : controller->victim_tasks.items[at];
}

/* Whether the service is as it was when the mover was started, but for the mover. */
static bool may_continue(const struct service *service, const struct task *mover)
{
    const struct deployment *primary = service->deployments.items[0];
    struct rollout_counts counts = reconcile_counts(service);
    return is_eligible(service) && mover != NULL && mover->desired_running &&
           mover->deployment == primary && !mover->is_draining && service->deployments.count == 1 &&
           primary->rollout == ROLLOUT_COMPLETED && counts.kept == service->desired_count + 1 &&
           counts.kept_unhealthy == 0 &&
           counts.outgoing_pending + counts.outgoing_young + counts.outgoing_healthy == 0;
}

void rebalance_continue(struct controller *controller, struct service *service)
{
    struct rebalance *state = &service->rebalance;
    if (state->is_under_way && service->deployments.count > 1)
        interrupt(controller, service);
    if (state->mover == TASK_NONE)
        return;
    const struct task *mover = task_find(controller, state->mover);
    if (!may_continue(service, mover)) {
        interrupt(controller, service);
        return;
    }
    if (!mover->is_healthy)
        return;
    struct rollout_counts counts = reconcile_counts(service);
    if (counts.kept_healthy <=
        rollout_bounds(service->desired_count, service->minimum_percent, service->maximum_percent)
            .lower) {
        interrupt(controller, service); /* another task has fallen ill meanwhile */
        return;
    }
    struct zone_tasks *zones;
    uint32_t *tasks = count_zones(controller, service, &zones);
    size_t from = rebalance_from(tasks, state->zones.count);
    struct task *victim = choose_giver(controller, service, state->zones.items[from].value);
    if (victim == NULL) {
        interrupt(controller, service);
        return;
    }
    task_id id = victim->id;
    state->mover = TASK_NONE;
    service->is_record_dirty = true;
    task_stop(controller, victim, STOP_SERVICE_SCHEDULER_INITIATED, STOP_REASON_REBALANCING);
    rule_fired(controller, RULE_REBALANCE_STOP);
    tell(controller, service, SERVICE_EVENT_REBALANCE_STOPPED_TASKS, &zones[from], 1, &id);
}

/* Starts a task in the emptiest zone that takes one; false when none does. */
static bool start_mover(struct controller *controller, struct service *service,
                        const uint32_t *tasks, const struct zone_tasks *zones)
{
    size_t count = service->rebalance.zones.count;
    bool *is_full = arena_alloc(&controller->arena, count * sizeof *is_full);
    struct placement_request request = request_of(controller, service);
    struct service_event no_room = {.kind = SERVICE_EVENT_REBALANCE_NO_ROOM,
                                    .service = service->id,
                                    .deployment = service->deployments.items[0]->number,
                                    .zone_count = 1};
    memset(is_full, 0, count * sizeof *is_full);
    for (size_t to; (to = rebalance_to(tasks, is_full, count)) != SIZE_MAX; is_full[to] = true) {
        request.zones = &zones[to].zone;
        request.zone_count = 1;
        instance_id instance = placement_choose(controller->cluster, &request);
        if (instance == INSTANCE_NONE) {
            no_room.zones = &zones[to];
            service_tell(controller, service, &no_room);
            continue;
        }
        struct task *mover = service_launch(controller, service->deployments.items[0], instance);
        service->rebalance.mover = mover->id;
        rule_fired(controller, RULE_REBALANCE_START);
        tell(controller, service, SERVICE_EVENT_REBALANCE_STARTED_TASKS, &zones[to], 1, &mover->id);
        service_clear(service, SERVICE_EVENT_REBALANCE_NO_ROOM);
        service_clear(service, SERVICE_EVENT_REBALANCE_PROTECTED);
        return true;
    }
    return false;
}

static void end(struct controller *controller, struct service *service,
                const struct zone_tasks *zones)
{
    rebalance_set_blocked(controller, service, false);
    if (!service->rebalance.is_under_way)
        return;
    service->rebalance.is_under_way = false;
    service->is_record_dirty = true;
    tell(controller, service, SERVICE_EVENT_REBALANCING_COMPLETED, zones,
         service->rebalance.zones.count, NULL);
}

/* Something other than zones that keeps a task from being started: until when, or 0. */
static berth_ns held_until_ns(const struct controller *controller, const struct service *service)
{
    berth_ns throttled_ns = service->deployments.items[0]->throttled_until_ns;
    if (throttled_ns > controller->now.mono_ns)
        return throttled_ns;
    return rate_left(controller, service) == 0 ? rate_next_ns(controller, service) : 0;
}

/* One more task stays under the ceiling; else the end of one that is stopping will make room. */
static bool has_headroom(const struct service *service)
{
    struct rollout_counts counts = reconcile_counts(service);
    return counts.counted < rollout_bounds(service->desired_count, service->minimum_percent,
                                           service->maximum_percent)
                                .upper;
}

bool rebalance_begin(struct controller *controller, struct service *service, berth_ns *deadline_ns)
{
    struct rebalance *state = &service->rebalance;
    struct zone_tasks *zones;
    *deadline_ns = BERTH_NS_NEVER;
    if (!is_eligible(service)) {
        interrupt(controller, service);
        return false;
    }
    uint32_t *tasks = count_zones(controller, service, &zones);
    if (rebalance_is_balanced(tasks, state->zones.count)) {
        end(controller, service, zones);
        return false;
    }
    if (!state->is_under_way) {
        state->is_under_way = true;
        service->is_record_dirty = true;
        tell(controller, service, SERVICE_EVENT_REBALANCING_STARTED, zones, state->zones.count,
             NULL);
    }
    berth_ns held_ns = held_until_ns(controller, service);
    if (held_ns > 0 || !has_headroom(service)) {
        rebalance_set_blocked(controller, service, false);
        *deadline_ns = held_ns > 0 ? held_ns : BERTH_NS_NEVER;
        return false;
    }
    size_t from = rebalance_from(tasks, state->zones.count);
    gather_givers(controller, service, state->zones.items[from].value);
    bool may_give = controller->victims.count > 0;
    bool has_started = may_give && start_mover(controller, service, tasks, zones);
    if (!may_give) {
        struct service_event event = {.kind = SERVICE_EVENT_REBALANCE_PROTECTED,
                                      .service = service->id,
                                      .deployment = service->deployments.items[0]->number,
                                      .zones = &zones[from],
                                      .zone_count = 1};
        service_tell(controller, service, &event);
    }
    rebalance_set_blocked(controller, service, !has_started);
    return has_started;
}

/* Whether a task moved to this instance could make the service's zones more even. */
static bool could_help(struct controller *controller, const struct service *service, instance_id id)
{
    uint32_t value = cluster_value_of(controller->cluster, TRACKED_ZONE, id), most = 0;
    for (uint32_t i = 0; i < cluster_value_count(controller->cluster, TRACKED_ZONE); i++) {
        uint32_t tasks = cluster_tasks_at(controller->cluster, service->group, TRACKED_ZONE, i);
        most = tasks > most ? tasks : most;
    }
    if (cluster_tasks_at(controller->cluster, service->group, TRACKED_ZONE, value) + 2 > most)
        return false;
    struct placement_request request = request_of(controller, service);
    return placement_check(controller->cluster, &request, id) == PLACEMENT_FITS;
}

void rebalance_fleet_changed(struct controller *controller, instance_id id)
{
    controller->fleet_version++;
    for (size_t i = 0; i < controller->services.count; i++) {
        struct service *service = controller->services.items[i];
        if (service != NULL && service->rebalance.is_enabled && !service->is_dirty &&
            (service->rebalance.is_blocked || could_help(controller, service, id)))
            service_mark(controller, service);
    }
}

void rebalance_wake(struct controller *controller)
{
    for (size_t i = 0; i < controller->unbalanced.count; i++) {
        struct service *service = controller->services.items[controller->unbalanced.items[i]];
        for (size_t j = 0; j < controller->touched.count && !service->is_dirty; j++)
            if (could_help(controller, service, controller->touched.items[j]))
                service_mark(controller, service);
    }
}
