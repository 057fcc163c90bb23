/*
 * network.h -- a lab's network: a bridge in a namespace of its own (the hub), a link to every
 * host and one to this machine.
 *
 * The bridge is not on the machine itself, whose firewall may drop what crosses a bridge, and
 * removing the namespace removes all of it. Hosts reach each other and the machine, nothing else:
 * they have no default route, so that nothing of a test leaves the machine.
 */
#ifndef BERTH_SCHEDULER_LAB_NETWORK_H
#define BERTH_SCHEDULER_LAB_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "scheduler/lab/plan.h"

bool lab_slot_is_free(int slot); /* no address of this machine is in its network */

enum berth_err lab_hub_make(const struct lab_plan *plan, struct berth_error *err) BERTH_MUST_CHECK;
void lab_hub_remove(const char *name, int slot); /* slot -1: not known */

/* The link of host `engine`, whose network namespace is that of `pid`; `connected`: the hub's end
 * is up. */
enum berth_err lab_link_make(const struct lab_plan *plan, int engine, pid_t pid, bool connected,
                             struct berth_error *err) BERTH_MUST_CHECK;
void lab_link_remove(const struct lab_plan *plan, int engine);
enum berth_err lab_link_set(const struct lab_plan *plan, int engine, bool connected,
                            struct berth_error *err) BERTH_MUST_CHECK;

#endif
