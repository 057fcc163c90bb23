/*
 * groups.h -- instance groups and Fargate: machines that boot, cost money and are taken back.
 *
 * A provider's group is one or more groups of the fleet, one for each machine type. It keeps the
 * size that it was given last: a machine that is lost for good is replaced by another one. It grows
 * by the cheapest type with room, or so that the types keep their shares. Fargate's machines are
 * made for one task each.
 */
#ifndef BERTH_SIM_WORLD_GROUPS_H
#define BERTH_SIM_WORLD_GROUPS_H

#include "sim/world/world.h"

struct groups_ops {
    void (*answer)(void *context, const struct answer *answer);
    void (*joined)(void *context, uint32_t host); /* a machine was added to the fleet */
};

struct groups;

/* All is borrowed. */
struct groups *groups_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                             struct sim_queue *queue, struct fleet *fleet,
                             const struct groups_ops *ops, void *context);
void groups_destroy(struct groups *groups);
void groups_start(struct groups *groups); /* tells what the groups are */
void groups_request(struct groups *groups, berth_ns now_ns, const struct request *request);
void groups_dispatch(struct groups *groups, berth_ns now_ns, const struct sim_event *event);

/* A host came up, or went off. */
void groups_power(struct groups *groups, berth_ns now_ns, uint32_t host, enum host_power before,
                  enum host_power after);
/* The controller does not want the machine that tried to register. */
void groups_unwanted(struct groups *groups, berth_ns now_ns, uint32_t host);

#endif
