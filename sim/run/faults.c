/*
 * faults.c -- what happens by chance: alternating processes of up and down.
 *
 * Every instance of an `instance` failure, every zone or rack of a `zone` or `rack` failure and
 * every spot instance of a `spot` failure is a unit with two streams of its own, one for the times
 * it stays up and one for its repairs. They are keyed by the failure's name and the unit, so two
 * strategies face the same sequence. The hosts of a unit are told once, at the start, from the
 * fleet's slots.
 *
 *     up --mtbf--> [spot: notice, 120 s] --> down (waits for a repairer) --mttr--> up
 *
 * With `repairers`, a unit that goes down while all are busy waits its turn, first come, first
 * served: the machine-repairman model.
 */
#include <assert.h>
#include <string.h>

#include "sim/fleet/behaviour.h"
#include "sim/run/driver.h"
#include "sim/run/journal.h"

enum phase { PHASE_FAILS, PHASE_RECLAIMED, PHASE_REPAIRED };

static const struct scenario_failure *failure_of(const struct run *run,
                                                 const struct fault_unit *unit)
{
    return &run->scenario->failures[unit->failure];
}

static void schedule(struct run *run, uint32_t index, berth_ns delay_ns, enum phase phase)
{
    run_put(run, behaviour_later(run->now_ns, delay_ns), RUN_FAULT, index, (uint64_t)phase);
}

/* The zone or the rack of a host, as the failure has it; NULL: it stands in no rack. */
static const char *place_of(const struct run *run, uint32_t failure, uint32_t host)
{
    struct host_view view = fleet_host(run->fleet, host);
    return run->scenario->failures[failure].kind == FAILURE_RACK ? view.rack : view.zone;
}

static bool is_at(const struct run *run, uint32_t failure, uint32_t host, const char *place)
{
    const char *own = place_of(run, failure, host);
    return own != NULL && strcmp(own, place) == 0;
}

/* `entity` names the unit within its failure: a host's number, or a zone or rack by its name. */
static void add_unit(struct run *run, uint32_t failure, uint64_t entity, const char *place,
                     const struct host_list *hosts)
{
    uint64_t key = run->fault_queues[failure].key;
    struct fault_unit *unit = vec_push(&run->units);
    if (place != NULL)
        key = rng_key(key, place, 0);
    *unit = (struct fault_unit){
        .failure = failure,
        .first_host = (uint32_t)run->fault_hosts.count,
        .up.key = rng_key(key, "mtbf", entity),
        .down.key = rng_key(key, "mttr", entity),
    };
    for (size_t i = 0; i < hosts->count; i++)
        if (place == NULL ? hosts->items[i] == entity
                          : is_at(run, failure, hosts->items[i], place)) {
            *vec_push(&run->fault_hosts) = (struct fault_host){.host = hosts->items[i]};
            unit->host_count++;
        }
    schedule(run, (uint32_t)run->units.count - 1,
             distribution_draw_ns(&run->scenario->failures[failure].mtbf, &unit->up), PHASE_FAILS);
}

static void add_places(struct run *run, uint32_t failure, const struct host_list *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        const char *place = place_of(run, failure, hosts->items[i]);
        bool is_known = place == NULL;
        for (size_t j = 0; j < i && !is_known; j++)
            is_known = is_at(run, failure, hosts->items[j], place);
        if (!is_known)
            add_unit(run, failure, 0, place, hosts);
    }
}

static void start_failure(struct run *run, uint32_t index)
{
    const struct scenario_failure *failure = &run->scenario->failures[index];
    struct fault_queue *queue = &run->fault_queues[index];
    struct host_list hosts = VEC_INIT;
    queue->key = rng_key(rng_key(run->key, "failures", 0), failure->name, 0);
    select_hosts(run, &failure->select, SELECT_SLOTS, &hosts);
    switch (failure->kind) {
    case FAILURE_INSTANCE:
        for (size_t i = 0; i < hosts.count; i++)
            add_unit(run, index, hosts.items[i], NULL, &(struct host_list){&hosts.items[i], 1, 1});
        break;
    case FAILURE_ZONE:
    case FAILURE_RACK:
        add_places(run, index, &hosts);
        break;
    case FAILURE_SPOT:
        for (size_t i = 0; i < hosts.count; i++)
            if (run->scenario->groups[fleet_host(run->fleet, hosts.items[i]).group].is_spot)
                add_unit(run, index, hosts.items[i], NULL,
                         &(struct host_list){&hosts.items[i], 1, 1});
        break;
    case FAILURE_TASK:
        run->has_task_failures = true;
        queue->hit_count = fleet_host_count(run->fleet);
        queue->hits = mem_alloc(queue->hit_count + 1);
        for (size_t i = 0; i < hosts.count; i++)
            queue->hits[hosts.items[i]] = true;
        break;
    }
    vec_free(&hosts);
}

void faults_start(struct run *run)
{
    uint32_t count = run->scenario->failure_count;
    run->fault_queues = mem_alloc((count + 1) * sizeof *run->fault_queues);
    for (uint32_t i = 0; i < count && run->code == BERTH_OK; i++)
        start_failure(run, i);
}

/* Conditions alone: an index, a share or an expression was asked about the slots at the start. */
static bool means_later(const struct run *run, const struct scenario_selector *select,
                        uint32_t host)
{
    struct host_view view = fleet_host(run->fleet, host);
    const struct scenario_group *group = &run->scenario->groups[view.group];
    return select->expression == NULL && select->instance < 0 && select->share >= 1 &&
           (select->group == NULL || strcmp(select->group, group->name) == 0) &&
           (select->zone == NULL || strcmp(select->zone, view.zone) == 0) && !group->is_fargate;
}

