/*
 * bench_agent.c -- how long a step of the agent takes, over a fleet too large for the caches.
 *
 * Each task lives its whole life: payload, pull, start, RUNNING acknowledged, exit, STOPPED
 * acknowledged: six steps. CPU time, one thread; the work is checked by counting what was removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "scheduler/agent/agent.h"
#include "scheduler/base/mem.h"

#define AGENTS 20000
#define TASKS_AT_ONCE 10
#define ROUNDS 10

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct fleet {
    struct agent **agents;
    struct agent_action_list actions;
    struct task_def *def;
    uint64_t steps, removed;
    berth_ns now_ns;
};

static void step(struct fleet *fleet, uint32_t agent, const struct agent_event *event)
{
    struct step_time now = {fleet->now_ns, fleet->now_ns};
    agent_step(fleet->agents[agent], now, event, &fleet->actions);
    fleet->steps++;
    for (size_t i = 0; i < fleet->actions.count; i++)
        fleet->removed += fleet->actions.items[i].kind == AGENT_ACTION_REMOVE;
}

static void send(struct fleet *fleet, uint32_t agent, const struct message *message)
{
    struct agent_event event = {.kind = AGENT_EVENT_MESSAGE, .message = message};
    step(fleet, agent, &event);
}

static void payload(struct fleet *fleet, uint32_t agent, task_id task)
{
    struct message message = {.kind = MESSAGE_PAYLOAD, .instance = agent, .seq = task};
    message.u.payload = (struct task_payload){.task = task,
                                              .def = fleet->def,
                                              .group = "service:web",
                                              .cpu_units = 100,
                                              .mem_mib = 100,
                                              .desired_running = true};
    send(fleet, agent, &message);
}

static void happen(struct fleet *fleet, uint32_t agent, enum agent_event_kind kind, task_id task)
{
    struct agent_event event = {.kind = kind, .task = task};
    step(fleet, agent, &event);
}

/* The same step for every task of every agent in turn, so that no agent stays in a cache. */
static void round_of(struct fleet *fleet, task_id first, uint64_t first_seq)
{
    for (int stage = 0; stage < 6; stage++)
        for (uint32_t task = 0; task < TASKS_AT_ONCE; task++)
            for (uint32_t agent = 0; agent < AGENTS; agent++) {
                struct message ack = {.kind = MESSAGE_REPORT_ACK, .instance = agent};
                ack.seq = first_seq + task + (stage == 5 ? TASKS_AT_ONCE : 0);
                fleet->now_ns += 1000;
                if (stage == 0)
                    payload(fleet, agent, first + task);
                else if (stage == 3 || stage == 5)
                    send(fleet, agent, &ack);
                else
                    happen(fleet, agent,
                           stage == 1   ? AGENT_EVENT_PULLED
                           : stage == 2 ? AGENT_EVENT_STARTED
                                        : AGENT_EVENT_EXITED,
                           first + task);
            }
}

int main(void)
{
    struct container_def main_container = {.name = "main",
                                           .is_essential = true,
                                           .stop_timeout_ns = BERTH_NS_NEVER,
                                           .start_timeout_ns = BERTH_NS_NEVER};
    struct task_def def = {.containers = &main_container, .container_count = 1};
    struct fleet fleet = {.def = &def};
    fleet.agents = mem_alloc(AGENTS * sizeof(struct agent *));
    for (uint32_t i = 0; i < AGENTS; i++) {
        struct agent_config config = {.instance = i, .cpu_units = 4096, .mem_mib = 4096};
        fleet.agents[i] = agent_create(&config);
        happen(&fleet, i, AGENT_EVENT_CONNECTED, 0);
    }
    round_of(&fleet, 1, 1); /* the first round grows what later ones use again */
    uint64_t steps_before = fleet.steps;
    double begin = cpu_seconds();
    for (uint64_t round = 1; round <= ROUNDS; round++)
        round_of(&fleet, 1 + round * TASKS_AT_ONCE, 1 + 2 * round * TASKS_AT_ONCE);
    double seconds = cpu_seconds() - begin;
    uint64_t wanted = (uint64_t)(ROUNDS + 1) * AGENTS * TASKS_AT_ONCE;
    if (fleet.removed != wanted) {
        (void)fprintf(stderr, "bench_agent: %llu tasks ended, not %llu\n",
                      (unsigned long long)fleet.removed, (unsigned long long)wanted);
        return 1;
    }
    double steps = (double)(fleet.steps - steps_before);
    printf("agent: %.0f ns a step (%d agents of %d tasks, %.1f million steps/s)\n",
           seconds / steps * 1e9, AGENTS, TASKS_AT_ONCE, steps / seconds / 1e6);
    for (uint32_t i = 0; i < AGENTS; i++)
        agent_destroy(fleet.agents[i]);
    mem_free(fleet.agents);
    agent_action_list_free(&fleet.actions);
    return 0;
}
