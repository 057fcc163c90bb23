/*
 * reserve.c -- does a task's demand fit on an instance, and charging it.
 *
 * Accounting is by reservation, never by live use (semantics 1.3). Each resource has one predicate;
 * cluster_fits is their conjunction, and placement asks them one by one to name the first that
 * fails.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/model/cluster_internal.h"
#include "scheduler/model/gpu.h"

/* Static host ports only, so a task without them fits on an instance that has used up its limit. */
static bool fits_ports(const struct port_set *tcp, const struct port_set *udp,
                       const struct demand *demand)
{
    uint32_t wanted = (uint32_t)demand->tcp_port_count + demand->udp_port_count;
    if (wanted == 0)
        return true;
    return (uint32_t)tcp->count + udp->count + wanted <= PORTS_PER_INSTANCE_MAX &&
           port_set_has_none(tcp, demand->tcp_ports, demand->tcp_port_count) &&
           port_set_has_none(udp, demand->udp_ports, demand->udp_port_count);
}

const struct port_set *cluster_own_ports(const struct cluster *cluster, instance_id id, bool is_tcp)
{
    assert(id < cluster->own_ports_of.count);
    const struct own_ports *own = &cluster->own_ports.items[cluster->own_ports_of.items[id]];
    return is_tcp ? &own->tcp : &own->udp;
}

bool cluster_fits_ports(const struct cluster *cluster, instance_id id, const struct demand *demand)
{
    const struct instance *instance = cluster_instance(cluster, id);
    return fits_ports(&instance->tcp, &instance->udp, demand);
}

bool cluster_fits_eni(const struct cluster *cluster, instance_id id, const struct demand *demand)
{
    const struct instance *instance = cluster_instance(cluster, id);
    return !demand->needs_eni || instance->eni_limit == 0 ||
           instance->eni_used < instance->eni_limit;
}

bool cluster_fits_gpus(const struct cluster *cluster, instance_id id, const struct demand *demand)
{
    if (demand->gpu_count == 0)
        return true;
    const struct instance *instance = cluster_instance(cluster, id);
    struct gpu_grant grants[GPU_DEVICES_MAX];
    return gpu_plan(instance->gpu_free_milli, instance->gpu_count, demand, grants) != GPU_NO_FIT;
}

bool cluster_fits(const struct cluster *cluster, instance_id id, const struct demand *demand)
{
    const struct instance *instance = cluster_instance(cluster, id);
    /* A task without CPU always passes the CPU test, even on a snapshot that is below zero. */
    return (demand->cpu_units == 0 || instance->cpu_remaining >= demand->cpu_units) &&
           (demand->mem_mib == 0 || instance->mem_remaining >= demand->mem_mib) &&
           cluster_fits_ports(cluster, id, demand) && cluster_fits_eni(cluster, id, demand) &&
           cluster_fits_gpus(cluster, id, demand);
}

bool cluster_fits_empty(const struct cluster *cluster, instance_id id, const struct demand *demand)
{
    const struct instance *instance = cluster_instance(cluster, id);
    const struct own_ports *own = &cluster->own_ports.items[cluster->own_ports_of.items[id]];
    uint16_t free_milli[GPU_DEVICES_MAX];
    struct gpu_grant grants[GPU_DEVICES_MAX];
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        free_milli[device] = BERTH_GPU_MILLI;
    return instance->cpu_registered >= demand->cpu_units &&
           instance->mem_registered >= demand->mem_mib &&
           fits_ports(&own->tcp, &own->udp, demand) &&
           (!demand->needs_eni || instance->eni_limit != 1) &&
           gpu_plan(free_milli, instance->gpu_count, demand, grants) != GPU_NO_FIT;
}

void charge_take(struct cluster *cluster, instance_id id, const struct charge *charge)
{
    struct instance *instance = cluster_writable(cluster, id);
    instance->cpu_remaining -= charge->cpu_units;
    instance->mem_remaining -= charge->mem_mib;
    instance->eni_used = (uint16_t)(instance->eni_used + charge->needs_eni);
    port_set_add(&instance->tcp, charge->tcp, charge->tcp_count);
    port_set_add(&instance->udp, charge->udp, charge->udp_count);
    for (uint16_t i = 0; i < charge->grant_count; i++) {
        uint16_t *free_milli = &instance->gpu_free_milli[charge->grants[i].device];
        assert(*free_milli >= charge->grants[i].milli);
        *free_milli = (uint16_t)(*free_milli - charge->grants[i].milli);
    }
    instance->reserved_tasks++;
    cluster_touch(cluster, id);
}

