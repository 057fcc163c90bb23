#include "sim/scenario/parts.h"

#include <limits.h>
#include <string.h>

enum { TASKS_MAX = 1000000 };

void read_strategies(const struct at *up, struct scenario_strategies *out)
{
    static const char *const known[] = {"type", "field", NULL};
    struct at list = at_member(up, "placementStrategy");
    size_t count = at_list(&list, 0, PLACEMENT_STRATEGIES_MAX);
    out->is_set = list.json != NULL;
    if (count == 0)
        return;
    out->items = mem_alloc(count * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        struct at type = at_member(&item, "type"), field = at_member(&item, "field");
        if (!at_object(&item, known))
            at_fail(&item, "not a strategy; write {\"type\": \"binpack\", \"field\": \"memory\"}");
        at_require(&type, "name a strategy, such as \"binpack\"");
        out->items[out->count++] =
            (struct placement_strategy_spec){at_text(&type), at_text(&field)};
    }
}

void read_constraints(const struct at *up, struct scenario_constraints *out)
{
    static const char *const known[] = {"type", "expression", NULL};
    struct at list = at_member(up, "placementConstraints");
    size_t count = at_list(&list, 0, PLACEMENT_CONSTRAINTS_MAX);
    if (count == 0)
        return;
    out->items = mem_alloc(count * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        struct at type = at_member(&item, "type"), expression = at_member(&item, "expression");
        if (!at_object(&item, known))
            at_fail(&item, "not a constraint; write {\"type\": \"distinctInstance\"}");
        at_require(&type, "write \"memberOf\" or \"distinctInstance\"");
        out->items[out->count++] =
            (struct placement_constraint_spec){at_text(&type), at_text(&expression)};
    }
}

/* The specs only lend their texts to whoever reads them, hence const; here they are owned. */
void free_strategies(struct scenario_strategies *strategies)
{
    for (uint16_t i = 0; i < strategies->count; i++) {
        mem_free((char *)(uintptr_t)strategies->items[i].type);
        mem_free((char *)(uintptr_t)strategies->items[i].field);
    }
    mem_free(strategies->items);
}

void free_constraints(struct scenario_constraints *constraints)
{
    for (uint16_t i = 0; i < constraints->count; i++) {
        mem_free((char *)(uintptr_t)constraints->items[i].type);
        mem_free((char *)(uintptr_t)constraints->items[i].expression);
    }
    mem_free(constraints->items);
}

static void read_daemon(const struct at *at)
{
    static const char *const refused[] = {"desiredCount", "placementStrategy"};
    for (size_t i = 0; i < 2; i++) {
        struct at member = at_member(at, refused[i]);
        if (member.json != NULL)
            at_fail(&member, "a DAEMON service runs one task on each instance; remove it");
    }
}

/* What belongs to the task sets, or is not for them. */
static void read_external(const struct at *at, const struct scenario_service *service)
{
    static const char *const foreign[] = {"taskDefinition", "load", "autoScaling",
                                          "capacityProviderStrategy", NULL};
    struct at controller = at_member(at, "deploymentController");
    if (service->scheduling == SCHEDULING_DAEMON)
        at_fail(&controller, "a DAEMON service has the ECS controller; write that or REPLICA");
    for (size_t i = 0; foreign[i] != NULL; i++) {
        struct at member = at_member(at, foreign[i]);
        if (member.json != NULL)
            at_fail(&member, "an EXTERNAL service has none; remove it");
    }
}

