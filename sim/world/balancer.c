#include "sim/world/balancer.h"

#include <string.h>

#include "scheduler/base/map.h"
#include "sim/fleet/behaviour.h"

/* A listener's rules are changed at once, and reported soon after. */
#define SHIFT_NS BERTH_NS_PER_S

#define GROUP_FREE UINT32_MAX

/* What a queued WORLD_TARGET is about; in the low bits of its `c`, a generation above. */
enum happening { TELL_STATE = 0, NOTICE, DRAINED, HAPPENING_BITS = 2 };

struct target {
    uint32_t group; /* of the scenario; GROUP_FREE: not registered */
    uint32_t generation;
    enum target_state state;
    berth_ns first_check_ns;
};

/* A task that serves, or is registered. */
struct backend {
    task_id task;
    uint64_t deployment;
    struct target targets[TARGET_GROUPS_MAX];
    bool is_serving;
    bool is_taking; /* in its pool, at `pool_at` */
    uint32_t pool_at;
};

struct pool {
    VEC(task_id) tasks;
};

struct shift { /* what a listener does */
    service_id service;
    bool is_test;
    uint32_t count;
    struct traffic_weight weights[2];
};

struct balancer {
    const struct scenario *scenario;
    struct sim_queue *queue;
    const struct balancer_ops *ops;
    void *context;
    uint64_t key;
    berth_ns end_ns;
    VEC(struct backend) backends;
    VEC(uint32_t) free_backends;
    struct map backend_at; /* by task */
    VEC(struct pool) pools;
    struct map pool_at; /* by deployment */
    VEC(struct shift) shifts;
    VEC(struct answer) told; /* about traffic: some are on their way */
};

struct balancer *balancer_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                                 struct sim_queue *queue, const struct balancer_ops *ops,
                                 void *context)
{
    struct balancer *balancer = mem_alloc(sizeof *balancer);
    balancer->scenario = scenario;
    balancer->queue = queue;
    balancer->ops = ops;
    balancer->context = context;
    balancer->key = key;
    balancer->end_ns = end_ns;
    return balancer;
}

void balancer_destroy(struct balancer *balancer)
{
    if (balancer == NULL)
        return;
    for (size_t i = 0; i < balancer->pools.count; i++)
        vec_free(&balancer->pools.items[i].tasks);
    vec_free(&balancer->pools);
    map_free(&balancer->pool_at);
    vec_free(&balancer->backends);
    vec_free(&balancer->free_backends);
    map_free(&balancer->backend_at);
    vec_free(&balancer->shifts);
    vec_free(&balancer->told);
    mem_free(balancer);
}

static void put(struct balancer *balancer, berth_ns at_ns, struct sim_event event)
{
    if (at_ns < balancer->end_ns)
        sim_queue_put(balancer->queue, at_ns, event);
}

static void put_target(struct balancer *balancer, berth_ns at_ns, uint32_t group, task_id task,
                       uint64_t generation, enum happening what)
{
    put(balancer, at_ns,
        (struct sim_event){WORLD_TARGET, group, task, generation << HAPPENING_BITS | what});
}

static uint32_t find_group(const struct balancer *balancer, const char *name)
{
    for (uint32_t i = 0; i < balancer->scenario->target_group_count; i++)
        if (strcmp(balancer->scenario->target_groups[i].name, name) == 0)
            return i;
    return GROUP_FREE;
}

static struct backend *find_backend(struct balancer *balancer, task_id task)
{
    uint32_t at = map_get(&balancer->backend_at, task);
    return at == MAP_ABSENT ? NULL : &balancer->backends.items[at];
}

static struct backend *ensure_backend(struct balancer *balancer, task_id task)
{
    struct backend *found = find_backend(balancer, task);
    if (found != NULL)
        return found;
    uint32_t at = (uint32_t)balancer->backends.count;
    if (balancer->free_backends.count > 0)
        at = balancer->free_backends.items[--balancer->free_backends.count];
    else
        (void)vec_push(&balancer->backends);
    struct backend *backend = &balancer->backends.items[at];
    *backend = (struct backend){.task = task};
    for (int i = 0; i < TARGET_GROUPS_MAX; i++)
        backend->targets[i].group = GROUP_FREE;
    map_put(&balancer->backend_at, task, at);
    return backend;
}

