#include "sim/world/world.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/controller.h"
#include "sim/fleet/behaviour.h"
#include "sim/world/balancer.h"
#include "sim/world/groups.h"
#include "sim/world/hooks.h"

struct world {
    const struct scenario *scenario;
    struct sim_queue *queue;
    struct fleet *fleet;
    const struct world_ops *ops;
    void *context;
    uint64_t key;
    berth_ns end_ns;
    struct balancer *balancer;
    struct hooks *hooks;
    struct load *load;        /* NULL: no service has one */
    VEC(uint32_t) service_of; /* by service id: the scenario's index, or UINT32_MAX */
    berth_ns now_ns;          /* of the event under way */
    struct groups *groups;
};

/* What the controller is told of production traffic is in force for clients. */
static void on_answer(void *context, const struct answer *answer)
{
    struct world *world = context;
    if (answer->kind == ANSWER_TRAFFIC && !answer->u.traffic.is_test &&
        answer->u.traffic.service < world->service_of.count) {
        uint32_t count;
        const struct traffic_weight *weights =
            balancer_weights(world->balancer, answer->u.traffic.service, &count);
        load_weights(world->load, world->now_ns, world->service_of.items[answer->u.traffic.service],
                     weights, count);
    }
    world->ops->answer(world->context, answer);
}

static void on_taking(void *context, berth_ns now_ns, uint64_t deployment, task_id task, int change)
{
    const struct world *world = context;
    (void)deployment;
    load_routed(world->load, now_ns, task, change > 0);
}

static void on_joined(void *context, uint32_t host)
{
    const struct world *world = context;
    if (world->ops->joined != NULL)
        world->ops->joined(world->context, host);
}

static const struct groups_ops groups_ops = {.answer = on_answer, .joined = on_joined};
static const struct balancer_ops balancer_ops = {.answer = on_answer, .taking = on_taking};

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
        .load = load_create(scenario, rng_key(key, "load", 0)),
    };
    world->balancer =
        balancer_create(scenario, rng_key(key, "balancer", 0), end_ns, queue, &balancer_ops, world);
    world->groups = groups_create(scenario, rng_key(key, "groups", 0), end_ns, queue, fleet,
                                  &groups_ops, world);
    world->hooks = hooks_create(scenario, rng_key(key, "hooks", 0), end_ns, queue);
    return world;
}

void world_destroy(struct world *world)
{
    if (world == NULL)
        return;
    balancer_destroy(world->balancer);
    hooks_destroy(world->hooks);
    load_destroy(world->load);
    vec_free(&world->service_of);
    groups_destroy(world->groups);
    mem_free(world);
}

void world_defined(struct world *world, uint32_t index, const struct task_def *def)
{
    load_define(world->load, index, def);
}

static void put_sample(struct world *world, berth_ns at_ns)
{
    if (at_ns < world->end_ns)
        sim_queue_put(world->queue, at_ns, (struct sim_event){WORLD_MINUTE, 0, 0, 0});
}

void world_start(struct world *world)
{
    groups_start(world->groups);
    if (world->load != NULL)
        put_sample(world, 0);
}

static uint32_t find_service(const struct world *world, const char *name)
{
    for (uint32_t i = 0; name != NULL && i < world->scenario->service_count; i++)
        if (strcmp(world->scenario->services[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

static uint32_t service_of(struct world *world, const struct controller *controller, service_id id)
{
    while (world->service_of.count <= id) {
        service_id next = (service_id)world->service_of.count;
        symbol name = next < controller_service_count(controller)
                          ? controller_service(controller, next).name
                          : SYMBOL_NONE;
        *vec_push(&world->service_of) = find_service(
            world, symbols_text(cluster_symbols(controller_cluster(controller)), name));
    }
    return world->service_of.items[id];
}

void world_change(struct world *world, berth_ns now_ns, const struct controller *controller,
                  const struct change *change)
{
    if (world->load == NULL)
        return;
    if (change->kind == RECORD_TASK && change->u.task.service != SERVICE_NONE)
        load_task(world->load, now_ns, service_of(world, controller, change->u.task.service),
                  &change->u.task);
    if (change->kind == RECORD_DEPLOYMENT && change->u.deployment.is_primary && !change->is_deleted)
        load_primary(world->load, now_ns,
                     service_of(world, controller, change->u.deployment.service),
                     change->u.deployment.deployment);
}

struct load *world_load(struct world *world)
{
    return world->load;
}

void world_power(struct world *world, berth_ns now_ns, uint32_t host, enum host_power before,
                 enum host_power after)
{
    groups_power(world->groups, now_ns, host, before, after);
}

void world_unwanted(struct world *world, berth_ns now_ns, uint32_t host)
{
    groups_unwanted(world->groups, now_ns, host);
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
        hooks_invoke(world->hooks, now_ns, request);
        break;
    case REQUEST_RESIZE_GROUP:
    case REQUEST_TERMINATE_INSTANCE:
    case REQUEST_LAUNCH_FARGATE:
        groups_request(world->groups, now_ns, request);
        break;
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
    world->now_ns = now_ns;
    struct answer answer;
    switch ((enum world_event)event->kind) {
    case WORLD_TARGET:
    case WORLD_TRAFFIC:
        balancer_dispatch(world->balancer, now_ns, event);
        break;
    case WORLD_INTERFACE:
        answer_interface(world, event);
        break;
    case WORLD_MINUTE:
        put_sample(world, now_ns + LOAD_SAMPLE_NS);
        load_tick(world->load, now_ns, on_answer, world);
        break;
    case WORLD_HOOK:
        answer = hooks_answer(world->hooks, event);
        on_answer(world, &answer);
        break;
    case WORLD_GROUP:
        groups_dispatch(world->groups, now_ns, event);
        break;
    case WORLD_EVENT_COUNT:
        break;
    }
}

void world_serving(struct world *world, berth_ns now_ns, uint32_t service, task_id task, int change)
{
    balancer_serving(world->balancer, now_ns, task, change);
    load_serving(world->load, now_ns, service, task, change);
}

struct balancer *world_balancer(const struct world *world)
{
    return world->balancer;
}
