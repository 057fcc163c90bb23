/*
 * driver.h -- the state of one replication, shared by run.c and its parts.
 *
 * Driver B: takes events from the queue in order of virtual time and hands each to whom it
 * concerns. It has no policy. What an API client would do (register definitions, create services,
 * run tasks, drain instances) goes in as events, and the answers come back as replies.
 */
#ifndef BERTH_SIM_RUN_DRIVER_H
#define BERTH_SIM_RUN_DRIVER_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/core/loop.h"
#include "sim/chaos/chaos.h"
#include "sim/fleet/fleet.h"
#include "sim/run/collect.h"
#include "sim/run/run.h"
#include "sim/workload/source.h"
#include "sim/world/world.h"

/* Kinds of queued events, after the world's. */
enum run_event {
    RUN_TIMER = WORLD_EVENT_COUNT, /* of the controller. b: generation */
    RUN_SERVICE,                   /* a: service to create */
    RUN_ARRIVAL,                   /* a: source */
    RUN_TIMELINE,                  /* a: entry */
    RUN_RETURN,                    /* a: host, b: loss; a timeline's `for` is over */
    RUN_SLOW_OVER,                 /* a: host; likewise */
    RUN_FAULT,                     /* a: unit, b: phase */
    RUN_CHAOS,                     /* of sim/chaos */
    RUN_CONTROL,                   /* of the controller's process. a: what, c: generation */
};

/* One alternating process of a failure: an instance's, a zone's, a spot instance's. */
struct fault_unit {
    uint32_t failure;                /* of the scenario */
    uint32_t first_host, host_count; /* within fault_hosts */
    struct rng up, down;
};

struct fault_host {
    uint32_t host;
    uint32_t loss; /* for fleet_return */
};

struct fault_queue { /* of one failure: who is repaired, who waits for it */
    uint32_t busy_count;
    VEC(uint32_t) waiting; /* units; the head is at `served` */
    size_t served;
    bool *hits; /* owned: by host; `task` failures only */
    uint32_t hit_count;
    uint64_t key;
};

enum { RUN_LOOKS = FLEET_LOOK_FAR + 1 };

enum { LIVING_WORDS = 8 };

/*
 * A bit for each of the arrivals side by side whose only copy has a lifetime and is not STOPPED.
 * Lifetimes are as the rows gave them, NEVER: drawn; without an array (owned) all are.
 */
struct living {
    uint64_t bits[LIVING_WORDS];
    berth_ns *lifetimes[LIVING_WORDS];
};

struct run_source {
    struct source *source;
    struct source_task next;
    uint32_t own_definition;     /* the arrival's, or MAP_ABSENT */
    uint32_t definition;         /* the one that a row named last: mostly the next one too */
    VEC(struct living *) living; /* owned; NULL: nobody of it lives */
};

struct copies { /* of one arrival with several copies and a lifetime */
    berth_ns lifetime_ns;
    uint32_t left; /* not STOPPED yet; or the next free slot */
};

/* A call of the API that may have to be made again: by itself, or by what made it. */
struct call {
    struct event event;
    struct sim_event cause;
    bool is_caused;
    uint64_t batch; /* once this is durable, it was heard */
};

struct call_list {
    struct call *items;
    size_t count;
    size_t capacity;
};

/* A RunTask without an answer. */
struct arrival_call {
    uint64_t token;
    uint32_t source;
    struct source_task task; /* texts owned */
};

/* The controller as a process: control.c. */
struct control {
    bool keeps;            /* its records are kept, and it may end and be loaded again */
    bool is_down;          /* until the restart */
    bool has_ended;        /* in the event under way */
    enum chaos_kind armed; /* where it will end next; CHAOS_KIND_COUNT: nowhere */
    enum chaos_kind ended_by;
    berth_ns down_ns;
    uint64_t generation; /* of restarts: makes the events of an earlier process stale */
    const struct distribution *delay; /* of a slow disk's syncs; NULL: none */
    struct rng disk, tear;
    berth_ns synced_at_ns; /* of the last sync that is queued */
    uint64_t queued_batch;
    berth_ns wall_offset_ns;
    struct call_list calls;
};

struct task_set_made { /* by an entry of the timeline */
    uint32_t entry;
    uint64_t number;
};

