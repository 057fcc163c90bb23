/*
 * Tasks that wait for capacity, and when to try again.
 *
 * Waiting tasks that ask for the same (plan, group, resources) form a class. Between steps every
 * class is known to fit nowhere, so only an instance where something got better in this step, a
 * touched one, can take a task; a class that fits on none of them is not tried at all. What is
 * tried goes oldest task first, and a class leaves the pass at its first failure. A piece of
 * capacity thus costs one comparison a class and a placement for each task that it lets go,
 * however many wait. Services that found no room are woken by the same test.
 *
 * Rejected: retrying all that wait on every release, quadratic in a full cluster.
 */
#include <assert.h>

#include "scheduler/core/controller_internal.h"

static const struct wait_need need_never = {INT32_MAX, INT32_MAX};

static uint64_t hash_of(const struct plan *plan, group_id group, symbol pool,
                        const struct demand *demand)
{
    uint64_t hash = map_mix(plan->hash ^ group ^ (uint64_t)pool << 32);
    hash =
        map_mix(hash ^ ((uint64_t)(uint32_t)demand->cpu_units << 32 | (uint32_t)demand->mem_mib));
    for (uint16_t i = 0; i < demand->gpu_count; i++)
        hash = map_mix(hash ^ demand->gpus[i].milli);
    return hash;
}

static uint32_t find(const struct waiting *waiting, const struct plan *plan, group_id group,
                     symbol pool, const struct demand *demand, uint64_t hash)
{
    uint32_t at = map_get(&waiting->by_hash, hash);
    for (; at != MAP_ABSENT; at = waiting->classes.items[at].next) {
        const struct wait_class *class = &waiting->classes.items[at];
        if (class->plan == plan && class->group == group && class->pool == pool &&
            class->cpu_units == demand->cpu_units && class->mem_mib == demand->mem_mib &&
            class->gpus == demand->gpus && class->gpu_count == demand->gpu_count)
            return at;
    }
    return UINT32_MAX;
}

uint32_t waiting_find(const struct controller *controller, const struct plan *plan, group_id group,
                      symbol pool, const struct demand *demand)
{
    if (controller->waiting.tasks.count == 0)
        return UINT32_MAX;
    return find(&controller->waiting, plan, group, pool, demand,
                hash_of(plan, group, pool, demand));
}

uint32_t waiting_class(struct controller *controller, struct plan *plan, group_id group,
                       symbol pool, const struct demand *demand)
{
    struct waiting *waiting = &controller->waiting;
    uint64_t hash = hash_of(plan, group, pool, demand);
    uint32_t at = find(waiting, plan, group, pool, demand, hash);
    if (at != UINT32_MAX)
        return at;
    if (waiting->free_slot != UINT32_MAX) {
        at = waiting->free_slot;
        waiting->free_slot = waiting->classes.items[at].next;
    } else {
        at = (uint32_t)waiting->classes.count;
        (void)vec_push(&waiting->classes);
        (void)vec_push(&waiting->needs);
    }
    waiting->classes.items[at] = (struct wait_class){
        .plan = plan,
        .pool = pool,
        .gpus = demand->gpus,
        .gpu_count = demand->gpu_count,
        .group = group,
        .cpu_units = demand->cpu_units,
        .mem_mib = demand->mem_mib,
        .hash = hash,
        .next = map_get(&waiting->by_hash, hash),
    };
    waiting->needs.items[at] = (struct wait_need){demand->cpu_units, demand->mem_mib};
    map_put(&waiting->by_hash, hash, at);
    plan_hold(controller, plan);
    controller->watchful += plan->has_member_of;
    return at;
}

static void unlink_class(struct waiting *waiting, uint32_t at)
{
    uint64_t hash = waiting->classes.items[at].hash;
    uint32_t next = waiting->classes.items[at].next;
    uint32_t before = map_get(&waiting->by_hash, hash);
    if (before == at) {
        if (next == MAP_ABSENT)
            (void)map_remove(&waiting->by_hash, hash);
        else
            map_put(&waiting->by_hash, hash, next);
        return;
    }
    while (waiting->classes.items[before].next != at)
        before = waiting->classes.items[before].next;
    waiting->classes.items[before].next = next;
}

