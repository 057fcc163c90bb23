/*
 * steps.c -- the steps of the hosts' agents, and their timers.
 *
 * Timers are lazy. A host has at most one queued timer that counts; an earlier deadline replaces it
 * (the old one is stale by its generation), a later or cancelled one lets it fire and look again.
 * So a steady host has none, and acknowledging a report costs no search in the queue.
 */
#include "sim/fleet/host.h"

static inline void arm_timer(struct fleet *fleet, struct host *h, berth_ns deadline_ns)
{
    if (deadline_ns >= h->timer_at_ns)
        return;
    h->timer_at_ns = deadline_ns > fleet->now_ns ? deadline_ns : fleet->now_ns;
    h->timer_generation++;
    fleet_queue(fleet, h->timer_at_ns, FLEET_TIMER, h->number, h->timer_generation, 0);
}

void host_step(struct fleet *fleet, struct host *h, const struct agent_event *event)
{
    struct step_time now = {fleet->now_ns, FLEET_WALL_EPOCH_NS + fleet->now_ns};
    berth_ns deadline_ns = agent_step(h->agent, now, event, &fleet->actions);
    fleet->agent_steps++;
    if (fleet->ops->stepped != NULL)
        fleet->ops->stepped(fleet->context, h->number, h->instance, h->agent, event,
                            &fleet->actions);
    for (size_t i = 0; i < fleet->actions.count; i++) {
        const struct agent_action *action = &fleet->actions.items[i];
        if (action->kind == AGENT_ACTION_SEND)
            host_message(fleet, h, true, &action->message);
        else
            runtime_order(fleet, h, action);
    }
    arm_timer(fleet, h, deadline_ns);
}

void host_timer_fires(struct fleet *fleet, uint32_t host, uint64_t generation)
{
    struct host *h = host_at(fleet, host);
    if (h->timer_generation != generation)
        return;
    h->timer_at_ns = BERTH_NS_NEVER;
    if (h->power != HOST_UP || h->agent == NULL)
        return;
    berth_ns deadline_ns = agent_next_deadline(h->agent);
    if (deadline_ns > fleet->now_ns)
        arm_timer(fleet, h, deadline_ns);
    else
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_TIMER});
}
