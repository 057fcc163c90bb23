/* check.h -- the checks of one instance, one by one. */
#ifndef BERTH_SCHEDULER_PLACEMENT_CHECK_H
#define BERTH_SCHEDULER_PLACEMENT_CHECK_H

#include "scheduler/placement/plan.h"

bool check_passes(const struct cluster *cluster, const struct placement_request *request,
                  instance_id id, enum placement_verdict verdict);

/* requiresAttributes, and the expressions that ids and attributes alone decide. */
bool check_attributes(const struct cluster *cluster, const struct placement_plan *plan,
                      instance_id id);
bool check_static_members(const struct cluster *cluster, const struct placement_plan *plan,
                          instance_id id);

#endif
