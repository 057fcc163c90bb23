/* test_capacity.c -- groups and Fargate from scenario file to bill: sums that are done by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/scratch.h"
#include "tests/support/summary.h"

/* Delays that would blur the sums. */
#define EXACT                                                             \
    "\"delays\":{\"network\":0,\"containerStart\":0,\"containerStop\":0," \
    "\"pullOverhead\":0},\"run\":{\"duration\":\"2h\",\"replications\":1}"

static void assert_metric(const json_t *summary, const char *name, double expected)
{
    double is = summary_metric(summary, name);
    if (is < expected - 1e-9 || is > expected + 1e-9)
        fail_msg("%s is %.12f, not %.12f", name, is, expected);
}

/*
 * Six jobs of 20 minutes, each as large as an instance, at 100 s. One runs on the instance that is
 * there; at the minute after (120 s) five more are asked for, up after 60 s. The first job ends at
 * 1300 s, so 1320 s is the first of 15 datapoints that ask for less. At 2160 s none is needed: half
 * of six go, then one a minute, down to minSize.
 *
 *     0..2160 the first (the oldest goes first), 120..2160 two, 120..2220, 120..2280, 120..7200
 */
static void test_a_group_follows_a_burst(void **state)
{
    (void)state;
    json_t *summary = summary_of(
        "{\"version\":1,\"name\":\"burst\",\"fleet\":{\"pool\":{\"count\":1,\"minSize\":1,"
        "\"maxSize\":20,\"cpu\":1024,\"memory\":1024,\"pricePerHour\":3.6,\"boot\":60}},"
        "\"capacityProviders\":{\"pool\":{\"group\":\"pool\",\"managedScaling\":"
        "{\"instanceWarmupPeriod\":60}}},\"taskDefinitions\":{\"job\":{\"definition\":{\"cpu\":"
        "\"1024\",\"memory\":\"1024\",\"containerDefinitions\":[{\"name\":\"job\",\"image\":"
        "\"job\"}]},\"lifetime\":1200}},\"arrivals\":{\"burst\":{\"batch\":6,\"startAt\":100,"
        "\"taskDefinition\":\"job\",\"capacityProviderStrategy\":[{\"capacityProvider\":\"pool\"}]"
        "}}," EXACT "}",
        "");
    double seconds = 2160 + 2 * 2040 + 2100 + 2160 + 7080;
    assert_metric(summary, "instanceHours", seconds / 3600);
    assert_metric(summary, "cost", seconds / 1000); /* 3.6 an hour */
    assert_metric(summary, "tasksPlaced", 6);
    assert_metric(summary, "placementWaitMax", 80);
    json_decref(summary);
}

/* Ten jobs in two types: the cheaper one first, as far as it goes. */
static void test_the_cheaper_type_first(void **state)
{
    (void)state;
    json_t *summary = summary_of(
        "{\"version\":1,\"name\":\"types\",\"fleet\":{\"cheap\":{\"count\":1,\"maxSize\":3,"
        "\"cpu\":1024,\"memory\":1024,\"pricePerHour\":1},\"dear\":{\"count\":0,\"maxSize\":9,"
        "\"cpu\":1024,\"memory\":1024,\"pricePerHour\":10}},\"capacityProviders\":{\"pool\":"
        "{\"group\":[\"dear\",\"cheap\"],\"managedScaling\":{\"instanceWarmupPeriod\":0}}},"
        "\"taskDefinitions\":{\"job\":{\"cpu\":\"1024\",\"memory\":\"1024\","
        "\"containerDefinitions\":[{\"name\":\"job\",\"image\":\"job\"}]}},\"arrivals\":{\"burst\":"
        "{\"batch\":5,\"startAt\":30,\"taskDefinition\":\"job\",\"capacityProviderStrategy\":"
        "[{\"capacityProvider\":\"pool\"}]}}," EXACT "}",
        "");
    assert_metric(summary, "cost", 2 + (2 + 2 * 10) * 7140.0 / 3600);
    assert_metric(summary, "tasksPlaced", 5);
    json_decref(summary);
}

/*
 * Two tasks of 600 s on Fargate, whose machines are up after 20 s, and one of 30 s on Spot, which
 * is billed for a minute: by the vCPU and by the GB.
 */
static void test_fargate_is_billed_by_the_second(void **state)
{
    (void)state;
    json_t *summary = summary_of(
        "{\"version\":1,\"name\":\"fargate\",\"fleet\":{\"none\":{\"count\":0,\"cpu\":1024,"
        "\"memory\":1024}},\"fargate\":{},\"taskDefinitions\":{\"job\":{\"definition\":"
        "{\"networkMode\":\"awsvpc\",\"cpu\":\"256\",\"memory\":\"512\",\"containerDefinitions\":"
        "[{\"name\":\"job\",\"image\":\"job\"}]}}},\"arrivals\":{\"long\":{\"batch\":2,"
        "\"lifetime\":600,\"taskDefinition\":\"job\",\"capacityProviderStrategy\":"
        "[{\"capacityProvider\":\"FARGATE\"}]},\"short\":{\"batch\":1,\"lifetime\":30,"
        "\"taskDefinition\":\"job\",\"capacityProviderStrategy\":[{\"capacityProvider\":"
        "\"FARGATE_SPOT\"}]}}," EXACT "}",
        "");
    double demand = 0.25 * 0.04048 + 0.5 * 0.004445, spot = 0.25 * 0.012144 + 0.5 * 0.0013335;
    assert_metric(summary, "cost", (1200 * demand + 60 * spot) / 3600);
    assert_metric(summary, "instanceHours", 1230.0 / 3600);
    assert_metric(summary, "placementWaitMax", 20);
    json_decref(summary);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_follows_a_burst),
        cmocka_unit_test(test_the_cheaper_type_first),
        cmocka_unit_test(test_fargate_is_billed_by_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
