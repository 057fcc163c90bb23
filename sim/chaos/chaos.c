/*
 * chaos.c -- when faults come, whom they hit, and when they end.
 */
#include "sim/chaos/chaos.h"

#include <float.h>
#include <string.h>

#include "sim/chaos/chaos_internal.h"
#include "sim/fleet/behaviour.h"

const char *const chaos_kind_names[CHAOS_KIND_COUNT] = {
    [CHAOS_MESSAGE_LOST] = "messageLost",
    [CHAOS_MESSAGE_DELAYED] = "messageDelayed",
    [CHAOS_MESSAGE_DUPLICATED] = "messageDuplicated",
    [CHAOS_MESSAGE_REORDERED] = "messageReordered",
    [CHAOS_PARTITION] = "partition",
    [CHAOS_PARTITION_DOWN] = "partitionDown",
    [CHAOS_PARTITION_UP] = "partitionUp",
    [CHAOS_CLOG] = "clog",
    [CHAOS_DETECTION_LATE] = "detectionLate",
    [CHAOS_DETECTION_MISSED] = "detectionMissed",
    [CHAOS_AGENT_FLAP] = "agentFlap",
    [CHAOS_CRASH_DECIDED] = "crashDecided",
    [CHAOS_CRASH_APPENDED] = "crashAppended",
    [CHAOS_CRASH_TORN] = "crashTorn",
    [CHAOS_CRASH_DURABLE] = "crashDurable",
    [CHAOS_CRASH_IDLE] = "crashIdle",
    [CHAOS_SLOW_DISK] = "slowDisk",
    [CHAOS_DISK_FAILURE] = "diskFailure",
    [CHAOS_CLOCK_FORWARD] = "clockForward",
    [CHAOS_CLOCK_BACKWARD] = "clockBackward",
    [CHAOS_HOST_TERMINATED] = "hostTerminated",
    [CHAOS_HOST_WIPED] = "hostWiped",
    [CHAOS_HOST_STOPPED] = "hostStopped",
    [CHAOS_HOST_HUNG] = "hostHung",
    [CHAOS_HOST_DISCONNECTED] = "hostDisconnected",
    [CHAOS_RACK_LOST] = "rackLost",
    [CHAOS_ZONE_LOST] = "zoneLost",
    [CHAOS_ENGINE_LOST] = "engineLost",
    [CHAOS_ENGINE_KEPT] = "engineKept",
    [CHAOS_HOST_SLOW] = "hostSlow",
};

bool chaos_needs_records(const struct scenario *scenario)
{
    const struct scenario_fault *kinds = scenario->faults.kinds;
    for (uint32_t i = 0; i < scenario->timeline_count; i++)
        if (scenario->timeline[i].kind == TIMELINE_CRASH ||
            scenario->timeline[i].kind == TIMELINE_SLOW_DISK)
            return true;
    return kinds[FAULT_CONTROLLER_CRASH].is_set || kinds[FAULT_SLOW_DISK].is_set ||
           kinds[FAULT_DISK_FAILURE].is_set;
}

double chaos_uniform(struct rng *stream)
{
    return (double)(rng_next(stream) >> 11) * 0x1p-53;
}

void chaos_queue(struct chaos *chaos, berth_ns after_ns, enum chaos_step step, uint32_t slot,
                 uint32_t part)
{
    uint64_t generation = chaos->slots.items[slot].generation;
    berth_ns at_ns = behaviour_later(chaos->now_ns, after_ns);
    if (at_ns < chaos->end_ns)
        chaos->ops->put(chaos->context, at_ns, step, slot, (uint64_t)part << 32 | generation);
}

void chaos_count(struct chaos *chaos, enum chaos_kind kind)
{
    chaos->counts[kind]++;
}

void chaos_counts(const struct chaos *chaos, uint64_t counts[CHAOS_KIND_COUNT])
{
    memcpy(counts, chaos->counts, sizeof chaos->counts);
}

