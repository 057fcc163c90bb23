/*
 * host.h -- inside of the simulated fleet, shared by its files.
 */
#ifndef BERTH_SIM_FLEET_HOST_H
#define BERTH_SIM_FLEET_HOST_H

#include "scheduler/agent/agent.h"
#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/pool.h"
#include "scheduler/core/event.h"
#include "sim/fleet/behaviour.h"
#include "sim/fleet/fleet.h"
#include "sim/fleet/images.h"
#include "sim/fleet/parcels.h"

enum runtime_state {
    RUNTIME_NONE = 0, /* not yet, or gone */
    RUNTIME_PULLING,
    RUNTIME_STARTING,
    RUNTIME_RUNNING,
    RUNTIME_STOPPING, /* told to stop */
};

/* What comes back from the queue of a container. */
enum outcome {
    OUTCOME_PULLED,
    OUTCOME_PULL_FAILED,
    OUTCOME_STARTED,
    OUTCOME_START_FAILED,
    OUTCOME_EXITED,
    OUTCOME_OUT_OF_MEMORY, /* an exit */
    OUTCOME_TURNED,        /* it fell ill, or is well again */
    OUTCOME_NOTICED,       /* and its check has seen that; the code says which turn */
};

/* One container of a simulated task. */
struct sim_container {
    uint16_t epoch;  /* makes its events stale */
    uint16_t starts; /* done */
    uint16_t turns;  /* of its health since the last of them */
    uint8_t state;   /* enum runtime_state */
    uint8_t noticed; /* enum task_health: what its check said last */
};

/* Those after the first, of the tasks that have them. */
struct more_containers {
    struct sim_container items[TASK_DEF_CONTAINERS_MAX - 1];
};

/* A task on a host, from its first runtime order until the agent forgets it: one cache line. */
struct sim_task {
    task_id task;
    uint64_t key;         /* of its behaviour; until `has_key`, what it is made of: task_key */
    berth_ns lifetime_ns; /* the copy's own, or BERTH_NS_NEVER */
    struct sim_container first;
    uint32_t more; /* struct more_containers, or POOL_NONE */
    uint32_t host;
    uint32_t definition; /* of the scenario */
    uint32_t group;      /* of the fleet */
    uint32_t service;    /* of the scenario, or UINT32_MAX: standalone */
    uint32_t arrival;    /* tasks of its host before it */
    uint32_t generation; /* of the slot: makes events of an earlier tenant stale */
    bool is_held : 1;    /* the slot has a tenant */
    bool is_serving : 1; /* counted by ops->serving */
    bool is_ill : 1;     /* its main container runs, but does not answer */
    bool has_key : 1;
};

_Static_assert(sizeof(struct sim_task) == 64, "a line of the cache");

/* What tasks of a definition of the scenario have in common. */
struct fleet_definition {
    const struct scenario_task_def *scenario;
    struct behaviour_delay start, stop, healthy_after;
    uint32_t image;
    uint16_t main; /* container */
    uint16_t container_count;
    const char *group_text; /* of the last of its tasks, and its number */
    uint32_t group;
    bool may_crash;      /* by itself */
    bool is_always_well; /* and no container has a check that would say so */
};

/* What became of a definition of the scenario. */
struct fleet_defined {
    const struct task_def *def;
    uint32_t index;
};

/* A group's text, lent for good by the controller: its address names it. */
struct fleet_group {
    uint64_t purpose; /* of its copies' keys: rng_purpose */
    uint32_t service; /* of the scenario, or UINT32_MAX: standalone */
};

/* Of the few hosts to which something out of the ordinary has happened. */
struct host_trouble {
    VEC(uint64_t) awaited;            /* seqs of payloads and manifests whose ack may not come */
    VEC(struct sim_event) held;       /* by a clogged way: messages that have arrived at it */
    VEC(struct agent_event) deferred; /* of a hung host: what its agent will learn */
};

