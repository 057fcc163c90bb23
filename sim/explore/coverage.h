/*
 * coverage.h -- what a campaign brought about: rules, fault kinds, invariants that were held.
 */
#ifndef BERTH_SIM_EXPLORE_COVERAGE_H
#define BERTH_SIM_EXPLORE_COVERAGE_H

#include "sim/explore/campaign.h"

/* Prints the table; returns how many never came up and have no excuse. */
uint32_t coverage_print(const struct campaign *campaign);

/* Why a rule, fault kind or invariant cannot come up in a campaign; NULL: it must. */
const char *coverage_excuse(const char *name);

#endif
