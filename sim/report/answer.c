/*
 * answer.c -- one sentence out of a table.
 *
 * The metrics are taken in the order of the columns, as a person reads them: those that are not
 * significantly worse than the best go on to the next one, until one strategy is left. What it
 * pays for that in other columns is the second half of the sentence. Adding the columns up to one
 * score was rejected: nobody could say what its unit is.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/report/table.h"

#define PRICES_MAX 3
#define NAMES_MAX 4
#define TIE_BREAKS_MAX 2

/* A column that sent someone away. */
struct sieve {
    uint32_t column;
    uint32_t next;  /* the best of those whom it sent away */
    uint32_t level; /* how many it left */
};

struct finding {
    const struct ranking *ranking;
    bool *remain; /* by variant */
    uint32_t remain_count;
    struct sieve *sieves; /* in order */
    uint32_t sieve_count;
};

static double point_of(const struct ranking *ranking, uint32_t column, uint32_t variant)
{
    return ranking->experiment->variants[variant].points[ranking->columns[column].metric];
}

static bool is_ahead(const struct ranking *ranking, uint32_t column, uint32_t variant,
                     uint32_t other)
{
    double a = point_of(ranking, column, variant), b = point_of(ranking, column, other);
    if (isnan(a) || isnan(b))
        return !isnan(a);
    bool lower = metric_infos[ranking->columns[column].metric].direction == METRIC_LOWER_IS_BETTER;
    return lower ? a < b : a > b;
}

static uint32_t leader(const struct finding *answer, uint32_t column, const bool *among)
{
    uint32_t best = RANKING_NOBODY;
    for (uint32_t v = 0; v < answer->ranking->experiment->variant_count; v++)
        if (among[v] && (best == RANKING_NOBODY || is_ahead(answer->ranking, column, v, best)))
            best = v;
    return best;
}

/* p of each remaining variant against the leader, Holm-corrected; NaN for the leader itself. */
static void test_against(const struct finding *answer, uint32_t column, uint32_t best, double *p)
{
    const struct experiment *experiment = answer->ranking->experiment;
    enum metric metric = answer->ranking->columns[column].metric;
    double *raw = mem_alloc(experiment->variant_count * sizeof *raw);
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        raw[v] = NAN;
        if (answer->remain[v] && v != best)
            raw[v] = statistics_paired(experiment->variants[v].values[metric],
                                       experiment->variants[best].values[metric],
                                       experiment->replication_count)
                         .p;
    }
    statistics_holm(raw, experiment->variant_count, p);
    mem_free(raw);
}

static void sift(struct finding *answer, uint32_t column)
{
    uint32_t variants = answer->ranking->experiment->variant_count;
    uint32_t best = leader(answer, column, answer->remain);
    double *p = mem_alloc(variants * sizeof *p);
    bool *leave = mem_alloc(variants * sizeof *leave);
    uint32_t leave_count = 0;
    test_against(answer, column, best, p);
    for (uint32_t v = 0; v < variants; v++) {
        leave[v] =
            answer->remain[v] && v != best &&
            point_of(answer->ranking, column, v) != point_of(answer->ranking, column, best) &&
            (isnan(p[v]) || statistics_is_significant(p[v]));
        leave_count += leave[v];
    }
    if (leave_count > 0) {
        answer->remain_count -= leave_count;
        answer->sieves[answer->sieve_count++] =
            (struct sieve){column, leader(answer, column, leave), answer->remain_count};
        for (uint32_t v = 0; v < variants; v++)
            answer->remain[v] = answer->remain[v] && !leave[v];
    }
    mem_free(leave);
    mem_free(p);
}

static void add_value(const struct ranking *ranking, uint32_t column, double value,
                      struct text *out)
{
    const struct ranking_column *shown = &ranking->columns[column];
    ranking_format_value(shown->metric, value, ranking_decimals(ranking, shown), out);
    const char *unit = ranking_unit(shown->metric);
    text_addf(out, "%s%s", unit[0] == '\0' || unit[0] == '%' ? "" : " ", unit);
}

static const char *label_of(const struct ranking *ranking, uint32_t column)
{
    return metric_infos[ranking->columns[column].metric].label;
}

/* "a", "a and b", "a, b and c"; of many only how many. */
static void add_names(const struct finding *answer, struct text *out)
{
    uint32_t said = 0;
    if (answer->remain_count > NAMES_MAX) {
        text_addf(out, "%" PRIu32 " of %" PRIu32 " strategies", answer->remain_count,
                  answer->ranking->experiment->variant_count);
        return;
    }
    for (uint32_t v = 0; v < answer->ranking->experiment->variant_count; v++) {
        if (!answer->remain[v])
            continue;
        if (said > 0)
            text_add(out, said + 1 == answer->remain_count ? " and " : ", ");
        text_add(out, answer->ranking->experiment->variants[v].name);
        said++;
    }
}

