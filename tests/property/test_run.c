/*
 * Whole replications of small random scenarios, with everything that can go wrong in them. After
 * every simulated event: nothing is overcommitted, no two tasks share a host port, distinctInstance
 * and memberOf hold, and no task is lost from the count. At the end the books balance. Equal inputs
 * give equal bytes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"
#include "scheduler/base/text.h"
#include "scheduler/core/controller.h"
#include "sim/run/histogram.h"
#include "sim/run/run.h"

#define ROUNDS 400
#define INSTANCES_MAX 4096

static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};
static const char *const modes[] = {"terminate", "stop", "hang", "disconnect"};
static const char *const strategies[] = {
    "[]",
    "[{\"type\":\"binpack\",\"field\":\"cpu\"}]",
    "[{\"type\":\"binpack\",\"field\":\"memory\"}]",
    "[{\"type\":\"random\"}]",
    "[{\"type\":\"spread\",\"field\":\"instanceId\"}]",
    ("[{\"type\":\"spread\",\"field\":\"attribute:ecs.availability-zone\"},"
     "{\"type\":\"binpack\",\"field\":\"memory\"}]"),
    "[{\"type\":\"firstFit\"}]",
    "[{\"type\":\"bestFit\"}]",
    "[{\"type\":\"worstFit\"}]",
    "[{\"type\":\"dotProduct\"}]",
    "[{\"type\":\"twoChoices\"}]",
};
static const char *const constraints[] = {
    "[]",
    "[]",
    "[{\"type\":\"distinctInstance\"}]",
    "[{\"type\":\"memberOf\",\"expression\":\"attribute:ecs.availability-zone != zone-b\"}]",
};

static uint64_t pick(struct rng *rng, uint64_t limit)
{
    return rng_below(rng, limit);
}

static bool chance(struct rng *rng, unsigned percent)
{
    return rng_below(rng, 100) < percent;
}

#define ANY(rng, list) ((list)[pick(rng, sizeof(list) / sizeof *(list))])

static void add_delay(struct text *json, struct rng *rng, const char *name, unsigned most_s)
{
    unsigned mean_ms = (unsigned)pick(rng, most_s * 1000 + 1);
    switch (pick(rng, 3)) {
    case 0:
        text_addf(json, "\"%s\":0", name);
        break;
    case 1:
        text_addf(json, "\"%s\":%u.%03u", name, mean_ms / 1000, mean_ms % 1000);
        break;
    default:
        text_addf(json, "\"%s\":{\"distribution\":\"exponential\",\"mean\":%u.%03u}", name,
                  mean_ms / 1000, mean_ms % 1000 + 1);
        break;
    }
}

static void add_fleet(struct text *json, struct rng *rng)
{
    text_add(json, "\"fleet\":{");
    unsigned groups = 1 + (unsigned)pick(rng, 3);
    for (unsigned i = 0; i < groups; i++) {
        text_addf(json, "%s\"g%u\":{\"count\":%u,\"cpu\":%u,\"memory\":%u,\"gpus\":%u,\"zones\":[",
                  i == 0 ? "" : ",", i, (unsigned)pick(rng, 6), 1024 * (1 + (unsigned)pick(rng, 4)),
                  1024 * (1 + (unsigned)pick(rng, 8)), (unsigned)pick(rng, 3));
        unsigned count = i == 0 ? 3 : 1 + (unsigned)pick(rng, 3);
        for (unsigned z = 0; z < count; z++)
            text_addf(json, "%s\"%s\"", z == 0 ? "" : ",", zones[z]);
        text_addf(json, "],\"spot\":%s,\"pullMiBps\":50}", chance(rng, 30) ? "true" : "false");
    }
    text_add(json, "},");
}

static void add_definitions(struct text *json, struct rng *rng)
{
    text_add(json, "\"taskDefinitions\":{");
    for (unsigned i = 0; i < 4; i++) {
        text_addf(json,
                  "%s\"d%u\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\","
                  "\"image\":\"x:%u\",\"essential\":true,\"cpu\":%u,\"memory\":%u",
                  i == 0 ? "" : ",", i, (unsigned)pick(rng, 3), 64 * (unsigned)pick(rng, 20),
                  64 * (1 + (unsigned)pick(rng, 20)));
        if (chance(rng, 25))
            text_addf(json, ",\"portMappings\":[{\"containerPort\":80,\"hostPort\":%u}]",
                      8080 + (unsigned)pick(rng, 2));
        if (chance(rng, 20))
            text_addf(json, ",\"resourceRequirements\":[{\"type\":\"GPU\",\"value\":\"%s\"}]",
                      chance(rng, 50) ? "1" : "0.4");
        text_add(json, "}");
        if (chance(rng, 30))
            text_add(json, ",{\"name\":\"side\",\"image\":\"y:1\",\"essential\":false,\"cpu\":10,"
                           "\"memory\":16,\"dependsOn\":[{\"containerName\":\"c\",\"condition\":"
                           "\"START\"}]}");
        text_addf(json, "]},\"imageMiB\":%u,\"crashProbability\":%s", (unsigned)pick(rng, 200),
                  chance(rng, 15) ? "1" : "0.05");
        if (chance(rng, 60))
            text_addf(json, ",\"lifetime\":{\"distribution\":\"exponential\",\"mean\":%u}",
                      20 + (unsigned)pick(rng, 300));
        if (chance(rng, 20))
            text_add(json, ",\"pullFailureProbability\":0.3,\"startFailureProbability\":0.1");
        text_add(json, "}");
    }
    text_add(json, "},");
}

static unsigned add_work(struct text *json, struct rng *rng)
{
    unsigned services = (unsigned)pick(rng, 4), arrivals = (unsigned)pick(rng, 3);
    text_add(json, "\"services\":{");
    for (unsigned i = 0; i < services; i++) {
        bool is_daemon = i + 1 == services && chance(rng, 30); /* never scaled: see below */
        text_addf(json, "%s\"s%u\":{\"taskDefinition\":\"d%u\",\"startAt\":%u", i == 0 ? "" : ",",
                  i, (unsigned)pick(rng, 4), chance(rng, 70) ? 0 : (unsigned)pick(rng, 100));
        if (is_daemon)
            text_add(json, ",\"schedulingStrategy\":\"DAEMON\"}");
        else
            text_addf(json,
                      ",\"desiredCount\":%u,\"placementStrategy\":%s,\"placementConstraints\":%s,"
                      "\"deploymentConfiguration\":{\"minimumHealthyPercent\":%u,"
                      "\"maximumPercent\":%u}}",
                      (unsigned)pick(rng, 8), ANY(rng, strategies), ANY(rng, constraints),
                      (unsigned)pick(rng, 3) * 50, 150 + (unsigned)pick(rng, 2) * 50);
    }
    text_add(json, "},\"arrivals\":{");
    for (unsigned i = 0; i < arrivals; i++)
        text_addf(json,
                  "%s\"a%u\":{\"ratePerHour\":%u,\"taskDefinition\":\"d%u\",\"count\":%u,"
                  "\"onFull\":\"%s\",\"placementStrategy\":%s,\"placementConstraints\":%s%s}",
                  i == 0 ? "" : ",", i, 20 + (unsigned)pick(rng, 300), (unsigned)pick(rng, 4),
                  1 + (unsigned)pick(rng, 3), chance(rng, 50) ? "wait" : "refuse",
                  ANY(rng, strategies), ANY(rng, constraints),
                  chance(rng, 50) ? ",\"lifetime\":{\"distribution\":\"exponential\",\"mean\":60}"
                                  : "");
    text_add(json, "},");
    return services;
}

