#include "sim/bench/crowd.h"

#include <assert.h>
#include <stdio.h>

static void add_instances(struct crowd *crowd)
{
    static const int32_t sizes[][2] = {{4096, 16384}, {8192, 32768}, {16384, 65536}, {8192, 65536}};
    static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};
    for (uint32_t i = 0; i < crowd->plan.instances; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "%032x", (unsigned)i);
        struct attribute attribute = {symbols_add(crowd->symbols, "ecs.availability-zone"),
                                      symbols_add(crowd->symbols, zones[i % 3])};
        const int32_t *size = sizes[i / 3 % 4];
        struct instance_spec spec = {.name = name,
                                     .agent_version = "1.105.0",
                                     .cpu_units = size[0],
                                     .mem_mib = size[1],
                                     .attributes = &attribute,
                                     .attribute_count = 1};
        (void)cluster_add_instance(crowd->cluster, &spec);
        crowd->cpu += size[0];
        crowd->mem += size[1];
    }
}

/* 7 and 11 have no divisor in common with 24: every step once, in another order for each. */
static void make_shapes(struct crowd *crowd)
{
    for (uint32_t i = 0; i < CROWD_SHAPES; i++) {
        uint32_t cpu = 1 + i * 11 % CROWD_SHAPES * crowd->plan.cpu_steps / CROWD_SHAPES;
        uint32_t mem = 1 + i * 7 % CROWD_SHAPES * crowd->plan.mem_steps / CROWD_SHAPES;
        crowd->shapes[i] =
            (struct demand){.cpu_units = (int32_t)cpu * 64, .mem_mib = (int32_t)mem * 128};
    }
}

void crowd_open(struct crowd *crowd, const struct crowd_plan *plan, uint64_t seed)
{
    struct berth_error err = BERTH_ERROR_INIT;
    *crowd = (struct crowd){.plan = *plan, .symbols = symbols_create(), .dice = {seed}};
    crowd->cluster = cluster_create(crowd->symbols);
    crowd->stream.key = rng_key(seed, "strategy", 0);
    enum berth_err code =
        placement_plan_create(crowd->symbols, NULL, plan->strategies, plan->strategy_count, NULL, 0,
                              PLACEMENT_DEFAULT_SERVICE, &crowd->placement, &err);
    assert(code == BERTH_OK);
    (void)code;
    crowd->groups = mem_alloc(plan->groups * sizeof *crowd->groups);
    for (uint32_t i = 0; i < plan->groups; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "service:s%u", (unsigned)i);
        crowd->groups[i] = cluster_group(crowd->cluster, symbols_add(crowd->symbols, name));
    }
    make_shapes(crowd);
    add_instances(crowd);
}

void crowd_close(struct crowd *crowd)
{
    placement_plan_destroy(crowd->placement);
    cluster_destroy(crowd->cluster);
    symbols_destroy(crowd->symbols);
    mem_free(crowd->groups);
    vec_free(&crowd->tasks);
}

struct placement_request crowd_request(struct crowd *crowd, uint32_t group, uint32_t shape)
{
    return (struct placement_request){.plan = crowd->placement,
                                      .demand = &crowd->shapes[shape],
                                      .group = crowd->groups[group],
                                      .stream = &crowd->stream};
}

static struct crowd_task draw_task(struct bench_dice *dice, const struct crowd_plan *plan)
{
    return (struct crowd_task){.group = (uint16_t)bench_roll(dice, plan->groups),
                               .shape = (uint16_t)bench_roll(dice, CROWD_SHAPES)};
}

instance_id crowd_place(struct crowd *crowd)
{
    struct crowd_task task = draw_task(&crowd->dice, &crowd->plan);
    struct placement_request request = crowd_request(crowd, task.group, task.shape);
    struct gpu_grant grants[GPU_DEVICES_MAX];
    task.instance = placement_choose(crowd->cluster, &request);
    if (task.instance == INSTANCE_NONE)
        return INSTANCE_NONE;
    (void)cluster_reserve(crowd->cluster, task.instance, request.demand, grants);
    cluster_join(crowd->cluster, task.instance, request.group);
    crowd->cpu_used += request.demand->cpu_units;
    crowd->mem_used += request.demand->mem_mib;
    *vec_push(&crowd->tasks) = task;
    return task.instance;
}

void crowd_fill(struct crowd *crowd, uint32_t percent)
{
    while (crowd->cpu_used * 100 < crowd->cpu * percent &&
           crowd->mem_used * 100 < crowd->mem * percent && crowd_place(crowd) != INSTANCE_NONE)
        continue;
}

static void end_one(struct crowd *crowd)
{
    uint32_t at = bench_roll(&crowd->dice, (uint32_t)crowd->tasks.count);
    struct crowd_task task = crowd->tasks.items[at];
    const struct demand *demand = &crowd->shapes[task.shape];
    crowd->tasks.items[at] = crowd->tasks.items[--crowd->tasks.count];
    cluster_release(crowd->cluster, task.instance, demand, NULL, 0);
    cluster_leave(crowd->cluster, task.instance, crowd->groups[task.group]);
    crowd->cpu_used -= demand->cpu_units;
    crowd->mem_used -= demand->mem_mib;
}

double crowd_turns(struct crowd *crowd, uint32_t turns, instance_id *chosen)
{
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < turns; i++) {
        chosen[i] = crowd_place(crowd);
        if (chosen[i] != INSTANCE_NONE)
            end_one(crowd);
    }
    return bench_cpu_s() - begin;
}

void naive_crowd_open(struct naive_crowd *naive, const struct crowd *crowd)
{
    const struct crowd_plan *plan = &crowd->plan;
    *naive = (struct naive_crowd){.crowd = crowd, .dice = crowd->dice};
    naive->fleet = naive_fleet_of(crowd->cluster, plan->groups, plan->is_spread);
    for (size_t i = 0; i < crowd->tasks.count; i++) {
        struct crowd_task task = crowd->tasks.items[i];
        *vec_push(&naive->tasks) = task;
        naive_charge(naive->fleet, task.instance, task.group, 0, 0, 1); /* what is left is known */
    }
}

void naive_crowd_close(struct naive_crowd *naive)
{
    naive_fleet_destroy(naive->fleet);
    vec_free(&naive->tasks);
}

instance_id naive_crowd_choose(struct naive_crowd *naive, uint32_t group, uint32_t shape)
{
    const struct demand *demand = &naive->crowd->shapes[shape];
    return (naive->crowd->plan.is_spread ? naive_spread : naive_binpack)(
        naive->fleet, group, demand->cpu_units, demand->mem_mib);
}

static void charge(struct naive_crowd *naive, struct crowd_task task, int32_t sign)
{
    const struct demand *demand = &naive->crowd->shapes[task.shape];
    naive_charge(naive->fleet, task.instance, task.group, demand->cpu_units, demand->mem_mib, sign);
}

double naive_crowd_turns(struct naive_crowd *naive, uint32_t turns, instance_id *chosen)
{
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < turns; i++) {
        struct crowd_task task = draw_task(&naive->dice, &naive->crowd->plan);
        chosen[i] = task.instance = naive_crowd_choose(naive, task.group, task.shape);
        if (task.instance == INSTANCE_NONE)
            continue;
        charge(naive, task, 1);
        *vec_push(&naive->tasks) = task;
        uint32_t at = bench_roll(&naive->dice, (uint32_t)naive->tasks.count);
        charge(naive, naive->tasks.items[at], -1);
        naive->tasks.items[at] = naive->tasks.items[--naive->tasks.count];
    }
    return bench_cpu_s() - begin;
}
