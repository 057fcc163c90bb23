/*
 * balancer.h -- load balancers: target groups, health checks, connection draining, traffic weights.
 *
 * Health is a matter of transitions. A target group checks a target every `interval`, at a phase of
 * its own; when the truth changes, the change is noticed after as many checks in a row as the
 * threshold asks for (and, of a failure, after the check's time-out). A truth that changes back
 * before is never noticed. Deregistration drains for the whole delay: connections last that long.
 */
#ifndef BERTH_SIM_WORLD_BALANCER_H
#define BERTH_SIM_WORLD_BALANCER_H

#include "scheduler/base/mem.h"
#include "sim/world/world.h"

struct balancer_ops {
    void (*answer)(void *context, const struct answer *answer);
    /* A task of a deployment takes requests from now on (+1), or no more (-1). May be NULL. */
    void (*taking)(void *context, berth_ns now_ns, uint64_t deployment, task_id task, int change);
};

struct balancer;

/* All is borrowed. `key`: parent of its streams. Nothing at or after `end_ns` is queued. */
struct balancer *balancer_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                                 struct sim_queue *queue, const struct balancer_ops *ops,
                                 void *context);
void balancer_destroy(struct balancer *balancer);

/* REGISTER_TARGET, DEREGISTER_TARGET, SHIFT_TRAFFIC. Repeats are answered again. */
void balancer_request(struct balancer *balancer, berth_ns now_ns, const struct request *request);
void balancer_dispatch(struct balancer *balancer, berth_ns now_ns, const struct sim_event *event);
void balancer_serving(struct balancer *balancer, berth_ns now_ns, task_id task, int change);

/*
 * Those of a deployment that take requests: a target of theirs is healthy. The list is in no
 * order that means anything, but the same in every run; lent until the next call.
 */
struct balancer_pool {
    const task_id *tasks;
    uint32_t count;
};
struct balancer_pool balancer_healthy(const struct balancer *balancer, uint64_t deployment);

/* Of production traffic; NULL: nobody ever shifted it. Who is not in the list has none. */
const struct traffic_weight *balancer_weights(const struct balancer *balancer, service_id service,
                                              uint32_t *count);

/* The share of a listener's traffic in thousandths; BALANCER_UNSHIFTED: it has none. */
#define BALANCER_UNSHIFTED UINT32_MAX
uint32_t balancer_permille(const struct balancer *balancer, service_id service, uint64_t deployment,
                           bool is_test);

/* How many targets there are in each state; for tests. */
void balancer_states(const struct balancer *balancer, uint32_t counts[TARGET_STATE_COUNT]);

#endif
