/*
 * Quotas and throttles (semantics 8), off unless the options ask for them: a call that its bucket
 * does not admit is refused as THROTTLED and changes nothing but the bucket; one that would make
 * something larger than it may be is refused with the quota's name.
 *
 * LIMIT: calls that nobody waits for an answer of (token 0), RegisterTaskDefinition and
 * RegisterContainerInstance are not counted against a bucket: a driver makes them all at once when
 * it begins. An agent's state change that is throttled gets no ack, so the agent sends it again.
 */
#include "scheduler/core/controller_internal.h"

static enum api_category category_of(const struct event *event)
{
    switch (event->kind) {
    case EVENT_RUN_TASK:
    case EVENT_STOP_TASK:
    case EVENT_UPDATE_INSTANCE_STATE:
    case EVENT_DEREGISTER_INSTANCE:
        return event->token != 0 ? API_CLUSTER_RESOURCE_MODIFY : API_CATEGORY_COUNT;
    case EVENT_CREATE_SERVICE:
    case EVENT_UPDATE_SERVICE:
    case EVENT_DELETE_SERVICE:
    case EVENT_STOP_SERVICE_DEPLOYMENT:
    case EVENT_CONTINUE_SERVICE_DEPLOYMENT:
        return event->token != 0 ? API_SERVICE_MODIFY : API_CATEGORY_COUNT;
    case EVENT_CREATE_TASK_SET:
    case EVENT_UPDATE_TASK_SET:
    case EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET:
    case EVENT_DELETE_TASK_SET:
        return event->token != 0 ? API_TASK_SET_MODIFY : API_CATEGORY_COUNT;
    case EVENT_UPDATE_TASK_PROTECTION:
        return event->token != 0 ? API_TASK_PROTECTION : API_CATEGORY_COUNT;
    case EVENT_MESSAGE:
        return event->u.message.kind == MESSAGE_TASK_STATE ? API_AGENT_MODIFY : API_CATEGORY_COUNT;
    default:
        return API_CATEGORY_COUNT;
    }
}

/* Takes a token, or says that there is none. */
static bool has_token(struct controller *controller, enum api_category category)
{
    struct bucket *bucket = &controller->api_buckets[category];
    struct bucket_rule rule = api_categories[category].rule;
    berth_ns now_ns = controller->now.mono_ns;
    if (bucket_left(bucket, rule, now_ns) == 0)
        return false;
    bucket_take(bucket, rule, now_ns, 1);
    controller->needs_own_record = true;
    return true;
}

static uint32_t live_instances(const struct controller *controller)
{
    uint32_t count = 0;
    for (instance_id id = 0; id < cluster_instance_count(controller->cluster); id++)
        count += cluster_instance(controller->cluster, id)->status != INSTANCE_INACTIVE;
    return count;
}

/* What the call would make of the thing whose size is bounded; false: none is. */
static bool size_asked(const struct controller *controller, const struct event *event,
                       enum size_quota *quota, uint64_t *size)
{
    switch (event->kind) {
    case EVENT_RUN_TASK:
        *quota = QUOTA_TASKS_PER_RUN_TASK;
        *size = event->u.run_task.count;
        return true;
    case EVENT_CREATE_SERVICE:
        if (controller->service_by_name.count >= size_quotas[QUOTA_SERVICES_PER_CLUSTER].most) {
            *quota = QUOTA_SERVICES_PER_CLUSTER;
            *size = (uint64_t)controller->service_by_name.count + 1;
            return true;
        }
        /* fall through */
    case EVENT_UPDATE_SERVICE:
        *quota = QUOTA_TASKS_PER_SERVICE;
        *size = event->u.service.desired_count > 0 ? (uint64_t)event->u.service.desired_count : 0;
        return true;
    case EVENT_REGISTER_INSTANCE:
        *quota = QUOTA_INSTANCES_PER_CLUSTER;
        *size = event->u.register_instance.existing != INSTANCE_NONE
                    ? 0
                    : (uint64_t)live_instances(controller) + 1;
        return true;
    default:
        return false;
    }
}

bool quotas_admit(struct controller *controller, const struct event *event)
{
    enum size_quota quota;
    uint64_t size;
    enum api_category category = category_of(event);
    if (controller->options.throttles_api && category != API_CATEGORY_COUNT &&
        !has_token(controller, category)) {
        rule_fired(controller, RULE_API_THROTTLED);
        emit_refusal(controller, event, REPLY_THROTTLED, "ThrottlingException: Rate exceeded");
        return false;
    }
    if (controller->options.limits_sizes && size_asked(controller, event, &quota, &size) &&
        size > size_quotas[quota].most) {
        rule_fired(controller, RULE_SIZE_QUOTA);
        emit_refusal(controller, event, REPLY_REFUSED,
                     "LimitExceededException: at most %lu %s; ask for less, or turn size quotas "
                     "off",
                     (unsigned long)size_quotas[quota].most, size_quotas[quota].name);
        return false;
    }
    return true;
}
