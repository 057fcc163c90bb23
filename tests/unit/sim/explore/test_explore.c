/* test_explore.c -- documents of seeds are scenarios; a failure is found, told and made small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/explore/campaign.h"
#include "sim/explore/coverage.h"
#include "sim/explore/shrink.h"

static void test_every_seed_is_a_scenario(void **state)
{
    (void)state;
    for (const struct explore_profile *profile = explore_profiles; profile->name; profile++)
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct berth_error err = BERTH_ERROR_INIT;
            struct scenario_set *set;
            json_t *document = explore_generate(seed, profile, 0);
            json_t *again = explore_generate(seed, profile, 0);
            assert_true(json_equal(document, again));
            char *text = json_dumps(document, JSON_COMPACT);
            if (scenario_load_text(text, strlen(text), ".", &set, &err) != BERTH_OK)
                fail_msg("%s %llu: %s", profile->name, (unsigned long long)seed, err.text);
            const struct scenario *scenario = set->variants[0];
            assert_true(scenario->run.steady_by_ns < scenario->run.quiet_from_ns);
            assert_true(scenario->run.quiet_from_ns < scenario->run.duration_ns);
            scenario_set_destroy(set);
            free(text);
            json_decref(document);
            json_decref(again);
        }
}

/* Service `big` can never have its second copy; all else is beside the point. */
static const char wrong[] =
    "{\"version\":1,\"name\":\"wrong\",\"fleet\":{"
    "\"a\":{\"count\":3,\"cpu\":1024,\"memory\":1024},\"b\":{\"count\":2,\"cpu\":512,"
    "\"memory\":512}},\"taskDefinitions\":{"
    "\"d\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"memory\":64}]},"
    "\"e\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"memory\":800}]}},"
    "\"services\":{\"big\":{\"taskDefinition\":\"e\",\"desiredCount\":9},"
    "\"x\":{\"taskDefinition\":\"d\",\"desiredCount\":3},"
    "\"y\":{\"taskDefinition\":\"d\",\"desiredCount\":2,\"placementStrategy\":[]}},"
    "\"timeline\":{\"one\":{\"at\":20,\"deploy\":{\"service\":\"x\"}},"
    "\"two\":{\"at\":30,\"fail\":{\"instance\":1,\"for\":9}}},"
    "\"run\":{\"duration\":900,\"replications\":1,\"audit\":{\"steadyBy\":600}}}";

static void test_shrinks_to_what_matters(void **state)
{
    (void)state;
    json_t *document = json_loads(wrong, 0, NULL);
    struct shrink shrink = {.document = document};
    trial_run(document, &shrink.outcome);
    assert_int_equal(shrink.outcome.status, TRIAL_VIOLATED);
    assert_string_equal(trial_verdict(&shrink.outcome), "steady");
    shrink_run(&shrink);
    assert_int_equal(shrink.outcome.status, TRIAL_VIOLATED);
    assert_int_equal(json_object_size(json_object_get(document, "services")), 1);
    assert_int_equal(json_object_size(json_object_get(document, "timeline")), 0);
    assert_int_equal(json_object_size(json_object_get(document, "taskDefinitions")), 1);
    /* Not to be steady is a failure only of a fleet with room: it stays as it is. */
    assert_int_equal(json_object_size(json_object_get(document, "fleet")), 2);
    struct trial_outcome again;
    trial_run(document, &again);
    assert_true(trial_fails_alike(&again, &shrink.outcome));
    json_decref(document);
}

static void test_what_is_no_scenario_is_refused(void **state)
{
    (void)state;
    json_t *document = json_pack("{s:i,s:s}", "version", 1, "name", "x");
    struct trial_outcome outcome, held = {.status = TRIAL_HELD};
    trial_run(document, &outcome);
    assert_int_equal(outcome.status, TRIAL_REFUSED);
    assert_true(outcome.text[0] != 0);
    assert_false(trial_fails_alike(&outcome, &held));
    json_decref(document);
}

static void test_excuses_have_reasons(void **state)
{
    (void)state;
    assert_null(coverage_excuse("floor"));
    assert_non_null(coverage_excuse("deleted"));
}

static void told(void *context, uint64_t seed, const struct trial_outcome *outcome)
{
    (void)outcome;
    *(uint64_t *)context = seed;
}

static void test_a_campaign_adds_up(void **state)
{
    uint64_t failed = UINT64_MAX;
    struct campaign campaign = {.profile = &explore_profiles[0],
                                .first_seed = 5,
                                .seed_count = 9,
                                .minutes = 8,
                                .jobs = 2,
                                .failed = told,
                                .context = &failed};
    (void)state;
    assert_true(campaign_run(&campaign));
    assert_int_equal(campaign.done_count, 9);
    assert_int_equal(campaign.failed_count, 0);
    assert_true(failed == UINT64_MAX);
    assert_true(campaign.fault_s == 9 * 8 * 60.0);
    assert_true(campaign.checks[INVARIANT_STEADY] > 0 && campaign.checks[INVARIANT_REMAINING] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_seed_is_a_scenario),
        cmocka_unit_test(test_shrinks_to_what_matters),
        cmocka_unit_test(test_what_is_no_scenario_is_refused),
        cmocka_unit_test(test_excuses_have_reasons),
        cmocka_unit_test(test_a_campaign_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