static struct target *find_target(struct backend *backend, uint32_t group)
{
    for (int i = 0; backend != NULL && i < TARGET_GROUPS_MAX; i++)
        if (backend->targets[i].group == group)
            return &backend->targets[i];
    return NULL;
}

static bool is_any(const struct backend *backend, enum target_state state)
{
    for (int i = 0; i < TARGET_GROUPS_MAX; i++)
        if (backend->targets[i].group != GROUP_FREE && backend->targets[i].state == state)
            return true;
    return false;
}

static void forget_if_idle(struct balancer *balancer, struct backend *backend)
{
    if (backend->is_serving)
        return;
    for (int i = 0; i < TARGET_GROUPS_MAX; i++)
        if (backend->targets[i].group != GROUP_FREE)
            return;
    *vec_push(&balancer->free_backends) = (uint32_t)(backend - balancer->backends.items);
    (void)map_remove(&balancer->backend_at, backend->task);
}

static struct pool *pool_of(struct balancer *balancer, uint64_t deployment)
{
    uint32_t at = map_get(&balancer->pool_at, deployment);
    if (at == MAP_ABSENT) {
        at = (uint32_t)balancer->pools.count;
        *vec_push(&balancer->pools) = (struct pool){0};
        map_put(&balancer->pool_at, deployment, at);
    }
    return &balancer->pools.items[at];
}

/* Into its deployment's pool, or out of it: the last one takes its place. */
static void settle_taking(struct balancer *balancer, berth_ns now_ns, struct backend *backend)
{
    bool is_taking = is_any(backend, TARGET_HEALTHY);
    if (is_taking == backend->is_taking)
        return;
    struct pool *pool = pool_of(balancer, backend->deployment);
    backend->is_taking = is_taking;
    if (is_taking) {
        backend->pool_at = (uint32_t)pool->tasks.count;
        *vec_push(&pool->tasks) = backend->task;
    } else {
        task_id last = pool->tasks.items[--pool->tasks.count];
        pool->tasks.items[backend->pool_at] = last;
        find_backend(balancer, last)->pool_at = backend->pool_at;
    }
    if (balancer->ops->taking != NULL)
        balancer->ops->taking(balancer->context, now_ns, backend->deployment, backend->task,
                              is_taking ? 1 : -1);
}

static void answer_state(struct balancer *balancer, uint32_t group, task_id task,
                         enum target_state state)
{
    struct answer answer = {.kind = ANSWER_TARGET};
    answer.u.target.task = task;
    answer.u.target.target_group = balancer->scenario->target_groups[group].name;
    answer.u.target.state = state;
    balancer->ops->answer(balancer->context, &answer);
}

/* The truth is not what the state says: when that is noticed. Whatever was pending is not. */
static void look_ahead(struct balancer *balancer, berth_ns now_ns, const struct backend *backend,
                       struct target *target)
{
    const struct scenario_target_group *group = &balancer->scenario->target_groups[target->group];
    enum target_state truth = backend->is_serving ? TARGET_HEALTHY : TARGET_UNHEALTHY;
    if (target->state == TARGET_DRAINING)
        return; /* Nobody checks it any more. */
    target->generation++;
    if (target->state == truth)
        return;
    berth_ns check_ns = target->first_check_ns;
    if (check_ns < now_ns)
        check_ns +=
            (now_ns - check_ns + group->interval_ns - 1) / group->interval_ns * group->interval_ns;
    uint32_t checks = backend->is_serving ? group->healthy_count : group->unhealthy_count;
    check_ns += (berth_ns)(checks - 1) * group->interval_ns;
    if (!backend->is_serving)
        check_ns += group->timeout_ns;
    put_target(balancer, check_ns, target->group, backend->task, target->generation, NOTICE);
}

