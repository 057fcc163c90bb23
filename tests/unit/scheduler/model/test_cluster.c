#include "tests/unit/scheduler/placement/fixture.h"

static void finds_instances_by_name(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    fixture_add(&f, 1024, 2048, "a");
    fixture_add(&f, 2048, 4096, "b");
    assert_int_equal(cluster_find_instance(f.cluster, "i00000001"), 1);
    assert_int_equal(cluster_find_instance(f.cluster, "i00000002"), INSTANCE_NONE);
    assert_int_equal(cluster_find_instance(f.cluster, "service:web"), INSTANCE_NONE);
    assert_string_equal(symbols_text(f.symbols, cluster_instance(f.cluster, 1)->zone), "b");
    fixture_end(&f);
}

static void attributes_come_change_and_go(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id id = fixture_add(&f, 1024, 2048, "a");
    symbol zone = symbols_add(f.symbols, "ecs.availability-zone");
    symbol rack = symbols_add(f.symbols, "rack"), value = symbols_add(f.symbols, "r1");
    bool exists = true;
    assert_int_equal(instance_attribute(cluster_instance(f.cluster, id), rack, &exists),
                     SYMBOL_NONE);
    assert_false(exists);
    cluster_set_attribute(f.cluster, id, rack, SYMBOL_NONE);
    instance_attribute(cluster_instance(f.cluster, id), rack, &exists);
    assert_true(exists);
    cluster_set_attribute(f.cluster, id, rack, value);
    assert_int_equal(instance_attribute(cluster_instance(f.cluster, id), rack, NULL), value);
    cluster_set_attribute(f.cluster, id, zone, symbols_add(f.symbols, "c"));
    assert_string_equal(symbols_text(f.symbols, cluster_instance(f.cluster, id)->zone), "c");
    cluster_remove_attribute(f.cluster, id, zone);
    assert_int_equal(cluster_instance(f.cluster, id)->zone, SYMBOL_NONE);
    cluster_remove_attribute(f.cluster, id, zone);
    assert_int_equal(cluster_instance(f.cluster, id)->attributes->count, 1);
    fixture_end(&f);
}

static void reserve_and_release_are_inverse(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    static const uint16_t own[] = {51678, 22}, tcp[] = {80, 443}, udp[] = {53};
    static const struct gpu_request gpus[] = {{1000}, {460}};
    struct instance_spec spec = {.name = "i0",
                                 .cpu_units = 1000,
                                 .mem_mib = 1000,
                                 .gpu_count = 2,
                                 .eni_limit = 3,
                                 .tcp_ports_used = own,
                                 .tcp_port_count = 2};
    struct demand demand = {.cpu_units = 400,
                            .mem_mib = 300,
                            .gpus = gpus,
                            .gpu_count = 2,
                            .tcp_ports = tcp,
                            .tcp_port_count = 2,
                            .udp_ports = udp,
                            .udp_port_count = 1,
                            .needs_eni = true};
    struct gpu_grant grants[GPU_DEVICES_MAX];
    instance_id id = cluster_add_instance(f.cluster, &spec);
    assert_true(cluster_fits(f.cluster, id, &demand));
    assert_int_equal(cluster_reserve(f.cluster, id, &demand, grants), 2);
    const struct instance *instance = cluster_instance(f.cluster, id);
    assert_int_equal(instance->cpu_remaining, 600);
    assert_int_equal(instance->mem_remaining, 700);
    assert_int_equal(instance->eni_used, 2); /* the primary one and the task's */
    assert_int_equal(instance->tcp.count, 4);
    assert_int_equal(instance->tcp.ports[0], 22);
    assert_int_equal(instance->tcp.ports[1], 80);
    assert_int_equal(instance->gpu_free_milli[0], 0);
    assert_int_equal(instance->gpu_free_milli[1], 540);
    assert_false(cluster_fits(f.cluster, id, &demand));
    assert_true(cluster_fits_empty(f.cluster, id, &demand));
    cluster_release(f.cluster, id, &demand, grants, 2);
    assert_int_equal(instance->cpu_remaining, 1000);
    assert_int_equal(instance->tcp.count, 2);
    assert_int_equal(instance->udp.count, 0);
    assert_int_equal(instance->gpu_free_milli[0], 1000);
    assert_int_equal(instance->eni_used, 1);
    assert_int_equal(instance->reserved_tasks, 0);
    fixture_end(&f);
}