static void read_service(const struct at *at, const struct scenario *scenario,
                         struct scenario_service *out)
{
    static const char *const known[] = {"taskDefinition",
                                        "schedulingStrategy",
                                        "desiredCount",
                                        "deploymentConfiguration",
                                        "placementStrategy",
                                        "placementConstraints",
                                        "startAt",
                                        "loadBalancers",
                                        "healthCheckGracePeriodSeconds",
                                        "load",
                                        "autoScaling",
                                        "availabilityZoneRebalancing",
                                        "capacityProviderStrategy",
                                        "deploymentController",
                                        NULL};
    static const char *const controllers[] = {"ECS", "EXTERNAL", NULL};
    static const char *const switches[] = {"DISABLED", "ENABLED", NULL};
    static const char *const kinds[] = {"REPLICA", "DAEMON", NULL};
    out->name = mem_copy_text(at->key);
    if (!at_object(at, known))
        return;
    struct at definition = at_member(at, "taskDefinition"), desired = at_member(at, "desiredCount");
    struct at kind = at_member(at, "schedulingStrategy"), start = at_member(at, "startAt");
    struct at controller = at_member(at, "deploymentController");
    out->controller = (enum deployment_controller)at_choice(&controller, controllers, 0);
    out->scheduling = (enum scheduling_strategy)at_choice(&kind, kinds, SCHEDULING_REPLICA);
    if (out->controller == CONTROLLER_EXTERNAL)
        read_external(at, out);
    else
        at_require(&definition, "name one of taskDefinitions");
    out->task_definition = at_text(&definition);
    if (out->scheduling == SCHEDULING_DAEMON)
        read_daemon(at);
    else
        at_require(&desired, "write how many tasks the service keeps");
    out->desired_count = (int32_t)at_integer(&desired, 0, TASKS_MAX, 0);
    read_deployment(at, out);
    read_load_balancers(at, scenario, out);
    read_strategies(at, &out->strategies);
    read_constraints(at, &out->constraints);
    read_shares(at, "capacityProviderStrategy", scenario, &out->shares);
    out->start_ns = at_time(&start, 0, READER_TIME_MAX, 0);
    read_load(at, out);
    read_scaling(at, out);
    struct at rebalancing = at_member(at, "availabilityZoneRebalancing");
    out->rebalancing =
        rebalancing.json == NULL ? OVERRIDE_NONE : (int32_t)at_choice(&rebalancing, switches, 1);
}

void read_services(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "services");
    size_t count;
    const char **names = at_names(&all, &count);
    out->services = mem_alloc((count + 1) * sizeof *out->services);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at service = at_member(&all, names[i]);
        read_service(&service, out, &out->services[i]);
        out->service_count++;
    }
    mem_free(names);
}

static double read_rate(const struct at *up, const char *key)
{
    struct at at = at_member(up, key);
    at_require(&at, "write arrivals per hour");
    return at_real(&at, 0, 3.6e9, 0);
}

/* A mean sojourn of a state; below a millisecond the process would only switch. */
static double read_sojourn(const struct at *up, const char *key)
{
    struct at at = at_member(up, key);
    at_require(&at, "write the mean time that this state lasts");
    return (double)at_time(&at, BERTH_NS_PER_MS, READER_TIME_MAX, BERTH_NS_PER_S) / 1e9;
}

static void read_bursty(const struct at *at, struct scenario_arrival *out)
{
    static const char *const known[] = {"calmRatePerHour", "burstRatePerHour", "calmMean",
                                        "burstMean", NULL};
    if (!at_object(at, known))
        return;
    out->rate_per_hour = read_rate(at, "calmRatePerHour");
    out->burst_rate_per_hour = read_rate(at, "burstRatePerHour");
    out->calm_mean_s = read_sojourn(at, "calmMean");
    out->burst_mean_s = read_sojourn(at, "burstMean");
}

static void read_daily(const struct at *at, struct scenario_arrival *out)
{
    static const char *const known[] = {"amplitude", "peak", NULL};
    if (!at_object(at, known))
        return;
    struct at amplitude = at_member(at, "amplitude"), peak = at_member(at, "peak");
    at_require(&amplitude, "write a number from 0 to 1");
    at_require(&peak, "write the time of day of the peak, such as \"14h\"");
    out->amplitude = at_real(&amplitude, 0, 1, 0);
    out->peak_ns = at_time(&peak, 0, 86400 * BERTH_NS_PER_S, 0);
}

static const struct process {
    const char *key;
    enum arrival_process process;
} processes[] = {
    {"ratePerHour", ARRIVAL_POISSON}, {"bursty", ARRIVAL_BURSTY}, {"interval", ARRIVAL_RENEWAL},
    {"batch", ARRIVAL_BATCH},         {"csv", ARRIVAL_CSV},
};

