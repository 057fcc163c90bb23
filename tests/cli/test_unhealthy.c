/* test_unhealthy.c -- copies that fall ill behind a load balancer are replaced, in a whole run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/summary.h"

static json_t *run(const char *bounds)
{
    static const char *const scenario =
        "{\"version\":1,\"name\":\"ill\",\"fleet\":{\"pool\":{\"count\":4,\"cpu\":4096,\"memory\":"
        "4096}},\"taskDefinitions\":{\"web\":{\"definition\":{\"cpu\":\"256\",\"memory\":\"256\","
        "\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"web\"}]},\"unhealthyAfter\":900}},"
        "\"targetGroups\":{\"front\":{\"deregistrationDelaySeconds\":30}},\"services\":{\"web\":{"
        "\"taskDefinition\":\"web\",\"desiredCount\":4,\"deploymentConfiguration\":%s,"
        "\"loadBalancers\":[{\"targetGroup\":\"front\"}]}},\"run\":{\"duration\":\"29m\","
        "\"replications\":1}}";
    struct text filled = TEXT_INIT;
    text_addf(&filled, scenario, bounds);
    json_t *summary = summary_of(filled.bytes, "--audit");
    text_free(&filled);
    return summary;
}

/*
 * Four copies fall ill 900 s after their start; two checks at 30 s later they are unhealthy, five
 * later a replacement is healthy. The next four fall ill after the run.
 */
static void test_four_beside_four(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":100,\"maximumPercent\":200}");
    assert_int_equal(summary_metric(summary, "tasksPlaced"), 8);
    assert_int_equal(summary_metric(summary, "tasksRestarted"), 4);
    assert_int_equal(summary_metric(summary, "tasksRunningMax"), 8);
    json_decref(summary);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":50,\"maximumPercent\":100}");
    assert_int_equal(summary_metric(summary, "tasksPlaced"), 8);
    assert_int_equal(summary_metric(summary, "tasksRestarted"), 4);
    assert_int_equal(summary_metric(summary, "tasksRunningMax"), 4);
    json_decref(summary);
}

static void test_the_floor_forbids_it(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":100,\"maximumPercent\":100}");
    assert_int_equal(summary_metric(summary, "tasksPlaced"), 4);
    assert_int_equal(summary_metric(summary, "tasksRestarted"), 0);
    json_decref(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_beside_four),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_the_floor_forbids_it),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove();
    return failed;
}
