/*
 * groups.c -- what the controller asks of groups and of Fargate, done from the queue.
 *
 *     RESIZE      size rises to what is wanted; machines are booted until there are as many
 *     TERMINATE   that machine goes for good, and the size with it
 *     LAUNCH      a machine for the task after startDelay, or refused: capacity, or Spot is off
 *
 * A request may come twice: what is there already is not done again. Every change of a group's
 * figures is told by one answer at the same time, after whatever brought it about.
 */
#include "sim/world/groups.h"

#include <string.h>

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "sim/fleet/behaviour.h"

#define SPOT_WARNING_NS (120 * BERTH_NS_PER_S)

/* What a WORLD_GROUP event is about (a); b: provider, c: what it is said of. */
enum job {
    JOB_TELL = 0,
    JOB_RESIZE,    /* c: the size */
    JOB_TERMINATE, /* c: host */
    JOB_LAUNCH,    /* c: launch */
    JOB_NOTICE,    /* c: host */
    JOB_RECLAIM,   /* c: host */
    JOB_SPOT,      /* Spot capacity comes or goes */
};

struct launch {
    task_id task;
    int32_t cpu_units, mem_mib;
    const char *zone; /* of the scenario */
};

struct group_state { /* of a provider */
    uint32_t size, in_service, launching;
    bool is_telling;
};

struct groups {
    const struct scenario *scenario;
    struct sim_queue *queue;
    struct fleet *fleet;
    const struct groups_ops *ops;
    void *context;
    berth_ns end_ns;
    struct group_state *states; /* owned, by provider */
    uint32_t *provider_of;      /* owned: by group of the fleet, or UINT32_MAX */
    uint32_t *machines;         /* owned: by group of the fleet, those that are not gone */
    VEC(struct launch) launches;
    struct map host_of; /* by task */
    struct rng interruption, outage;
    uint32_t initial_count; /* hosts that were there at the start */
    uint32_t fargate_count; /* machines of Fargate */
    bool is_spot_off;
};

static void put(struct groups *groups, berth_ns at_ns, enum job job, uint32_t provider, uint64_t c)
{
    if (at_ns < groups->end_ns)
        sim_queue_put(groups->queue, at_ns, (struct sim_event){WORLD_GROUP, job, provider, c});
}

static void tell_later(struct groups *groups, berth_ns now_ns, uint32_t provider)
{
    struct group_state *state = &groups->states[provider];
    if (state->is_telling)
        return;
    state->is_telling = true;
    put(groups, now_ns, JOB_TELL, provider, 0);
}

struct groups *groups_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                             struct sim_queue *queue, struct fleet *fleet,
                             const struct groups_ops *ops, void *context)
{
    struct groups *groups = mem_alloc(sizeof *groups);
    *groups = (struct groups){.scenario = scenario,
                              .queue = queue,
                              .fleet = fleet,
                              .ops = ops,
                              .context = context,
                              .end_ns = end_ns,
                              .interruption.key = rng_key(key, "interruption", 0),
                              .outage.key = rng_key(key, "outage", 0)};
    groups->states = mem_alloc((scenario->provider_count + 1) * sizeof *groups->states);
    groups->provider_of = mem_alloc((scenario->group_count + 1) * sizeof *groups->provider_of);
    groups->machines = mem_alloc((scenario->group_count + 1) * sizeof *groups->machines);
    groups->initial_count = fleet_host_count(fleet);
    for (uint32_t g = 0; g < scenario->group_count; g++) {
        groups->provider_of[g] = UINT32_MAX;
        groups->machines[g] = scenario->groups[g].count;
    }
    for (uint32_t p = 0; p < scenario->provider_count; p++)
        for (uint32_t i = 0; i < scenario->providers[p].group_count; i++) {
            uint32_t g = scenario->providers[p].groups[i];
            groups->provider_of[g] = p;
            groups->states[p].size += scenario->groups[g].count;
        }
    return groups;
}

void groups_destroy(struct groups *groups)
{
    if (groups == NULL)
        return;
    mem_free(groups->states);
    mem_free(groups->provider_of);
    mem_free(groups->machines);
    vec_free(&groups->launches);
    map_free(&groups->host_of);
    mem_free(groups);
}

static bool is_fargate_provider(const struct groups *groups, uint32_t provider)
{
    return groups->scenario->providers[provider].settings.kind != PROVIDER_GROUP;
}

static void schedule_outage(struct groups *groups, berth_ns now_ns)
{
    const struct scenario_fargate *fargate = &groups->scenario->fargate;
    struct distribution sojourn = {
        .kind = DISTRIBUTION_EXPONENTIAL,
        .p = {groups->is_spot_off ? fargate->off_mean_s : fargate->on_mean_s, 0},
        .max = 1e12};
    put(groups, behaviour_later(now_ns, distribution_draw_ns(&sojourn, &groups->outage)), JOB_SPOT,
        0, 0);
}

void groups_start(struct groups *groups)
{
    for (uint32_t p = 0; p < groups->scenario->provider_count; p++)
        if (!is_fargate_provider(groups, p)) {
            groups->states[p].in_service = groups->states[p].size;
            tell_later(groups, 0, p);
        }
    if (groups->scenario->fargate.has_outages)
        schedule_outage(groups, 0);
}