static void end_class(struct controller *controller, uint32_t at)
{
    struct waiting *waiting = &controller->waiting;
    struct wait_class *class = &waiting->classes.items[at];
    unlink_class(waiting, at);
    heap_remove(&waiting->candidates, at);
    controller->watchful -= class->plan->has_member_of;
    plan_drop(controller, class->plan);
    waiting->needs.items[at] = need_never;
    class->plan = NULL;
    class->next = waiting->free_slot;
    waiting->free_slot = at;
}

/* Managed scaling looks at how many wait for a provider. */
static void count_waiting(struct controller *controller, symbol pool, int change)
{
    struct provider *provider = provider_find(controller, pool);
    if (provider == NULL)
        return;
    provider->waiting += (uint32_t)change;
    controller->provisioning += (uint32_t)change;
    provider_set_dirty(controller, provider);
}

void waiting_add(struct controller *controller, struct task *task, uint32_t wait_class)
{
    task->wait_class = wait_class;
    count_waiting(controller, controller->waiting.classes.items[wait_class].pool, 1);
    task_list_append(&controller->waiting.tasks, task, LIST_UNPLACED);
    task_list_append(&controller->waiting.classes.items[wait_class].tasks, task, LIST_QUEUE);
}

void waiting_remove(struct controller *controller, struct task *task)
{
    struct wait_class *class = &controller->waiting.classes.items[task->wait_class];
    count_waiting(controller, class->pool, -1);
    task_list_remove(&controller->waiting.tasks, task, LIST_UNPLACED);
    task_list_remove(&class->tasks, task, LIST_QUEUE);
    if (class->tasks.count == 0)
        end_class(controller, task->wait_class);
}

void waiting_free(struct controller *controller)
{
    vec_free(&controller->waiting.classes);
    vec_free(&controller->waiting.needs);
    map_free(&controller->waiting.by_hash);
    heap_free(&controller->waiting.candidates);
}

void touch(struct controller *controller, instance_id id)
{
    if (cluster_instance(controller->cluster, id)->is_dedicated)
        return;
    daemons_touched(controller, id);
    if (controller->waiting.tasks.count == 0 && controller->blocked.count == 0 &&
        controller->unbalanced.count == 0)
        return; /* Whoever comes to lack room later in this step has seen it as it is now. */
    struct host *host = host_of(controller, id);
    controller->touches++;
    if (host->is_touched)
        return;
    host->is_touched = true;
    *vec_push(&controller->touched) = id;
}

void touch_watched(struct controller *controller, instance_id id)
{
    if (controller->watchful > 0)
        touch(controller, id);
}

static bool fits_somewhere(const struct controller *controller,
                           const struct placement_request *request)
{
    for (size_t i = 0; i < controller->touched.count; i++)
        if (placement_check(controller->cluster, request, controller->touched.items[i]) ==
            PLACEMENT_FITS)
            return true;
    return false;
}

static struct demand class_demand(const struct wait_class *class)
{
    struct demand demand = class->plan->def->demand;
    demand.cpu_units = class->cpu_units;
    demand.mem_mib = class->mem_mib;
    demand.gpus = class->gpus;
    demand.gpu_count = class->gpu_count;
    return demand;
}

/* The most that any touched instance has left: what asks for more needs no closer look. */
static struct wait_need most_left(const struct controller *controller)
{
    struct wait_need most = {INT32_MIN, INT32_MIN};
    for (size_t i = 0; i < controller->touched.count; i++) {
        const struct instance *instance =
            cluster_instance(controller->cluster, controller->touched.items[i]);
        if (instance->cpu_remaining > most.cpu_units)
            most.cpu_units = instance->cpu_remaining;
        if (instance->mem_remaining > most.mem_mib)
            most.mem_mib = instance->mem_remaining;
    }
    return most;
}

static bool is_within(struct wait_need need, struct wait_need most)
{
    return need.cpu_units <= most.cpu_units && need.mem_mib <= most.mem_mib;
}

/* By size alone, which is one comparison a class; the rest is asked when its turn comes. */
static void find_candidates(struct controller *controller)
{
    struct waiting *waiting = &controller->waiting;
    struct wait_need most = most_left(controller);
    heap_clear(&waiting->candidates);
    for (uint32_t at = 0; at < waiting->needs.count; at++)
        if (is_within(waiting->needs.items[at], most) && waiting->classes.items[at].plan != NULL)
            heap_set(&waiting->candidates, at, (int64_t)waiting->classes.items[at].tasks.first->id);
}