/* Three lines of the cache, by how often they are looked at. */
struct host {
    /* Each message and each outcome of a container. */
    _Alignas(64) struct agent *agent; /* owned; NULL before the first registration */
    berth_ns last_ns[2];  /* deliveries down, and up: messages never overtake each other */
    berth_ns timer_at_ns; /* of the queued timer, BERTH_NS_NEVER: none */
    uint32_t timer_generation;
    uint32_t link_epoch; /* makes messages and detections stale */
    instance_id instance;
    uint32_t number;                               /* its slot's in the fleet */
    uint32_t arrivals;                             /* tasks so far */
    uint16_t lossy_down, lossy_up, clogged, blind; /* causes of each */
    uint8_t power;                                 /* enum host_power */
    uint8_t mode;                                  /* enum loss_mode: the worst of its causes */
    bool is_linked : 1;
    bool is_registered : 1;
    bool is_missed : 1;        /* the controller was told that the agent is gone */
    bool is_fresh : 1;         /* it registers a new instance when it joins */
    bool is_rebooted : 1;      /* it registers again when it joins */
    bool is_cut : 1;           /* up and not lost, but without a connection: network.c */
    bool is_detection_due : 1; /* it was missed while the controller was blind to it */
    bool is_retired : 1;       /* it never comes back */
    bool is_slow : 1;          /* `slowness` is not 1 */

    /* Pulls, and draws of what is no constant. */
    _Alignas(64) struct image_disk disk;
    double slowness; /* 1: as fast as others */
    struct rng network;
    struct host_trouble *trouble; /* owned; NULL: none so far */
    uint32_t group;
    uint32_t power_epoch; /* makes boots stale */

    /* Boot, loss and return. */
    int32_t cpu_units, mem_mib;
    const char *zone, *rack;
    task_id fargate_task; /* the one that it was made for, or TASK_NONE */
    uint32_t causes;      /* of loss, that still hold */
    uint32_t loss;        /* number of the present loss, for fleet_return */
    uint32_t block_epoch;
    uint32_t boot_draws, reconnect_draws; /* made so far from these streams */
};

_Static_assert(sizeof(struct host) == 192, "three lines of the cache");

struct fleet {
    const struct scenario *scenario;
    struct sim_queue *queue;
    const struct fleet_ops *ops;
    void *context;
    uint64_t key;
    uint64_t agent_steps;
    berth_ns now_ns, end_ns;
    bool is_controller_down;
    struct behaviour_delay network, pull_overhead; /* before a host's slowness */
    struct pool hosts;                             /* struct host */
    struct agent_pool *agent_pool;                 /* owned */
    uint32_t host_count, disk_count, task_count;
    uint32_t registering;  /* the host whose registration is being applied, or HOST_NONE */
    VEC(uint32_t) host_of; /* by instance */
    struct parcels parcels;
    struct images images;
    struct agent_action_list actions; /* of the step under way */
    struct event arrived;             /* EVENT_MESSAGE: the one being handed to the controller */
    struct pool tasks;                /* struct sim_task, by its agent's place */
    struct pool more_containers;
    struct map definition_of;             /* pointer of a registered definition to its number */
    VEC(struct fleet_defined) defined;    /* the same, by the number in its registry */
    struct fleet_definition *definitions; /* by the scenario's number */
    struct map group_of;                  /* pointer of a group's text to its number */
    VEC(struct fleet_group) groups;
    uint32_t *added; /* machines so far, by group of hosts */
};

static inline struct host *host_at(const struct fleet *fleet, uint32_t host)
{
    return (struct host *)(void *)fleet->hosts.pages[host / POOL_PAGE] + host % POOL_PAGE;
}

static inline struct sim_task *task_at(const struct fleet *fleet, uint32_t slot)
{
    return (struct sim_task *)(void *)fleet->tasks.pages[slot / POOL_PAGE] + slot % POOL_PAGE;
}

static inline struct sim_container *task_part(const struct fleet *fleet, struct sim_task *task,
                                              uint16_t container)
{
    struct more_containers *more;
    if (container == 0)
        return &task->first;
    more = pool_at(&fleet->more_containers, task->more);
    return &more->items[container - 1];
}

/* Most tasks draw nothing: all their delays are constants. */
static inline uint64_t task_key(const struct fleet *fleet, struct sim_task *task)
{
    if (!task->has_key)
        task->key = rng_key_for(fleet->key, fleet->groups.items[task->group].purpose, task->key);
    task->has_key = true;
    return task->key;
}

static inline berth_ns task_delay_ns(const struct fleet *fleet, struct sim_task *task,
                                     const struct behaviour_delay *delay, const char *purpose,
                                     uint64_t entity)
{
    return delay->drawn == NULL
               ? delay->constant_ns
               : behaviour_draw_ns(delay->drawn, task_key(fleet, task), purpose, entity);
}

