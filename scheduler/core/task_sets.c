/*
 * Task sets: the deployments of an EXTERNAL service, which an outside controller makes, scales and
 * removes (semantics 4.14). The service has a desired count, each set a share of it; nothing rolls
 * by itself. A set's rollout says its stability: IN_PROGRESS while it is STABILIZING, COMPLETED in
 * its steady state.
 */
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum { SCALE_MAX = 1000 };

static bool is_draining(const struct deployment *set)
{
    return set->status == SERVICE_DEPLOYMENT_STOP_REQUESTED;
}

uint32_t task_set_count(const struct deployment *set)
{
    if (is_draining(set))
        return 0;
    return (
        uint32_t)(((uint64_t)set->service->desired_count * set->scale_permille + SCALE_MAX - 1) /
                  SCALE_MAX);
}

static bool is_stable(const struct deployment *set)
{
    const struct tally *kept = &set->tally[0];
    return kept->healthy == task_set_count(set) && set->tasks.count == kept->healthy;
}

bool task_sets_are_stable(const struct service *service)
{
    for (size_t i = 0; i < service->deployments.count; i++)
        if (is_draining(service->deployments.items[i]) || !is_stable(service->deployments.items[i]))
            return false;
    return true;
}

void task_set_settle(struct controller *controller, struct deployment *set)
{
    enum rollout_state rollout =
        is_stable(set) && !is_draining(set) ? ROLLOUT_COMPLETED : ROLLOUT_IN_PROGRESS;
    if (set->rollout == rollout)
        return;
    set->rollout = rollout;
    if (!is_draining(set))
        set->status = rollout == ROLLOUT_COMPLETED ? SERVICE_DEPLOYMENT_SUCCESSFUL
                                                   : SERVICE_DEPLOYMENT_IN_PROGRESS;
    deployment_changed(controller, set);
}

/* The service of the command, which must be EXTERNAL; else NULL, and the refusal is made. */
static struct service *find_external(struct controller *controller, const struct event *event)
{
    const char *name = event->u.task_set.service;
    struct service *service = service_find(controller, name);
    if (service == NULL)
        emit_refusal(controller, event, REPLY_NOT_FOUND, "service: there is no %.256s",
                     name == NULL ? "name" : name);
    else if (service->controller != CONTROLLER_EXTERNAL)
        emit_refusal(controller, event, REPLY_INVALID,
                     "service: %.256s has the ECS controller; task sets belong to EXTERNAL", name);
    else
        return service;
    return NULL;
}

static struct deployment *find_set(struct controller *controller, const struct event *event,
                                   struct service *service)
{
    struct deployment *set = deployment_find(service, event->u.task_set.task_set);
    if (set != NULL && set->is_live && !is_draining(set))
        return set;
    emit_refusal(controller, event, REPLY_NOT_FOUND, "taskSet: %.256s has no ecs-svc/%llu",
                 event->u.task_set.service, (unsigned long long)event->u.task_set.task_set);
    return NULL;
}

static void reply_set(struct controller *controller, const struct event *event,
                      const struct deployment *set)
{
    struct reply *reply = emit_reply(controller, event);
    if (reply == NULL)
        return;
    reply->u.task_set.service = set->service->id;
    reply->u.task_set.number = set->number;
}

static bool is_scale(int32_t permille)
{
    return permille >= 0 && permille <= SCALE_MAX;
}

void task_set_create(struct controller *controller, const struct event *event)
{
    const struct event_task_set *wanted = &event->u.task_set;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct task_def *def;
    struct plan *plan = NULL;
    struct service *service = find_external(controller, event);
    if (service == NULL)
        return;
    if (!is_scale(wanted->scale_permille) && wanted->scale_permille != OVERRIDE_NONE)
        (void)berth_fail(&err, BERTH_ERR_INPUT, "scale: use 0 to 100 percent");
    if (wanted->target_group_count > TARGET_GROUPS_MAX)
        (void)berth_fail(&err, BERTH_ERR_INPUT, "loadBalancers: at most %d target groups",
                         TARGET_GROUPS_MAX);
    if (err.code != BERTH_OK ||
        (def = service_find_def(controller, wanted->task_definition, &err)) == NULL ||
        plan_get(controller, def, service->specs.strategies, service->specs.strategy_count,
                 service->specs.constraints, service->specs.constraint_count,
                 PLACEMENT_DEFAULT_SERVICE, &plan, &err) != BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return;
    }
    struct deployment *set = deployment_create(controller, service, plan, wanted->target_groups,
                                               wanted->target_group_count);
    set->is_live = true;
    set->scale_permille =
        wanted->scale_permille == OVERRIDE_NONE ? SCALE_MAX : (uint32_t)wanted->scale_permille;
    service_add_live(service, set);
    service->is_record_dirty = true;
    rule_fired(controller, RULE_TASK_SET);
    deployment_changed(controller, set);
    reply_set(controller, event, set);
}

void task_set_update(struct controller *controller, const struct event *event)
{
    const struct event_task_set *wanted = &event->u.task_set;
    struct service *service = find_external(controller, event);
    struct deployment *set = service == NULL ? NULL : find_set(controller, event, service);
    if (set == NULL)
        return;
    if (!is_scale(wanted->scale_permille)) {
        emit_refusal(controller, event, REPLY_INVALID, "scale: use 0 to 100 percent");
        return;
    }
    if (set->scale_permille != (uint32_t)wanted->scale_permille)
        rule_fired(controller, RULE_TASK_SET);
    set->scale_permille = (uint32_t)wanted->scale_permille;
    deployment_changed(controller, set);
    reply_set(controller, event, set);
}

void task_set_make_primary(struct controller *controller, const struct event *event)
{
    struct service *service = find_external(controller, event);
    struct deployment *set = service == NULL ? NULL : find_set(controller, event, service);
    if (set == NULL)
        return;
    service->primary_task_set = set->number;
    service->is_record_dirty = true;
    service_mark(controller, service);
    reply_set(controller, event, set);
}

void task_set_delete(struct controller *controller, const struct event *event)
{
    struct service *service = find_external(controller, event);
    struct deployment *set = service == NULL ? NULL : find_set(controller, event, service);
    if (set == NULL)
        return;
    if (set->scale_permille > 0 && !event->u.task_set.force) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "taskSet: ecs-svc/%llu is scaled up; scale it to 0 first or use force",
                     (unsigned long long)set->number);
        return;
    }
    if (service->primary_task_set == set->number)
        service->primary_task_set = 0;
    service->is_record_dirty = true;
    set->status = SERVICE_DEPLOYMENT_STOP_REQUESTED;
    set->cause = ROLLOUT_CAUSE_USER;
    deployment_changed(controller, set);
    reply_set(controller, event, set);
}
