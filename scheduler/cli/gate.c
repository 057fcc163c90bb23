/* gate.c -- `berth gate`: is this result worse than the committed one? */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/cli/command.h"
#include "scheduler/cli/gate_bench.h"
#include "sim/experiment/gate.h"

static enum berth_err fail_metric(const char *name, struct berth_error *err)
{
    const char *names[METRIC_COUNT + 1] = {NULL};
    for (int m = 0; m < METRIC_COUNT; m++)
        names[m] = metric_infos[m].name;
    const char *near = berth_nearest(name, names);
    return near != NULL
               ? berth_fail(err, BERTH_ERR_INPUT,
                            "--tolerance: no metric \"%.100s\"; did you mean \"%s\"?", name, near)
               : berth_fail(err, BERTH_ERR_INPUT,
                            "--tolerance: no metric \"%.100s\"; summary.json names them", name);
}

/* "NAME=5%", or "5%" for all. */
static enum berth_err read_tolerance(const char *text, struct gate_tolerance *out,
                                     struct berth_error *err)
{
    const char *equals = strchr(text, '=');
    const char *number = equals != NULL ? equals + 1 : text;
    char *end = NULL;
    errno = 0;
    double percent = strtod(number, &end);
    if (end == number || errno != 0 || !isfinite(percent) || percent < 0 ||
        (*end == '%' ? end[1] : *end) != '\0')
        return berth_fail(err, BERTH_ERR_INPUT,
                          "--tolerance: \"%.100s\" is not of the form METRIC=N%%, N at least 0",
                          text);
    *out = (struct gate_tolerance){.ratio = percent / 100};
    if (equals != NULL)
        snprintf(out->name, sizeof out->name, "%.*s",
                 (int)(equals - text < 63 ? equals - text : 63), text);
    return equals == text ? fail_metric("", err) : BERTH_OK;
}

/*
 * --tolerance may be given many times, which command_parse does not know: taken out before it.
 * `out` has room for all of them; whose names they are depends on the files.
 */
static enum berth_err take_tolerances(int *argc, char **argv, struct gate_tolerance *out,
                                      int *count, struct berth_error *err)
{
    enum berth_err code = BERTH_OK;
    static const char flag[] = "--tolerance";
    const size_t length = strlen(flag);
    int kept = 1;
    *count = 0;
    for (int i = 1; i < *argc && code == BERTH_OK; i++) {
        if (strncmp(argv[i], flag, length) != 0 ||
            (argv[i][length] != '\0' && argv[i][length] != '='))
            argv[kept++] = argv[i];
        else if (argv[i][length] == '=')
            code = read_tolerance(argv[i] + length + 1, &out[(*count)++], err);
        else if (i + 1 < *argc)
            code = read_tolerance(argv[++i], &out[(*count)++], err);
        else
            return berth_fail(err, BERTH_ERR_INPUT, "--tolerance needs a value: METRIC=N%%");
    }
    *argc = kept;
    return code;
}

static enum berth_err apply_tolerances(const struct gate_tolerance *texts, int count,
                                       double tolerances[METRIC_COUNT], struct berth_error *err)
{
    for (int i = 0; i < count; i++) {
        const char *name = texts[i].name;
        enum metric metric = metric_find(name);
        if (name[0] != '\0' && metric == METRIC_COUNT)
            return fail_metric(name, err);
        for (int m = 0; m < METRIC_COUNT; m++)
            if (name[0] == '\0' || m == (int)metric)
                tolerances[m] = texts[i].ratio;
    }
    return BERTH_OK;
}

static void print_origin(const struct summary *baseline, const struct summary *result)
{
    if (strcmp(baseline->scenario_hash, result->scenario_hash) != 0)
        printf("The scenarios differ (%.12s... and %.12s...): what moved may be the scenario's "
               "doing.\n",
               baseline->scenario_hash, result->scenario_hash);
    if (baseline->seed != result->seed)
        printf("The seeds differ: the tests are Welch's, not paired.\n");
    if (strcmp(baseline->build_id, result->build_id) != 0)
        printf("baseline of build %s, result of build %s\n", baseline->build_id, result->build_id);
}

