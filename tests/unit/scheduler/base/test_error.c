#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/base/error.h"

static void test_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(BERTH_OK, 0);
    assert_int_equal(BERTH_ERR_FAILED, 1);
    assert_int_equal(BERTH_ERR_INPUT, 2);
    assert_int_equal(BERTH_ERR_ENVIRONMENT, 3);
    assert_int_equal(BERTH_ERR_INTERRUPTED, 130);
}

static void test_fail_and_context(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(berth_fail(&err, BERTH_ERR_INPUT, "count %d; write %s", -1, "1"),
                     BERTH_ERR_INPUT);
    assert_int_equal(err.code, BERTH_ERR_INPUT);
    assert_string_equal(err.text, "count -1; write 1");
    assert_int_equal(berth_fail_in(&err, "%s:%d: ", "a.json", 7), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "a.json:7: count -1; write 1");
}

/* Whatever is quoted, the text is one line and says nothing to a terminal. */
static void test_one_line(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)berth_fail(&err, BERTH_ERR_INPUT, "a\nb\x1b[31m\x7f\t");
    assert_string_equal(err.text, "a?b?[31m??");
    (void)berth_fail_in(&err, "f\r\n: ");
    assert_string_equal(err.text, "f??: a?b?[31m??");
}

/* Too long: cut at the end, context first. */
static void test_long_texts(void **state)
{
    (void)state;
    char wide[2000];
    struct berth_error err = BERTH_ERROR_INIT;
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    (void)berth_fail(&err, BERTH_ERR_FAILED, "%s", wide);
    assert_int_equal(strlen(err.text), BERTH_ERROR_TEXT_MAX - 1);
    (void)berth_fail_in(&err, "place: ");
    assert_int_equal(strlen(err.text), BERTH_ERROR_TEXT_MAX - 1);
    assert_int_equal(strncmp(err.text, "place: www", 10), 0);
    (void)berth_fail_in(&err, "%s", wide);
    assert_int_equal(strlen(err.text), BERTH_ERROR_TEXT_MAX - 1);
    assert_int_equal(err.code, BERTH_ERR_FAILED);
}

/* Nearest within 1 + length/3 edits; the first of equals. */
static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"binpack", "spread", "random", "instances", "zone", NULL};
    static const struct {
        const char *wrong, *near;
    } cases[] = {
        {"binpack", "binpack"},
        {"binpak", "binpack"},
        {"bin-pack", "binpack"},
        {"sprad", "spread"},
        {"instnces", "instances"},
        {"Zone", "zone"},
        {"zoen", "zone"},
        {"x", NULL},
        {"", NULL},
        {"strategies", NULL},
        {"binpackbinpack", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = berth_nearest(cases[i].wrong, names);
        if (cases[i].near == NULL)
            assert_null(near);
        else if (near == NULL || strcmp(near, cases[i].near) != 0)
            fail_msg("%s: %s", cases[i].wrong, near ? near : "none");
    }
    static const char *const equals[] = {"ab1", "ab2", NULL};
    assert_string_equal(berth_nearest("ab3", equals), "ab1");
    static const char *const none[] = {NULL};
    assert_null(berth_nearest("any", none));
    char endless[5000];
    memset(endless, 'e', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(berth_nearest(endless, names)); /* longer than any name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes), cmocka_unit_test(test_fail_and_context),
        cmocka_unit_test(test_one_line),   cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
