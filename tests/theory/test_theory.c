/*
 * Scenarios whose answers are known in closed form, run through the whole of berth: controller,
 * agents, queue, metrics. A mean over independent replications is held against the formula within
 * four standard errors; seeds are fixed, so a test that passes keeps passing. Little's law is an
 * identity that every replication asserts of itself, in integers, when it ends (collect.c).
 *
 * Sources of the formulas: Kleinrock, Queueing Systems I (1975), 3.5 M/M/m/m, 3.4 M/M/m, 3.8 finite
 * population; insensitivity of B: Sevastyanov (1957).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/run/histogram.h"
#include "sim/run/run.h"

#define FOLDER "scenarios/theory/"
#define HOUR_S 3600.0

struct estimate {
    double sum, squares;
    unsigned count;
};

static void add(struct estimate *estimate, double value)
{
    assert_true(value == value);
    estimate->sum += value;
    estimate->squares += value * value;
    estimate->count++;
}

static void assert_is(const char *what, const char *variant, const struct estimate *estimate,
                      double wanted)
{
    double n = estimate->count, mean = estimate->sum / n;
    double error = sqrt(fmax(0, estimate->squares / n - mean * mean) / (n - 1));
    print_message("%s %s: %.6f, theory %.6f, standard error %.6f\n", variant, what, mean, wanted,
                  error);
    /* The error must be small as well, or anything would pass. */
    assert_true(error < 0.06 * fmax(wanted, 0.05));
    assert_true(fabs(mean - wanted) <= 4 * error);
}

