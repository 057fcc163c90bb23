/*
 * journal.h -- events.jsonl: one JSON object a line for everything that a person would ask about.
 *
 * Task, instance and deployment changes, service events, timeline entries and losses, in the order
 * in which they happen: EventBridge's own events (scheduler/ecs/event_json.h) with the virtual time
 * in `seconds` and, for a change, its `revision`; berth's own have the source "berth". Every call
 * takes NULL for "nothing is written".
 */
#ifndef BERTH_SIM_RUN_JOURNAL_H
#define BERTH_SIM_RUN_JOURNAL_H

#include <stdio.h>

#include "scheduler/core/controller.h"
#include "sim/scenario/scenario.h"

struct journal;

/* NULL for NULL; `out` is borrowed. `stream` is in the ids: one for each replication. */
struct journal *journal_create(FILE *out, uint64_t stream);
void journal_destroy(struct journal *journal);
void journal_change(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                    const struct change *change);
void journal_service_event(struct journal *journal, berth_ns now_ns,
                           const struct controller *controller, const struct service_event *event);
void journal_timeline(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                      const char *name, const char *action);
/* `what` is the detail-type; `mode` may be NULL, `cause` names what did it. */
void journal_host(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                  const char *what, uint32_t host, instance_id instance, const char *cause,
                  const char *mode);
/* A fault of the key `faults`; `cause` (its name) may be NULL, `host` HOST_NONE. */
void journal_fault(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                   const char *what, const char *kind, const char *cause, uint32_t host);

#endif
