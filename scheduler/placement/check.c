/*
 * check.c -- hard preconditions, resources and constraints, one predicate each, in the order in
 * which a refusal names them; and what is said of instances that refuse.
 */
#include <assert.h>

#include "scheduler/placement/plan.h"
#include "scheduler/placement/skyline.h"

const char *const placement_verdict_names[PLACEMENT_VERDICT_COUNT] = {
    [PLACEMENT_FITS] = "",
    [PLACEMENT_INACTIVE] = "INACTIVE",
    [PLACEMENT_AGENT] = "AGENT",
    [PLACEMENT_ATTRIBUTE] = "ATTRIBUTE",
    [PLACEMENT_LOCATION] = "LOCATION",
    [PLACEMENT_CPU] = "RESOURCE:CPU",
    [PLACEMENT_MEMORY] = "RESOURCE:MEMORY",
    [PLACEMENT_PORTS] = "RESOURCE:PORTS",
    [PLACEMENT_ENI] = "RESOURCE:ENI",
    [PLACEMENT_GPU] = "RESOURCE:GPU",
    [PLACEMENT_MEMBER_OF] = "MemberOf placement constraint unsatisfied",
    [PLACEMENT_DISTINCT_INSTANCE] = "DistinctInstance placement constraint unsatisfied",
    [PLACEMENT_FARGATE] = "RESOURCE:FARGATE",
};

static bool has_attributes(const struct placement_plan *plan, const struct instance *instance)
{
    for (size_t i = 0; i < plan->required_count; i++) {
        bool exists = false;
        symbol value = instance_attribute(instance, plan->required[i].name, &exists);
        if (!exists || (plan->required[i].value != SYMBOL_NONE && plan->required[i].value != value))
            return false;
    }
    return true;
}

static bool is_eligible(const struct placement_request *request, const struct instance *instance)
{
    return instance->status == INSTANCE_ACTIVE && pool_has(request->pool, instance);
}

static bool is_in_zones(const struct placement_request *request, const struct instance *instance)
{
    if (request->zones == NULL)
        return true;
    for (size_t i = 0; i < request->zone_count; i++)
        if (instance->zone == request->zones[i])
            return true;
    return false;
}

static bool is_member(const struct cluster *cluster, const struct placement_plan *plan,
                      instance_id id)
{
    for (size_t i = 0; i < plan->expression_count; i++)
        if (!expression_matches(plan->expressions[i], cluster, id))
            return false;
    return true;
}

static bool has_cpu(const struct instance *instance, const struct demand *demand)
{
    return demand->cpu_units == 0 || instance->cpu_remaining >= demand->cpu_units;
}

static bool has_mem(const struct instance *instance, const struct demand *demand)
{
    return demand->mem_mib == 0 || instance->mem_remaining >= demand->mem_mib;
}

static bool passes(const struct cluster *cluster, const struct placement_request *request,
                   instance_id id, enum placement_verdict verdict)
{
    const struct instance *instance = cluster_instance(cluster, id);
    const struct demand *demand = request->demand;
    switch (verdict) {
    case PLACEMENT_INACTIVE:
        return is_eligible(request, instance);
    case PLACEMENT_AGENT:
        return instance->is_agent_connected;
    case PLACEMENT_ATTRIBUTE:
        return has_attributes(request->plan, instance);
    case PLACEMENT_LOCATION:
        return is_in_zones(request, instance);
    case PLACEMENT_CPU:
        return has_cpu(instance, demand);
    case PLACEMENT_MEMORY:
        return has_mem(instance, demand);
    case PLACEMENT_PORTS:
        return cluster_fits_ports(cluster, id, demand);
    case PLACEMENT_ENI:
        return cluster_fits_eni(cluster, id, demand);
    case PLACEMENT_GPU:
        return cluster_fits_gpus(cluster, id, demand);
    case PLACEMENT_MEMBER_OF:
        return is_member(cluster, request->plan, id);
    case PLACEMENT_DISTINCT_INSTANCE:
        return !request->plan->is_distinct_instance ||
               cluster_group_tasks_on(cluster, request->group, id) == 0;
    case PLACEMENT_FITS:
    case PLACEMENT_FARGATE:
    case PLACEMENT_VERDICT_COUNT:
        break;
    }
    return true;
}

