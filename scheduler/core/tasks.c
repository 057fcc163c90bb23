/*
 * One task's life, as the controller sees it. A state with nothing to do is skipped.
 *
 *     PROVISIONING   waits for room; placed: for its network interface
 *     PENDING        its agent has been told
 *     ACTIVATING     its containers run; its targets are being registered
 *     RUNNING
 *     ---- desiredStatus falls: out of its group ----
 *     DEACTIVATING   its targets drain; its agent has not been told yet
 *     STOPPING       its agent has been told to stop it
 *     DEPROVISIONING its containers have ended; its interface is being detached
 *     STOPPED        released; described for an hour more (stopped.c)
 *
 * An agent's word that it has ended leads on from any state before DEPROVISIONING; the loss of its
 * host ends it at once. Targets and interface are then given up without waiting for an answer.
 *
 * A reservation lasts from placement to STOPPED (U4); spread and distinctInstance count a task only
 * while its desiredStatus is RUNNING (U2). Every change passes through these functions, which keep
 * the cluster, the deployment's figures and the instance's in step.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/stopped.h"

void task_list_append(struct task_list *list, struct task *task, enum task_list_kind kind)
{
    struct task_link *link = &task->links[kind];
    link->prev = list->last;
    link->next = NULL;
    if (list->last != NULL)
        list->last->links[kind].next = task;
    else
        list->first = task;
    list->last = task;
    list->count++;
}

static void insert_after(struct task_list *list, struct task *before, struct task *task,
                         enum task_list_kind kind)
{
    if (before == list->last) {
        task_list_append(list, task, kind);
        return;
    }
    struct task *after = before == NULL ? list->first : before->links[kind].next;
    task->links[kind] = (struct task_link){before, after};
    after->links[kind].prev = task;
    if (before == NULL)
        list->first = task;
    else
        before->links[kind].next = task;
    list->count++;
}

void task_list_remove(struct task_list *list, struct task *task, enum task_list_kind kind)
{
    struct task_link *link = &task->links[kind];
    if (link->prev != NULL)
        link->prev->links[kind].next = link->next;
    else
        list->first = link->next;
    if (link->next != NULL)
        link->next->links[kind].prev = link->prev;
    else
        list->last = link->prev;
    assert(list->count > 0);
    list->count--;
    *link = (struct task_link){NULL, NULL};
}

void task_list_insert_by_age(struct task_list *list, struct task *task, enum task_list_kind kind)
{
    struct task *before = list->last;
    while (before != NULL && before->running_mono_ns > task->running_mono_ns)
        before = before->links[kind].prev;
    insert_after(list, before, task, kind);
}

void task_list_insert(struct task_list *list, struct task *task, enum task_list_kind kind)
{
    struct task *before = list->last;
    while (before != NULL && before->id > task->id)
        before = before->links[kind].prev;
    insert_after(list, before, task, kind);
}

static uint32_t place_of(const struct task_ids *ids, task_id id)
{
    uint32_t low = 0, high = ids->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ids->items[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void task_ids_add(struct task_ids *ids, task_id id)
{
    uint32_t at = ids->count;
    if (at > 0 && ids->items[at - 1] > id)
        at = place_of(ids, id);
    if (ids->count == ids->capacity) {
        ids->capacity += ids->capacity / 2 + 8;
        ids->items = mem_resize(ids->items, ids->capacity, sizeof *ids->items);
    }
    memmove(ids->items + at + 1, ids->items + at, (ids->count - at) * sizeof *ids->items);
    ids->items[at] = id;
    ids->count++;
}

void task_ids_remove(struct task_ids *ids, task_id id)
{
    uint32_t at = place_of(ids, id);
    assert(at < ids->count && ids->items[at] == id);
    ids->count--;
    memmove(ids->items + at, ids->items + at + 1, (ids->count - at) * sizeof *ids->items);
}

static struct task *at_slot(const struct controller *controller, uint32_t slot)
{
    return pool_at(&controller->pool, slot);
}

struct task *task_find(const struct controller *controller, task_id id)
{
    uint32_t slot = id_table_get(&controller->tasks, id);
    return slot >= STOPPED_FLAG ? NULL : at_slot(controller, slot); /* ID_ABSENT has it too */
}

static void prefetch_lines(const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)from + at, 1);
}

/*
 * What its record points to: a pass over its service follows upon most reports. Of a deployment
 * only what passes read, since a core waits for no more than some ten lines at a time.
 */
