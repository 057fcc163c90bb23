/*
 * bench_audit.c -- what the auditor costs, as a share of the run that it watches.
 *
 * Two loads: "explore", large clusters of seeds under sixty faults an hour, and "churn", tasks that
 * come and go on 1,000 instances. Each is run with and without the auditor, by turns, in rounds;
 * of each the fastest counts, by CPU time. What is checked: the runs are the same, nothing is
 * violated, and the auditor takes less than a quarter of the audited run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/audit/audit.h"
#include "sim/explore/generate.h"

#define ROUNDS 7
#define SHARE_MOST 0.25

static const char churn[] =
    "{\"version\":1,\"name\":\"churn\",\"fleet\":{\"all\":{\"count\":1000,\"cpu\":\"8 vCPU\","
    "\"memory\":\"16 GB\",\"zones\":[\"a\",\"b\",\"c\"]}},\"taskDefinitions\":{\"t\":{"
    "\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":512,\"memory\":768}]}},"
    "\"arrivals\":{\"a\":{\"ratePerHour\":50000,\"taskDefinition\":\"t\",\"lifetime\":{"
    "\"distribution\":\"exponential\",\"mean\":600}}},\"run\":{\"duration\":1800,"
    "\"replications\":1}}";

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double run_once(const struct scenario *scenario, bool audits, double *events)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    double before_s = cpu_seconds();
    struct audit *audit = audits ? audit_create(scenario) : NULL;
    const struct run_options options = {.seed = scenario->run.seed,
                                        .observer = audits ? audit_observer(audit) : NULL};
    if (run_replication(scenario, &options, &result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    audit_destroy(audit);
    double took_s = cpu_seconds() - before_s;
    *events = result.metrics[METRIC_EVENTS];
    run_result_free(&result);
    return took_s;
}

static void measure(const char *name, const char *text)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set;
    double best_s[2] = {0, 0}, events[2] = {0, 0};
    if (scenario_load_text(text, strlen(text), ".", &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    for (int round = 0; round < ROUNDS; round++)
        for (int audits = 0; audits < 2; audits++) {
            double took_s = run_once(set->variants[0], audits != 0, &events[audits]);
            if (round == 0 || took_s < best_s[audits])
                best_s[audits] = took_s;
        }
    double share = (best_s[1] - best_s[0]) / best_s[1];
    printf("%-10s %12.0f %10.3f %10.3f %9.1f%% of at most %.0f%%\n", name, events[0], best_s[0],
           best_s[1], 100 * share, 100 * SHARE_MOST);
    assert_true(events[0] == events[1]);
    assert_true(share < SHARE_MOST);
    scenario_set_destroy(set);
}

static void test_share_of_run_time(void **state)
{
    (void)state;
    const struct explore_profile *large = explore_profiles;
    while (strcmp(large->name, "large") != 0)
        large++;
    printf("%-10s %12s %10s %10s %10s\n", "load", "events", "plain s", "audited s", "auditor");
    for (uint64_t seed = 1; seed <= 3; seed++) {
        char name[16];
        json_t *document = explore_generate(seed, large, 0);
        char *text = json_dumps(document, JSON_COMPACT);
        snprintf(name, sizeof name, "explore %u", (unsigned)seed);
        measure(name, text);
        free(text);
        json_decref(document);
    }
    measure("churn", churn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_of_run_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
