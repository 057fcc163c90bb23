/*
 * test_placement.c -- random clusters through random histories.
 *
 * At every step: the index chooses what the plain reading chooses, with the same draws; nothing is
 * overcommitted; derived figures equal what they derive from; undoing restores every field.
 */
#include "tests/unit/scheduler/placement/fixture.h"
#include "scheduler/base/text.h"
#include "scheduler/placement/index.h"
#include "scheduler/placement/check.h"

#define TASKS_MAX 4000
#define GROUPS 4

struct running {
    instance_id instance;
    group_id group;
    struct demand demand;
    struct gpu_grant grants[GPU_DEVICES_MAX];
    uint32_t grant_count;
};

struct world {
    struct fixture f;
    struct rng dice; /* what happens; the fixture's stream is the strategies' */
    group_id groups[GROUPS];
    struct running *tasks;
    size_t task_count;
    size_t placed, refused;
};

static uint32_t roll(struct world *world, uint32_t limit)
{
    return (uint32_t)rng_below(&world->dice, limit);
}

static symbol word(struct world *world, const char *prefix, uint32_t count)
{
    char text[32];
    snprintf(text, sizeof text, "%s%u", prefix, roll(world, count));
    return symbols_add(world->f.symbols, text);
}

static void add_instance(struct world *world)
{
    static const int32_t sizes[][2] = {{1024, 2048}, {2048, 4096}, {2048, 8192}, {1000, 3000}};
    static const uint16_t agent_ports[] = {22, 51678};
    char name[16];
    uint32_t size = roll(world, 4);
    struct attribute attributes[3] = {
        {symbols_add(world->f.symbols, "ecs.availability-zone"), word(world, "z", 3)},
        {symbols_add(world->f.symbols, "rack"), word(world, "r", 6)},
        {symbols_add(world->f.symbols, "shelf"), word(world, "s", 90)}};
    snprintf(name, sizeof name, "i%08u", cluster_instance_count(world->f.cluster));
    struct instance_spec spec = {.name = name,
                                 .agent_version = "1.2.3",
                                 .cpu_units = sizes[size][0],
                                 .mem_mib = sizes[size][1],
                                 .gpu_count = (uint16_t)(roll(world, 4) == 0 ? roll(world, 5) : 0),
                                 .eni_limit = (uint16_t)roll(world, 4),
                                 .tcp_ports_used = agent_ports,
                                 .tcp_port_count = 2,
                                 .attributes = attributes + roll(world, 2),
                                 .attribute_count = roll(world, 2)};
    if (roll(world, 10) > 0) {
        spec.attributes = attributes;
        spec.attribute_count = 3;
    }
    if (roll(world, 2) == 0)
        spec.pool = word(world, "pool", 2);
    spec.is_dedicated = roll(world, 12) == 0;
    cluster_add_instance(world->f.cluster, &spec);
}

static struct demand any_demand(struct world *world)
{
    static const uint16_t ports[] = {80, 443, 8080};
    static const struct gpu_request gpus[][2] = {{{300}, {460}}, {{1000}, {500}}, {{2000}, {0}}};
    struct demand demand = {.cpu_units = (int32_t)roll(world, 4) * 128,
                            .mem_mib = (int32_t)roll(world, 6) * 128};
    if (roll(world, 8) == 0) {
        demand.tcp_ports = ports + roll(world, 2);
        demand.tcp_port_count = (uint16_t)(1 + roll(world, 2));
    }
    if (roll(world, 10) == 0) {
        demand.gpus = gpus[roll(world, 3)];
        demand.gpu_count = (uint16_t)(1 + roll(world, 2));
    }
    demand.needs_eni = roll(world, 10) == 0;
    if (roll(world, 20) == 0)
        demand.mem_mib = 3000;
    return demand;
}

static const char *const chains[] = {
    "binpack memory",
    "binpack cpu",
    "spread attribute:ecs.availability-zone, binpack memory",
    "spread attribute:ecs.availability-zone, spread instanceId",
    "spread attribute:ecs.availability-zone",
    "spread instanceId",
    "spread attribute:rack, spread attribute:ecs.availability-zone, binpack cpu",
    "spread attribute:rack, bestFit",
    "spread attribute:rack, firstFit",
    "spread attribute:ecs.availability-zone, random",
    "spread instanceId, binpack memory",
    "random",
    "firstFit",
    "bestFit",
    "worstFit",
    "dotProduct",
    "twoChoices",
    "binpack cpu, binpack memory",
    "binpack memory, spread attribute:rack, random",
    "bestFit, spread instanceId",
    "spread attribute:ecs.availability-zone, twoChoices",
    "spread attribute:nowhere, worstFit",
    "spread attribute:rack, dotProduct",
    "dotProduct, spread attribute:rack",
    "worstFit, dotProduct",
    "spread instanceId, spread attribute:rack",
    "spread instanceId, spread instanceId, dotProduct",
    "spread instanceId, random",
    "spread instanceId, twoChoices",
    "spread instanceId, firstFit",
    "spread attribute:rack, spread instanceId, binpack memory",
    "spread attribute:rack, spread instanceId, spread attribute:ecs.availability-zone, bestFit",
    "spread attribute:shelf, binpack cpu",
    "spread attribute:shelf, spread instanceId",
    "spread attribute:shelf, spread attribute:rack, spread attribute:ecs.availability-zone",
    "spread attribute:ecs.availability-zone, spread attribute:shelf, twoChoices",
    "spread attribute:rack, spread attribute:rack, bestFit",
    "binpack memory, spread instanceId",
    "random, spread instanceId",
    "firstFit, binpack memory",
};
#define CHAINS (sizeof chains / sizeof chains[0])

