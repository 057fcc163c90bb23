/*
 * runtime.c -- the simulated containers: pulled, started, run, stopped, as the agent orders.
 *
 * A task's slot is its place with its agents, held from its first order until it is forgotten. An
 * order puts its outcome into the queue; the outcome names slot, generation of the slot, container
 * and epoch of the container. Whatever makes an outcome impossible (the container has ended, the
 * power is gone, the slot has another tenant) moves the epoch or the generation on, and the event
 * is stale when it comes: nothing is ever searched for in the queue. Of two ends that race, a
 * natural exit and the one after a stop signal, the first to come ends the epoch and so cancels the
 * other.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

#define EXIT_CODE_TERMINATED 143 /* 128 + SIGTERM */
#define EXIT_CODE_KILLED 137     /* 128 + SIGKILL */
#define SERVICE_PREFIX "service:"

static const struct fleet_definition *definition(const struct fleet *fleet,
                                                 const struct sim_task *task)
{
    return &fleet->definitions[task->definition];
}

static bool is_main(const struct fleet *fleet, const struct sim_task *task, uint16_t container)
{
    return container == definition(fleet, task)->main;
}

/* c of the event: exit code, epoch, container, outcome. */
static inline void queue_outcome(struct fleet *fleet, struct sim_task *task, uint32_t slot,
                                 uint16_t container, enum outcome outcome, berth_ns at_ns,
                                 int32_t exit_code)
{
    uint64_t epoch = task_part(fleet, task, container)->epoch;
    uint64_t c = (uint64_t)(uint32_t)exit_code << 32 | epoch << 16 | (uint64_t)container << 8 |
                 (uint64_t)outcome;
    fleet_queue(fleet, at_ns, FLEET_RUNTIME, slot, (uint64_t)task->host << 32 | task->generation,
                c);
}

void runtime_queue(struct fleet *fleet, uint32_t slot, uint16_t container, enum outcome outcome,
                   berth_ns after_ns, int32_t code)
{
    queue_outcome(fleet, task_at(fleet, slot), slot, container, outcome,
                  behaviour_later(fleet->now_ns, after_ns), code);
}

static void set_serving(struct fleet *fleet, struct sim_task *task, bool is_serving)
{
    if (task->service == UINT32_MAX || task->is_serving == is_serving)
        return;
    task->is_serving = is_serving;
    fleet->ops->serving(fleet->context, task->service, task->task, is_serving ? 1 : -1);
}

static bool serves(const struct fleet *fleet, struct sim_task *task)
{
    return task_part(fleet, task, definition(fleet, task)->main)->state == RUNTIME_RUNNING &&
           !task->is_ill && host_at(fleet, task->host)->power == HOST_UP;
}

void runtime_update_serving(struct fleet *fleet, struct sim_task *task)
{
    if (task->service == UINT32_MAX)
        return;
    set_serving(fleet, task, serves(fleet, task));
}

static void end_container(struct fleet *fleet, struct sim_task *task, uint16_t container)
{
    struct sim_container *part = task_part(fleet, task, container);
    part->state = RUNTIME_NONE;
    part->epoch++;
    if (is_main(fleet, task, container))
        set_serving(fleet, task, false);
}

static uint32_t service_of(const struct fleet *fleet, const char *group)
{
    size_t prefix = strlen(SERVICE_PREFIX);
    if (group == NULL || strncmp(group, SERVICE_PREFIX, prefix) != 0)
        return UINT32_MAX;
    for (uint32_t i = 0; i < fleet->scenario->service_count; i++)
        if (strcmp(fleet->scenario->services[i].name, group + prefix) == 0)
            return i;
    return UINT32_MAX;
}

/* A controller that was loaded anew has other definitions under the same numbers. */
static uint32_t index_of(const struct fleet *fleet, const struct task_def *def)
{
    if (def->number < fleet->defined.count && fleet->defined.items[def->number].def == def)
        return fleet->defined.items[def->number].index;
    return map_get(&fleet->definition_of, (uint64_t)(uintptr_t)def);
}

/* The texts of groups are lent for good, so the pointer names the group. */
static uint32_t find_group(struct fleet *fleet, const char *group)
{
    uint64_t key = (uint64_t)(uintptr_t)group;
    uint32_t known = map_get(&fleet->group_of, key);
    if (known == MAP_ABSENT) {
        known = (uint32_t)fleet->groups.count;
        map_put(&fleet->group_of, key, known);
        *vec_push(&fleet->groups) = (struct fleet_group){.purpose = rng_purpose(group),
                                                         .service = service_of(fleet, group)};
    }
    return known;
}

