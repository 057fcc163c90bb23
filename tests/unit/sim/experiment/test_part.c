#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/part.h"
#include "sim/run/histogram.h"
#include "sim/run/story.h"

static struct story *make_story(void)
{
    struct story *story = mem_alloc(sizeof *story);
    *story = (struct story){.service_count = 1, .point_count = 2, .mark_count = 1};
    story->services = mem_alloc(sizeof *story->services);
    story->services[0] =
        (struct story_service){.service = 3, .deployment_count = 2, .has_load = true};
    story->services[0].deployments[1] = 77;
    story->services[0].points = mem_alloc(2 * sizeof(struct story_point));
    story->services[0].points[1] = (struct story_point){5, 4, 3, 2, {2, 1}, 1.5, 0.25, 0.1};
    story->marks = mem_alloc(sizeof *story->marks);
    story->marks[0] = (struct story_mark){9, MARK_FAULT, UINT32_MAX, "zone a, rack 7"};
    return story;
}

static void assert_equal_stories(const struct story *a, const struct story *b)
{
    assert_int_equal(b->service_count, 1);
    assert_int_equal(b->services[0].service, 3);
    assert_int_equal(b->services[0].deployment_count, 2);
    assert_int_equal(b->services[0].deployments[1], 77);
    assert_true(b->services[0].has_load);
    assert_int_equal(b->point_count, 2);
    assert_memory_equal(a->services[0].points, b->services[0].points,
                        2 * sizeof(struct story_point));
    assert_int_equal(b->mark_count, 1);
    assert_int_equal(b->marks[0].kind, MARK_FAULT);
    assert_string_equal(b->marks[0].text, "zone a, rack 7");
}

static struct run_result make_result(void)
{
    struct run_result result = {.waits = histogram_create(), .sample_count = 2, .heat_rows = 3};
    for (int m = 0; m < METRIC_COUNT; m++)
        result.metrics[m] = m % 5 == 0 ? NAN : 1.0 / (m + 3);
    result.samples = mem_alloc(2 * sizeof *result.samples);
    result.samples[0].at_ns = 17;
    result.samples[1].gpu_reserved_ratio = NAN;
    result.samples[1].tasks_below_desired = 0.1;
    result.heat = mem_alloc(6 * sizeof *result.heat);
    for (int i = 0; i < 6; i++)
        result.heat[i] = (int16_t)(i * 200 - 1);
    result.story = make_story();
    histogram_add(result.waits, 0);
    histogram_add(result.waits, 123456789012345);
    return result;
}

static void assert_equal_results(const struct run_result *a, const struct run_result *b)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        assert_true(a->metrics[m] == b->metrics[m] ||
                    (isnan(a->metrics[m]) && isnan(b->metrics[m])));
    assert_int_equal(a->sample_count, b->sample_count);
    assert_true(a->samples[0].at_ns == b->samples[0].at_ns);
    assert_true(isnan(b->samples[1].gpu_reserved_ratio));
    assert_true(a->samples[1].tasks_below_desired == b->samples[1].tasks_below_desired);
    assert_int_equal(a->heat_rows, b->heat_rows);
    assert_memory_equal(a->heat, b->heat, 6 * sizeof *a->heat);
    assert_equal_stories(a->story, b->story);
    assert_true(histogram_count(a->waits) == histogram_count(b->waits));
    assert_true(histogram_max(a->waits) == histogram_max(b->waits));
    assert_true(histogram_mean(a->waits) == histogram_mean(b->waits));
    assert_true(histogram_quantile(a->waits, 1) == histogram_quantile(b->waits, 1));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct run_result before = make_result(), after;
    struct text bytes = TEXT_INIT, again = TEXT_INIT;
    part_format(&before, &bytes);
    assert_true(part_parse(&bytes, &after));
    assert_equal_results(&before, &after);
    part_format(&after, &again);
    assert_int_equal(bytes.length, again.length);
    assert_memory_equal(bytes.bytes, again.bytes, bytes.length);
    text_free(&again);
    text_free(&bytes);
    run_result_free(&after);
    run_result_free(&before);
}

/* However much of it is there: never a result, never a crash. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct run_result before = make_result(), after;
    struct text bytes = TEXT_INIT;
    part_format(&before, &bytes);
    for (size_t cut = 0; cut < bytes.length; cut++) {
        char *copy = mem_copy_text_n(bytes.bytes, cut); /* so that ASan sees where it ends */
        struct text text = {copy, cut, cut + 1};
        assert_false(part_parse(&text, &after));
        assert_null(after.samples);
        mem_free(copy);
    }
    text_add(&bytes, "x");
    assert_false(part_parse(&bytes, &after));
    text_free(&bytes);
    run_result_free(&before);
}

/* parts.h has a checksum; but a part that slips through is refused or read, and no crash. */
static void test_one_byte_is_another(void **state)
{
    (void)state;
    struct run_result before = make_result(), after;
    struct text bytes = TEXT_INIT;
    part_format(&before, &bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.bytes[i] ^= 0x55;
        if (part_parse(&bytes, &after))
            run_result_free(&after);
        bytes.bytes[i] ^= 0x55;
    }
    text_free(&bytes);
    run_result_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_one_byte_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
