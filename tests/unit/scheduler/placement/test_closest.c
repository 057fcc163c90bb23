/* The closest matching instance (U13) against a plain reading: fewest failures, least missing, id.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/world.h"

static int64_t missing(int64_t asked, int64_t there)
{
    return asked > 0 && there < asked ? (asked - there) * 1000 / asked : 0;
}

static instance_id closest_by_scan(const struct cluster *cluster, const struct demand *demand)
{
    instance_id best = INSTANCE_NONE;
    int64_t best_failed = 0, best_missed = 0;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        if (instance->status != INSTANCE_ACTIVE)
            continue;
        int64_t cpu = missing(demand->cpu_units, instance->cpu_remaining);
        int64_t mem = missing(demand->mem_mib, instance->mem_remaining);
        int64_t failed = (instance->cpu_remaining < demand->cpu_units) +
                         (instance->mem_remaining < demand->mem_mib) +
                         !instance->is_agent_connected;
        if (best == INSTANCE_NONE || failed < best_failed ||
            (failed == best_failed && cpu + mem < best_missed)) {
            best = id;
            best_failed = failed;
            best_missed = cpu + mem;
        }
    }
    return best;
}

static void test_equals_a_plain_scan(void **state)
{
    (void)state;
    struct rng rng = {rng_key(3, "closest", 0), 0};
    for (int round = 0; round < 300; round++) {
        struct world world;
        struct placement_plan *plan = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        world_open(&world);
        const struct task_def *def = world_define(&world, "job", 1, 1);
        for (int i = 0; i < 12; i++) {
            instance_id id =
                world_instance(&world, "a", (int)rng_below(&rng, 2000), (int)rng_below(&rng, 2000));
            struct event event = {.kind = EVENT_AGENT_DISCONNECTED, .u.agent = id};
            if (rng_below(&rng, 4) == 0)
                world_step(&world, &event);
            if (rng_below(&rng, 6) == 0)
                world_state(&world, id, INSTANCE_DRAINING);
        }
        struct cluster *cluster = controller_cluster(world.controller);
        assert_int_equal(placement_plan_create(cluster_symbols(cluster), def, NULL, 0, NULL, 0,
                                               PLACEMENT_DEFAULT_STANDALONE, &plan, &err),
                         BERTH_OK);
        for (int ask = 0; ask < 20; ask++) {
            struct demand demand = {.cpu_units = 1 + (int32_t)rng_below(&rng, 4000),
                                    .mem_mib = 1 + (int32_t)rng_below(&rng, 4000)};
            struct placement_request request = {
                .plan = plan, .demand = &demand, .group = cluster_group(cluster, 1)};
            enum placement_verdict why = PLACEMENT_FITS;
            instance_id closest = placement_closest(cluster, &request, &why);
            assert_int_equal(closest, closest_by_scan(cluster, &demand));
            if (closest != INSTANCE_NONE)
                assert_int_equal(why, placement_check(cluster, &request, closest));
        }
        placement_plan_destroy(plan);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_a_plain_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
