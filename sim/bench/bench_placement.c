/*
 * bench_placement.c -- P1, P2, P3, P5, P7: where a task goes, by the index and by a plain scan.
 *
 * A fleet is filled; then in each turn one task is placed and a random one ends, so that the fleet
 * stays as full. A rate counts turns, with all the cluster's books in them. The naive scan takes
 * the same turns from the same state, and must choose the same instances.
 */
#include <math.h>
#include <string.h>

#include "sim/bench/crowd.h"
#include "sim/bench/lines.h"

#define FILL_PERCENT 85
#define SLICES 10
#define REPACKED 1000000
#define REPACK_SAMPLE 2000 /* placements from one that the naive scan makes too to the next */

static const struct placement_strategy_spec binpack[] = {{"binpack", "memory"}};
static const struct placement_strategy_spec spread[] = {
    {"spread", "attribute:ecs.availability-zone"}, {"spread", "instanceId"}};

static struct crowd_plan plan_binpack(uint32_t instances)
{
    return (struct crowd_plan){.instances = instances,
                               .groups = 40,
                               .cpu_steps = 32,
                               .mem_steps = 80,
                               .strategies = binpack,
                               .strategy_count = 1};
}

struct rates {         /* turns per second */
    double index;      /* of all turns */
    double best_index; /* of the best slice: what other work on the machine left alone */
    double best_naive;
};

/*
 * Slices of the one and of the other in turn, so that both meet the same machine. The naive turns
 * are fewer: a scan of 100,000 instances takes its time.
 */
static struct rates race(struct crowd *crowd, const struct bench_setting *setting,
                         struct bench_round *round)
{
    const uint32_t slice = setting->is_quick ? 10000 : 30000;
    const uint32_t fewer = 20000000 / crowd->plan.instances / (setting->is_quick ? 4 : 1);
    const uint32_t naive_slice = fewer < slice ? fewer : slice;
    instance_id *chosen = mem_alloc(SLICES * slice * sizeof *chosen);
    instance_id *expected = mem_alloc(SLICES * naive_slice * sizeof *expected);
    struct naive_crowd naive;
    struct rates rates = {.index = 0};
    double spent = 0;
    naive_crowd_open(&naive, crowd);
    for (uint32_t i = 0; i < SLICES; i++) {
        double index_s = crowd_turns(crowd, slice, chosen + i * slice);
        double naive_s = naive_crowd_turns(&naive, naive_slice, expected + i * naive_slice);
        spent += index_s;
        rates.best_index = fmax(rates.best_index, slice / index_s);
        rates.best_naive = fmax(rates.best_naive, naive_slice / naive_s);
    }
    rates.index = SLICES * slice / spent;
    (void)bench_check(round, memcmp(chosen, expected, SLICES * naive_slice * sizeof *chosen) == 0,
                      "%u choices on %u instances equal the plain scan's",
                      (unsigned)(SLICES * naive_slice), (unsigned)crowd->plan.instances);
    naive_crowd_close(&naive);
    mem_free(expected);
    mem_free(chosen);
    return rates;
}

/* The product's own plain reading of the rules, which is no fair race: it asks about everything. */
static void check_sample(struct crowd *crowd, struct bench_round *round)
{
    const uint32_t samples = crowd->plan.instances > 10000 ? 20 : 100;
    uint32_t equal = 0;
    double spent = 0;
    for (uint32_t i = 0; i < samples; i++) {
        struct placement_request request =
            crowd_request(crowd, bench_roll(&crowd->dice, crowd->plan.groups),
                          bench_roll(&crowd->dice, CROWD_SHAPES));
        double begin = bench_cpu_s();
        instance_id expected = placement_choose_by_scan(crowd->cluster, &request);
        spent += bench_cpu_s() - begin;
        equal += placement_choose(crowd->cluster, &request) == expected;
    }
    (void)bench_check(round, equal == samples,
                      "%u choices equal placement_choose_by_scan's (%.0f a second)",
                      (unsigned)samples, samples / spent);
    cluster_audit(crowd->cluster);
    (void)bench_check(round, true, "the cluster's books balance");
}