static void add_selector(struct text *json, struct rng *rng)
{
    switch (pick(rng, 4)) {
    case 0:
        text_addf(json, "\"zone\":\"%s\"", ANY(rng, zones));
        break;
    case 1:
        text_add(json, "\"share\":0.5");
        break;
    case 2:
        text_addf(json, "\"instance\":%u", (unsigned)pick(rng, 3));
        break;
    default:
        text_add(json, "\"expression\":\"attribute:ecs.availability-zone != zone-a\"");
        break;
    }
}

static void add_timeline(struct text *json, struct rng *rng, unsigned services)
{
    unsigned entries = (unsigned)pick(rng, 6);
    text_add(json, "\"timeline\":{");
    for (unsigned i = 0; i < entries; i++) {
        unsigned kind = (unsigned)pick(rng, services > 0 ? 7 : 5);
        text_addf(json, "%s\"t%u\":{\"at\":%u,", i == 0 ? "" : ",", i,
                  100 + (unsigned)pick(rng, 900));
        if (kind == 0 || kind == 1) {
            text_add(json, "\"fail\":{");
            add_selector(json, rng);
            text_addf(json, ",\"mode\":\"%s\"", ANY(rng, modes));
            if (chance(rng, 60))
                text_addf(json, ",\"for\":%u", 10 + (unsigned)pick(rng, 400));
            text_add(json, "}}");
        } else if (kind <= 4) {
            static const char *const acts[] = {"drain", "activate", "recover"};
            text_addf(json, "\"%s\":{", acts[kind - 2]);
            add_selector(json, rng);
            text_add(json, "}}");
        } else if (kind == 5 && services > 1) {
            text_addf(json, "\"scale\":{\"service\":\"s%u\",\"desiredCount\":%u}}",
                      (unsigned)pick(rng, services - 1), (unsigned)pick(rng, 8));
        } else {
            text_addf(json, "\"deploy\":{\"service\":\"s%u\",\"taskDefinition\":\"d%u\"}}",
                      (unsigned)pick(rng, services), (unsigned)pick(rng, 4));
        }
    }
    text_add(json, "},");
}

