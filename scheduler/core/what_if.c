#include "scheduler/core/what_if.h"

#include <string.h>

#include "scheduler/core/ask.h"

const char *const what_if_fate_names[WHAT_IF_FATE_COUNT] = {
    [WHAT_IF_MOVES] = "moves",
    [WHAT_IF_NO_ROOM] = "no room",
    [WHAT_IF_STAYS] = "stays",
    [WHAT_IF_ENDS] = "ends",
};

/* The group of a call, if it was ever mentioned, and the stream that it has or would get. */
static group_id find_group(struct controller *controller, const struct event_run_task *call,
                           const struct task_def *def, struct rng *stream)
{
    struct text *name = &controller->key;
    text_clear(name);
    if (call->group != NULL)
        text_add(name, call->group);
    else
        text_addf(name, "family:%s", def->family);
    symbol known = symbols_find(controller->symbols, name->bytes);
    group_id group =
        known == SYMBOL_NONE ? GROUP_NONE : cluster_find_group(controller->cluster, known);
    if (group != GROUP_NONE && group < controller->groups.count)
        *stream = controller->groups.items[group].stream;
    else
        *stream = group_stream(controller, name->bytes);
    return group;
}

enum berth_err controller_what_if_place(struct controller *controller,
                                        const struct event_run_task *call,
                                        struct what_if_answer *answer,
                                        enum placement_verdict *verdicts, struct berth_error *err)
{
    struct ask ask;
    struct rng stream;
    enum berth_err code = ask_resolve(controller, call, &ask, err);
    if (code != BERTH_OK)
        return code;
    if (ask.providers.is_fargate)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "capacityProviderStrategy: Fargate makes a machine for every task; ask "
                          "about instances with a launch type or another provider");
    struct placement_request request = {.plan = ask.plan->compiled, .demand = &ask.demand};
    request.group = find_group(controller, call, ask.def, &stream);
    request.stream = &stream;
    if (ask.providers.count > 0)
        request.pool = capacity_choose(controller, ask.providers.items, ask.providers.count)->name;
    *answer = what_if_place(controller->cluster, &request);
    for (instance_id id = 0; verdicts != NULL && id < cluster_instance_count(controller->cluster);
         id++)
        verdicts[id] = placement_check(controller->cluster, &request, id);
    return BERTH_OK;
}

/* A task on the instance. */
struct leaver {
    const struct task *task;
    const struct service *service; /* that replaces it; NULL: none does */
    enum what_if_fate fate;
    bool is_later;
};

static enum what_if_fate fate_of(const struct task *task)
{
    if (!task->desired_running)
        return WHAT_IF_ENDS;
    if (task->deployment == NULL || task->deployment->service->deployments.count == 0)
        return WHAT_IF_STAYS;
    return task->deployment->service->scheduling == SCHEDULING_DAEMON ? WHAT_IF_ENDS
                                                                      : WHAT_IF_MOVES;
}

/* Services go by name, and one service's tasks by age; those without a service come last. */
static bool is_before(const struct controller *controller, const struct leaver *a,
                      const struct leaver *b)
{
    if ((a->service == NULL) != (b->service == NULL))
        return b->service == NULL;
    if (a->is_later != b->is_later)
        return b->is_later;
    if (a->service == b->service)
        return a->task->id < b->task->id;
    return strcmp(symbols_text(controller->symbols, a->service->name),
                  symbols_text(controller->symbols, b->service->name)) < 0;
}

/* By insertion: the tasks of one instance are tens, and mostly in order already. */
static void sort(const struct controller *controller, struct leaver *leavers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct leaver leaver = leavers[i];
        size_t at = i;
        for (; at > 0 && is_before(controller, &leaver, &leavers[at - 1]); at--)
            leavers[at] = leavers[at - 1];
        leavers[at] = leaver;
    }
}

static size_t gather(const struct controller *controller, instance_id instance,
                     struct leaver *leavers)
{
    const struct host *host = &controller->hosts.items[instance];
    size_t count = 0;
    while (count < host->tasks.count) {
        const struct task *task = host_task(controller, host, (uint32_t)count);
        leavers[count] = (struct leaver){.task = task, .fate = fate_of(task)};
        if (leavers[count].fate == WHAT_IF_MOVES)
            leavers[count].service = task->deployment->service;
        count++;
    }
    sort(controller, leavers, count);
    return count;
}

/* One service's tasks on the instance, as its next pass would count them. */
struct going {
    uint32_t pending, young, healthy; /* that a pass may stop */
    struct rollout_counts counts;     /* of the whole service */
};