static struct rates measure_turns(const struct crowd_plan *plan,
                                  const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd crowd;
    crowd_open(&crowd, plan, setting->seed);
    crowd_fill(&crowd, FILL_PERCENT);
    size_t tasks = crowd.tasks.count;
    struct rates rates = race(&crowd, setting, round);
    (void)bench_check(round, crowd.tasks.count == tasks, "%zu tasks before and after", tasks);
    check_sample(&crowd, round);
    crowd_close(&crowd);
    return rates;
}

static void measure_line(const struct crowd_plan *plan, const char *words,
                         const struct bench_setting *setting, struct bench_round *round)
{
    struct rates rates = measure_turns(plan, setting, round);
    round->values[0] = rates.index * 1e-6;
    round->ratios[0] = rates.best_index / rates.best_naive;
    bench_describe(round, "%s, %u %% full, one placed and one ended, %u instances, %u groups",
                   words, FILL_PERCENT, (unsigned)plan->instances, (unsigned)plan->groups);
}

void bench_p1(const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd_plan plan = plan_binpack(10000);
    measure_line(&plan, "binpack(memory)", setting, round);
}

void bench_p2(const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd_plan plan = plan_binpack(100000);
    measure_line(&plan, "binpack(memory)", setting, round);
}

void bench_p3(const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd_plan plan = plan_binpack(10000);
    plan.groups = 1000;
    plan.strategies = spread;
    plan.strategy_count = 2;
    plan.is_spread = true;
    measure_line(&plan, "spread(zone), spread(instance)", setting, round);
}

/* How many times slower a hundred times the fleet is; the naive figure is how much the scan is. */
void bench_p5(const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd_plan small = plan_binpack(1000), large = plan_binpack(100000);
    struct rates at_small = measure_turns(&small, setting, round);
    struct rates at_large = measure_turns(&large, setting, round);
    round->values[0] = at_small.best_index / at_large.best_index;
    round->ratios[0] = at_small.best_naive / at_large.best_naive / round->values[0];
    bench_describe(round, "P1 with 1,000 instances (%.2f M/s) against 100,000 (%.2f M/s)",
                   at_small.best_index * 1e-6, at_large.best_index * 1e-6);
}

/* What the naive scan would have taken, from a sample of the placements. */
static double sample_naive(const struct crowd *crowd, struct naive_crowd *naive,
                           struct bench_round *round)
{
    uint32_t samples = 0, equal = 0;
    double spent = 0;
    for (size_t i = 0; i < crowd->tasks.count; i++) {
        struct crowd_task task = crowd->tasks.items[i];
        const struct demand *demand = &crowd->shapes[task.shape];
        if (i % REPACK_SAMPLE == 0) {
            double begin = bench_cpu_s();
            equal += naive_crowd_choose(naive, task.group, task.shape) == task.instance;
            spent += bench_cpu_s() - begin;
            samples++;
        }
        naive_charge(naive->fleet, task.instance, task.group, demand->cpu_units, demand->mem_mib,
                     1);
    }
    (void)bench_check(round, equal == samples, "a sample of %u choices equals the plain scan's",
                      (unsigned)samples);
    return spent / samples * (double)crowd->tasks.count;
}

void bench_p7(const struct bench_setting *setting, struct bench_round *round)
{
    struct crowd_plan plan = plan_binpack(100000);
    plan.cpu_steps = 18; /* ten tasks take 85% of the mean instance */
    plan.mem_steps = 58;
    struct crowd crowd;
    struct naive_crowd naive;
    crowd_open(&crowd, &plan, setting->seed);
    naive_crowd_open(&naive, &crowd);
    uint32_t placed = 0;
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < REPACKED; i++)
        placed += crowd_place(&crowd) != INSTANCE_NONE;
    round->values[0] = bench_cpu_s() - begin;
    (void)bench_check(round, placed == REPACKED, "%u of %u tasks have a place", (unsigned)placed,
                      (unsigned)REPACKED);
    round->ratios[0] = sample_naive(&crowd, &naive, round) / round->values[0];
    check_sample(&crowd, round);
    bench_describe(round, "%u tasks onto %u empty instances, binpack(memory)", (unsigned)REPACKED,
                   (unsigned)plan.instances);
    naive_crowd_close(&naive);
    crowd_close(&crowd);
}
