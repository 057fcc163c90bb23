#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "sim/scenario/scenario.h"
#include "sim/workload/source.h"

#define S BERTH_NS_PER_S
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

static struct scenario_arrival make(enum arrival_process process)
{
    return (struct scenario_arrival){.name = "jobs",
                                     .process = process,
                                     .limit = UINT64_MAX,
                                     .end_ns = BERTH_NS_NEVER,
                                     .count = 1,
                                     .task_definition = "job"};
}

static struct source *open(const struct scenario_arrival *arrival, uint64_t key, berth_ns duration)
{
    struct source *source;
    struct berth_error err = BERTH_ERROR_INIT;
    if (source_open(arrival, key, duration, &source, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return source;
}

static bool next(struct source *source, struct source_task *task)
{
    bool has_task;
    struct berth_error err = BERTH_ERROR_INIT;
    if (source_next(source, task, &has_task, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return has_task;
}

/* All arrivals, counted in `bins` equal parts of the duration; checks order and numbers. */
static uint64_t count_in_bins(const struct scenario_arrival *arrival, uint64_t key,
                              berth_ns duration, uint64_t *bins, size_t bin_count)
{
    struct source *source = open(arrival, key, duration);
    struct source_task task;
    uint64_t count = 0;
    berth_ns before = arrival->start_ns;
    memset(bins, 0, bin_count * sizeof *bins);
    for (; next(source, &task); count++) {
        assert_true(task.at_ns >= before && task.at_ns < duration);
        assert_int_equal(task.number, count);
        before = task.at_ns;
        bins[(uint64_t)task.at_ns / ((uint64_t)duration / bin_count)]++;
    }
    assert_false(next(source, &task));
    source_close(source);
    return count;
}

/* 1,000 hours at 100 an hour: the count within 4 sigma, counts per hour with variance = mean. */
static void test_poisson(void **state)
{
    (void)state;
    static uint64_t bins[1000];
    struct scenario_arrival arrival = make(ARRIVAL_POISSON);
    arrival.rate_per_hour = 100;
    uint64_t count = count_in_bins(&arrival, 11, 1000 * HOUR, bins, 1000);
    assert_true(fabs((double)count - 100000) < 4 * sqrt(100000));
    double sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += pow((double)bins[i] - 100, 2);
    double dispersion = sum / 1000 / 100; /* 1 with standard deviation sqrt(2/1000) = 0.045 */
    assert_true(fabs(dispersion - 1) < 0.18);
}

static void test_rate_zero_and_windows(void **state)
{
    (void)state;
    uint64_t bins[4];
    struct scenario_arrival arrival = make(ARRIVAL_POISSON);
    assert_int_equal(count_in_bins(&arrival, 1, HOUR, bins, 4), 0);
    arrival.rate_per_hour = 1000;
    arrival.start_ns = HOUR / 4;
    arrival.end_ns = HOUR / 2;
    assert_true(count_in_bins(&arrival, 1, HOUR, bins, 4) > 150);
    assert_true(bins[0] == 0 && bins[1] > 0 && bins[2] == 0 && bins[3] == 0);
    arrival.limit = 7;
    assert_int_equal(count_in_bins(&arrival, 1, HOUR, bins, 4), 7);
    arrival.start_ns = 2 * HOUR; /* past the end */
    assert_int_equal(count_in_bins(&arrival, 1, HOUR, bins, 4), 0);
}

/*
 * Calm 60/h for 30 min, burst 1800/h for 10 min on average: the mean rate is
 * (60 x 30 + 1800 x 10) / 40 = 495/h. Counts in windows vary far more than Poisson's.
 */
static void test_bursty(void **state)
{
    (void)state;
    static uint64_t bins[5000];
    struct scenario_arrival arrival = make(ARRIVAL_BURSTY);
    arrival.rate_per_hour = 60;
    arrival.burst_rate_per_hour = 1800;
    arrival.calm_mean_s = 1800;
    arrival.burst_mean_s = 600;
    uint64_t count = count_in_bins(&arrival, 3, 5000 * HOUR, bins, 5000);
    double mean = (double)count / 5000, sum = 0;
    assert_true(fabs(mean - 495) < 20);
    for (int i = 0; i < 5000; i++)
        sum += pow((double)bins[i] - mean, 2);
    /*
     * Index of dispersion in windows of t: 1 + 2 p q (a-b)^2 / (m r) (1 - (1 - e^(-rt)) / (rt)),
     * p q = 3/16, a - b = 1740/h, m = 495/h, r = 2 + 6 = 8/h, t = 1 h.
     */
    double expected = 1 + 2 * (3.0 / 16) * 1740 * 1740 / (495 * 8.0) * (1 - (1 - exp(-8)) / 8);
    assert_true(fabs(sum / 5000 / mean / expected - 1) < 0.1);
}

/* A burst that is silent in calm times, and one without any arrivals at all, both end. */
static void test_bursty_without_calm_arrivals(void **state)
{
    (void)state;
    uint64_t bins[1];
    struct scenario_arrival arrival = make(ARRIVAL_BURSTY);
    arrival.calm_mean_s = 600;
    arrival.burst_mean_s = 60;
    assert_int_equal(count_in_bins(&arrival, 3, 100 * HOUR, bins, 1), 0);
    arrival.burst_rate_per_hour = 3600;
    assert_true(count_in_bins(&arrival, 3, 100 * HOUR, bins, 1) > 1000);
}

/* Ten hundred days folded into 24 hours, against 100 (1 + 0.8 cos(2 pi (h - 14) / 24)). */
static void test_daily(void **state)
{
    (void)state;
    static uint64_t bins[24000];
    struct scenario_arrival arrival = make(ARRIVAL_DAILY);
    arrival.rate_per_hour = 100;
    arrival.amplitude = 0.8;
    arrival.peak_ns = 14 * HOUR;
    (void)count_in_bins(&arrival, 5, 1000 * DAY, bins, 24000);
    double w = acos(-1) / 12;
    for (int hour = 0; hour < 24; hour++) {
        double sum = 0;
        for (int day = 0; day < 1000; day++)
            sum += (double)bins[day * 24 + hour];
        double wave = (sin(w * (hour + 1 - 14)) - sin(w * (hour - 14))) / w;
        double expected = 100 * (1 + 0.8 * wave) * 1000;
        assert_true(fabs(sum - expected) < 4.5 * sqrt(expected));
    }
}

static void test_renewal_and_batch(void **state)
{
    (void)state;
    struct source_task task;
    struct scenario_arrival arrival = make(ARRIVAL_RENEWAL);
    arrival.interval =
        (struct distribution){.kind = DISTRIBUTION_CONSTANT, .p = {10}, .max = DBL_MAX};
    arrival.count = 3;
    struct source *source = open(&arrival, 1, 35 * S);
    for (int i = 1; i <= 3; i++) {
        assert_true(next(source, &task));
        assert_int_equal(task.at_ns, i * 10 * S);
        assert_int_equal(task.count, 3);
    }
    assert_false(next(source, &task));
    source_close(source);

    arrival = make(ARRIVAL_BATCH);
    arrival.count = 500;
    arrival.start_ns = 7 * S;
    arrival.has_lifetime = true;
    arrival.lifetime =
        (struct distribution){.kind = DISTRIBUTION_EXPONENTIAL, .p = {60}, .max = DBL_MAX};
    source = open(&arrival, 1, 35 * S);
    berth_ns first = 0;
    bool differ = false;
    for (uint64_t i = 0; i < 500; i++) {
        assert_true(next(source, &task));
        assert_int_equal(task.at_ns, 7 * S);
        assert_int_equal(task.number, i);
        assert_int_equal(task.count, 1);
        assert_true(task.has_lifetime && task.lifetime_ns == BERTH_NS_NEVER);
        berth_ns lifetime_ns = source_lifetime(source, i);
        first = i == 0 ? lifetime_ns : first;
        differ |= lifetime_ns != first;
    }
    assert_true(differ);
    assert_false(next(source, &task));
    source_close(source);
    arrival.start_ns = 35 * S;
    source = open(&arrival, 1, 35 * S);
    assert_false(next(source, &task));
    source_close(source);
}

static void test_sizes(void **state)
{
    (void)state;
    struct scenario_arrival arrival = make(ARRIVAL_POISSON);
    arrival.rate_per_hour = 36000;
    arrival.has_cpu = arrival.has_mem = true;
    arrival.cpu = (struct distribution){.kind = DISTRIBUTION_UNIFORM, .p = {0, 3}, .max = DBL_MAX};
    arrival.mem =
        (struct distribution){.kind = DISTRIBUTION_PARETO, .p = {0.01, 10}, .max = DBL_MAX};
    struct source *source = open(&arrival, 1, HOUR);
    struct source_task task;
    int seen[4] = {0};
    while (next(source, &task)) {
        assert_true(task.cpu_units >= 1 && task.cpu_units <= 3);
        seen[task.cpu_units]++;
        assert_true(task.mem_mib >= 10 && task.mem_mib <= 1 << 30);
        assert_false(task.has_lifetime);
    }
    assert_true(seen[1] > 15000 && seen[2] > 10000 && seen[3] > 4000);
    source_close(source);
}

/*
 * Equal keys give equal arrivals, whatever else is drawn: with sizes or without, the times and
 * lifetimes stay; another key or another name gives others.
 */
static void test_streams(void **state)
{
    (void)state;
    struct scenario_arrival plain = make(ARRIVAL_POISSON);
    plain.rate_per_hour = 1000;
    plain.has_lifetime = true;
    plain.lifetime =
        (struct distribution){.kind = DISTRIBUTION_GAMMA, .p = {0.5, 60}, .max = DBL_MAX};
    struct scenario_arrival sized = plain, named = plain;
    sized.has_cpu = true;
    sized.cpu = (struct distribution){.kind = DISTRIBUTION_NORMAL, .p = {50, 9}, .max = DBL_MAX};
    named.name = (char[]){"other"};
    struct source *sources[4] = {open(&plain, 8, HOUR), open(&sized, 8, HOUR),
                                 open(&plain, 9, HOUR), open(&named, 8, HOUR)};
    struct source_task tasks[4];
    int same_times = 0;
    for (int i = 0; i < 500; i++) {
        for (int k = 0; k < 4; k++)
            assert_true(next(sources[k], &tasks[k]));
        assert_int_equal(tasks[0].at_ns, tasks[1].at_ns);
        uint64_t number = tasks[0].number;
        assert_int_equal(source_lifetime(sources[0], number), source_lifetime(sources[1], number));
        same_times += tasks[0].at_ns == tasks[2].at_ns || tasks[0].at_ns == tasks[3].at_ns;
    }
    assert_int_equal(same_times, 0);
    for (int k = 0; k < 4; k++)
        source_close(sources[k]);
}

static void test_refusals(void **state)
{
    (void)state;
    struct scenario_arrival cases[6];
    for (int i = 0; i < 6; i++)
        cases[i] = make(ARRIVAL_POISSON);
    cases[0].rate_per_hour = -1;
    cases[1].rate_per_hour = NAN;
    cases[2].rate_per_hour = 1e300;
    cases[3].process = ARRIVAL_RENEWAL;
    cases[4].process = ARRIVAL_BURSTY;
    cases[5].process = ARRIVAL_DAILY;
    cases[5].amplitude = 1.5;
    for (int i = 0; i < 6; i++) {
        struct source *source;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(source_open(&cases[i], 1, HOUR, &source, &err), BERTH_ERR_INPUT);
        assert_int_equal(strncmp(err.text, "arrivals/jobs: ", 15), 0);
        assert_null(source);
    }
    source_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poisson),  cmocka_unit_test(test_rate_zero_and_windows),
        cmocka_unit_test(test_bursty),   cmocka_unit_test(test_bursty_without_calm_arrivals),
        cmocka_unit_test(test_daily),    cmocka_unit_test(test_renewal_and_batch),
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_streams),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