/* Places the oldest task of the class if it fits; false when the class is out of this pass. */
static bool try_class(struct controller *controller, uint32_t at)
{
    struct waiting *waiting = &controller->waiting;
    const struct wait_class *class = &waiting->classes.items[at];
    struct demand demand = class_demand(class);
    struct placement_request request = task_request(controller, class->plan, class->group, &demand);
    group_id group = class->group;
    request.pool = class->pool;
    if (!fits_somewhere(controller, &request))
        return false;
    instance_id instance = placement_choose(controller->cluster, &request);
    if (instance == INSTANCE_NONE)
        return false;
    struct task *task = class->tasks.first;
    if (class->tasks.count > 1)
        heap_set(&waiting->candidates, at, (int64_t)task->links[LIST_QUEUE].next->id);
    waiting_remove(controller, task);
    rule_fired(controller, RULE_WAIT_PLACED);
    task_place(controller, task, instance);
    group_settle(controller, group);
    return true;
}

static void try_candidates(struct controller *controller)
{
    struct waiting *waiting = &controller->waiting;
    struct wait_need most = most_left(controller);
    struct heap_item item;
    while (heap_first(&waiting->candidates, &item)) {
        if (is_within(waiting->needs.items[item.handle], most) &&
            try_class(controller, item.handle))
            most = most_left(controller);
        else
            heap_remove(&waiting->candidates, item.handle);
    }
}

/* Replica services without room: those that a touched instance could take are looked at again. */
static void wake_services(struct controller *controller)
{
    for (size_t i = 0; i < controller->blocked.count; i++) {
        struct service *service = controller->services.items[controller->blocked.items[i]];
        const struct deployment *primary = service->deployments.items[0];
        struct placement_request request =
            task_request(controller, primary->plan, service->group, &primary->def->demand);
        if (!service->is_dirty && fits_somewhere(controller, &request))
            service_mark(controller, service);
    }
}

/*
 * Services first, daemons leading, then what waits, until nothing more comes of it: a stop frees a
 * place for distinctInstance, a start may make another task's expression true. Each further round
 * follows from a task placed or stopped in the one before, so there is a last one.
 */
void waiting_pass(struct controller *controller)
{
    uint64_t seen;
    do {
        services_pass(controller);
        if (controller->touched.count == 0)
            return;
        seen = controller->touches;
        if (controller->blocked.count > 0 || controller->unbalanced.count > 0) {
            wake_services(controller);
            rebalance_wake(controller);
            services_pass(controller);
        }
        if (controller->waiting.tasks.count > 0) {
            find_candidates(controller);
            try_candidates(controller);
        }
    } while (controller->touches != seen || controller->dirty.count > 0);
    for (size_t i = 0; i < controller->touched.count; i++)
        host_of(controller, controller->touched.items[i])->is_touched = false;
    vec_clear(&controller->touched);
}

void controller_waiting_verdicts(const struct controller *controller,
                                 uint64_t counts[PLACEMENT_VERDICT_COUNT])
{
    const struct waiting *waiting = &controller->waiting;
    for (int i = 0; i < PLACEMENT_VERDICT_COUNT; i++)
        counts[i] = 0;
    for (size_t i = 0; i < waiting->classes.count; i++) {
        const struct wait_class *class = &waiting->classes.items[i];
        if (class->plan == NULL)
            continue;
        struct demand demand = class_demand(class);
        struct placement_request request = {.plan = class->plan->compiled,
                                            .demand = &demand,
                                            .group = class->group,
                                            .pool = class->pool};
        enum placement_verdict why = PLACEMENT_INACTIVE; /* No instance at all. */
        (void)placement_closest(controller->cluster, &request, &why);
        counts[why] += class->tasks.count;
    }
    counts[PLACEMENT_FARGATE] += controller->machines.count;
}

void waiting_timer(struct controller *controller)
{
    while (waiting_deadline(controller) <= controller->now.mono_ns) {
        struct task *task = controller->waiting.tasks.first;
        const struct wait_class *class = &controller->waiting.classes.items[task->wait_class];
        struct demand demand = task_demand(task);
        struct placement_request request =
            task_request(controller, class->plan, class->group, &demand);
        request.pool = class->pool;
        enum placement_verdict verdict = task->verdict;
        (void)placement_closest(controller->cluster, &request, &verdict);
        task->verdict = verdict;
        rule_fired(controller, RULE_WAIT_GIVEN_UP);
        if (task->deployment != NULL)
            service_start_failed(controller, task->deployment);
        task_stop(controller, task, STOP_TASK_FAILED_TO_START, STOP_REASON_CAPACITY);
    }
}