/* In the order of the verdicts; passes() has the same, one by one. */
enum placement_verdict placement_check(const struct cluster *cluster,
                                       const struct placement_request *request, instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    const struct placement_plan *plan = request->plan;
    const struct demand *demand = request->demand;
    if (!is_eligible(request, instance))
        return PLACEMENT_INACTIVE;
    if (!instance->is_agent_connected)
        return PLACEMENT_AGENT;
    if (plan->required_count > 0 && !has_attributes(plan, instance))
        return PLACEMENT_ATTRIBUTE;
    if (!is_in_zones(request, instance))
        return PLACEMENT_LOCATION;
    if (!has_cpu(instance, demand))
        return PLACEMENT_CPU;
    if (!has_mem(instance, demand))
        return PLACEMENT_MEMORY;
    if (demand->tcp_port_count + demand->udp_port_count > 0 &&
        !cluster_fits_ports(cluster, id, demand))
        return PLACEMENT_PORTS;
    if (demand->needs_eni && !cluster_fits_eni(cluster, id, demand))
        return PLACEMENT_ENI;
    if (demand->gpu_count > 0 && !cluster_fits_gpus(cluster, id, demand))
        return PLACEMENT_GPU;
    if (plan->expression_count > 0 && !is_member(cluster, plan, id))
        return PLACEMENT_MEMBER_OF;
    if (plan->is_distinct_instance && cluster_group_tasks_on(cluster, request->group, id) > 0)
        return PLACEMENT_DISTINCT_INSTANCE;
    return PLACEMENT_FITS;
}

void placement_count_verdicts(const struct cluster *cluster,
                              const struct placement_request *request,
                              uint32_t counts[PLACEMENT_VERDICT_COUNT])
{
    for (int verdict = 0; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
        counts[verdict] = 0;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        counts[placement_check(cluster, request, id)]++;
}

/* What is missing, in thousandths of what is asked for. */
static int64_t missing(int64_t asked, int64_t there)
{
    return asked > 0 && there < asked ? (asked - there) * 1000 / asked : 0;
}

/* Over CPU, memory and GPU together: how far the instance is from fitting. */
static int64_t shortfall(const struct instance *instance, const struct demand *demand)
{
    int64_t free_milli = 0;
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        free_milli += instance->gpu_free_milli[device];
    return missing(demand->cpu_units, instance->cpu_remaining) +
           missing(demand->mem_mib, instance->mem_remaining) +
           missing(demand_gpu_milli(demand), free_milli);
}

static uint32_t failed_checks(const struct cluster *cluster,
                              const struct placement_request *request, instance_id id,
                              enum placement_verdict *first)
{
    uint32_t failed = 0;
    *first = PLACEMENT_FITS;
    for (int verdict = PLACEMENT_INACTIVE; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
        if (!passes(cluster, request, id, (enum placement_verdict)verdict) && failed++ == 0)
            *first = (enum placement_verdict)verdict;
    return failed;
}

/* The checks that are certain to fail, by two comparisons: most instances are out by these. */
static uint32_t certain_failures(const struct instance *instance, const struct demand *demand)
{
    return (uint32_t)(demand->cpu_units > 0 && instance->cpu_remaining < demand->cpu_units) +
           (uint32_t)(demand->mem_mib > 0 && instance->mem_remaining < demand->mem_mib);
}

instance_id placement_closest(const struct cluster *cluster,
                              const struct placement_request *request, enum placement_verdict *why)
{
    instance_id best = INSTANCE_NONE;
    uint32_t best_failed = 0;
    int64_t best_shortfall = 0;
    *why = PLACEMENT_INACTIVE;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        if (!is_eligible(request, instance))
            continue;
        uint32_t at_least = certain_failures(instance, request->demand);
        if (best != INSTANCE_NONE && at_least > best_failed)
            continue;
        int64_t missed = shortfall(instance, request->demand);
        if (best != INSTANCE_NONE && at_least == best_failed && missed >= best_shortfall)
            continue;
        enum placement_verdict first;
        uint32_t failed = failed_checks(cluster, request, id, &first);
        if (best == INSTANCE_NONE || failed < best_failed ||
            (failed == best_failed && missed < best_shortfall)) {
            best = id;
            best_failed = failed;
            best_shortfall = missed;
            *why = first;
        }
    }
    return best;
}

/* What may change by itself (tasks, connection) is given the benefit of the doubt. */
static bool may_be_member(const struct cluster *cluster, const struct placement_plan *plan,
                          instance_id id)
{
    for (size_t i = 0; i < plan->expression_count; i++)
        if (expression_is_static(plan->expressions[i]) &&
            !expression_matches(plan->expressions[i], cluster, id))
            return false;
    return true;
}

bool placement_fits_empty(const struct cluster *cluster, const struct placement_request *request,
                          instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    return pool_has(request->pool, instance) && has_attributes(request->plan, instance) &&
           is_in_zones(request, instance) && cluster_fits_empty(cluster, id, request->demand) &&
           may_be_member(cluster, request->plan, id);
}