static enum berth_err compare(const struct summary *baseline, const struct summary *result,
                              const double tolerances[METRIC_COUNT], bool brief,
                              struct berth_error *err)
{
    struct gate gate;
    enum berth_err code = gate_compare(baseline, result, tolerances, &gate, err);
    if (code != BERTH_OK)
        return code;
    struct text text = TEXT_INIT;
    gate_format(&gate, brief, &text);
    print_origin(baseline, result);
    fputs(text.bytes, stdout);
    if (gate.counts[GATE_WORSE] > 0)
        code = BERTH_ERR_FAILED;
    text_free(&text);
    gate_free(&gate);
    return code;
}

static enum berth_err gate_results(const char *const *paths, const struct gate_tolerance *texts,
                                   int count, bool brief, struct berth_error *err)
{
    double tolerances[METRIC_COUNT] = {0};
    struct summary *baseline = NULL, *result = NULL;
    enum berth_err code = apply_tolerances(texts, count, tolerances, err);
    if (code == BERTH_OK)
        code = summary_read(paths[0], &baseline, err);
    if (code == BERTH_OK)
        code = summary_read(paths[1], &result, err);
    if (code == BERTH_OK)
        code = compare(baseline, result, tolerances, brief, err);
    summary_destroy(baseline);
    summary_destroy(result);
    return code;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    int brief = 0, operands = 0, count = 0;
    const struct command_flag flags[] = {{"--brief", NULL, &brief}, {NULL, NULL, NULL}};
    struct gate_tolerance *tolerances = mem_alloc((size_t)argc * sizeof *tolerances);
    enum berth_err code = take_tolerances(&argc, argv, tolerances, &count, err);
    if (code == BERTH_OK)
        code = command_parse(&command_gate, argc, argv, flags, &operands, err);
    if (code == BERTH_OK && operands != 2)
        code = berth_fail(err, BERTH_ERR_INPUT, "needs BASELINE and RESULT; see berth gate --help");
    if (code == BERTH_OK) {
        const char *const paths[] = {argv[0], argv[1]};
        code = gate_bench_is(paths[0])
                   ? gate_bench(paths[0], paths[1], tolerances, count, brief != 0, err)
                   : gate_results(paths, tolerances, count, brief != 0, err);
    }
    mem_free(tolerances);
    return code;
}

const struct command command_gate = {
    .name = "gate",
    .summary = "fail when a result is worse than a baseline",
    .help =
        "Usage: berth gate [--tolerance METRIC=N%]... [--brief] BASELINE RESULT\n\n"
        "Compare two summary.json files, or the folders they lie in. Prints each metric that\n"
        "moved, by how much, and whether it is more than chance. A metric fails the gate when it\n"
        "became worse by more than the tolerance (default 0%) and by more than chance: a paired\n"
        "t test when seeds and replications are equal, else Welch's, Holm-corrected, 5%. Metrics\n"
        "without a better side are shown and never fail it.\n\n"
        "Two files of berth bench --json are compared by their ratios to naive ways, line by line: "
        "one\n"
        "fails when its median fell by more than the tolerance (default 20%) and all its rounds "
        "lie\n"
        "below all of the baseline's.\n\n"
        "  --tolerance METRIC=N%   this much worse is accepted; N% alone: for all metrics;\n"
        "                          of a bench: LINE=N%\n"
        "  --brief                 print only what moved by more than chance\n\n"
        "Examples, the last of which accepts the result as the new baseline (commit it):\n"
        "  berth run --no-plots scenarios/first-look.json\n"
        "  berth gate --tolerance cost=2% results/baselines/first-look.json results/first-look\n"
        "  berth bench --quick --json >new.json; berth gate old.json new.json\n"
        "  cp results/first-look/summary.json results/baselines/first-look.json\n\n"
        "Exit status: 0 passed; 1 a regression; 2 bad input, or a variant or metric is missing.\n",
    .run = run,
};
