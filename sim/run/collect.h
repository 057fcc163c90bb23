/*
 * collect.h -- the figures of one replication, gathered from what the controller tells and from
 * what really happens on the hosts. Formulas: sim/README.md, "Metrics".
 *
 * Two views are kept apart. Reservations, task states and waits are the controller's, by its
 * changes. Whether a service's copy serves, and whether a host is up, is the truth of the simulated
 * fleet: for three minutes after a power cut a controller still believes in its tasks, and a metric
 * that believed with it would call the outage harmless.
 *
 * Nothing here is scanned per event: a change costs what it touches.
 */
#ifndef BERTH_SIM_RUN_COLLECT_H
#define BERTH_SIM_RUN_COLLECT_H

#include "scheduler/core/controller.h"
#include "sim/fleet/fleet.h"
#include "sim/run/run.h"
#include "sim/world/load.h"
#include "sim/run/story.h"

struct collect;

/* All is borrowed; the controller may be NULL until collect_bind. */
struct collect *collect_create(const struct scenario *scenario, const struct run_options *options,
                               berth_ns warm_up_ns);
void collect_destroy(struct collect *collect);
void collect_bind(struct collect *collect, const struct controller *controller,
                  const struct fleet *fleet);

/* Another core goes on from what is durable: what was read off the one before may be too new. */
void collect_reloaded(struct collect *collect, berth_ns now_ns,
                      const struct controller *controller);

/* The load model, or NULL. */
void collect_bind_load(struct collect *collect, struct load *load);

/* A change of this task will come soon: what it concerns is fetched into the cache. */
void collect_prefetch(const struct collect *collect, task_id task, instance_id instance);

/* The next time at which something is sampled; to be told before any event at or after it. */
berth_ns collect_boundary(const struct collect *collect);
void collect_cross(struct collect *collect);

void collect_change(struct collect *collect, berth_ns now_ns, const struct change *change);
void collect_service_event(struct collect *collect, const struct service_event *event);
void collect_throttled(struct collect *collect); /* a call was refused for its rate */
void collect_run_task(struct collect *collect, berth_ns now_ns, uint32_t requested,
                      const struct reply *reply);
void collect_serving(struct collect *collect, berth_ns now_ns, uint32_t service, int change);
void collect_power(struct collect *collect, berth_ns now_ns, uint32_t host, enum host_power before,
                   enum host_power after);

/* Something was done to the cluster: how long until all services are steady again? */
void collect_disturbed(struct collect *collect, berth_ns now_ns);
void collect_settled(struct collect *collect, berth_ns now_ns); /* after every event */

/* Something to be seen in the story of the run; `service` of the scenario or UINT32_MAX. */
void collect_mark(struct collect *collect, berth_ns now_ns, enum story_mark_kind kind,
                  uint32_t service, const char *text);

/* The end: everything but METRIC_EVENTS. `out` is zeroed by the caller. */
void collect_finish(struct collect *collect, struct run_result *out);

#endif
