#include "sim/scenario/fit.h"

#include <stdio.h>

#include "scheduler/base/mem.h"

struct fit {
    struct symbols *symbols;
    struct cluster *cluster;
    uint32_t sample_count;
};

static void add_sample(struct fit *fit, const struct scenario_group *group, uint32_t index)
{
    struct symbols *symbols = fit->symbols;
    uint32_t count = group->attribute_count;
    struct attribute *attributes = mem_alloc((count + 3) * sizeof *attributes);
    for (uint32_t i = 0; i < count; i++)
        attributes[i] = (struct attribute){symbols_add(symbols, group->attributes[i].name),
                                           symbols_add(symbols, group->attributes[i].value)};
    attributes[count++] =
        (struct attribute){symbols_add(symbols, "ecs.availability-zone"),
                           symbols_add(symbols, group->zones[index % group->zone_count])};
    const char *rack = scenario_rack(group, index);
    if (rack != NULL)
        attributes[count++] =
            (struct attribute){symbols_add(symbols, "berth.rack"), symbols_add(symbols, rack)};
    if (group->instance_type[0] != '\0')
        attributes[count++] = (struct attribute){symbols_add(symbols, "ecs.instance-type"),
                                                 symbols_add(symbols, group->instance_type)};
    char name[16];
    (void)snprintf(name, sizeof name, "%010u", (unsigned)fit->sample_count++);
    struct instance_spec spec = {
        .name = name,
        .cpu_units = group->cpu_units,
        .mem_mib = group->mem_mib,
        .gpu_count = group->gpu_count,
        .eni_limit = group->eni_limit,
        .tcp_ports_used = group->tcp_ports_used,
        .tcp_port_count = group->tcp_port_count,
        .attributes = attributes,
        .attribute_count = count,
    };
    (void)cluster_add_instance(fit->cluster, &spec);
    mem_free(attributes);
}

struct fit *fit_create(const struct scenario *scenario)
{
    struct fit *fit = mem_alloc(sizeof *fit);
    fit->symbols = symbols_create();
    fit->cluster = cluster_create(fit->symbols);
    for (uint32_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        uint32_t kinds = group->zone_count * (group->rack_count > 0 ? group->rack_count : 1);
        uint32_t count =
            group->provider != NULL && !group->is_fargate ? group->max_size : group->count;
        for (uint32_t j = 0; j < kinds && j < count; j++)
            add_sample(fit, group, j);
    }
    return fit;
}

void fit_destroy(struct fit *fit)
{
    cluster_destroy(fit->cluster);
    symbols_destroy(fit->symbols);
    mem_free(fit);
}

struct symbols *fit_symbols(struct fit *fit)
{
    return fit->symbols;
}

enum placement_verdict fit_check(struct fit *fit, const struct placement_plan *plan,
                                 const struct demand *demand)
{
    struct rng stream = {0, 0};
    struct placement_request request = {.plan = plan, .demand = demand, .stream = &stream};
    request.group = cluster_group(fit->cluster, symbols_add(fit->symbols, "fit"));
    for (instance_id i = 0; i < fit->sample_count; i++)
        if (placement_fits_empty(fit->cluster, &request, i))
            return PLACEMENT_FITS;
    enum placement_verdict why = PLACEMENT_INACTIVE;
    return placement_closest(fit->cluster, &request, &why) == INSTANCE_NONE ? PLACEMENT_INACTIVE
                                                                            : why;
}

const char *fit_words(enum placement_verdict verdict)
{
    return verdict == PLACEMENT_INACTIVE ? "there is none" : placement_verdict_names[verdict];
}
