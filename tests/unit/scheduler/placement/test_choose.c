#include "tests/unit/scheduler/placement/fixture.h"

/* Every case asks both ways; they must agree, draws included. */
static instance_id choose(struct fixture *f, const struct placement_request *request)
{
    struct rng before = f->stream;
    instance_id by_scan = placement_choose_by_scan(f->cluster, request);
    struct rng after = f->stream;
    f->stream = before;
    assert_int_equal(placement_choose(f->cluster, request), by_scan);
    assert_int_equal(f->stream.counter, after.counter);
    return by_scan;
}

/* Three instances, CPU and memory left; one task of 100 x 100 by each strategy. */
static void strategies_choose_as_their_formulas_say(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        int32_t left[4][2];
        instance_id expected;
    } cases[] = {
        {"binpack memory", {{900, 300}, {900, 200}, {900, 400}, {900, 90}}, 1},
        {"binpack MEMORY", {{900, 300}, {90, 100}, {900, 200}, {900, 90}}, 2},
        {"binpack cpu", {{300, 900}, {200, 900}, {400, 900}, {90, 900}}, 1},
        {"binpack memory", {{900, 200}, {900, 200}, {900, 400}, {900, 500}}, 0},
        {"firstFit", {{90, 900}, {900, 90}, {800, 800}, {900, 900}}, 2},
        {"bestFit", {{900, 150}, {300, 300}, {200, 500}, {400, 400}}, 1},
        {"worstFit", {{900, 150}, {300, 300}, {200, 500}, {600, 600}}, 3},
        {"dotProduct", {{900, 150}, {300, 300}, {200, 500}, {600, 600}}, 3},
        {"binpack cpu, binpack memory", {{200, 900}, {200, 300}, {300, 100}, {200, 400}}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = fixture_begin();
        struct placement_plan *plan = fixture_plan(&f, cases[i].chain);
        struct demand demand = {.cpu_units = 100, .mem_mib = 100};
        struct placement_request request = fixture_request(&f, plan, &demand);
        for (instance_id id = 0; id < 4; id++) {
            fixture_add(&f, 1000, 1000, "a");
            cluster_set_remaining(f.cluster, id, cases[i].left[id][0], cases[i].left[id][1], NULL,
                                  0, NULL, 0, NULL);
        }
        assert_int_equal(choose(&f, &request), cases[i].expected);
        placement_plan_destroy(plan);
        fixture_end(&f);
    }
}

static void dot_product_follows_the_demand(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "dotProduct");
    struct demand for_cpu = {.cpu_units = 200, .mem_mib = 10}, for_mem = {.mem_mib = 200};
    fixture_add(&f, 1000, 1000, "a");
    fixture_add(&f, 1000, 1000, "a");
    cluster_set_remaining(f.cluster, 0, 900, 300, NULL, 0, NULL, 0, NULL);
    cluster_set_remaining(f.cluster, 1, 300, 900, NULL, 0, NULL, 0, NULL);
    struct placement_request request = fixture_request(&f, plan, &for_cpu);
    assert_int_equal(choose(&f, &request), 0);
    request.demand = &for_mem;
    assert_int_equal(choose(&f, &request), 1);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

