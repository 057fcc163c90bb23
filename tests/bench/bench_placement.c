/*
 * bench_placement.c -- placements per CPU second by every strategy, on 1,000 to 100,000 instances.
 *
 * The crowd of `berth bench P1`, with strategies that have no line there. A rate counts placements;
 * the task that ends is part of the cost. Five rounds; the median and the spread of the rounds. The
 * scan is timed on the same state, and a sample of the index's answers is checked against it. What
 * fails the bench is a ratio, not an absolute speed: the index must be RATIO_MIN times as fast as
 * the scan of 10,000 instances in the same process. Whether FLOOR_RATE was reached on 5,000 is
 * said. An argument selects the lines that contain it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/placement/placement.h"
#include "sim/bench/crowd.h"

#define ROUNDS 5
#define GROUPS 40
#define FILL_PERCENT 85
#define SAMPLES 200
#define FLOOR_RATE 200000
#define FLOOR_INSTANCES 5000
#define RATIO_MIN 8
#define RATIO_INSTANCES 10000

static int compare_rates(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double rate_of(struct crowd *crowd, uint32_t turns)
{
    instance_id *chosen = mem_alloc(turns * sizeof *chosen);
    double spent_s = crowd_turns(crowd, turns, chosen);
    mem_free(chosen);
    return turns / spent_s;
}

/* Time of the scan on this state, and the answers compared. */
static double check_against_scan(struct crowd *crowd, uint32_t samples)
{
    double spent_s = 0;
    for (uint32_t i = 0; i < samples; i++) {
        struct placement_request request = crowd_request(crowd, bench_roll(&crowd->dice, GROUPS),
                                                         bench_roll(&crowd->dice, CROWD_SHAPES));
        struct rng before = crowd->stream;
        double begin_s = bench_cpu_s();
        instance_id expected = placement_choose_by_scan(crowd->cluster, &request), after;
        spent_s += bench_cpu_s() - begin_s;
        crowd->stream = before;
        instance_id chosen = placement_choose(crowd->cluster, &request);
        if (chosen != expected) {
            fprintf(stderr, "bench: the index chose %u, the scan %u\n", chosen, expected);
            exit(1);
        }
        (void)crowd_turns(crowd, 1, &after);
    }
    return samples / spent_s;
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
        const struct crowd_plan plan = {.instances = fleets[i],
                                        .groups = GROUPS,
                                        .cpu_steps = 32,
                                        .mem_steps = 80,
                                        .strategies = strategies,
                                        .strategy_count = strategy_count};
        struct crowd crowd;
        crowd_open(&crowd, &plan, 7);
        crowd_fill(&crowd, FILL_PERCENT);
        double rates[ROUNDS];
        uint32_t turns = 2000;
        double trial = rate_of(&crowd, turns);
        turns = trial * 0.1 < 200 ? 200 : (uint32_t)(trial * 0.1);
        for (int round = 0; round < ROUNDS; round++)
            rates[round] = rate_of(&crowd, turns);
        qsort(rates, ROUNDS, sizeof rates[0], compare_rates);
        uint32_t samples = fleets[i] > 10000 ? SAMPLES / 4 : SAMPLES;
        double scan = check_against_scan(&crowd, samples);
        printf("%-28s %9u %9zu %9.0f %6.1f%% %9.0f %8.0f  %u\n", label, fleets[i],
               crowd.tasks.count, rates[ROUNDS / 2],
               100 * (rates[ROUNDS - 1] - rates[0]) / rates[ROUNDS / 2], scan,
               rates[ROUNDS / 2] / scan, samples);
        fflush(stdout);
        if (fleets[i] == FLOOR_INSTANCES)
            verdict.rate = rates[ROUNDS / 2];
        if (fleets[i] == RATIO_INSTANCES)
            verdict.ratio = rates[ROUNDS / 2] / scan;
        crowd_close(&crowd);
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
