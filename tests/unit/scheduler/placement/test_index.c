#include "tests/unit/scheduler/placement/fixture.h"
#include "scheduler/model/changes.h"
#include "scheduler/placement/index.h"

static const struct demand small = {.cpu_units = 1, .mem_mib = 1};

static void expect_equal(struct fixture *f, const struct placement_plan *plan)
{
    struct placement_request request = fixture_request(f, plan, &small);
    assert_int_equal(placement_choose(f->cluster, &request),
                     placement_choose_by_scan(f->cluster, &request));
    index_audit(f->cluster);
}

/* More joins than the list of changes cares to hold: the index counts its groups afresh. */
static void it_recovers_from_a_long_silence(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, NULL);
    for (instance_id id = 0; id < 100; id++)
        fixture_add(&f, 10000, 10000, id % 2 == 0 ? "a" : "b");
    expect_equal(&f, plan);
    for (uint32_t i = 0; i < 5000; i++)
        cluster_join(f.cluster, i % 99, f.group);
    assert_true(cluster_changes(f.cluster)->is_incomplete);
    expect_equal(&f, plan);
    assert_false(cluster_changes(f.cluster)->is_incomplete);
    struct placement_request request = fixture_request(&f, plan, &small);
    assert_int_equal(placement_choose(f.cluster, &request), 99);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

/* Instances that arrive, change zone, drain and come back after the orders were built. */
static void it_follows_the_fleet(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plans[] = {
        fixture_plan(&f, "spread attribute:ecs.availability-zone, binpack memory"),
        fixture_plan(&f, "bestFit"), fixture_plan(&f, "firstFit"), fixture_plan(&f, NULL)};
    symbol zone = symbols_add(f.symbols, "ecs.availability-zone");
    for (instance_id id = 0; id < 200; id++) {
        fixture_add(&f, 100, 1000 - (int32_t)id, id % 3 == 0 ? "a" : NULL);
        for (size_t i = 0; i < 4; i++)
            expect_equal(&f, plans[i]);
        if (id % 7 == 0)
            cluster_set_attribute(f.cluster, id / 2, zone, symbols_add(f.symbols, "b"));
        if (id % 5 == 0)
            cluster_set_status(f.cluster, id / 3, INSTANCE_DRAINING);
        if (id % 11 == 0)
            cluster_set_status(f.cluster, id / 4, INSTANCE_ACTIVE);
        cluster_join(f.cluster, id, f.group);
    }
    for (size_t i = 0; i < 4; i++)
        placement_plan_destroy(plans[i]);
    fixture_end(&f);
}

/* An attribute with a value of its own for every instance: no level by level, the same answer. */
static void many_values_are_answered_all_the_same(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, "spread attribute:serial, binpack memory");
    for (instance_id id = 0; id < 150; id++) {
        char serial[8];
        snprintf(serial, sizeof serial, "s%u", id);
        fixture_add(&f, 1000, 1000, "a");
        cluster_set_attribute(f.cluster, id, symbols_add(f.symbols, "serial"),
                              symbols_add(f.symbols, serial));
    }
    for (instance_id id = 0; id < 150; id++) {
        struct placement_request request = fixture_request(&f, plan, &small);
        expect_equal(&f, plan);
        assert_int_equal(placement_choose(f.cluster, &request), id);
        fixture_take(&f, id, &small);
    }
    placement_plan_destroy(plan);
    fixture_end(&f);
}

/* The order by id numbers 64 sizes of tasks, and knows room by skylines when there are more. */
static void more_sizes_than_are_numbered(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plans[] = {fixture_plan(&f, NULL), fixture_plan(&f, "firstFit")};
    for (instance_id id = 0; id < 300; id++)
        fixture_add(&f, 400 + (int32_t)(id * 7 % 100), 2000 - (int32_t)id, id % 2 == 0 ? "a" : "b");
    for (int32_t i = 0; i < 100; i++) {
        struct demand demand = {.cpu_units = 40 + i * 17 % 100, .mem_mib = 100 + i};
        for (size_t at = 0; at < 2; at++) {
            struct placement_request request = fixture_request(&f, plans[at], &demand);
            instance_id chosen = placement_choose(f.cluster, &request);
            assert_int_equal(chosen, placement_choose_by_scan(f.cluster, &request));
            fixture_take(&f, chosen, &demand);
            index_audit(f.cluster);
        }
        fixture_add(&f, 500, 1500, "a"); /* in both kinds of books */
    }
    struct placement_index *index = cluster_follower(f.cluster);
    for (size_t i = 0; i < index->id_orders.count; i++)
        assert_true(index->id_orders.items[i]->is_of_many);
    placement_plan_destroy(plans[0]);
    placement_plan_destroy(plans[1]);
    fixture_end(&f);
}

/* Hundreds of like instances, all with tasks of the group and then some without: by its set. */
static void many_ties_are_told_apart(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct rng rng = {rng_key(3, "ties", 0), 0};
    struct placement_plan *plans[] = {
        fixture_plan(&f, "binpack memory"),
        fixture_plan(&f, "spread attribute:ecs.availability-zone, binpack memory"),
        fixture_plan(&f, "binpack memory, spread instanceId"),
        fixture_plan(&f, "binpack memory, firstFit")};
    for (instance_id id = 0; id < 200; id++) {
        fixture_add(&f, 1000, 1000, id % 2 == 0 ? "a" : "b");
        cluster_join(f.cluster, id, f.group);
    }
    for (int step = 0; step < 2000; step++) {
        instance_id id = (instance_id)rng_below(&rng, 200);
        uint32_t tasks = cluster_group_tasks_on(f.cluster, f.group, id);
        if (tasks > (step % 400 < 200 ? 1 : 0) && rng_below(&rng, 3) != 0)
            cluster_leave(f.cluster, id, f.group);
        else
            cluster_join(f.cluster, id, f.group);
        expect_equal(&f, plans[step % 4]);
    }
    struct placement_index *index = cluster_follower(f.cluster);
    assert_int_equal(index->eligible.of_kind[ELIGIBLE_APART], 1);
    for (size_t i = 0; i < 4; i++)
        placement_plan_destroy(plans[i]);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_recovers_from_a_long_silence),
        cmocka_unit_test(it_follows_the_fleet),
        cmocka_unit_test(many_values_are_answered_all_the_same),
        cmocka_unit_test(more_sizes_than_are_numbered),
        cmocka_unit_test(many_ties_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
