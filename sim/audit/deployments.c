/*
 * deployments.c -- what services' deployments may do, their launch rate, and moves between zones.
 *
 * A move is held against the one before it while nothing gave a reason for another: neither the
 * desired count nor a deployment has changed, no instance has come, gone or changed, and no task of
 * the service has ended by itself, changed its health or is protected.
 */
#include <string.h>

#include "sim/audit/audit_internal.h"

#define PERIOD_NS (60 * BERTH_NS_PER_S)
#define PING_PONG_NS (600 * BERTH_NS_PER_S)

static struct audit_deployment *find(struct audit_service *service, uint64_t number)
{
    for (size_t i = service->deployments.count; i-- > 0;)
        if (service->deployments.items[i].number == number)
            return &service->deployments.items[i];
    return NULL;
}

/* `noted`: what is known of it; NULL: nothing yet. */
static struct audit_deployment *note(struct audit_service *service, struct audit_deployment *noted,
                                     const struct deployment_view *view)
{
    if (noted == NULL) {
        noted = vec_push(&service->deployments);
        *noted = (struct audit_deployment){.number = view->deployment};
    }
    service->primaries += (uint32_t)view->is_primary - noted->is_primary;
    noted->is_primary = view->is_primary;
    noted->is_let_down = view->rollout == ROLLOUT_FAILED && view->cause == ROLLOUT_CAUSE_HOOK;
    if (view->rollout != ROLLOUT_IN_PROGRESS)
        noted->has_completed = view->rollout == ROLLOUT_COMPLETED;
    return noted;
}

static void forget(struct audit_service *service, struct audit_deployment *noted)
{
    service->primaries -= noted->is_primary;
    *noted = service->deployments.items[--service->deployments.count];
    service->told = (struct audit_told){0};
}

/* Most changes are of counts, which are held against the service's: there is nothing to note. */
static bool is_noted(const struct audit_told *told, const struct deployment_view *view)
{
    return told->deployment == view->deployment && told->rolled_back_to == view->rolled_back_to &&
           told->rollout == view->rollout && told->cause == view->cause &&
           told->is_primary == view->is_primary;
}

void deployments_changed(struct audit *audit, const struct change *change)
{
    const struct deployment_view *view = &change->u.deployment;
    struct audit_service *service = services_touch(audit, view->service);
    if (service == NULL || (!change->is_deleted && is_noted(&service->told, view)))
        return;
    struct audit_deployment *noted = find(service, view->deployment);
    if (change->is_deleted) {
        if (noted != NULL)
            forget(service, noted);
        return;
    }
    service->told =
        (struct audit_told){view->deployment, view->rolled_back_to, (uint8_t)view->rollout,
                            (uint8_t)view->cause, view->is_primary};
    bool is_told = noted != NULL && noted->rolled_back_to == view->rolled_back_to;
    if (noted == NULL || noted->is_primary != view->is_primary)
        service->upset_ns = audit->now_ns;
    noted = note(service, noted, view);
    noted->rolled_back_to = view->rolled_back_to;
    if (view->rolled_back_to == 0 || is_told)
        return;
    const struct audit_deployment *target = find(service, view->rolled_back_to);
    AUDIT_CHECK(audit, INVARIANT_ROLLBACK, target != NULL && target->has_completed,
                "service %s went from deployment %llu back to %llu", service->name,
                (unsigned long long)view->deployment, (unsigned long long)view->rolled_back_to);
}

/* Its hook has failed, and there was nothing to go back to: until it is updated it stays so. */
bool deployments_let_down(const struct audit_service *service)
{
    for (size_t i = 0; i < service->deployments.count; i++)
        if (service->deployments.items[i].is_primary)
            return service->deployments.items[i].is_let_down;
    return false;
}

/* Where the period began is not known after a restart, until a whole one has passed in peace. */
void deployments_launched(struct audit *audit, struct audit_service *service)
{
    uint32_t most = audit->scenario->quotas.launches_per_minute;
    bool is_rested = !service->has_launched || audit->now_ns - service->launched_ns >= PERIOD_NS;
    if (most == 0)
        return;
    service->has_launched = true;
    service->launched_ns = audit->now_ns;
    if (is_rested || (!service->is_rate_lost && audit->now_ns - service->rate_ns >= PERIOD_NS)) {
        service->is_rate_lost = false;
        service->rate_ns = audit->now_ns;
        service->launches = 0;
    }
    service->launches++;
    if (!service->is_rate_lost)
        AUDIT_CHECK(audit, INVARIANT_LAUNCH_RATE, service->launches <= most,
                    "service %s launched %u tasks since %.3f s, %u a minute are allowed",
                    service->name, service->launches,
                    (double)service->rate_ns / (double)BERTH_NS_PER_S, most);
}