static void prefetch_around(const struct controller *controller, const struct task *task)
{
    const struct deployment *deployment = task->deployment;
    const struct task_link *link = &task->links[LIST_OWNER];
    if (deployment == NULL)
        return;
    prefetch_lines(deployment, offsetof(struct deployment, staging) + sizeof(berth_ns));
    prefetch_lines(controller->services.items[task->service],
                   offsetof(struct service, settings.alarms));
    __builtin_prefetch(&controller->groups.items[task->group], 1);
    if (link->prev != NULL)
        __builtin_prefetch(&link->prev->links[LIST_OWNER], 1);
    if (link->next != NULL)
        __builtin_prefetch(&link->next->links[LIST_OWNER], 1);
}

void controller_prefetch(const struct controller *controller, task_id id, instance_id instance,
                         enum controller_look look)
{
    if (instance >= controller->hosts.count)
        return;
    if (look == CONTROLLER_LOOK_FAR) {
        id_table_prefetch(&controller->tasks, id);
        __builtin_prefetch(&controller->hosts.items[instance], 1);
        __builtin_prefetch(cluster_instance(controller->cluster, instance), 1);
        return;
    }
    const struct task *task = task_find(controller, id);
    if (task == NULL)
        return;
    if (look == CONTROLLER_LOOK_NEARER) {
        prefetch_lines(task, sizeof *task);
        return;
    }
    prefetch_around(controller, task);
    __builtin_prefetch(controller->hosts.items[instance].tasks.items, 1);
    __builtin_prefetch(cluster_instance(controller->cluster, instance)->groups, 1);
}

struct task *task_after(const struct controller *controller, task_id after)
{
    uint32_t slot;
    while (id_table_next(&controller->tasks, after, &after, &slot))
        if (slot < STOPPED_FLAG)
            return at_slot(controller, slot);
    return NULL;
}

struct task *task_alloc(struct controller *controller, task_id id)
{
    uint32_t slot = pool_take(&controller->pool);
    struct task *task = at_slot(controller, slot);
    memset(task, 0, sizeof *task);
    task->id = id;
    task->slot = slot;
    task->service = SERVICE_NONE;
    task->instance = INSTANCE_NONE;
    task->running_mono_ns = BERTH_NS_NEVER;
    task->protected_until_ns = BERTH_NS_NEVER;
    task->desired_running = true;
    id_table_put(&controller->tasks, id, slot);
    return task;
}

void task_free(struct controller *controller, struct task *task)
{
    pool_give(&controller->pool, task->slot);
}

struct demand task_demand(const struct task *task)
{
    struct demand demand = task->def->demand;
    demand.cpu_units = task->cpu_units;
    demand.mem_mib = task->mem_mib;
    demand.gpus = task->gpus;
    demand.gpu_count = task->gpu_count;
    return demand;
}

