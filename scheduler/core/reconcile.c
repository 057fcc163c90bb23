/*
 * One pass over a REPLICA service: count, stop, start, tell (semantics 4.2, 4.3, 4.15).
 *
 * Tasks are kept (of the PRIMARY deployment, on an instance that stays) or outgoing (of an older
 * deployment, or on a DRAINING instance). rollout.c says how many of which may go and come, so a
 * deployment and a drain are one mechanism under one floor and one ceiling. Which outgoing task
 * goes first is the strategy's answer (1.6). Unhealthy tasks are replaced under the same bounds
 * (4.5). A pass costs what it changes, except that choosing among tasks looks at all candidates.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"
#include "scheduler/policy/replace.h"

/*
 * A pass looks at the counts at each turn of its thought, and mostly nothing has moved since the
 * last time. Whatever happens to a task or a deployment takes a revision: so until the next one the
 * figures are those that were read before.
 */
struct pass {
    struct controller *controller;
    struct service *service;
    struct rollout_counts counts;
    struct rollout_bounds bounds;
    uint64_t revision; /* when the counts were read */
};

static void add_outgoing(struct rollout_counts *counts, const struct tally *tally)
{
    counts->outgoing_pending += tally->pending;
    counts->outgoing_young += tally->young + tally->unhealthy;
    counts->outgoing_unhealthy += tally->unhealthy;
    counts->outgoing_healthy += tally->healthy;
}

struct rollout_counts reconcile_counts(const struct service *service)
{
    struct rollout_counts counts = {.desired = service->desired_count};
    for (size_t i = 0; i < service->deployments.count; i++) {
        const struct deployment *deployment = service->deployments.items[i];
        if (i == 0) {
            const struct tally *kept = &deployment->tally[0];
            counts.kept = kept->pending + kept->young + kept->healthy + kept->unhealthy;
            counts.kept_healthy = kept->healthy;
            counts.kept_pending = kept->pending;
            counts.kept_unhealthy = kept->unhealthy;
        } else {
            add_outgoing(&counts, &deployment->tally[0]);
            counts.old_unhealthy += deployment->tally[0].unhealthy + deployment->tally[1].unhealthy;
        }
        add_outgoing(&counts, &deployment->tally[1]);
        counts.counted += deployment->tasks.count;
    }
    return counts;
}

static struct rollout_bounds bounds_of(const struct service *service)
{
    return rollout_bounds(service->desired_count, service->minimum_percent,
                          service->maximum_percent);
}

static const struct rollout_counts *counts_now(struct pass *pass)
{
    if (pass->revision != pass->controller->revision)
        pass->counts = reconcile_counts(pass->service);
    pass->revision = pass->controller->revision;
    return &pass->counts;
}

/* PRIMARY has failed, and nothing was put in its place. */
static bool is_stalled(const struct service *service)
{
    return service->controller == CONTROLLER_ECS &&
           service->deployments.items[0]->rollout == ROLLOUT_FAILED;
}

static bool is_outgoing(const struct service *service, const struct task *task)
{
    return task->is_draining || task->deployment != service->deployments.items[0];
}

static void stop_one(struct controller *controller, struct task *task, bool is_surplus)
{
    bool is_scaling = is_surplus || is_stalled(task->deployment->service);
    enum stop_reason reason = is_scaling          ? STOP_REASON_SCALING
                              : task->is_draining ? STOP_REASON_DRAINING
                                                  : STOP_REASON_DEPLOYMENT;
    rule_fired(controller, is_scaling                    ? RULE_SCALE_IN
                           : task->is_draining           ? RULE_DRAIN_STOP
                           : task->status < TASK_RUNNING ? RULE_ROLL_PENDING
                                                         : RULE_ROLL_STOP);
    *vec_push(&controller->stopped) = task->id;
    task_stop(controller, task, STOP_SERVICE_SCHEDULER_INITIATED, reason);
}

static bool is_kept_by_protection(struct controller *controller, const struct task *task)
{
    if (!task_is_protected(task))
        return false;
    rule_fired(controller, RULE_PROTECTED);
    return true;
}

void service_clear_victims(struct controller *controller)
{
    vec_clear(&controller->victims);
    vec_clear(&controller->victim_tasks);
}

