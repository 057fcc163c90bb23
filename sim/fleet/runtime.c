/*
 * runtime.c -- the simulated containers: pulled, started, run, stopped, as the agent orders.
 *
 * A task gets a slot at its first order and keeps it until the agent forgets the task. An order
 * puts its outcome into the queue; the outcome names slot, generation of the slot, container and
 * epoch of the container. Whatever makes an outcome impossible (the container has ended, the power
 * is gone, the slot has another tenant) moves the epoch or the generation on, and the event is
 * stale when it comes: nothing is ever searched for in the queue. Of two ends that race, a natural
 * exit and the one after a stop signal, the first to come ends the epoch and so cancels the other.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/fleet/host.h"

#define EXIT_CODE_TERMINATED 143 /* 128 + SIGTERM */
#define EXIT_CODE_KILLED 137     /* 128 + SIGKILL */
#define SERVICE_PREFIX "service:"

static struct sim_task *task_at(struct fleet *fleet, uint32_t slot)
{
    return &fleet->tasks.items[slot];
}

static const struct scenario_task_def *definition(const struct fleet *fleet,
                                                  const struct sim_task *task)
{
    return &fleet->scenario->task_defs[task->definition];
}

/* c of the event: exit code, epoch, container, outcome. */
static void queue_outcome(struct fleet *fleet, uint32_t slot, uint16_t container,
                          enum outcome outcome, berth_ns at_ns, int32_t exit_code)
{
    const struct sim_task *task = task_at(fleet, slot);
    uint64_t c = (uint64_t)(uint32_t)exit_code << 32 | (uint64_t)task->epoch[container] << 16 |
                 (uint64_t)container << 8 | (uint64_t)outcome;
    fleet_queue(fleet, at_ns, FLEET_RUNTIME, slot, task->generation, c);
}

void runtime_queue(struct fleet *fleet, uint32_t slot, uint16_t container, enum outcome outcome,
                   berth_ns after_ns, int32_t code)
{
    queue_outcome(fleet, slot, container, outcome, behaviour_later(fleet->now_ns, after_ns), code);
}

static void set_serving(struct fleet *fleet, struct sim_task *task, bool is_serving)
{
    if (task->service == UINT32_MAX || task->is_serving == is_serving)
        return;
    task->is_serving = is_serving;
    fleet->ops->serving(fleet->context, task->service, task->task, is_serving ? 1 : -1);
}

static bool serves(const struct fleet *fleet, const struct sim_task *task)
{
    return task->state[task->main] == RUNTIME_RUNNING && !task->is_ill &&
           fleet->hosts[task->host].power == HOST_UP;
}

void runtime_update_serving(struct fleet *fleet, struct sim_task *task)
{
    set_serving(fleet, task, serves(fleet, task));
}

bool fleet_task_serves(const struct fleet *fleet, task_id task)
{
    uint32_t slot = task_table_get(&fleet->slot_of, task);
    return slot != TASK_TABLE_ABSENT && serves(fleet, &fleet->tasks.items[slot]);
}

static void end_container(struct fleet *fleet, struct sim_task *task, uint16_t container)
{
    task->state[container] = RUNTIME_NONE;
    task->epoch[container]++;
    if (container == task->main)
        set_serving(fleet, task, false);
}

/* The texts of groups are lent for good, so the pointer names the group. */
static uint32_t service_of(struct fleet *fleet, const char *group)
{
    size_t prefix = strlen(SERVICE_PREFIX);
    if (group == NULL || strncmp(group, SERVICE_PREFIX, prefix) != 0)
        return UINT32_MAX;
    uint64_t key = (uint64_t)(uintptr_t)group;
    uint32_t known = map_get(&fleet->service_of, key);
    if (known != MAP_ABSENT)
        return known;
    for (uint32_t i = 0; i < fleet->scenario->service_count; i++)
        if (strcmp(fleet->scenario->services[i].name, group + prefix) == 0) {
            map_put(&fleet->service_of, key, i);
            return i;
        }
    return UINT32_MAX;
}

static uint32_t take_slot(struct fleet *fleet)
{
    if (fleet->free_task == SLOT_NONE) {
        *vec_push(&fleet->tasks) = (struct sim_task){0};
        return (uint32_t)fleet->tasks.count - 1;
    }
    uint32_t slot = fleet->free_task;
    fleet->free_task = task_at(fleet, slot)->next;
    return slot;
}

