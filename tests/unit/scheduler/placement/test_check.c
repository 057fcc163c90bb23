#include "tests/unit/scheduler/placement/fixture.h"

static const uint16_t port_80[] = {80};
static const struct gpu_request one_gpu = {1000};

/* Of several memberOf constraints, the definition's and the service's, every one must hold. */
static void every_member_of_must_hold(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct attribute rack = {symbols_add(f.symbols, "rack"), symbols_add(f.symbols, "r1")};
    struct instance_spec spec = {
        .name = "i0", .cpu_units = 10, .mem_mib = 10, .attributes = &rack, .attribute_count = 1};
    instance_id id = cluster_add_instance(f.cluster, &spec);
    char expression[] = "attribute:rack exists";
    char *member_of[] = {expression};
    struct task_def def = {.member_of = member_of, .member_of_count = 1};
    struct placement_constraint_spec own[] = {{"memberOf", "attribute:rack == r1"},
                                              {"memberOf", "attribute:rack == r2"}};
    struct demand demand = {.cpu_units = 1, .mem_mib = 1};
    for (size_t count = 1; count <= 2; count++) {
        struct placement_plan *plan = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(placement_plan_create(f.symbols, &def, NULL, 0, own, count,
                                               PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                         BERTH_OK);
        struct placement_request request = fixture_request(&f, plan, &demand);
        assert_int_equal(placement_check(f.cluster, &request, id),
                         count == 1 ? PLACEMENT_FITS : PLACEMENT_MEMBER_OF);
        placement_plan_destroy(plan);
    }
    fixture_end(&f);
}

/* An instance on which everything is wrong; mending in order moves the refusal along the list. */
static void refusals_come_in_order(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct attribute zone = {symbols_add(f.symbols, "ecs.availability-zone"),
                             symbols_add(f.symbols, "a")};
    struct instance_spec spec = {.name = "i0",
                                 .cpu_units = 1000,
                                 .mem_mib = 1000,
                                 .gpu_count = 1,
                                 .eni_limit = 2,
                                 .tcp_ports_used = port_80,
                                 .tcp_port_count = 1,
                                 .attributes = &zone,
                                 .attribute_count = 1};
    instance_id id = cluster_add_instance(f.cluster, &spec);
    struct demand all = {.gpus = &one_gpu, .gpu_count = 1, .needs_eni = true};
    struct gpu_grant grants[GPU_DEVICES_MAX];
    cluster_reserve(f.cluster, id, &all, grants);
    cluster_set_status(f.cluster, id, INSTANCE_DRAINING);
    cluster_set_connected(f.cluster, id, false);
    cluster_join(f.cluster, id, f.group);
    symbol wrong_zone = symbols_add(f.symbols, "b");
    char required[] = "feature=on", expression[] = "attribute:rack == r1";
    char *required_attributes[] = {required}, *member_of[] = {expression};
    struct task_def def = {.required_attributes = required_attributes,
                           .required_attribute_count = 1,
                           .member_of = member_of,
                           .member_of_count = 1};
    struct placement_constraint_spec distinct = {"distinctInstance", NULL};
    struct placement_plan *plan = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(placement_plan_create(f.symbols, &def, NULL, 0, &distinct, 1,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_OK);
    struct demand demand = {.cpu_units = 2000,
                            .mem_mib = 2000,
                            .tcp_ports = port_80,
                            .tcp_port_count = 1,
                            .gpus = &one_gpu,
                            .gpu_count = 1,
                            .needs_eni = true};
    struct placement_request request = fixture_request(&f, plan, &demand);
    request.zones = &wrong_zone;
    request.zone_count = 1;
    uint32_t counts[PLACEMENT_VERDICT_COUNT];
#define EXPECT(verdict) assert_int_equal(placement_check(f.cluster, &request, id), verdict)
    EXPECT(PLACEMENT_INACTIVE);
    cluster_set_status(f.cluster, id, INSTANCE_ACTIVE);
    EXPECT(PLACEMENT_AGENT);
    cluster_set_connected(f.cluster, id, true);
    EXPECT(PLACEMENT_ATTRIBUTE);
    cluster_set_attribute(f.cluster, id, symbols_add(f.symbols, "feature"), SYMBOL_NONE);
    EXPECT(PLACEMENT_ATTRIBUTE);
    cluster_set_attribute(f.cluster, id, symbols_add(f.symbols, "feature"),
                          symbols_add(f.symbols, "on"));
    EXPECT(PLACEMENT_LOCATION);
    request.zones = &zone.value;
    EXPECT(PLACEMENT_CPU);
    demand.cpu_units = 1000;
    EXPECT(PLACEMENT_MEMORY);
    demand.mem_mib = 1000;
    EXPECT(PLACEMENT_PORTS);
    placement_count_verdicts(f.cluster, &request, counts);
    assert_int_equal(counts[PLACEMENT_PORTS], 1);
    assert_int_equal(counts[PLACEMENT_FITS], 0);
    demand.tcp_port_count = 0;
    EXPECT(PLACEMENT_ENI);
    demand.needs_eni = false;
    EXPECT(PLACEMENT_GPU);
    cluster_release(f.cluster, id, &all, grants, 1);
    EXPECT(PLACEMENT_MEMBER_OF);
    assert_false(placement_fits_empty(f.cluster, &request, id));
    cluster_set_attribute(f.cluster, id, symbols_add(f.symbols, "rack"),
                          symbols_add(f.symbols, "r1"));
    EXPECT(PLACEMENT_DISTINCT_INSTANCE);
    assert_true(placement_fits_empty(f.cluster, &request, id));
    cluster_leave(f.cluster, id, f.group);
    EXPECT(PLACEMENT_FITS);
    cluster_set_status(f.cluster, id, INSTANCE_DRAINING);
    cluster_set_remaining(f.cluster, id, 0, 0, port_80, 1, NULL, 0, NULL);
    assert_true(placement_fits_empty(f.cluster, &request, id));
    demand.cpu_units = 1001;
    assert_false(placement_fits_empty(f.cluster, &request, id));
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void the_closest_fails_least_then_lacks_least(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    struct placement_plan *plan = fixture_plan(&f, NULL);
    struct demand demand = {.cpu_units = 1000, .mem_mib = 1000};
    struct placement_request request = fixture_request(&f, plan, &demand);
    enum placement_verdict why;
    assert_int_equal(placement_closest(f.cluster, &request, &why), INSTANCE_NONE);
    fixture_add(&f, 999, 999, "a"); /* two checks fail, by little */
    assert_int_equal(placement_closest(f.cluster, &request, &why), 0);
    assert_int_equal(why, PLACEMENT_CPU);
    fixture_add(&f, 2000, 100, "a"); /* one fails, by much */
    assert_int_equal(placement_closest(f.cluster, &request, &why), 1);
    assert_int_equal(why, PLACEMENT_MEMORY);
    fixture_add(&f, 500, 2000, "a"); /* one fails, by less */
    fixture_add(&f, 500, 2000, "a"); /* the same: the smaller id stays */
    assert_int_equal(placement_closest(f.cluster, &request, &why), 2);
    assert_int_equal(why, PLACEMENT_CPU);
    cluster_set_status(f.cluster, 2, INSTANCE_DRAINING);
    assert_int_equal(placement_closest(f.cluster, &request, &why), 3);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_of_must_hold),
        cmocka_unit_test(refusals_come_in_order),
        cmocka_unit_test(the_closest_fails_least_then_lacks_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
