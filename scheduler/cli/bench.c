/* bench.c -- `berth bench`: how fast this build is on this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "scheduler/cli/command.h"
#include "sim/bench/bench.h"
#include "sim/bench/file.h"

#define LINES_MAX 64

static enum berth_err find_line(const char *id, const struct bench_line **out,
                                struct berth_error *err)
{
    const char *names[LINES_MAX] = {NULL};
    for (const struct bench_line *line = bench_lines; line->id != NULL; line++) {
        names[line - bench_lines] = line->id;
        if (strcmp(line->id, id) == 0) {
            *out = line;
            return BERTH_OK;
        }
    }
    const char *near = berth_nearest(id, names);
    return near == NULL
               ? berth_fail(err, BERTH_ERR_INPUT, "no line \"%.40s\"; see berth bench --help", id)
               : berth_fail(err, BERTH_ERR_INPUT, "no line \"%.40s\"; did you mean %s?", id, near);
}

/* Those that are named, else all but the long ones of a quick bench. */
static enum berth_err choose_lines(int count, char **ids, bool is_quick,
                                   const struct bench_line **out, size_t *out_count,
                                   struct berth_error *err)
{
    *out_count = 0;
    if (count > LINES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "at most %d lines at a time", LINES_MAX);
    for (int i = 0; i < count; i++) {
        enum berth_err code = find_line(ids[i], &out[(*out_count)++], err);
        if (code != BERTH_OK)
            return code;
    }
    for (const struct bench_line *line = bench_lines; count == 0 && line->id != NULL; line++)
        if (!(is_quick && line->is_long))
            out[(*out_count)++] = line;
    return BERTH_OK;
}

static void print(struct text *text)
{
    fputs(text->bytes, stdout);
    fflush(stdout);
    text_clear(text);
}

static enum berth_err measure(const struct bench_line *const *lines, size_t count,
                              const struct bench_setting *setting, bool as_json)
{
    struct bench_result *results = mem_alloc(count * sizeof *results);
    struct text text = TEXT_INIT;
    bool has_failed = false;
    for (size_t i = 0; i < count; i++) {
        bench_measure(lines[i], setting, &results[i]);
        has_failed = has_failed || bench_has_failed(&results[i]);
        if (!as_json) {
            bench_format(&results[i], &text);
            print(&text);
        }
    }
    if (as_json) {
        bench_file_format(results, count, setting, &text);
    } else {
        bench_format_summary(results, count, &text);
        bench_format_origin(setting, &text);
    }
    print(&text);
    text_free(&text);
    mem_free(results);
    return has_failed ? BERTH_ERR_FAILED : BERTH_OK;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    int json = 0, quick = 0, operands = 0;
    const char *seed = NULL;
    unsigned long long seed_number = 1;
    const struct command_flag flags[] = {{"--json", NULL, &json},
                                         {"--quick", NULL, &quick},
                                         {"--seed", &seed, NULL},
                                         {NULL, NULL, NULL}};
    const struct bench_line *lines[LINES_MAX];
    size_t count = 0;
    enum berth_err code = command_parse(&command_bench, argc, argv, flags, &operands, err);
    if (code == BERTH_OK)
        code = command_number("--seed", seed, 0, INT64_MAX, &seed_number, err);
    if (code == BERTH_OK)
        code = choose_lines(operands, argv, quick != 0, lines, &count, err);
    if (code != BERTH_OK)
        return code;
    const char *traces = getenv("BERTH_TRACES");
    const struct bench_setting setting = {.is_quick = quick != 0,
                                          .seed = seed_number,
                                          .traces = traces != NULL ? traces : "../shared/traces"};
    return measure(lines, count, &setting, json != 0);
}

const struct command command_bench = {
    .name = "bench",
    .summary = "measure speed and memory, with what was checked",
    .help =
        "Usage: berth bench [OPTION]... [LINE]...\n\n"
        "Measure the lines of the table (P1, P2, ...; all of them by default): placement, event\n"
        "queue, whole simulations, memory. Times are CPU time, the median of five rounds, each in\n"
        "a process of its own; three rounds when one takes over ten seconds, one when it takes a\n"
        "minute. Each line says its workload, its figure, what it must and aims to be, how many\n"
        "times as fast as a naive way (a plain scan, a binary heap) in the same process it is, "
        "and\n"
        "what was checked: that all tasks were placed and ran, that choices equal the scan's, "
        "that\n"
        "the books balance.\n\n"
        "  --quick    less of everything, in a minute or so: for CI. Smaller workloads are not\n"
        "             held against the goals; ratios are\n"
        "  --json     for machines, and for berth gate (sim/bench/file.h has the form)\n"
        "  --seed N   of every dice (default 1)\n\n"
        "What fails is a check that does not hold, or a ratio below its least: never a time.\n\n"
        "Examples:\n"
        "  berth bench\n"
        "  berth bench P1 E1\n\n"
        "Exit status: 0 passed; 1 a check or a ratio failed; 2 bad input.\n",
    .run = run,
};
