#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/policy/share.h"

/* Start `tasks` one by one and write who took each: "aabab". */
static void tell(struct share *shares, size_t count, int tasks, char *story)
{
    for (int i = 0; i < tasks; i++) {
        size_t at = share_choose(shares, count);
        assert_true(at < count);
        shares[at].count++;
        *story++ = (char)('a' + at);
    }
    *story = '\0';
}

static void test_base_first_then_weights(void **state)
{
    (void)state;
    char story[64];
    /* AWS: base 1 on the first, weights 1 and 4: one task, then one to four. */
    struct share based[] = {{1, 1, 0}, {4, 0, 0}};
    tell(based, 2, 11, story);
    assert_string_equal(story, "ababbbbabbb");
    struct share equal[] = {{1, 0, 0}, {1, 0, 0}};
    tell(equal, 2, 4, story);
    assert_string_equal(story, "abab");
    /* The base belongs to the second, which has no weight: it gets nothing beyond. */
    struct share unweighted[] = {{1, 0, 0}, {0, 2, 0}};
    tell(unweighted, 2, 5, story);
    assert_string_equal(story, "bbaaa");
}

static void test_ratio_is_kept_at_any_size(void **state)
{
    (void)state;
    struct share shares[] = {{3, 5, 0}, {2, 0, 0}, {1, 0, 0}};
    for (int i = 0; i < 5 + 600; i++)
        shares[share_choose(shares, 3)].count++;
    assert_int_equal(shares[0].count, 305);
    assert_int_equal(shares[1].count, 200);
    assert_int_equal(shares[2].count, 100);
}

static void test_what_is_lost_comes_back_where_it_was(void **state)
{
    (void)state;
    struct share shares[] = {{1, 2, 6}, {1, 0, 4}};
    shares[1].count--;
    assert_int_equal(share_choose(shares, 2), 1);
    shares[1].count++;
    shares[0].count = 1; /* below its base: that comes first */
    assert_int_equal(share_choose(shares, 2), 0);
    assert_true(share_is_for_base(&shares[0]));
}

static void test_shrinking_undoes_growing(void **state)
{
    (void)state;
    struct share shares[] = {{2, 3, 0}, {1, 0, 0}, {0, 0, 0}};
    uint32_t was[40][2];
    for (int i = 0; i < 40; i++) {
        was[i][0] = shares[0].count;
        was[i][1] = shares[1].count;
        shares[share_choose(shares, 3)].count++;
    }
    for (int i = 40; i-- > 0;) {
        size_t at = share_shrink(shares, 3);
        assert_true(at < 2);
        shares[at].count--;
        assert_true(shares[0].count >= 3 || shares[1].count == 0);
        int64_t drift = (int64_t)shares[0].count - was[i][0];
        assert_in_range(drift + 1, 0, 2);
    }
    assert_true(share_shrink(shares, 3) == SIZE_MAX);
}

static void test_what_a_strategy_must_not_be(void **state)
{
    (void)state;
    struct share two_bases[] = {{1, 1, 0}, {1, 1, 0}};
    struct share weightless[] = {{0, 0, 0}, {0, 5, 0}};
    struct share heavy[] = {{1001, 0, 0}};
    struct share deep[] = {{1, 100001, 0}};
    struct share sound[] = {{0, 5, 0}, {1000, 0, 0}};
    struct share many[SHARES_MAX + 1] = {{1, 0, 0}};
    assert_non_null(strstr(share_check(two_bases, 2), "base"));
    assert_non_null(strstr(share_check(weightless, 2), "weight"));
    assert_non_null(strstr(share_check(heavy, 1), "1000"));
    assert_non_null(strstr(share_check(deep, 1), "100000"));
    assert_non_null(strstr(share_check(many, SHARES_MAX + 1), "20"));
    assert_null(share_check(sound, 2));
    assert_null(share_check(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_first_then_weights),
        cmocka_unit_test(test_ratio_is_kept_at_any_size),
        cmocka_unit_test(test_what_is_lost_comes_back_where_it_was),
        cmocka_unit_test(test_shrinking_undoes_growing),
        cmocka_unit_test(test_what_a_strategy_must_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
