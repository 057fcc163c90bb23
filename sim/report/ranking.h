/*
 * ranking.h -- who is best in each metric shown, and who cannot be told from the best.
 *
 * Tests are paired t tests with the best of the column, Holm-corrected over all cells of the table.
 */
#ifndef BERTH_SIM_REPORT_RANKING_H
#define BERTH_SIM_REPORT_RANKING_H

#include "scheduler/base/text.h"
#include "sim/experiment/experiment.h"

enum rank {
    RANK_NONE = 0, /* neutral metric, no value, or equal for all */
    RANK_BEST,     /* or equal to the best in every replication */
    RANK_TIED,     /* the difference may be chance */
    RANK_UNTESTED, /* fewer than two pairs: nothing can be said */
    RANK_WORSE,
};

struct ranking_cell {
    enum rank rank;
    struct statistics_test test; /* this variant minus the best */
    double p;                    /* corrected */
};

struct ranking_column {
    enum metric metric;
    uint32_t best; /* a variant, or RANKING_NOBODY */
    struct ranking_cell *cells;
};

#define RANKING_NOBODY UINT32_MAX

struct ranking {
    const struct experiment *experiment; /* borrowed */
    struct ranking_column *columns;
    uint32_t column_count;
};

/*
 * The columns are run.metrics of the baseline; without them, the first seven of a list from "are
 * the services up?" to "what does it cost?" that are not the same for everyone.
 */
struct ranking *ranking_create(const struct experiment *experiment);
void ranking_destroy(struct ranking *ranking);

/* Below this, a figure or a difference is nothing to a person, whoever is ahead in it. */
double ranking_least_worth(enum metric metric);

/*
 * A number for people: a ratio is a percentage; `decimals` from ranking_decimals. "-" for NaN; what
 * would read as zero and is not is "<0.001".
 */
void ranking_format_value(enum metric metric, double value, int decimals, struct text *out);
int ranking_decimals(const struct ranking *ranking, const struct ranking_column *column);
const char *ranking_unit(enum metric metric); /* "%", "s", "" */

#endif
