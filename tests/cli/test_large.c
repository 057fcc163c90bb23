/*
 * test_large.c -- what a large input or output costs: time grows with its size and not with its
 * square, and what is written is not held in memory. Ratios of the same build's own figures, or
 * bounds ten times what a slow machine needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#define MIB (1 << 20)

/* CPU seconds of all children so far, and the most memory that one of them had. */
static double children_seconds(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6;
}

static long children_bytes(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss * 1024;
}

/* The least of three. */
static double seconds_of(const char *arguments)
{
    double least = 1e9;
    for (int i = 0; i < 3; i++) {
        double before = children_seconds();
        struct berth_answer answer = berth_run(NULL, "%s", arguments);
        if (answer.status != 0)
            fail_msg("%s: %s", arguments, answer.err);
        berth_answer_free(&answer);
        double seconds = children_seconds() - before;
        least = seconds < least ? seconds : least;
    }
    return least;
}

/* So many groups, task definitions and services, and a fifth as many entries of the timeline. */
static char *write_scenario(const char *name, int count)
{
    char *path = mem_copy_text(scratch_path(name));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "{\"version\":1,\"name\":\"large\",\"run\":{\"duration\":60},\"fleet\":{");
    for (int i = 0; i < count; i++)
        fprintf(file, "%s\"g%d\":{\"count\":1,\"cpu\":4096,\"memory\":16384}", i ? "," : "", i);
    fprintf(file, "},\"taskDefinitions\":{");
    for (int i = 0; i < count; i++)
        fprintf(file,
                "%s\"d%d\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":"
                "\"repository/image:%d\",\"cpu\":64,\"memory\":128}]}}",
                i ? "," : "", i, i);
    fprintf(file, "},\"services\":{");
    for (int i = 0; i < count; i++)
        fprintf(file,
                "%s\"s%d\":{\"taskDefinition\":\"d%d\",\"desiredCount\":0,\"placementStrategy\":"
                "[{\"type\":\"binpack\",\"field\":\"memory\"}]}",
                i ? "," : "", i, count - 1 - i);
    fprintf(file, "},\"timeline\":{");
    for (int i = 0; i < count / 5; i++)
        fprintf(file, "%s\"t%d\":{\"at\":1,\"scale\":{\"service\":\"s%d\",\"desiredCount\":0}}",
                i ? "," : "", i, i);
    fprintf(file, "}}\n");
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Eight times as much takes eight times as long; 64 times if anything searched for each name. */
static void test_a_large_scenario(void **state)
{
    (void)state;
    char *small = write_scenario("small.json", 2000), *large = write_scenario("large.json", 16000);
    char arguments[1024];
    (void)snprintf(arguments, sizeof arguments, "validate '%s'", small);
    double small_s = seconds_of(arguments);
    (void)snprintf(arguments, sizeof arguments, "validate '%s'", large);
    double large_s = seconds_of(arguments);
    if (large_s > 20 * small_s + 0.1)
        fail_msg("2,000 of each: %.3f s, 16,000 of each: %.3f s", small_s, large_s);
    mem_free(small);
    mem_free(large);
}

/* 10 to 20 ms of CPU time, ten times as long under sanitizers. */
static void test_a_small_run(void **state)
{
    (void)state;
    char arguments[1024], folder[512];
    (void)snprintf(folder, sizeof folder, "%s", scratch_path("o"));
    (void)snprintf(arguments, sizeof arguments, "run --no-plots --replications 1 --out '%s' '%s'",
                   folder, scratch_write_text("tiny.json", tiny_text("")));
    double seconds = seconds_of(arguments);
    if (seconds > 0.5)
        fail_msg("a small run takes %.3f s of CPU time from start to table", seconds);
}

/* One replication of the tiny scenario, longer and busier, with and without its events. */
static void run_events(const char *events)
{
    char file[512];
    (void)snprintf(file, sizeof file, "%s", scratch_write_text("tiny.json", tiny_text("")));
    struct text busy = TEXT_INIT;
    text_addf(&busy,
              "{\"version\":1,\"name\":\"busy\",\"include\":[\"tiny.json\"],\"compare\":null,"
              "\"fleet\":{\"m\":{\"count\":60}},\"arrivals\":{\"jobs\":{\"ratePerHour\":4000}},"
              "\"run\":{\"duration\":\"5h\",\"replications\":1,\"events\":%s}}",
              events);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", scratch_write_text("busy.json", busy.bytes));
    /* What ASan keeps of freed memory would be taken for the run's. */
    struct berth_answer answer =
        berth_run("ASAN_OPTIONS=quarantine_size_mb=1:detect_leaks=0",
                  "run --no-plots --out '%s' '%s'", scratch_path("e"), path);
    if (answer.status != 0)
        fail_msg("%s", answer.err);
    berth_answer_free(&answer);
    text_free(&busy);
}

static void test_results_stream(void **state)
{
    (void)state;
    struct stat written;
    run_events("false");
    long without = children_bytes();
    run_events("true");
    long with = children_bytes();
    assert_int_equal(stat(scratch_path("e/events.jsonl"), &written), 0);
    if (written.st_size < 40 * MIB)
        fail_msg("only %ld bytes of events: nothing is tested", (long)written.st_size);
    if (with - without > written.st_size / 4)
        fail_msg("%ld bytes of events take %ld bytes of memory more", (long)written.st_size,
                 with - without);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    /* The first, while no child has been large. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_stream),
        cmocka_unit_test(test_a_large_scenario),
        cmocka_unit_test(test_a_small_run),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
