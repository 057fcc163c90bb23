#include "tests/unit/scheduler/placement/fixture.h"
#include "scheduler/placement/plan.h"

static const struct {
    struct placement_strategy_spec strategy;
    const char *text; /* NULL: compiles */
} strategy_cases[] = {
    {{"binpack", "memory"}, NULL},
    {{"binpack", "CPU"}, NULL},
    {{"spread", "host"}, NULL},
    {{"spread", "instanceId"}, NULL},
    {{"spread", "attribute:rack"}, NULL},
    {{"random", NULL}, NULL},
    {{"random", "memory"}, NULL}, /* ECS: not used for random */
    {{"firstFit", NULL}, NULL},
    {{"firstFit", ""}, NULL},
    {{"binpack", "mem"},
     "placementStrategy[0].field: \"mem\" is not a field of binpack; use cpu or memory"},
    {{"binpack", NULL}, "placementStrategy[0].field: missing; binpack needs cpu or memory"},
    {{"spread", "memory"},
     "placementStrategy[0].field: \"memory\" is not a field of spread; use instanceId, host or "
     "attribute:NAME"},
    {{"spread", "attribute:"},
     "placementStrategy[0].field: \"attribute:\" is not a field of spread; use instanceId, host or "
     "attribute:NAME"},
    {{"firstFit", "cpu"}, "placementStrategy[0].field: firstFit takes no field; leave it out"},
    {{"binpak", "cpu"},
     "placementStrategy[0].type: \"binpak\" is not a placement strategy; did you mean binpack?"},
    {{"x", NULL},
     "placementStrategy[0].type: \"x\" is not a placement strategy; use one of binpack, spread, "
     "random, firstFit, bestFit, worstFit, dotProduct, twoChoices"},
    {{NULL, "cpu"}, "placementStrategy[0].type: missing; name a strategy"},
};

static void strategies_compile_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strategy_cases / sizeof strategy_cases[0]; i++) {
        struct symbols *symbols = symbols_create();
        struct placement_plan *plan = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        enum berth_err code =
            placement_plan_create(symbols, NULL, &strategy_cases[i].strategy, 1, NULL, 0,
                                  PLACEMENT_DEFAULT_SERVICE, &plan, &err);
        assert_int_equal(code, strategy_cases[i].text == NULL ? BERTH_OK : BERTH_ERR_INPUT);
        if (strategy_cases[i].text != NULL)
            assert_string_equal(err.text, strategy_cases[i].text);
        placement_plan_destroy(plan);
        symbols_destroy(symbols);
    }
}

static const struct {
    struct placement_constraint_spec constraint;
    const char *text;
} constraint_cases[] = {
    {{"distinctInstance", NULL}, NULL},
    {{"memberOf", "attribute:rack == r1"}, NULL},
    {{"memberOf", "rack"},
     "placementConstraints[0].expression: column 1: \"rack\" is not a subject; for an "
     "attribute write attribute:rack"},
    {{"memberOf", NULL},
     "placementConstraints[0].expression: missing; memberOf needs one in the cluster query "
     "language"},
    {{"distinctInstance", "attribute:rack == r1"},
     "placementConstraints[0].expression: distinctInstance takes no expression; leave it out"},
    {{"memberof", "attribute:rack == r1"},
     "placementConstraints[0].type: \"memberof\" is not a placement constraint; did you mean "
     "memberOf?"},
    {{NULL, "x"}, "placementConstraints[0].type: missing; use memberOf or distinctInstance"},
};

static void constraints_compile_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof constraint_cases / sizeof constraint_cases[0]; i++) {
        struct symbols *symbols = symbols_create();
        struct placement_plan *plan = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        enum berth_err code =
            placement_plan_create(symbols, NULL, NULL, 0, &constraint_cases[i].constraint, 1,
                                  PLACEMENT_DEFAULT_SERVICE, &plan, &err);
        assert_int_equal(code, constraint_cases[i].text == NULL ? BERTH_OK : BERTH_ERR_INPUT);
        if (constraint_cases[i].text != NULL)
            assert_string_equal(err.text, constraint_cases[i].text);
        placement_plan_destroy(plan);
        symbols_destroy(symbols);
    }
}

static void there_are_limits(void **state)
{
    (void)state;
    struct symbols *symbols = symbols_create();
    struct placement_plan *plan = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    struct placement_strategy_spec strategies[6];
    struct placement_constraint_spec constraints[10];
    char first[] = "attribute:a == 1";
    char *member_of[] = {first};
    struct task_def def = {.member_of = member_of, .member_of_count = 1};
    for (size_t i = 0; i < 6; i++)
        strategies[i] = (struct placement_strategy_spec){"binpack", "cpu"};
    for (size_t i = 0; i < 10; i++)
        constraints[i] = (struct placement_constraint_spec){"memberOf", "attribute:b == 2"};
    assert_int_equal(placement_plan_create(symbols, NULL, strategies, 6, NULL, 0,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_ERR_INPUT);
    assert_string_equal(err.text, "placementStrategy: 6 entries; use at most 5");
    assert_int_equal(placement_plan_create(symbols, &def, strategies, 5, constraints, 10,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_ERR_INPUT);
    assert_string_equal(err.text, "placementConstraints: 10 with the 1 of the task definition; use "
                                  "at most 10 together");
    assert_int_equal(placement_plan_create(symbols, &def, strategies, 5, constraints, 9,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_OK);
    assert_int_equal(plan->expression_count, 10);
    placement_plan_destroy(plan);
    symbols_destroy(symbols);
}

static void defaults_are_those_of_ecs(void **state)
{
    (void)state;
    struct symbols *symbols = symbols_create();
    struct placement_plan *plan = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    char label[64];
    assert_int_equal(placement_plan_create(symbols, NULL, NULL, 0, NULL, 0,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_OK);
    assert_int_equal(plan->step_count, 2);
    strategy_step_format(symbols, &plan->steps[0], label, sizeof label);
    assert_string_equal(label, "spread(attribute:ecs.availability-zone)");
    strategy_step_format(symbols, &plan->steps[1], label, sizeof label);
    assert_string_equal(label, "spread(instanceId)");
    placement_plan_destroy(plan);
    assert_int_equal(placement_plan_create(symbols, NULL, NULL, 0, NULL, 0,
                                           PLACEMENT_DEFAULT_STANDALONE, &plan, &err),
                     BERTH_OK);
    assert_int_equal(plan->step_count, 1);
    strategy_step_format(symbols, &plan->steps[0], label, sizeof label);
    assert_string_equal(label, "random");
    placement_plan_destroy(plan);
    symbols_destroy(symbols);
}

static void every_strategy_has_its_name(void **state)
{
    (void)state;
    size_t count = 0;
    for (; placement_strategy_names[count] != NULL; count++) {
        const struct strategy *strategy = strategy_find(placement_strategy_names[count]);
        assert_non_null(strategy);
        assert_string_equal(strategy->name, placement_strategy_names[count]);
        assert_true(strategy->score != NULL || strategy->draws > 0);
    }
    assert_int_equal(count, 8);
    assert_null(strategy_find("nosuch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies_compile_or_say_why),
        cmocka_unit_test(constraints_compile_or_say_why),
        cmocka_unit_test(there_are_limits),
        cmocka_unit_test(defaults_are_those_of_ecs),
        cmocka_unit_test(every_strategy_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