static void add_failures(struct text *json, struct rng *rng)
{
    static const char *const kinds[] = {"instance", "zone", "spot", "task"};
    unsigned count = (unsigned)pick(rng, 3);
    text_add(json, "\"failures\":{");
    for (unsigned i = 0; i < count; i++) {
        const char *kind = ANY(rng, kinds);
        text_addf(json,
                  "%s\"f%u\":{\"kind\":\"%s\",\"mtbf\":{\"distribution\":\"exponential\","
                  "\"mean\":%u}",
                  i == 0 ? "" : ",", i, kind, 200 + (unsigned)pick(rng, 900));
        if (strcmp(kind, "task") != 0)
            text_add(json, ",\"mttr\":{\"distribution\":\"exponential\",\"mean\":100}");
        if (strcmp(kind, "instance") == 0 || strcmp(kind, "zone") == 0)
            text_addf(json, ",\"mode\":\"%s\"", ANY(rng, modes));
        text_add(json, "}");
    }
    text_add(json, "},");
}

static void write_scenario(struct text *json, struct rng *rng)
{
    text_add(json, "{\"version\":1,\"name\":\"random\",");
    add_fleet(json, rng);
    add_definitions(json, rng);
    unsigned services = add_work(json, rng);
    add_timeline(json, rng, services);
    add_failures(json, rng);
    text_add(json, "\"delays\":{");
    add_delay(json, rng, "boot", 60);
    text_add(json, ",");
    add_delay(json, rng, "network", 1);
    text_add(json, ",");
    add_delay(json, rng, "containerStart", 3);
    text_add(json, ",");
    add_delay(json, rng, "containerStop", 40);
    text_add(json, "},\"run\":{\"duration\":1200,\"replications\":1");
    if (chance(rng, 50))
        text_addf(json, ",\"instanceLostSeconds\":%u", 30 + (unsigned)pick(rng, 300));
    text_add(json, "}}");
}

/* What the observer keeps of a replication. */
struct watch {
    const struct scenario *scenario;
    uint64_t events, max_task, live;
};

struct use {
    int64_t cpu_units, mem_mib, gpu_milli;
    uint16_t ports[64];
    uint32_t port_count;
};

