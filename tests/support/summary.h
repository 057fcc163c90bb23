/* summary.h -- a scenario run by the built program, and what its summary.json says. */
#ifndef BERTH_TESTS_SUPPORT_SUMMARY_H
#define BERTH_TESTS_SUPPORT_SUMMARY_H

#include <jansson.h>

/* The scenario, given as text, with `options` of `berth run`; fails the test when that fails. */
json_t *summary_of(const char *scenario, const char *options); /* owned by the caller */

/* Of the only variant's only replication. */
double summary_metric(const json_t *summary, const char *name);

#endif
