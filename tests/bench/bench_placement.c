/*
 * bench_placement.c -- placements per CPU second on fleets of 1,000 to 100,000 instances.
 *
 * Each fleet is filled to 85% of its memory or CPU by the strategy measured, with tasks of 24
 * shapes, of 40 groups over three zones. Then every turn places one task and ends a random one, so
 * the fleet stays as full as it is. A rate counts placements; the task that ends is part of the
 * cost. Five rounds; the median and the spread of the rounds. The scan is timed on the same state,
 * and a sample of the index's answers is checked against it. What fails the bench is a ratio, not
 * an absolute speed: the index must be RATIO_MIN times as fast as the scan of 10,000 instances in
 * the same process. Whether FLOOR_RATE was reached on 5,000 is said. An argument selects the lines
 * that contain it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/values.h"
#include "scheduler/placement/placement.h"

#define ROUNDS 5
#define GROUPS 40
#define SHAPES 24
#define FILL_PERCENT 85
#define SAMPLES 200
#define FLOOR_RATE 200000
#define FLOOR_INSTANCES 5000
#define RATIO_MIN 8
#define RATIO_INSTANCES 10000

struct running {
    instance_id instance;
    uint16_t group, shape;
};

struct bench {
    struct symbols *symbols;
    struct cluster *cluster;
    struct placement_plan *plan;
    group_id groups[GROUPS];
    struct demand shapes[SHAPES];
    struct rng dice, stream;
    struct running *tasks;
    size_t task_count, task_capacity;
    int64_t cpu_units, mem_mib, cpu_used, mem_used;
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint32_t roll(struct bench *bench, uint32_t limit)
{
    return (uint32_t)rng_below(&bench->dice, limit);
}

static void add_instances(struct bench *bench, uint32_t count)
{
    static const int32_t sizes[][2] = {{4096, 16384}, {8192, 32768}, {16384, 65536}, {8192, 65536}};
    for (uint32_t i = 0; i < count; i++) {
        char name[40], zone[16];
        snprintf(name, sizeof name, "%032x", i);
        snprintf(zone, sizeof zone, "zone-%c", (char)('a' + i % 3));
        struct attribute attribute = {symbols_add(bench->symbols, "ecs.availability-zone"),
                                      symbols_add(bench->symbols, zone)};
        const int32_t *size = sizes[i / 3 % 4];
        struct instance_spec spec = {.name = name,
                                     .agent_version = "1.105.0",
                                     .cpu_units = size[0],
                                     .mem_mib = size[1],
                                     .attributes = &attribute,
                                     .attribute_count = 1};
        cluster_add_instance(bench->cluster, &spec);
        bench->cpu_units += size[0];
        bench->mem_mib += size[1];
    }
}

static struct placement_request request_for(struct bench *bench, uint32_t group, uint32_t shape)
{
    return (struct placement_request){.plan = bench->plan,
                                      .demand = &bench->shapes[shape],
                                      .group = bench->groups[group],
                                      .stream = &bench->stream};
}

static bool place(struct bench *bench)
{
    struct running task = {.group = (uint16_t)roll(bench, GROUPS),
                           .shape = (uint16_t)roll(bench, SHAPES)};
    struct placement_request request = request_for(bench, task.group, task.shape);
    struct gpu_grant grants[GPU_DEVICES_MAX];
    task.instance = placement_choose(bench->cluster, &request);
    if (task.instance == INSTANCE_NONE)
        return false;
    cluster_reserve(bench->cluster, task.instance, request.demand, grants);
    cluster_join(bench->cluster, task.instance, request.group);
    bench->cpu_used += request.demand->cpu_units;
    bench->mem_used += request.demand->mem_mib;
    if (bench->task_count == bench->task_capacity)
        bench->tasks = mem_grow(bench->tasks, &bench->task_capacity, bench->task_count + 1,
                                sizeof *bench->tasks);
    bench->tasks[bench->task_count++] = task;
    return true;
}

static void end_one(struct bench *bench)
{
    size_t at = roll(bench, (uint32_t)bench->task_count);
    struct running task = bench->tasks[at];
    bench->tasks[at] = bench->tasks[--bench->task_count];
    cluster_release(bench->cluster, task.instance, &bench->shapes[task.shape], NULL, 0);
    cluster_leave(bench->cluster, task.instance, bench->groups[task.group]);
    bench->cpu_used -= bench->shapes[task.shape].cpu_units;
    bench->mem_used -= bench->shapes[task.shape].mem_mib;
}

static struct bench begin(uint32_t instances, const struct placement_strategy_spec *strategies,
                          size_t strategy_count)
{
    struct bench bench = {.symbols = symbols_create(), .dice = {rng_key(7, "bench", 0), 0}};
    struct berth_error err = BERTH_ERROR_INIT;
    bench.cluster = cluster_create(bench.symbols);
    bench.stream.key = rng_key(7, "strategy", 0);
    if (placement_plan_create(bench.symbols, NULL, strategies, strategy_count, NULL, 0,
                              PLACEMENT_DEFAULT_SERVICE, &bench.plan, &err) != BERTH_OK)
        exit((fprintf(stderr, "%s\n", err.text), 1));
    for (uint32_t i = 0; i < GROUPS; i++) {
        char name[32];
        snprintf(name, sizeof name, "service:s%u", i);
        bench.groups[i] = cluster_group(bench.cluster, symbols_add(bench.symbols, name));
    }
    for (uint32_t i = 0; i < SHAPES; i++)
        bench.shapes[i] = (struct demand){.cpu_units = 64 + (int32_t)roll(&bench, 32) * 64,
                                          .mem_mib = 128 + (int32_t)roll(&bench, 80) * 128};
    add_instances(&bench, instances);
    while (bench.cpu_used * 100 < bench.cpu_units * FILL_PERCENT &&
           bench.mem_used * 100 < bench.mem_mib * FILL_PERCENT && place(&bench))
        continue;
    return bench;
}

static void end(struct bench *bench)
{
    placement_plan_destroy(bench->plan);
    cluster_destroy(bench->cluster);
    symbols_destroy(bench->symbols);
    mem_free(bench->tasks);
}

static int compare_rates(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double rate_of(struct bench *bench, uint32_t turns)
{
    double start = cpu_seconds();
    for (uint32_t i = 0; i < turns; i++)
        if (place(bench))
            end_one(bench);
    return turns / (cpu_seconds() - start);
}

/* Time of the scan on this state, and the answers compared. */
static double check_against_scan(struct bench *bench, uint32_t samples)
{
    double spent = 0;
    for (uint32_t i = 0; i < samples; i++) {
        struct placement_request request =
            request_for(bench, roll(bench, GROUPS), roll(bench, SHAPES));
        struct rng before = bench->stream;
        double start = cpu_seconds();
        instance_id expected = placement_choose_by_scan(bench->cluster, &request);
        spent += cpu_seconds() - start;
        bench->stream = before;
        instance_id chosen = placement_choose(bench->cluster, &request);
        if (chosen != expected) {
            fprintf(stderr, "bench: the index chose %u, the scan %u\n", chosen, expected);
            exit(1);
        }
        if (place(bench))
            end_one(bench);
    }
    return samples / spent;
}