struct chaos *chaos_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct fleet *fleet, const struct chaos_ops *ops, void *context)
{
    struct chaos *chaos = mem_alloc(sizeof *chaos);
    chaos->scenario = scenario;
    chaos->fleet = fleet;
    chaos->ops = ops;
    chaos->context = context;
    chaos->key = key;
    chaos->end_ns = end_ns;
    return chaos;
}

static void free_slot(struct active *fault)
{
    mem_free(fault->hosts);
    mem_free(fault->hits);
    *fault = (struct active){.generation = fault->generation + 1};
}

void chaos_destroy(struct chaos *chaos)
{
    if (chaos == NULL)
        return;
    for (size_t i = 0; i < chaos->slots.count; i++)
        free_slot(&chaos->slots.items[i]);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        mem_free(chaos->sources[kind].hosts.items);
    vec_free(&chaos->slots);
    vec_free(&chaos->message_streams);
    mem_free(chaos);
}

/* The next fault of this kind: a Poisson process within the window. */
static void queue_next(struct chaos *chaos, enum fault_kind kind, berth_ns after_ns)
{
    struct source_of_faults *source = &chaos->sources[kind];
    struct distribution gap = {
        .kind = DISTRIBUTION_EXPONENTIAL, .p = {3600 / source->per_hour, 0}, .max = DBL_MAX};
    berth_ns at_ns = behaviour_later(after_ns, distribution_draw_ns(&gap, &source->gaps));
    if (at_ns < chaos->scenario->faults.until_ns && at_ns < chaos->end_ns)
        chaos->ops->put(chaos->context, at_ns, CHAOS_COMES, (uint64_t)kind, 0);
}

void chaos_start(struct chaos *chaos)
{
    const struct scenario_faults *faults = &chaos->scenario->faults;
    bool is_any = false;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        const struct scenario_fault *rule = &faults->kinds[kind];
        struct source_of_faults *source = &chaos->sources[kind];
        if (!rule->is_set)
            continue;
        source->key = rng_key(chaos->key, fault_kind_names[kind], 0);
        struct rng rate = {.key = rng_key(source->key, "rate", 0)};
        source->gaps.key = rng_key(source->key, "gaps", 0);
        source->per_hour = distribution_draw(&rule->rate_per_hour, &rate);
        if (source->per_hour < 1e-9)
            continue;
        is_any = true;
        chaos->ops->select(chaos->context, &rule->select, &source->hosts);
        queue_next(chaos, (enum fault_kind)kind, faults->from_ns);
    }
    if (is_any && faults->until_ns < chaos->end_ns)
        chaos->ops->put(chaos->context, faults->until_ns, CHAOS_HEALS, 0, 0);
}

static uint32_t take_slot(struct chaos *chaos)
{
    for (uint32_t i = 0; i < chaos->slots.count; i++)
        if (!chaos->slots.items[i].is_active)
            return i;
    (void)vec_push(&chaos->slots);
    chaos->slots.items[chaos->slots.count - 1] = (struct active){0};
    return (uint32_t)chaos->slots.count - 1;
}

static bool is_together(const struct chaos *chaos, uint32_t a, uint32_t b, enum fault_scope scope)
{
    struct host_view x = fleet_host(chaos->fleet, a), y = fleet_host(chaos->fleet, b);
    if (scope == SCOPE_HOST)
        return a == b;
    if (scope == SCOPE_ALL)
        return true;
    if (strcmp(x.zone, y.zone) != 0)
        return false;
    if (scope == SCOPE_ZONE)
        return true;
    return x.rack == NULL || y.rack == NULL ? a == b : strcmp(x.rack, y.rack) == 0;
}

