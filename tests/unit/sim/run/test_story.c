/* A story says what was told of: by deployment, with the lowest health, each mark once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/run/story.h"

static const struct scenario *two_services(void)
{
    static struct scenario_service services[] = {{.name = (char *)"web"}, {.name = (char *)"api"}};
    static const struct scenario scenario = {.services = services, .service_count = 2};
    return &scenario;
}

static void tell(struct story_teller *teller, task_id task, uint64_t deployment,
                 enum task_status status)
{
    struct task_view view = {.task = task,
                             .deployment = deployment,
                             .last_status = status,
                             .desired_running = status <= TASK_RUNNING};
    story_task(teller, 0, &view);
}

/* A task that is 40 s old is told of by its service alone. */
static void tell_healthy(struct story_teller *teller, uint32_t healthy)
{
    struct service_view web = {.desired_count = 2, .healthy_count = healthy, .is_active = true};
    story_service(teller, 0, &web);
}

static void test_counts_by_deployment(void **state)
{
    (void)state;
    struct story_teller *teller = story_begin(two_services(), 4);
    tell_healthy(teller, 0);
    tell(teller, 1, 7, TASK_PENDING);
    tell(teller, 2, 7, TASK_RUNNING);
    story_serving(teller, 0, 1);
    tell_healthy(teller, 1);
    story_sample(teller);
    tell(teller, 1, 7, TASK_RUNNING);
    story_serving(teller, 0, 1);
    tell_healthy(teller, 2);
    tell(teller, 3, 9, TASK_RUNNING);
    tell(teller, 2, 7, TASK_STOPPING);
    tell_healthy(teller, 1);
    tell_healthy(teller, 2);
    story_sample(teller);
    tell(teller, 1, 7, TASK_STOPPED);
    story_serving(teller, 0, -1);
    story_serving(teller, 1, 1);
    tell(teller, 4, 9, TASK_RUNNING);
    tell(teller, 1, 7, TASK_STOPPED); /* again: it is gone */
    story_sample(teller);
    struct story *story = story_end(teller);
    assert_int_equal(story->service_count, 2);
    assert_int_equal(story->point_count, 3);
    const struct story_service *told = &story->services[0];
    assert_int_equal(told->deployment_count, 2);
    assert_int_equal(told->deployments[0], 7);
    assert_int_equal(told->deployments[1], 9);
    assert_int_equal(told->points[0].desired, 2);
    assert_int_equal(told->points[0].pending, 1);
    assert_int_equal(told->points[0].running[0], 1);
    assert_int_equal(told->points[0].healthy, 0); /* nobody at first, and that is the least */
    assert_int_equal(told->points[0].serving, 0);
    assert_int_equal(told->points[1].pending, 0);
    assert_int_equal(told->points[1].serving, 1);
    assert_int_equal(told->points[1].running[0], 1);
    assert_int_equal(told->points[1].running[1], 1);
    assert_int_equal(told->points[1].healthy, 1); /* one between the stop and the next one */
    assert_int_equal(told->points[2].running[0], 0);
    assert_int_equal(told->points[2].running[1], 2);
    assert_int_equal(told->points[2].healthy, 2);
    assert_int_equal(told->points[2].serving, 1);
    assert_int_equal(story->services[1].points[2].desired, 0);
    assert_int_equal(story->services[1].points[2].serving, 0);
    struct story *copy = story_copy(story);
    assert_int_equal(copy->services[0].points[2].running[1], 2);
    story_free(story);
    story_free(copy);
}

static void deploy(struct story_teller *teller, berth_ns at_ns, uint64_t number,
                   enum rollout_state before, enum rollout_state after, enum rollout_cause cause)
{
    static struct task_def def = {.family = (char *)"web", .revision = 2};
    const struct deployment_view view = {.deployment = number,
                                         .def = &def,
                                         .rollout = after,
                                         .previous_rollout = before,
                                         .cause = cause};
    story_deployment(teller, at_ns, 0, &view);
}

static void test_marks(void **state)
{
    (void)state;
    static const enum story_mark_kind kinds[] = {MARK_COMPLETED, MARK_DEPLOYMENT, MARK_FAILED,
                                                 MARK_ROLLBACK, MARK_FAULT};
    struct story_teller *teller = story_begin(two_services(), 4);
    deploy(teller, 1, 1, ROLLOUT_IN_PROGRESS, ROLLOUT_IN_PROGRESS, ROLLOUT_CAUSE_NONE);
    deploy(teller, 2, 1, ROLLOUT_IN_PROGRESS, ROLLOUT_COMPLETED, ROLLOUT_CAUSE_NONE);
    tell(teller, 1, 2, TASK_PENDING); /* the task may come before its deployment */
    deploy(teller, 3, 2, ROLLOUT_IN_PROGRESS, ROLLOUT_IN_PROGRESS, ROLLOUT_CAUSE_NONE);
    deploy(teller, 4, 2, ROLLOUT_IN_PROGRESS, ROLLOUT_FAILED, ROLLOUT_CAUSE_BREAKER);
    deploy(teller, 4, 1, ROLLOUT_COMPLETED, ROLLOUT_IN_PROGRESS, ROLLOUT_CAUSE_NONE);
    story_mark(teller, 5, MARK_FAULT, UINT32_MAX, "zone-a");
    story_mark(teller, 5, MARK_FAULT, UINT32_MAX, "zone-a");
    struct story *story = story_end(teller);
    assert_int_equal(story->mark_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(story->marks[i].kind, kinds[i]);
    assert_string_equal(story->marks[2].text, "web:2 circuit-breaker");
    story_free(story);
}

static void test_what_is_too_much(void **state)
{
    (void)state;
    char text[16];
    struct story_teller *teller = story_begin(two_services(), 1);
    for (int i = 0; i < STORY_MARKS_MAX + 5; i++) {
        snprintf(text, sizeof text, "%d", i);
        story_mark(teller, i, MARK_TIMELINE, UINT32_MAX, text);
    }
    for (uint64_t number = 1; number < 20; number++)
        tell(teller, number, number, TASK_RUNNING);
    story_sample(teller);
    story_sample(teller);
    struct story *story = story_end(teller);
    assert_int_equal(story->mark_count, STORY_MARKS_MAX);
    assert_int_equal(story->marks_left_out, 5);
    assert_int_equal(story->point_count, 1);
    assert_int_equal(story->services[0].points[0].running[STORY_DEPLOYMENTS_MAX - 1],
                     19 - (STORY_DEPLOYMENTS_MAX - 1));
    story_free(story);
    story_mark(NULL, 0, MARK_FAULT, 0, "nobody listens");
    assert_null(story_end(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_by_deployment),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_what_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