static uint32_t add_task(struct fleet *fleet, uint32_t host, const struct task_payload *payload)
{
    uint32_t slot = take_slot(fleet);
    struct sim_task *task = task_at(fleet, slot);
    uint32_t definition_index = map_get(&fleet->definition_of, (uint64_t)(uintptr_t)payload->def);
    assert(definition_index != MAP_ABSENT);
    *task = (struct sim_task){
        .task = payload->task,
        .key = behaviour_key(fleet->key, payload->group, payload->reference),
        .def = payload->def,
        .host = host,
        .generation = task->generation + 1,
        .definition = definition_index,
        .service = service_of(fleet, payload->group),
        .prev = SLOT_NONE,
        .next = fleet->hosts[host].first_task,
        .main = behaviour_main_container(payload->def),
        .is_held = true,
        .lifetime_ns = BERTH_NS_NEVER,
    };
    if (task->service == UINT32_MAX)
        task->lifetime_ns =
            fleet->ops->lifetime(fleet->context, payload->group, payload->reference);
    if (task->next != SLOT_NONE)
        task_at(fleet, task->next)->prev = slot;
    fleet->hosts[host].first_task = slot;
    fleet->task_count++;
    task_table_put(&fleet->slot_of, task->task, slot);
    return slot;
}

static void remove_task(struct fleet *fleet, uint32_t slot)
{
    struct sim_task *task = task_at(fleet, slot);
    set_serving(fleet, task, false);
    if (task->prev != SLOT_NONE)
        task_at(fleet, task->prev)->next = task->next;
    else
        fleet->hosts[task->host].first_task = task->next;
    if (task->next != SLOT_NONE)
        task_at(fleet, task->next)->prev = task->prev;
    task_table_remove(&fleet->slot_of, task->task);
    task->is_held = false;
    task->generation++;
    task->next = fleet->free_task;
    fleet->free_task = slot;
    fleet->task_count--;
}

/* All containers of a definition are one image: the first pull fetches them all. */
static void pull(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct scenario_task_def *def = definition(fleet, task);
    struct host *host = &fleet->hosts[task->host];
    double mib_per_s = fleet->scenario->groups[host->group].pull_mib_per_s;
    berth_ns takes_ns =
        behaviour_draw_ns(&fleet->scenario->delays.pull_overhead, task->key, "pull", container);
    if (def->image_mib > 0 && mib_per_s > 0) {
        double bytes_ns = def->image_mib / mib_per_s * (double)BERTH_NS_PER_S;
        takes_ns = bytes_ns < 0x1p62 ? behaviour_later(takes_ns, (berth_ns)llround(bytes_ns))
                                     : BERTH_NS_NEVER;
    }
    bool fails = behaviour_chance(def->pull_failure_probability, task->key, "pull-failure", 0);
    struct image_pull done =
        images_pull(&fleet->images, &host->disk, fleet->image_of[task->definition], fleet->now_ns,
                    host_slowed(host, takes_ns), fails);
    task->state[container] = RUNTIME_PULLING;
    queue_outcome(fleet, slot, container, done.has_failed ? OUTCOME_PULL_FAILED : OUTCOME_PULLED,
                  done.done_at_ns, 0);
}

static void start(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct scenario_task_def *def = definition(fleet, task);
    berth_ns takes_ns =
        behaviour_draw_ns(def->has_start ? &def->start : &fleet->scenario->delays.container_start,
                          task->key, "start", container);
    bool fails = container == task->main &&
                 behaviour_chance(def->start_failure_probability, task->key, "start-failure", 0);
    task->state[container] = RUNTIME_STARTING;
    runtime_queue(fleet, slot, container, fails ? OUTCOME_START_FAILED : OUTCOME_STARTED,
                  host_slowed(&fleet->hosts[task->host], takes_ns), 0);
}

static bool is_up(const struct sim_task *task, uint16_t container)
{
    return task->state[container] >= RUNTIME_STARTING;
}

static void terminate(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct scenario_task_def *def = definition(fleet, task);
    if (!is_up(task, container) || task->state[container] == RUNTIME_STOPPING)
        return;
    if (task->state[container] == RUNTIME_STARTING)
        task->epoch[container]++;
    task->state[container] = RUNTIME_STOPPING;
    if (container == task->main)
        set_serving(fleet, task, false);
    berth_ns takes_ns =
        behaviour_draw_ns(def->has_stop ? &def->stop : &fleet->scenario->delays.container_stop,
                          task->key, "stop", container);
    runtime_queue(fleet, slot, container, OUTCOME_EXITED,
                  host_slowed(&fleet->hosts[task->host], takes_ns), EXIT_CODE_TERMINATED);
}