static uint32_t find_provider(const struct groups *groups, const char *name)
{
    for (uint32_t p = 0; p < groups->scenario->provider_count; p++)
        if (name != NULL && strcmp(groups->scenario->providers[p].name, name) == 0)
            return p;
    return UINT32_MAX;
}

static const char *lend_zone(const struct groups *groups, uint32_t provider, const char *zone)
{
    const struct scenario_group *group =
        &groups->scenario->groups[groups->scenario->providers[provider].groups[0]];
    for (uint32_t i = 0; zone != NULL && i < group->zone_count; i++)
        if (strcmp(group->zones[i], zone) == 0)
            return group->zones[i];
    return NULL;
}

void groups_request(struct groups *groups, berth_ns now_ns, const struct request *request)
{
    uint32_t provider = find_provider(groups, request->u.group.provider);
    uint32_t host;
    if (provider == UINT32_MAX)
        return;
    switch (request->kind) {
    case REQUEST_RESIZE_GROUP:
        put(groups, now_ns, JOB_RESIZE, provider, request->u.group.wanted);
        break;
    case REQUEST_TERMINATE_INSTANCE:
        host = request->u.group.instance != INSTANCE_NONE
                   ? fleet_host_of(groups->fleet, request->u.group.instance)
                   : map_get(&groups->host_of, request->u.group.task);
        if (host != HOST_NONE)
            put(groups, now_ns, JOB_TERMINATE, provider, host);
        break;
    case REQUEST_LAUNCH_FARGATE:
        *vec_push(&groups->launches) = (struct launch){
            request->u.group.task, request->u.group.cpu_units, request->u.group.mem_mib,
            lend_zone(groups, provider, request->u.group.zone)};
        put(groups, now_ns, JOB_LAUNCH, provider, groups->launches.count - 1);
        break;
    case REQUEST_REGISTER_TARGET:
    case REQUEST_DEREGISTER_TARGET:
    case REQUEST_ATTACH_INTERFACE:
    case REQUEST_DETACH_INTERFACE:
    case REQUEST_SHIFT_TRAFFIC:
    case REQUEST_INVOKE_HOOK:
    case REQUEST_KIND_COUNT:
        break;
    }
}

/* Whether group `a` is to grow before `b`, both of one provider and below their maximum. */
static bool grows_before(const struct groups *groups, const struct scenario_provider *provider,
                         uint32_t a, uint32_t b)
{
    const struct scenario_group *left = &groups->scenario->groups[a];
    const struct scenario_group *right = &groups->scenario->groups[b];
    if (provider->allocation == ALLOCATION_LOWEST_PRICE)
        return left->price_per_hour < right->price_per_hour;
    return groups->machines[a] / left->share < groups->machines[b] / right->share;
}

static uint32_t choose_group(const struct groups *groups, uint32_t p)
{
    const struct scenario_provider *provider = &groups->scenario->providers[p];
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < provider->group_count; i++) {
        uint32_t g = provider->groups[i];
        if (groups->machines[g] < groups->scenario->groups[g].max_size &&
            (best == UINT32_MAX || grows_before(groups, provider, g, best)))
            best = g;
    }
    return best;
}

static void grow(struct groups *groups, berth_ns now_ns, uint32_t p)
{
    struct group_state *state = &groups->states[p];
    while (state->in_service + state->launching < state->size) {
        uint32_t g = choose_group(groups, p);
        if (g == UINT32_MAX) {
            state->size = state->in_service + state->launching;
            break;
        }
        groups->machines[g]++;
        state->launching++;
        uint32_t host = fleet_add(
            groups->fleet, now_ns,
            &(struct fleet_machine){.group = g, .boot_ns = fleet_draw_boot(groups->fleet, g)});
        groups->ops->joined(groups->context, host);
    }
    tell_later(groups, now_ns, p);
}

static void tell(struct groups *groups, uint32_t p)
{
    struct group_state *state = &groups->states[p];
    const struct scenario_provider *provider = &groups->scenario->providers[p];
    struct answer answer = {.kind = ANSWER_GROUP};
    state->is_telling = false;
    answer.u.group.provider = provider->name;
    answer.u.group.in_service = state->in_service;
    answer.u.group.launching = state->launching;
    for (uint32_t i = 0; i < provider->group_count; i++) {
        answer.u.group.minimum += groups->scenario->groups[provider->groups[i]].min_size;
        answer.u.group.maximum += groups->scenario->groups[provider->groups[i]].max_size;
    }
    groups->ops->answer(groups->context, &answer);
}

static void say_of_task(struct groups *groups, uint32_t p, task_id refused, task_id interrupted)
{
    struct answer answer = {.kind = ANSWER_GROUP};
    answer.u.group.provider = groups->scenario->providers[p].name;
    answer.u.group.refused_task = refused;
    answer.u.group.interrupt_task = interrupted;
    groups->ops->answer(groups->context, &answer);
}

