#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/transcript.h"

static void test_round_trip(void **state)
{
    (void)state;
    const struct controller_options before = {
        "a b",          "000000000000", "eu-west-1", UINT64_MAX, 300 * BERTH_NS_PER_S,
        BERTH_NS_NEVER, true,           false,       500,        25};
    struct text line = TEXT_INIT;
    transcript_format_options(&before, &line);
    assert_string_equal(line.bytes, "! Controller cluster=a%20b account=000000000000 "
                                    "region=eu-west-1 random-key=18446744073709551615 "
                                    "instance-lost=300000000000 throttles-api=1 "
                                    "launches-per-minute=500 "
                                    "brake-percent=25\n");
    line.bytes[line.length - 1] = '\0';
    struct controller_options after;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(transcript_parse_options(line.bytes, &after, &err), BERTH_OK);
    assert_string_equal(after.cluster, "a b");
    assert_string_equal(after.account, "000000000000");
    assert_string_equal(after.region, "eu-west-1");
    assert_true(after.random_key == UINT64_MAX);
    assert_true(after.throttles_api && !after.limits_sizes);
    assert_true(after.instance_lost_ns == 300 * BERTH_NS_PER_S);
    assert_true(after.waiting_give_up_ns == BERTH_NS_NEVER);
    assert_int_equal(after.launches_per_minute, 500);
    assert_int_equal(after.brake_percent, 25);
    text_free(&line);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "@ mono=0 wall=0",
        "! Controller",
        "! Controller cluster=a account=b region=c",
        "! Controller cluster=a account=b region=c random-key=-1",
        "! Controller cluster=a account=b region=c random-key=1 instance-lost=-5",
        "! Controller cluster=%zz",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[128];
        struct controller_options options;
        struct berth_error err = BERTH_ERROR_INIT;
        memcpy(line, lines[i], strlen(lines[i]) + 1);
        assert_int_equal(transcript_parse_options(line, &options, &err), BERTH_ERR_INPUT);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
