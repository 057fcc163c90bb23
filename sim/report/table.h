/* table.h -- what `berth run` prints: one table that a person can read, and one sentence. */
#ifndef BERTH_SIM_REPORT_TABLE_H
#define BERTH_SIM_REPORT_TABLE_H

#include "sim/report/ranking.h"

/* Strategy by metric; '*' marks the best of a column, '~' what is not told apart from it. */
void table_format(const struct ranking *ranking, struct text *out);

/*
 * The answer to the scenario's question in one sentence: who is best in the metrics shown, taken in
 * their order of importance (the order of run.metrics), by how much, and at what price. Says so
 * when the strategies cannot be told apart.
 */
void table_format_answer(const struct ranking *ranking, struct text *out);

#endif
