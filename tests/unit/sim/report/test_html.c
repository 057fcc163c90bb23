#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/report/html.h"
#include "sim/run/story.h"
#include "tests/support/made.h"

static const char *const names[] = {"a<b>&\"c\"", "other", NULL};

static void test_names_are_text(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 4);
    made_series(&made, 1, METRIC_COST, 5, 0);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    html_format(ranking, NULL, &text);
    assert_null(strstr(text.bytes, "a<b>"));
    assert_null(strstr(text.bytes, "<one>"));
    assert_non_null(strstr(text.bytes, "a&lt;b&gt;&amp;&quot;c&quot;"));
    assert_non_null(strstr(text.bytes, "Which &lt;one&gt; &amp; &quot;why&quot;?"));
    ranking_destroy(ranking);
    made_close(&made);
    text_free(&text);
}

static void test_what_it_says(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 4);
    made_series(&made, 1, METRIC_COST, 5, 0);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    html_format(ranking, NULL, &text);
    assert_non_null(strstr(text.bytes, berth_build_id));
    assert_non_null(strstr(text.bytes, made.set->hash));
    char counted[64];
    (void)snprintf(counted, sizeof counted, "Significant differences from the baseline: 1 of %d",
                   METRIC_COUNT);
    assert_non_null(strstr(text.bytes, counted));
    assert_non_null(strstr(text.bytes, "made without plots"));
    assert_non_null(strstr(text.bytes, "taskSecondsBelowDesired"));
    ranking_destroy(ranking);
    made_close(&made);
    text_free(&text);
}

static void test_what_happened(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 4);
    made_conclude(&made);
    struct story *story = mem_alloc(sizeof *story);
    story->marks = mem_alloc(STORY_MARKS_MAX * sizeof *story->marks);
    for (int i = 0; i < 70; i++)
        story->marks[story->mark_count++] = (struct story_mark){(25 * 3600 + 61) * BERTH_NS_PER_S,
                                                                MARK_FAULT, UINT32_MAX, "zone <a>"};
    made.experiment->variants[1].story = story;
    struct ranking *ranking = ranking_create(made.experiment);
    html_format(ranking, NULL, &text);
    assert_non_null(strstr(text.bytes, "<td>1 d 01:01:01</td>"));
    assert_non_null(strstr(text.bytes, "<td>fault</td><td>zone &lt;a&gt;</td>"));
    assert_non_null(strstr(text.bytes, "The first 60 of 70 lines"));
    ranking_destroy(ranking);
    made_close(&made);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_text),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