/* FNV-1a, 64 bit. */
static uint64_t hash_bytes(const unsigned char *bytes, size_t size_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size_bytes; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/*
 * GPU requests and grants are kept once for good: messages that lend them may be under way for
 * longer than the task lives, and there are few different ones.
 */
const void *intern_bytes(struct controller *controller, const void *bytes, size_t size_bytes)
{
    if (size_bytes == 0)
        return NULL;
    uint64_t hash = hash_bytes(bytes, size_bytes);
    uint32_t first = map_get(&controller->interned_by_hash, hash);
    for (uint32_t at = first; at != MAP_ABSENT; at = controller->interned.items[at].next) {
        const struct interned *known = &controller->interned.items[at];
        if (known->size_bytes == size_bytes && memcmp(known->bytes, bytes, size_bytes) == 0)
            return known->bytes;
    }
    void *copy = mem_alloc(size_bytes);
    memcpy(copy, bytes, size_bytes);
    map_put(&controller->interned_by_hash, hash, (uint32_t)controller->interned.count);
    *vec_push(&controller->interned) = (struct interned){copy, size_bytes, first};
    return copy;
}

static void tell_agent(struct controller *controller, struct task *task)
{
    if (!cluster_instance(controller->cluster, task->instance)->is_agent_connected)
        return; /* It will be told when it is back. */
    emit_payload(controller, task, task->seq);
}

void task_place(struct controller *controller, struct task *task, instance_id instance)
{
    assert(task->instance == INSTANCE_NONE && task->desired_running);
    struct host *host = host_of(controller, instance);
    struct demand demand = task_demand(task);
    struct gpu_grant grants[GPU_DEVICES_MAX];
    enum task_status previous = task->status;
    uint32_t count = cluster_reserve(controller->cluster, instance, &demand, grants);
    cluster_join(controller->cluster, instance, task->group);
    task->grants = intern_bytes(controller, grants, count * sizeof *grants);
    task->grant_count = (uint8_t)count;
    task_uncount(task);
    task->instance = instance;
    if (!demand.needs_eni) {
        task->status = TASK_PENDING;
        task->seq = ++host->last_seq;
    }
    task_count(task);
    task_ids_add(&host->tasks, task->id);
    struct service *service = task->deployment == NULL ? NULL : task->deployment->service;
    if (service == NULL || service->scheduling != SCHEDULING_DAEMON)
        host_set_ordinary(controller, instance, host->ordinary + 1);
    touch_watched(controller, instance);
    emit_task(controller, task, previous, true);
    if (demand.needs_eni)
        interface_request(controller, task, REQUEST_ATTACH_INTERFACE);
    else
        tell_agent(controller, task);
}

void task_attached(struct controller *controller, struct task *task)
{
    assert(task->status == TASK_PROVISIONING && task->instance != INSTANCE_NONE);
    task_uncount(task);
    task->status = TASK_PENDING;
    task_count(task);
    task->seq = ++host_of(controller, task->instance)->last_seq;
    emit_task(controller, task, TASK_PROVISIONING, true);
    tell_agent(controller, task);
}

void task_started(struct controller *controller, struct task *task)
{
    assert(task->status == TASK_PENDING && task->desired_running);
    if (task->started_ns == 0)
        task->started_ns = controller->now.wall_ns;
    targets_adopt(controller, task);
    if (task->target_count == 0) {
        task_running(controller, task);
        return;
    }
    task_uncount(task);
    task->status = TASK_ACTIVATING;
    task_count(task);
    emit_task(controller, task, TASK_PENDING, true);
    targets_register(controller, task);
    service_mark(controller, task->deployment->service);
}

void task_running(struct controller *controller, struct task *task)
{
    assert(task->status == TASK_PENDING || task->status == TASK_ACTIVATING);
    assert(task->desired_running);
    enum task_status previous = task->status;
    task_uncount(task);
    task->status = TASK_RUNNING;
    task->running_mono_ns = controller->now.mono_ns;
    task_assess(controller, task);
    task_count(task);
    host_set_running(controller, task->instance, host_of(controller, task->instance)->running + 1);
    touch_watched(controller, task->instance);
    emit_task(controller, task, previous, true);
    if (task->deployment != NULL) {
        if (task->deployment->failures > 0) {
            task->deployment->failures = 0;
            if (task->deployment->throttled_until_ns > controller->now.mono_ns)
                task->deployment->throttled_until_ns = controller->now.mono_ns;
            deployment_changed(controller, task->deployment);
        }
        service_mark(controller, task->deployment->service);
    }
}

/* What both a stop and an end take away from the instance while the task is wanted there. */
static void leave_instance(struct controller *controller, struct task *task)
{
    if (task->instance == INSTANCE_NONE)
        return;
    if (task->desired_running)
        cluster_leave(controller->cluster, task->instance, task->group);
    if (task->status == TASK_RUNNING)
        host_set_running(controller, task->instance,
                         host_of(controller, task->instance)->running - 1);
    touch(controller, task->instance);
}

/* desiredStatus is STOPPED from here on, with its cause; a cause given before stays. */
static void give_up(struct controller *controller, struct task *task, enum stop_code code,
                    enum stop_reason reason)
{
    if (!task->desired_running)
        return;
    protection_set(controller, task, BERTH_NS_NEVER);
    capacity_zone_count(controller, task, -1);
    task->desired_running = false;
    task->stop_code = code;
    task->stop_reason = reason;
    if (reason == STOP_REASON_UNHEALTHY_TARGET)
        task->stop_text = targets_first_unhealthy(task);
    task->stopping_ns = controller->now.wall_ns;
}

/* Where a task that is told to stop goes first: what it has to give up comes before its agent. */
static enum task_status first_stop(const struct task *task)
{
    if (task->status == TASK_PROVISIONING)
        return TASK_DEPROVISIONING; /* Its agent never heard of it. */
    return task->target_count > 0 ? TASK_DEACTIVATING : TASK_STOPPING;
}

void task_stop(struct controller *controller, struct task *task, enum stop_code code,
               enum stop_reason reason)
{
    if (!task->desired_running)
        return;
    if (task->instance == INSTANCE_NONE) {
        task_end(controller, task, code, reason);
        return;
    }
    enum task_status previous = task->status;
    leave_instance(controller, task);
    task_uncount(task);
    give_up(controller, task, code, reason);
    task->status = first_stop(task);
    task_count(task);
    if (task->status == TASK_STOPPING) {
        task->seq = ++host_of(controller, task->instance)->last_seq;
        emit_task(controller, task, previous, true);
        tell_agent(controller, task);
    } else if (task->status == TASK_DEACTIVATING) {
        targets_drain(task);
        emit_task(controller, task, previous, true);
        targets_deregister(controller, task);
    } else {
        emit_task(controller, task, previous, true);
        interface_request(controller, task, REQUEST_DETACH_INTERFACE);
    }
    if (task->deployment != NULL)
        service_mark(controller, task->deployment->service);
}

void task_drained(struct controller *controller, struct task *task)
{
    assert(task->status == TASK_DEACTIVATING);
    task->status = TASK_STOPPING;
    task->seq = ++host_of(controller, task->instance)->last_seq;
    emit_task(controller, task, TASK_DEACTIVATING, false);
    tell_agent(controller, task);
}

void task_exited(struct controller *controller, struct task *task, enum stop_code code,
                 enum stop_reason reason)
{
    enum task_status previous = task->status;
    bool was_desired = task->desired_running;
    if (previous == TASK_DEPROVISIONING)
        return; /* Said before. */
    if (!task->def->demand.needs_eni) {
        task_end(controller, task, code, reason);
        return;
    }
    leave_instance(controller, task);
    task_uncount(task);
    give_up(controller, task, code, reason);
    bool is_registered = task->target_count > 0 && previous < TASK_DEACTIVATING;
    if (is_registered)
        targets_drain(task);
    task->status = TASK_DEPROVISIONING;
    task_count(task);
    emit_task(controller, task, previous, was_desired);
    if (is_registered)
        targets_deregister(controller, task);
    interface_request(controller, task, REQUEST_DETACH_INTERFACE);
    if (task->deployment != NULL)
        service_mark(controller, task->deployment->service);
}

/* Gives back what the task held on its instance; a daemon's last companion may have gone. */
static void release_instance(struct controller *controller, struct task *task)
{
    struct host *host = host_of(controller, task->instance);
    struct demand demand = task_demand(task);
    struct service *service = task->deployment == NULL ? NULL : task->deployment->service;
    bool is_daemon = service != NULL && service->scheduling == SCHEDULING_DAEMON;
    cluster_release(controller->cluster, task->instance, &demand, task->grants, task->grant_count);
    task_ids_remove(&host->tasks, task->id);
    if (task->seq == host->last_seq)
        emit_instance(controller, task->instance); /* else the number would go with the task */
    if (is_daemon) {
        service->daemon.seats.items[task->instance].task = NULL;
        daemon_check(controller, service, task->instance);
    } else {
        host_set_ordinary(controller, task->instance, host->ordinary - 1);
        if (host->ordinary == 0 &&
            cluster_instance(controller->cluster, task->instance)->status == INSTANCE_DRAINING)
            daemons_check(controller, task->instance);
    }
    capacity_released(controller, task->instance);
}

void task_end(struct controller *controller, struct task *task, enum stop_code code,
              enum stop_reason reason)
{
    enum task_status previous = task->status;
    bool was_desired = task->desired_running;
    bool is_registered = task->target_count > 0 && previous < TASK_DEACTIVATING;
    bool is_attached = task->instance != INSTANCE_NONE && task->def->demand.needs_eni &&
                       previous != TASK_DEPROVISIONING;
    leave_instance(controller, task);
    task_uncount(task);
    give_up(controller, task, code, reason);
    if (task->instance != INSTANCE_NONE)
        release_instance(controller, task);
    else if (task->zone != SYMBOL_NONE)
        capacity_machine_unneeded(controller, task);
    else
        waiting_remove(controller, task);
    if (is_registered)
        targets_drain(task);
    task->status = TASK_STOPPED;
    task->stopped_ns = controller->now.wall_ns;
    emit_task(controller, task, previous, was_desired);
    if (is_registered)
        targets_deregister(controller, task);
    if (is_attached)
        interface_request(controller, task, REQUEST_DETACH_INTERFACE);
    if (task->deployment != NULL) {
        task_list_remove(&task->deployment->tasks, task, LIST_OWNER);
        service_mark(controller, task->deployment->service);
    }
    stopped_keep(controller, task, is_attached);
    task_free(controller, task);
}
