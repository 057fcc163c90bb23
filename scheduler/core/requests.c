/*
 * What is around the cluster: who takes an answer, and what is asked again after a resume.
 *
 *     load balancers, the network    targets.c        hooks, alarms, traffic    stages.c
 *     instance groups, Fargate       capacity.c       metrics                   autoscaling.c
 */
#include "scheduler/core/autoscaling.h"
#include "scheduler/core/controller_internal.h"

void outside_answered(struct controller *controller, const struct event *event)
{
    switch (event->u.answer.kind) {
    case ANSWER_TRAFFIC:
        stages_traffic_answered(controller, &event->u.answer);
        break;
    case ANSWER_HOOK:
        stages_hook_answered(controller, &event->u.answer);
        break;
    case ANSWER_ALARM:
        alarm_answered(controller, &event->u.answer);
        break;
    case ANSWER_METRIC:
        scaling_metric_told(controller, &event->u.answer);
        break;
    case ANSWER_TARGET:
        targets_answer(controller, &event->u.answer);
        break;
    case ANSWER_INTERFACE:
        interface_answer(controller, &event->u.answer);
        break;
    case ANSWER_KIND_COUNT:
        break;
    case ANSWER_GROUP:
        capacity_answered(controller, &event->u.answer);
        break;
    }
}

void outside_resumed(struct controller *controller)
{
    targets_resume(controller);
    capacity_resumed(controller);
    stages_resumed(controller);
}
