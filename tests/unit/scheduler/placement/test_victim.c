#include "tests/unit/scheduler/placement/fixture.h"

#define TASKS_MAX 8

/* A task: class, instance (-1: none), protected, created. */
struct task {
    enum victim_class class_;
    int instance;
    bool is_protected;
    berth_ns created_ns;
};

static const struct demand demand = {.cpu_units = 100, .mem_mib = 100};

/* Zones a, a, b; each HEALTHY task joins its instance's group. */
static size_t choose(struct fixture *f, const char *chain, const struct task *tasks, size_t count)
{
    struct victim victims[TASKS_MAX];
    struct placement_plan *plan = fixture_plan(f, chain);
    for (size_t i = 0; i < count; i++) {
        instance_id id = tasks[i].instance < 0 ? INSTANCE_NONE : (instance_id)tasks[i].instance;
        victims[i] = (struct victim){.task = 100 + i,
                                     .instance = id,
                                     .class_ = tasks[i].class_,
                                     .is_protected = tasks[i].is_protected,
                                     .created_ns = tasks[i].created_ns,
                                     .demand = &demand};
        if (id != INSTANCE_NONE)
            fixture_take(f, id, &demand);
    }
    size_t victim = placement_choose_victim(f->cluster, plan, f->group, &f->stream, victims, count);
    placement_plan_destroy(plan);
    return victim;
}

static struct fixture three_instances(void)
{
    struct fixture f = fixture_begin();
    fixture_add(&f, 1000, 1000, "a");
    fixture_add(&f, 1000, 2000, "a");
    fixture_add(&f, 3000, 1500, "b");
    return f;
}

static void the_order_of_rule_u5(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        struct task tasks[TASKS_MAX];
        size_t count, expected;
    } cases[] = {
        {NULL, {{VICTIM_HEALTHY, 0, true, 1}}, 1, SIZE_MAX},
        {NULL, {{VICTIM_HEALTHY, 0, true, 1}, {VICTIM_HEALTHY, 2, false, 2}}, 2, 1},
        /* PROVISIONING before PENDING before unhealthy before healthy, newest first */
        {NULL,
         {{VICTIM_PENDING, 0, false, 9},
          {VICTIM_PROVISIONING, -1, false, 1},
          {VICTIM_PROVISIONING, -1, false, 5},
          {VICTIM_PROVISIONING, -1, false, 5}},
         4,
         3},
        {NULL,
         {{VICTIM_PENDING, 0, false, 3},
          {VICTIM_PENDING, 2, false, 7},
          {VICTIM_UNHEALTHY, 0, 0, 0}},
         3,
         1},
        {NULL, {{VICTIM_HEALTHY, 0, false, 1}, {VICTIM_UNHEALTHY, 2, false, 9}}, 2, 1},
        /* default: zone a has three, instance 1 two of them; then the oldest */
        {NULL,
         {{VICTIM_HEALTHY, 2, false, 1},
          {VICTIM_HEALTHY, 2, false, 2},
          {VICTIM_HEALTHY, 0, false, 3},
          {VICTIM_HEALTHY, 1, false, 5},
          {VICTIM_HEALTHY, 1, false, 4}},
         5,
         4},
        /* a protected task counts for the balance though it cannot go */
        {"spread attribute:ecs.availability-zone",
         {{VICTIM_HEALTHY, 0, true, 1},
          {VICTIM_HEALTHY, 1, false, 2},
          {VICTIM_HEALTHY, 2, false, 3}},
         3,
         1},
        /* binpack: the most left when it is gone */
        {"binpack memory",
         {{VICTIM_HEALTHY, 0, 0, 1}, {VICTIM_HEALTHY, 1, 0, 1}, {VICTIM_HEALTHY, 2, 0, 1}},
         3,
         1},
        {"binpack cpu",
         {{VICTIM_HEALTHY, 0, 0, 1}, {VICTIM_HEALTHY, 1, 0, 1}, {VICTIM_HEALTHY, 2, 0, 1}},
         3,
         2},
        {"firstFit", {{VICTIM_HEALTHY, 1, 0, 1}, {VICTIM_HEALTHY, 2, 0, 1}}, 2, 1},
        /* equal: smallest instance, then oldest, then smallest task */
        {"binpack memory", {{VICTIM_HEALTHY, 0, 0, 2}, {VICTIM_HEALTHY, 0, 0, 1}}, 2, 1},
        {"binpack memory", {{VICTIM_HEALTHY, 0, 0, 2}, {VICTIM_HEALTHY, 0, 0, 2}}, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = three_instances();
        assert_int_equal(choose(&f, cases[i].chain, cases[i].tasks, cases[i].count),
                         cases[i].expected);
        fixture_end(&f);
    }
}

static void draining_instances_first(void **state)
{
    (void)state;
    static const struct task tasks[] = {
        {VICTIM_HEALTHY, 0, 0, 1}, {VICTIM_HEALTHY, 0, 0, 1}, {VICTIM_HEALTHY, 2, 0, 1}};
    struct fixture f = three_instances();
    cluster_set_status(f.cluster, 2, INSTANCE_DRAINING);
    assert_int_equal(choose(&f, NULL, tasks, 3), 2);
    fixture_end(&f);
}

static void random_stops_every_task_alike(void **state)
{
    (void)state;
    struct fixture f = three_instances();
    struct placement_plan *plan =
        fixture_plan(&f, "spread attribute:ecs.availability-zone, random");
    struct victim victims[3];
    uint32_t hits[3] = {0};
    for (instance_id id = 0; id < 3; id++) {
        victims[id] = (struct victim){
            .task = id + 1, .instance = id, .class_ = VICTIM_HEALTHY, .demand = &demand};
        cluster_join(f.cluster, id, f.group);
    }
    for (int i = 0; i < 1000; i++)
        hits[placement_choose_victim(f.cluster, plan, f.group, &f.stream, victims, 3)]++;
    assert_int_equal(hits[2], 0); /* zone a has two, b one */
    assert_in_range(hits[0], 420, 580);
    placement_plan_destroy(plan);
    fixture_end(&f);
}

static void two_choices_stops_on_the_more_reserved(void **state)
{
    (void)state;
    struct fixture f = three_instances();
    static const struct task tasks[] = {{VICTIM_HEALTHY, 2, 0, 1}, {VICTIM_HEALTHY, 0, 0, 1}};
    assert_int_equal(choose(&f, "twoChoices", tasks, 2), 1); /* equal but for them: smaller id */
    cluster_set_remaining(f.cluster, 2, 500, 900, NULL, 0, NULL, 0, NULL);
    assert_int_equal(choose(&f, "twoChoices", tasks, 2), 0);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_rule_u5),
        cmocka_unit_test(draining_instances_first),
        cmocka_unit_test(random_stops_every_task_alike),
        cmocka_unit_test(two_choices_stops_on_the_more_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