static inline bool task_chance(const struct fleet *fleet, struct sim_task *task, double probability,
                               const char *purpose)
{
    return probability > 0 && behaviour_draw_chance(probability, task_key(fleet, task), purpose, 0);
}

/* Made when it is first wanted. */
struct host_trouble *host_trouble(struct host *host);

static inline void fleet_queue(struct fleet *fleet, berth_ns at_ns, uint32_t kind, uint32_t a,
                               uint64_t b, uint64_t c)
{
    if (at_ns < fleet->end_ns)
        sim_queue_put(fleet->queue, at_ns, (struct sim_event){kind, a, b, c});
}

void host_set_power(struct fleet *fleet, uint32_t host, enum host_power power);

/* steps.c. One event for a host's agent: steps it, carries out what it orders, keeps its timer
 * armed. */
void host_step(struct fleet *fleet, struct host *h, const struct agent_event *event);

static inline void host_agent_step(struct fleet *fleet, uint32_t host,
                                   const struct agent_event *event)
{
    host_step(fleet, host_at(fleet, host), event);
}

void host_timer_fires(struct fleet *fleet, uint32_t host, uint64_t generation);

/* register.c */
void host_booted(struct fleet *fleet, uint32_t host, uint64_t power_epoch);
void host_gone(struct fleet *fleet, instance_id instance);
/* It is up: register what the next connection needs, with a link. */
void host_register(struct fleet *fleet, uint32_t host);
void host_register_again(struct fleet *fleet, uint32_t host);

/* network.c */
berth_ns host_network_delay_ns(const struct fleet *fleet, struct host *host); /* of one message */
void host_message(struct fleet *fleet, struct host *h, bool is_up, const struct message *message);
void host_message_down(struct fleet *fleet, const struct sim_event *event);
void host_message_up(struct fleet *fleet, const struct sim_event *event);
void host_ack_down(struct fleet *fleet, const struct sim_event *event);
void host_ack_up(struct fleet *fleet, const struct sim_event *event);
void host_join(struct fleet *fleet, uint32_t host); /* connects now, or when it can */
void host_unacked(struct fleet *fleet, const struct sim_event *event);
void host_stalled(struct fleet *fleet, uint32_t host, uint64_t block_epoch);
void host_rejoin(struct fleet *fleet, uint32_t host, uint64_t link_epoch);

berth_ns host_slowed_down(const struct host *host, berth_ns takes_ns);

static inline berth_ns host_slowed(const struct host *host, berth_ns takes_ns)
{
    return !host->is_slow ? takes_ns : host_slowed_down(host, takes_ns);
}

/* The slots of its tasks, the latest first: owned by the caller. Looks at all: for rare events. */
struct slot_list {
    uint32_t *slots;
    uint32_t count;
};
struct slot_list host_slots(const struct fleet *fleet, const struct host *host);

/* runtime.c */
void runtime_queue(struct fleet *fleet, uint32_t slot, uint16_t container, enum outcome outcome,
                   berth_ns after_ns, int32_t code);
void runtime_update_serving(struct fleet *fleet, struct sim_task *task);
void runtime_order(struct fleet *fleet, struct host *h, const struct agent_action *action);
void runtime_event(struct fleet *fleet, const struct sim_event *event);
void runtime_power_lost(struct fleet *fleet, uint32_t host);    /* every container is gone */
void runtime_forget_all(struct fleet *fleet, uint32_t host);    /* and every task */
void runtime_power_changed(struct fleet *fleet, uint32_t host); /* hung, or awake again */

/* health.c */
void health_started(struct fleet *fleet, uint32_t slot, uint16_t container);
void health_turned(struct fleet *fleet, uint32_t slot, uint16_t container);
/* Whether the container's agent has something to hear: what its check says now. */
bool health_noticed(struct fleet *fleet, uint32_t slot, uint16_t container, int32_t code);
void health_forgotten(struct fleet *fleet, uint32_t host);

/* loss.c */
void host_boot(struct fleet *fleet, uint32_t host, berth_ns delay_ns);
void host_detected(struct fleet *fleet, uint32_t host, uint64_t link_epoch);
void host_link(struct fleet *fleet, uint32_t host);
void host_connect(struct fleet *fleet, uint32_t host); /* after host_link */
void host_notice_arrived(struct fleet *fleet, uint32_t host, uint64_t link_epoch);

#endif