static berth_ns phase_of(const struct balancer *balancer, uint32_t group, task_id task)
{
    struct rng stream = {rng_key(rng_key(balancer->key, "check", task), "group", group), 0};
    return (berth_ns)rng_below(&stream,
                               (uint64_t)balancer->scenario->target_groups[group].interval_ns);
}

static void register_target(struct balancer *balancer, berth_ns now_ns,
                            const struct request *request, uint32_t group)
{
    task_id task = request->u.target.task;
    struct backend *backend = ensure_backend(balancer, task);
    struct target *target = find_target(backend, group);
    if (target == NULL) {
        target = find_target(backend, GROUP_FREE);
        if (target == NULL)
            return; /* More groups than a service can have. */
        backend->deployment = request->deployment;
        target->group = group;
        target->state = TARGET_INITIAL;
        target->first_check_ns = now_ns + phase_of(balancer, group, task);
        look_ahead(balancer, now_ns, backend, target);
    }
    put_target(balancer, now_ns, group, task, 0, TELL_STATE);
}

static void deregister_target(struct balancer *balancer, berth_ns now_ns, task_id task,
                              uint32_t group)
{
    struct backend *backend = find_backend(balancer, task);
    struct target *target = find_target(backend, group);
    if (target == NULL) {
        put_target(balancer, now_ns, group, task, 0, TELL_STATE); /* It is gone already. */
        return;
    }
    if (target->state == TARGET_DRAINING)
        return; /* Its end is on its way. */
    target->state = TARGET_DRAINING;
    target->generation++;
    settle_taking(balancer, now_ns, backend);
    put_target(balancer,
               behaviour_later(now_ns, balancer->scenario->target_groups[group].deregistration_ns),
               group, task, target->generation, DRAINED);
}

static void shift_traffic(struct balancer *balancer, berth_ns now_ns, const struct request *request)
{
    struct shift *shift = NULL;
    for (size_t i = 0; i < balancer->shifts.count && shift == NULL; i++)
        if (balancer->shifts.items[i].service == request->service &&
            balancer->shifts.items[i].is_test == request->u.traffic.is_test)
            shift = &balancer->shifts.items[i];
    if (shift == NULL)
        shift = vec_push(&balancer->shifts);
    *shift = (struct shift){.service = request->service,
                            .is_test = request->u.traffic.is_test,
                            .count = request->u.traffic.count};
    memcpy(shift->weights, request->u.traffic.weights, sizeof shift->weights);
    struct answer answer = {.kind = ANSWER_TRAFFIC};
    answer.u.traffic.service = request->service;
    answer.u.traffic.deployment = request->deployment;
    answer.u.traffic.is_test = request->u.traffic.is_test;
    answer.u.traffic.permille =
        request->u.traffic.count == 0
            ? 1000
            : balancer_permille(balancer, request->service, request->deployment,
                                request->u.traffic.is_test);
    put(balancer, now_ns + SHIFT_NS,
        (struct sim_event){WORLD_TRAFFIC, (uint32_t)balancer->told.count, 0, 0});
    *vec_push(&balancer->told) = answer;
}

void balancer_request(struct balancer *balancer, berth_ns now_ns, const struct request *request)
{
    if (request->kind == REQUEST_SHIFT_TRAFFIC) {
        shift_traffic(balancer, now_ns, request);
        return;
    }
    uint32_t group = find_group(balancer, request->u.target.target_group);
    if (group == GROUP_FREE)
        return; /* There is none of that name: nobody answers. */
    if (request->kind == REQUEST_REGISTER_TARGET)
        register_target(balancer, now_ns, request, group);
    else if (request->kind == REQUEST_DEREGISTER_TARGET)
        deregister_target(balancer, now_ns, request->u.target.task, group);
}

