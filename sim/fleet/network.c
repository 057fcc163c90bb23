/*
 * network.c -- between the controller and the agents: messages on their way, and whether there is a
 * way at all.
 *
 * A message is delivered at max(delivery of the one before, now + draw), unless ops->fate says that
 * others may overtake it. Every message belongs to a connection, numbered by the link epoch; what
 * arrives when that connection is gone is dropped.
 *
 * A way can be blocked: what goes there is lost, or held back (clogged) until the way is free. The
 * connection outlives a short block; one that lasts as long as a disconnect takes to be noticed
 * ends it on both sides, and the agent connects again when it can. While the controller is down no
 * host has a connection.
 *
 * A payload or manifest that got lost on a connection which goes on would be waited for without
 * end. As the reference has it ("count acks"), whoever serves the connection closes it when an
 * ack is overdue; the agent connects again at once and is told everything anew. Reports are not
 * part of that connection: the agent repeats them by itself.
 */
#include <assert.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

#define ACK_TIMEOUT_NS (60 * BERTH_NS_PER_S)
#define RECONNECT_WITHIN_NS (5 * BERTH_NS_PER_S) /* of a controller that is back */
#define SEQ_NEVER_ACKED UINT64_MAX

static bool can_reach(const struct fleet *fleet, uint32_t host)
{
    const struct host *h = host_at(fleet, host);
    return !fleet->is_controller_down && h->lossy_down == 0 && h->lossy_up == 0 && h->clogged == 0;
}

/* An ack that does not come ends the connection. */
static void await_ack(struct fleet *fleet, struct host *h, uint64_t seq)
{
    *vec_push(&host_trouble(h)->awaited) = seq;
    fleet_queue(fleet, behaviour_later(fleet->now_ns, ACK_TIMEOUT_NS), FLEET_UNACKED, h->number,
                seq, h->link_epoch);
}

/* What the ends of a connection miss when this message does not come, or comes out of order. */
static void miss(struct fleet *fleet, struct host *h, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_PAYLOAD:
    case MESSAGE_MANIFEST:
    case MESSAGE_ACK:
        await_ack(fleet, h, message->seq);
        break;
    case MESSAGE_STOP_VERIFICATION:
    case MESSAGE_STOP_VERIFICATION_ACK:
        await_ack(fleet, h, SEQ_NEVER_ACKED);
        break;
    case MESSAGE_TASK_STATE:
    case MESSAGE_REPORT_ACK:
    case MESSAGE_KIND_COUNT:
        break;
    }
}

/* An ack is so small that it travels in the event itself. */
static inline void deliver_at(struct fleet *fleet, const struct host *h, bool is_up, berth_ns at_ns,
                              const struct message *message)
{
    struct sim_event event = {.a = h->number};
    if (message->kind == (is_up ? MESSAGE_ACK : MESSAGE_REPORT_ACK)) {
        event.kind = is_up ? FLEET_ACK_UP : FLEET_ACK_DOWN;
        event.b = message->seq;
        event.c = (uint64_t)message->instance << 32 | h->link_epoch;
    } else {
        event.kind = is_up ? FLEET_MESSAGE_UP : FLEET_MESSAGE_DOWN;
        event.b = parcels_hold(&fleet->parcels, message);
        event.c = h->link_epoch;
    }
    sim_queue_put(fleet->queue, at_ns, event);
}

berth_ns host_network_delay_ns(const struct fleet *fleet, struct host *host)
{
    const struct behaviour_delay *delay = &fleet->network;
    return host_slowed(host, delay->drawn == NULL
                                 ? delay->constant_ns
                                 : distribution_draw_ns(delay->drawn, &host->network));
}

/* False: it is lost. When it arrives, and a second time if not BERTH_NS_NEVER. */
static bool meets_fate(struct fleet *fleet, struct host *h, bool is_up,
                       const struct message *message, berth_ns *at_ns, berth_ns *again_ns)
{
    struct message_fate fate = {.twice_after_ns = BERTH_NS_NEVER};
    fleet->ops->fate(fleet->context, h->number, is_up, &fate);
    if (fate.is_lost) {
        miss(fleet, h, message);
        return false;
    }
    *at_ns = behaviour_later(*at_ns, fate.extra_ns);
    /* One that is overtaken overtakes nobody itself: only of it is the ack awaited. */
    *at_ns = *at_ns > h->last_ns[is_up] ? *at_ns : h->last_ns[is_up];
    if (fate.is_overtaken)
        miss(fleet, h, message); /* the agent may refuse it for what has come before */
    else
        h->last_ns[is_up] = *at_ns;
    *again_ns = behaviour_later(*at_ns, fate.twice_after_ns);
    return true;
}