void faults_join(struct run *run, uint32_t host)
{
    for (uint32_t i = 0; i < run->scenario->failure_count; i++) {
        const struct scenario_failure *failure = &run->scenario->failures[i];
        bool is_spot = run->scenario->groups[fleet_host(run->fleet, host).group].is_spot;
        struct fault_queue *queue = &run->fault_queues[i];
        if (!means_later(run, &failure->select, host))
            continue;
        if (failure->kind == FAILURE_INSTANCE || (failure->kind == FAILURE_SPOT && is_spot))
            add_unit(run, i, host, NULL, &(struct host_list){&host, 1, 1});
        if (failure->kind != FAILURE_TASK)
            continue;
        queue->hits = mem_resize(queue->hits, (size_t)host + 1, sizeof *queue->hits);
        while (queue->hit_count <= host)
            queue->hits[queue->hit_count++] = false;
        queue->hits[host] = true;
    }
}

void faults_free(struct run *run)
{
    for (uint32_t i = 0; run->fault_queues != NULL && i < run->scenario->failure_count; i++) {
        vec_free(&run->fault_queues[i].waiting);
        mem_free(run->fault_queues[i].hits);
    }
    mem_free(run->fault_queues);
    vec_free(&run->units);
    vec_free(&run->fault_hosts);
}

static void begin_repair(struct run *run, uint32_t index)
{
    struct fault_unit *unit = &run->units.items[index];
    run->fault_queues[unit->failure].busy_count++;
    schedule(run, index, distribution_draw_ns(&failure_of(run, unit)->mttr, &unit->down),
             PHASE_REPAIRED);
}

static void go_down(struct run *run, uint32_t index, enum loss_mode mode)
{
    const struct fault_unit *unit = &run->units.items[index];
    const struct scenario_failure *failure = failure_of(run, unit);
    struct fault_queue *queue = &run->fault_queues[unit->failure];
    collect_disturbed(run->collect, run->now_ns);
    for (uint32_t i = 0; i < unit->host_count; i++) {
        struct fault_host *entry = &run->fault_hosts.items[unit->first_host + i];
        entry->loss = run_lose(run, entry->host, mode, failure->name);
    }
    if (failure->repairers == 0 || queue->busy_count < failure->repairers)
        begin_repair(run, index);
    else
        *vec_push(&queue->waiting) = index;
}

static void serve_next(struct run *run, struct fault_queue *queue)
{
    queue->busy_count--;
    if (queue->served == queue->waiting.count)
        return;
    uint32_t next = queue->waiting.items[queue->served++];
    if (queue->served == queue->waiting.count) {
        queue->served = 0;
        vec_clear(&queue->waiting);
    }
    begin_repair(run, next);
}

static void come_up(struct run *run, uint32_t index)
{
    struct fault_unit *unit = &run->units.items[index];
    for (uint32_t i = 0; i < unit->host_count; i++) {
        const struct fault_host *entry = &run->fault_hosts.items[unit->first_host + i];
        run_return(run, entry->host, entry->loss);
    }
    serve_next(run, &run->fault_queues[unit->failure]);
    schedule(run, index, distribution_draw_ns(&failure_of(run, unit)->mtbf, &unit->up),
             PHASE_FAILS);
}

static void give_notice(struct run *run, uint32_t index)
{
    const struct fault_unit *unit = &run->units.items[index];
    for (uint32_t i = 0; i < unit->host_count; i++) {
        uint32_t host = run->fault_hosts.items[unit->first_host + i].host;
        journal_host(run->journal, run->now_ns, loop_controller(run->loop),
                     "berth Spot Interruption Warning", host, fleet_host(run->fleet, host).instance,
                     failure_of(run, unit)->name, NULL);
        fleet_notice(run->fleet, run->now_ns, host);
    }
    schedule(run, index, FLEET_SPOT_NOTICE_NS, PHASE_RECLAIMED);
}

void faults_fire(struct run *run, uint32_t index, uint64_t phase)
{
    const struct fault_unit *unit = &run->units.items[index];
    const struct scenario_failure *failure = failure_of(run, unit);
    /* Its group has put another machine in its place, with a process of its own. */
    if (phase == PHASE_FAILS && unit->host_count == 1 &&
        fleet_host(run->fleet, run->fault_hosts.items[unit->first_host].host).is_retired)
        return;
    switch ((enum phase)phase) {
    case PHASE_FAILS:
        if (failure->kind == FAILURE_SPOT)
            give_notice(run, index);
        else
            go_down(run, index, failure->mode);
        break;
    case PHASE_RECLAIMED:
        go_down(run, index, LOSS_TERMINATE);
        break;
    case PHASE_REPAIRED:
        come_up(run, index);
        break;
    }
}

berth_ns faults_crash(const struct run *run, uint32_t host, uint64_t key, uint16_t container)
{
    berth_ns first_ns = BERTH_NS_NEVER;
    for (uint32_t i = 0; i < run->scenario->failure_count; i++) {
        const struct scenario_failure *failure = &run->scenario->failures[i];
        const struct fault_queue *queue = &run->fault_queues[i];
        if (queue->hits == NULL || host >= queue->hit_count || !queue->hits[host])
            continue;
        berth_ns after_ns =
            behaviour_draw_ns(&failure->mtbf, rng_key(key, failure->name, 0), "crash", container);
        first_ns = after_ns < first_ns ? after_ns : first_ns;
    }
    return first_ns;
}