static void notice(struct balancer *balancer, berth_ns now_ns, struct backend *backend,
                   struct target *target)
{
    task_id task = backend->task;
    target->state = backend->is_serving ? TARGET_HEALTHY : TARGET_UNHEALTHY;
    settle_taking(balancer, now_ns, backend);
    answer_state(balancer, target->group, task, target->state);
}

static void end_drain(struct balancer *balancer, struct backend *backend, struct target *target)
{
    uint32_t group = target->group;
    task_id task = backend->task;
    target->group = GROUP_FREE;
    forget_if_idle(balancer, backend);
    answer_state(balancer, group, task, TARGET_UNUSED);
}

void balancer_dispatch(struct balancer *balancer, berth_ns now_ns, const struct sim_event *event)
{
    if (event->kind == WORLD_TRAFFIC) {
        struct answer answer = balancer->told.items[event->a];
        balancer->ops->answer(balancer->context, &answer);
        return;
    }
    struct backend *backend = find_backend(balancer, event->b);
    struct target *target = find_target(backend, event->a);
    enum happening what = (enum happening)(event->c & ((1u << HAPPENING_BITS) - 1));
    if (what == TELL_STATE) {
        answer_state(balancer, event->a, event->b, target == NULL ? TARGET_UNUSED : target->state);
        return;
    }
    if (target == NULL || target->generation != event->c >> HAPPENING_BITS)
        return;
    if (what == NOTICE)
        notice(balancer, now_ns, backend, target);
    else
        end_drain(balancer, backend, target);
}

void balancer_serving(struct balancer *balancer, berth_ns now_ns, task_id task, int change)
{
    if (balancer->scenario->target_group_count == 0)
        return;
    struct backend *backend = ensure_backend(balancer, task);
    backend->is_serving = change > 0;
    for (int i = 0; i < TARGET_GROUPS_MAX; i++)
        if (backend->targets[i].group != GROUP_FREE)
            look_ahead(balancer, now_ns, backend, &backend->targets[i]);
    forget_if_idle(balancer, backend);
}

struct balancer_pool balancer_healthy(const struct balancer *balancer, uint64_t deployment)
{
    uint32_t at = map_get(&balancer->pool_at, deployment);
    if (at == MAP_ABSENT)
        return (struct balancer_pool){NULL, 0};
    const struct pool *pool = &balancer->pools.items[at];
    return (struct balancer_pool){pool->tasks.items, (uint32_t)pool->tasks.count};
}

static const struct shift *find_shift(const struct balancer *balancer, service_id service,
                                      bool is_test)
{
    for (size_t i = 0; i < balancer->shifts.count; i++)
        if (balancer->shifts.items[i].service == service &&
            balancer->shifts.items[i].is_test == is_test)
            return &balancer->shifts.items[i];
    return NULL;
}

const struct traffic_weight *balancer_weights(const struct balancer *balancer, service_id service,
                                              uint32_t *count)
{
    const struct shift *shift = find_shift(balancer, service, false);
    *count = shift == NULL ? 0 : shift->count;
    return shift == NULL ? NULL : shift->weights;
}

uint32_t balancer_permille(const struct balancer *balancer, service_id service, uint64_t deployment,
                           bool is_test)
{
    const struct shift *shift = find_shift(balancer, service, is_test);
    if (shift == NULL || shift->count == 0)
        return BALANCER_UNSHIFTED;
    for (uint32_t i = 0; i < shift->count; i++)
        if (shift->weights[i].deployment == deployment)
            return shift->weights[i].permille;
    return 0;
}

void balancer_states(const struct balancer *balancer, uint32_t counts[TARGET_STATE_COUNT])
{
    memset(counts, 0, TARGET_STATE_COUNT * sizeof *counts);
    for (size_t i = 0; i < balancer->backends.count; i++) {
        const struct backend *backend = &balancer->backends.items[i];
        if (map_get(&balancer->backend_at, backend->task) != i)
            continue; /* Forgotten, to be used again. */
        for (int j = 0; j < TARGET_GROUPS_MAX; j++)
            if (backend->targets[j].group != GROUP_FREE)
                counts[backend->targets[j].state]++;
    }
}