static void each_resource_can_refuse(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    static const uint16_t own[] = {22, 80}, clash[] = {80}, other[] = {81};
    static const struct gpu_request whole = {1000}, share = {500}, odd = {1500};
    struct instance_spec spec = {.name = "i0",
                                 .cpu_units = 100,
                                 .mem_mib = 100,
                                 .gpu_count = 1,
                                 .eni_limit = 1,
                                 .tcp_ports_used = own,
                                 .tcp_port_count = 2};
    instance_id id = cluster_add_instance(f.cluster, &spec);
    const struct {
        struct demand demand;
        bool fits;
    } cases[] = {
        {{.cpu_units = 100, .mem_mib = 100}, true},
        {{.cpu_units = 101, .mem_mib = 100}, false},
        {{.cpu_units = 100, .mem_mib = 101}, false},
        {{.tcp_ports = clash, .tcp_port_count = 1}, false},
        {{.udp_ports = clash, .udp_port_count = 1}, true}, /* another protocol */
        {{.tcp_ports = other, .tcp_port_count = 1}, true},
        {{.needs_eni = true}, false}, /* the primary one takes the only place */
        {{.gpus = &whole, .gpu_count = 1}, true},
        {{.gpus = &share, .gpu_count = 1}, true},
        {{.gpus = &odd, .gpu_count = 1}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(cluster_fits(f.cluster, id, &cases[i].demand), cases[i].fits);
    cluster_set_remaining(f.cluster, id, -5, -5, own, 2, NULL, 0, NULL);
    assert_true(cluster_fits(f.cluster, id, &(struct demand){.cpu_units = 0}));
    assert_false(cluster_fits(f.cluster, id, &(struct demand){.cpu_units = 1}));
    fixture_end(&f);
}

static void at_most_a_hundred_ports(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id id = fixture_add(&f, 100, 100, NULL);
    uint16_t ports[PORTS_PER_INSTANCE_MAX + 1];
    for (uint16_t i = 0; i <= PORTS_PER_INSTANCE_MAX; i++)
        ports[i] = (uint16_t)(1000 + i);
    struct demand demand = {.tcp_ports = ports, .tcp_port_count = PORTS_PER_INSTANCE_MAX};
    assert_true(cluster_fits(f.cluster, id, &demand));
    demand.tcp_port_count++;
    assert_false(cluster_fits(f.cluster, id, &demand));
    demand.tcp_port_count = 60;
    demand.udp_ports = ports;
    demand.udp_port_count = 41; /* TCP and UDP count together */
    assert_false(cluster_fits(f.cluster, id, &demand));
    demand.udp_port_count = 40;
    assert_true(cluster_fits(f.cluster, id, &demand));
    fixture_end(&f);
}

static void interfaces_without_limit_do_not_bind(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id id = fixture_add(&f, 100, 100, NULL);
    assert_int_equal(cluster_instance(f.cluster, id)->eni_limit, 0);
    struct demand demand = {.cpu_units = 60, .mem_mib = 1};
    fixture_take(&f, id, &demand);
    assert_false(cluster_fits(f.cluster, id, &demand));
    demand.needs_eni = true;
    demand.cpu_units = 40;
    assert_true(cluster_fits(f.cluster, id, &demand)); /* no limit of interfaces is modelled */
    fixture_end(&f);
}

static void groups_count_by_instance_and_value(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id a = fixture_add(&f, 100, 100, "a"), b = fixture_add(&f, 100, 100, "b"),
                none = fixture_add(&f, 100, 100, NULL);
    symbol zone = symbols_add(f.symbols, "ecs.availability-zone");
    group_id job = cluster_group(f.cluster, symbols_add(f.symbols, "family:job"));
    assert_int_equal(cluster_group(f.cluster, symbols_add(f.symbols, "family:job")), job);
    cluster_join(f.cluster, a, f.group);
    cluster_join(f.cluster, a, f.group);
    cluster_join(f.cluster, b, f.group);
    cluster_join(f.cluster, none, job);
    assert_int_equal(cluster_group_tasks(f.cluster, f.group), 3);
    assert_int_equal(cluster_group_tasks_on(f.cluster, f.group, a), 2);
    assert_int_equal(cluster_group_tasks_on(f.cluster, job, a), 0);
    uint32_t at_a = cluster_value_of(f.cluster, TRACKED_ZONE, a);
    uint32_t at_b = cluster_value_of(f.cluster, TRACKED_ZONE, b);
    assert_int_equal(cluster_value_of(f.cluster, TRACKED_ZONE, none), 0);
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, TRACKED_ZONE, at_a), 2);
    cluster_set_attribute(f.cluster, a, zone, symbols_add(f.symbols, "b"));
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, TRACKED_ZONE, at_a), 0);
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, TRACKED_ZONE, at_b), 3);
    cluster_set_attribute(f.cluster, b, zone, symbols_add(f.symbols, "")); /* U3: as if missing */
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, TRACKED_ZONE, 0), 1);
    struct value_counts counts = cluster_value_counts(f.cluster, f.group, TRACKED_ZONE);
    assert_int_equal(counts.value_count, cluster_value_count(f.cluster, TRACKED_ZONE));
    assert_int_equal(counts.instances[at_a], 0);
    assert_int_equal(counts.instances[at_b], 1);
    assert_int_equal(counts.instances[0], 2);
    for (uint32_t value = 0; value < counts.value_count; value++)
        assert_int_equal(value < counts.task_count ? counts.tasks[value] : 0,
                         cluster_tasks_at(f.cluster, f.group, TRACKED_ZONE, value));
    counts = cluster_value_counts(f.cluster, GROUP_NONE, TRACKED_ZONE);
    assert_int_equal(counts.task_count, 0);
    tracked_id rack = cluster_track(f.cluster, symbols_add(f.symbols, "rack"));
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, rack, 0), 3);
    cluster_leave(f.cluster, a, f.group);
    assert_int_equal(cluster_tasks_at(f.cluster, f.group, rack, 0), 2);
    assert_int_equal(cluster_group_tasks(f.cluster, f.group), 2);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_instances_by_name),
        cmocka_unit_test(attributes_come_change_and_go),
        cmocka_unit_test(reserve_and_release_are_inverse),
        cmocka_unit_test(each_resource_can_refuse),
        cmocka_unit_test(at_most_a_hundred_ports),
        cmocka_unit_test(interfaces_without_limit_do_not_bind),
        cmocka_unit_test(groups_count_by_instance_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
