#include "sim/world/load.h"

#include <assert.h>
#include <string.h>

#include "sim/world/load_internal.h"
#include "sim/world/queueing.h"

struct load *load_create(const struct scenario *scenario, uint64_t key)
{
    bool has_any = false;
    for (uint32_t i = 0; i < scenario->service_count; i++)
        has_any |= scenario->services[i].load.is_set;
    if (!has_any)
        return NULL;
    struct load *load = mem_alloc(sizeof *load);
    load->scenario = scenario;
    load->defs = mem_alloc((scenario->task_def_count + 1) * sizeof *load->defs);
    load->services = mem_alloc(scenario->service_count * sizeof *load->services);
    load->alarms = mem_alloc((scenario->alarm_count + 1) * sizeof *load->alarms);
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        load->services[i].scenario = &scenario->services[i];
        load->services[i].is_balanced = scenario->services[i].target_group_count > 0;
        load->services[i].first_def =
            scenario_find_task_def(scenario, scenario->services[i].task_definition);
        load->services[i].key = rng_key(key, scenario->services[i].name, 0);
    }
    for (uint32_t i = 0; i < scenario->alarm_count; i++) {
        load->alarms[i].scenario = &scenario->alarms[i];
        load->alarms[i].service =
            (uint32_t)(scenario_find_service(scenario, scenario->alarms[i].service) -
                       scenario->services);
    }
    return load;
}

void load_destroy(struct load *load)
{
    if (load == NULL)
        return;
    for (uint32_t i = 0; i < load->scenario->service_count; i++)
        vec_free(&load->services[i].revisions);
    mem_free(load->defs);
    mem_free(load->services);
    mem_free(load->alarms);
    vec_free(&load->copies);
    vec_free(&load->free_copies);
    map_free(&load->copy_at);
    mem_free(load);
}

void load_define(struct load *load, uint32_t index, const struct task_def *def)
{
    if (load != NULL)
        load->defs[index] = def;
}

static struct load_service *service_of(struct load *load, uint32_t service)
{
    bool has_load = load != NULL && service < load->scenario->service_count &&
                    load->scenario->services[service].load.is_set;
    return has_load ? &load->services[service] : NULL;
}

/* Totals are sixteen doubles: added up as an array. */
#define TOTALS (sizeof(struct load_totals) / sizeof(double))

void load_advance(struct load_service *service, berth_ns now_ns)
{
    double seconds = (double)(now_ns - service->since_ns) * 1e-9;
    double totals[TOTALS], rates[TOTALS];
    if (seconds <= 0)
        return;
    memcpy(totals, &service->totals, sizeof totals);
    memcpy(rates, &service->rate, sizeof rates);
    for (size_t i = 0; i < TOTALS; i++)
        totals[i] += rates[i] * seconds;
    memcpy(&service->totals, totals, sizeof totals);
    service->since_ns = now_ns;
}

/* Servers and their speed: a copy works on `servers` requests at a time, within its vCPUs. */
static void add_copies(struct load_service *service, const struct load_revision *revision,
                       double rate)
{
    const struct scenario_load *load = &service->scenario->load;
    struct load_totals *out = &service->rate;
    double vcpu = revision->def->def->demand.cpu_units / (double)BERTH_CPU_UNITS_PER_VCPU;
    uint32_t whole = (uint32_t)vcpu + (vcpu > (uint32_t)vcpu);
    uint32_t servers = load->concurrency > 0 ? load->concurrency : whole > 0 ? whole : 1;
    double speed = vcpu <= 0 || vcpu > servers ? 1 : vcpu / servers;
    struct queue_figures queue =
        queue_mmck(rate, speed / load->demand_s, servers, servers + load->queue_limit);
    double copies = revision->live, taken = copies * rate * (1 - queue.rejected);
    double errors = revision->def->error_probability;
    out->taken += taken;
    out->rejected += copies * rate - taken;
    out->errors += taken * errors;
    out->served += taken * (1 - errors);
    if (revision->deployment != service->primary)
        out->served_old += taken * (1 - errors);
    out->latency += taken * queue.time_mean;
    out->latency_square += taken * queue.time_squares;
    out->cpu_used += taken * load->demand_s;
    service->memory_used_mib += copies * queue.in_system * load->memory_request_mib;
}

/* The revision's share of the requests; `all`: copies of all revisions that get some. */
static double share_of(const struct load_revision *revision, bool has_weights, uint32_t all)
{
    uint32_t routed = revision->live + revision->dead;
    if (has_weights)
        return revision->has_weight ? revision->permille / 1000.0 : 0;
    return all > 0 ? (double)routed / all : 0;
}