static void add_amount(const struct ranking *ranking, uint32_t column, double amount,
                       struct text *out)
{
    const struct ranking_column *shown = &ranking->columns[column];
    if (ranking_unit(shown->metric)[0] != '%') {
        add_value(ranking, column, amount, out);
        return;
    }
    ranking_format_value(shown->metric, amount, ranking_decimals(ranking, shown), out);
    text_add(out, " points");
}

/* "higher by 0.20 to 1.10 points with 95% confidence" */
static void add_difference(const struct ranking *ranking, uint32_t column,
                           const struct statistics_test *test, struct text *out)
{
    const struct ranking_column *shown = &ranking->columns[column];
    if (isnan(test->p)) {
        text_add(out, " (one pair of runs: it may be chance)");
        return;
    }
    int decimals = ranking_decimals(ranking, shown);
    if (test->sd > 0 && test->low <= 0 && test->high >= 0) {
        text_addf(out, " (a difference of ");
        ranking_format_value(shown->metric, test->low, decimals, out);
        text_add(out, " to ");
        add_amount(ranking, column, test->high, out);
        text_add(out, " with 95% confidence)");
        return;
    }
    text_addf(out, " (%s by ", test->difference > 0 ? "higher" : "lower");
    if (!(test->sd > 0)) {
        add_amount(ranking, column, fabs(test->difference), out);
        text_add(out, " in every replication)");
        return;
    }
    struct text near = TEXT_INIT, far = TEXT_INIT;
    double least = fmin(fabs(test->low), fabs(test->high));
    double most = fmax(fabs(test->low), fabs(test->high));
    ranking_format_value(shown->metric, least, decimals, &near);
    ranking_format_value(shown->metric, most, decimals, &far);
    if (strcmp(near.bytes, far.bytes) != 0)
        text_addf(out, "%s to ", near.bytes);
    add_amount(ranking, column, most, out);
    text_free(&near);
    text_free(&far);
    text_add(out, " with 95% confidence)");
}

static void add_point(const struct ranking *ranking, uint32_t column, uint32_t variant,
                      struct text *out)
{
    add_value(ranking, column, point_of(ranking, column, variant), out);
}

/*
 * The first column that decides anything. The winner is ahead of those that it sent away, or else
 * it varies so much that it could not be sent away: then the column's best is named.
 */
static void add_lead(const struct finding *answer, uint32_t winner, struct text *out)
{
    const struct ranking *ranking = answer->ranking;
    const struct sieve *first = &answer->sieves[0];
    const struct experiment_variant *variants = ranking->experiment->variants;
    enum metric metric = ranking->columns[first->column].metric;
    text_addf(out, "%s ", label_of(ranking, first->column));
    add_point(ranking, first->column, winner, out);
    if (!is_ahead(ranking, first->column, winner, first->next)) {
        uint32_t best = ranking->columns[first->column].best;
        text_add(out, ", not told apart from the best, ");
        add_point(ranking, first->column, best, out);
        text_addf(out, " of %s", variants[best].name);
        return;
    }
    struct statistics_test test =
        statistics_paired(variants[winner].values[metric], variants[first->next].values[metric],
                          ranking->experiment->replication_count);
    text_add(out, " against ");
    add_point(ranking, first->column, first->next, out);
    text_addf(out, " of %s", variants[first->next].name);
    add_difference(ranking, first->column, &test, out);
}

/* What then told the winner from those who were level with it. */
static void add_tie_breaks(const struct finding *answer, uint32_t winner, struct text *out)
{
    const struct ranking *ranking = answer->ranking;
    int said = 0;
    for (uint32_t i = 1; i < answer->sieve_count && said < TIE_BREAKS_MAX; i++) {
        const struct sieve *sieve = &answer->sieves[i];
        const char *next = ranking->experiment->variants[sieve->next].name;
        if (!is_ahead(ranking, sieve->column, winner, sieve->next))
            continue;
        text_addf(out, "%s%s%s%s, ", said == 0 ? "; " : ", then ", next,
                  said == 0 ? " is level there but behind in " : " in ",
                  label_of(ranking, sieve->column));
        add_point(ranking, sieve->column, sieve->next, out);
        text_add(out, " against ");
        add_point(ranking, sieve->column, winner, out);
        said++;
    }
}

