#include "sim/report/ranking.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define COLUMNS_DEFAULT_MAX 7 /* a table of some hundred columns of text */

static const enum metric usual[] = {
    METRIC_AVAILABILITY,
    METRIC_REFUSED_RATIO,
    METRIC_PLACEMENT_WAIT_MEAN,
    METRIC_PLACEMENT_WAIT_P95,
    METRIC_TIME_TO_STEADY_MEAN,
    METRIC_BLAST_RADIUS_MAX,
    METRIC_ZONE_SKEW_MEAN,
    METRIC_INSTANCES_IN_USE_MEAN,
    METRIC_CPU_STRANDED_RATIO,
    METRIC_GPU_RESERVED_RATIO,
    METRIC_COST,
    METRIC_MEMORY_STRANDED_RATIO,
    METRIC_TASKS_WAITING_MEAN,
    METRIC_CPU_RESERVED_RATIO,
    METRIC_MEMORY_RESERVED_RATIO,
    METRIC_TASKS_RUNNING_MEAN,
};

double ranking_least_worth(enum metric metric)
{
    if (strcmp(metric_infos[metric].unit, "ratio") == 0)
        return 1e-4;
    return strcmp(metric_infos[metric].unit, "s") == 0 ? 1e-3 : 1e-2;
}

/* It exists, is not next to nothing for everyone, and if asked, not the same for everyone. */
static bool is_worth_a_column(const struct experiment *experiment, enum metric metric,
                              bool must_differ)
{
    bool is_there = false, differs = !must_differ;
    double first = experiment->variants[0].points[metric];
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        double point = experiment->variants[v].points[metric];
        is_there = is_there || fabs(point) >= ranking_least_worth(metric);
        differs = differs || (point != first && !(isnan(point) && isnan(first)));
    }
    return is_there && differs;
}

static void choose_usual(struct ranking *ranking, bool must_differ)
{
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (ranking->column_count < COLUMNS_DEFAULT_MAX &&
            is_worth_a_column(ranking->experiment, usual[i], must_differ))
            ranking->columns[ranking->column_count++].metric = usual[i];
}

/* For a scenario of an unusual kind (machines without tasks): whatever there is. */
static void choose_any(struct ranking *ranking, bool must_differ)
{
    for (int m = 0; m < METRIC_COUNT && ranking->column_count < COLUMNS_DEFAULT_MAX; m++)
        if (is_worth_a_column(ranking->experiment, (enum metric)m, must_differ))
            ranking->columns[ranking->column_count++].metric = (enum metric)m;
}

static void choose_columns(struct ranking *ranking)
{
    const struct experiment *experiment = ranking->experiment;
    const struct scenario_run *run = &experiment->variants[experiment->baseline].scenario->run;
    ranking->columns = mem_alloc((METRIC_COUNT + run->metric_count) * sizeof *ranking->columns);
    for (uint32_t i = 0; i < run->metric_count; i++) {
        enum metric metric = metric_find(run->metrics[i]);
        if (metric != METRIC_COUNT)
            ranking->columns[ranking->column_count++].metric = metric;
    }
    if (run->metric_count > 0)
        return;
    choose_usual(ranking, experiment->variant_count > 1);
    if (ranking->column_count == 0)
        choose_any(ranking, experiment->variant_count > 1);
    if (ranking->column_count == 0)
        choose_any(ranking, false);
}

/* NaN is never better than anything. */
static bool is_better(enum metric metric, double value, double other)
{
    if (isnan(value) || isnan(other))
        return !isnan(value);
    return metric_infos[metric].direction == METRIC_LOWER_IS_BETTER ? value < other : value > other;
}

static uint32_t find_best(const struct experiment *experiment, enum metric metric)
{
    if (metric_infos[metric].direction == METRIC_NEUTRAL || experiment->variant_count < 2)
        return RANKING_NOBODY;
    uint32_t best = 0;
    bool differ = false;
    for (uint32_t v = 1; v < experiment->variant_count; v++) {
        double value = experiment->variants[v].points[metric];
        double of_best = experiment->variants[best].points[metric];
        differ = differ || (value != of_best && !(isnan(value) && isnan(of_best)));
        if (is_better(metric, value, of_best))
            best = v;
    }
    return differ ? best : RANKING_NOBODY;
}

static void test_column(const struct experiment *experiment, struct ranking_column *column)
{
    column->cells = mem_alloc(experiment->variant_count * sizeof *column->cells);
    column->best = find_best(experiment, column->metric);
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        column->cells[v].p = NAN;
        if (column->best == RANKING_NOBODY || v == column->best)
            continue;
        column->cells[v].test =
            statistics_paired(experiment->variants[v].values[column->metric],
                              experiment->variants[column->best].values[column->metric],
                              experiment->replication_count);
        column->cells[v].p = column->cells[v].test.p;
    }
}