static void launch(struct groups *groups, berth_ns now_ns, uint32_t p, const struct launch *wanted)
{
    const struct scenario_fargate *fargate = &groups->scenario->fargate;
    bool is_spot = groups->scenario->providers[p].settings.kind == PROVIDER_FARGATE_SPOT;
    if (map_get(&groups->host_of, wanted->task) != MAP_ABSENT)
        return; /* It was asked for before. */
    if (groups->fargate_count >= fargate->capacity || (is_spot && groups->is_spot_off)) {
        say_of_task(groups, p, wanted->task, TASK_NONE);
        return;
    }
    berth_ns boot_ns =
        behaviour_draw_ns(&fargate->start_delay, groups->interruption.key, "start", wanted->task);
    uint32_t host =
        fleet_add(groups->fleet, now_ns,
                  &(struct fleet_machine){.group = groups->scenario->providers[p].groups[0],
                                          .zone = wanted->zone,
                                          .boot_ns = boot_ns,
                                          .fargate_task = wanted->task,
                                          .cpu_units = wanted->cpu_units,
                                          .mem_mib = wanted->mem_mib});
    groups->fargate_count++;
    map_put(&groups->host_of, wanted->task, host);
    groups->ops->joined(groups->context, host);
    if (is_spot && fargate->is_interrupted)
        put(groups,
            behaviour_later(behaviour_later(now_ns, boot_ns),
                            behaviour_draw_ns(&fargate->interruption, groups->interruption.key,
                                              "taken", wanted->task)),
            JOB_NOTICE, p, host);
}

/* A machine is gone for good: given back, or terminated by a failure. The size is kept. */
static void lose(struct groups *groups, berth_ns now_ns, uint32_t p, const struct host_view *view,
                 bool was_booting)
{
    struct group_state *state = &groups->states[p];
    groups->machines[view->group]--;
    if (is_fargate_provider(groups, p)) {
        groups->fargate_count--;
        map_remove(&groups->host_of, view->fargate_task);
        return;
    }
    if (was_booting && state->launching > 0)
        state->launching--;
    else
        state->in_service--;
    put(groups, now_ns, JOB_RESIZE, p, 0);
}

static void terminate(struct groups *groups, berth_ns now_ns, uint32_t p, uint32_t host)
{
    struct host_view view = fleet_host(groups->fleet, host);
    if (view.is_retired)
        return;
    if (!is_fargate_provider(groups, p) && groups->states[p].size > 0)
        groups->states[p].size--;
    if (view.power == HOST_OFF) /* Lost for a time: there is nothing to switch off. */
        lose(groups, now_ns, p, &view, false);
    fleet_retire(groups->fleet, now_ns, host);
}

static void notice(struct groups *groups, berth_ns now_ns, uint32_t p, uint32_t host)
{
    struct host_view view = fleet_host(groups->fleet, host);
    if (view.is_retired)
        return;
    say_of_task(groups, p, TASK_NONE, view.fargate_task);
    put(groups, behaviour_later(now_ns, SPOT_WARNING_NS), JOB_RECLAIM, p, host);
}

void groups_dispatch(struct groups *groups, berth_ns now_ns, const struct sim_event *event)
{
    uint32_t p = (uint32_t)event->b;
    struct launch wanted;
    switch ((enum job)event->a) {
    case JOB_TELL:
        tell(groups, p);
        break;
    case JOB_RESIZE:
        if (event->c > groups->states[p].size)
            groups->states[p].size = (uint32_t)event->c;
        grow(groups, now_ns, p);
        break;
    case JOB_TERMINATE:
    case JOB_RECLAIM:
        terminate(groups, now_ns, p, (uint32_t)event->c);
        break;
    case JOB_LAUNCH:
        wanted = groups->launches.items[event->c];
        launch(groups, now_ns, p, &wanted);
        break;
    case JOB_NOTICE:
        notice(groups, now_ns, p, (uint32_t)event->c);
        break;
    case JOB_SPOT:
        groups->is_spot_off = !groups->is_spot_off;
        schedule_outage(groups, now_ns);
        break;
    }
}

void groups_power(struct groups *groups, berth_ns now_ns, uint32_t host, enum host_power before,
                  enum host_power after)
{
    struct host_view view = fleet_host(groups->fleet, host);
    uint32_t p = groups->provider_of[view.group];
    if (p == UINT32_MAX)
        return;
    if (after == HOST_OFF && (view.is_retired || view.is_wiped)) {
        lose(groups, now_ns, p, &view, before == HOST_BOOTING);
        fleet_forsake(groups->fleet, host);
    } else if (before == HOST_BOOTING && after == HOST_UP && host >= groups->initial_count &&
               !is_fargate_provider(groups, p) && view.is_fresh) {
        groups->states[p].launching--;
        groups->states[p].in_service++;
        tell_later(groups, now_ns, p);
    }
}

void groups_unwanted(struct groups *groups, berth_ns now_ns, uint32_t host)
{
    uint32_t p = groups->provider_of[fleet_host(groups->fleet, host).group];
    if (p != UINT32_MAX)
        put(groups, now_ns, JOB_TERMINATE, p, host);
}
