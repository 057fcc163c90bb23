#include "sim/fleet/images.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct pull_case {
    uint32_t image;
    berth_ns now_ns, takes_ns;
    bool fails;
    berth_ns done_at_ns;
    bool has_failed;
};

static void check(const struct pull_case *cases, size_t count)
{
    struct images images = IMAGES_INIT;
    struct image_disk disk = {.disk = 1};
    for (size_t i = 0; i < count; i++) {
        struct image_pull pull = images_pull(&images, &disk, cases[i].image, cases[i].now_ns,
                                             cases[i].takes_ns, cases[i].fails);
        assert_int_equal(pull.done_at_ns, cases[i].done_at_ns);
        assert_int_equal(pull.has_failed, cases[i].has_failed);
    }
    images_free(&images);
}

static void test_one_pull_at_a_time_then_cached(void **state)
{
    (void)state;
    const struct pull_case cases[] = {
        {0, 100, 50, false, 150, false}, /* fetched */
        {1, 110, 30, false, 180, false}, /* waits for the one before */
        {0, 120, 50, false, 150, false}, /* on its way: nothing is fetched twice */
        {0, 160, 50, false, 160, false}, /* there */
        {1, 170, 30, false, 180, false}, {2, 500, 0, false, 500, false},
    };
    check(cases, sizeof cases / sizeof *cases);
}

static void test_a_failed_pull_leaves_nothing(void **state)
{
    (void)state;
    const struct pull_case cases[] = {
        {0, 0, 10, true, 10, true},
        {0, 5, 10, false, 20, false}, /* begins when the failed one ends */
        {0, 30, 10, true, 30, false}, /* the cached image is used in spite of the failure */
    };
    check(cases, sizeof cases / sizeof *cases);
}

static void test_power_loss_keeps_what_is_complete(void **state)
{
    (void)state;
    struct images images = IMAGES_INIT;
    struct image_disk disk = {.disk = 4}, other = {.disk = 5};
    (void)images_pull(&images, &disk, 0, 0, 10, false);
    (void)images_pull(&images, &disk, 1, 0, 10, false);
    images_power_lost(&images, &disk, 15);
    assert_int_equal(images_pull(&images, &disk, 0, 16, 10, false).done_at_ns, 16);
    assert_int_equal(images_pull(&images, &disk, 1, 16, 10, false).done_at_ns, 26);
    assert_int_equal(images_pull(&images, &other, 0, 16, 10, false).done_at_ns, 26);
    images_free(&images);
}

static void test_a_pull_that_never_ends(void **state)
{
    (void)state;
    const struct pull_case cases[] = {
        {0, 100, BERTH_NS_NEVER, false, BERTH_NS_NEVER, false},
        {1, 100, 5, false, BERTH_NS_NEVER, false},
    };
    check(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_pull_at_a_time_then_cached),
        cmocka_unit_test(test_a_failed_pull_leaves_nothing),
        cmocka_unit_test(test_power_loss_keeps_what_is_complete),
        cmocka_unit_test(test_a_pull_that_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
