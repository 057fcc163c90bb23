/*
 * bench_run.c -- whole replications per CPU second, on fleets of 1,000 to 100,000 instances.
 *
 * Two loads. "fill": ten tasks an instance arrive in forty batches of equal shape and stay; the
 * rate counts placements by the CPU time of the whole run, in which every task is also told to its
 * agent, acknowledged, pulled, started, reported and acknowledged. "churn": tasks arrive, live and
 * end on a fleet that is 70% full; the rate counts simulated events (everything taken from the
 * queue and every step of the controller and of an agent). Controller, agents, network and metrics
 * are in the loop in both. Three rounds each but for the largest; the median counts. What is
 * checked: every task asked for was placed, and the run's own books balance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "scheduler/base/text.h"
#include "sim/run/run.h"

#define SHAPES 40
#define TASKS_PER_INSTANCE 10
#define PLACEMENTS_PER_S_FLOOR 200000.0
#define EVENTS_PER_S_FLOOR 1000000.0

struct strategy {
    const char *name, *json;
};

static const struct strategy strategies[] = {
    {"binpack", "[{\"type\":\"binpack\",\"field\":\"memory\"}]"},
    {"zone spread, binpack", "[{\"type\":\"spread\",\"field\":\"attribute:ecs.availability-zone\"},"
                             "{\"type\":\"binpack\",\"field\":\"memory\"}]"},
};

struct outcome {
    double cpu_s, placements_per_s, events_per_s;
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Shapes of 128 to 640 CPU units and 256 to 1536 MiB; ten of the mean take 68% of an instance. */
static void add_shapes(struct text *json)
{
    text_add(json, "\"taskDefinitions\":{");
    for (unsigned i = 0; i < SHAPES; i++)
        text_addf(json,
                  "%s\"t%u\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i%u\","
                  "\"cpu\":%u,\"memory\":%u}]}",
                  i == 0 ? "" : ",", i, i, 128 + i * 37 % 9 * 64, 256 + i * 23 % 6 * 256);
    text_add(json, "},");
}

static void write_scenario(struct text *json, unsigned instances, const char *strategy,
                           bool is_churn)
{
    text_addf(
        json,
        "{\"version\":1,\"name\":\"bench\",\"fleet\":{\"all\":{\"count\":%u,\"cpu\":\"8 vCPU\","
        "\"memory\":\"16 GB\",\"zones\":[\"a\",\"b\",\"c\"]}},",
        instances);
    add_shapes(json);
    text_add(json, "\"arrivals\":{");
    unsigned each = instances * TASKS_PER_INSTANCE / SHAPES;
    for (unsigned i = 0; i < SHAPES; i++) {
        if (is_churn) /* by Little's law: rate x 600 s = `each` */
            text_addf(json,
                      "%s\"a%u\":{\"ratePerHour\":%u,\"taskDefinition\":\"t%u\",\"lifetime\":"
                      "{\"distribution\":\"exponential\",\"mean\":600}}",
                      i == 0 ? "" : ",", i, each * 6, i);
        else
            text_addf(json, "%s\"a%u\":{\"batch\":%u,\"startAt\":%u,\"taskDefinition\":\"t%u\"}",
                      i == 0 ? "" : ",", i, each, i, i);
    }
    text_addf(json, "},\"run\":{\"duration\":%u,\"replications\":1,\"placementStrategy\":%s}}",
              is_churn ? 1200 : 60, strategy);
}

static struct outcome run_once(const struct scenario *scenario, uint32_t replication)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1, .replication = replication};
    struct run_result result;
    double before_s = cpu_seconds();
    if (run_replication(scenario, &options, &result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    struct outcome outcome = {.cpu_s = cpu_seconds() - before_s};
    assert_true(result.metrics[METRIC_TASKS_PLACED] == result.metrics[METRIC_TASKS_REQUESTED]);
    assert_true(result.metrics[METRIC_TASKS_PLACED] > 0);
    outcome.placements_per_s = result.metrics[METRIC_TASKS_PLACED] / outcome.cpu_s;
    outcome.events_per_s = result.metrics[METRIC_EVENTS] / outcome.cpu_s;
    run_result_free(&result);
    return outcome;
}

static int by_cpu(const void *a, const void *b)
{
    double x = ((const struct outcome *)a)->cpu_s, y = ((const struct outcome *)b)->cpu_s;
    return x < y ? -1 : x > y;
}

static struct outcome measure(unsigned instances, const struct strategy *strategy, bool is_churn)
{
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set;
    struct outcome rounds[3];
    uint32_t count = instances > 10000 ? 1 : 3;
    write_scenario(&json, instances, strategy->json, is_churn);
    if (scenario_load_text(json.bytes, json.length, ".", &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    for (uint32_t i = 0; i < count; i++)
        rounds[i] = run_once(set->variants[0], i);
    qsort(rounds, count, sizeof *rounds, by_cpu);
    printf("%-6s %-22s %9u %9u %9.3f %14.0f %12.0f\n", is_churn ? "churn" : "fill", strategy->name,
           instances, instances * TASKS_PER_INSTANCE, rounds[count / 2].cpu_s,
           rounds[count / 2].placements_per_s, rounds[count / 2].events_per_s);
    fflush(stdout);
    scenario_set_destroy(set);
    text_free(&json);
    return rounds[count / 2];
}

/* Absolute speed is said; only the shape can fail: a hundred times the fleet, not a tenth as fast.
 */
static void test_speed(void **state)
{
    static const unsigned fleets[] = {1000, 5000, 10000, 100000};
    double small_fleet = 0;
    (void)state;
    printf("%-6s %-22s %9s %9s %9s %14s %12s\n", "load", "strategy", "instances", "tasks", "CPU s",
           "placements/s", "events/s");
    for (size_t s = 0; s < sizeof strategies / sizeof *strategies; s++)
        for (size_t f = 0; f < sizeof fleets / sizeof *fleets; f++) {
            struct outcome fill = measure(fleets[f], &strategies[s], false);
            struct outcome churn = measure(fleets[f], &strategies[s], true);
            if (fleets[f] == 1000)
                small_fleet = fill.placements_per_s;
            if (fleets[f] == 5000)
                printf("floor of %.0f placements/s: %s; of %.0f events/s: %s\n",
                       PLACEMENTS_PER_S_FLOOR,
                       fill.placements_per_s >= PLACEMENTS_PER_S_FLOOR ? "met" : "MISSED",
                       EVENTS_PER_S_FLOOR,
                       churn.events_per_s >= EVENTS_PER_S_FLOOR ? "met" : "MISSED");
            assert_true(fill.placements_per_s * 10 >= small_fleet);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