/* Mostly that of the task of the same definition before it. */
static inline uint32_t group_of(struct fleet *fleet, struct fleet_definition *def,
                                const char *group)
{
    if (def->group_text != group || group == NULL) {
        def->group = find_group(fleet, group);
        def->group_text = group;
    }
    return def->group;
}

static uint32_t take_more(struct fleet *fleet, uint16_t container_count)
{
    if (container_count == 1)
        return POOL_NONE;
    uint32_t number = pool_take(&fleet->more_containers);
    *(struct more_containers *)pool_at(&fleet->more_containers, number) =
        (struct more_containers){0};
    return number;
}

static void add_task(struct fleet *fleet, struct host *h, struct sim_task *task,
                     const struct task_payload *payload)
{
    uint32_t index = index_of(fleet, payload->def);
    assert(index != MAP_ABSENT);
    uint32_t group = group_of(fleet, &fleet->definitions[index], payload->group);
    *task = (struct sim_task){
        .task = payload->task,
        .key = payload->reference,
        .lifetime_ns = BERTH_NS_NEVER,
        .more = take_more(fleet, fleet->definitions[index].container_count),
        .host = h->number,
        .generation = task->generation + 1,
        .definition = index,
        .group = group,
        .service = fleet->groups.items[group].service,
        .arrival = h->arrivals++,
        .is_held = true,
    };
    if (task->service == UINT32_MAX)
        task->lifetime_ns =
            fleet->ops->lifetime(fleet->context, payload->group, payload->reference);
    fleet->task_count++;
}

static void remove_task(struct fleet *fleet, struct sim_task *task)
{
    set_serving(fleet, task, false);
    task->is_held = false;
    task->generation++;
    if (task->more != POOL_NONE)
        pool_give(&fleet->more_containers, task->more);
    fleet->task_count--;
}

/* How long a pull that fetches something takes, before the host's slowness. */
static berth_ns pull_ns(const struct fleet *fleet, struct sim_task *task, uint16_t container)
{
    const struct scenario_task_def *def = definition(fleet, task)->scenario;
    uint32_t group = host_at(fleet, task->host)->group;
    double mib_per_s = fleet->scenario->groups[group].pull_mib_per_s;
    berth_ns takes_ns = task_delay_ns(fleet, task, &fleet->pull_overhead, "pull", container);
    if (!(def->image_mib > 0 && mib_per_s > 0))
        return takes_ns;
    double bytes_ns = def->image_mib / mib_per_s * (double)BERTH_NS_PER_S;
    return bytes_ns < 0x1p62 ? behaviour_later(takes_ns, (berth_ns)llround(bytes_ns))
                             : BERTH_NS_NEVER;
}

/*
 * All containers of a definition are one image: the first pull fetches them all. When it is there,
 * as it mostly is, neither how long the pull would take nor whether it would fail is drawn.
 */
static void pull(struct fleet *fleet, struct host *h, struct sim_task *task,
                 const struct agent_action *action)
{
    const struct fleet_definition *def = definition(fleet, task);
    struct image_pull done = {.done_at_ns = fleet->now_ns};
    if (!images_is_there(&fleet->images, &h->disk, def->image, fleet->now_ns)) {
        berth_ns takes_ns = host_slowed(h, pull_ns(fleet, task, action->container));
        bool fails =
            task_chance(fleet, task, def->scenario->pull_failure_probability, "pull-failure");
        done = images_pull(&fleet->images, &h->disk, def->image, fleet->now_ns, takes_ns, fails);
    }
    task_part(fleet, task, action->container)->state = RUNTIME_PULLING;
    queue_outcome(fleet, task, action->place, action->container,
                  done.has_failed ? OUTCOME_PULL_FAILED : OUTCOME_PULLED, done.done_at_ns, 0);
}

static void start(struct fleet *fleet, struct host *h, struct sim_task *task,
                  const struct agent_action *action)
{
    const struct fleet_definition *def = definition(fleet, task);
    berth_ns takes_ns =
        host_slowed(h, task_delay_ns(fleet, task, &def->start, "start", action->container));
    bool fails =
        action->container == def->main &&
        task_chance(fleet, task, def->scenario->start_failure_probability, "start-failure");
    task_part(fleet, task, action->container)->state = RUNTIME_STARTING;
    queue_outcome(fleet, task, action->place, action->container,
                  fails ? OUTCOME_START_FAILED : OUTCOME_STARTED,
                  behaviour_later(fleet->now_ns, takes_ns), 0);
}

