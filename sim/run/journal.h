/*
 * journal.h -- events.jsonl: one JSON object a line for everything that a person would ask about.
 *
 * Task and instance changes, service events, timeline entries and losses, in the order in which
 * they happen, shaped like EventBridge's: time, detail-type, detail; and beside them the virtual
 * time in seconds and, for a change, its revision. Every call takes NULL for "nothing is written".
 */
#ifndef BERTH_SIM_RUN_JOURNAL_H
#define BERTH_SIM_RUN_JOURNAL_H

#include <stdio.h>

#include "scheduler/core/controller.h"
#include "sim/scenario/scenario.h"

struct journal;

struct journal *journal_create(FILE *out); /* NULL for NULL; `out` is borrowed */
void journal_destroy(struct journal *journal);
void journal_change(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                    const struct change *change);
void journal_service_event(struct journal *journal, berth_ns now_ns,
                           const struct controller *controller, const struct service_event *event);
void journal_timeline(struct journal *journal, berth_ns now_ns, const char *name,
                      const char *action);
/* `what` is the detail-type; `mode` may be NULL, `cause` names what did it. */
void journal_host(struct journal *journal, berth_ns now_ns, const char *what, uint32_t host,
                  instance_id instance, const char *cause, const char *mode);

/* "2025-01-01T00:00:12.500000000Z" */
void journal_format_time(berth_ns wall_ns, char out[64]);

#endif
