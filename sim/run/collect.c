/*
 * collect.c -- window, samples and the sums at the end.
 */
#include "sim/run/collect.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/run/collect_internal.h"

#define NS_PER_HOUR (3600.0 * (double)BERTH_NS_PER_S)
#define BILLED_LEAST_NS (60 * BERTH_NS_PER_S)
#define SAMPLES_MAX 1000000

/* Keep what no other definition is smaller than in both CPU and memory. */
static void find_smallest(struct collect *collect)
{
    const struct scenario *scenario = collect->scenario;
    for (uint32_t i = 0; i < scenario->task_def_count; i++) {
        const struct demand *demand = &scenario->task_defs[i].def->demand;
        bool is_covered = false;
        for (uint32_t j = 0; j < scenario->task_def_count && !is_covered; j++) {
            const struct demand *other = &scenario->task_defs[j].def->demand;
            bool is_equal =
                other->cpu_units == demand->cpu_units && other->mem_mib == demand->mem_mib;
            is_covered = j != i && other->cpu_units <= demand->cpu_units &&
                         other->mem_mib <= demand->mem_mib && (!is_equal || j < i);
        }
        if (!is_covered)
            *vec_push(&collect->smallest) = (struct smallest){demand->cpu_units, demand->mem_mib};
    }
}

static void find_zones(struct collect *collect)
{
    const struct scenario *scenario = collect->scenario;
    uint32_t limit = 1;
    for (uint32_t g = 0; g < scenario->group_count; g++)
        limit += scenario->groups[g].zone_count;
    collect->zones = mem_alloc(limit * sizeof *collect->zones);
    for (uint32_t g = 0; g < scenario->group_count; g++)
        for (uint32_t z = 0; z < scenario->groups[g].zone_count; z++) {
            const char *zone = scenario->groups[g].zones[z];
            uint32_t i = 0;
            while (i < collect->zone_count && strcmp(collect->zones[i], zone) != 0)
                i++;
            if (i == collect->zone_count)
                collect->zones[collect->zone_count++] = zone;
        }
    if (collect->zone_count == 0)
        collect->zones[collect->zone_count++] = "";
}

static void prepare_samples(struct collect *collect)
{
    const struct scenario *scenario = collect->scenario;
    berth_ns sample_ns = scenario->run.sample_ns;
    if (sample_ns <= 0)
        sample_ns = scenario->run.duration_ns;
    uint64_t count = ((uint64_t)collect->duration_ns + (uint64_t)sample_ns - 1) /
                     (uint64_t)(sample_ns > 0 ? sample_ns : 1);
    collect->sample_capacity = (uint32_t)(count < SAMPLES_MAX ? count : SAMPLES_MAX);
    collect->samples = mem_alloc((collect->sample_capacity + 1) * sizeof *collect->samples);
    if (!collect->options->wants_heat)
        return;
    collect->teller = story_begin(scenario, collect->sample_capacity);
    for (uint32_t g = 0; g < scenario->group_count; g++)
        collect->heat_rows += scenario->groups[g].count;
    if (collect->heat_rows > RUN_HEAT_ROWS_MAX)
        collect->heat_rows = RUN_HEAT_ROWS_MAX;
    collect->heat = mem_alloc((size_t)(collect->heat_rows + 1) * (collect->sample_capacity + 1) *
                              sizeof *collect->heat);
}

static void set_boundary(struct collect *collect)
{
    collect->boundary_ns = collect->next_sample_ns;
    if (!collect->is_in_window && collect->warm_up_ns < collect->boundary_ns)
        collect->boundary_ns = collect->warm_up_ns;
}

static void set_next_sample(struct collect *collect)
{
    berth_ns sample_ns = collect->scenario->run.sample_ns;
    berth_ns next_ns = collect->duration_ns;
    if (collect->sample_count >= collect->sample_capacity)
        next_ns = BERTH_NS_NEVER;
    else if (collect->sample_count + 1 < collect->sample_capacity)
        next_ns = (collect->sample_count + 1) * sample_ns;
    collect->next_sample_ns = next_ns;
}

