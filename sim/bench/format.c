#include "sim/bench/bench.h"

#include <string.h>

static bool has_values(const struct bench_result *result)
{
    return result->rounds[0].left_out[0] == '\0' && result->rounds[0].workload[0] != '\0';
}

static void format_figure(const struct bench_result *result, uint32_t figure, struct text *out)
{
    const struct bench_figure *goal = &result->line->figures[figure];
    struct bench_number value = bench_value(result, figure);
    text_addf(out, "    %.4g %s", value.median, goal->unit);
    if (goal->what != NULL)
        text_addf(out, " %s", goal->what);
    if (result->round_count > 1)
        text_addf(out, ", spread %.1f %% of %u runs", 100 * value.spread,
                  (unsigned)result->round_count);
    else
        text_add(out, ", one run");
    text_addf(out, "; must %g, aim %g: %s", goal->must, goal->aim,
              bench_verdict_names[bench_judge(result, figure)]);
    if (goal->naive != NULL && result->rounds[0].ratios[figure] > 0) {
        text_addf(out, "; %.3gx the %s", bench_ratio(result, figure).median, goal->naive);
        if (goal->ratio_least > 0)
            text_addf(out, " (at least %gx)", goal->ratio_least);
    }
    text_add(out, bench_figure_has_failed(result, figure) ? "  FAILED\n" : "\n");
}

/* Each check once: of the first round, or of the first in which it did not hold. */
static void format_checks(const struct bench_result *result, struct text *out)
{
    for (uint32_t c = 0; c < result->rounds[0].check_count; c++) {
        const struct bench_check *check = &result->rounds[0].checks[c];
        text_addf(out, "%s%s", c == 0 ? "    checked: " : "; ", check->what);
    }
    if (result->rounds[0].check_count > 0)
        text_add(out, "\n");
    for (uint32_t i = 0; i < result->round_count; i++)
        for (uint32_t c = 0; c < result->rounds[i].check_count; c++)
            if (!result->rounds[i].checks[c].holds)
                text_addf(out, "    FAILED in round %u: %s\n", (unsigned)i + 1,
                          result->rounds[i].checks[c].what);
}

void bench_format(const struct bench_result *result, struct text *out)
{
    const struct bench_round *first = &result->rounds[0];
    text_addf(out, "%-3s %s%s\n", result->line->id, first->workload,
              first->is_smaller ? " (smaller: not judged)" : "");
    if (first->left_out[0] != '\0')
        text_addf(out, "    left out: %s\n", first->left_out);
    for (uint32_t f = 0; f < result->line->figure_count && has_values(result); f++)
        format_figure(result, f, out);
    format_checks(result, out);
}

void bench_format_summary(const struct bench_result *results, size_t count, struct text *out)
{
    uint32_t verdicts[BENCH_NOT_JUDGED + 1] = {0}, failed = 0;
    for (size_t i = 0; i < count; i++) {
        failed += bench_has_failed(&results[i]);
        for (uint32_t f = 0; f < results[i].line->figure_count; f++)
            verdicts[bench_judge(&results[i], f)]++;
    }
    text_addf(out, "%s: %zu lines; figures: %u aimed, %u met, %u missed, %u not judged",
              failed > 0 ? "FAILED" : "passed", count, (unsigned)verdicts[BENCH_AIMED],
              (unsigned)verdicts[BENCH_MET], (unsigned)verdicts[BENCH_MISSED],
              (unsigned)verdicts[BENCH_NOT_JUDGED]);
    const char *separator = "; a check or a ratio failed in ";
    for (size_t i = 0; i < count; i++) {
        if (!bench_has_failed(&results[i]))
            continue;
        text_addf(out, "%s%s", separator, results[i].line->id);
        separator = ", ";
    }
    text_add(out, "\n");
    if (!bench_judges_ratios)
        text_add(out, "This build is not optimised, or has sanitizers: ratios were not judged.\n");
}
