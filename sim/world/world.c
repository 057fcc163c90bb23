#include "sim/world/world.h"

#include "scheduler/base/mem.h"
#include "sim/fleet/behaviour.h"
#include "sim/world/balancer.h"

struct world {
    const struct scenario *scenario;
    struct sim_queue *queue;
    struct fleet *fleet;
    const struct world_ops *ops;
    void *context;
    uint64_t key;
    berth_ns end_ns;
    struct balancer *balancer;
};

static void on_answer(void *context, const struct answer *answer)
{
    const struct world *world = context;
    world->ops->answer(world->context, answer);
}

static const struct balancer_ops balancer_ops = {.answer = on_answer};

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
    world->balancer =
        balancer_create(scenario, rng_key(key, "balancer", 0), end_ns, queue, &balancer_ops, world);
    return world;
}

void world_destroy(struct world *world)
{
    if (world == NULL)
        return;
    balancer_destroy(world->balancer);
    mem_free(world);
}

void world_start(struct world *world)
{
    (void)world;
}

/* An interface takes its time; a repeat is answered again. */
static void move_interface(struct world *world, berth_ns now_ns, const struct request *request)
{
    bool attaches = request->kind == REQUEST_ATTACH_INTERFACE;
    berth_ns delay_ns =
        behaviour_draw_ns(&world->scenario->delays.interface, world->key,
                          attaches ? "attach" : "detach", request->u.interface.task);
    berth_ns at_ns = behaviour_later(now_ns, delay_ns);
    if (at_ns < world->end_ns)
        sim_queue_put(world->queue, at_ns,
                      (struct sim_event){WORLD_INTERFACE, attaches, request->u.interface.task, 0});
}

void world_request(struct world *world, berth_ns now_ns, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_REGISTER_TARGET:
    case REQUEST_DEREGISTER_TARGET:
    case REQUEST_SHIFT_TRAFFIC:
        balancer_request(world->balancer, now_ns, request);
        break;
    case REQUEST_ATTACH_INTERFACE:
    case REQUEST_DETACH_INTERFACE:
        move_interface(world, now_ns, request);
        break;
    case REQUEST_INVOKE_HOOK:
    case REQUEST_RESIZE_GROUP:
    case REQUEST_TERMINATE_INSTANCE:
    case REQUEST_LAUNCH_FARGATE:
    case REQUEST_KIND_COUNT:
        break;
    }
}

static void answer_interface(struct world *world, const struct sim_event *event)
{
    struct answer answer = {.kind = ANSWER_INTERFACE};
    answer.u.interface.task = event->b;
    answer.u.interface.is_attached = event->a != 0;
    on_answer(world, &answer);
}

void world_dispatch(struct world *world, berth_ns now_ns, const struct sim_event *event)
{
    switch ((enum world_event)event->kind) {
    case WORLD_TARGET:
    case WORLD_TRAFFIC:
        balancer_dispatch(world->balancer, now_ns, event);
        break;
    case WORLD_INTERFACE:
        answer_interface(world, event);
        break;
    case WORLD_HOOK:
    case WORLD_MINUTE:
    case WORLD_GROUP:
    case WORLD_EVENT_COUNT:
        break;
    }
}

void world_serving(struct world *world, berth_ns now_ns, uint32_t service, task_id task, int change)
{
    (void)service;
    balancer_serving(world->balancer, now_ns, task, change);
}

struct balancer *world_balancer(const struct world *world)
{
    return world->balancer;
}
