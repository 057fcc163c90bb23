#include "scheduler/store/state_lock.h"

#include <sys/wait.h>

#include "tests/unit/scheduler/store/fixture.h"

static struct state_lock take(const char *state)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct state_lock lock;
    if (state_lock_take(&lock, state, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return lock;
}

static void test_one_holds_it(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    const char *path = scratch_path("one");
    assert_int_equal(state_lock_holder(path), 0);
    struct state_lock lock = take(path), other;
    assert_int_equal(lock.mark, 0);
    assert_int_equal(state_lock_holder(path), getpid());
    assert_int_equal(state_lock_take(&other, path, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "holds this state"));
    assert_int_equal(state_lock_holder(path), getpid()); /* asking and failing took nothing away */
    state_lock_release(&lock);
    assert_int_equal(state_lock_holder(path), 0);
    lock = take(path);
    state_lock_release(&lock);
    state_lock_release(&lock); /* nothing is left to release */
}

static void test_the_mark_outlives_the_process(void **state)
{
    (void)state;
    const char *path = scratch_path("mark");
    pid_t child = fork();
    if (child == 0) {
        struct state_lock lock = take(path);
        state_lock_mark(&lock, 7);
        state_lock_mark(&lock, UINT64_MAX);
        state_lock_mark(&lock, 123456);
        _exit(0); /* without a release: the kernel's */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(state_lock_holder(path), 0);
    struct state_lock lock = take(path);
    assert_int_equal(lock.mark, 123456);
    state_lock_release(&lock);
    lock = take(path);
    assert_int_equal(lock.mark, 123456); /* kept by who did not write */
    state_lock_release(&lock);
}

/* After a power cut it may hold anything: then there is no mark. */
static void test_a_torn_mark_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "12", "       123                 ", "\n\n\n",
                                        "abcdefghijklmnopqrstuvwxyzabcde\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        (void)scratch_write_text("torn.lock", texts[i]);
        struct state_lock lock = take(scratch_path("torn"));
        assert_int_equal(lock.mark, 0);
        assert_int_equal(state_lock_holder(scratch_path("torn")), getpid());
        state_lock_release(&lock);
    }
}

static void test_a_removed_lock_is_seen(void **state)
{
    (void)state;
    const char *path = scratch_path("gone");
    struct state_lock lock = take(path);
    assert_true(state_lock_is_there(&lock));
    assert_int_equal(remove(lock.path), 0);
    assert_false(state_lock_is_there(&lock));
    struct state_lock other = take(path); /* another file of that name */
    assert_false(state_lock_is_there(&lock));
    assert_true(state_lock_is_there(&other));
    state_lock_release(&other);
    state_lock_release(&lock);
}

/* Where nothing was ever written, nothing is left; a mark stays. */
static void test_an_abandoned_lock(void **state)
{
    (void)state;
    const char *path = scratch_path("abandoned");
    struct state_lock lock = take(path);
    state_lock_abandon(&lock);
    assert_int_equal(access(scratch_path("abandoned.lock"), F_OK), -1);
    lock = take(path);
    state_lock_mark(&lock, 1);
    state_lock_abandon(&lock);
    assert_int_equal(access(scratch_path("abandoned.lock"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_holds_it),
        cmocka_unit_test(test_the_mark_outlives_the_process),
        cmocka_unit_test(test_a_torn_mark_is_none),
        cmocka_unit_test(test_a_removed_lock_is_seen),
        cmocka_unit_test(test_an_abandoned_lock),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