void service_add_victim(struct controller *controller, struct task *task)
{
    if (is_kept_by_protection(controller, task))
        return;
    *vec_push(&controller->victims) = task_as_victim(task);
    *vec_push(&controller->victim_tasks) = task;
}

/* How many of its tasks may be chosen, protected ones among them: so far its list is walked. */
static uint32_t candidates_of(const struct service *service, const struct deployment *deployment,
                              bool is_surplus)
{
    const struct tally *staying = &deployment->tally[0], *draining = &deployment->tally[1];
    bool is_primary = deployment == service->deployments.items[0];
    if (!is_surplus)
        return draining->healthy + (is_primary ? 0 : staying->healthy);
    return is_primary ? staying->pending + staying->young + staying->healthy + staying->unhealthy
                      : 0;
}

/* Who may be chosen: kept ones for scale-in, outgoing healthy ones for a rollout. */
static void gather_victims(struct controller *controller, const struct service *service,
                           bool is_surplus)
{
    service_clear_victims(controller);
    for (size_t i = 0; i < service->deployments.count; i++) {
        const struct deployment *deployment = service->deployments.items[i];
        uint32_t left = candidates_of(service, deployment, is_surplus);
        for (struct task *task = deployment->tasks.first; left > 0;
             task = task->links[LIST_OWNER].next) {
            if (!task->desired_running || is_outgoing(service, task) == is_surplus ||
                (!is_surplus && !task->is_healthy))
                continue;
            service_add_victim(controller, task);
            left--;
        }
    }
}

void service_stop_victims(struct controller *controller, const struct deployment *deployment,
                          uint32_t count, bool is_surplus)
{
    const struct service *service = deployment->service;
    const struct plan *plan = deployment->plan;
    struct rng *stream = &controller->groups.items[service->group].stream;
    bool takes_all = count >= controller->victims.count;
    for (; count > 0 && controller->victims.count > 0; count--) {
        size_t at = 0;
        if (is_surplus && !takes_all)
            at = capacity_choose_victim(controller, deployment);
        else if (!takes_all)
            at =
                placement_choose_victim(controller->cluster, plan->compiled, service->group, stream,
                                        controller->victims.items, controller->victims.count);
        if (at == SIZE_MAX)
            return;
        struct task *task = controller->victim_tasks.items[at];
        size_t after = --controller->victims.count - at;
        controller->victim_tasks.count--;
        memmove(controller->victims.items + at, controller->victims.items + at + 1,
                after * sizeof *controller->victims.items);
        memmove(controller->victim_tasks.items + at, controller->victim_tasks.items + at + 1,
                after * sizeof *controller->victim_tasks.items);
        stop_one(controller, task, is_surplus);
    }
}

/* The old deployment that has all whom a rollout may stop; NULL: several have, or some may not. */
static struct deployment *only_outgoing(const struct service *service)
{
    struct deployment *only = NULL;
    for (size_t i = 0; i < service->deployments.count; i++) {
        struct deployment *deployment = service->deployments.items[i];
        if (candidates_of(service, deployment, false) == 0)
            continue;
        if (only != NULL || i == 0)
            return NULL;
        only = deployment;
    }
    return service->protected_count > 0 ? NULL : only;
}

static void stop_candidates(struct controller *controller, struct deployment *old, uint32_t count)
{
    const struct service *service = old->service;
    const struct plan *plan = service->deployments.items[0]->plan;
    struct rng *stream = &controller->groups.items[service->group].stream;
    candidates_keep(old);
    bool takes_all = count >= old->candidates.count;
    for (; count > 0 && old->candidates.count > 0; count--) {
        size_t at =
            takes_all
                ? 0
                : placement_choose_victim(controller->cluster, plan->compiled, service->group,
                                          stream, old->candidates.items, old->candidates.count);
        if (at == SIZE_MAX)
            return;
        stop_one(controller, task_find(controller, old->candidates.items[at].task), false);
    }
}

static void stop_victims(struct controller *controller, struct service *service, uint32_t count,
                         bool is_surplus)
{
    if (count == 0)
        return;
    struct deployment *old = is_surplus ? NULL : only_outgoing(service);
    if (old != NULL) {
        stop_candidates(controller, old, count);
        return;
    }
    gather_victims(controller, service, is_surplus);
    service_stop_victims(controller, service->deployments.items[0], count, is_surplus);
}

