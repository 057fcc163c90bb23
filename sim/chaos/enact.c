/*
 * enact.c -- what each kind of fault does when it begins, while it lasts, and when it ends.
 *
 * Whatever a fault has done to a host is undone by its end alone, so faults may overlap: blocks,
 * losses and blindness are counted by the fleet.
 */
#include "sim/chaos/chaos_internal.h"

static struct active *at(struct chaos *chaos, uint32_t slot)
{
    return &chaos->slots.items[slot];
}

/* Count it, and write it down. */
static void begun(struct chaos *chaos, const struct active *fault, enum chaos_kind kind)
{
    uint32_t host = fault->host_count == 1 ? fault->hosts[0].host : HOST_NONE;
    chaos_count(chaos, kind);
    chaos->ops->told(chaos->context, kind, fault->name, host, true);
}

static void ended(struct chaos *chaos, const struct active *fault)
{
    uint32_t host = fault->host_count == 1 ? fault->hosts[0].host : HOST_NONE;
    chaos->ops->told(chaos->context, fault->shown, fault->name, host, false);
}

/* One of `count` kinds that follow `first` in the order of the words; 0 is drawn. */
static enum chaos_kind choose(struct active *fault, uint32_t choice, enum chaos_kind first,
                              uint32_t count)
{
    if (choice == 0)
        choice = 1 + (uint32_t)rng_below(&fault->stream, count);
    return (enum chaos_kind)((uint32_t)first + choice - 1);
}

static void lose_all(struct chaos *chaos, struct active *fault, enum loss_mode mode)
{
    for (uint32_t i = 0; i < fault->host_count; i++) {
        struct chaos_host *host = &fault->hosts[i];
        host->loss = chaos->ops->lose(chaos->context, host->host, mode, fault->name);
        host->is_hit = true;
    }
}

static void give_back_all(struct chaos *chaos, struct active *fault)
{
    for (uint32_t i = 0; i < fault->host_count; i++) {
        struct chaos_host *host = &fault->hosts[i];
        if (host->is_hit)
            chaos->ops->give_back(chaos->context, host->host, host->loss);
        host->is_hit = false;
    }
}

static void begin_loss(struct chaos *chaos, struct active *fault, uint32_t choice)
{
    enum chaos_kind kind = choose(fault, choice, CHAOS_HOST_TERMINATED, 5);
    enum loss_mode mode = (enum loss_mode)(kind - CHAOS_HOST_TERMINATED);
    fault->shown = fault->kind == FAULT_RACK_LOSS   ? CHAOS_RACK_LOST
                   : fault->kind == FAULT_ZONE_LOSS ? CHAOS_ZONE_LOST
                                                    : kind;
    begun(chaos, fault, fault->shown);
    if (fault->shown != kind)
        chaos->counts[kind] += fault->host_count;
    lose_all(chaos, fault, mode);
}

static void begin_partition(struct chaos *chaos, struct active *fault, uint32_t choice)
{
    fault->shown = choose(fault, choice, CHAOS_PARTITION, 3);
    begun(chaos, fault, fault->shown);
    for (uint32_t i = 0; i < fault->host_count; i++)
        fleet_block(chaos->fleet, chaos->now_ns, fault->hosts[i].host,
                    (enum fleet_block)(fault->shown - CHAOS_PARTITION));
}

/* A part of the hosts, one after the other in random order; they come free in another one. */
static void begin_clog(struct chaos *chaos, uint32_t slot, berth_ns duration_ns)
{
    struct active *fault = at(chaos, slot);
    uint32_t all = fault->host_count;
    uint32_t count = (uint32_t)(fault->drawn * all + 0.999);
    fault->host_count = count < 1 ? 1 : count < all ? count : all;
    for (uint32_t i = 0; i < fault->host_count; i++) {
        uint32_t j = i + (uint32_t)rng_below(&fault->stream, all - i);
        struct chaos_host taken = fault->hosts[j];
        fault->hosts[j] = fault->hosts[i];
        fault->hosts[i] = taken;
    }
    begun(chaos, fault, CHAOS_CLOG);
    for (uint32_t i = 0; i < fault->host_count; i++) {
        double on = chaos_uniform(&fault->stream), off = chaos_uniform(&fault->stream);
        double third = (double)duration_ns / 3;
        chaos_queue(chaos, (berth_ns)(on * third), CHAOS_TURNS, slot, i);
        chaos_queue(chaos, (berth_ns)((2 + off) * third), CHAOS_TURNS, slot, i);
    }
}

/* The first time it is clogged, the second time it is free again. */
static void turn_clog(struct chaos *chaos, struct active *fault, uint32_t part)
{
    struct chaos_host *host = &fault->hosts[part];
    if (!host->is_hit)
        fleet_block(chaos->fleet, chaos->now_ns, host->host, FLEET_BLOCK_CLOG);
    else
        fleet_unblock(chaos->fleet, chaos->now_ns, host->host, FLEET_BLOCK_CLOG);
    host->is_hit = !host->is_hit;
}

