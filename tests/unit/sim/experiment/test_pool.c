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

static char *task_path(uint32_t task)
{
    char name[32];
    snprintf(name, sizeof name, "task-%u", task);
    return mem_copy_text(scratch_path(name));
}

struct plan {
    uint32_t fails, crashes; /* tasks; UINT32_MAX: none */
    uint32_t last_done, reports;
    bool is_slow;
};

static enum berth_err work(void *context, uint32_t task, struct berth_error *err)
{
    const struct plan *plan = context;
    if (plan->is_slow)
        for (;;)
            sleep(1);
    if (task >= plan->crashes)
        abort();
    if (task >= plan->fails)
        return berth_fail(err, BERTH_ERR_INPUT, "task %u is bad", task);
    struct text text = TEXT_INIT;
    text_addf(&text, "%u", task * task);
    char *path = task_path(task);
    enum berth_err code = files_write(path, &text, err);
    mem_free(path);
    text_free(&text);
    return code;
}

static void progress(void *context, uint32_t done)
{
    struct plan *plan = context;
    assert_true(done >= plan->last_done);
    plan->last_done = done;
    plan->reports++;
}

static struct pool_work make_work(struct plan *plan, uint32_t jobs)
{
    return (struct pool_work){work, progress, plan, TASKS, jobs, NULL};
}

static void test_every_task_is_done(void **state)
{
    (void)state;
    for (uint32_t jobs = 1; jobs <= 2 * TASKS; jobs += 7) {
        struct plan plan = {UINT32_MAX, UINT32_MAX, 0, 0, false};
        struct pool_work pool = make_work(&plan, jobs);
        struct pool_failure failure;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(pool_run(&pool, &failure, &err), BERTH_OK);
        assert_int_equal(plan.last_done, TASKS);
        assert_true(plan.reports > 0);
        for (uint32_t task = 0; task < TASKS; task++) {
            char *path = task_path(task), *text = scratch_read(path, &(size_t){0});
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
        struct plan plan = {11, UINT32_MAX, 0, 0, false};
        struct pool_work pool = make_work(&plan, jobs);
        struct pool_failure failure;
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_INPUT);
        assert_int_equal(failure.task, 11);
        assert_false(failure.is_crash);
        assert_string_equal(err.text, "task 11 is bad");
    }
}

static void test_a_crash_is_told(void **state)
{
    (void)state;
    struct plan plan = {UINT32_MAX, 4, 0, 0, false};
    struct pool_work pool = make_work(&plan, 3);
    struct pool_failure failure;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(pool_run(&pool, &failure, &err), BERTH_ERR_ENVIRONMENT);
    assert_int_equal(failure.task, 4);
    assert_true(failure.is_crash);
    assert_non_null(strstr(err.text, "signal 6"));
}

static void test_stopped_in_the_middle(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct plan plan = {UINT32_MAX, UINT32_MAX, 0, 0, true};
    struct pool_work pool = make_work(&plan, 3);
    pool.stop = &stop;
    struct pool_failure failure;
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
        cmocka_unit_test(test_stopped_in_the_middle),
    };
    return cmocka_run_group_tests(tests, open_scratch, clean);
}
