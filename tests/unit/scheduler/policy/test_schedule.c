#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/base/iso_time.h"
#include "scheduler/policy/schedule.h"

static berth_ns at(const char *text)
{
    berth_ns wall_ns = 0;
    assert_true(iso_time_parse(text, &wall_ns));
    return wall_ns;
}

static berth_ns next(const char *text, const char *after)
{
    struct schedule schedule;
    const char *wrong = schedule_parse(text, &schedule);
    if (wrong != NULL)
        fail_msg("%s: %s", text, wrong);
    return schedule_next(&schedule, at(after), at("2025-01-01T00:00:00"));
}

static void test_at_is_once(void **state)
{
    (void)state;
    berth_ns due_ns = at("2025-06-01T08:30:00");
    assert_true(next("at(2025-06-01T08:30:00)", "2025-01-01") == due_ns);
    assert_true(next("at(2025-06-01T08:30:00)", "2025-06-01T08:30:00") == BERTH_NS_NEVER);
}

static void test_rate_counts_from_its_anchor(void **state)
{
    (void)state;
    assert_true(next("rate(5 minutes)", "2025-01-01") == at("2025-01-01T00:05:00"));
    assert_true(next("rate(5 minutes)", "2025-01-01T00:07:00") == at("2025-01-01T00:10:00"));
    assert_true(next("rate(1 hour)", "2025-01-01T03:00:00") == at("2025-01-01T04:00:00"));
    assert_true(next("rate(2 days)", "2025-01-02") == at("2025-01-03"));
    assert_true(next("rate(1 day)", "2024-12-30") == at("2025-01-01"));
}

static void test_cron(void **state)
{
    (void)state;
    static const struct {
        const char *text, *after, *due;
    } cases[] = {
        {"cron(0 8 * * ? *)", "2025-03-05T07:59:59", "2025-03-05T08:00:00"},
        {"cron(0 8 * * ? *)", "2025-03-05T08:00:00", "2025-03-06T08:00:00"},
        {"cron(*/15 * * * ? *)", "2025-03-05T08:01:00", "2025-03-05T08:15:00"},
        {"cron(0/10 8-9 ? * MON-FRI *)", "2025-03-07T09:50:00", "2025-03-10T08:00:00"},
        {"cron(0 0 1 JAN,JUL ? *)", "2025-03-05", "2025-07-01"},
        {"cron(0 0 L 2 ? *)", "2025-03-05", "2026-02-28"},
        {"cron(0 0 L 2 ? *)", "2027-03-05", "2028-02-29"},
        {"cron(0 0 29 2 ? *)", "2025-01-01", "2028-02-29"},
        {"cron(30 6 ? * 1 2027)", "2025-01-01", "2027-01-03T06:30:00"},
        {"cron(5,7 23 31 12 ? 2025-2026)", "2025-12-31T23:06:00", "2025-12-31T23:07:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (next(cases[i].text, cases[i].after) != at(cases[i].due))
            fail_msg("%s after %s", cases[i].text, cases[i].after);
    assert_true(next("cron(0 0 1 1 ? 2024)", "2025-01-01") == BERTH_NS_NEVER);
    assert_true(next("cron(0 0 31 2 ? *)", "2025-01-01") == BERTH_NS_NEVER);
}

static void test_mistakes_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "at",
        "at(2025-06-01)",
        "at(2025-06-01T08:30:00Z)",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "rate(minutes)",
        "rate(99999999999999999999 minutes)",
        "cron(0 8 * * ?)",
        "cron(0 8 * * ? * *)",
        "cron(60 8 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 8 * 13 ? *)",
        "cron(0 8 * * * *)",
        "cron(0 8 ? * ? *)",
        "cron(0 8 15W * ? *)",
        "cron(0 8 ? * 2#1 *)",
        "cron(0 8 ? * 6L *)",
        "cron(5-3 8 * * ? *)",
        "cron(*/0 8 * * ? *)",
        "cron(0 8 * * ? 1900)",
        "every day",
    };
    struct schedule schedule;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (schedule_parse(wrong[i], &schedule) == NULL)
            fail_msg("%s is taken", wrong[i]);
}

/* Whatever day it is, the next one is the first that matches: against a plain count of days. */
static void test_every_day_of_centuries(void **state)
{
    (void)state;
    struct schedule daily, sundays;
    berth_ns day_ns = 86400 * BERTH_NS_PER_S, now_ns = at("2000-01-01");
    assert_null(schedule_parse("cron(0 0 * * ? *)", &daily));
    assert_null(schedule_parse("cron(0 0 ? * SUN *)", &sundays));
    for (int i = 0; i < 73000; i++, now_ns += day_ns) {
        assert_true(schedule_next(&daily, now_ns, 0) == now_ns + day_ns);
        berth_ns sunday_ns = schedule_next(&sundays, now_ns, 0);
        assert_true(sunday_ns > now_ns && sunday_ns - now_ns <= 7 * day_ns);
        assert_true((sunday_ns - at("2000-01-02")) % (7 * day_ns) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_is_once),
        cmocka_unit_test(test_rate_counts_from_its_anchor),
        cmocka_unit_test(test_cron),
        cmocka_unit_test(test_mistakes_are_told),
        cmocka_unit_test(test_every_day_of_centuries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