static void end_clog(struct chaos *chaos, struct active *fault)
{
    for (uint32_t i = 0; i < fault->host_count; i++)
        if (fault->hosts[i].is_hit)
            turn_clog(chaos, fault, i);
}

/* A connection is lost while the controller is blind to it. */
static void begin_stale(struct chaos *chaos, struct active *fault, uint32_t choice)
{
    fault->shown = choose(fault, choice, CHAOS_DETECTION_LATE, 2);
    chaos->ops->told(chaos->context, fault->shown, fault->name, fault->hosts[0].host, true);
    for (uint32_t i = 0; i < fault->host_count; i++)
        fleet_blind(chaos->fleet, fault->hosts[i].host);
    lose_all(chaos, fault, LOSS_DISCONNECT);
}

static void see_all(struct chaos *chaos, struct active *fault)
{
    for (uint32_t i = 0; i < fault->host_count; i++) {
        bool is_linked = fleet_host(chaos->fleet, fault->hosts[i].host).is_linked;
        if (fleet_see(chaos->fleet, chaos->now_ns, fault->hosts[i].host))
            chaos_count(chaos, CHAOS_DETECTION_LATE);
        else if (fault->shown == CHAOS_DETECTION_MISSED && is_linked)
            chaos_count(chaos, CHAOS_DETECTION_MISSED);
    }
}

/* Late: it is seen before they are back; missed: after. */
static bool end_stale(struct chaos *chaos, uint32_t slot, bool is_healing)
{
    struct active *fault = at(chaos, slot);
    if (fault->shown == CHAOS_DETECTION_MISSED) {
        give_back_all(chaos, fault);
        see_all(chaos, fault);
        return true;
    }
    if (!fault->is_ending)
        see_all(chaos, fault);
    if (!fault->is_ending && !is_healing) {
        fault->is_ending = true;
        chaos_queue(chaos, (berth_ns)(chaos_uniform(&fault->stream) * 120 * BERTH_NS_PER_S),
                    CHAOS_ENDS, slot, 0);
        return false;
    }
    give_back_all(chaos, fault);
    return true;
}

static void turn_flap(struct chaos *chaos, uint32_t slot)
{
    struct active *fault = at(chaos, slot);
    berth_ns period_ns = distribution_draw_ns(&fault->rule->amount, &fault->stream);
    if (fault->hosts[0].is_hit)
        give_back_all(chaos, fault);
    else
        lose_all(chaos, fault, LOSS_DISCONNECT);
    chaos_queue(chaos, period_ns > BERTH_NS_PER_MS ? period_ns : BERTH_NS_PER_MS, CHAOS_TURNS, slot,
                0);
}

static bool begin_crash(struct chaos *chaos, struct active *fault, uint32_t choice,
                        berth_ns down_ns)
{
    enum chaos_kind kind = choose(fault, choice, CHAOS_CRASH_DECIDED, 5);
    return chaos->ops->crash(chaos->context, kind, down_ns);
}

static void jump(struct chaos *chaos, struct active *fault, uint32_t choice)
{
    berth_ns by_ns = (berth_ns)(fault->drawn * (double)BERTH_NS_PER_S);
    fault->shown = choose(fault, choice, CHAOS_CLOCK_FORWARD, 2);
    begun(chaos, fault, fault->shown);
    chaos->ops->jump_clock(chaos->context, fault->shown == CHAOS_CLOCK_FORWARD ? by_ns : -by_ns);
}

static void restart_engines(struct chaos *chaos, struct active *fault, uint32_t choice)
{
    fault->shown = choose(fault, choice, CHAOS_ENGINE_LOST, 2);
    begun(chaos, fault, fault->shown);
    for (uint32_t i = 0; i < fault->host_count; i++)
        fleet_engine_restart(chaos->fleet, chaos->now_ns, fault->hosts[i].host,
                             fault->shown == CHAOS_ENGINE_KEPT);
}

/* Of two that overlap the later one counts, and the first end ends both. */
static void slow_down(struct chaos *chaos, const struct active *fault, double factor)
{
    for (uint32_t i = 0; i < fault->host_count; i++)
        fleet_set_slow(chaos->fleet, chaos->now_ns, fault->hosts[i].host, factor < 1 ? 1 : factor);
}

static void begin_messages(struct chaos *chaos, struct active *fault)
{
    uint32_t count = fleet_host_count(chaos->fleet);
    fault->hits = mem_alloc(count * sizeof *fault->hits);
    fault->hit_count = count;
    for (uint32_t i = 0; i < fault->host_count; i++)
        fault->hits[fault->hosts[i].host] = true;
    fault->shown = (enum chaos_kind)(CHAOS_MESSAGE_LOST + (fault->kind - FAULT_MESSAGE_LOSS));
    chaos->message_faults++;
    chaos->ops->told(chaos->context, fault->shown, fault->name, HOST_NONE, true);
}