/* How much worse than the best of the column, for choosing which prices to name. */
static double price_of(const struct ranking *ranking, uint32_t column, uint32_t winner)
{
    const struct ranking_column *shown = &ranking->columns[column];
    if (shown->best == RANKING_NOBODY || shown->cells[winner].rank != RANK_WORSE)
        return 0;
    double mine = point_of(ranking, column, winner), best = point_of(ranking, column, shown->best);
    if (fabs(mine - best) < ranking_least_worth(shown->metric))
        return 0;
    return fabs(mine - best) / fmax(fabs(mine), fabs(best));
}

/* "wait, p95" and "wait, mean" tell one story: once is enough. */
static bool is_same_story(const struct ranking *ranking, uint32_t column, uint32_t other)
{
    const char *a = label_of(ranking, column), *b = label_of(ranking, other);
    size_t length = strcspn(a, ",");
    return length == strcspn(b, ",") && strncmp(a, b, length) == 0;
}

/* The column, not told yet, in which the winner is furthest behind; RANKING_NOBODY: none. */
static uint32_t dearest_column(const struct ranking *ranking, uint32_t winner, const bool *told)
{
    uint32_t dearest = RANKING_NOBODY;
    double most = 0;
    for (uint32_t c = 0; c < ranking->column_count; c++) {
        if (!told[c] && price_of(ranking, c, winner) > most) {
            dearest = c;
            most = price_of(ranking, c, winner);
        }
    }
    return dearest;
}

/* Marks a column, and those of the same story, as told. */
static void tell(const struct ranking *ranking, uint32_t column, bool *told)
{
    for (uint32_t c = 0; c < ranking->column_count; c++)
        told[c] = told[c] || is_same_story(ranking, c, column);
}

static void add_prices(const struct finding *answer, uint32_t winner, struct text *out)
{
    const struct ranking *ranking = answer->ranking;
    bool *told = mem_alloc((ranking->column_count + 1) * sizeof *told);
    tell(ranking, answer->sieves[0].column, told);
    uint32_t column = dearest_column(ranking, winner, told);
    if (column == RANKING_NOBODY && ranking->experiment->replication_count > 1)
        text_add(out, "; no price for it shows in the other figures");
    for (int said = 0; said < PRICES_MAX && column != RANKING_NOBODY; said++) {
        uint32_t best = ranking->columns[column].best;
        text_addf(out, "%s%s ", said == 0 ? "; its price: " : ", ", label_of(ranking, column));
        add_value(ranking, column, point_of(ranking, column, winner), out);
        text_add(out, " against ");
        add_value(ranking, column, point_of(ranking, column, best), out);
        text_addf(out, " of %s", ranking->experiment->variants[best].name);
        tell(ranking, column, told);
        column = dearest_column(ranking, winner, told);
    }
    mem_free(told);
}

static void answer_alone(const struct ranking *ranking, struct text *out)
{
    text_addf(out, "%s alone, with nothing to compare: ", ranking->experiment->variants[0].name);
    for (uint32_t c = 0; c < ranking->column_count; c++) {
        text_addf(out, "%s%s ", c > 0 ? ", " : "", label_of(ranking, c));
        add_value(ranking, c, point_of(ranking, c, 0), out);
    }
    text_add(out, ".");
}

static void add_words(const struct finding *answer, struct text *out)
{
    const struct experiment *experiment = answer->ranking->experiment;
    if (answer->sieve_count == 0) {
        text_addf(
            out, "%" PRIu32 " replication%s not tell the strategies apart in any figure above.",
            experiment->replication_count, experiment->replication_count == 1 ? " does" : "s do");
        return;
    }
    uint32_t winner = leader(answer, answer->sieves[0].column, answer->remain);
    add_names(answer, out);
    if (answer->remain_count > 1)
        text_addf(out, " lead and are level; %s has ", experiment->variants[winner].name);
    else
        text_add(out, " leads: ");
    add_lead(answer, winner, out);
    add_tie_breaks(answer, winner, out);
    add_prices(answer, winner, out);
    text_add(out, ".");
}

void table_format_answer(const struct ranking *ranking, struct text *out)
{
    uint32_t variants = ranking->experiment->variant_count;
    if (variants == 1) {
        answer_alone(ranking, out);
        return;
    }
    struct finding answer = {.ranking = ranking,
                             .remain = mem_alloc(variants * sizeof(bool)),
                             .remain_count = variants,
                             .sieves =
                                 mem_alloc((ranking->column_count + 1) * sizeof(struct sieve))};
    memset(answer.remain, true, variants * sizeof(bool));
    for (uint32_t c = 0; c < ranking->column_count && answer.remain_count > 1; c++)
        if (ranking->columns[c].best != RANKING_NOBODY)
            sift(&answer, c);
    add_words(&answer, out);
    mem_free(answer.remain);
    mem_free(answer.sieves);
}
