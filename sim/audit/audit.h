/*
 * audit.h -- holds a run against its invariants (invariant.h), as it happens.
 *
 *     events, actions   ---> its own books of tasks, instances, services ---> the first violation
 *     orders of agents  --->
 *
 * The books are kept from what goes in and what comes out: nothing that the controller derives is
 * believed, and no helper of the core is asked about what it is checked for. A step costs what it
 * changes, so the auditor may stay on; cluster_audit, controller_audit and fleet_audit, which look
 * at everything, are for tests.
 */
#ifndef BERTH_SIM_AUDIT_AUDIT_H
#define BERTH_SIM_AUDIT_AUDIT_H

#include "sim/audit/invariant.h"
#include "sim/run/run.h"

struct audit;

struct audit_violation {
    enum invariant invariant;
    berth_ns at_ns;
    char text[320]; /* the things involved */
};

/* `scenario` is borrowed. One auditor watches one run. */
struct audit *audit_create(const struct scenario *scenario);
void audit_destroy(struct audit *audit);

/* For run_options.observer; lent. A violation ends the run with BERTH_ERR_FAILED. */
const struct run_observer *audit_observer(const struct audit *audit);

/* The first violation, or NULL. */
const struct audit_violation *audit_violation(const struct audit *audit);

/* How often each rule of the controller has fired, over its restarts; once the run has ended. */
void audit_rules(const struct audit *audit, uint64_t counts[RULE_COUNT]);

/* How often each invariant was held against something, since the auditor was made. */
void audit_checks(const struct audit *audit, uint64_t counts[INVARIANT_COUNT]);

#endif