static void charge(struct use *use, const struct task_view *task)
{
    use->cpu_units += task->cpu_units;
    use->mem_mib += task->mem_mib;
    use->gpu_milli += task->gpu_milli;
    for (uint16_t i = 0; i < task->def->demand.tcp_port_count; i++) {
        for (uint32_t j = 0; j < use->port_count; j++)
            assert_int_not_equal(use->ports[j], task->def->demand.tcp_ports[i]);
        assert_true(use->port_count < 64);
        use->ports[use->port_count++] = task->def->demand.tcp_ports[i];
    }
}

static const struct scenario_constraints *constraints_of(const struct watch *watch,
                                                         const struct controller *controller,
                                                         const struct task_view *task)
{
    const struct symbols *symbols = cluster_symbols(controller_cluster(controller));
    if (task->service == SERVICE_NONE)
        return NULL;
    const char *name = symbols_text(symbols, controller_service(controller, task->service).name);
    return &scenario_find_service(watch->scenario, name)->constraints;
}

static void check_constraints(const struct watch *watch, const struct controller *controller,
                              const struct task_view *task)
{
    const struct scenario_constraints *own = constraints_of(watch, controller, task);
    struct cluster *cluster = controller_cluster(controller);
    const char *zone =
        symbols_text(cluster_symbols(cluster), cluster_instance(cluster, task->instance)->zone);
    for (uint16_t i = 0; own != NULL && i < own->count; i++) {
        if (strcmp(own->items[i].type, "memberOf") == 0)
            assert_string_not_equal(zone, "zone-b");
        else if (task->desired_running)
            assert_int_equal(cluster_group_tasks_on(cluster, task->group, task->instance), 1);
    }
}

static void after_event(void *context, berth_ns now_ns, const struct controller *controller)
{
    static struct use uses[INSTANCES_MAX];
    struct watch *watch = context;
    const struct cluster *cluster = controller_cluster(controller);
    uint32_t count = cluster_instance_count(cluster);
    struct task_view task;
    (void)now_ns;
    assert_true(count <= INSTANCES_MAX);
    memset(uses, 0, count * sizeof *uses);
    watch->events++;
    watch->live = 0;
    for (task_id id = 0; controller_next_task(controller, id, &task); id = task.task) {
        assert_true(task.task > id);
        watch->live++;
        if (task.instance == INSTANCE_NONE)
            continue;
        charge(&uses[task.instance], &task);
        check_constraints(watch, controller, &task);
    }
    for (instance_id i = 0; i < count; i++) {
        const struct instance *instance = cluster_instance(cluster, i);
        assert_true(uses[i].cpu_units <= instance->cpu_registered);
        assert_true(uses[i].mem_mib <= instance->mem_registered);
        assert_true(uses[i].gpu_milli <= instance->gpu_count * BERTH_GPU_MILLI);
        assert_int_equal(instance->cpu_registered - instance->cpu_remaining, uses[i].cpu_units);
        assert_int_equal(instance->mem_registered - instance->mem_remaining, uses[i].mem_mib);
    }
}

