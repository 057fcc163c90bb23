/*
 * The launch rate: at most so many tasks of one service are launched in a minute (semantics 4.2).
 *
 * A bucket of a minute's launches that is refilled a minute after its first was taken. What it does
 * not allow waits for the refill, which is a deadline of the service, not something to poll for.
 */
#include "scheduler/core/controller_internal.h"

static struct bucket_rule rule_of(const struct controller *controller)
{
    uint32_t launches = controller->options.launches_per_minute;
    return (struct bucket_rule){launches, launches, 60 * BERTH_NS_PER_S};
}

static bool is_limited(const struct controller *controller)
{
    return controller->options.launches_per_minute > 0;
}

uint32_t rate_left(const struct controller *controller, const struct service *service)
{
    if (!is_limited(controller))
        return UINT32_MAX;
    return bucket_left(&service->launch_bucket, rule_of(controller), controller->now.mono_ns);
}

uint32_t rate_grant(const struct controller *controller, const struct service *service,
                    uint32_t wanted)
{
    uint32_t most = controller->options.launches_per_minute;
    /* What was taken only falls with time: mostly the bucket need not be settled to know. */
    if (!is_limited(controller) || (uint64_t)service->launch_bucket.taken + wanted <= most)
        return wanted;
    uint32_t left = rate_left(controller, service);
    return wanted < left ? wanted : left;
}

void rate_take(struct controller *controller, struct service *service)
{
    if (!is_limited(controller))
        return;
    bucket_take(&service->launch_bucket, rule_of(controller), controller->now.mono_ns, 1);
    service->is_record_dirty = true;
}

berth_ns rate_next_ns(const struct controller *controller, const struct service *service)
{
    if (rate_grant(controller, service, 1) > 0)
        return BERTH_NS_NEVER;
    return bucket_next_ns(&service->launch_bucket, rule_of(controller), controller->now.mono_ns);
}

bool rate_refilled(const struct controller *controller, struct service *service)
{
    if (!is_limited(controller) ||
        service->launch_bucket.taken < controller->options.launches_per_minute ||
        rate_left(controller, service) == 0)
        return false;
    bucket_settle(&service->launch_bucket, rule_of(controller), controller->now.mono_ns);
    service->is_record_dirty = true;
    return true;
}