/* Nothing of PRIMARY starts now, or it has all it wants: older revisions keep themselves alive. */
static bool is_held_up(const struct controller *controller, const struct service *service)
{
    const struct deployment *primary = service->deployments.items[0];
    const struct tally *kept = &primary->tally[0];
    return primary->throttled_until_ns > controller->now.mono_ns ||
           service->blocked_since_ns != BERTH_NS_NEVER ||
           kept->pending + kept->young + kept->healthy + kept->unhealthy >= service->desired_count;
}

/* Tasks that do not count as healthy, and are RUNNING or are not yet. */
static bool has_to_stop(const struct deployment *deployment, bool is_running)
{
    const struct tally *staying = &deployment->tally[0], *draining = &deployment->tally[1];
    if (!is_running)
        return staying->pending + draining->pending > 0;
    return staying->young + staying->unhealthy + draining->young + draining->unhealthy > 0;
}

/*
 * Every outgoing task that does not count as healthy and is RUNNING, or is not RUNNING yet; but for
 * `standing` ones that replace unhealthy ones of their own old revision.
 */
static void stop_unhealthy(struct controller *controller, struct service *service, bool is_running,
                           uint32_t standing)
{
    struct task *next; /* One that was not placed is gone when it is stopped. */
    for (size_t i = 0; i < service->deployments.count; i++) {
        if (!has_to_stop(service->deployments.items[i], is_running))
            continue;
        for (struct task *task = service->deployments.items[i]->tasks.first; task != NULL;
             task = next) {
            next = task->links[LIST_OWNER].next;
            if (!task->desired_running || task->is_healthy || !is_outgoing(service, task) ||
                (task->status == TASK_RUNNING) != is_running ||
                is_kept_by_protection(controller, task))
                continue;
            if (standing > 0 && i > 0 && !task->is_draining)
                standing--;
            else
                stop_one(controller, task, false);
        }
    }
}

/* One, drawn from the service's stream, makes room for its replacement. */
static void stop_first(struct pass *pass)
{
    struct controller *controller = pass->controller;
    const struct service *service = pass->service;
    struct replace_first first = replace_stops_first(counts_now(pass), pass->bounds);
    if (!first.kept && !first.outgoing)
        return;
    vec_clear(&controller->victim_tasks);
    for (size_t i = 0; i < service->deployments.count; i++)
        for (int draining = 0; draining < 2; draining++)
            if (i > 0 || draining > 0 ? first.outgoing : first.kept)
                replace_add_candidates(controller, service->deployments.items[i], draining > 0);
    replace_stop_drawn(controller, service);
}

static void stop_some(struct pass *pass)
{
    struct controller *controller = pass->controller;
    struct service *service = pass->service;
    bool stalled = is_stalled(service);
    uint32_t over = stalled ? 0 : replace_over(counts_now(pass));
    if (over > 0)
        replace_stop(controller, service->deployments.items[0], over);
    const struct rollout_counts *counts = counts_now(pass);
    struct rollout_stops stops =
        stalled ? rollout_stops_stalled(counts, pass->bounds) : rollout_stops(counts, pass->bounds);
    uint32_t standing = !stalled && is_held_up(controller, service)
                            ? replace_own_standing(counts, pass->bounds)
                            : 0;
    if (stops.pending)
        stop_unhealthy(controller, service, false, standing);
    if (stops.young)
        stop_unhealthy(controller, service, true, 0);
    if (stops.surplus > 0 && service->rebalance.mover != TASK_NONE)
        stops.surplus--; /* the mover stands until it is healthy */
    stop_victims(controller, service, stops.healthy, false);
    stop_victims(controller, service, stops.surplus, true);
    if (!stalled)
        stop_first(pass);
}