#define KINDS 5

static struct placement_plan *plans[CHAINS][KINDS];

static void make_plans(struct world *world)
{
    static const struct placement_constraint_spec constraints[KINDS - 1][2] = {
        {{"memberOf", "attribute:rack in [r1, r2, r4]"}, {NULL, NULL}},
        {{"distinctInstance", NULL}, {"memberOf", "not(task:group == service:g1)"}},
        {{"memberOf", "attribute:shelf in [s1, s2]"}, {NULL, NULL}}, /* few */
        {{"distinctInstance", NULL}, {NULL, NULL}}};
    static char *const required[] = {"rack", "ecs.availability-zone=z1"};
    static char *const members[] = {"attribute:shelf != s4"};
    const struct task_def def = {.required_attributes = (char **)(uintptr_t)required,
                                 .required_attribute_count = 2,
                                 .member_of = (char **)(uintptr_t)members,
                                 .member_of_count = 1};
    for (size_t i = 0; i < CHAINS; i++) {
        plans[i][0] = fixture_plan(&world->f, chains[i]);
        for (size_t kind = 1; kind < KINDS; kind++) {
            struct berth_error err = BERTH_ERROR_INIT;
            struct placement_plan *bare = NULL;
            assert_int_equal(placement_plan_create(world->f.symbols, kind == 4 ? &def : NULL, NULL,
                                                   0, constraints[kind - 1], kind == 2 ? 2 : 1,
                                                   PLACEMENT_DEFAULT_SERVICE, &bare, &err),
                             BERTH_OK);
            plans[i][kind] = bare;
            /* The constraints of one with the chain of the other. */
            memcpy(bare->steps, plans[i][0]->steps, sizeof bare->steps);
            bare->step_count = plans[i][0]->step_count;
        }
    }
}

static void free_plans(void)
{
    for (size_t i = 0; i < CHAINS; i++)
        for (size_t kind = 0; kind < KINDS; kind++)
            placement_plan_destroy(plans[i][kind]);
}

static int64_t missing(int64_t asked, int64_t there)
{
    return asked > 0 && there < asked ? (asked - there) * 1000 / asked : 0;
}

/* The plain reading of the closest match: fewest failed checks, least missing, smallest id. */
static instance_id closest_by_scan(const struct cluster *cluster,
                                   const struct placement_request *request)
{
    instance_id best = INSTANCE_NONE;
    int64_t best_failed = 0, best_missed = 0;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        int64_t failed = 0, free_milli = 0;
        if (!check_passes(cluster, request, id, PLACEMENT_INACTIVE))
            continue;
        for (int verdict = PLACEMENT_AGENT; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
            failed += !check_passes(cluster, request, id, (enum placement_verdict)verdict);
        for (uint16_t device = 0; device < instance->gpu_count; device++)
            free_milli += instance->gpu_free_milli[device];
        int64_t missed = missing(request->demand->cpu_units, instance->cpu_remaining) +
                         missing(request->demand->mem_mib, instance->mem_remaining) +
                         missing(demand_gpu_milli(request->demand), free_milli);
        if (best == INSTANCE_NONE || failed < best_failed ||
            (failed == best_failed && missed < best_missed)) {
            best = id;
            best_failed = failed;
            best_missed = missed;
        }
    }
    return best;
}

/* What is said of a refusal, and of any request: the same instance, verdict and counts. */
static void check_reasons(struct world *world, const struct placement_request *request)
{
    uint32_t counts[PLACEMENT_VERDICT_COUNT], scanned[PLACEMENT_VERDICT_COUNT] = {0};
    enum placement_verdict why = PLACEMENT_FITS;
    for (instance_id id = 0; id < cluster_instance_count(world->f.cluster); id++)
        scanned[placement_check(world->f.cluster, request, id)]++;
    placement_count_verdicts(world->f.cluster, request, counts);
    assert_memory_equal(counts, scanned, sizeof counts);
    instance_id closest = closest_by_scan(world->f.cluster, request);
    assert_int_equal(placement_closest(world->f.cluster, request, &why), closest);
    assert_int_equal(why, closest == INSTANCE_NONE
                              ? PLACEMENT_INACTIVE
                              : placement_check(world->f.cluster, request, closest));
}