static bool is_up(const struct sim_container *part)
{
    return part->state >= RUNTIME_STARTING;
}

static void terminate(struct fleet *fleet, struct host *h, struct sim_task *task,
                      const struct agent_action *action)
{
    struct sim_container *part = task_part(fleet, task, action->container);
    if (!is_up(part) || part->state == RUNTIME_STOPPING)
        return;
    if (part->state == RUNTIME_STARTING)
        part->epoch++;
    part->state = RUNTIME_STOPPING;
    if (is_main(fleet, task, action->container))
        set_serving(fleet, task, false);
    berth_ns takes_ns = host_slowed(
        h, task_delay_ns(fleet, task, &definition(fleet, task)->stop, "stop", action->container));
    queue_outcome(fleet, task, action->place, action->container, OUTCOME_EXITED,
                  behaviour_later(fleet->now_ns, takes_ns), EXIT_CODE_TERMINATED);
}

static void kill_container(struct fleet *fleet, struct sim_task *task,
                           const struct agent_action *action)
{
    struct sim_container *part = task_part(fleet, task, action->container);
    if (!is_up(part))
        return;
    part->epoch++;
    part->state = RUNTIME_STOPPING;
    if (is_main(fleet, task, action->container))
        set_serving(fleet, task, false);
    queue_outcome(fleet, task, action->place, action->container, OUTCOME_EXITED, fleet->now_ns,
                  EXIT_CODE_KILLED);
}

void runtime_order(struct fleet *fleet, struct host *h, const struct agent_action *action)
{
    if (action->place >= fleet->tasks.count)
        pool_reach(&fleet->tasks, action->place);
    struct sim_task *task = task_at(fleet, action->place);
    if (!task->is_held) {
        if (action->kind != AGENT_ACTION_PULL && action->kind != AGENT_ACTION_START)
            return;
        add_task(fleet, h, task, &action->payload);
    }
    assert(task->task == action->task);
    switch (action->kind) {
    case AGENT_ACTION_PULL:
        pull(fleet, h, task, action);
        break;
    case AGENT_ACTION_START:
        start(fleet, h, task, action);
        break;
    case AGENT_ACTION_TERMINATE:
        terminate(fleet, h, task, action);
        break;
    case AGENT_ACTION_KILL:
        kill_container(fleet, task, action);
        break;
    case AGENT_ACTION_REMOVE:
        remove_task(fleet, task);
        break;
    case AGENT_ACTION_SEND:
    case AGENT_ACTION_KIND_COUNT:
        assert(action->kind < AGENT_ACTION_KIND_COUNT && action->kind != AGENT_ACTION_SEND);
    }
}

/* How it ends by itself, or by chance. */
static struct container_end end_of(const struct fleet *fleet, struct sim_task *task,
                                   uint16_t container)
{
    const struct fleet_definition *def = definition(fleet, task);
    bool is_main = container == def->main;
    bool is_given =
        !def->may_crash && (def->scenario->is_endless || task->lifetime_ns != BERTH_NS_NEVER);
    struct container_end end = {.after_ns = is_main ? task->lifetime_ns : BERTH_NS_NEVER};
    if (is_main && !is_given)
        end = behaviour_end(def->scenario, task_key(fleet, task), task->lifetime_ns, is_main,
                            task_part(fleet, task, container)->starts);
    if (fleet->ops->crash == NULL)
        return end;
    berth_ns crash_ns =
        fleet->ops->crash(fleet->context, task->host, task_key(fleet, task), container);
    return crash_ns < end.after_ns ? (struct container_end){.after_ns = crash_ns, .exit_code = 1}
                                   : end;
}

/* From here on it runs: its end is known now, whenever it may be stopped before. */
static void started(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    struct sim_container *part = task_part(fleet, task, container);
    const struct fleet_definition *def = definition(fleet, task);
    struct container_end end = end_of(fleet, task, container);
    part->state = RUNTIME_RUNNING;
    if (end.after_ns != BERTH_NS_NEVER)
        runtime_queue(fleet, slot, container,
                      end.is_out_of_memory ? OUTCOME_OUT_OF_MEMORY : OUTCOME_EXITED, end.after_ns,
                      end.exit_code);
    health_started(fleet, slot, container);
    if (container == def->main)
        runtime_update_serving(fleet, task);
}