static void add_revision(struct load_service *service, const struct load_revision *revision,
                         double share)
{
    const struct scenario_load *load = &service->scenario->load;
    const struct demand *demand = &revision->def->def->demand;
    uint32_t routed = revision->live + revision->dead;
    double copies = revision->serving;
    service->rate.cpu_reserved += copies * demand->cpu_units / BERTH_CPU_UNITS_PER_VCPU;
    service->memory_reserved_mib += copies * demand->mem_mib;
    service->memory_used_mib += copies * load->memory_base_mib;
    service->rate.targets += revision->live;
    if (share <= 0 || routed == 0)
        return;
    double rate = service->offered * share / routed;
    service->rate.dead += rate * revision->dead;
    if (revision->live > 0)
        add_copies(service, revision, rate);
}

void load_settle(struct load_service *service, berth_ns now_ns)
{
    uint32_t all = 0, serving = 0;
    bool has_weights = false;
    double sent = 0;
    load_advance(service, now_ns);
    service->since_ns = now_ns;
    service->rate = (struct load_totals){.offered = service->offered};
    service->memory_used_mib = service->memory_reserved_mib = 0;
    for (size_t i = 0; i < service->revisions.count; i++) {
        const struct load_revision *revision = &service->revisions.items[i];
        has_weights |= revision->has_weight && revision->permille > 0;
        all += revision->live + revision->dead;
        serving += revision->serving;
    }
    for (size_t i = 0; i < service->revisions.count; i++) {
        const struct load_revision *revision = &service->revisions.items[i];
        double share = share_of(revision, has_weights, all);
        add_revision(service, revision, share);
        sent += revision->live + revision->dead > 0 ? share : 0;
    }
    service->rate.no_target = service->offered * (1 - (sent < 1 ? sent : 1));
    bool is_short = service->rate.targets < service->needed;
    service->totals.short_count += is_short && !service->is_short;
    service->is_short = is_short;
    service->rate.short_time = is_short;
    service->rate.surplus = serving > service->needed ? serving - service->needed : 0;
}

static struct load_revision *revision_of(struct load_service *service, uint64_t deployment)
{
    for (size_t i = 0; i < service->revisions.count; i++)
        if (service->revisions.items[i].deployment == deployment)
            return &service->revisions.items[i];
    return NULL;
}

static struct load_revision *revision_for(struct load *load, struct load_service *service,
                                          const struct task_view *task)
{
    struct load_revision *revision = revision_of(service, task->deployment);
    if (revision == NULL) {
        revision = vec_push(&service->revisions);
        *revision = (struct load_revision){.deployment = task->deployment};
    }
    for (uint32_t i = 0; revision->def == NULL && i < load->scenario->task_def_count; i++)
        if (load->defs[i] == task->def)
            revision->def = &load->scenario->task_defs[i];
    return revision;
}

static bool is_routed(const struct load_service *service, const struct load_copy *copy)
{
    return service->is_balanced ? copy->is_healthy : copy->serves > 0;
}

/* Take a copy out of its revision's figures, or put it in. */
static void count(struct load_service *service, const struct load_copy *copy, int change)
{
    struct load_revision *revision = revision_of(service, copy->deployment);
    uint32_t by = (uint32_t)change; /* modulo 2^32: adds or takes away */
    if (copy->serves > 0)
        revision->serving += by;
    if (is_routed(service, copy))
        *(copy->serves > 0 ? &revision->live : &revision->dead) += by;
}

static struct load_copy *find_copy(struct load *load, task_id task)
{
    uint32_t slot = map_get(&load->copy_at, task);
    return slot == MAP_ABSENT ? NULL : &load->copies.items[slot];
}

/* Revisions without copies go, but for those that requests may still be meant for. */
static void prune(struct load_service *service)
{
    for (size_t i = service->revisions.count; i-- > 0;) {
        const struct load_revision *revision = &service->revisions.items[i];
        if (revision->copies > 0 || revision->deployment == service->primary ||
            (revision->has_weight && revision->permille > 0))
            continue;
        size_t after = --service->revisions.count - i;
        memmove(service->revisions.items + i, service->revisions.items + i + 1,
                after * sizeof *service->revisions.items);
    }
}

/* A copy is forgotten when neither the controller nor the fleet has it any longer. */
static void drop_if_gone(struct load *load, struct load_service *service, struct load_copy *copy)
{
    if (!copy->is_ended || copy->serves > 0)
        return;
    count(service, copy, -1);
    revision_of(service, copy->deployment)->copies--;
    prune(service);
    *vec_push(&load->free_copies) = (uint32_t)(copy - load->copies.items);
    (void)map_remove(&load->copy_at, copy->task);
}

