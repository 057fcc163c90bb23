/*
 * refusal.c -- what is said when no instance takes a task: how many end at each verdict, and which
 * is the closest.
 *
 * Both look at every instance once, and no structure spares that: a first failing check depends on
 * CPU and memory together (how many have the one and lack the other is a count over a quarter
 * plane), and the closest by shortfall may stand anywhere. So the look is made cheap instead: the
 * first line of the instance, and the bits of eligible.h for everything else. Nanoseconds an
 * instance, not a hundred.
 */
#include "scheduler/placement/check.h"
#include "scheduler/placement/index.h"
#include "scheduler/placement/skyline.h"

/* One request about to be asked of all instances. */
struct inquiry {
    const struct cluster *cluster;
    const struct placement_request *request;
    const struct demand *demand;
    struct eligibility eligible;
    /* Whether the check can fail at all; those of status, agent, CPU and memory always can. */
    bool asks[PLACEMENT_VERDICT_COUNT];
    uint32_t gpu_milli;
};

/* The sets of the verdicts that have one. */
static const struct {
    enum placement_verdict verdict;
    enum eligible_kind kind;
} told_by[] = {{PLACEMENT_ATTRIBUTE, ELIGIBLE_ATTRIBUTES},
               {PLACEMENT_PORTS, ELIGIBLE_PORTS},
               {PLACEMENT_GPU, ELIGIBLE_GPUS},
               {PLACEMENT_MEMBER_OF, ELIGIBLE_MEMBER},
               {PLACEMENT_DISTINCT_INSTANCE, ELIGIBLE_APART}};

static struct inquiry inquire(struct cluster *cluster, const struct placement_request *request)
{
    const struct placement_plan *plan = request->plan;
    const struct demand *demand = request->demand;
    struct inquiry inquiry = {.cluster = cluster,
                              .request = request,
                              .demand = demand,
                              .gpu_milli = demand_gpu_milli(demand)};
    index_eligibility(index_of(cluster), cluster, request, &inquiry.eligible);
    inquiry.asks[PLACEMENT_ATTRIBUTE] = plan->required_count > 0;
    inquiry.asks[PLACEMENT_LOCATION] = request->zones != NULL;
    inquiry.asks[PLACEMENT_PORTS] = demand->tcp_port_count + demand->udp_port_count > 0;
    inquiry.asks[PLACEMENT_ENI] = demand->needs_eni;
    inquiry.asks[PLACEMENT_GPU] = demand->gpu_count > 0;
    inquiry.asks[PLACEMENT_MEMBER_OF] = plan->expression_count > 0;
    inquiry.asks[PLACEMENT_DISTINCT_INSTANCE] = plan->is_distinct_instance;
    return inquiry;
}

static bool fails(const struct inquiry *inquiry, instance_id id, enum placement_verdict verdict)
{
    const struct eligible_set *set = NULL;
    if (!inquiry->asks[verdict])
        return false;
    for (size_t i = 0; i < sizeof told_by / sizeof told_by[0]; i++)
        if (told_by[i].verdict == verdict)
            set = inquiry->eligible.sets[told_by[i].kind];
    if (set != NULL && !eligible_set_has(set, id))
        return true;
    if (set != NULL &&
        (verdict != PLACEMENT_MEMBER_OF || inquiry->request->plan->dynamic_count == 0))
        return false;
    return !check_passes(inquiry->cluster, inquiry->request, id, verdict);
}

static bool lacks_cpu(const struct inquiry *inquiry, const struct instance *instance)
{
    return inquiry->demand->cpu_units > 0 && instance->cpu_remaining < inquiry->demand->cpu_units;
}

static bool lacks_mem(const struct inquiry *inquiry, const struct instance *instance)
{
    return inquiry->demand->mem_mib > 0 && instance->mem_remaining < inquiry->demand->mem_mib;
}