struct collect *collect_create(const struct scenario *scenario, const struct run_options *options,
                               berth_ns warm_up_ns)
{
    struct collect *collect = mem_alloc(sizeof *collect);
    collect->scenario = scenario;
    collect->options = options;
    collect->duration_ns = scenario->run.duration_ns;
    collect->warm_up_ns = warm_up_ns < collect->duration_ns ? warm_up_ns : collect->duration_ns;
    collect->blast_desired = 1;
    collect->convergence.disturbed_ns = BERTH_NS_NEVER;
    levels_init(&collect->levels, LEVEL_COUNT + PAID_LEVELS * scenario->group_count);
    collect->waits = histogram_create();
    find_smallest(collect);
    find_zones(collect);
    collect->services = mem_alloc_lines((scenario->service_count + 1) * sizeof *collect->services);
    collect->by_zone = mem_alloc((size_t)(scenario->service_count + 1) * collect->zone_count *
                                 sizeof *collect->by_zone);
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        struct service_figures *figures = &collect->services[i];
        figures->by_zone = collect->by_zone + (size_t)i * collect->zone_count;
        figures->is_measured = scenario->services[i].scheduling == SCHEDULING_REPLICA;
        collect->measured_count += figures->is_measured;
    }
    prepare_samples(collect);
    set_next_sample(collect);
    set_boundary(collect);
    return collect;
}

void collect_destroy(struct collect *collect)
{
    if (collect == NULL)
        return;
    mem_free(collect->by_zone);
    mem_free(collect->services);
    mem_free(collect->zones);
    mem_free(collect->samples);
    mem_free(collect->heat);
    story_abandon(collect->teller);
    levels_free(&collect->levels);
    collect_load_free(collect);
    vec_free(&collect->instances);
    vec_free(&collect->paid_since);
    for (size_t i = 0; i < collect->tasks.count; i++)
        mem_free(collect->tasks.items[i]);
    vec_free(&collect->tasks);
    vec_free(&collect->service_of);
    vec_free(&collect->service_of_group);
    vec_free(&collect->smallest);
    vec_free(&collect->disturbances);
    vec_free(&collect->deployments);
    if (collect->waits != NULL)
        histogram_destroy(collect->waits);
    mem_free(collect);
}

void collect_bind(struct collect *collect, const struct controller *controller,
                  const struct fleet *fleet)
{
    collect->controller = controller;
    collect->fleet = fleet;
}

void collect_reloaded(struct collect *collect, berth_ns now_ns, const struct controller *controller)
{
    collect->controller = controller;
    uint32_t count = cluster_instance_count(controller_cluster(controller));
    for (instance_id i = 0; i < count; i++)
        collect_instance(collect, now_ns, i);
}

