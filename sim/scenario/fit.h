/*
 * fit.h -- would a task fit anywhere in a fleet, were the fleet empty?
 *
 * Instances of a group differ in nothing but their zone, so one of each group and zone stands for
 * all of them; the answer is that of the controller's own checks on these samples.
 */
#ifndef BERTH_SIM_SCENARIO_FIT_H
#define BERTH_SIM_SCENARIO_FIT_H

#include "scheduler/placement/placement.h"
#include "sim/scenario/scenario.h"

struct fit;

struct fit *fit_create(const struct scenario *scenario); /* borrowed until destroyed */
void fit_destroy(struct fit *fit);
struct symbols *fit_symbols(struct fit *fit); /* lent; plans must be made with these */

/*
 * PLACEMENT_FITS, or what keeps the task off the instance that comes closest. A fleet without any
 * instance answers PLACEMENT_INACTIVE.
 */
enum placement_verdict fit_check(struct fit *fit, const struct placement_plan *plan,
                                 const struct demand *demand);

/* "RESOURCE:CPU", or "there is none" of a fleet without instances. */
const char *fit_words(enum placement_verdict verdict);

#endif
