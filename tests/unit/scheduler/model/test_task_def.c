#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/task_def.h"

static struct task_def *a_definition(const char *family, uint32_t revision)
{
    struct task_def *def = mem_alloc(sizeof *def);
    def->family = mem_copy_text(family);
    def->revision = revision;
    def->container_count = 1;
    def->containers = mem_alloc(sizeof *def->containers);
    def->containers[0].name = mem_copy_text("main");
    return def;
}

static void test_revisions_rise_and_are_found(void **state)
{
    (void)state;
    struct task_def_registry *registry = task_def_registry_create();
    const struct task_def *web1 = task_def_register(registry, a_definition("web", 0));
    const struct task_def *job1 = task_def_register(registry, a_definition("job", 99));
    const struct task_def *web2 = task_def_register(registry, a_definition("web", 0));
    assert_int_equal(web1->revision, 1);
    assert_int_equal(web2->revision, 2);
    assert_int_equal(job1->revision, 1);
    assert_ptr_equal(task_def_find(registry, "web"), web2);
    assert_ptr_equal(task_def_find(registry, "web:1"), web1);
    assert_ptr_equal(
        task_def_find(registry, "arn:aws:ecs:eu-west-1:012345678910:task-definition/web:1"), web1);
    assert_ptr_equal(
        task_def_find(registry, "arn:aws:ecs:eu-west-1:012345678910:task-definition/job"), job1);
    static const char *const missing[] = {"",       "we",     "webs",   "web:",           "web:0",
                                          "web:3",  "web:01", "web:+1", "web:4294967297", ":1",
                                          "web:1 ", "web/"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        assert_null(task_def_find(registry, missing[i]));
    task_def_registry_destroy(registry);
}

static void test_deregistered_is_pinned_but_not_latest(void **state)
{
    (void)state;
    struct task_def_registry *registry = task_def_registry_create();
    for (int i = 0; i < 3; i++)
        (void)task_def_register(registry, a_definition("web", 0));
    assert_true(task_def_deregister(registry, "web", 3));
    assert_false(task_def_deregister(registry, "web", 3));
    assert_false(task_def_deregister(registry, "web", 4));
    assert_false(task_def_deregister(registry, "job", 1));
    assert_int_equal(task_def_find(registry, "web")->revision, 2);
    assert_int_equal(task_def_find(registry, "web:3")->status, TASK_DEF_INACTIVE);
    /* Numbers are never used again. */
    assert_int_equal(task_def_register(registry, a_definition("web", 0))->revision, 4);
    for (uint32_t revision = 1; revision <= 4; revision++)
        (void)task_def_deregister(registry, "web", revision);
    assert_null(task_def_find(registry, "web"));
    task_def_registry_destroy(registry);
}

static void test_restore_in_any_order(void **state)
{
    (void)state;
    static const uint32_t order[] = {7, 3, 12, 5, 4, 11};
    struct task_def_registry *registry = task_def_registry_create();
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        (void)task_def_restore(registry, a_definition("web", order[i]));
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "web:%u", order[i]);
        assert_int_equal(task_def_find(registry, name)->revision, order[i]);
    }
    assert_null(task_def_find(registry, "web:6"));
    assert_int_equal(task_def_find(registry, "web")->revision, 12);
    assert_int_equal(task_def_register(registry, a_definition("web", 0))->revision, 13);
    task_def_registry_destroy(registry);
}

static void test_many_families(void **state)
{
    (void)state;
    struct task_def_registry *registry = task_def_registry_create();
    const struct task_def *defs[1000];
    for (int i = 0; i < 1000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "family-%d", i);
        defs[i] = task_def_register(registry, a_definition(name, 0));
    }
    for (int i = 0; i < 1000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "family-%d:1", i);
        assert_ptr_equal(task_def_find(registry, name), defs[i]);
    }
    task_def_registry_destroy(registry);
    task_def_registry_destroy(NULL);
    task_def_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revisions_rise_and_are_found),
        cmocka_unit_test(test_deregistered_is_pinned_but_not_latest),
        cmocka_unit_test(test_restore_in_any_order),
        cmocka_unit_test(test_many_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