static bool begin_slow_disk(struct chaos *chaos, struct active *fault)
{
    if (chaos->slow_disks > 0)
        return false;
    chaos->slow_disks++;
    fault->shown = CHAOS_SLOW_DISK;
    begun(chaos, fault, CHAOS_SLOW_DISK);
    chaos->ops->slow_disk(chaos->context, &fault->rule->amount);
    return true;
}

bool enact_begin(struct chaos *chaos, uint32_t slot, uint32_t choice, berth_ns duration_ns)
{
    struct active *fault = at(chaos, slot);
    switch (fault->kind) {
    case FAULT_MESSAGE_LOSS:
    case FAULT_MESSAGE_DELAY:
    case FAULT_MESSAGE_DUPLICATE:
    case FAULT_MESSAGE_REORDER:
        begin_messages(chaos, fault);
        break;
    case FAULT_PARTITION:
        begin_partition(chaos, fault, choice);
        break;
    case FAULT_CLOG:
        fault->shown = CHAOS_CLOG;
        begin_clog(chaos, slot, duration_ns);
        break;
    case FAULT_STALE_DETECTION:
        begin_stale(chaos, fault, choice);
        break;
    case FAULT_AGENT_FLAP:
        fault->shown = CHAOS_AGENT_FLAP;
        begun(chaos, fault, CHAOS_AGENT_FLAP);
        turn_flap(chaos, slot);
        break;
    case FAULT_CONTROLLER_CRASH:
        (void)begin_crash(chaos, fault, choice, duration_ns);
        return false; /* the driver tells of it when it comes about */
    case FAULT_DISK_FAILURE:
        (void)chaos->ops->crash(chaos->context, CHAOS_DISK_FAILURE, duration_ns);
        return false;
    case FAULT_SLOW_DISK:
        return begin_slow_disk(chaos, fault);
    case FAULT_CLOCK_JUMP:
        jump(chaos, fault, choice);
        return false;
    case FAULT_INSTANCE_LOSS:
    case FAULT_RACK_LOSS:
    case FAULT_ZONE_LOSS:
        begin_loss(chaos, fault, choice);
        break;
    case FAULT_ENGINE_RESTART:
        restart_engines(chaos, fault, choice);
        return false;
    case FAULT_SLOW_HOST:
        fault->shown = CHAOS_HOST_SLOW;
        begun(chaos, fault, CHAOS_HOST_SLOW);
        slow_down(chaos, fault, fault->drawn);
        break;
    case FAULT_KIND_COUNT:
        return false;
    }
    return true;
}

void enact_turn(struct chaos *chaos, uint32_t slot, uint32_t part)
{
    struct active *fault = at(chaos, slot);
    if (fault->kind == FAULT_AGENT_FLAP)
        turn_flap(chaos, slot);
    else
        turn_clog(chaos, fault, part);
}

bool enact_end(struct chaos *chaos, uint32_t slot, bool is_healing)
{
    struct active *fault = at(chaos, slot);
    switch (fault->kind) {
    case FAULT_MESSAGE_LOSS:
    case FAULT_MESSAGE_DELAY:
    case FAULT_MESSAGE_DUPLICATE:
    case FAULT_MESSAGE_REORDER:
        chaos->message_faults--;
        break;
    case FAULT_PARTITION:
        for (uint32_t i = 0; i < fault->host_count; i++)
            fleet_unblock(chaos->fleet, chaos->now_ns, fault->hosts[i].host,
                          (enum fleet_block)(fault->shown - CHAOS_PARTITION));
        break;
    case FAULT_CLOG:
        end_clog(chaos, fault);
        break;
    case FAULT_STALE_DETECTION:
        if (!end_stale(chaos, slot, is_healing))
            return false;
        break;
    case FAULT_SLOW_DISK:
        chaos->slow_disks--;
        chaos->ops->slow_disk(chaos->context, NULL);
        break;
    case FAULT_SLOW_HOST:
        slow_down(chaos, fault, 1);
        break;
    case FAULT_AGENT_FLAP:
    case FAULT_INSTANCE_LOSS:
    case FAULT_RACK_LOSS:
    case FAULT_ZONE_LOSS:
        give_back_all(chaos, fault);
        break;
    case FAULT_CONTROLLER_CRASH:
    case FAULT_DISK_FAILURE:
    case FAULT_CLOCK_JUMP:
    case FAULT_ENGINE_RESTART:
    case FAULT_KIND_COUNT:
        break;
    }
    ended(chaos, at(chaos, slot));
    return true;
}