static struct scenario_set *load(const char *name)
{
    char path[128];
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    snprintf(path, sizeof path, FOLDER "%s.json", name);
    if (scenario_load(path, &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return set;
}

static void run(const struct scenario *scenario, uint32_t replication, struct run_result *result)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = scenario->run.seed, .replication = replication};
    if (run_replication(scenario, &options, result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
}

/* The recursion of B over the servers. */
static double erlang_b(unsigned servers, double load)
{
    double b = 1;
    for (unsigned i = 1; i <= servers; i++)
        b = load * b / (i + load * b);
    return b;
}

static double erlang_c(unsigned servers, double load)
{
    double b = erlang_b(servers, load);
    return servers * b / (servers - load * (1 - b));
}

static double load_of(const struct scenario *scenario)
{
    return scenario->arrivals[0].rate_per_hour / HOUR_S *
           distribution_mean(&scenario->arrivals[0].lifetime);
}

static void test_erlang_b_for_any_lifetime(void **state)
{
    (void)state;
    struct scenario_set *set = load("erlang-b");
    assert_true(set->variant_count >= 18);
    for (uint32_t v = 0; v < set->variant_count; v++) {
        const struct scenario *scenario = set->variants[v];
        unsigned slots = scenario->groups[0].count;
        double load = load_of(scenario), blocked = erlang_b(slots, load);
        struct estimate refused = {0}, busy = {0};
        for (uint32_t r = 0; r < scenario->run.replications; r++) {
            struct run_result result;
            run(scenario, r, &result);
            assert_true(result.metrics[METRIC_TASKS_REQUESTED] ==
                        result.metrics[METRIC_TASKS_PLACED] + result.metrics[METRIC_TASKS_REFUSED]);
            assert_true(result.metrics[METRIC_REFUSED_CPU] == result.metrics[METRIC_TASKS_REFUSED]);
            add(&refused, result.metrics[METRIC_REFUSED_RATIO]);
            add(&busy, result.metrics[METRIC_CPU_RESERVED_RATIO]);
            run_result_free(&result);
        }
        assert_is("refused", scenario->variant, &refused, blocked);
        assert_is("busy", scenario->variant, &busy, load * (1 - blocked) / slots);
    }
    scenario_set_destroy(set);
}

static void test_erlang_c_waits(void **state)
{
    (void)state;
    struct scenario_set *set = load("erlang-c");
    for (uint32_t v = 0; v < set->variant_count; v++) {
        const struct scenario *scenario = set->variants[v];
        unsigned slots = scenario->groups[0].count;
        double load = load_of(scenario), must_wait = erlang_c(slots, load);
        double service_s = distribution_mean(&scenario->arrivals[0].lifetime);
        struct estimate wait = {0}, queue = {0}, delayed = {0};
        for (uint32_t r = 0; r < scenario->run.replications; r++) {
            struct run_result result;
            int64_t upper;
            uint64_t at_once;
            run(scenario, r, &result);
            histogram_bucket(result.waits, 0, &upper, &at_once);
            assert_int_equal(upper, 0);
            add(&delayed, 1 - (double)at_once / (double)histogram_count(result.waits));
            add(&wait, result.metrics[METRIC_PLACEMENT_WAIT_MEAN]);
            add(&queue, result.metrics[METRIC_TASKS_WAITING_MEAN]);
            assert_true(result.metrics[METRIC_TASKS_REFUSED] == 0);
            run_result_free(&result);
        }
        double mean_wait = must_wait * service_s / (slots - load);
        assert_is("P(wait)", scenario->variant, &delayed, must_wait);
        assert_is("mean wait", scenario->variant, &wait, mean_wait);
        assert_is("queue", scenario->variant, &queue, mean_wait * load / service_s);
    }
    scenario_set_destroy(set);
}

static double window_h(const struct scenario *scenario)
{
    return (double)(scenario->run.duration_ns - scenario->run.warm_up_ns) / (double)BERTH_NS_PER_S /
           HOUR_S;
}

static void test_availability_is_m_over_m_plus_r(void **state)
{
    (void)state;
    struct scenario_set *set = load("availability");
    for (uint32_t v = 0; v < set->variant_count; v++) {
        const struct scenario *scenario = set->variants[v];
        double m = distribution_mean(&scenario->failures[0].mtbf);
        double r = distribution_mean(&scenario->failures[0].mttr);
        struct estimate up = {0}, served = {0};
        for (uint32_t k = 0; k < scenario->run.replications; k++) {
            struct run_result result;
            run(scenario, k, &result);
            add(&up, result.metrics[METRIC_INSTANCE_HOURS] / window_h(scenario) /
                         scenario->groups[0].count);
            add(&served, result.metrics[METRIC_AVAILABILITY]);
            run_result_free(&result);
        }
        assert_is("hosts up", scenario->variant, &up, m / (m + r));
        /* After a power cut that lasts less than the time to notice, copies start afresh. */
        assert_is("available", scenario->variant, &served, m / (m + r));
    }
    scenario_set_destroy(set);
}

/* Birth and death: k machines down, failures at (n - k) / m, repairs at min(k, r) / s. */
static double repairman_up(unsigned machines, unsigned repairers, double m, double s)
{
    double p = 1, sum = 1, up = machines;
    for (unsigned k = 1; k <= machines; k++) {
        p *= (machines - k + 1) / m / ((k < repairers ? k : repairers) / s);
        sum += p;
        up += p * (machines - k);
    }
    return up / sum;
}

static void test_machine_repairman(void **state)
{
    (void)state;
    struct scenario_set *set = load("repairman");
    for (uint32_t v = 0; v < set->variant_count; v++) {
        const struct scenario *scenario = set->variants[v];
        const struct scenario_failure *failure = &scenario->failures[0];
        struct estimate up = {0};
        for (uint32_t k = 0; k < scenario->run.replications; k++) {
            struct run_result result;
            run(scenario, k, &result);
            add(&up, result.metrics[METRIC_INSTANCE_HOURS] / window_h(scenario));
            run_result_free(&result);
        }
        assert_is("machines up", scenario->variant, &up,
                  repairman_up(scenario->groups[0].count, failure->repairers,
                               distribution_mean(&failure->mtbf),
                               distribution_mean(&failure->mttr)));
    }
    scenario_set_destroy(set);
}

/* One-dimensional packing, read from the same file and done naively. */

struct item {
    double arrival_s, lifetime_s;
    int cpu, bin; /* bin -1: not placed, -2: gone */
};

struct packing {
    struct item *items;
    size_t count;
    int *free_units, *held;
    int bin_count;
    double used_integral, since_s, end_s;
    int used, used_max;
};

static void read_items(struct packing *packing)
{
    char line[128];
    FILE *file = fopen(FOLDER "packing.csv", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    packing->items = mem_alloc(10000 * sizeof *packing->items);
    while (fgets(line, sizeof line, file) != NULL) {
        struct item *item = &packing->items[packing->count++];
        assert_int_equal(
            sscanf(line, "%lf,%lf,%d", &item->arrival_s, &item->lifetime_s, &item->cpu), 3);
        item->bin = -1;
    }
    (void)fclose(file);
}

/* First fit: the first bin with room. Best fit: the fullest; then the fewest items (U1). */
static int choose(const struct packing *packing, int cpu, bool is_best_fit)
{
    int best = -1;
    for (int i = 0; i < packing->bin_count; i++) {
        if (packing->free_units[i] < cpu)
            continue;
        if (best < 0 || (is_best_fit && (packing->free_units[i] < packing->free_units[best] ||
                                         (packing->free_units[i] == packing->free_units[best] &&
                                          packing->held[i] < packing->held[best]))))
            best = i;
    }
    return best;
}

static void use(struct packing *packing, double now_s, int change)
{
    packing->used_integral += packing->used * (now_s - packing->since_s);
    packing->since_s = now_s;
    packing->used += change;
    if (packing->used > packing->used_max)
        packing->used_max = packing->used;
}

static void release_until(struct packing *packing, double now_s)
{
    for (;;) {
        struct item *first = NULL;
        for (size_t i = 0; i < packing->count; i++) {
            struct item *item = &packing->items[i];
            if (item->bin >= 0 && item->arrival_s + item->lifetime_s < now_s &&
                (first == NULL ||
                 item->arrival_s + item->lifetime_s < first->arrival_s + first->lifetime_s))
                first = item;
        }
        if (first == NULL)
            return;
        packing->free_units[first->bin] += first->cpu;
        if (--packing->held[first->bin] == 0)
            use(packing, first->arrival_s + first->lifetime_s, -1);
        first->bin = -2;
    }
}

static void pack(struct packing *packing, bool is_best_fit)
{
    for (size_t i = 0; i < packing->count; i++) {
        struct item *item = &packing->items[i];
        release_until(packing, item->arrival_s);
        item->bin = choose(packing, item->cpu, is_best_fit);
        assert_true(item->bin >= 0);
        packing->free_units[item->bin] -= item->cpu;
        if (packing->held[item->bin]++ == 0)
            use(packing, item->arrival_s, 1);
    }
    release_until(packing, packing->end_s);
    use(packing, packing->end_s, 0);
}

static void test_packing_equals_the_naive_algorithms(void **state)
{
    (void)state;
    struct scenario_set *set = load("packing");
    assert_int_equal(set->variant_count, 3);
    for (uint32_t v = 0; v < set->variant_count; v++) {
        const struct scenario *scenario = set->variants[v];
        struct run_result result;
        struct packing packing = {.bin_count = (int)scenario->groups[0].count};
        packing.end_s = (double)scenario->run.duration_ns / (double)BERTH_NS_PER_S;
        packing.free_units = mem_alloc(scenario->groups[0].count * sizeof *packing.free_units);
        packing.held = mem_alloc(scenario->groups[0].count * sizeof *packing.held);
        for (int i = 0; i < packing.bin_count; i++)
            packing.free_units[i] = scenario->groups[0].cpu_units;
        read_items(&packing);
        pack(&packing, strcmp(scenario->variant, "first-fit") != 0);
        run(scenario, 0, &result);
        double mean = packing.used_integral / packing.end_s;
        print_message("%s: %d bins at most, %.6f on average\n", scenario->variant, packing.used_max,
                      mean);
        assert_int_equal((int)result.metrics[METRIC_INSTANCES_IN_USE_MAX], packing.used_max);
        assert_true(fabs(result.metrics[METRIC_INSTANCES_IN_USE_MEAN] - mean) < 1e-9 * mean);
        assert_int_equal((int)result.metrics[METRIC_TASKS_PLACED], (int)packing.count);
        run_result_free(&result);
        mem_free(packing.items);
        mem_free(packing.free_units);
        mem_free(packing.held);
    }
    scenario_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erlang_b_for_any_lifetime),
        cmocka_unit_test(test_erlang_c_waits),
        cmocka_unit_test(test_availability_is_m_over_m_plus_r),
        cmocka_unit_test(test_machine_repairman),
        cmocka_unit_test(test_packing_equals_the_naive_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
