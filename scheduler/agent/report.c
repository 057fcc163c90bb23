/*
 * Reports: what the controller is told about a task, at least once.
 *
 * A task has at most one unacknowledged report. A STOPPED that comes while the first RUNNING is on
 * its way waits for that ack, as ECS's agent submits the states of one task one after the other; so
 * the controller sees every task that ran as RUNNING first. A later RUNNING, which only tells of
 * another health, is superseded by whatever comes next: it gets a new number. The list of
 * unacknowledged reports is ordered by the time of the next try, because every try goes to its end
 * with the same interval.
 */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>

#include "scheduler/base/mem.h"

static void send_report(struct turn *turn, struct agent_task *task)
{
    bool is_stopped = task->report_status == TASK_STOPPED;
    struct message *message = turn_send(turn, MESSAGE_TASK_STATE, task->report_seq);
    message->u.report = (struct task_report){
        .task = task->task,
        .status = (enum task_status)task->report_status,
        .cause = is_stopped ? (enum exit_cause)task->cause : EXIT_NONE,
        .exit_code = is_stopped ? task->exit_code : 0,
        .health = is_stopped ? HEALTH_UNKNOWN : (enum task_health)task->health,
        .pull_started_ns = task->pull_started_ns,
        .pull_stopped_ns = task->pull_stopped_ns,
        .started_ns = task->started_ns,
        .stopped_ns = is_stopped ? task->stopped_ns : 0,
    };
    task->retry_ns = turn->now.mono_ns + turn->agent->limits->report_retry_ns;
}

static struct agent_task *take_report(struct agent *agent, uint64_t seq)
{
    struct agent_task *before = NULL, *at = task_at(agent, agent->reports.head);
    while (at != NULL && at->report_seq != seq) {
        before = at;
        at = task_at(agent, at->next);
    }
    if (at != NULL)
        task_queue_unlink(&agent->reports, before, at);
    return at;
}

static void make_report(struct turn *turn, struct agent_task *task, enum task_status status)
{
    if (task->report_seq != 0)
        (void)take_report(turn->agent, task->report_seq);
    task->report_status = (uint8_t)status;
    task->report_seq = ++turn->agent->report_seq;
    if (turn->agent->is_connected)
        send_report(turn, task);
    task_queue_push(turn->agent, &turn->agent->reports, task);
}

void report_running(struct turn *turn, struct agent_task *task)
{
    task->is_running_told = true;
    make_report(turn, task, TASK_RUNNING);
}

void report_stopped(struct turn *turn, struct agent_task *task)
{
    assert(task->stage == STAGE_DONE);
    table_prefetch(turn->agent); /* the ack will come */
    if (task->report_seq == 0 || task->is_running_known)
        make_report(turn, task, TASK_STOPPED);
}

void report_acknowledged(struct turn *turn, uint64_t seq)
{
    struct agent_task *task = take_report(turn->agent, seq);
    if (task == NULL)
        return; /* the ack of a repeat */
    task->report_seq = 0;
    if (task->report_status == TASK_STOPPED) {
        turn_act(turn, AGENT_ACTION_REMOVE, task->task)->place = task->number;
        table_remove(turn->agent, task);
        return;
    }
    task->is_running_known = true;
    if (task->stage == STAGE_DONE)
        make_report(turn, task, TASK_STOPPED);
}

void report_repeat(struct turn *turn, berth_ns due_ns)
{
    struct agent *agent = turn->agent;
    struct task_queue *reports = &agent->reports;
    uint32_t last = reports->tail; /* ends the round: with due_ns at NEVER each is sent once */
    if (!agent->is_connected)
        return;
    for (bool is_last = reports->head == POOL_NONE; !is_last;) {
        struct agent_task *task = task_at(agent, reports->head);
        if (task->retry_ns > due_ns)
            return;
        is_last = task->number == last;
        task_queue_unlink(reports, NULL, task);
        send_report(turn, task);
        task_queue_push(agent, reports, task);
    }
}
