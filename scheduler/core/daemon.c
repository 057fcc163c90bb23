/*
 * One pass over a DAEMON service: one task on every ACTIVE instance that qualifies
 * (semantics 4.11).
 *
 * Each instance is a seat. Only seats about which something changed are looked at: the instance
 * came, left, drained or reconnected, its copy ended, or something was freed where the copy had
 * found no room. Of a deployment or an update every seat is looked at once. Since a seat holds one
 * copy, the ceiling of 100% keeps itself; the floor is that of rollout.c.
 *
 * Daemon services pass before all others, so a new instance's room goes to them first. On a
 * DRAINING instance the copy stays until it is the last task there.
 */
#include <string.h>

#include "scheduler/core/controller_internal.h"

static struct daemon_seat *seat_of(struct service *service, instance_id id)
{
    while (service->daemon.seats.count <= id)
        *vec_push(&service->daemon.seats) = (struct daemon_seat){.task = NULL};
    return &service->daemon.seats.items[id];
}

void daemon_check(struct controller *controller, struct service *service, instance_id id)
{
    struct daemon_seat *seat = seat_of(service, id);
    if (!seat->is_queued) {
        seat->is_queued = true;
        *vec_push(&service->daemon.checks) = id;
    }
    service_mark(controller, service);
}

void daemon_check_all(struct controller *controller, struct service *service)
{
    for (instance_id id = 0; id < cluster_instance_count(controller->cluster); id++)
        daemon_check(controller, service, id);
}

void daemons_check(struct controller *controller, instance_id id)
{
    for (size_t i = 0; i < controller->daemons.count; i++)
        daemon_check(controller, controller->services.items[controller->daemons.items[i]], id);
}

void daemons_touched(struct controller *controller, instance_id id)
{
    for (size_t i = 0; i < controller->daemons.count; i++) {
        struct service *service = controller->services.items[controller->daemons.items[i]];
        if (service->daemon.blocked_count > 0 && seat_of(service, id)->is_blocked)
            daemon_check(controller, service, id);
    }
}

static void stop_copy(struct controller *controller, struct task *task, enum stop_reason reason)
{
    if (!task->desired_running)
        return;
    rule_fired(controller, RULE_DAEMON_STOP);
    *vec_push(&controller->stopped) = task->id;
    task_stop(controller, task, STOP_SERVICE_SCHEDULER_INITIATED, reason);
}

/* A protected copy is neither replaced nor drained before its protection ends. */
static bool is_kept(struct controller *controller, const struct task *task)
{
    if (!task_is_protected(task))
        return false;
    rule_fired(controller, RULE_PROTECTED);
    return true;
}

static void set_wanted(struct service *service, struct daemon_seat *seat, bool is_wanted)
{
    if (seat->is_wanted == is_wanted)
        return;
    seat->is_wanted = is_wanted;
    if (is_wanted)
        service->daemon.wanted_count++;
    else
        service->daemon.wanted_count--;
    service->is_record_dirty = true;
}

static void set_seat_blocked(struct service *service, struct daemon_seat *seat, bool is_blocked)
{
    if (seat->is_blocked == is_blocked)
        return;
    seat->is_blocked = is_blocked;
    if (is_blocked)
        service->daemon.blocked_count++;
    else
        service->daemon.blocked_count--;
}

/* The instance does not stay, or does not suit: what becomes of the copy there. */
static void vacate(struct controller *controller, struct service *service, struct daemon_seat *seat,
                   instance_id id)
{
    const struct instance *instance = cluster_instance(controller->cluster, id);
    if (seat->task == NULL)
        return;
    if (instance->status == INSTANCE_DRAINING) {
        if (host_of(controller, id)->ordinary == 0 && !is_kept(controller, seat->task))
            stop_copy(controller, seat->task, STOP_REASON_DRAINING);
        return;
    }
    if (!seat->task->desired_running || seat->task->deployment != service->deployments.items[0])
        return; /* An old copy goes by the rollout. */
    struct service_event event = {.kind = SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED,
                                  .service = service->id,
                                  .deployment = service->deployments.items[0]->number,
                                  .tasks = &seat->task->id,
                                  .task_count = 1};
    emit_event(controller, &event);
    stop_copy(controller, seat->task, STOP_REASON_CONSTRAINT);
}

