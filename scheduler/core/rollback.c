/*
 * How a deployment fails, and what becomes of its service then (semantics 4.7, 4.13).
 *
 *     circuit breaker     as many failures as its threshold, looked at before every pass
 *     alarms.c            a listed alarm entered ALARM
 *     the user            StopServiceDeployment
 *
 * A failed deployment launches nothing. With rollback, the most recent COMPLETED one is started
 * again under its own number; it is IN_PROGRESS then, so nothing goes back to it before it has
 * completed again, and when it fails, or there is none, the service stalls until it is updated.
 */
#include "scheduler/core/controller_internal.h"

uint32_t deployment_threshold(const struct deployment *deployment)
{
    const struct service *service = deployment->service;
    if (!service->settings.breaker.is_enabled || deployment->staging.is_active ||
        service->controller == CONTROLLER_EXTERNAL)
        return 0; /* The breaker is for rolling deployments. */
    return breaker_trips_at(service->settings.breaker.type, service->settings.breaker.value,
                            service->desired_count);
}

static uint32_t running_of(const struct deployment *deployment)
{
    uint32_t running = 0;
    for (int draining = 0; draining < 2; draining++) {
        const struct tally *tally = &deployment->tally[draining];
        running += tally->young + tally->healthy + tally->unhealthy;
    }
    return running;
}

static bool is_judged(const struct deployment *deployment)
{
    return deployment->rollout == ROLLOUT_IN_PROGRESS &&
           deployment->service->controller == CONTROLLER_ECS &&
           deployment == deployment->service->deployments.items[0];
}

void deployment_task_failed(struct controller *controller, struct deployment *deployment,
                            enum deployment_failure cause)
{
    if (!is_judged(deployment))
        return;
    if (cause == FAILED_TO_START && running_of(deployment) > 0)
        return; /* The first stage is over while one of them runs. */
    deployment->failed_count++;
    deployment_changed(controller, deployment);
}

void deployment_task_healthy(struct controller *controller, struct deployment *deployment)
{
    if (deployment->failed_count == 0 || deployment->service->settings.breaker.keeps_count ||
        !is_judged(deployment))
        return;
    if (deployment->service->settings.breaker.is_enabled)
        rule_fired(controller, RULE_BREAKER_RESET);
    deployment->failed_count = 0;
    deployment_changed(controller, deployment);
}

/*
 * A round of placement found no room. It counts while nothing of the deployment is there and
 * nothing is on its way out that could make room, and once in so long, however often it is tried.
 */
void deployment_unplaced(struct controller *controller, struct deployment *deployment)
{
    const struct service *service = deployment->service;
    berth_ns now_ns = controller->now.mono_ns;
    for (size_t i = 0; i < service->deployments.count; i++)
        if (service->deployments.items[i]->stopping > 0)
            return;
    if (!is_judged(deployment) || deployment->tasks.count > 0 ||
        (deployment->unplaced_ns != BERTH_NS_NEVER &&
         now_ns - deployment->unplaced_ns < ROLLOUT_PERIOD_NS))
        return;
    deployment->unplaced_ns = now_ns;
    deployment->failed_count++;
    deployment_changed(controller, deployment);
}

static struct deployment *last_completed(const struct service *service)
{
    for (size_t i = service->revisions.count; i-- > 0;)
        if (service->revisions.items[i]->rollout == ROLLOUT_COMPLETED)
            return service->revisions.items[i];
    return NULL;
}

/* COMPLETED -> IN_PROGRESS: as if new, but under its old number. */
static void start_again(struct controller *controller, struct deployment *target,
                        struct deployment *failed)
{
    struct service_event event = {.kind = SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS,
                                  .service = target->service->id,
                                  .deployment = target->number,
                                  .cause = failed->cause,
                                  .rolls_back = failed->number};
    rule_fired(controller, RULE_ROLLBACK);
    failed->status = SERVICE_DEPLOYMENT_ROLLBACK_IN_PROGRESS;
    failed->rolled_back_to = target->number;
    deployment_changed(controller, failed);
    target->rollout = ROLLOUT_IN_PROGRESS;
    target->rolls_back = failed->number;
    target->failed_count = 0;
    target->failures = 0;
    target->throttled_until_ns = 0;
    deployment_make_primary(controller, target);
    deployment_changed(controller, target);
    emit_event(controller, &event);
}