struct task *service_new_task(struct controller *controller, struct deployment *deployment,
                              symbol provider)
{
    struct service *service = deployment->service;
    struct task *task = task_alloc(controller, ++controller->last_task);
    bool was_blocked = service->blocked_since_ns != BERTH_NS_NEVER;
    task->reference = ++service->launches;
    task->deployment_number = deployment->number;
    task->deployment = deployment;
    task->service = service->id;
    task->group = service->group;
    task->def = deployment->def;
    task->cpu_units = deployment->def->demand.cpu_units;
    task->mem_mib = deployment->def->demand.mem_mib;
    task->gpus = deployment->def->demand.gpus;
    task->gpu_count = (uint8_t)deployment->def->demand.gpu_count;
    task->requested_mono_ns = was_blocked ? service->blocked_since_ns : controller->now.mono_ns;
    task->created_wall_ns = controller->now.wall_ns;
    task->provider = provider;
    task_list_append(&deployment->tasks, task, LIST_OWNER);
    task_count(task);
    service->is_record_dirty = true;
    rate_take(controller, service);
    *vec_push(&controller->started) = task->id;
    return task;
}

struct task *service_launch(struct controller *controller, struct deployment *deployment,
                            instance_id instance)
{
    struct task *task = service_new_task(controller, deployment, SYMBOL_NONE);
    task_place(controller, task, instance);
    return task;
}

void service_tell_no_room(struct controller *controller, const struct deployment *deployment,
                          const struct placement_request *request)
{
    struct service *service = deployment->service;
    struct service_event event = {.kind = SERVICE_EVENT_PLACEMENT_FAILURE,
                                  .service = service->id,
                                  .deployment = deployment->number};
    if (!service_may_tell(controller, service, event.kind))
        return; /* Finding the closest instance looks at all of them. */
    event.closest = placement_closest(controller->cluster, request, &event.verdict);
    service_tell(controller, service, &event);
}

/* Tasks of one deployment; how many found no room. */
static uint32_t start_tasks(struct controller *controller, struct deployment *deployment,
                            uint32_t wanted)
{
    if (deployment->providers.count > 0)
        return capacity_start_some(controller, deployment, wanted);
    if (wanted == 0)
        return 0;
    struct placement_request request = task_request(
        controller, deployment->plan, deployment->service->group, &deployment->def->demand);
    for (; wanted > 0; wanted--) {
        instance_id instance = placement_choose(controller->cluster, &request);
        if (instance == INSTANCE_NONE)
            break;
        (void)service_launch(controller, deployment, instance);
        rule_fired(controller, RULE_START);
    }
    return wanted;
}

static uint32_t within_rate(struct controller *controller, const struct service *service,
                            uint32_t wanted)
{
    uint32_t granted = rate_grant(controller, service, wanted);
    if (granted < wanted)
        rule_fired(controller, RULE_LAUNCH_RATE);
    return granted;
}

static void start_primary(struct controller *controller, struct service *service, uint32_t wanted)
{
    struct deployment *primary = service->deployments.items[0];
    uint32_t refused = start_tasks(controller, primary, wanted);
    if (primary->providers.count > 0)
        return; /* Who finds no room waits for capacity. */
    if (refused == 0) {
        service_set_blocked(controller, service, BERTH_NS_NEVER);
        service_clear(service, SERVICE_EVENT_PLACEMENT_FAILURE);
        return;
    }
    if (service->blocked_since_ns == BERTH_NS_NEVER)
        service_set_blocked(controller, service, controller->now.mono_ns);
    rule_fired(controller, RULE_START_REFUSED);
    deployment_unplaced(controller, primary);
    struct placement_request request =
        task_request(controller, primary->plan, service->group, &primary->def->demand);
    service_tell_no_room(controller, primary, &request);
}

/* What the floor lacks while PRIMARY is held up, in the revisions whose tasks are unhealthy. */
static void start_own(struct pass *pass)
{
    struct controller *controller = pass->controller;
    const struct service *service = pass->service;
    uint32_t wanted = replace_own_starts(counts_now(pass), pass->bounds);
    if (wanted == 0 || !is_held_up(controller, service))
        return;
    wanted = within_rate(controller, service, wanted);
    for (size_t i = 1; i < service->deployments.count && wanted > 0; i++) {
        struct deployment *old = service->deployments.items[i];
        uint32_t unhealthy = old->tally[0].unhealthy + old->tally[1].unhealthy;
        uint32_t count = wanted < unhealthy ? wanted : unhealthy;
        if (old->rollout == ROLLOUT_FAILED || old->throttled_until_ns > controller->now.mono_ns)
            continue;
        count -= start_tasks(controller, old, count);
        controller->rules[RULE_UNHEALTHY_START_FIRST] += count;
        wanted -= count;
    }
}