static enum placement_verdict verdict_of(const struct inquiry *inquiry, instance_id id)
{
    const struct instance *instance = cluster_instance(inquiry->cluster, id);
    if (instance->status != INSTANCE_ACTIVE || !pool_has(inquiry->request->pool, instance))
        return PLACEMENT_INACTIVE;
    if (!instance->is_agent_connected)
        return PLACEMENT_AGENT;
    for (int verdict = PLACEMENT_ATTRIBUTE; verdict < PLACEMENT_CPU; verdict++)
        if (fails(inquiry, id, (enum placement_verdict)verdict))
            return (enum placement_verdict)verdict;
    if (lacks_cpu(inquiry, instance))
        return PLACEMENT_CPU;
    if (lacks_mem(inquiry, instance))
        return PLACEMENT_MEMORY;
    for (int verdict = PLACEMENT_PORTS; verdict <= PLACEMENT_DISTINCT_INSTANCE; verdict++)
        if (fails(inquiry, id, (enum placement_verdict)verdict))
            return (enum placement_verdict)verdict;
    return PLACEMENT_FITS;
}

void placement_count_verdicts(struct cluster *cluster, const struct placement_request *request,
                              uint32_t counts[PLACEMENT_VERDICT_COUNT])
{
    struct inquiry inquiry = inquire(cluster, request);
    for (int verdict = 0; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
        counts[verdict] = 0;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        counts[verdict_of(&inquiry, id)]++;
}

/* What is missing, in thousandths of what is asked for. */
static int64_t missing(int64_t asked, int64_t there)
{
    return asked > 0 && there < asked ? (asked - there) * 1000 / asked : 0;
}

/* Over CPU, memory and GPU together: how far the instance is from fitting. */
static int64_t shortfall(const struct inquiry *inquiry, const struct instance *instance)
{
    int64_t free_milli = 0;
    for (uint16_t device = 0; inquiry->gpu_milli > 0 && device < instance->gpu_count; device++)
        free_milli += instance->gpu_free_milli[device];
    return missing(inquiry->demand->cpu_units, instance->cpu_remaining) +
           missing(inquiry->demand->mem_mib, instance->mem_remaining) +
           missing(inquiry->gpu_milli, free_milli);
}

/* More checks than `most` are not counted to the end. */
static uint32_t failed_checks(const struct inquiry *inquiry, instance_id id, uint32_t most)
{
    const struct instance *instance = cluster_instance(inquiry->cluster, id);
    uint32_t failed = (uint32_t)lacks_cpu(inquiry, instance) +
                      (uint32_t)lacks_mem(inquiry, instance) +
                      (uint32_t)!instance->is_agent_connected;
    for (int verdict = PLACEMENT_ATTRIBUTE;
         verdict <= PLACEMENT_DISTINCT_INSTANCE && failed <= most; verdict++)
        if (verdict != PLACEMENT_CPU && verdict != PLACEMENT_MEMORY)
            failed += fails(inquiry, id, (enum placement_verdict)verdict);
    return failed;
}

instance_id placement_closest(struct cluster *cluster, const struct placement_request *request,
                              enum placement_verdict *why)
{
    struct inquiry inquiry = inquire(cluster, request);
    instance_id best = INSTANCE_NONE;
    uint32_t best_failed = PLACEMENT_VERDICT_COUNT;
    int64_t best_shortfall = INT64_MAX;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        if (instance->status != INSTANCE_ACTIVE || !pool_has(request->pool, instance))
            continue;
        uint32_t failed = failed_checks(&inquiry, id, best_failed);
        if (failed > best_failed)
            continue;
        int64_t missed = shortfall(&inquiry, instance);
        if (failed == best_failed && missed >= best_shortfall)
            continue;
        best = id;
        best_failed = failed;
        best_shortfall = missed;
    }
    *why = best == INSTANCE_NONE ? PLACEMENT_INACTIVE : placement_check(cluster, request, best);
    return best;
}