berth_ns collect_boundary(const struct collect *collect)
{
    return collect->boundary_ns;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void take_heat(struct collect *collect)
{
    uint32_t host_count = fleet_host_count(collect->fleet);
    for (uint32_t row = 0; row < collect->heat_rows; row++) {
        uint32_t host = (uint32_t)((uint64_t)row * host_count / collect->heat_rows);
        struct host_view view = fleet_host(collect->fleet, host);
        int64_t load = -1;
        if (view.power == HOST_UP && view.is_registered && view.instance < collect->instances.count)
            load = collect_instance_load(&collect->instances.items[view.instance]) / 10;
        collect->heat[(size_t)row * collect->sample_capacity + collect->sample_count] =
            (int16_t)(load > 1000 ? 1000 : load);
    }
}

/* n S2 / S1^2 - 1 is the squared coefficient of variation; the sums are exact. */
static void take_variation(struct collect *collect)
{
    double sum = (double)collect->load_sum;
    if (sum <= 0)
        return;
    double squared = (double)collect->load_count * (double)collect->load_squares / (sum * sum) - 1;
    collect->variation_sum += squared > 0 ? sqrt(squared) : 0;
    collect->variation_count++;
}

static void take_sample(struct collect *collect, berth_ns at_ns)
{
    struct levels *levels = &collect->levels;
    double length_ns = (double)(at_ns - levels->sample_ns);
    double in[LEVEL_COUNT];
    for (uint32_t i = 0; i < LEVEL_COUNT; i++)
        in[i] = level_in_sample(levels, i, at_ns);
    collect->samples[collect->sample_count] = (struct run_sample){
        .at_ns = at_ns,
        .tasks_running = share(in[LEVEL_RUNNING], length_ns),
        .tasks_waiting = share(in[LEVEL_WAITING], length_ns),
        .cpu_reserved_ratio = share(in[LEVEL_CPU_RESERVED], in[LEVEL_CPU_REGISTERED]),
        .memory_reserved_ratio = share(in[LEVEL_MEM_RESERVED], in[LEVEL_MEM_REGISTERED]),
        .gpu_reserved_ratio = share(in[LEVEL_GPU_RESERVED], in[LEVEL_GPU_REGISTERED]),
        .instances_in_use = share(in[LEVEL_INSTANCES_IN_USE], length_ns),
        .instances_up = share(in[LEVEL_HOSTS_UP], length_ns),
        .tasks_desired = share(in[LEVEL_DESIRED], length_ns),
        .tasks_below_desired = share(in[LEVEL_BELOW_DESIRED], length_ns),
    };
    if (collect->heat != NULL)
        take_heat(collect);
    if (collect->is_in_window) {
        take_variation(collect);
        collect_blast_scan(collect);
    }
    collect_load_sample(collect, at_ns);
    story_sample(collect->teller);
    collect->sample_count++;
    levels_begin_sample(levels, at_ns);
}

void collect_cross(struct collect *collect)
{
    berth_ns at_ns = collect->boundary_ns;
    if (!collect->is_in_window && collect->warm_up_ns <= at_ns) {
        levels_begin_window(&collect->levels, at_ns);
        collect_load_begin(collect, at_ns);
        collect->is_in_window = true;
        collect->is_blast_due = true;
    }
    if (collect->next_sample_ns <= at_ns) {
        take_sample(collect, at_ns);
        set_next_sample(collect);
    }
    set_boundary(collect);
}

void collect_change(struct collect *collect, berth_ns now_ns, const struct change *change)
{
    switch (change->kind) {
    case RECORD_TASK:
        collect_task(collect, now_ns, change);
        break;
    case RECORD_INSTANCE:
        collect_instance(collect, now_ns, change->u.instance);
        break;
    case RECORD_SERVICE:
        collect_service(collect, now_ns, change);
        break;
    case RECORD_DEPLOYMENT:
        if (!change->is_deleted)
            collect_deployment(collect, now_ns,
                               collect_service_index(collect, change->u.deployment.service),
                               &change->u.deployment);
        break;
    case RECORD_PROVIDER:
    case RECORD_CONTROLLER:
    case RECORD_TASK_DEFINITION:
    case RECORD_GROUP:
    case RECORD_SCALING:
    case RECORD_KIND_COUNT:
        break;
    }
}

void collect_mark(struct collect *collect, berth_ns now_ns, enum story_mark_kind kind,
                  uint32_t service, const char *text)
{
    story_mark(collect->teller, now_ns, kind, service, text);
}

void collect_throttled(struct collect *collect)
{
    collect->throttled += collect->is_in_window;
}

void collect_run_task(struct collect *collect, berth_ns now_ns, uint32_t requested,
                      const struct reply *reply)
{
    (void)now_ns;
    if (!collect->is_in_window)
        return;
    collect->requested += requested;
    collect->refused += reply->u.run_task.refused_count;
    collect->refused_by[reply->u.run_task.reason] += reply->u.run_task.refused_count;
}

/* A booting instance is paid for; Fargate is from the moment that its machine is up. */
static bool is_paid(const struct scenario_group *group, enum host_power power)
{
    return power != HOST_OFF && (power != HOST_BOOTING || !group->is_fargate);
}

static double hourly(const struct collect *collect, const struct scenario_group *group,
                     double hosts, double cpu_units, double mem_mib)
{
    const struct scenario_fargate *fargate = &collect->scenario->fargate;
    if (!group->is_fargate)
        return hosts * group->price_per_hour;
    return cpu_units / BERTH_CPU_UNITS_PER_VCPU *
               (group->is_spot ? fargate->spot_vcpu_hour : fargate->vcpu_hour) +
           mem_mib / 1024 * (group->is_spot ? fargate->spot_gb_hour : fargate->gb_hour);
}

/* Billed by the second, a minute at least. */
static void pay(struct collect *collect, berth_ns now_ns, uint32_t host, int change)
{
    struct host_view view = fleet_host(collect->fleet, host);
    const struct scenario_group *group = &collect->scenario->groups[view.group];
    uint32_t level = LEVEL_COUNT + PAID_LEVELS * view.group;
    level_add(&collect->levels, level + PAID_HOSTS, now_ns, change);
    level_add(&collect->levels, level + PAID_CPU, now_ns, (int64_t)change * view.cpu_units);
    level_add(&collect->levels, level + PAID_MEM, now_ns, (int64_t)change * view.mem_mib);
    while (collect->paid_since.count <= host)
        *vec_push(&collect->paid_since) = BERTH_NS_NEVER;
    berth_ns since_ns = collect->paid_since.items[host];
    collect->paid_since.items[host] = change > 0 ? now_ns : BERTH_NS_NEVER;
    if (change > 0 || since_ns == BERTH_NS_NEVER || !collect->is_in_window ||
        now_ns - since_ns >= BILLED_LEAST_NS)
        return;
    collect->cost_extra += (double)(BILLED_LEAST_NS - (now_ns - since_ns)) / NS_PER_HOUR *
                           hourly(collect, group, 1, view.cpu_units, view.mem_mib);
}

void collect_power(struct collect *collect, berth_ns now_ns, uint32_t host, enum host_power before,
                   enum host_power after)
{
    const struct scenario_group *group =
        &collect->scenario->groups[fleet_host(collect->fleet, host).group];
    int up = (after == HOST_UP) - (before == HOST_UP);
    int paid = is_paid(group, after) - is_paid(group, before);
    if (up != 0)
        level_add(&collect->levels, LEVEL_HOSTS_UP, now_ns, up);
    if (paid != 0)
        pay(collect, now_ns, host, paid);
}

/* Little's law is an identity of every run, warm-up or not: anything else is a bug in here. */
static void check_little(struct collect *collect)
{
    const struct level *tasks = &collect->levels.items[LEVEL_TASKS];
    level_integral living_ns = (level_integral)tasks->now * collect->duration_ns;
    level_integral sojourn_ns = collect->ended_ns + living_ns - collect->begun_ns;
    level_add(&collect->levels, LEVEL_TASKS, collect->duration_ns, 0);
    assert(tasks->total == sojourn_ns);
    (void)sojourn_ns;
}

/* Verdicts as the seven figures that begin at `first`: METRIC_REFUSED_CPU or METRIC_WAITING_CPU. */
static void split_by_reason(const uint64_t by[PLACEMENT_VERDICT_COUNT], uint64_t all,
                            enum metric first, double *metrics)
{
    _Static_assert(METRIC_WAITING_OTHER - METRIC_WAITING_CPU ==
                       METRIC_REFUSED_OTHER - METRIC_REFUSED_CPU,
                   "the same reasons in the same order");
    const uint64_t parts[] = {
        by[PLACEMENT_CPU],
        by[PLACEMENT_MEMORY],
        by[PLACEMENT_GPU],
        by[PLACEMENT_PORTS],
        by[PLACEMENT_MEMBER_OF] + by[PLACEMENT_DISTINCT_INSTANCE] + by[PLACEMENT_ATTRIBUTE] +
            by[PLACEMENT_LOCATION],
        by[PLACEMENT_AGENT],
    };
    enum { PARTS = sizeof parts / sizeof parts[0] };
    for (unsigned i = 0; i < PARTS; i++) {
        metrics[first + i] = (double)parts[i];
        all -= parts[i];
    }
    metrics[first + PARTS] = (double)all;
}

static void finish_tasks(struct collect *collect, double *metrics)
{
    struct levels *levels = &collect->levels;
    double window_ns = (double)(collect->duration_ns - levels->window_ns);
    berth_ns end_ns = collect->duration_ns;
    metrics[METRIC_TASKS_REQUESTED] = (double)collect->requested;
    metrics[METRIC_TASKS_PLACED] = (double)collect->placed;
    metrics[METRIC_TASKS_REFUSED] = (double)collect->refused;
    metrics[METRIC_TASKS_WAITING] = (double)levels->items[LEVEL_WAITING].now;
    metrics[METRIC_REFUSED_RATIO] = ratio((double)collect->refused, (double)collect->requested);
    split_by_reason(collect->refused_by, collect->refused, METRIC_REFUSED_CPU, metrics);
    uint64_t waiting_by[PLACEMENT_VERDICT_COUNT];
    controller_waiting_verdicts(collect->controller, waiting_by);
    split_by_reason(waiting_by, controller_waiting_count(collect->controller), METRIC_WAITING_CPU,
                    metrics);
    const double ns = 1e-9;
    bool has_waits = histogram_count(collect->waits) > 0;
    metrics[METRIC_PLACEMENT_WAIT_MEAN] = histogram_mean(collect->waits) * ns;
    metrics[METRIC_PLACEMENT_WAIT_P50] = histogram_quantile(collect->waits, 0.5) * ns;
    metrics[METRIC_PLACEMENT_WAIT_P95] = histogram_quantile(collect->waits, 0.95) * ns;
    metrics[METRIC_PLACEMENT_WAIT_P99] = histogram_quantile(collect->waits, 0.99) * ns;
    metrics[METRIC_PLACEMENT_WAIT_MAX] =
        has_waits ? (double)histogram_max(collect->waits) * ns : NAN;
    metrics[METRIC_TASKS_RUNNING_MEAN] =
        ratio(level_in_window(levels, LEVEL_RUNNING, end_ns), window_ns);
    metrics[METRIC_TASKS_RUNNING_MAX] = (double)levels->items[LEVEL_RUNNING].max;
    metrics[METRIC_TASKS_WAITING_MEAN] =
        ratio(level_in_window(levels, LEVEL_WAITING, end_ns), window_ns);
    metrics[METRIC_TASKS_KILLED] = (double)collect->killed;
    metrics[METRIC_TASKS_RESTARTED] = (double)collect->restarted;
    metrics[METRIC_TASKS_MOVED] = (double)collect->moved;
    metrics[METRIC_CALLS_THROTTLED] = (double)collect->throttled;
    metrics[METRIC_TASKS_DISTURBED] = (double)collect->disturbed;
}

static void finish_resources(struct collect *collect, double *metrics)
{
    struct levels *levels = &collect->levels;
    berth_ns end_ns = collect->duration_ns;
    double window_ns = (double)(end_ns - levels->window_ns);
    double in[LEVEL_COUNT];
    for (uint32_t i = 0; i < LEVEL_COUNT; i++)
        in[i] = level_in_window(levels, i, end_ns);
    metrics[METRIC_CPU_RESERVED_RATIO] = ratio(in[LEVEL_CPU_RESERVED], in[LEVEL_CPU_REGISTERED]);
    metrics[METRIC_MEMORY_RESERVED_RATIO] = ratio(in[LEVEL_MEM_RESERVED], in[LEVEL_MEM_REGISTERED]);
    metrics[METRIC_GPU_RESERVED_RATIO] = ratio(in[LEVEL_GPU_RESERVED], in[LEVEL_GPU_REGISTERED]);
    metrics[METRIC_CPU_RESERVED_MEAN] =
        ratio(in[LEVEL_CPU_RESERVED], window_ns) / BERTH_CPU_UNITS_PER_VCPU;
    metrics[METRIC_MEMORY_RESERVED_MEAN] = ratio(in[LEVEL_MEM_RESERVED], window_ns) / 1024;
    metrics[METRIC_GPU_RESERVED_MEAN] = ratio(in[LEVEL_GPU_RESERVED], window_ns) / BERTH_GPU_MILLI;
    metrics[METRIC_INSTANCES_IN_USE_MEAN] = ratio(in[LEVEL_INSTANCES_IN_USE], window_ns);
    metrics[METRIC_INSTANCES_IN_USE_MAX] = (double)levels->items[LEVEL_INSTANCES_IN_USE].max;
    metrics[METRIC_CPU_STRANDED_RATIO] = ratio(in[LEVEL_CPU_STRANDED], in[LEVEL_CPU_REGISTERED]);
    metrics[METRIC_MEMORY_STRANDED_RATIO] = ratio(in[LEVEL_MEM_STRANDED], in[LEVEL_MEM_REGISTERED]);
    metrics[METRIC_LOAD_VARIATION] =
        ratio(collect->variation_sum, (double)collect->variation_count);
    metrics[METRIC_INSTANCE_HOURS] = 0;
    metrics[METRIC_COST] = collect->cost_extra;
    for (uint32_t g = 0; g < collect->scenario->group_count; g++) {
        double hours[PAID_LEVELS];
        for (uint32_t i = 0; i < PAID_LEVELS; i++)
            hours[i] =
                level_in_window(levels, LEVEL_COUNT + PAID_LEVELS * g + i, end_ns) / NS_PER_HOUR;
        metrics[METRIC_INSTANCE_HOURS] += hours[PAID_HOSTS];
        metrics[METRIC_COST] += hourly(collect, &collect->scenario->groups[g], hours[PAID_HOSTS],
                                       hours[PAID_CPU], hours[PAID_MEM]);
    }
}

static void finish_services(struct collect *collect, double *metrics)
{
    struct levels *levels = &collect->levels;
    berth_ns end_ns = collect->duration_ns;
    double window_ns = (double)(end_ns - levels->window_ns);
    double count = (double)collect->measured_count;
    double below = level_in_window(levels, LEVEL_BELOW_DESIRED, end_ns);
    double desired = level_in_window(levels, LEVEL_DESIRED, end_ns);
    bool has_services = collect->measured_count > 0;
    metrics[METRIC_ZONE_SKEW_MEAN] =
        ratio(level_in_window(levels, LEVEL_ZONE_SKEW, end_ns), window_ns * count);
    metrics[METRIC_BLAST_RADIUS_MAX] =
        has_services ? (double)collect->blast_tasks / (double)collect->blast_desired : NAN;
    metrics[METRIC_TASK_SECONDS_BELOW_DESIRED] =
        has_services ? below / (double)BERTH_NS_PER_S : NAN;
    metrics[METRIC_CHURN] = ratio((double)(collect->starts + collect->stops) * window_ns, desired);
    metrics[METRIC_REBALANCING_GAIN] =
        ratio((double)collect->skew_gained, (double)collect->rebalanced);
    metrics[METRIC_AVAILABILITY] = desired > 0 ? 1 - below / desired : NAN;
    metrics[METRIC_MISSING_MAX] = has_services ? collect->missing_max : NAN;
    metrics[METRIC_TIME_TO_STEADY_MEAN] = ratio(
        (double)collect->steady_sum_ns / (double)BERTH_NS_PER_S, (double)collect->steady_count);
    metrics[METRIC_TIME_TO_CONVERGE_MEAN] =
        ratio((double)collect->convergence.sum_ns / (double)BERTH_NS_PER_S,
              (double)collect->convergence.count);
    metrics[METRIC_TIME_TO_CONVERGE_MAX] =
        collect->convergence.count > 0
            ? (double)collect->convergence.max_ns / (double)BERTH_NS_PER_S
            : NAN;
    metrics[METRIC_TIME_TO_STEADY_MAX] =
        collect->steady_count > 0 ? (double)collect->steady_max_ns / (double)BERTH_NS_PER_S : NAN;
}

void collect_finish(struct collect *collect, struct run_result *out)
{
    while (collect->boundary_ns <= collect->duration_ns)
        collect_cross(collect);
    collect_blast_scan(collect);
    collect_settled(collect, collect->duration_ns);
    check_little(collect);
    finish_tasks(collect, out->metrics);
    finish_resources(collect, out->metrics);
    finish_services(collect, out->metrics);
    collect_deployments_finish(collect, out->metrics);
    collect_load_finish(collect, out->metrics);
    out->waits = collect->waits;
    out->samples = collect->samples;
    out->sample_count = collect->sample_count;
    out->heat = collect->heat;
    out->heat_rows = collect->heat_rows;
    collect->waits = NULL;
    collect->samples = NULL;
    collect->heat = NULL;
    out->story = story_end(collect->teller);
    collect->teller = NULL;
}
