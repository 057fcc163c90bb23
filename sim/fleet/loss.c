/*
 * loss.c -- hosts are lost and return, and what the controller is told of it.
 *
 * The modes, from mild to severe, differ by what dies and by who knows:
 *
 *     disconnect   the connection; containers run on, the agent goes on with its work
 *     hang         the agent stands still too; containers run on, but serve nobody
 *     stop         the power: containers are gone, disk and checkpoint stay
 *     wipe         the power, and the agent's checkpoint: it returns as a new instance beside the
 * old terminate    the machine: with a connected agent it is deregistered at once
 *
 * For all but the last the controller learns nothing until the agent has been missed for the time
 * of detection. A machine that is terminated while its agent was not connected is not deregistered,
 * as in ECS: a zombie stays behind. A host returns when no cause of loss holds any more; causes may
 * overlap (a zone outage while an instance is being repaired), and the worst mode counts.
 */
#include <assert.h>
#include <math.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

void host_boot(struct fleet *fleet, uint32_t host, berth_ns delay_ns)
{
    struct host *h = host_at(fleet, host);
    host_set_power(fleet, host, HOST_BOOTING);
    h->power_epoch++;
    fleet_queue(fleet, behaviour_later(fleet->now_ns, delay_ns), FLEET_BOOTED, host, h->power_epoch,
                0);
}

/*
 * The new connection supersedes the old one: the controller sees one go and one come. Blind to the
 * host it sees neither end of a short absence; but a new instance connects beside the old one, of
 * which nobody would tell it later, so that one is missed now all the same.
 */
void host_link(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    h->is_linked = true;
    h->link_epoch++;
    if (h->trouble != NULL)
        vec_clear(&h->trouble->awaited);
    if (!h->is_missed && h->is_registered && (h->blind == 0 || h->is_fresh))
        fleet->ops->event(fleet->context, &(struct event){.kind = EVENT_AGENT_DISCONNECTED,
                                                          .u.agent = h->instance});
    h->is_missed = false;
}

void host_connect(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    fleet->ops->event(fleet->context,
                      &(struct event){.kind = EVENT_AGENT_CONNECTED, .u.agent = h->instance});
    host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_CONNECTED});
}

static void drop_link(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    if (!h->is_linked)
        return;
    h->is_linked = false;
    h->link_epoch++;
    fleet_queue(fleet, behaviour_later(fleet->now_ns, fleet->scenario->delays.disconnect_detect_ns),
                FLEET_DETECTED, host, h->link_epoch, 0);
}

void host_detected(struct fleet *fleet, uint32_t host, uint64_t link_epoch)
{
    struct host *h = host_at(fleet, host);
    if (h->link_epoch != link_epoch || h->is_linked || !h->is_registered || h->is_missed ||
        fleet->is_controller_down)
        return;
    if (h->blind > 0) {
        h->is_detection_due = true;
        return;
    }
    h->is_missed = true;
    fleet->ops->event(fleet->context,
                      &(struct event){.kind = EVENT_AGENT_DISCONNECTED, .u.agent = h->instance});
}

static void power_off(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    runtime_power_lost(fleet, host);
    if (h->trouble != NULL)
        vec_clear(&h->trouble->deferred);
    h->power_epoch++;
    host_set_power(fleet, host, HOST_OFF);
}

/* The agent is gone for good, and with it all it knew. */
static void forget_agent(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    runtime_forget_all(fleet, host);
    if (h->agent != NULL)
        agent_destroy(h->agent);
    h->agent = NULL;
    h->timer_generation++;
    h->timer_at_ns = BERTH_NS_NEVER;
    h->is_fresh = true;
}

static void terminate(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    /* A controller that is down is told when it is back: the cloud knows that it was connected. */
    bool is_told = h->is_registered && (h->is_linked || (h->is_cut && fleet->is_controller_down));
    h->is_cut = false;
    power_off(fleet, host);
    forget_agent(fleet, host);
    h->disk = (struct image_disk){.disk = fleet->disk_count++};
    h->slowness = 1;
    h->is_slow = false;
    if (!is_told)
        return;
    h->is_linked = false;
    h->link_epoch++;
    h->is_registered = false;
    fleet->ops->event(fleet->context,
                      &(struct event){.kind = EVENT_DEREGISTER_INSTANCE,
                                      .u.deregister_instance = {.instance = h->instance,
                                                                .force = true,
                                                                .cause = DEREGISTER_TERMINATED}});
}

static void take_effect(struct fleet *fleet, uint32_t host, enum loss_mode mode)
{
    struct host *h = host_at(fleet, host);
    switch (mode) {
    case LOSS_TERMINATE:
        terminate(fleet, host);
        break;
    case LOSS_WIPE:
        drop_link(fleet, host);
        power_off(fleet, host);
        forget_agent(fleet, host);
        break;
    case LOSS_STOP:
        drop_link(fleet, host);
        power_off(fleet, host);
        if (h->agent != NULL)
            host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_DISCONNECTED});
        break;
    case LOSS_HANG:
        drop_link(fleet, host);
        host_set_power(fleet, host, HOST_HUNG);
        runtime_power_changed(fleet, host);
        break;
    case LOSS_DISCONNECT:
        drop_link(fleet, host);
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_DISCONNECTED});
        break;
    }
}

