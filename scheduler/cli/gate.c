/* gate.c -- `berth gate`: is this result worse than the committed one? */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/cli/command.h"
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

/* "METRIC=5%", or "5%" for all metrics. */
static enum berth_err read_tolerance(const char *text, double tolerances[METRIC_COUNT],
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
    char name[64] = "";
    if (equals != NULL)
        snprintf(name, sizeof name, "%.*s", (int)(equals - text < 63 ? equals - text : 63), text);
    enum metric metric = metric_find(name);
    if (equals != NULL && metric == METRIC_COUNT)
        return fail_metric(name, err);
    for (int m = 0; m < METRIC_COUNT; m++)
        if (equals == NULL || m == (int)metric)
            tolerances[m] = percent / 100;
    return BERTH_OK;
}

/* --tolerance may be given many times, which command_parse does not know: taken out before it. */
static enum berth_err take_tolerances(int *argc, char **argv, double tolerances[METRIC_COUNT],
                                      struct berth_error *err)
{
    enum berth_err code = BERTH_OK;
    int kept = 1;
    for (int i = 1; i < *argc && code == BERTH_OK; i++) {
        static const char flag[] = "--tolerance";
        size_t length = strlen(flag);
        if (strncmp(argv[i], flag, length) != 0 ||
            (argv[i][length] != '\0' && argv[i][length] != '='))
            argv[kept++] = argv[i];
        else if (argv[i][length] == '=')
            code = read_tolerance(argv[i] + length + 1, tolerances, err);
        else if (i + 1 < *argc)
            code = read_tolerance(argv[++i], tolerances, err);
        else
            code = berth_fail(err, BERTH_ERR_INPUT, "--tolerance needs a value: METRIC=N%%");
    }
    *argc = kept;
    return code;
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

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    int brief = 0;
    const struct command_flag flags[] = {{"--brief", NULL, &brief}, {NULL, NULL, NULL}};
    double tolerances[METRIC_COUNT] = {0};
    int operands = 0;
    enum berth_err code = take_tolerances(&argc, argv, tolerances, err);
    if (code == BERTH_OK)
        code = command_parse(&command_gate, argc, argv, flags, &operands, err);
    if (code == BERTH_OK && operands != 2)
        code = berth_fail(err, BERTH_ERR_INPUT, "needs BASELINE and RESULT; see berth gate --help");
    if (code != BERTH_OK)
        return code;
    struct summary *baseline = NULL, *result = NULL;
    code = summary_read(argv[0], &baseline, err);
    if (code == BERTH_OK)
        code = summary_read(argv[1], &result, err);
    if (code == BERTH_OK)
        code = compare(baseline, result, tolerances, brief != 0, err);
    summary_destroy(baseline);
    summary_destroy(result);
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
        "  --tolerance METRIC=N%   this much worse is accepted; N% alone: for all metrics\n"
        "  --brief                 print only what moved by more than chance\n\n"
        "Examples, the last of which accepts the result as the new baseline (commit it):\n"
        "  berth run --no-plots scenarios/first-look.json\n"
        "  berth gate --tolerance cost=2% results/baselines/first-look.json results/first-look\n"
        "  cp results/first-look/summary.json results/baselines/first-look.json\n\n"
        "Exit status: 0 passed; 1 a regression; 2 bad input, or a variant or metric is missing.\n",
    .run = run,
};
