/*
 * world.h -- a controller with pretended agents, for tests of the core.
 *
 * Time stands still but for world_advance. An agent does at once what it is told when the test lets
 * it (world_settle), and nothing before. Every step checks that revisions rise by one.
 */
#ifndef BERTH_TESTS_SUPPORT_WORLD_H
#define BERTH_TESTS_SUPPORT_WORLD_H

#include "scheduler/base/mem.h"
#include "scheduler/core/controller.h"

struct world_task { /* what an agent knows */
    task_id task;
    instance_id instance;
    bool desired_running;
    enum task_status known; /* PENDING, RUNNING, STOPPED */
};

struct world_request { /* not answered yet */
    enum request_kind kind;
    struct answer answer; /* of listeners and hooks: what says that all is well */
    task_id task;
    const char *target_group; /* lent by the controller's symbols */
};

struct world {
    struct controller_options options;
    struct controller *controller; /* owned */
    struct step_time now;
    struct action_list actions; /* of the last step */
    VEC(struct world_task) tasks;
    VEC(struct world_request) asked; /* in order */
    uint32_t requested[REQUEST_KIND_COUNT];
    uint64_t revision;
    uint64_t next_token, next_report;
    uint32_t told[SERVICE_EVENT_KIND_COUNT]; /* service events seen, by kind */
    uint32_t sent[MESSAGE_KIND_COUNT];
    bool audits; /* controller_audit and cluster_audit after every step */
    /* Called after every step with its event; its actions are in `actions`. May be NULL. */
    void (*watch)(struct world *world, const struct event *event, void *context);
    void *context;
};

void world_open(struct world *world);
void world_reopen(struct world *world); /* anew, with the options as they are now */
void world_close(struct world *world);

void world_step(struct world *world, const struct event *event);
struct reply world_command(struct world *world, struct event event); /* its reply must come */

/* Registers family:REVISION from cpu, memory; returns its reference, lent for good. */
const struct task_def *world_define(struct world *world, const char *family, int cpu, int mem);
const struct task_def *world_define_json(struct world *world, const char *document);
instance_id world_instance(struct world *world, const char *zone, int cpu, int mem);
struct reply world_run(struct world *world, const char *definition, uint32_t count, bool waits);
service_id world_service(struct world *world, const char *name, const char *definition, int desired,
                         int minimum, int maximum);
void world_scale(struct world *world, const char *name, int desired);
void world_deploy(struct world *world, const char *name, const char *definition);
void world_state(struct world *world, instance_id instance, enum instance_status status);

void world_report(struct world *world, task_id task, enum task_status status, enum exit_cause cause,
                  int32_t exit_code);
/* A service of one replica behind target groups, NULL-ended. */
service_id world_balanced(struct world *world, const char *name, const char *definition,
                          int desired, int grace_s, const char *const *target_groups);
void world_answer_target(struct world *world, task_id task, const char *target_group,
                         enum target_state state);
void world_answer_interface(struct world *world, task_id task, bool is_attached);
bool world_answer_one(struct world *world); /* the oldest request, well; false: none */
/* It runs, and its containers' health is this. */
void world_report_health(struct world *world, task_id task, enum task_health health);
/* The same, under a number that reports since may have passed. */
void world_report_late(struct world *world, task_id task, enum task_health health, uint64_t seq);
/* One task of the service that is known to run ends by itself. */
void world_crash(struct world *world, task_id task);
bool world_settle_one(struct world *world); /* the oldest order not done yet; false: none */
void world_settle(struct world *world);     /* agents do all they were told, requests succeed */
void world_settle_stops(struct world *world);
void world_advance(struct world *world, berth_ns duration_ns); /* firing deadlines on the way */

uint32_t world_live(struct world *world, service_id service);   /* tasks not STOPPED */
uint32_t world_wanted(struct world *world, service_id service); /* desiredStatus RUNNING */
/* of one deployment's definition, desiredStatus RUNNING */
uint32_t world_wanted_of(struct world *world, const struct task_def *def);

#endif