void fleet_engine_restart(struct fleet *fleet, berth_ns now_ns, uint32_t host, bool keeps)
{
    struct host *h = host_at(fleet, host);
    struct agent_event restarted = {.kind = AGENT_EVENT_ENGINE_RESTARTED,
                                    .keeps_containers = keeps};
    fleet->now_ns = now_ns;
    if ((h->power != HOST_UP && h->power != HOST_HUNG) || h->agent == NULL)
        return;
    if (keeps)
        health_forgotten(fleet, host);
    else
        runtime_power_lost(fleet, host);
    if (h->power == HOST_HUNG)
        *vec_push(&host_trouble(h)->deferred) = restarted;
    else
        host_agent_step(fleet, host, &restarted);
}

berth_ns host_slowed_down(const struct host *host, berth_ns takes_ns)
{
    if (takes_ns == BERTH_NS_NEVER)
        return takes_ns;
    double slowed_ns = (double)takes_ns * host->slowness;
    return slowed_ns < 0x1p62 ? (berth_ns)llround(slowed_ns) : BERTH_NS_NEVER;
}

void fleet_set_slow(struct fleet *fleet, berth_ns now_ns, uint32_t host, double factor)
{
    assert(factor > 0);
    fleet->now_ns = now_ns;
    host_at(fleet, host)->slowness = factor;
    host_at(fleet, host)->is_slow = factor != 1;
}

/* enum loss_mode runs from severe to mild. */
uint32_t fleet_lose(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum loss_mode mode)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    /* What has not booted can only be switched off: there is no connection to lose. */
    if ((h->power == HOST_BOOTING || h->power == HOST_OFF || h->agent == NULL) && mode > LOSS_STOP)
        mode = LOSS_STOP;
    bool is_worse = h->causes == 0 || (uint8_t)mode < h->mode;
    h->causes++;
    if (is_worse) {
        h->mode = (uint8_t)mode;
        take_effect(fleet, host, mode);
        h->is_cut = false;
    }
    return h->loss;
}

static void wake(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    host_set_power(fleet, host, HOST_UP);
    runtime_power_changed(fleet, host);
    host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_DISCONNECTED});
    for (size_t i = 0; h->trouble != NULL && i < h->trouble->deferred.count; i++)
        host_agent_step(fleet, host, &h->trouble->deferred.items[i]);
    if (h->trouble != NULL)
        vec_clear(&h->trouble->deferred);
    host_join(fleet, host);
}

static void come_back(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    h->causes = 0;
    h->loss++;
    if (h->power == HOST_OFF && h->is_retired)
        return;
    const struct scenario_group *group = &fleet->scenario->groups[h->group];
    if (h->power == HOST_OFF) {
        const struct distribution *boot =
            group->has_boot ? &group->boot : &fleet->scenario->delays.boot;
        struct rng stream = {rng_key(fleet->key, "boot", host), h->boot_draws};
        host_boot(fleet, host, distribution_draw_ns(boot, &stream));
        h->boot_draws = (uint32_t)stream.counter;
    } else if (h->power == HOST_HUNG) {
        wake(fleet, host);
    } else {
        host_join(fleet, host);
    }
}

void fleet_forsake(struct fleet *fleet, uint32_t host)
{
    host_at(fleet, host)->is_retired = true;
}

/* Whoever gives a machine back knows that it goes, whether its agent is connected or not. */
void fleet_retire(struct fleet *fleet, berth_ns now_ns, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    instance_id instance = h->is_registered ? h->instance : INSTANCE_NONE;
    fleet->now_ns = now_ns;
    h->is_retired = true;
    if (h->power != HOST_OFF)
        terminate(fleet, host);
    if (instance == INSTANCE_NONE || !h->is_registered)
        return;
    h->is_registered = false;
    fleet_queue(fleet, now_ns, FLEET_GONE, instance, 0, 0);
}

void fleet_return(struct fleet *fleet, berth_ns now_ns, uint32_t host, uint32_t loss)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    if (h->loss != loss || h->causes == 0)
        return;
    h->causes--;
    if (h->causes == 0)
        come_back(fleet, host);
}

void fleet_recover(struct fleet *fleet, berth_ns now_ns, uint32_t host)
{
    fleet->now_ns = now_ns;
    if (host_at(fleet, host)->causes > 0)
        come_back(fleet, host);
}

void fleet_notice(struct fleet *fleet, berth_ns now_ns, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    if (!h->is_linked || h->lossy_up > 0 || h->clogged > 0)
        return;
    berth_ns delay_ns = host_network_delay_ns(fleet, h);
    berth_ns at_ns = behaviour_later(now_ns, delay_ns);
    h->last_ns[true] = at_ns > h->last_ns[true] ? at_ns : h->last_ns[true];
    fleet_queue(fleet, h->last_ns[true], FLEET_NOTICE, host, h->link_epoch, 0);
}

void host_notice_arrived(struct fleet *fleet, uint32_t host, uint64_t link_epoch)
{
    struct host *h = host_at(fleet, host);
    if (!h->is_linked || h->link_epoch != link_epoch || !h->is_registered)
        return;
    struct event event = {.kind = EVENT_UPDATE_INSTANCE_STATE};
    event.u.update_instance_state.instance = h->instance;
    event.u.update_instance_state.status = INSTANCE_DRAINING;
    fleet->ops->event(fleet->context, &event);
}