/* Blue serves again; it was there all the time, so that nothing is started. */
static void turn_back(struct controller *controller, struct deployment *green,
                      struct deployment *blue)
{
    struct service_event event = {.kind = SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS,
                                  .service = green->service->id,
                                  .deployment = blue->number,
                                  .cause = green->cause,
                                  .rolls_back = green->number};
    rule_fired(controller, RULE_ROLLBACK);
    green->status = SERVICE_DEPLOYMENT_ROLLBACK_IN_PROGRESS;
    green->rolled_back_to = blue->number;
    deployment_make_primary(controller, blue);
    stages_reverse(controller, green);
    deployment_changed(controller, blue);
    emit_event(controller, &event);
}

/* What a failed deployment's service goes back to; NULL: nothing. */
static struct deployment *find_target(const struct deployment *failed)
{
    if (failed->staging.is_active) {
        struct deployment *blue = stages_blue(failed->service, failed);
        return blue != NULL && blue->rollout == ROLLOUT_COMPLETED ? blue : NULL;
    }
    return failed->rolls_back != 0 ? NULL : last_completed(failed->service);
}

void deployment_fail(struct controller *controller, struct deployment *deployment,
                     enum rollout_cause cause, bool rolls_back)
{
    struct service_event event = {.kind = SERVICE_EVENT_DEPLOYMENT_FAILED,
                                  .service = deployment->service->id,
                                  .deployment = deployment->number,
                                  .cause = cause};
    bool is_rollback = deployment->rolls_back != 0;
    struct deployment *target = rolls_back ? find_target(deployment) : NULL;
    deployment->rollout = ROLLOUT_FAILED;
    deployment->cause = cause;
    deployment_changed(controller, deployment);
    emit_event(controller, &event);
    if (is_rollback)
        deployment_end_rollback(controller, deployment, SERVICE_DEPLOYMENT_ROLLBACK_FAILED);
    else
        deployment->status =
            rolls_back ? SERVICE_DEPLOYMENT_ROLLBACK_FAILED : SERVICE_DEPLOYMENT_STOPPED;
    if (target != NULL && deployment->staging.is_active)
        turn_back(controller, deployment, target);
    else if (target != NULL)
        start_again(controller, target, deployment);
    else
        rule_fired(controller, RULE_STALL);
}

void deployment_judge(struct controller *controller, struct service *service)
{
    struct deployment *primary = service->deployments.items[0];
    if (primary->rollout != ROLLOUT_IN_PROGRESS || primary->failed_count == 0)
        return;
    uint32_t threshold = deployment_threshold(primary);
    if (threshold == 0 || primary->failed_count < threshold)
        return;
    rule_fired(controller, RULE_BREAKER);
    deployment_fail(controller, primary, ROLLOUT_CAUSE_BREAKER,
                    service->settings.breaker.rolls_back);
}

/* The one that a command means, or NULL: given by number, else the one in progress. */
static struct deployment *find_meant(const struct service *service, uint64_t number)
{
    struct deployment *primary = service->deployments.items[0];
    if (number == 0)
        number = primary->rolls_back != 0 ? primary->rolls_back : primary->number;
    return deployment_find(service, number);
}

static bool is_being_stopped(enum service_deployment_status status)
{
    return status == SERVICE_DEPLOYMENT_STOP_REQUESTED ||
           status >= SERVICE_DEPLOYMENT_ROLLBACK_REQUESTED;
}

void deployment_stop(struct controller *controller, const struct event *event)
{
    const struct event_service_deployment *wanted = &event->u.service_deployment;
    struct service *service = service_find(controller, wanted->service);
    struct deployment *deployment =
        service == NULL ? NULL : find_meant(service, wanted->deployment);
    if (deployment == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND,
                     "serviceDeployment: %.256s has none of this number",
                     wanted->service == NULL ? "no service" : wanted->service);
        return;
    }
    bool is_running = is_judged(deployment) && deployment->rolls_back == 0;
    if (!is_running && !is_being_stopped(deployment->status)) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "serviceDeployment: ecs-svc/%llu is %s; only one in progress can be stopped",
                     (unsigned long long)deployment->number,
                     service_deployment_status_names[deployment->status]);
        return;
    }
    if (is_running)
        deployment_fail(controller, deployment, ROLLOUT_CAUSE_USER, wanted->rolls_back);
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.service = service->id;
}
