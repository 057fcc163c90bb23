/*
 * resources.h -- what a task asks of an instance, and what an instance has.
 *
 * CPU in units (1024 = one vCPU), memory in MiB, GPU in thousandths of a card; ports are host
 * ports. Sources: reference "ECS scheduling semantics" 1.3 (fit), 2.1 (what is subtracted), 2.5.
 */
#ifndef BERTH_SCHEDULER_MODEL_RESOURCES_H
#define BERTH_SCHEDULER_MODEL_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPU_DEVICES_MAX 64 /* cards of one instance */

/* ECS: reserved host ports of one instance, TCP and UDP together, the agent's own included. */
#define PORTS_PER_INSTANCE_MAX 100

/*
 * One container's GPU request. Whole cards: `milli` is a multiple of 1000 and takes that many free
 * cards, lowest index first. A share: `milli` < 1000, and goes to the one card with the least free
 * that fits, then the lowest index (berth's documented extension).
 */
struct gpu_request {
    uint32_t milli;
};

/* What was granted: so much of one card. */
struct gpu_grant {
    uint16_t device;
    uint16_t milli; /* 1..1000 */
};

/* The whole reservation of one task. Arrays are borrowed (from its definition or its overrides). */
struct demand {
    int32_t cpu_units; /* >= 0 */
    int32_t mem_mib;   /* >= 0 */
    const struct gpu_request *gpus;
    const uint16_t *tcp_ports; /* static host ports only, ascending, distinct */
    const uint16_t *udp_ports;
    uint16_t gpu_count; /* entries in gpus[] */
    uint16_t tcp_port_count;
    uint16_t udp_port_count;
    bool needs_eni; /* network mode awsvpc */
};

/* Occupied host ports of one protocol on one instance, ascending. */
struct port_set {
    uint16_t *ports; /* owned, unless the capacity is 0: then shared, and copied before a change */
    uint16_t count;
    uint16_t capacity;
};

/* Total demand for GPUs in thousandths. */
uint32_t demand_gpu_milli(const struct demand *demand);

#endif