static symbol zone_of(struct audit *audit, instance_id instance)
{
    const struct audit_host *host = audit_find_host(audit, instance);
    for (size_t i = 0; host != NULL && i < host->attributes.count; i++)
        if (strcmp(host->attributes.items[i].name, "ecs.availability-zone") == 0)
            return symbols_find(cluster_symbols(controller_cluster(audit->controller)),
                                host->attributes.items[i].value);
    return SYMBOL_NONE;
}

/* Whether it may stand is known at the end of the step, when its reasons have been read. */
static void move(struct audit *audit, struct audit_service *service, struct audit_move before,
                 struct audit_move *out, symbol zone)
{
    if (zone != SYMBOL_NONE && before.zone == zone && audit->now_ns > before.at_ns &&
        audit->now_ns - before.at_ns < PING_PONG_NS)
        service->undone_ns = before.at_ns;
    *out = (struct audit_move){zone, audit->now_ns};
}

void deployments_scaled_in(struct audit *audit, struct audit_service *service, instance_id instance)
{
    if (service->view.deployment_count > 1) /* an old one's last tasks go: blue/green */
        service->upset_ns = audit->now_ns;
    if (service->view.unhealthy_count > 0)
        service->ill_ns = audit->now_ns;
    /* Copies that stood in for ill ones go when those are well again, in whatever zone they are. */
    if (service->ill_ns != 0 && audit->now_ns - service->ill_ns < PING_PONG_NS)
        service->scaled_zone = (struct audit_move){SYMBOL_NONE, 0};
    else
        move(audit, service, service->rebalanced, &service->scaled_zone, zone_of(audit, instance));
}

void deployments_event(struct audit *audit, const struct service_event *event)
{
    if (event->kind != SERVICE_EVENT_REBALANCE_STARTED_TASKS)
        return;
    struct audit_service *service = services_touch(audit, event->service);
    if (service != NULL)
        move(audit, service, service->scaled_zone, &service->rebalanced, event->zones[0].zone);
}

static void check_moves(struct audit *audit, struct audit_service *service)
{
    berth_ns at_ns = service->undone_ns;
    service->undone_ns = BERTH_NS_NEVER;
    if (audit->now_ns != service->rebalanced.at_ns && audit->now_ns != service->scaled_zone.at_ns)
        return;
    AUDIT_CHECK(audit, INVARIANT_PING_PONG,
                at_ns == BERTH_NS_NEVER || service->upset_ns > at_ns || audit->upset_ns > at_ns ||
                    service->tally.is_protected > 0,
                "service %s undoes in a zone what it did there at %.3f s", service->name,
                (double)at_ns / (double)BERTH_NS_PER_S);
}

void deployments_check(struct audit *audit, struct audit_service *service)
{
    if (!service->is_external)
        AUDIT_CHECK(audit, INVARIANT_ONE_PRIMARY, service->primaries == 1,
                    "service %s has %u PRIMARY among %zu deployments", service->name,
                    service->primaries, service->deployments.count);
    check_moves(audit, service);
}

void deployments_reloaded(struct audit *audit, struct audit_service *service,
                          const struct controller *controller)
{
    vec_clear(&service->deployments);
    service->primaries = 0;
    service->told = (struct audit_told){0};
    for (uint32_t i = 0; i < controller_deployment_count(controller, service->id); i++) {
        struct deployment_view view = controller_deployment(controller, service->id, i);
        struct audit_deployment *noted = note(service, NULL, &view);
        noted->rolled_back_to = view.rolled_back_to;
        noted->has_completed = view.rollout != ROLLOUT_FAILED; /* it may be starting again */
    }
    service->is_rate_lost = true;
    service->rebalanced = service->scaled_zone = (struct audit_move){SYMBOL_NONE, 0};
    service->upset_ns = audit->now_ns;
}