static void place(struct world *world)
{
    size_t chain = roll(world, CHAINS), kind = roll(world, KINDS + 2);
    struct running task = {.group = world->groups[roll(world, GROUPS)],
                           .demand = any_demand(world)};
    symbol zone = symbols_add(world->f.symbols, "z1");
    struct placement_request request = {.plan = plans[chain][kind % KINDS],
                                        .demand = &task.demand,
                                        .group = task.group,
                                        .stream = &world->f.stream,
                                        .pool = roll(world, 2) == 0 ? SYMBOL_NONE
                                                                    : word(world, "pool", 3)};
    if (roll(world, 12) == 0) {
        request.zones = &zone;
        request.zone_count = 1;
    }
    struct rng before = world->f.stream;
    instance_id expected = placement_choose_by_scan(world->f.cluster, &request);
    struct rng after = world->f.stream;
    world->f.stream = before;
    instance_id chosen = placement_choose(world->f.cluster, &request);
    if (chosen != expected || world->f.stream.counter != after.counter)
        fail_msg("%s, constraints %zu: index %u after %u draws, scan %u after %u", chains[chain],
                 kind % KINDS, chosen, (unsigned)(world->f.stream.counter - before.counter),
                 expected, (unsigned)(after.counter - before.counter));
    if (chosen == INSTANCE_NONE || roll(world, 8) == 0)
        check_reasons(world, &request);
    if (chosen == INSTANCE_NONE) {
        world->refused++;
        return;
    }
    assert_int_equal(placement_check(world->f.cluster, &request, chosen), PLACEMENT_FITS);
    assert_true(placement_fits_empty(world->f.cluster, &request, chosen));
    world->placed++;
    if (world->task_count == TASKS_MAX)
        return;
    task.instance = chosen;
    task.grant_count = cluster_reserve(world->f.cluster, chosen, &task.demand, task.grants);
    cluster_join(world->f.cluster, chosen, task.group);
    world->tasks[world->task_count++] = task;
}

static void end_task(struct world *world)
{
    if (world->task_count == 0)
        return;
    size_t at = roll(world, (uint32_t)world->task_count);
    const struct running *task = &world->tasks[at];
    cluster_release(world->f.cluster, task->instance, &task->demand, task->grants,
                    task->grant_count);
    cluster_leave(world->f.cluster, task->instance, task->group);
    world->tasks[at] = world->tasks[--world->task_count];
}

static void change_instance(struct world *world)
{
    struct cluster *cluster = world->f.cluster;
    instance_id id = roll(world, cluster_instance_count(cluster));
    symbol zone = symbols_add(world->f.symbols, "ecs.availability-zone");
    symbol rack = symbols_add(world->f.symbols, "rack");
    symbol shelf = symbols_add(world->f.symbols, "shelf");
    switch (roll(world, 12)) {
    case 0:
        cluster_set_status(cluster, id, INSTANCE_DRAINING);
        break;
    case 1:
        cluster_set_connected(cluster, id, false);
        break;
    case 2:
        cluster_set_attribute(cluster, id, rack, word(world, "r", 6));
        cluster_set_attribute(cluster, id, shelf, word(world, "s", 90));
        break;
    case 3:
        cluster_set_attribute(cluster, id, zone, word(world, "z", 3));
        break;
    case 4:
        cluster_remove_attribute(cluster, id, roll(world, 2) == 0 ? zone : rack);
        break;
    case 5:
        cluster_set_running_tasks(cluster, id, roll(world, 5));
        break;
    default:
        cluster_set_status(cluster, id, INSTANCE_ACTIVE);
        cluster_set_connected(cluster, id, true);
    }
}

static void live(struct world *world, uint32_t load)
{
    uint32_t dice = roll(world, 100);
    if (dice < load)
        place(world);
    else if (dice < 85)
        end_task(world);
    else
        change_instance(world);
}