static void add_copy(struct load *load, uint32_t service, const struct task_view *task)
{
    uint32_t slot = (uint32_t)load->copies.count;
    if (load->free_copies.count > 0)
        slot = load->free_copies.items[--load->free_copies.count];
    else
        (void)vec_push(&load->copies);
    load->copies.items[slot] =
        (struct load_copy){.task = task->task, .service = service, .deployment = task->deployment};
    map_put(&load->copy_at, task->task, slot);
    revision_for(load, &load->services[service], task)->copies++;
}

void load_task(struct load *load, berth_ns now_ns, uint32_t index, const struct task_view *task)
{
    struct load_service *service = service_of(load, index);
    if (service == NULL)
        return;
    struct load_copy *copy = find_copy(load, task->task);
    if (task->last_status != TASK_STOPPED) {
        if (copy == NULL && task->desired_running)
            add_copy(load, index, task);
        return;
    }
    if (copy == NULL || copy->is_ended)
        return;
    copy->is_ended = true;
    drop_if_gone(load, service, copy);
    load_settle(service, now_ns);
}

void load_primary(struct load *load, berth_ns now_ns, uint32_t index, uint64_t deployment)
{
    struct load_service *service = service_of(load, index);
    if (service == NULL || service->primary == deployment)
        return;
    service->primary = deployment;
    prune(service);
    load_settle(service, now_ns);
}

void load_serving(struct load *load, berth_ns now_ns, uint32_t index, task_id task, int change)
{
    struct load_service *service = service_of(load, index);
    struct load_copy *copy = service == NULL ? NULL : find_copy(load, task);
    if (copy == NULL)
        return;
    count(service, copy, -1);
    copy->serves += change;
    count(service, copy, 1);
    drop_if_gone(load, service, copy);
    load_settle(service, now_ns);
}

void load_routed(struct load *load, berth_ns now_ns, task_id task, bool is_healthy)
{
    struct load_copy *copy = load == NULL ? NULL : find_copy(load, task);
    if (copy == NULL)
        return;
    struct load_service *service = &load->services[copy->service];
    if (copy->is_healthy == is_healthy)
        return;
    count(service, copy, -1);
    copy->is_healthy = is_healthy;
    count(service, copy, 1);
    load_settle(service, now_ns);
}

void load_weights(struct load *load, berth_ns now_ns, uint32_t index,
                  const struct traffic_weight *weights, uint32_t count)
{
    struct load_service *service = service_of(load, index);
    if (service == NULL)
        return;
    for (size_t i = 0; i < service->revisions.count; i++)
        service->revisions.items[i].permille = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct load_revision *revision = revision_of(service, weights[i].deployment);
        if (revision == NULL)
            continue;
        revision->permille = weights[i].permille;
        revision->has_weight = true;
    }
    prune(service);
    load_settle(service, now_ns);
}

bool load_totals(struct load *load, berth_ns now_ns, uint32_t index, struct load_totals *out)
{
    struct load_service *service = service_of(load, index);
    if (service == NULL)
        return false;
    load_advance(service, now_ns);
    *out = service->totals;
    return true;
}

bool load_now(const struct load *load, uint32_t index, struct load_now *out)
{
    if (load == NULL || index >= load->scenario->service_count ||
        !load->scenario->services[index].load.is_set)
        return false;
    const struct load_totals *rate = &load->services[index].rate;
    *out = (struct load_now){
        .offered = rate->offered,
        .served = rate->served,
        .failed = rate->offered - rate->served,
        .latency_s = rate->taken > 0 ? rate->latency / rate->taken : 0,
        .cpu_percent = rate->cpu_reserved > 0 ? 100 * rate->cpu_used / rate->cpu_reserved : 0,
        .needed = load->services[index].needed,
    };
    return true;
}

void load_tick(struct load *load, berth_ns now_ns, load_answer answer, void *context)
{
    for (uint32_t i = 0; load->tick > 0 && i < load->scenario->service_count; i++) {
        struct load_service *service = service_of(load, i);
        if (service == NULL)
            continue;
        if (service->rate.cpu_reserved > 0) {
            service->cpu_sum += 100 * service->rate.cpu_used / service->rate.cpu_reserved;
            service->cpu_count++;
        }
        if (service->memory_reserved_mib > 0) {
            service->memory_sum += 100 * service->memory_used_mib / service->memory_reserved_mib;
            service->memory_count++;
        }
    }
    if (load->tick++ % 3 == 0)
        load_minute(load, now_ns, answer, context);
}

void load_latencies(struct load *load, berth_ns now_ns, double counts[LOAD_BUCKETS])
{
    memset(counts, 0, LOAD_BUCKETS * sizeof *counts);
    if (load == NULL)
        return;
    for (uint32_t i = 0; i < load->scenario->service_count; i++)
        if (service_of(load, i) != NULL) {
            load_advance(&load->services[i], now_ns);
            load_spread(load, &load->services[i]);
        }
    memcpy(counts, load->latencies, sizeof load->latencies);
}