static struct going count_going(const struct leaver *leavers, size_t count)
{
    struct going going = {.counts = reconcile_counts(leavers[0].service)};
    struct rollout_counts *counts = &going.counts;
    for (size_t i = 0; i < count; i++) {
        const struct task *task = leavers[i].task;
        bool is_pending = task->status < TASK_RUNNING;
        uint32_t *kind = is_pending         ? &going.pending
                         : task->is_healthy ? &going.healthy
                                            : &going.young;
        *kind += !task_is_protected(task);
        if (task->is_draining || task->deployment != leavers[0].service->deployments.items[0])
            continue; /* It is outgoing already. */
        counts->kept--;
        counts->kept_pending -= is_pending;
        counts->kept_healthy -= !is_pending && task->is_healthy;
        counts->kept_unhealthy -= !is_pending && task->is_unhealthy;
        counts->outgoing_pending += is_pending;
        counts->outgoing_healthy += !is_pending && task->is_healthy;
        counts->outgoing_young += !is_pending && !task->is_healthy;
        counts->outgoing_unhealthy += !is_pending && task->is_unhealthy;
    }
    return going;
}

/*
 * The pass over one service, in figures: how many of its tasks here are told to stop before any
 * starts; those beyond what may start at once are marked as later.
 */
static uint32_t pass_over(const struct controller *controller, struct leaver *leavers, size_t count)
{
    const struct service *service = leavers[0].service;
    const struct deployment *primary = service->deployments.items[0];
    struct going going = count_going(leavers, count);
    struct rollout_bounds bounds =
        rollout_bounds(service->desired_count, service->minimum_percent, service->maximum_percent);
    struct rollout_stops stops = rollout_stops(&going.counts, bounds);
    uint32_t starts = rollout_starts(&going.counts, bounds), left = rate_left(controller, service);
    if (primary->throttled_until_ns > controller->now.mono_ns)
        starts = 0;
    for (size_t i = starts < left ? starts : left; i < count; i++)
        leavers[i].is_later = true;
    uint32_t leaves = stops.healthy < going.healthy ? stops.healthy : going.healthy;
    return leaves + (stops.pending ? going.pending : 0) + (stops.young ? going.young : 0);
}

/* The first of each service carries how many leave before it. */
static void pass_over_all(const struct controller *controller, struct leaver *leavers, size_t count,
                          struct map *leaves)
{
    for (size_t i = 0, end; i < count && leavers[i].service != NULL; i = end) {
        for (end = i + 1; end < count && leavers[end].service == leavers[i].service;)
            end++;
        map_put(leaves, leavers[i].service->id, pass_over(controller, leavers + i, end - i));
    }
    sort(controller, leavers, count);
}

static struct what_if_mover mover_of(struct controller *controller, const struct leaver *leaver,
                                     struct map *leaves)
{
    const struct service *service = leaver->service;
    const struct deployment *primary = service->deployments.items[0];
    struct what_if_mover mover = {.leaves = map_get(leaves, service->id)};
    mover.request = task_request(controller, primary->plan, service->group, &primary->def->demand);
    mover.request.pool = leaver->task->provider;
    map_put(leaves, service->id, 0);
    return mover;
}

void controller_what_if_drain(struct controller *controller, instance_id instance,
                              struct what_if_moves *moves, enum placement_verdict *verdicts)
{
    size_t most = controller->hosts.items[instance].tasks.count + (size_t)1, asked = 0;
    struct leaver *leavers = mem_alloc(most * sizeof *leavers);
    struct what_if_mover *movers = mem_alloc(most * sizeof *movers);
    struct what_if_answer *answers = mem_alloc(most * sizeof *answers);
    struct map leaves = MAP_INIT;
    size_t count = gather(controller, instance, leavers);
    pass_over_all(controller, leavers, count, &leaves);
    vec_clear(moves);
    for (size_t i = 0; i < count; i++)
        if (leavers[i].service != NULL)
            movers[asked++] = mover_of(controller, &leavers[i], &leaves);
    what_if_drain(controller->cluster, instance, movers, asked, answers, verdicts);
    for (size_t i = 0, answered = 0; i < count; i++) {
        struct what_if_move move = {.task = leavers[i].task->id,
                                    .fate = leavers[i].fate,
                                    .group = leavers[i].task->group,
                                    .is_later = leavers[i].is_later};
        move.answer = (struct what_if_answer){.to = INSTANCE_NONE, .closest = INSTANCE_NONE};
        if (leavers[i].service != NULL)
            move.answer = answers[answered++];
        if (move.fate == WHAT_IF_MOVES && move.answer.to == INSTANCE_NONE)
            move.fate = WHAT_IF_NO_ROOM;
        *vec_push(moves) = move;
    }
    map_free(&leaves);
    mem_free(answers);
    mem_free(movers);
    mem_free(leavers);
}
