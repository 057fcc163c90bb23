/*
 * keys.h -- what lets the machine, and nobody else, speak to a lab's engines over the network: an
 * authority of the lab's own, whose key is forgotten at once, and one key that it vouches for, with
 * which both sides show who they are. ca.pem, cert.pem and key.pem are the names that Docker's own
 * programs look for in DOCKER_CERT_PATH.
 */
#ifndef BERTH_SCHEDULER_LAB_KEYS_H
#define BERTH_SCHEDULER_LAB_KEYS_H

#include "scheduler/lab/plan.h"

/* In the folder LAB_KEYS of the lab. */
enum berth_err lab_keys_make(const struct lab_plan *plan, struct berth_error *err) BERTH_MUST_CHECK;

#endif