/* Every field that a change may touch, as text. */
static void describe(const struct cluster *cluster, struct text *out)
{
    text_clear(out);
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        text_addf(out, "%u %d %d zone %u cpu %d mem %d eni %u run %u res %u\n", id,
                  (int)instance->status, (int)instance->is_agent_connected, instance->zone,
                  instance->cpu_remaining, instance->mem_remaining, instance->eni_used,
                  instance->running_tasks, instance->reserved_tasks);
        for (uint16_t i = 0; i < instance->tcp.count; i++)
            text_addf(out, "tcp %u ", instance->tcp.ports[i]);
        for (uint16_t i = 0; i < instance->udp.count; i++)
            text_addf(out, "udp %u ", instance->udp.ports[i]);
        for (uint16_t i = 0; i < instance->gpu_count; i++)
            text_addf(out, "gpu %u ", instance->gpu_free_milli[i]);
        for (uint32_t i = 0; i < instance->attributes->count; i++)
            text_addf(out, "%u=%u ", instance->attributes->items[i].name,
                      instance->attributes->items[i].value);
        for (uint32_t i = 0; i < instance->group_count; i++)
            text_addf(out, "g%u:%u ", instance->groups[i].group, instance->groups[i].tasks);
        text_add(out, "\n");
    }
}

/* A what-if of some length, inside it perhaps another, then everything as it was. */
static void imagine(struct world *world, int depth)
{
    struct text before = TEXT_INIT, after = TEXT_INIT;
    struct running *tasks = mem_alloc(TASKS_MAX * sizeof *tasks);
    size_t task_count = world->task_count;
    memcpy(tasks, world->tasks, task_count * sizeof *tasks);
    describe(world->f.cluster, &before);
    cluster_mark mark = cluster_journal_begin(world->f.cluster);
    for (uint32_t i = roll(world, 30); i > 0; i--)
        live(world, 40);
    if (depth < 2)
        imagine(world, depth + 1);
    cluster_journal_undo(world->f.cluster, mark);
    describe(world->f.cluster, &after);
    assert_string_equal(before.bytes, after.bytes);
    memcpy(world->tasks, tasks, task_count * sizeof *tasks);
    world->task_count = task_count;
    mem_free(tasks);
    text_free(&before);
    text_free(&after);
}

static void check_nothing_overcommitted(const struct world *world)
{
    uint32_t joined = 0;
    for (instance_id id = 0; id < cluster_instance_count(world->f.cluster); id++) {
        const struct instance *instance = cluster_instance(world->f.cluster, id);
        int64_t cpu_units = 0, mem_mib = 0;
        uint32_t count = 0;
        for (size_t i = 0; i < world->task_count; i++)
            if (world->tasks[i].instance == id) {
                cpu_units += world->tasks[i].demand.cpu_units;
                mem_mib += world->tasks[i].demand.mem_mib;
                count++;
            }
        assert_int_equal(instance->cpu_remaining + cpu_units, instance->cpu_registered);
        assert_int_equal(instance->mem_remaining + mem_mib, instance->mem_registered);
        assert_true(instance->cpu_remaining >= 0 && instance->mem_remaining >= 0);
        assert_true(instance->eni_limit == 0 || instance->eni_used <= instance->eni_limit);
        assert_int_equal(instance->reserved_tasks, count);
    }
    for (size_t i = 0; i < GROUPS; i++)
        joined += cluster_group_tasks(world->f.cluster, world->groups[i]);
    assert_int_equal(joined, world->task_count);
}

static void run_history(uint64_t seed, uint32_t instances, uint32_t steps)
{
    struct world world = {.f = fixture_begin(), .dice = {rng_key(seed, "history", 0), 0}};
    world.tasks = mem_alloc(TASKS_MAX * sizeof *world.tasks);
    for (uint32_t i = 0; i < GROUPS; i++) {
        char name[16];
        snprintf(name, sizeof name, "service:g%u", i);
        world.groups[i] = cluster_group(world.f.cluster, symbols_add(world.f.symbols, name));
    }
    make_plans(&world);
    for (uint32_t i = 0; i < instances; i++)
        add_instance(&world);
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t load = i < steps / 2 ? 75 : 50; /* fill up, then come and go */
        live(&world, load);
        if (roll(&world, 40) == 0)
            add_instance(&world);
        if (roll(&world, 60) == 0)
            imagine(&world, 0);
        if (i % 100 == 0 || i + 1 == steps) {
            cluster_audit(world.f.cluster);
            index_audit(world.f.cluster);
            check_nothing_overcommitted(&world);
        }
    }
    assert_true(world.placed > steps / 10);
    free_plans();
    mem_free(world.tasks);
    fixture_end(&world.f);
}

static void index_equals_scan_through_histories(void **state)
{
    (void)state;
    static const struct {
        uint32_t histories, instances, steps;
    } sizes[] = {{20, 1, 300}, {30, 8, 600}, {12, 80, 1200}, {3, 400, 2500}, {1, 1500, 2500}};
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t at = 0; at < sizes[i].histories; at++, seed++) {
            print_message("seed %u: %u instances, %u steps\n", (unsigned)seed, sizes[i].instances,
                          sizes[i].steps);
            run_history(seed, sizes[i].instances, sizes[i].steps);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(index_equals_scan_through_histories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