struct run {
    const struct scenario *scenario;
    const struct run_options *options;
    struct berth_error *err;
    enum berth_err code; /* the first failure; ends the run */
    uint64_t key;        /* of the replication */
    berth_ns now_ns, end_ns;
    uint64_t taken_count, step_count;
    struct sim_queue *queue;
    struct store store;
    struct loop *loop;
    struct loop_ops loop_ops;
    struct fleet_ops fleet_ops;
    struct fleet *fleet;
    struct world *world;
    struct chaos *chaos;
    struct control control;
    bool has_retry;                     /* what is under way will be tried again */
    struct sim_event dispatched;        /* the event of the queue that is under way */
    struct sim_event looked[RUN_LOOKS]; /* by look_ahead last: not to look twice */
    struct collect *collect;
    struct journal *journal; /* NULL: nothing is written */
    berth_ns timer_at_ns;
    uint64_t timer_generation;
    struct map definition_at; /* hash of a definition's name, to its index */
    char **definition_refs;   /* "family:revision", by index */
    struct run_source *sources;
    const struct run_source *calling; /* the source whose RunTask is being applied */
    uint64_t last_call;               /* token of a RunTask, when its answer may be late */
    VEC(struct arrival_call) arrival_calls;
    VEC(struct copies) copies;
    uint32_t free_copies; /* slot + 1; 0: none */
    struct map copies_at; /* by reference */
    VEC(struct fault_unit) units;
    VEC(struct fault_host) fault_hosts;
    struct fault_queue *fault_queues;
    VEC(struct task_set_made) task_sets;
    bool has_task_failures;
};

/* How long a client waits before it makes a throttled call for the `attempt`-th time again. */
#define RUN_BACKOFF_FIRST_NS (100 * BERTH_NS_PER_S / 1000)
#define RUN_BACKOFF_MAX_NS (20 * BERTH_NS_PER_S)
berth_ns run_backoff_ns(uint64_t attempt);

void run_put(struct run *run, berth_ns at_ns, enum run_event kind, uint32_t a, uint64_t b);
void run_step(struct run *run, const struct event *event);
void run_dispatch(struct run *run, const struct sim_event *event);
void run_arm_timer(struct run *run);
void run_fail(struct run *run, const char *where, const char *name, const char *text);
const char *run_definition(const struct run *run, const char *name);    /* "family:revision" */
uint32_t run_definition_index(const struct run *run, const char *name); /* or MAP_ABSENT */
struct placement_strategy_spec const *
run_strategies(const struct run *run, const struct scenario_strategies *own, uint16_t *count);
/* Lose or give back a host: as fleet_lose and fleet_return, written to the journal. */
uint32_t run_lose(struct run *run, uint32_t host, enum loss_mode mode, const char *why);
void run_return(struct run *run, uint32_t host, uint32_t loss);
void run_recover(struct run *run, uint32_t host);

/* control.c */
void control_open(struct run *run, bool keeps);
void control_close(struct run *run);
enum berth_err control_step(struct run *run, const struct event *event);
struct step_time control_time(const struct run *run);
void control_settle(struct run *run); /* after every event of the queue */
void control_fire(struct run *run, const struct sim_event *event);
bool control_is_away(const struct run *run);             /* it has ended and not begun again */
bool control_ends(void *context, enum loop_point point); /* for the loop */
void control_reloaded(void *context);
/* False when that cannot be now: no records are kept, it is down, or about to end. */
bool control_crash(struct run *run, enum chaos_kind kind, berth_ns down_ns);
bool control_fail_disk(struct run *run, berth_ns down_ns);                 /* the next batch */
void control_slow_disk(struct run *run, const struct distribution *delay); /* NULL: no more */
void control_jump_clock(struct run *run, berth_ns by_ns);
void control_heal(struct run *run); /* it comes back, and the disk will not fail */

/* arrivals.c */
enum berth_err arrivals_open(struct run *run);
void arrivals_close(struct run *run);
/* A RunTask was throttled; later it is called again, from a RUN_ARRIVAL with its token. */
void arrivals_throttled(struct run *run, const struct reply *reply);
void arrivals_call_later(struct run *run, const struct sim_event *event);
void arrivals_fire(struct run *run, uint32_t source);
void arrivals_replied(struct run *run, const struct reply *reply);
void arrivals_call_again(struct run *run); /* what nobody answered */
void arrivals_stopped(struct run *run, const struct task_view *task);
berth_ns arrivals_lifetime(const struct run *run, uint64_t reference);

/* timeline.c */
void timeline_start(struct run *run);
void timeline_task_set_made(struct run *run, const struct reply *reply);
void timeline_fire(struct run *run, uint32_t entry, bool is_again);

/* faults.c */
void faults_start(struct run *run);
void faults_free(struct run *run);
void faults_join(struct run *run, uint32_t host); /* a machine that came later */
void faults_fire(struct run *run, uint32_t unit, uint64_t phase);
berth_ns faults_crash(const struct run *run, uint32_t host, uint64_t key, uint16_t container);

/* select.c: hosts that a selector means. `*out` is cleared first and owned by the caller. */
enum select_among {
    SELECT_SLOTS,      /* every slot of the fleet, as it would register: before anything runs */
    SELECT_TO_FAIL,    /* every slot; with `instance` or `share`, those not lost yet */
    SELECT_LOST,       /* what a recovery can mean */
    SELECT_REGISTERED, /* what can be drained */
};
struct host_list {
    uint32_t *items;
    size_t count;
    size_t capacity;
};
void select_hosts(struct run *run, const struct scenario_selector *selector,
                  enum select_among among, struct host_list *out);

#endif
