/*
 * The brake on mass disconnects: berth's own extension, off by default.
 *
 * When many agents fall silent at once the fault is more likely between them and the controller
 * than in each of their hosts, and replacing all their tasks would do the damage that the fault did
 * not. So while more than brake_percent of the ACTIVE instances are disconnected and about to be
 * declared lost, none is: those whose time has come are held. Agents that come back, instances that
 * are added or taken away bring the share down; then those still held are given their time anew,
 * for when a network heals its agents do not come back all in one moment.
 * Two counters tell the share, so an event costs O(1) whatever the fleet.
 */
#include "scheduler/core/controller_internal.h"

static void count(struct controller *controller, instance_id id, uint32_t by)
{
    if (cluster_instance(controller->cluster, id)->status != INSTANCE_ACTIVE)
        return;
    controller->active_count += by;
    if (host_of(controller, id)->lost_ns != BERTH_NS_NEVER)
        controller->missing_count += by;
}

void brake_count(struct controller *controller, instance_id id)
{
    count(controller, id, 1);
}

void brake_uncount(struct controller *controller, instance_id id)
{
    count(controller, id, UINT32_MAX); /* one less: unsigned arithmetic is modulo 2^32 */
}

bool brake_is_on(const struct controller *controller)
{
    uint64_t percent = controller->options.brake_percent;
    return percent > 0 &&
           (uint64_t)controller->missing_count * 100 > percent * controller->active_count;
}

static void tell(struct controller *controller, enum service_event_kind kind)
{
    struct service_event event = {.kind = kind, .service = SERVICE_NONE};
    emit_event(controller, &event);
}

void brake_hold(struct controller *controller, instance_id id)
{
    struct host *host = host_of(controller, id);
    if (controller->held.items.count == 0)
        tell(controller, SERVICE_EVENT_BRAKE_ON);
    host->is_held = true;
    heap_remove(&controller->host_deadlines, id);
    heap_set(&controller->held, id, host->lost_ns);
    emit_instance(controller, id);
    rule_fired(controller, RULE_BRAKE);
}

void brake_settle(struct controller *controller)
{
    struct heap_item item;
    if (!brake_is_on(controller))
        while (heap_first(&controller->held, &item)) {
            struct host *host = host_of(controller, item.handle);
            heap_remove(&controller->held, item.handle);
            host->is_held = false;
            if (controller->options.instance_lost_ns != BERTH_NS_NEVER)
                host->lost_ns = controller->now.mono_ns + controller->options.instance_lost_ns;
            heap_set(&controller->host_deadlines, item.handle, host->lost_ns);
            emit_instance(controller, item.handle);
        }
    if (controller->held.items.count == 0)
        tell(controller, SERVICE_EVENT_BRAKE_OFF);
}
