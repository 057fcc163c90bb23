#include "sim/world/world.h"

#include "scheduler/base/mem.h"

struct world {
    const struct scenario *scenario;
    struct sim_queue *queue;
    struct fleet *fleet;
    const struct world_ops *ops;
    void *context;
    uint64_t key;
    berth_ns end_ns;
};

struct world *world_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue, struct fleet *fleet,
                           const struct world_ops *ops, void *context)
{
    struct world *world = mem_alloc(sizeof *world);
    *world = (struct world){
        .scenario = scenario,
        .queue = queue,
        .fleet = fleet,
        .ops = ops,
        .context = context,
        .key = key,
        .end_ns = end_ns,
    };
    return world;
}

void world_destroy(struct world *world)
{
    mem_free(world);
}

void world_start(struct world *world)
{
    (void)world;
}

void world_request(struct world *world, berth_ns now_ns, const struct request *request)
{
    (void)world;
    (void)now_ns;
    (void)request;
}

void world_dispatch(struct world *world, berth_ns now_ns, const struct sim_event *event)
{
    (void)world;
    (void)now_ns;
    (void)event;
}

void world_serving(struct world *world, berth_ns now_ns, uint32_t service, task_id task, int change)
{
    (void)world;
    (void)now_ns;
    (void)service;
    (void)task;
    (void)change;
}
