/*
 * check.c -- hard preconditions, resources and constraints, one predicate each, in the order in
 * which a refusal names them.
 */
#include <assert.h>

#include "scheduler/placement/check.h"
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

bool check_attributes(const struct cluster *cluster, const struct placement_plan *plan,
                      instance_id id)
{
    return has_attributes(plan, cluster_instance(cluster, id));
}

bool check_static_members(const struct cluster *cluster, const struct placement_plan *plan,
                          instance_id id)
{
    for (size_t i = 0; i < plan->expression_count; i++)
        if (!plan->is_dynamic[i] && !expression_matches(plan->expressions[i], cluster, id))
            return false;
    return true;
}

bool check_passes(const struct cluster *cluster, const struct placement_request *request,
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

/* In the order of the verdicts; check_passes() has the same, one by one. */
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

/* What may change by itself (tasks, connection) is given the benefit of the doubt. */
bool placement_fits_empty(const struct cluster *cluster, const struct placement_request *request,
                          instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    return pool_has(request->pool, instance) && has_attributes(request->plan, instance) &&
           is_in_zones(request, instance) && cluster_fits_empty(cluster, id, request->demand) &&
           check_static_members(cluster, request->plan, id);
}