/* bestFit divides by each instance's own size: half of a small one is less than half of a large. */
static void shares_are_of_the_own_instance(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "bestFit");
    struct demand demand = {.cpu_units = 100, .mem_mib = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    fixture_add(&f, 1000, 1000, "a");
    fixture_add(&f, 200, 200, "a");
    assert_int_equal(choose(&f, &request), 1); /* 0.5 + 0.5 left against 0.9 + 0.9 */
    cluster_set_remaining(f.cluster, 0, 500, 500, NULL, 0, NULL, 0, NULL);
    assert_int_equal(choose(&f, &request), 0); /* 0.4 + 0.4 against 0.5 + 0.5 */
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void spread_then_binpack_goes_round_the_zones(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan =
        fixture_plan(&f, "spread attribute:ecs.availability-zone, binpack memory");
    struct demand demand = {.cpu_units = 1, .mem_mib = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    static const char *const zones[] = {"a", "b", "a", "b", "c"};
    static const int32_t left[] = {500, 400, 300, 300, 900};
    /* Ties of zones: the chain goes on with all of them, so binpack decides. */
    static const instance_id expected[] = {2, 3, 4, 2, 3, 4};
    for (instance_id id = 0; id < 5; id++) {
        fixture_add(&f, 1000, 1000, zones[id]);
        cluster_set_remaining(f.cluster, id, 1000, left[id], NULL, 0, NULL, 0, NULL);
    }
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        instance_id id = choose(&f, &request);
        assert_int_equal(id, expected[i]);
        fixture_take(&f, id, &demand);
    }
    placement_plan_destroy(plan);
    fixture_end(&f);
}

/* A full zone is no candidate: the others go on, whatever it holds. */
static void empty_values_elsewhere_play_no_part(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, NULL);
    struct demand demand = {.cpu_units = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    fixture_add(&f, 50, 1000, "a");
    fixture_add(&f, 200, 1000, "b");
    fixture_add(&f, 200, 1000, NULL); /* U3: a group of its own */
    static const instance_id expected[] = {1, 2, 1, 2, INSTANCE_NONE};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        instance_id id = choose(&f, &request);
        assert_int_equal(id, expected[i]);
        if (id != INSTANCE_NONE)
            fixture_take(&f, id, &demand);
    }
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void ties_go_to_fewest_tasks_then_smallest_id(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "binpack memory");
    struct demand demand = {.mem_mib = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    for (instance_id id = 0; id < 3; id++)
        fixture_add(&f, 1000, 1000, "a");
    cluster_join(f.cluster, 0, f.group);
    assert_int_equal(choose(&f, &request), 1);
    cluster_join(f.cluster, 1, f.group);
    cluster_join(f.cluster, 2, f.group);
    assert_int_equal(choose(&f, &request), 0);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void random_draws_every_candidate_alike(void **state)
{
    (void)state;
    static const char *const chains[] = {"random", "twoChoices"};
    for (size_t c = 0; c < 2; c++) {
        struct fixture f = fixture_begin();
        struct placement_plan *plan = fixture_plan(&f, chains[c]);
        struct demand demand = {.cpu_units = 100};
        struct placement_request request = fixture_request(&f, plan, &demand);
        uint32_t hits[8] = {0};
        for (instance_id id = 0; id < 8; id++)
            fixture_add(&f, id % 2 == 0 ? 50 : 1000, 1000, "a");
        for (int i = 0; i < 4000; i++)
            hits[choose(&f, &request)]++;
        for (instance_id id = 0; id < 8; id += 2)
            assert_int_equal(hits[id], 0);
        /* Four equal candidates: 1000 each, sd 27; twoChoices prefers the lower id of equals. */
        static const uint32_t expected[2][4] = {{1000, 1000, 1000, 1000}, {2000, 1333, 667, 0}};
        for (instance_id i = 0; i < 4; i++) {
            uint32_t hit = hits[2 * i + 1], wanted = expected[c][i];
            assert_true(hit + 160 > wanted && hit < wanted + 160);
        }
        placement_plan_destroy(plan);
        fixture_end(&f);
    }
}

static void two_choices_takes_the_less_reserved(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "twoChoices");
    struct demand demand = {.cpu_units = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    fixture_add(&f, 1000, 1000, "a");
    fixture_add(&f, 1000, 1000, "a");
    cluster_set_remaining(f.cluster, 0, 500, 500, NULL, 0, NULL, 0, NULL);
    for (int i = 0; i < 20; i++)
        assert_int_equal(choose(&f, &request), 1);
    cluster_set_status(f.cluster, 1, INSTANCE_DRAINING);
    assert_int_equal(choose(&f, &request), 0); /* one candidate is enough */
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void nothing_fits_draws_nothing(void **state)
{
    (void)state;
    static const char *const chains[] = {"random", "twoChoices", "firstFit", NULL};
    for (size_t c = 0; c < 4; c++) {
        struct fixture f = fixture_begin();
        struct placement_plan *plan = fixture_plan(&f, chains[c]);
        struct demand demand = {.cpu_units = 100};
        struct placement_request request = fixture_request(&f, plan, &demand);
        assert_int_equal(choose(&f, &request), INSTANCE_NONE); /* not one instance */
        fixture_add(&f, 99, 1000, "a");
        assert_int_equal(choose(&f, &request), INSTANCE_NONE);
        assert_int_equal(f.stream.counter, 0);
        placement_plan_destroy(plan);
        fixture_end(&f);
    }
}

static void explain_tells_what_each_step_kept(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "spread attribute:rack, binpack cpu, random");
    struct demand demand = {.cpu_units = 100};
    struct placement_request request = fixture_request(&f, plan, &demand);
    struct placement_step steps[PLACEMENT_STRATEGIES_MAX + 2];
    symbol rack = symbols_add(f.symbols, "rack");
    for (instance_id id = 0; id < 6; id++)
        fixture_add(&f, id == 5 ? 10 : id == 4 ? 500 : 200, 1000, "a");
    for (instance_id id = 0; id < 3; id++)
        cluster_set_attribute(f.cluster, id, rack, symbols_add(f.symbols, "r"));
    cluster_join(f.cluster, 0, f.group);
    assert_int_equal(placement_explain(f.cluster, &request, steps), 5);
    static const char *const labels[] = {"filters", "spread(attribute:rack)", "binpack(cpu)",
                                         "random", "tie-break"};
    static const uint32_t kept[] = {5, 2, 1, 1, 1};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(steps[i].label, labels[i]);
        assert_int_equal(steps[i].kept, kept[i]);
    }
    assert_int_equal(f.stream.counter, 0);
    demand.cpu_units = 5000;
    assert_int_equal(placement_explain(f.cluster, &request, steps), 1);
    assert_int_equal(steps[0].kept, 0);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies_choose_as_their_formulas_say),
        cmocka_unit_test(dot_product_follows_the_demand),
        cmocka_unit_test(shares_are_of_the_own_instance),
        cmocka_unit_test(spread_then_binpack_goes_round_the_zones),
        cmocka_unit_test(empty_values_elsewhere_play_no_part),
        cmocka_unit_test(ties_go_to_fewest_tasks_then_smallest_id),
        cmocka_unit_test(random_draws_every_candidate_alike),
        cmocka_unit_test(two_choices_takes_the_less_reserved),
        cmocka_unit_test(nothing_fits_draws_nothing),
        cmocka_unit_test(explain_tells_what_each_step_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
