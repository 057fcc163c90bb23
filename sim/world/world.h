/*
 * world.h -- what is around the simulated cluster, and answers the controller's requests.
 *
 *     balancer   load balancers: targets, health checks, connection draining, traffic weights
 *     load       what clients offer, what the copies can serve, and the figures that follow
 *     groups     instance groups and Fargate: machines that boot, cost money and are taken back
 *     hooks      life-cycle functions; alarms over the figures of `load`
 *
 * A request (scheduler/core/outside.h) goes in by world_request, an answer comes out by
 * ops->answer, later and through the queue: never while a request is being made. Health is a
 * matter of transitions: how long a change takes to be noticed follows from interval, threshold
 * and phase, and no probe is an event of its own.
 */
#ifndef BERTH_SIM_WORLD_WORLD_H
#define BERTH_SIM_WORLD_WORLD_H

#include "scheduler/core/event.h"
#include "sim/engine/queue.h"
#include "sim/fleet/fleet.h"
#include "sim/scenario/scenario.h"
#include "sim/world/load.h"

/* Kinds of queued events, after the fleet's. The run's own follow. */
enum world_event {
    WORLD_TARGET = FLEET_EVENT_COUNT, /* a target's state is due to change */
    WORLD_TRAFFIC,                    /* a listener's new weights are in force */
    WORLD_INTERFACE,                  /* a network interface is attached or detached */
    WORLD_HOOK,                       /* a hook returns */
    WORLD_MINUTE,                     /* samples of load; each third: the minute, alarms */
    WORLD_GROUP,                      /* an instance group's machine is ready or gone */
    WORLD_EVENT_COUNT
};

struct world_ops {
    /* Apply to the controller, now. */
    void (*answer)(void *context, const struct answer *answer);
    /* A machine was added to the fleet. */
    void (*joined)(void *context, uint32_t host);
};

struct world;

/* All is borrowed. `key`: parent of the world's streams. Nothing at or after `end_ns` is queued. */
struct world *world_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue, struct fleet *fleet,
                           const struct world_ops *ops, void *context);
void world_destroy(struct world *world);
void world_start(struct world *world); /* at time 0, before the services are created */

/* What the controller made of definition number `index` of the scenario. */
void world_defined(struct world *world, uint32_t index, const struct task_def *def);

void world_request(struct world *world, berth_ns now_ns, const struct request *request);
/* A host's power has changed; the controller has refused a host's registration. */
void world_power(struct world *world, berth_ns now_ns, uint32_t host, enum host_power before,
                 enum host_power after);
void world_unwanted(struct world *world, berth_ns now_ns, uint32_t host);
void world_dispatch(struct world *world, berth_ns now_ns, const struct sim_event *event);

/* What the controller tells of tasks and deployments. */
struct controller;
void world_change(struct world *world, berth_ns now_ns, const struct controller *controller,
                  const struct change *change);

/* The truth of the fleet: a copy began (+1) or ceased (-1) to serve. */
void world_serving(struct world *world, berth_ns now_ns, uint32_t service, task_id task,
                   int change);

/* The load balancers, to ask who takes requests (balancer.h). */
struct balancer;
struct balancer *world_balancer(const struct world *world);
struct load *world_load(struct world *world); /* lent; NULL: no service has a load */

#endif
