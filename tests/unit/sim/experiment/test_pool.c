#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/experiment/pool.h"
#include "tests/support/scratch.h"

enum { TASKS = 23 };

static char *task_path(const char *folder, uint32_t task)
{
    char name[32];
    snprintf(name, sizeof name, "task-%u", task);
    return files_join(folder, name);
}

struct plan {
    uint32_t fails, crashes, unkept; /* tasks from there on; UINT32_MAX: none */
    uint32_t last_done, reports, kept;
    bool is_slow;
};

static enum berth_err work(void *context, uint32_t task, const char *folder, struct text *product,
                           struct berth_error *err)
{
    const struct plan *plan = context;
    text_addf(product, "product of %u", task);
    if (plan->is_slow)
        for (;;)
            sleep(1);
    if (task >= plan->crashes)
        abort();
    if (task >= plan->fails)
        return berth_fail(err, BERTH_ERR_INPUT, "task %u is bad", task);
    struct text text = TEXT_INIT;
    text_addf(&text, "%u", task * task);
    char *path = task_path(folder, task);
    enum berth_err code = files_write(path, &text, err);
    mem_free(path);
    text_free(&text);
    return code;
}

static enum berth_err keep(void *context, uint32_t task, const struct text *product,
                           struct berth_error *err)
{
    struct plan *plan = context;
    struct text expected = TEXT_INIT;
    text_addf(&expected, "product of %u", task);
    assert_string_equal(product->bytes, expected.bytes);
    text_free(&expected);
    if (task >= plan->unkept)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "no room");
    plan->kept++;
    return BERTH_OK;
}

static void progress(void *context, uint32_t done)
{
    struct plan *plan = context;
    assert_true(done >= plan->last_done);
    plan->last_done = done;
    plan->reports++;
}

static struct farm_work make_work(struct plan *plan, uint32_t jobs)
{
    static uint32_t tasks[TASKS];
    for (uint32_t i = 0; i < TASKS; i++)
        tasks[i] = 3 * i; /* some are done already */
    return (struct farm_work){.run = work,
                              .keep = keep,
                              .progress = progress,
                              .context = plan,
                              .tasks = tasks,
                              .task_count = TASKS,
                              .folder = scratch_folder(),
                              .jobs = jobs};
}

static void test_every_task_is_done(void **state)
{
    (void)state;
    for (uint32_t jobs = 1; jobs <= 2 * TASKS; jobs += 7) {
        struct plan plan = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0, 0, false};
        struct farm_work pool = make_work(&plan, jobs);
        struct farm_failure failure;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(pool_run(&pool, &failure, &err), BERTH_OK);
        assert_int_equal(plan.last_done, TASKS);
        assert_int_equal(plan.kept, TASKS);
        assert_true(plan.reports > 0);
        for (uint32_t task = 0; task < 3 * TASKS; task += 3) {
            char *path = task_path(scratch_folder(), task),
                 *text = scratch_read(path, &(size_t){0});
            assert_non_null(text);
            assert_int_equal(atoi(text), task * task);
            files_remove(path);
            mem_free(text);
            mem_free(path);
        }
    }
}

static void test_the_lowest_failure_is_told(void **state)
{
    (void)state;
    for (uint32_t jobs = 1; jobs <= 8; jobs++) {
        struct plan plan = {12, UINT32_MAX, UINT32_MAX, 0, 0, 0, false};
        struct farm_work pool = make_work(&plan, jobs);
        struct farm_failure failure;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_INPUT);
        assert_int_equal(failure.task, 12);
        assert_false(failure.is_crash);
        assert_string_equal(err.text, "task 12 is bad");
    }
}

static void test_a_crash_is_told(void **state)
{
    (void)state;
    struct plan plan = {UINT32_MAX, 6, UINT32_MAX, 0, 0, 0, false};
    struct farm_work pool = make_work(&plan, 3);
    struct farm_failure failure;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_ENVIRONMENT);
    assert_int_equal(failure.task, 6);
    assert_true(failure.is_crash);
    assert_non_null(strstr(err.text, "signal 6"));
}

static void test_a_product_that_cannot_be_kept(void **state)
{
    (void)state;
    struct plan plan = {UINT32_MAX, UINT32_MAX, 9, 0, 0, 0, false};
    struct farm_work pool = make_work(&plan, 2);
    struct farm_failure failure;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_ENVIRONMENT);
    assert_true(failure.task == FARM_NO_TASK);
    assert_string_equal(err.text, "no room");
}

static void test_stopped_in_the_middle(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct plan plan = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0, 0, true};
    struct farm_work pool = make_work(&plan, 3);
    pool.stop = &stop;
    struct farm_failure failure;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_INTERRUPTED);
    assert_int_equal(plan.last_done, 0);
}

static int open_scratch(void **state) /* here, not in each child */
{
    (void)state;
    return scratch_folder() == NULL;
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_is_done),
        cmocka_unit_test(test_the_lowest_failure_is_told),
        cmocka_unit_test(test_a_crash_is_told),
        cmocka_unit_test(test_a_product_that_cannot_be_kept),
        cmocka_unit_test(test_stopped_in_the_middle),
    };
    return cmocka_run_group_tests(tests, open_scratch, clean);
}
