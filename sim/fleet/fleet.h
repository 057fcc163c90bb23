/*
 * fleet.h -- the simulated hosts: they boot, register, run the agent core and containers, are lost
 * and return.
 *
 * A host is a slot of the scenario's fleet, numbered in the order of the file, and outlives the
 * container instances that it registers as. Everything that takes time goes through the queue; an
 * event comes back to fleet_dispatch. What must happen in the controller is handed to ops->event,
 * which applies it at once; replies and messages come back by fleet_registered and fleet_send, also
 * while ops->event runs.
 */
#ifndef BERTH_SIM_FLEET_FLEET_H
#define BERTH_SIM_FLEET_FLEET_H

#include "scheduler/agent/agent.h"
#include "scheduler/core/event.h"
#include "sim/engine/queue.h"
#include "sim/scenario/scenario.h"

#define HOST_NONE UINT32_MAX
#define FLEET_WALL_EPOCH_NS (INT64_C(1735689600) * BERTH_NS_PER_S) /* 2025-01-01T00:00:00Z */
#define FLEET_SPOT_NOTICE_NS (120 * BERTH_NS_PER_S)

/* Kinds of queued events; the run's own follow. */
enum fleet_event {
    FLEET_BOOTED = 0,   /* a: host, b: power epoch */
    FLEET_MESSAGE_DOWN, /* a: host, b: parcel, c: link epoch */
    FLEET_MESSAGE_UP,
    FLEET_ACK_DOWN, /* a report ack. a: host, b: seq, c: instance, link epoch */
    FLEET_ACK_UP,   /* an ack, likewise */
    FLEET_TIMER,    /* of an agent. a: host, b: generation */
    FLEET_RUNTIME,  /* a container. a: task slot, b: host, generation, c: what, container, epoch */
    FLEET_DETECTED, /* the controller misses an agent. a: host, b: link epoch */
    FLEET_NOTICE,   /* the agent's own request to drain arrives. a: host, b: link epoch */
    FLEET_STALLED,  /* nothing has passed for too long. a: host, b: block epoch */
    FLEET_UNACKED,  /* an ack is overdue. a: host, b: seq, c: link epoch */
    FLEET_REJOIN,   /* the agent tries a controller that is back. a: host, b: link epoch */
    FLEET_GONE,     /* nobody waits for the registration any more. a: instance */
    FLEET_EVENT_COUNT
};

enum host_power {
    HOST_OFF = 0,
    HOST_BOOTING,
    HOST_UP,
    HOST_HUNG, /* containers run on, the agent does not */
};

/* What the world sees of a host. */
struct host_view {
    uint32_t group;       /* of the scenario's fleet */
    const char *zone;     /* lent by the scenario */
    const char *rack;     /* likewise, or NULL */
    instance_id instance; /* the last one it registered as, or INSTANCE_NONE */
    enum host_power power;
    bool is_linked;     /* its control connection works */
    bool is_registered; /* `instance` was not deregistered */
    bool is_lost;       /* by fleet_lose, and not yet returned */
    bool is_retired;    /* it never comes back */
    bool is_wiped;      /* off, and its machine is gone: what boots next is another one */
    bool is_fresh;      /* it has not registered yet */
    int32_t cpu_units, mem_mib;
    task_id fargate_task;
};

/* What becomes of one message; all zero but `twice_after_ns`: nothing out of the ordinary. */
struct message_fate {
    bool is_lost;
    bool is_overtaken;       /* later ones do not wait for it */
    berth_ns extra_ns;       /* beside the network's delay */
    berth_ns twice_after_ns; /* a second copy comes so much later; BERTH_NS_NEVER: none */
};

/* Ways that can be blocked: what goes there is lost, or held until the way is free. */
enum fleet_block {
    FLEET_BLOCK_BOTH = 0,
    FLEET_BLOCK_DOWN, /* to the agent */
    FLEET_BLOCK_UP,
    FLEET_BLOCK_CLOG, /* both ways, held */
};

struct fleet_ops {
    /* Apply to the controller, now. */
    void (*event)(void *context, const struct event *event);
    /* The copy's own lifetime, or BERTH_NS_NEVER: the definition's. */
    berth_ns (*lifetime)(void *context, const char *group, uint64_t reference);
    /* When chance crashes a container, after its start; NULL, BERTH_NS_NEVER: it does not. */
    berth_ns (*crash)(void *context, uint32_t host, uint64_t key, uint16_t container);
    /* A service's copies that really run and are well, on hosts not hung, became more or fewer. */
    void (*serving)(void *context, uint32_t service, task_id task, int change);
    /* A host is about to change its power state or is changed: called after the change. */
    void (*power)(void *context, uint32_t host, enum host_power before, enum host_power after);
    /* A host's agent made a step; what it orders is carried out next. May be NULL. */
    void (*stepped)(void *context, uint32_t host, instance_id instance, const struct agent *agent,
                    const struct agent_event *event, const struct agent_action_list *actions);
    /* What becomes of a message of this host; NULL: nothing out of the ordinary. */
    void (*fate)(void *context, uint32_t host, bool is_up, struct message_fate *fate);
};

