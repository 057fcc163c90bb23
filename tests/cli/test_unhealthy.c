/* test_unhealthy.c -- copies that fall ill behind a load balancer are replaced, in a whole run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

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
    char *file = mem_copy_text(scratch_write_text("unhealthy.json", filled.bytes));
    char *folder = mem_copy_text(scratch_path("unhealthy"));
    struct berth_answer answer =
        berth_run(NULL, "run --audit --no-plots --out '%s' '%s'", folder, file);
    if (answer.status != 0)
        fail_msg("%s", answer.err);
    json_t *summary = json_load_file(scratch_path("unhealthy/summary.json"), 0, NULL);
    assert_non_null(summary);
    berth_answer_free(&answer);
    text_free(&filled);
    mem_free(folder);
    mem_free(file);
    return summary;
}

static double metric(const json_t *summary, const char *name)
{
    const json_t *variant = json_array_get(json_object_get(summary, "variants"), 0);
    const json_t *values = json_object_get(json_object_get(variant, "metrics"), name);
    json_t *list = json_object_get(values, "values");
    assert_int_equal(json_array_size(list), 1);
    return json_number_value(json_array_get(list, 0));
}

/*
 * Four copies fall ill 900 s after their start; two checks at 30 s later they are unhealthy, five
 * later a replacement is healthy. The next four fall ill after the run.
 */
static void test_four_beside_four(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":100,\"maximumPercent\":200}");
    assert_int_equal(metric(summary, "tasksPlaced"), 8);
    assert_int_equal(metric(summary, "tasksRestarted"), 4);
    assert_int_equal(metric(summary, "tasksRunningMax"), 8);
    json_decref(summary);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":50,\"maximumPercent\":100}");
    assert_int_equal(metric(summary, "tasksPlaced"), 8);
    assert_int_equal(metric(summary, "tasksRestarted"), 4);
    assert_int_equal(metric(summary, "tasksRunningMax"), 4);
    json_decref(summary);
}

static void test_the_floor_forbids_it(void **state)
{
    (void)state;
    json_t *summary = run("{\"minimumHealthyPercent\":100,\"maximumPercent\":100}");
    assert_int_equal(metric(summary, "tasksPlaced"), 4);
    assert_int_equal(metric(summary, "tasksRestarted"), 0);
    json_decref(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_beside_four),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_the_floor_forbids_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