static void kill_container(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    if (!is_up(task, container))
        return;
    task->epoch[container]++;
    task->state[container] = RUNTIME_STOPPING;
    if (container == task->main)
        set_serving(fleet, task, false);
    queue_outcome(fleet, slot, container, OUTCOME_EXITED, fleet->now_ns, EXIT_CODE_KILLED);
}

void runtime_order(struct fleet *fleet, uint32_t host, const struct agent_action *action)
{
    uint32_t slot = task_table_get(&fleet->slot_of, action->task);
    if (slot == TASK_TABLE_ABSENT) {
        if (action->kind != AGENT_ACTION_PULL && action->kind != AGENT_ACTION_START)
            return;
        slot = add_task(fleet, host, action->payload);
    }
    switch (action->kind) {
    case AGENT_ACTION_PULL:
        pull(fleet, slot, action->container);
        break;
    case AGENT_ACTION_START:
        start(fleet, slot, action->container);
        break;
    case AGENT_ACTION_TERMINATE:
        terminate(fleet, slot, action->container);
        break;
    case AGENT_ACTION_KILL:
        kill_container(fleet, slot, action->container);
        break;
    case AGENT_ACTION_REMOVE:
        remove_task(fleet, slot);
        break;
    case AGENT_ACTION_SEND:
    case AGENT_ACTION_KIND_COUNT:
        assert(action->kind < AGENT_ACTION_KIND_COUNT && action->kind != AGENT_ACTION_SEND);
    }
}

/* From here on it runs: its end by itself is known now, whenever it may be stopped before. */
static void started(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    bool is_main = container == task->main;
    struct container_end end = behaviour_end(definition(fleet, task), task->key, task->lifetime_ns,
                                             is_main, task->starts[container]);
    berth_ns crash_ns = fleet->ops->crash(fleet->context, task->host, task->key, container);
    if (crash_ns < end.after_ns)
        end = (struct container_end){.after_ns = crash_ns, .exit_code = 1};
    task->state[container] = RUNTIME_RUNNING;
    if (end.after_ns != BERTH_NS_NEVER)
        runtime_queue(fleet, slot, container,
                      end.is_out_of_memory ? OUTCOME_OUT_OF_MEMORY : OUTCOME_EXITED, end.after_ns,
                      end.exit_code);
    health_started(fleet, slot, container);
    if (is_main)
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
    const struct sim_task *task = task_at(fleet, slot);
    uint16_t container = (uint16_t)(event->c >> 8 & 0xff);
    if (!task->is_held || task->generation != event->b ||
        task->epoch[container] != (uint16_t)(event->c >> 16 & 0xffff))
        return;
    uint32_t host = task->host;
    enum outcome what = (enum outcome)(event->c & 0xff);
    int32_t code = (int32_t)(uint32_t)(event->c >> 32);
    struct agent_event outcome = {
        .kind = take_outcome(fleet, slot, container, what, code),
        .task = task->task,
        .container = container,
        .exit_code = code,
        .is_out_of_memory = what == OUTCOME_OUT_OF_MEMORY,
        .health = (enum task_health)task->noticed[container],
    };
    if (outcome.kind == AGENT_EVENT_KIND_COUNT)
        return;
    if (fleet->hosts[host].power == HOST_HUNG)
        *vec_push(&fleet->hosts[host].deferred) = outcome;
    else
        host_agent_step(fleet, host, &outcome);
}

void runtime_power_lost(struct fleet *fleet, uint32_t host)
{
    struct host *h = &fleet->hosts[host];
    for (uint32_t slot = h->first_task; slot != SLOT_NONE; slot = task_at(fleet, slot)->next) {
        struct sim_task *task = task_at(fleet, slot);
        for (uint16_t c = 0; c < task->def->container_count; c++)
            end_container(fleet, task, c);
    }
    images_power_lost(&fleet->images, &h->disk, fleet->scenario->task_def_count, fleet->now_ns);
}

void runtime_forget_all(struct fleet *fleet, uint32_t host)
{
    while (fleet->hosts[host].first_task != SLOT_NONE)
        remove_task(fleet, fleet->hosts[host].first_task);
}

void runtime_power_changed(struct fleet *fleet, uint32_t host)
{
    for (uint32_t slot = fleet->hosts[host].first_task; slot != SLOT_NONE;
         slot = task_at(fleet, slot)->next)
        runtime_update_serving(fleet, task_at(fleet, slot));
}