static void check_seat(struct controller *controller, struct service *service, instance_id id,
                       const struct placement_request *request, bool may_start)
{
    struct daemon_seat *seat = seat_of(service, id);
    bool is_wanted = cluster_instance(controller->cluster, id)->status == INSTANCE_ACTIVE &&
                     placement_fits_empty(controller->cluster, request, id);
    seat->is_queued = false;
    set_wanted(service, seat, is_wanted);
    set_seat_blocked(service, seat, false);
    if (!is_wanted) {
        vacate(controller, service, seat, id);
        return;
    }
    if (seat->task != NULL)
        return;
    bool fits = may_start && placement_check(controller->cluster, request, id) == PLACEMENT_FITS;
    if (fits && rate_left(controller, service) > 0) {
        seat->task = service_launch(controller, service->deployments.items[0], id);
        rule_fired(controller, RULE_DAEMON_START);
        return;
    }
    if (fits)
        rule_fired(controller, RULE_LAUNCH_RATE);
    set_seat_blocked(service, seat, true);
}

/* Old copies within the floor, in order of their instances' numbers: a daemon has no strategy. */
static void stop_old(struct controller *controller, struct service *service)
{
    if (service->deployments.count == 1 || service->deployments.items[0]->rollout == ROLLOUT_FAILED)
        return;
    struct rollout_counts counts = reconcile_counts(service);
    struct rollout_bounds bounds =
        rollout_bounds(service->desired_count, service->minimum_percent, 100);
    struct rollout_stops stops = rollout_stops(&counts, bounds);
    for (instance_id id = 0; id < service->daemon.seats.count; id++) {
        struct task *task = service->daemon.seats.items[id].task;
        if (task == NULL || !task->desired_running || task->is_draining ||
            task->deployment == service->deployments.items[0])
            continue;
        if (is_kept(controller, task))
            continue;
        if (task->is_healthy ? stops.healthy > 0
                             : (task->status == TASK_RUNNING ? stops.young : stops.pending)) {
            stops.healthy -= task->is_healthy;
            stop_copy(controller, task, STOP_REASON_DEPLOYMENT);
        }
    }
}

static void tell_no_room(struct controller *controller, struct service *service,
                         const struct placement_request *request, bool may_start)
{
    struct service_event event = {.kind = SERVICE_EVENT_PLACEMENT_FAILURE,
                                  .service = service->id,
                                  .deployment = service->deployments.items[0]->number,
                                  .closest = INSTANCE_NONE};
    if (service->daemon.blocked_count == 0) {
        service_set_blocked(controller, service, BERTH_NS_NEVER);
        service_clear(service, event.kind);
        return;
    }
    if (service->blocked_since_ns == BERTH_NS_NEVER)
        service_set_blocked(controller, service, controller->now.mono_ns);
    if (!may_start || rate_left(controller, service) == 0 ||
        !service_may_tell(controller, service, event.kind))
        return;
    for (instance_id id = 0; event.closest == INSTANCE_NONE; id++)
        if (service->daemon.seats.items[id].is_blocked)
            event.closest = id;
    event.verdict = placement_check(controller->cluster, request, event.closest);
    service_tell(controller, service, &event);
}

/* Throttle or launch rate let starts go on: the seats kept empty are looked at again. */
static void check_blocked_seats(struct controller *controller, struct service *service)
{
    for (instance_id id = 0; id < service->daemon.seats.count; id++)
        if (service->daemon.seats.items[id].is_blocked)
            daemon_check(controller, service, id);
}

void reconcile_daemon(struct controller *controller, struct service *service)
{
    vec_clear(&controller->started);
    vec_clear(&controller->stopped);
    for (size_t i = 0; i < service->deployments.count; i++)
        deployment_mature(controller, service->deployments.items[i]);
    deployment_judge(controller, service);
    struct deployment *primary = service->deployments.items[0];
    bool may_start = primary->throttled_until_ns <= controller->now.mono_ns &&
                     primary->rollout != ROLLOUT_FAILED;
    if (may_start && primary->throttled_until_ns != 0) {
        primary->throttled_until_ns = 0;
        deployment_changed(controller, primary);
        check_blocked_seats(controller, service);
    }
    if (rate_refilled(controller, service))
        check_blocked_seats(controller, service);
    struct placement_request request =
        task_request(controller, primary->plan, service->group, &primary->def->demand);
    stop_old(controller, service);
    /* What a check queues is looked at in the same pass. */
    for (size_t i = 0; i < service->daemon.checks.count; i++)
        check_seat(controller, service, service->daemon.checks.items[i], &request, may_start);
    vec_clear(&service->daemon.checks);
    service->desired_count = service->daemon.wanted_count;
    tell_no_room(controller, service, &request, may_start);
    service_finish_pass(controller, service);
}
