/* What is remembered of a task that has ended is what it was, whatever the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/core/stopped.h"
#include "scheduler/ecs/task_def_json.h"

enum { TASKS = 3000 };

static struct controller *open(const struct task_def **defs)
{
    struct controller_options options = {.cluster = "c", .account = "1", .region = "r"};
    struct controller *controller = controller_create(&options);
    static const char *const documents[] = {
        "{\"family\":\"a\",\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":256,"
        "\"memory\":512}]}",
        "{\"family\":\"b\",\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\"}]}"};
    for (int i = 0; i < 2; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct task_def *def = NULL;
        assert_int_equal(task_def_from_document(documents[i], &def, &err), BERTH_OK);
        defs[i] = task_def_register(controller->task_defs, def);
    }
    return controller;
}

/* Mostly what is usual; now and then any number at all. */
static uint64_t some(struct rng *rng, uint64_t usual)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return rng_next(rng);
    case 1:
        return 0;
    default:
        return usual + rng_below(rng, 1000);
    }
}

static void fill(struct stopped_task *task, struct rng *rng, const struct task_def *const *defs,
                 uint64_t step)
{
    static const symbol groups[] = {1, 2, 3};
    task->reference = some(rng, UINT64_C(1) << 40);
    task->revision = 3 * step;
    task->def = defs[rng_below(rng, 2)];
    task->stopped_mono_ns = (berth_ns)(step * 7000000);
    task->stopped_ns = (berth_ns)some(rng, 1700000000000000000 + step * 7000000);
    task->created_wall_ns = (berth_ns)some(rng, 1700000000000000000);
    task->pull_started_ns = (berth_ns)some(rng, 1700000000500000000);
    task->pull_stopped_ns = (berth_ns)some(rng, 1700000000900000000);
    task->started_ns = (berth_ns)some(rng, 1700000001000000000);
    task->stopping_ns = (berth_ns)some(rng, 1700000002000000000);
    task->service = rng_below(rng, 2) == 0 ? SERVICE_NONE : (service_id)rng_below(rng, 9);
    task->instance = rng_below(rng, 9) == 0 ? INSTANCE_NONE : (instance_id)rng_below(rng, 99999);
    task->deployment = task->service == SERVICE_NONE ? 0 : some(rng, 4);
    task->group = (group_id)rng_below(rng, 50);
    task->cpu_units = (int32_t)some(rng, 256);
    task->mem_mib = (int32_t)some(rng, 512);
    task->exit_code = (int32_t)some(rng, 0) - 500;
    task->gpu_milli = (uint32_t)some(rng, 0);
    task->version = (uint32_t)some(rng, 3);
    task->stop_text = (symbol)some(rng, 0);
    task->provider = (symbol)rng_below(rng, 3);
    task->stop_code = (uint8_t)(1 + rng_below(rng, STOP_CODE_COUNT - 1));
    task->stop_reason = (uint8_t)rng_below(rng, STOP_REASON_COUNT);
    task->verdict = (uint8_t)rng_below(rng, PLACEMENT_VERDICT_COUNT);
    task->health = (uint8_t)rng_below(rng, TASK_HEALTH_COUNT);
    task->target_count = (uint8_t)rng_below(rng, TARGET_GROUPS_MAX + 1);
    task->target_groups = task->target_count == 0 ? NULL : groups;
    task->leaves_targets = rng_below(rng, 2) == 0;
    task->leaves_interface = rng_below(rng, 2) == 0;
}

static void assert_same(const struct stopped_task *a, const struct stopped_task *b)
{
    assert_true(a->id == b->id && a->reference == b->reference);
    assert_true(a->deployment == b->deployment && a->revision == b->revision);
    assert_true(a->def == b->def && a->target_groups == b->target_groups);
    assert_true(a->stopped_mono_ns == b->stopped_mono_ns && a->stopped_ns == b->stopped_ns);
    assert_true(a->created_wall_ns == b->created_wall_ns && a->started_ns == b->started_ns);
    assert_true(a->pull_started_ns == b->pull_started_ns);
    assert_true(a->pull_stopped_ns == b->pull_stopped_ns && a->stopping_ns == b->stopping_ns);
    assert_true(a->service == b->service && a->group == b->group && a->instance == b->instance);
    assert_true(a->cpu_units == b->cpu_units && a->mem_mib == b->mem_mib);
    assert_true(a->exit_code == b->exit_code && a->gpu_milli == b->gpu_milli);
    assert_true(a->version == b->version && a->stop_text == b->stop_text);
    assert_true(a->provider == b->provider && a->stop_code == b->stop_code);
    assert_true(a->stop_reason == b->stop_reason && a->verdict == b->verdict);
    assert_true(a->health == b->health && a->target_count == b->target_count);
    assert_true(a->leaves_targets == b->leaves_targets);
    assert_true(a->leaves_interface == b->leaves_interface);
}

/* Loaded in any order, found, gone through, and forgotten one after another. */
static void test_what_is_kept(void **state)
{
    static struct stopped_task wanted[TASKS];
    const struct task_def *defs[2];
    struct controller *controller = open(defs);
    struct rng rng = {11, 0};
    struct stopped_task found;
    uint64_t place = 0;
    (void)state;
    for (uint64_t i = 0; i < TASKS; i++) {
        uint64_t at = i * 1001 % TASKS; /* coprime: every one once */
        wanted[at].id = 1 + (at ^ 1);   /* not quite in order of their ends */
        fill(&wanted[at], &rng, defs, at);
        *stopped_push(controller, wanted[at].id) = wanted[at];
    }
    assert_true(stopped_settle(controller));
    assert_int_equal(stopped_count(controller), TASKS);
    for (uint64_t i = 0; i < TASKS; i++) {
        assert_true(stopped_next(controller, &place, &found));
        assert_same(&found, &wanted[i]);
        assert_true(stopped_find(controller, wanted[i].id, &found));
        assert_same(&found, &wanted[i]);
    }
    assert_false(stopped_next(controller, &place, &found));
    struct action_list actions = {NULL, 0, 0};
    for (uint64_t i = 0; i < TASKS; i++) {
        assert_true(controller_next_deadline(controller) ==
                    wanted[i].stopped_mono_ns + STOPPED_KEPT_NS);
        struct step_time now = {controller_next_deadline(controller), 0};
        controller_step(controller, now, &(struct event){.kind = EVENT_TIMER}, &actions);
        assert_int_equal(actions.items[0].u.change.u.task.task, wanted[i].id);
        assert_int_equal(stopped_count(controller), TASKS - 1 - i);
        assert_false(stopped_find(controller, wanted[i].id, &found));
    }
    assert_true(controller_next_deadline(controller) == BERTH_NS_NEVER);
    action_list_free(&actions);
    controller_destroy(controller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