void charge_return(struct cluster *cluster, instance_id id, const struct charge *charge)
{
    struct instance *instance = cluster_writable(cluster, id);
    assert(instance->reserved_tasks > 0);
    assert(instance->eni_used >= charge->needs_eni);
    instance->cpu_remaining += charge->cpu_units;
    instance->mem_remaining += charge->mem_mib;
    instance->eni_used = (uint16_t)(instance->eni_used - charge->needs_eni);
    port_set_remove(&instance->tcp, charge->tcp, charge->tcp_count);
    port_set_remove(&instance->udp, charge->udp, charge->udp_count);
    for (uint16_t i = 0; i < charge->grant_count; i++) {
        uint16_t *free_milli = &instance->gpu_free_milli[charge->grants[i].device];
        assert(*free_milli + charge->grants[i].milli <= BERTH_GPU_MILLI);
        *free_milli = (uint16_t)(*free_milli + charge->grants[i].milli);
    }
    instance->reserved_tasks--;
    cluster_touch(cluster, id);
}

static struct charge charge_of(const struct demand *demand, const struct gpu_grant *grants,
                               uint32_t grant_count)
{
    return (struct charge){.cpu_units = demand->cpu_units,
                           .mem_mib = demand->mem_mib,
                           .needs_eni = demand->needs_eni,
                           .tcp_count = demand->tcp_port_count,
                           .udp_count = demand->udp_port_count,
                           .grant_count = (uint16_t)grant_count,
                           .tcp = demand->tcp_ports,
                           .udp = demand->udp_ports,
                           .grants = grants};
}

uint32_t cluster_reserve(struct cluster *cluster, instance_id id, const struct demand *demand,
                         struct gpu_grant *grants)
{
    assert(cluster_fits(cluster, id, demand));
    const struct instance *instance = cluster_instance(cluster, id);
    uint32_t grant_count = gpu_plan(instance->gpu_free_milli, instance->gpu_count, demand, grants);
    assert(grant_count != GPU_NO_FIT);
    struct charge charge = charge_of(demand, grants, grant_count);
    journal_charge(cluster, UNDO_RESERVE, id, &charge);
    charge_take(cluster, id, &charge);
    return grant_count;
}

bool cluster_restore_reservation(struct cluster *cluster, instance_id id,
                                 const struct demand *demand, const struct gpu_grant *grants,
                                 uint32_t grant_count)
{
    const struct instance *instance = cluster_instance(cluster, id);
    uint16_t free_milli[GPU_DEVICES_MAX];
    uint64_t granted_milli = 0;
    struct demand others = *demand;
    others.gpu_count = 0;
    if (!cluster_fits(cluster, id, &others) || grant_count > GPU_DEVICES_MAX)
        return false;
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        free_milli[device] = instance->gpu_free_milli[device];
    for (uint32_t i = 0; i < grant_count; i++) {
        if (grants[i].device >= instance->gpu_count ||
            free_milli[grants[i].device] < grants[i].milli)
            return false;
        free_milli[grants[i].device] = (uint16_t)(free_milli[grants[i].device] - grants[i].milli);
        granted_milli += grants[i].milli;
    }
    if (granted_milli != demand_gpu_milli(demand))
        return false;
    struct charge charge = charge_of(demand, grants, grant_count);
    journal_charge(cluster, UNDO_RESERVE, id, &charge);
    charge_take(cluster, id, &charge);
    return true;
}

void cluster_release(struct cluster *cluster, instance_id id, const struct demand *demand,
                     const struct gpu_grant *grants, uint32_t grant_count)
{
    assert(grant_count <= GPU_DEVICES_MAX);
    struct charge charge = charge_of(demand, grants, grant_count);
    __builtin_prefetch(cluster_instance(cluster, id)->groups); /* The task leaves its group next. */
    journal_charge(cluster, UNDO_RELEASE, id, &charge);
    charge_return(cluster, id, &charge);
}