/* AGENT_EVENT_KIND_COUNT: nothing that the agent hears of. */
static enum agent_event_kind take_outcome(struct fleet *fleet, uint32_t slot, uint16_t container,
                                          enum outcome outcome, int32_t code)
{
    switch (outcome) {
    case OUTCOME_PULLED:
        return AGENT_EVENT_PULLED;
    case OUTCOME_PULL_FAILED:
        end_container(fleet, task_at(fleet, slot), container);
        return AGENT_EVENT_PULL_FAILED;
    case OUTCOME_STARTED:
        started(fleet, slot, container);
        return AGENT_EVENT_STARTED;
    case OUTCOME_START_FAILED:
        end_container(fleet, task_at(fleet, slot), container);
        return AGENT_EVENT_START_FAILED;
    case OUTCOME_EXITED:
    case OUTCOME_OUT_OF_MEMORY:
        end_container(fleet, task_at(fleet, slot), container);
        return AGENT_EVENT_EXITED;
    case OUTCOME_TURNED:
        health_turned(fleet, slot, container);
        break;
    case OUTCOME_NOTICED:
        if (health_noticed(fleet, slot, container, code))
            return AGENT_EVENT_HEALTH;
        break;
    }
    return AGENT_EVENT_KIND_COUNT;
}

void runtime_event(struct fleet *fleet, const struct sim_event *event)
{
    uint32_t slot = event->a;
    struct sim_task *task = task_at(fleet, slot);
    uint16_t container = (uint16_t)(event->c >> 8 & 0xff);
    if (!task->is_held || task->generation != (uint32_t)event->b)
        return;
    const struct sim_container *part = task_part(fleet, task, container);
    if (part->epoch != (uint16_t)(event->c >> 16 & 0xffff))
        return;
    struct host *h = host_at(fleet, task->host);
    enum outcome what = (enum outcome)(event->c & 0xff);
    int32_t code = (int32_t)(uint32_t)(event->c >> 32);
    struct agent_event outcome = {
        .kind = take_outcome(fleet, slot, container, what, code),
        .task = task->task,
        .container = container,
        .place = slot,
        .exit_code = code,
        .is_out_of_memory = what == OUTCOME_OUT_OF_MEMORY,
        .health = (enum task_health)part->noticed,
    };
    if (outcome.kind == AGENT_EVENT_KIND_COUNT)
        return;
    if (h->power == HOST_HUNG)
        *vec_push(&host_trouble(h)->deferred) = outcome;
    else
        host_step(fleet, h, &outcome);
}

static int later_first(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

struct slot_list host_slots(const struct fleet *fleet, const struct host *host)
{
    uint32_t known = host->agent != NULL ? agent_task_count(host->agent) : 0;
    struct slot_list list = {mem_alloc((known + 1) * sizeof *list.slots), 0};
    uint64_t *order = mem_alloc((known + 1) * sizeof *order);
    for (uint32_t i = 0; i < known; i++) {
        uint32_t slot = agent_place(host->agent, i);
        if (slot < fleet->tasks.count && task_at(fleet, slot)->is_held)
            order[list.count++] = (uint64_t)task_at(fleet, slot)->arrival << 32 | slot;
    }
    qsort(order, list.count, sizeof *order, later_first);
    for (uint32_t i = 0; i < list.count; i++)
        list.slots[i] = (uint32_t)order[i];
    mem_free(order);
    return list;
}

void runtime_power_lost(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    struct slot_list list = host_slots(fleet, h);
    for (uint32_t i = 0; i < list.count; i++) {
        struct sim_task *task = task_at(fleet, list.slots[i]);
        for (uint16_t c = 0; c < definition(fleet, task)->container_count; c++)
            end_container(fleet, task, c);
    }
    mem_free(list.slots);
    images_power_lost(&fleet->images, &h->disk, fleet->now_ns);
}

void runtime_forget_all(struct fleet *fleet, uint32_t host)
{
    struct slot_list list = host_slots(fleet, host_at(fleet, host));
    for (uint32_t i = 0; i < list.count; i++)
        remove_task(fleet, task_at(fleet, list.slots[i]));
    mem_free(list.slots);
}

void runtime_power_changed(struct fleet *fleet, uint32_t host)
{
    struct slot_list list = host_slots(fleet, host_at(fleet, host));
    for (uint32_t i = 0; i < list.count; i++)
        runtime_update_serving(fleet, task_at(fleet, list.slots[i]));
    mem_free(list.slots);
}