static void check_result(const struct run_result *result)
{
    const double *m = result->metrics;
    assert_true(m[METRIC_TASKS_REQUESTED] ==
                m[METRIC_TASKS_PLACED] + m[METRIC_TASKS_REFUSED] + m[METRIC_TASKS_WAITING]);
    assert_true(m[METRIC_REFUSED_CPU] + m[METRIC_REFUSED_MEMORY] + m[METRIC_REFUSED_GPU] +
                    m[METRIC_REFUSED_PORTS] + m[METRIC_REFUSED_CONSTRAINT] +
                    m[METRIC_REFUSED_AGENT] + m[METRIC_REFUSED_OTHER] ==
                m[METRIC_TASKS_REFUSED]);
    assert_true(m[METRIC_WAITING_CPU] + m[METRIC_WAITING_MEMORY] + m[METRIC_WAITING_GPU] +
                    m[METRIC_WAITING_PORTS] + m[METRIC_WAITING_CONSTRAINT] +
                    m[METRIC_WAITING_AGENT] + m[METRIC_WAITING_OTHER] ==
                m[METRIC_TASKS_WAITING]);
    assert_true(isnan(m[METRIC_AVAILABILITY]) ||
                (m[METRIC_AVAILABILITY] >= 0 && m[METRIC_AVAILABILITY] <= 1));
    assert_true(!(m[METRIC_CPU_RESERVED_RATIO] > 1) && !(m[METRIC_MEMORY_RESERVED_RATIO] > 1) &&
                !(m[METRIC_GPU_RESERVED_RATIO] > 1));
    assert_true(!(m[METRIC_CPU_RESERVED_RATIO] + m[METRIC_CPU_STRANDED_RATIO] > 1 + 1e-12));
    assert_true(!(m[METRIC_BLAST_RADIUS_MAX] > 1));
    assert_true(m[METRIC_TASKS_RUNNING_MAX] + 1e-9 >= m[METRIC_TASKS_RUNNING_MEAN] ||
                isnan(m[METRIC_TASKS_RUNNING_MEAN]));
    assert_true((double)histogram_count(result->waits) <= m[METRIC_TASKS_PLACED]);
    assert_int_equal(result->sample_count, 200);
}

static struct scenario_set *load(uint64_t seed, struct text *json)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL;
    struct rng rng = {.key = seed};
    write_scenario(json, &rng);
    if (scenario_load_text(json->bytes, json->length, ".", &set, &err) != BERTH_OK)
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, err.text, json->bytes);
    return set;
}

static void test_invariants_after_every_event(void **state)
{
    (void)state;
    uint64_t events = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct text json = TEXT_INIT;
        struct berth_error err = BERTH_ERROR_INIT;
        struct scenario_set *set = load(seed, &json);
        struct watch watch = {.scenario = set->variants[0]};
        const struct run_observer observer = {.after_event = after_event, .context = &watch};
        const struct run_options options = {
            .seed = seed, .audits = true, .wants_heat = true, .observer = &observer};
        struct run_result result;
        print_message("seed %llu\n", (unsigned long long)seed);
        if (run_replication(set->variants[0], &options, &result, &err) != BERTH_OK)
            fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, err.text, json.bytes);
        check_result(&result);
        events += watch.events;
        run_result_free(&result);
        scenario_set_destroy(set);
        text_free(&json);
    }
    assert_true(events > 10000);
}

/* The journal of a run: what it wrote, whole. */
static char *journal_of(const struct scenario *scenario, uint64_t seed, uint32_t replication)
{
    FILE *file = tmpfile();
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    assert_non_null(file);
    const struct run_options options = {
        .seed = seed, .replication = replication, .events = file, .transcript = file};
    assert_int_equal(run_replication(scenario, &options, &result, &err), BERTH_OK);
    for (int i = 0; i < METRIC_COUNT; i++)
        (void)fprintf(file, "%a\n", result.metrics[i]);
    run_result_free(&result);
    long size = ftell(file);
    char *bytes = mem_alloc((size_t)size + 1);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    (void)fclose(file);
    return bytes;
}

static void test_equal_inputs_give_equal_bytes(void **state)
{
    (void)state;
    unsigned different = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct text json = TEXT_INIT, again_json = TEXT_INIT;
        struct scenario_set *set = load(seed, &json), *again = load(seed, &again_json);
        char *one = journal_of(set->variants[0], seed, 0);
        char *two = journal_of(again->variants[0], seed, 0);
        char *other = journal_of(set->variants[0], seed, 1);
        assert_string_equal(one, two);
        different += strcmp(one, other) != 0;
        mem_free(one);
        mem_free(two);
        mem_free(other);
        scenario_set_destroy(set);
        scenario_set_destroy(again);
        text_free(&json);
        text_free(&again_json);
    }
    assert_true(different >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants_after_every_event),
        cmocka_unit_test(test_equal_inputs_give_equal_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
