/*
 * test_victim.c -- one pass over score vectors stops the task that narrowing lists step by step
 * stops, with every chain that draws nothing.
 */
#include "tests/unit/scheduler/placement/fixture.h"
#include "scheduler/placement/plan.h"

#define TASKS_MAX 60

static const char *const chains[] = {
    "spread attribute:ecs.availability-zone, spread instanceId",
    "binpack memory",
    "binpack cpu, spread attribute:ecs.availability-zone",
    "spread instanceId, binpack memory",
    "spread attribute:rack, bestFit",
    "worstFit",
    "firstFit",
    "dotProduct",
};

struct list {
    size_t at[TASKS_MAX];
    size_t count;
};

/* Keep what has the highest mark. */
static void keep_highest(struct list *list, const int64_t marks[])
{
    int64_t highest = INT64_MIN;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        highest = marks[list->at[i]] > highest ? marks[list->at[i]] : highest;
    for (size_t i = 0; i < list->count; i++)
        if (marks[list->at[i]] == highest)
            list->at[kept++] = list->at[i];
    list->count = kept;
}

static int64_t score_of(const struct fixture *f, const struct strategy_step *step,
                        const struct victim *task)
{
    int64_t tasks = 0;
    struct strategy_view view = {.cluster = f->cluster,
                                 .demand = task->demand,
                                 .group = f->group,
                                 .field = step->field,
                                 .is_scale_in = true};
    if (step->field != FIELD_ATTRIBUTE)
        return step->strategy->score(&view, task->instance);
    symbol value = cluster_spread_value(f->cluster, task->instance, step->attribute);
    for (instance_id id = 0; id < cluster_instance_count(f->cluster); id++)
        if (cluster_spread_value(f->cluster, id, step->attribute) == value)
            tasks += cluster_group_tasks_on(f->cluster, f->group, id);
    return tasks;
}

/* Rule U5 read aloud. */
static size_t choose_by_lists(const struct fixture *f, const struct placement_plan *plan,
                              const struct victim *tasks, size_t count)
{
    struct list list = {{0}, 0};
    int64_t marks[TASKS_MAX];
    for (size_t i = 0; i < count; i++)
        if (!tasks[i].is_protected)
            list.at[list.count++] = i;
    if (list.count == 0)
        return SIZE_MAX;
#define KEEP(mark)                         \
    do {                                   \
        for (size_t i = 0; i < count; i++) \
            marks[i] = (mark);             \
        keep_highest(&list, marks);        \
    } while (0)
    KEEP(-(int64_t)tasks[i].class_);
    if (tasks[list.at[0]].class_ <= VICTIM_PENDING) {
        KEEP(tasks[i].created_ns);
        KEEP((int64_t)tasks[i].task);
        return list.at[0];
    }
    KEEP(cluster_instance(f->cluster, tasks[i].instance)->status == INSTANCE_DRAINING);
    for (size_t step = 0; step < plan->step_count; step++)
        KEEP(score_of(f, &plan->steps[step], &tasks[i]));
    KEEP(-(int64_t)tasks[i].instance);
    KEEP(-tasks[i].created_ns);
    KEEP(-(int64_t)tasks[i].task);
    assert_int_equal(list.count, 1);
    return list.at[0];
#undef KEEP
}

static void fill(struct fixture *f, struct rng *dice)
{
    static const char *const zones[] = {"a", "b", "c", NULL};
    for (instance_id id = 0; id < 12; id++) {
        fixture_add(f, 1000 + 500 * (int32_t)rng_below(dice, 4),
                    2000 + 500 * (int32_t)rng_below(dice, 4), zones[rng_below(dice, 4)]);
        char rack[8];
        snprintf(rack, sizeof rack, "r%u", (unsigned)rng_below(dice, 3));
        cluster_set_attribute(f->cluster, id, symbols_add(f->symbols, "rack"),
                              symbols_add(f->symbols, rack));
        if (rng_below(dice, 6) == 0)
            cluster_set_status(f->cluster, id, INSTANCE_DRAINING);
    }
}

static void one_pass_equals_narrowing(void **state)
{
    (void)state;
    static const struct demand demands[] = {{.cpu_units = 50, .mem_mib = 20},
                                            {.cpu_units = 10, .mem_mib = 60}};
    struct rng dice = {rng_key(11, "victims", 0), 0};
    for (int round = 0; round < 3000; round++) {
        struct fixture f = fixture_begin();
        struct placement_plan *plan = fixture_plan(&f, chains[rng_below(&dice, 8)]);
        struct victim tasks[TASKS_MAX];
        size_t count = (size_t)rng_below(&dice, TASKS_MAX);
        uint64_t lowest = rng_below(&dice, 4) == 0 ? 0 : VICTIM_UNHEALTHY;
        fill(&f, &dice);
        for (size_t i = 0; i < count; i++) {
            tasks[i] = (struct victim){
                .task = 1 + i,
                .instance = (instance_id)rng_below(&dice, 12),
                .class_ = (enum victim_class)(lowest + rng_below(&dice, 4 - lowest)),
                .is_protected = rng_below(&dice, 5) == 0,
                .created_ns = (berth_ns)rng_below(&dice, 5),
                .demand = &demands[rng_below(&dice, 2)]};
            if (cluster_fits(f.cluster, tasks[i].instance, tasks[i].demand))
                fixture_take(&f, tasks[i].instance, tasks[i].demand);
        }
        assert_int_equal(placement_choose_victim(f.cluster, plan, f.group, &f.stream, tasks, count),
                         choose_by_lists(&f, plan, tasks, count));
        placement_plan_destroy(plan);
        fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_pass_equals_narrowing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