/* A host of those that it can hit, and who shares its fate. */
static void aim(struct chaos *chaos, struct active *fault, const struct chaos_hosts *hosts,
                enum fault_scope scope)
{
    fault->hosts = mem_alloc((hosts->count + 1) * sizeof *fault->hosts);
    if (hosts->count == 0)
        return;
    uint32_t first = hosts->items[rng_below(&fault->stream, hosts->count)];
    if (scope == SCOPE_ANY)
        scope = (enum fault_scope)rng_below(&fault->stream, SCOPE_ANY);
    for (size_t i = 0; i < hosts->count; i++)
        if (is_together(chaos, first, hosts->items[i], scope))
            fault->hosts[fault->host_count++] = (struct chaos_host){.host = hosts->items[i]};
}

static bool needs_hosts(enum fault_kind kind)
{
    return kind != FAULT_CONTROLLER_CRASH && kind != FAULT_SLOW_DISK &&
           kind != FAULT_DISK_FAILURE && kind != FAULT_CLOCK_JUMP;
}

static void begin(struct chaos *chaos, struct rng stream, const char *name, enum fault_kind kind,
                  const struct scenario_fault *rule, const struct chaos_hosts *hosts,
                  enum fault_scope scope)
{
    uint32_t slot = take_slot(chaos);
    struct active *fault = &chaos->slots.items[slot];
    fault->is_active = true;
    fault->kind = kind;
    fault->name = name;
    fault->rule = rule;
    fault->stream = stream;
    fault->drawn = distribution_draw(&rule->amount, &fault->stream);
    berth_ns duration_ns = distribution_draw_ns(&rule->duration, &fault->stream);
    if (kind == FAULT_STALE_DETECTION)
        duration_ns += chaos->scenario->delays.disconnect_detect_ns;
    if (needs_hosts(kind))
        aim(chaos, fault, hosts, scope);
    bool has_begun = (!needs_hosts(kind) || fault->host_count > 0) &&
                     enact_begin(chaos, slot, rule->choice, duration_ns);
    if (has_begun)
        chaos_queue(chaos, duration_ns, CHAOS_ENDS, slot, 0);
    else
        free_slot(&chaos->slots.items[slot]);
}

void chaos_begin(struct chaos *chaos, berth_ns now_ns, const char *name, enum fault_kind kind,
                 const struct scenario_fault *fault, const struct chaos_hosts *hosts)
{
    chaos->now_ns = now_ns;
    begin(chaos, (struct rng){.key = rng_key(rng_key(chaos->key, "timeline", 0), name, 0)}, name,
          kind, fault, hosts, SCOPE_ALL);
}

static void comes(struct chaos *chaos, enum fault_kind kind)
{
    struct source_of_faults *source = &chaos->sources[kind];
    const struct scenario_fault *rule = &chaos->scenario->faults.kinds[kind];
    struct rng stream = {.key = rng_key(source->key, "fault", source->count++)};
    begin(chaos, stream, fault_kind_names[kind], kind, rule, &source->hosts, rule->scope);
    queue_next(chaos, kind, chaos->now_ns);
}

static void heal(struct chaos *chaos)
{
    for (uint32_t i = 0; i < chaos->slots.count; i++)
        if (chaos->slots.items[i].is_active && enact_end(chaos, i, true))
            free_slot(&chaos->slots.items[i]);
    chaos->ops->heal(chaos->context);
}

void chaos_fire(struct chaos *chaos, berth_ns now_ns, uint32_t a, uint64_t b, uint64_t c)
{
    chaos->now_ns = now_ns;
    bool is_of_slot = a == CHAOS_ENDS || a == CHAOS_TURNS;
    if (is_of_slot && chaos->slots.items[b].generation != (uint32_t)c)
        return;
    switch ((enum chaos_step)a) {
    case CHAOS_COMES:
        comes(chaos, (enum fault_kind)b);
        break;
    case CHAOS_ENDS:
        if (enact_end(chaos, (uint32_t)b, false))
            free_slot(&chaos->slots.items[b]);
        break;
    case CHAOS_TURNS:
        enact_turn(chaos, (uint32_t)b, (uint32_t)(c >> 32));
        break;
    case CHAOS_HEALS:
        heal(chaos);
        break;
    }
}
