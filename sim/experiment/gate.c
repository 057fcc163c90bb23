#include "sim/experiment/gate.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"

const char *const gate_verdict_names[GATE_VERDICT_COUNT] = {
    [GATE_EQUAL] = "equal",   [GATE_CHANCE] = "may be chance", [GATE_NEUTRAL] = "moved",
    [GATE_BETTER] = "better", [GATE_TOLERATED] = "tolerated",  [GATE_WORSE] = "WORSE",
};

static double relative_of(double baseline, double result)
{
    if (baseline == result || (isnan(baseline) && isnan(result)))
        return 0;
    if (isnan(baseline) || isnan(result) || baseline == 0)
        return HUGE_VAL;
    return (result - baseline) / fabs(baseline);
}

static void test_row(struct gate_row *row, const struct summary_variant *before,
                     const struct summary_variant *after, bool same_chance)
{
    uint32_t count = before->value_counts[row->metric];
    uint32_t after_count = after->value_counts[row->metric];
    const double *values = after->values[row->metric], *other = before->values[row->metric];
    row->is_paired = same_chance && count == after_count;
    row->test = row->is_paired ? statistics_paired(values, other, count)
                               : statistics_welch(values, after_count, other, count);
    row->p = row->test.p;
}

static bool has_moved(const struct gate_row *row)
{
    if (isnan(row->baseline) != isnan(row->result))
        return true;
    if (isnan(row->test.p))
        return relative_of(row->baseline, row->result) != 0;
    return !(row->test.t == 0) || relative_of(row->baseline, row->result) != 0;
}

/* A value that is gone is as bad as can be; one that is new is no regression. */
static bool is_worse_side(const struct gate_row *row)
{
    if (isnan(row->baseline) || isnan(row->result))
        return isnan(row->result);
    return metric_infos[row->metric].direction == METRIC_LOWER_IS_BETTER
               ? row->result > row->baseline
               : row->result < row->baseline;
}

static bool is_perhaps_chance(const struct gate_row *row)
{
    return !isnan(row->p) && !statistics_is_significant(row->p);
}

static enum gate_verdict judge(const struct gate_row *row, double tolerance)
{
    if (!has_moved(row))
        return GATE_EQUAL;
    if (metric_infos[row->metric].direction == METRIC_NEUTRAL)
        return GATE_NEUTRAL;
    if (is_perhaps_chance(row))
        return GATE_CHANCE;
    if (!is_worse_side(row))
        return GATE_BETTER;
    return fabs(row->relative) > tolerance ? GATE_WORSE : GATE_TOLERATED;
}

static void correct(struct gate *gate)
{
    double *p = mem_alloc((gate->row_count + 1) * sizeof *p);
    double *adjusted = mem_alloc((gate->row_count + 1) * sizeof *adjusted);
    for (size_t i = 0; i < gate->row_count; i++)
        p[i] = has_moved(&gate->rows[i]) ? gate->rows[i].p : NAN;
    statistics_holm(p, gate->row_count, adjusted);
    for (size_t i = 0; i < gate->row_count; i++)
        gate->rows[i].p = adjusted[i];
    mem_free(p);
    mem_free(adjusted);
}

static enum berth_err compare_variant(const struct summary *result,
                                      const struct summary_variant *before, bool same_chance,
                                      struct gate *gate, struct berth_error *err)
{
    const struct summary_variant *after = summary_find(result, before->name);
    if (after == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: has no variant \"%s\", which the baseline has; run the same "
                          "scenario, or renew the baseline",
                          result->path, before->name);
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (!before->has[m])
            continue;
        if (!after->has[m])
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s: variant \"%s\" has no metric \"%s\", which the baseline has; "
                              "write the result anew",
                              result->path, before->name, metric_infos[m].name);
        struct gate_row row = {.variant = before->name,
                               .metric = (enum metric)m,
                               .baseline = before->means[m],
                               .result = after->means[m],
                               .relative = relative_of(before->means[m], after->means[m])};
        test_row(&row, before, after, same_chance);
        gate->rows[gate->row_count++] = row;
    }
    return BERTH_OK;
}

enum berth_err gate_compare(const struct summary *baseline, const struct summary *result,
                            const double tolerances[METRIC_COUNT], struct gate *out,
                            struct berth_error *err)
{
    *out = (struct gate){.rows = NULL};
    out->rows = mem_alloc((size_t)baseline->variant_count * METRIC_COUNT * sizeof *out->rows);
    bool same_chance = baseline->seed == result->seed;
    enum berth_err code = BERTH_OK;
    for (uint32_t v = 0; v < baseline->variant_count && code == BERTH_OK; v++)
        code = compare_variant(result, &baseline->variants[v], same_chance, out, err);
    if (code != BERTH_OK) {
        gate_free(out);
        return code;
    }
    correct(out);
    for (size_t i = 0; i < out->row_count; i++) {
        struct gate_row *row = &out->rows[i];
        row->verdict = judge(row, tolerances[row->metric]);
        out->counts[row->verdict]++;
    }
    return BERTH_OK;
}

void gate_free(struct gate *gate)
{
    mem_free(gate->rows);
    *gate = (struct gate){.rows = NULL};
}

static void format_mean(double mean, struct text *out)
{
    if (isnan(mean))
        text_addf(out, "  %12s", "-");
    else
        text_addf(out, "  %12.6g", mean == 0 ? 0 : mean);
}

static void format_row(const struct gate_row *row, int name_width, struct text *out)
{
    text_addf(out, "  %-*s  %-22s", name_width, row->variant, metric_infos[row->metric].name);
    format_mean(row->baseline, out);
    format_mean(row->result, out);
    if (isinf(row->relative))
        text_addf(out, "  %9s", isnan(row->baseline) ? "new" : isnan(row->result) ? "gone" : "-");
    else
        text_addf(out, "  %+8.2f%%", 100 * row->relative);
    if (isnan(row->p))
        text_addf(out, "  %8s", "-");
    else if (row->p < 0.001)
        text_addf(out, "  %8s", "<0.001");
    else
        text_addf(out, "  %8.3f", row->p);
    text_addf(out, "  %s\n", gate_verdict_names[row->verdict]);
}

void gate_format(const struct gate *gate, bool brief, struct text *out)
{
    int name_width = 8;
    for (size_t i = 0; i < gate->row_count; i++)
        if ((int)strlen(gate->rows[i].variant) > name_width)
            name_width = (int)strlen(gate->rows[i].variant);
    if (gate->counts[GATE_EQUAL] < gate->row_count)
        text_addf(out, "  %-*s  %-22s  %12s  %12s  %9s  %8s\n", name_width, "strategy", "metric",
                  "baseline", "result", "change", "p");
    for (int verdict = GATE_VERDICT_COUNT - 1; verdict > GATE_EQUAL; verdict--)
        for (size_t i = 0; i < gate->row_count; i++)
            if (gate->rows[i].verdict == (enum gate_verdict)verdict &&
                !(brief && is_perhaps_chance(&gate->rows[i])))
                format_row(&gate->rows[i], name_width, out);
    text_addf(out,
              "%s: %zu worse, %zu better, %zu tolerated, %zu neutral, %zu may be chance, "
              "%zu equal\n",
              gate->counts[GATE_WORSE] > 0 ? "FAILED" : "passed", gate->counts[GATE_WORSE],
              gate->counts[GATE_BETTER], gate->counts[GATE_TOLERATED], gate->counts[GATE_NEUTRAL],
              gate->counts[GATE_CHANCE], gate->counts[GATE_EQUAL]);
}
