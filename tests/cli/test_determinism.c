/*
 * test_determinism.c -- a run is a value: the same scenario, seed and build give the same bytes,
 * however often, however many processes, wherever it stands. compilers.sh does the same for
 * compilers, optimisation and sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#define RUN ",\"events\":true,\"replications\":6"

static void run_to(const char *file, const char *name, const char *before, const char *options)
{
    struct berth_answer answer =
        berth_run(before, "run %s --out '%s' '%s'", options, scratch_path(name), file);
    if (answer.status != 0)
        fail_msg("exit status %d\n%s", answer.status, answer.err);
    berth_answer_free(&answer);
}

static void test_jobs_times_and_surroundings(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* the first is what the others are held against */
        {"one", "", "--jobs 1"},
        {"two", "", "--jobs 2"},
        {"many", "", "--jobs 17"},
        {"again", "", ""},
        {"quiet", "", "--quiet"},
        {"tongue", "LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8", ""},
        {"place", "TZ=Asia/Tokyo HOME=/nonexistent", ""},
        {"heap", "MALLOC_PERTURB_=165", ""},
    };
    char *file = mem_copy_text(scratch_write_text("tiny.json", tiny_text(RUN)));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_to(file, cases[i][0], cases[i][1], cases[i][2]);
        if (i > 0)
            berth_assert_same_folder(scratch_path("one"), scratch_path(cases[i][0]));
    }
    mem_free(file);
}

/* Another seed is another run: the comparison above could fail. */
static void test_the_seed_matters(void **state)
{
    (void)state;
    char *file = mem_copy_text(scratch_write_text("tiny.json", tiny_text(RUN)));
    size_t length;
    run_to(file, "seed-1", "", "--no-plots --seed 1");
    run_to(file, "seed-2", "", "--no-plots --seed 2");
    char *one = scratch_read(scratch_path("seed-1/timeline.csv"), &length);
    char *two = scratch_read(scratch_path("seed-2/timeline.csv"), &length);
    assert_string_not_equal(one, two);
    mem_free(one);
    mem_free(two);
    mem_free(file);
}

/* What a replication computes does not depend on how many others there are, or on their order. */
static void test_a_shorter_run_is_a_part_of_a_longer_one(void **state)
{
    (void)state;
    char *file = mem_copy_text(scratch_write_text("tiny.json", tiny_text(RUN)));
    run_to(file, "long", "", "--no-plots");
    run_to(file, "short", "", "--no-plots --replications 2");
    for (int i = 0; i < 2; i++) {
        struct text command = TEXT_INIT;
        const char *name = i == 0 ? "long" : "short";
        text_addf(&command, "grep '^spread,[01],' '%s/metrics.csv' >'%s'", scratch_path(name),
                  scratch_path(i == 0 ? "a" : "b"));
        assert_int_equal(system(command.bytes), 0);
        text_free(&command);
    }
    berth_assert_same_file(scratch_path("a"), scratch_path("b"));
    mem_free(file);
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
        cmocka_unit_test(test_jobs_times_and_surroundings),
        cmocka_unit_test(test_the_seed_matters),
        cmocka_unit_test(test_a_shorter_run_is_a_part_of_a_longer_one),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