static void start_some(struct pass *pass)
{
    struct controller *controller = pass->controller;
    struct service *service = pass->service;
    const struct rollout_counts *counts = counts_now(pass);
    uint32_t before = counts->kept > counts->desired ? counts->kept : counts->desired;
    uint32_t wanted = rollout_starts(counts, pass->bounds) + replace_starts(counts, pass->bounds);
    if (service->deployments.items[0]->throttled_until_ns > controller->now.mono_ns ||
        is_stalled(service))
        wanted = 0;
    start_primary(controller, service, within_rate(controller, service, wanted));
    uint32_t kept = counts_now(pass)->kept;
    if (kept > before)
        controller->rules[RULE_UNHEALTHY_START_FIRST] += kept - before;
    if (!is_stalled(service))
        start_own(pass);
}

/* PRIMARY's; 0 when an EXTERNAL service has none. */
static uint64_t primary_number(const struct service *service)
{
    if (service->controller == CONTROLLER_EXTERNAL)
        return service->primary_task_set;
    return service->deployments.items[0]->number;
}

static void tell_tasks(struct controller *controller, const struct service *service,
                       enum service_event_kind kind, const task_id *tasks, size_t count)
{
    if (count == 0)
        return;
    struct service_event event = {.kind = kind,
                                  .service = service->id,
                                  .deployment = primary_number(service),
                                  .tasks = tasks,
                                  .task_count = (uint32_t)count};
    emit_event(controller, &event);
}

static bool has_failures(const struct service *service)
{
    size_t count = service->controller == CONTROLLER_EXTERNAL ? service->deployments.count : 1;
    for (size_t i = 0; i < count; i++)
        if (service->deployments.items[i]->failures > 0)
            return true;
    return false;
}

/* Something is outgoing or unhealthy, and neither floor nor ceiling lets anything move. */
static bool is_deadlocked(const struct service *service, const struct service_view *view)
{
    if (sets_are_meant(service) || is_stalled(service) ||
        (view->unhealthy_count == 0 && view->deployment_count == 1 &&
         service->deployments.items[0]->tally[1].healthy == 0))
        return false;
    struct rollout_counts counts = reconcile_counts(service);
    struct rollout_bounds bounds = bounds_of(service);
    return rollout_is_deadlocked(&counts, bounds) || replace_is_stuck(&counts, bounds);
}

/* Told while it is so, and again when it was not meanwhile. */
static void tell_if(struct controller *controller, struct service *service,
                    enum service_event_kind kind, bool is_so)
{
    if (!is_so) {
        service_clear(service, kind);
        return;
    }
    if (!service_may_tell(controller, service, kind))
        return;
    struct service_event event = {
        .kind = kind, .service = service->id, .deployment = primary_number(service)};
    service_tell(controller, service, &event);
}

static void tell_state(struct controller *controller, struct service *service,
                       const struct service_view *view, bool is_settled)
{
    bool is_stuck = is_deadlocked(service, view);
    if (is_stuck)
        rule_fired(controller, RULE_DEADLOCK);
    tell_if(controller, service, SERVICE_EVENT_DEADLOCK, is_stuck);
    if (is_settled || !service->rebalance.is_under_way)
        tell_if(controller, service, SERVICE_EVENT_STEADY_STATE, is_settled);
    if (!has_failures(service))
        service_clear(service, SERVICE_EVENT_START_IMPAIRED);
    tell_if(controller, service, SERVICE_EVENT_PROTECTED,
            service->protected_count > service->desired_count);
}