struct fleet;

/* All is borrowed. `key`: parent of the fleet's streams. Nothing at or after `end_ns` is queued. */
struct fleet *fleet_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue, const struct fleet_ops *ops, void *context);
void fleet_destroy(struct fleet *fleet);

uint32_t fleet_host_count(const struct fleet *fleet);
struct host_view fleet_host(const struct fleet *fleet, uint32_t host);
uint32_t fleet_host_of(const struct fleet *fleet, instance_id instance); /* or HOST_NONE */
uint64_t fleet_agent_steps(const struct fleet *fleet);                   /* so far */
uint32_t fleet_task_count(const struct fleet *fleet); /* known to agents, not yet removed */

/* What the controller made of definition number `index` of the scenario. */
void fleet_define(struct fleet *fleet, uint32_t index, const struct task_def *def);

/*
 * One machine more, of a group of the scenario, from now on: it boots and registers. `zone` is lent
 * for the fleet's life; NULL: the next of the group's. A task's own machine has its size.
 */
struct fleet_machine {
    uint32_t group;
    const char *zone;
    berth_ns boot_ns;
    task_id fargate_task; /* or TASK_NONE */
    int32_t cpu_units, mem_mib;
};
uint32_t fleet_add(struct fleet *fleet, berth_ns now_ns, const struct fleet_machine *machine);

/* How long the next boot of a machine of the group takes. */
berth_ns fleet_draw_boot(struct fleet *fleet, uint32_t group);

/* The machine is given back: it is off for good, and the controller is told. */
void fleet_retire(struct fleet *fleet, berth_ns now_ns, uint32_t host);
/* Once it is off it is not booted again, whatever comes. */
void fleet_forsake(struct fleet *fleet, uint32_t host);
/* The controller has refused the registration of this token. */
uint32_t fleet_host_of_token(const struct fleet *fleet, uint64_t token);

void fleet_start(struct fleet *fleet); /* every host is up and registers, at time 0 */
void fleet_dispatch(struct fleet *fleet, berth_ns now_ns, const struct sim_event *event);

/*
 * The event will perhaps be dispatched soon: what it will look at is fetched into the cache, in
 * three steps, since each tells where the next one has to look. Changes nothing.
 */
enum fleet_look { FLEET_LOOK_NEAR = 0, FLEET_LOOK_NEARER, FLEET_LOOK_FAR };
void fleet_prefetch(const struct fleet *fleet, const struct sim_event *event, enum fleet_look look);
/* The host whose agent it will step, and the task if it is about one, or TASK_NONE. */
bool fleet_steps(const struct fleet *fleet, const struct sim_event *event, uint32_t *host,
                 task_id *task);
/* The report of a task that a pending event brings to the controller, or NULL. */
const struct message *fleet_report(const struct fleet *fleet, const struct sim_event *event);

/* From the controller: the reply to a host's registration, and messages to its agents. */
void fleet_registered(struct fleet *fleet, berth_ns now_ns, uint64_t token, instance_id instance);
void fleet_send(struct fleet *fleet, berth_ns now_ns, const struct message *message);

/*
 * One cause of loss more; a host returns when the last one is gone. A worse mode than the present
 * one takes effect at once, a milder one changes nothing. The number returned is for fleet_return.
 */
uint32_t fleet_lose(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum loss_mode mode);
void fleet_return(struct fleet *fleet, berth_ns now_ns, uint32_t host, uint32_t loss);
void fleet_recover(struct fleet *fleet, berth_ns now_ns, uint32_t host); /* from all causes */

/*
 * Restart of a host's container engine: its containers live on (live restore) and only their health
 * is unknown until their checks say more, or all of them have exited.
 */
void fleet_engine_restart(struct fleet *fleet, berth_ns now_ns, uint32_t host, bool keeps);

/* A grey host: its pulls, starts, stops and messages take `factor` times as long from now on. */
void fleet_set_slow(struct fleet *fleet, berth_ns now_ns, uint32_t host, double factor);

/* The provider's notice: the agent, when it can, asks for its instance to be drained. */
void fleet_notice(struct fleet *fleet, berth_ns now_ns, uint32_t host);

/*
 * One cause more, or less, for which a host's way to the controller is blocked. A connection that
 * is blocked for as long as a disconnect takes to be noticed is given up by both sides.
 */
void fleet_block(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum fleet_block block);
void fleet_unblock(struct fleet *fleet, berth_ns now_ns, uint32_t host, enum fleet_block block);

/*
 * While it is blind to a host, the controller is not told that the agent is gone. fleet_see ends
 * that: true when it is told only now. A host that is back before shows as nothing but a connect.
 */
void fleet_blind(struct fleet *fleet, uint32_t host);
bool fleet_see(struct fleet *fleet, berth_ns now_ns, uint32_t host);

/* The controller has ended: every connection with it. It is back: agents connect within 5 s. */
void fleet_controller_down(struct fleet *fleet, berth_ns now_ns);
void fleet_controller_up(struct fleet *fleet, berth_ns now_ns);

/* Assert every invariant; O(everything), for tests. */
void fleet_audit(const struct fleet *fleet);

#endif