static void read_process(const struct at *at, struct scenario_arrival *out)
{
    const struct process *found = NULL;
    for (size_t i = 0; i < sizeof processes / sizeof processes[0]; i++) {
        struct at member = at_member(at, processes[i].key);
        if (member.json == NULL)
            continue;
        if (found != NULL)
            at_fail(&member, "stands beside \"%s\"; an arrival has one process, remove one",
                    found->key);
        found = &processes[i];
    }
    struct at daily = at_member(at, "daily");
    if (found == NULL)
        at_fail(at, "says not when tasks arrive; write one of ratePerHour, bursty, interval, "
                    "batch, csv");
    if (found == NULL || at->reader->has_failed)
        return;
    out->process = found->process;
    if (daily.json != NULL && out->process != ARRIVAL_POISSON)
        at_fail(&daily, "belongs to ratePerHour; write that instead of %s", found->key);
    struct at member = at_member(at, found->key);
    if (out->process == ARRIVAL_POISSON) {
        out->rate_per_hour = read_rate(at, "ratePerHour");
        read_daily(&daily, out);
        if (daily.json != NULL)
            out->process = ARRIVAL_DAILY;
    } else if (out->process == ARRIVAL_BURSTY) {
        read_bursty(&member, out);
    } else if (out->process == ARRIVAL_RENEWAL) {
        (void)at_interval(&member, &out->interval);
    } else if (out->process == ARRIVAL_BATCH) {
        out->count = (uint32_t)at_integer(&member, 1, TASKS_MAX, 1);
    } else {
        out->csv_path = at_text(&member);
        if (out->csv_path != NULL && out->csv_path[0] == '\0')
            at_fail(&member, "the path is empty; name a CSV file");
    }
}

static void read_group_name(const struct at *at, struct scenario_arrival *out)
{
    out->group = at_text(at);
    if (out->group != NULL && (out->group[0] == '\0' || strlen(out->group) > 255))
        at_fail(at, "a task group's name has 1 to 255 bytes; change it");
    if (out->group != NULL && strncmp(out->group, "service:", 8) == 0)
        at_fail(at, "\"service:\" begins the groups of services; name it otherwise");
}

static void read_window(const struct at *at, struct scenario_arrival *out)
{
    struct at start = at_member(at, "startAt"), end = at_member(at, "endAt");
    struct at limit = at_member(at, "limit");
    out->start_ns = at_time(&start, 0, READER_TIME_MAX, 0);
    out->end_ns = at_time(&end, 0, READER_TIME_MAX, BERTH_NS_NEVER);
    if (out->end_ns < out->start_ns)
        at_fail(&end, "the end is before the start; exchange them");
    out->limit = UINT64_MAX;
    if (limit.json != NULL)
        out->limit = (uint64_t)at_integer(&limit, 0, INT64_MAX, 0);
}

static void read_arrival(const struct at *at, const struct scenario *scenario,
                         struct scenario_arrival *out)
{
    static const char *const known[] = {"ratePerHour",
                                        "daily",
                                        "bursty",
                                        "interval",
                                        "batch",
                                        "csv",
                                        "group",
                                        "count",
                                        "onFull",
                                        "taskDefinition",
                                        "lifetime",
                                        "cpu",
                                        "memory",
                                        "limit",
                                        "placementConstraints",
                                        "startAt",
                                        "endAt",
                                        "placementStrategy",
                                        "capacityProviderStrategy",
                                        NULL};
    static const char *const full[] = {"refuse", "wait", NULL};
    out->name = mem_copy_text(at->key);
    if (!at_object(at, known))
        return;
    struct at definition = at_member(at, "taskDefinition"), group = at_member(at, "group");
    struct at count = at_member(at, "count"), on_full = at_member(at, "onFull");
    struct at lifetime = at_member(at, "lifetime");
    struct at cpu = at_member(at, "cpu"), memory = at_member(at, "memory");
    read_process(at, out);
    read_window(at, out);
    if (out->process != ARRIVAL_CSV)
        at_require(&definition, "name one of taskDefinitions");
    out->task_definition = at_text(&definition);
    read_group_name(&group, out);
    if (out->process != ARRIVAL_BATCH)
        out->count = (uint32_t)at_integer(&count, 1, 100000, 1);
    else if (count.json != NULL)
        at_fail(&count, "\"batch\" says already how many; remove it");
    out->waits = at_choice(&on_full, full, 0) == 1;
    out->has_lifetime = at_distribution(&lifetime, QUANTITY_TIME, &out->lifetime);
    out->has_cpu = at_distribution(&cpu, QUANTITY_SIZE, &out->cpu);
    out->has_mem = at_distribution(&memory, QUANTITY_SIZE, &out->mem);
    read_strategies(at, &out->strategies);
    read_constraints(at, &out->constraints);
    read_shares(at, "capacityProviderStrategy", scenario, &out->shares);
}

void read_arrivals(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "arrivals");
    size_t count;
    const char **names = at_names(&all, &count);
    out->arrivals = mem_alloc((count + 1) * sizeof *out->arrivals);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at arrival = at_member(&all, names[i]);
        read_arrival(&arrival, out, &out->arrivals[i]);
        out->arrival_count++;
    }
    mem_free(names);
}