struct verdict {
    double rate;  /* median at FLOOR_INSTANCES */
    double ratio; /* to the scan at RATIO_INSTANCES */
};

/* Prints a line per fleet. */
static struct verdict measure(const char *label, const struct placement_strategy_spec *strategies,
                              size_t strategy_count)
{
    static const uint32_t fleets[] = {1000, FLOOR_INSTANCES, RATIO_INSTANCES, 100000};
    struct verdict verdict = {0};
    for (size_t i = 0; i < sizeof fleets / sizeof fleets[0]; i++) {
        struct bench bench = begin(fleets[i], strategies, strategy_count);
        double rates[ROUNDS];
        uint32_t turns = 2000;
        double trial = rate_of(&bench, turns);
        turns = trial * 0.1 < 200 ? 200 : (uint32_t)(trial * 0.1);
        for (int round = 0; round < ROUNDS; round++)
            rates[round] = rate_of(&bench, turns);
        qsort(rates, ROUNDS, sizeof rates[0], compare_rates);
        uint32_t samples = fleets[i] > 10000 ? SAMPLES / 4 : SAMPLES;
        double scan = check_against_scan(&bench, samples);
        printf("%-28s %9u %9zu %9.0f %6.1f%% %9.0f %8.0f  %u\n", label, fleets[i], bench.task_count,
               rates[ROUNDS / 2], 100 * (rates[ROUNDS - 1] - rates[0]) / rates[ROUNDS / 2], scan,
               rates[ROUNDS / 2] / scan, samples);
        fflush(stdout);
        if (fleets[i] == FLOOR_INSTANCES)
            verdict.rate = rates[ROUNDS / 2];
        if (fleets[i] == RATIO_INSTANCES)
            verdict.ratio = rates[ROUNDS / 2] / scan;
        end(&bench);
    }
    return verdict;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *label;
        struct placement_strategy_spec strategies[2];
        size_t count;
        bool has_floor;
    } lines[] = {
        {"binpack(memory)", {{"binpack", "memory"}}, 1, true},
        {"spread(zone)+binpack(memory)",
         {{"spread", "attribute:ecs.availability-zone"}, {"binpack", "memory"}},
         2,
         true},
        {"default of a service", {{NULL, NULL}}, 0, false},
        {"firstFit", {{"firstFit", NULL}}, 1, false},
        {"bestFit", {{"bestFit", NULL}}, 1, false},
        {"worstFit", {{"worstFit", NULL}}, 1, false},
        {"random", {{"random", NULL}}, 1, false},
        {"twoChoices", {{"twoChoices", NULL}}, 1, false},
        {"spread(instance)+binpack(cpu)", {{"spread", "instanceId"}, {"binpack", "cpu"}}, 2, false},
    };
    int code = 0;
    printf("placement: one placed, one ended, %d%% full; placements per CPU second\n",
           FILL_PERCENT);
    printf("%-28s %9s %9s %9s %7s %9s %8s  %s\n", "strategy", "instances", "tasks", "index",
           "spread", "scan", "ratio", "equal to the scan");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (argc > 1 && strstr(lines[i].label, argv[1]) == NULL)
            continue;
        struct verdict verdict = measure(lines[i].label, lines[i].strategies, lines[i].count);
        if (lines[i].has_floor)
            printf("floor of %d at %d instances: %s\n", FLOOR_RATE, FLOOR_INSTANCES,
                   verdict.rate >= FLOOR_RATE ? "met" : "MISSED");
        if (verdict.ratio < RATIO_MIN) {
            printf("FAILED: less than %d times the scan at %d instances\n", RATIO_MIN,
                   RATIO_INSTANCES);
            code = 1;
        }
    }
    return code;
}