void host_message(struct fleet *fleet, struct host *h, bool is_up, const struct message *message)
{
    if (!h->is_linked)
        return;
    berth_ns again_ns = BERTH_NS_NEVER;
    berth_ns at_ns = behaviour_later(fleet->now_ns, host_network_delay_ns(fleet, h));
    if (fleet->ops->fate == NULL)
        h->last_ns[is_up] = at_ns = at_ns > h->last_ns[is_up] ? at_ns : h->last_ns[is_up];
    else if (!meets_fate(fleet, h, is_up, message, &at_ns, &again_ns))
        return;
    for (; at_ns < fleet->end_ns; at_ns = again_ns, again_ns = BERTH_NS_NEVER)
        deliver_at(fleet, h, is_up, at_ns, message);
}

void fleet_send(struct fleet *fleet, berth_ns now_ns, const struct message *message)
{
    uint32_t host = fleet_host_of(fleet, message->instance);
    fleet->now_ns = now_ns;
    /* Work for an instance may be decided in the very step that registers it. */
    if (host == HOST_NONE && message->instance >= fleet->host_of.count)
        host = fleet->registering;
    else if (host != HOST_NONE && host_at(fleet, host)->is_fresh)
        return; /* The machine of that instance is no more; its successor waits for its answer. */
    if (host != HOST_NONE)
        host_message(fleet, host_at(fleet, host), false, message);
}

static void acknowledged(struct host_trouble *trouble, uint64_t seq)
{
    size_t kept = 0;
    for (size_t i = 0; i < trouble->awaited.count; i++)
        if (trouble->awaited.items[i] != seq)
            trouble->awaited.items[kept++] = trouble->awaited.items[i];
    trouble->awaited.count = kept;
}

/* Its connection goes on. */
static inline bool is_current(const struct host *h, const struct sim_event *event)
{
    return h->is_linked && h->link_epoch == (uint32_t)event->c;
}

/* By a clogged way: it comes again when that is free. */
static inline bool is_held_back(struct host *h, const struct sim_event *event)
{
    if (h->clogged == 0 || !is_current(h, event))
        return false;
    *vec_push(&host_trouble(h)->held) = *event;
    return true;
}

static void to_agent(struct fleet *fleet, struct host *h, const struct message *message)
{
    if (h->lossy_down > 0)
        miss(fleet, h, message);
    else
        host_step(fleet, h, &(struct agent_event){.kind = AGENT_EVENT_MESSAGE, .message = message});
}

/* The message is in fleet->arrived. */
static void to_controller(struct fleet *fleet, struct host *h)
{
    const struct message *message = &fleet->arrived.u.message;
    if (h->lossy_up > 0) {
        miss(fleet, h, message);
        return;
    }
    if (message->kind == MESSAGE_ACK && h->trouble != NULL)
        acknowledged(h->trouble, message->seq);
    fleet->ops->event(fleet->context, &fleet->arrived);
}

void host_ack_down(struct fleet *fleet, const struct sim_event *event)
{
    struct host *h = host_at(fleet, event->a);
    if (!is_held_back(h, event) && is_current(h, event))
        to_agent(fleet, h,
                 &(struct message){.kind = MESSAGE_REPORT_ACK,
                                   .instance = (instance_id)(event->c >> 32),
                                   .seq = event->b});
}

void host_ack_up(struct fleet *fleet, const struct sim_event *event)
{
    struct host *h = host_at(fleet, event->a);
    if (is_held_back(h, event) || !is_current(h, event))
        return;
    fleet->arrived.u.message = (struct message){
        .kind = MESSAGE_ACK, .instance = (instance_id)(event->c >> 32), .seq = event->b};
    to_controller(fleet, h);
}

void host_message_down(struct fleet *fleet, const struct sim_event *event)
{
    struct host *h = host_at(fleet, event->a);
    uint32_t parcel = (uint32_t)event->b;
    if (is_held_back(h, event))
        return;
    if (is_current(h, event))
        to_agent(fleet, h, parcels_open(&fleet->parcels, parcel));
    parcels_release(&fleet->parcels, parcel);
}

void host_message_up(struct fleet *fleet, const struct sim_event *event)
{
    struct host *h = host_at(fleet, event->a);
    uint32_t parcel = (uint32_t)event->b;
    if (is_held_back(h, event))
        return;
    if (is_current(h, event)) {
        fleet->arrived.u.message = *parcels_open(&fleet->parcels, parcel);
        to_controller(fleet, h);
    }
    parcels_release(&fleet->parcels, parcel);
}

/* The connection of a host that is up is given up. */
static void cut(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    h->is_linked = false;
    h->is_cut = true;
    h->link_epoch++;
    if (h->agent != NULL)
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_DISCONNECTED});
}

void host_join(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    h->is_cut = !can_reach(fleet, host);
    if (h->is_cut)
        return;
    if (h->is_fresh) {
        host_register(fleet, host);
        return;
    }
    if (h->is_rebooted)
        host_register_again(fleet, host);
    else
        host_link(fleet, host);
    host_connect(fleet, host);
}