/* The next moment at which time alone can change what a pass would do. */
static berth_ns next_deadline(const struct controller *controller, const struct service *service,
                              const struct service_view *view, bool is_steady)
{
    berth_ns now_ns = controller->now.mono_ns;
    berth_ns deadline_ns = is_steady ? BERTH_NS_NEVER : now_ns + ROLLOUT_PERIOD_NS;
    for (size_t i = 0; i < service->deployments.count; i++) {
        berth_ns matures_ns = deployment_matures_at(service->deployments.items[i]);
        if (matures_ns < deadline_ns)
            deadline_ns = matures_ns;
        if (i > 0 && !sets_are_meant(service))
            continue; /* Only PRIMARY bakes; old ones are looked at every 10 s. */
        berth_ns throttled_ns = service->deployments.items[i]->throttled_until_ns;
        berth_ns baked_ns = service->deployments.items[i]->bake_until_ns;
        if (throttled_ns > now_ns && throttled_ns < deadline_ns)
            deadline_ns = throttled_ns;
        if (baked_ns > now_ns && baked_ns < deadline_ns)
            deadline_ns = baked_ns;
    }
    if (stages_deadline(service) < deadline_ns)
        deadline_ns = stages_deadline(service);
    bool is_complete = is_steady && view->unhealthy_count == 0;
    berth_ns refilled_ns = is_complete ? BERTH_NS_NEVER : rate_next_ns(controller, service);
    if (refilled_ns < deadline_ns)
        deadline_ns = refilled_ns;
    return deadline_ns;
}

static bool views_differ(const struct service_view *a, const struct service_view *b)
{
    return a->desired_count != b->desired_count || a->running_count != b->running_count ||
           a->pending_count != b->pending_count || a->healthy_count != b->healthy_count ||
           a->unhealthy_count != b->unhealthy_count || a->deployment_count != b->deployment_count;
}

/* All is as it should be, for good. */
static bool is_at_rest(const struct service *service, const struct service_view *view)
{
    if (service->controller == CONTROLLER_EXTERNAL)
        return task_sets_are_stable(service);
    const struct deployment *primary = service->deployments.items[0];
    return view->is_steady && primary->rollout == ROLLOUT_COMPLETED &&
           primary->tally[0].healthy == service->desired_count;
}

void service_finish_pass(struct controller *controller, struct service *service)
{
    targets_tell(controller, service, SERVICE_EVENT_REGISTERED_TARGETS);
    tell_tasks(controller, service, SERVICE_EVENT_STOPPED_TASKS, controller->stopped.items,
               controller->stopped.count);
    targets_tell(controller, service, SERVICE_EVENT_DEREGISTERED_TARGETS);
    targets_tell(controller, service, SERVICE_EVENT_DRAINING);
    tell_tasks(controller, service, SERVICE_EVENT_STARTED_TASKS, controller->started.items,
               controller->started.count);
    deployments_settle(controller, service);
    struct service_view view = service_view_of(service);
    bool is_settled = is_at_rest(service, &view);
    tell_state(controller, service, &view, is_settled);
    berth_ns deadline_ns = BERTH_NS_NEVER;
    if (is_settled && service->controller == CONTROLLER_ECS &&
        rebalance_begin(controller, service, &deadline_ns)) {
        deployments_settle(controller, service);
        view = service_view_of(service);
        is_settled = false;
    }
    bool is_waiting =
        sets_are_meant(service) ? sets_are_calm(service) : view.is_steady || is_stalled(service);
    service_set_deadline(controller, service,
                         is_settled ? deadline_ns
                                    : next_deadline(controller, service, &view, is_waiting));
    group_settle(controller, service->group);
    if (service->is_new || service->is_record_dirty || views_differ(&view, &service->emitted))
        emit_service(controller, service, &view);
    service->is_dirty = false;
}

void reconcile_replica(struct controller *controller, struct service *service)
{
    vec_clear(&controller->started);
    vec_clear(&controller->stopped);
    for (size_t i = 0; i < service->deployments.count; i++)
        deployment_mature(controller, service->deployments.items[i]);
    deployment_judge(controller, service);
    rebalance_continue(controller, service);
    struct pass pass = {.controller = controller,
                        .service = service,
                        .counts = reconcile_counts(service),
                        .bounds = bounds_of(service),
                        .revision = controller->revision};
    if (rollout_is_complete(&pass.counts)) {
        start_primary(controller, service, 0);
    } else {
        stop_some(&pass);
        start_some(&pass);
    }
    service_finish_pass(controller, service);
}
