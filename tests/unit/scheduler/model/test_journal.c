#include "tests/unit/scheduler/placement/fixture.h"

static void undo_takes_everything_back(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id id = fixture_add(&f, 1000, 1000, "a");
    static const uint16_t tcp[] = {80}, udp[] = {53, 54}, shown[] = {22};
    symbol zone = symbols_add(f.symbols, "ecs.availability-zone");
    symbol rack = symbols_add(f.symbols, "rack");
    struct demand demand = {.cpu_units = 100,
                            .mem_mib = 200,
                            .tcp_ports = tcp,
                            .tcp_port_count = 1,
                            .udp_ports = udp,
                            .udp_port_count = 2};
    fixture_take(&f, id, &demand);
    cluster_set_running_tasks(f.cluster, id, 1);

    cluster_mark mark = cluster_journal_begin(f.cluster);
    cluster_release(f.cluster, id, &demand, NULL, 0);
    cluster_leave(f.cluster, id, f.group);
    cluster_set_status(f.cluster, id, INSTANCE_DRAINING);
    cluster_set_connected(f.cluster, id, false);
    cluster_set_attribute(f.cluster, id, zone, symbols_add(f.symbols, "b"));
    cluster_set_attribute(f.cluster, id, rack, SYMBOL_NONE);
    cluster_remove_attribute(f.cluster, id, zone);
    cluster_set_running_tasks(f.cluster, id, 9);
    cluster_set_remaining(f.cluster, id, 1, 2, shown, 1, NULL, 0, NULL);
    cluster_journal_undo(f.cluster, mark);

    const struct instance *instance = cluster_instance(f.cluster, id);
    assert_int_equal(instance->status, INSTANCE_ACTIVE);
    assert_true(instance->is_agent_connected);
    assert_string_equal(symbols_text(f.symbols, instance->zone), "a");
    assert_int_equal(instance->attributes->count, 1);
    assert_int_equal(instance->running_tasks, 1);
    assert_int_equal(instance->cpu_remaining, 900);
    assert_int_equal(instance->mem_remaining, 800);
    assert_int_equal(instance->reserved_tasks, 1);
    assert_int_equal(instance->tcp.count, 1);
    assert_int_equal(instance->tcp.ports[0], 80);
    assert_int_equal(instance->udp.count, 2);
    assert_int_equal(cluster_group_tasks_on(f.cluster, f.group, id), 1);
    fixture_end(&f);
}

static void journals_nest(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    instance_id id = fixture_add(&f, 1000, 1000, "a");
    struct demand demand = {.cpu_units = 100};
    cluster_mark outer = cluster_journal_begin(f.cluster);
    fixture_take(&f, id, &demand);
    cluster_mark inner = cluster_journal_begin(f.cluster);
    fixture_take(&f, id, &demand);
    cluster_journal_undo(f.cluster, inner);
    assert_int_equal(cluster_instance(f.cluster, id)->cpu_remaining, 900);
    inner = cluster_journal_begin(f.cluster);
    fixture_take(&f, id, &demand);
    cluster_journal_keep(f.cluster, inner);
    assert_int_equal(cluster_instance(f.cluster, id)->cpu_remaining, 800);
    cluster_journal_undo(f.cluster, outer); /* what was kept inside goes with the outer one */
    assert_int_equal(cluster_instance(f.cluster, id)->cpu_remaining, 1000);
    assert_int_equal(cluster_group_tasks(f.cluster, f.group), 0);
    outer = cluster_journal_begin(f.cluster);
    fixture_take(&f, id, &demand);
    cluster_journal_keep(f.cluster, outer);
    assert_int_equal(cluster_instance(f.cluster, id)->cpu_remaining, 900);
    fixture_end(&f);
}

static void undo_returns_the_same_cards(void **state)
{
    (void)state;
    struct fixture f = fixture_begin();
    static const struct gpu_request share = {300}, whole = {1000};
    struct instance_spec spec = {.name = "i0", .cpu_units = 10, .mem_mib = 10, .gpu_count = 3};
    struct demand one = {.gpus = &share, .gpu_count = 1}, two = {.gpus = &whole, .gpu_count = 1};
    struct gpu_grant grants[GPU_DEVICES_MAX], others[GPU_DEVICES_MAX];
    instance_id id = cluster_add_instance(f.cluster, &spec);
    uint32_t count = cluster_reserve(f.cluster, id, &one, grants);
    cluster_mark mark = cluster_journal_begin(f.cluster);
    cluster_release(f.cluster, id, &one, grants, count);
    cluster_reserve(f.cluster, id, &two, others);
    assert_int_equal(others[0].device, 0);
    cluster_journal_undo(f.cluster, mark);
    assert_int_equal(cluster_instance(f.cluster, id)->gpu_free_milli[0], 700);
    assert_int_equal(cluster_instance(f.cluster, id)->gpu_free_milli[1], 1000);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undo_takes_everything_back),
        cmocka_unit_test(journals_nest),
        cmocka_unit_test(undo_returns_the_same_cards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