void host_unacked(struct fleet *fleet, const struct sim_event *event)
{
    struct host *h = host_at(fleet, event->a);
    const struct host_trouble *trouble = host_trouble(h);
    bool is_awaited = false;
    for (size_t i = 0; i < trouble->awaited.count; i++)
        is_awaited = is_awaited || trouble->awaited.items[i] == event->b;
    if (!h->is_linked || h->link_epoch != event->c || !is_awaited)
        return;
    cut(fleet, event->a);
    host_detected(fleet, event->a, h->link_epoch);
    host_join(fleet, event->a);
}

void host_stalled(struct fleet *fleet, uint32_t host, uint64_t block_epoch)
{
    struct host *h = host_at(fleet, host);
    if (h->block_epoch != block_epoch || can_reach(fleet, host) || !h->is_linked)
        return;
    cut(fleet, host);
    host_detected(fleet, host, h->link_epoch);
}

static void add_block(struct host *h, enum fleet_block block, int change)
{
    if (block == FLEET_BLOCK_DOWN || block == FLEET_BLOCK_BOTH)
        h->lossy_down = (uint16_t)(h->lossy_down + change);
    if (block == FLEET_BLOCK_UP || block == FLEET_BLOCK_BOTH)
        h->lossy_up = (uint16_t)(h->lossy_up + change);
    if (block == FLEET_BLOCK_CLOG)
        h->clogged = (uint16_t)(h->clogged + change);
}

void fleet_block(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum fleet_block block)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    bool was_free = h->lossy_down == 0 && h->lossy_up == 0 && h->clogged == 0;
    add_block(h, block, 1);
    if (was_free)
        fleet_queue(fleet, behaviour_later(now_ns, fleet->scenario->delays.disconnect_detect_ns),
                    FLEET_STALLED, host, ++h->block_epoch, 0);
}

/* What was held comes now, in its order. */
static void unclog(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    if (h->trouble == NULL)
        return;
    for (size_t i = 0; i < h->trouble->held.count; i++)
        sim_queue_put(fleet->queue, fleet->now_ns, h->trouble->held.items[i]);
    vec_clear(&h->trouble->held);
}

void fleet_unblock(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum fleet_block block)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    add_block(h, block, -1);
    if (h->clogged == 0)
        unclog(fleet, host);
    if (h->is_cut && can_reach(fleet, host))
        host_join(fleet, host);
}

void fleet_blind(struct fleet *fleet, uint32_t host)
{
    host_at(fleet, host)->blind++;
}

bool fleet_see(struct fleet *fleet, berth_ns now_ns, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    assert(h->blind > 0);
    h->blind--;
    bool is_late = h->blind == 0 && h->is_detection_due && !h->is_linked;
    h->is_detection_due = false;
    if (is_late)
        host_detected(fleet, host, h->link_epoch);
    return is_late && h->is_missed;
}

void fleet_controller_down(struct fleet *fleet, berth_ns now_ns)
{
    fleet->now_ns = now_ns;
    fleet->is_controller_down = true;
    for (uint32_t i = 0; i < fleet->host_count; i++) {
        struct host *h = host_at(fleet, i);
        if (h->is_linked)
            cut(fleet, i);
        else
            h->link_epoch++; /* who waits to be missed waits for another controller now */
    }
}

static berth_ns draw_reconnect(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    struct rng stream = {rng_key(fleet->key, "reconnect", host), h->reconnect_draws};
    berth_ns after_ns = (berth_ns)rng_below(&stream, (uint64_t)RECONNECT_WITHIN_NS);
    h->reconnect_draws = (uint32_t)stream.counter;
    return after_ns;
}

/* Who it believes to be there and does not hear of is missed, as after any other disconnect. */
void fleet_controller_up(struct fleet *fleet, berth_ns now_ns)
{
    berth_ns missed_ns = behaviour_later(now_ns, fleet->scenario->delays.disconnect_detect_ns);
    fleet->now_ns = now_ns;
    fleet->is_controller_down = false;
    for (uint32_t i = 0; i < fleet->host_count; i++) {
        struct host *h = host_at(fleet, i);
        h->is_missed = false;
        h->is_detection_due = false;
        if (h->is_registered)
            fleet_queue(fleet, missed_ns, FLEET_DETECTED, i, h->link_epoch, 0);
        if (h->is_cut)
            fleet_queue(fleet, now_ns + draw_reconnect(fleet, i), FLEET_REJOIN, i, h->link_epoch,
                        0);
    }
}

void host_rejoin(struct fleet *fleet, uint32_t host, uint64_t link_epoch)
{
    struct host *h = host_at(fleet, host);
    if (h->is_cut && h->link_epoch == link_epoch)
        host_join(fleet, host);
}