static void correct(struct ranking *ranking)
{
    uint32_t variants = ranking->experiment->variant_count;
    size_t count = (size_t)ranking->column_count * variants;
    double *p = mem_alloc((count + 1) * sizeof *p), *adjusted = mem_alloc((count + 1) * sizeof *p);
    for (size_t i = 0; i < count; i++)
        p[i] = ranking->columns[i / variants].cells[i % variants].p;
    statistics_holm(p, count, adjusted);
    for (size_t i = 0; i < count; i++)
        ranking->columns[i / variants].cells[i % variants].p = adjusted[i];
    mem_free(p);
    mem_free(adjusted);
}

static enum rank rank_of(const struct ranking *ranking, const struct ranking_column *column,
                         uint32_t variant)
{
    const struct ranking_cell *cell = &column->cells[variant];
    if (column->best == RANKING_NOBODY ||
        isnan(ranking->experiment->variants[variant].points[column->metric]))
        return RANK_NONE;
    if (variant == column->best || (cell->test.t == 0 && cell->test.sd == 0))
        return RANK_BEST;
    const struct experiment_variant *variants = ranking->experiment->variants;
    if (isnan(cell->p))
        return variants[variant].points[column->metric] ==
                       variants[column->best].points[column->metric]
                   ? RANK_BEST
                   : RANK_UNTESTED;
    return statistics_is_significant(cell->p) ? RANK_WORSE : RANK_TIED;
}

struct ranking *ranking_create(const struct experiment *experiment)
{
    struct ranking *ranking = mem_alloc(sizeof *ranking);
    ranking->experiment = experiment;
    choose_columns(ranking);
    for (uint32_t c = 0; c < ranking->column_count; c++)
        test_column(experiment, &ranking->columns[c]);
    if (ranking->column_count > 0)
        correct(ranking);
    for (uint32_t c = 0; c < ranking->column_count; c++)
        for (uint32_t v = 0; v < experiment->variant_count; v++)
            ranking->columns[c].cells[v].rank = rank_of(ranking, &ranking->columns[c], v);
    return ranking;
}

void ranking_destroy(struct ranking *ranking)
{
    for (uint32_t c = 0; c < ranking->column_count; c++)
        mem_free(ranking->columns[c].cells);
    mem_free(ranking->columns);
    mem_free(ranking);
}

static double scale_of(enum metric metric)
{
    return strcmp(metric_infos[metric].unit, "ratio") == 0 ? 100 : 1;
}

const char *ranking_unit(enum metric metric)
{
    return scale_of(metric) > 1 ? "%" : metric_infos[metric].unit;
}

void ranking_format_value(enum metric metric, double value, int decimals, struct text *out)
{
    double shown = value == 0 ? 0 : value * scale_of(metric);
    if (isnan(value))
        text_add(out, "-");
    else if (shown > 0 && shown < 0.5 * pow(10, -decimals))
        text_addf(out, "<%.*f", decimals, pow(10, -decimals));
    else
        text_addf(out, "%.*f", decimals, shown);
}

/* Would a cell read like the best, though it is significantly worse? */
static bool hides_a_difference(const struct ranking *ranking, const struct ranking_column *column,
                               int decimals)
{
    const struct experiment_variant *variants = ranking->experiment->variants;
    bool hides = false;
    if (column->best == RANKING_NOBODY)
        return false;
    struct text best = TEXT_INIT, other = TEXT_INIT;
    ranking_format_value(column->metric, variants[column->best].points[column->metric], decimals,
                         &best);
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++) {
        text_clear(&other);
        ranking_format_value(column->metric, variants[v].points[column->metric], decimals, &other);
        hides = hides || (column->cells[v].rank == RANK_WORSE &&
                          variants[v].points[column->metric] !=
                              variants[column->best].points[column->metric] &&
                          strcmp(best.bytes, other.bytes) == 0);
    }
    text_free(&best);
    text_free(&other);
    return hides;
}

/* Three digits of the largest value, and more when they are needed to see what is significant. */
int ranking_decimals(const struct ranking *ranking, const struct ranking_column *column)
{
    double largest = 0;
    bool are_whole = true;
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++) {
        double value = ranking->experiment->variants[v].points[column->metric];
        if (isnan(value))
            continue;
        value = fabs(value * scale_of(column->metric));
        largest = fmax(largest, value);
        are_whole = are_whole && value == floor(value);
    }
    if (are_whole)
        return 0;
    int decimals = largest >= 1000 ? 0 : largest >= 100 ? 1 : largest >= 1 ? 2 : 3;
    int most = decimals < 2 ? decimals + 3 : 4;
    while (decimals < most && hides_a_difference(ranking, column, decimals))
        decimals++;
    return decimals;
}
