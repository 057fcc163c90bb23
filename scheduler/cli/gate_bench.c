#include "scheduler/cli/gate_bench.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/ecs/json_input.h"
#include "sim/bench/compare.h"

bool gate_bench_is(const char *path)
{
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    bool is_bench = json_read_file(path, &json, &err) == BERTH_OK && bench_file_is(json);
    json_decref(json);
    return is_bench;
}

static enum berth_err read_file(const char *path, struct bench_file **out, struct berth_error *err)
{
    json_t *json = NULL;
    enum berth_err code = json_read_file(path, &json, err);
    if (code == BERTH_OK)
        code = bench_file_read(json, path, out, err);
    json_decref(json);
    return code;
}

static double tolerance_of(const struct bench_file_ratio *ratio,
                           const struct gate_tolerance *tolerances, int count)
{
    double tolerance = BENCH_TOLERANCE;
    for (int i = 0; i < count; i++)
        if (tolerances[i].name[0] == '\0' || strcmp(tolerances[i].name, ratio->id) == 0)
            tolerance = tolerances[i].ratio;
    return tolerance;
}

static enum berth_err check_names(const struct bench_file *file,
                                  const struct gate_tolerance *tolerances, int count,
                                  struct berth_error *err)
{
    for (int i = 0; i < count; i++) {
        bool is_known = tolerances[i].name[0] == '\0';
        for (size_t r = 0; r < file->ratios.count && !is_known; r++)
            is_known = strcmp(file->ratios.items[r].id, tolerances[i].name) == 0;
        if (!is_known)
            return berth_fail(err, BERTH_ERR_INPUT, "--tolerance: %s has no ratio of a line \"%s\"",
                              file->path, tolerances[i].name);
    }
    return BERTH_OK;
}

static void print_row(const struct bench_file_ratio *before, const struct bench_file_ratio *after,
                      enum bench_change change)
{
    double old_median = bench_number_of(before->values, before->count).median;
    double new_median = bench_number_of(after->values, after->count).median;
    printf("  %-4s  %-24s  %10.4g  %10.4g  %+8.1f%%  %s\n", before->id, before->to, old_median,
           new_median, 100 * (new_median / old_median - 1), bench_change_names[change]);
}

static enum berth_err compare(const struct bench_file *before, const struct bench_file *after,
                              const struct gate_tolerance *tolerances, int count, bool brief,
                              struct berth_error *err)
{
    size_t counts[BENCH_CHANGES] = {0};
    printf("  %-4s  %-24s  %10s  %10s  %9s\n", "line", "ratio to", "baseline", "result", "change");
    for (size_t i = 0; i < before->ratios.count; i++) {
        const struct bench_file_ratio *ratio = &before->ratios.items[i];
        const struct bench_file_ratio *now = bench_file_find(after, ratio);
        if (now == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s: has no ratio of %s to the %s, which the baseline has; measure "
                              "the same lines",
                              after->path, ratio->id, ratio->to);
        enum bench_change change =
            bench_compare(ratio, now, tolerance_of(ratio, tolerances, count));
        counts[change]++;
        if (!brief || change != BENCH_ALIKE)
            print_row(ratio, now, change);
    }
    printf("%s: %zu slower, %zu alike, %zu faster\n",
           counts[BENCH_SLOWER] > 0 ? "FAILED" : "passed", counts[BENCH_SLOWER],
           counts[BENCH_ALIKE], counts[BENCH_FASTER]);
    return counts[BENCH_SLOWER] > 0 ? BERTH_ERR_FAILED : BERTH_OK;
}

enum berth_err gate_bench(const char *baseline, const char *result,
                          const struct gate_tolerance *tolerances, int tolerance_count, bool brief,
                          struct berth_error *err)
{
    struct bench_file *before = NULL, *after = NULL;
    enum berth_err code = read_file(baseline, &before, err);
    if (code == BERTH_OK)
        code = read_file(result, &after, err);
    if (code == BERTH_OK)
        code = check_names(before, tolerances, tolerance_count, err);
    if (code == BERTH_OK && before->is_quick != after->is_quick)
        code = berth_fail(err, BERTH_ERR_INPUT,
                          "%s: is of a %s bench and the baseline is not; their workloads differ",
                          result, after->is_quick ? "quick" : "whole");
    if (code == BERTH_OK && strcmp(before->processor, after->processor) != 0)
        printf("The processors differ (%s, %s): ratios move a little with them.\n",
               before->processor, after->processor);
    if (code == BERTH_OK && strcmp(before->build_id, after->build_id) != 0)
        printf("baseline of build %s, result of build %s\n", before->build_id, after->build_id);
    if (code == BERTH_OK)
        code = compare(before, after, tolerances, tolerance_count, brief, err);
    bench_file_destroy(before);
    bench_file_destroy(after);
    return code;
}
