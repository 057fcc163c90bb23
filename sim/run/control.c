/*
 * control.c -- the controller as a process: its store, its ends and its restarts, its clock.
 *
 * A run without faults of the controller has a store that keeps nothing, and none of this happens.
 * With them, the records are kept, and the process may end at an armed point of a step. The loop
 * has loaded the core again by then; what is left to do waits for the end of the event under way:
 * connections are gone, timers are gone, and until the restart nothing reaches the controller.
 *
 *     messages, connections   lost: agents report again, and are told everything again
 *     calls of the API        made again by their clients at the restart, as is any call whose
 *                             decision was not durable; one that was durable is answered
 *     answers of the world    given again
 *
 * A slow disk syncs late: batches wait for an event of the queue, and their effects with them.
 */
#include "scheduler/base/mem.h"
#include "sim/fleet/behaviour.h"
#include "sim/run/driver.h"
#include "sim/run/journal.h"

#define CRASH_AT_LATEST_NS (20 * BERTH_NS_PER_S)

enum { CONTROL_RESTARTS, CONTROL_SYNCS, CONTROL_ENDS_AT_LATEST };

static void put(struct run *run, berth_ns at_ns, uint32_t what, uint64_t b)
{
    if (at_ns < run->end_ns)
        sim_queue_put(run->queue, at_ns,
                      (struct sim_event){RUN_CONTROL, what, b, run->control.generation});
}

void control_open(struct run *run, bool keeps)
{
    run->control = (struct control){.keeps = keeps,
                                    .armed = CHAOS_KIND_COUNT,
                                    .disk.key = rng_key(run->key, "disk", 0),
                                    .tear.key = rng_key(run->key, "tear", 0)};
    run->store = keeps ? store_memory_open(0) : store_volatile_open();
}

void control_close(struct run *run)
{
    vec_free(&run->control.calls);
    run->store.ops->destroy(run->store.self);
}

struct step_time control_time(const struct run *run)
{
    return (struct step_time){run->now_ns,
                              FLEET_WALL_EPOCH_NS + run->now_ns + run->control.wall_offset_ns};
}

void control_jump_clock(struct run *run, berth_ns by_ns)
{
    run->control.wall_offset_ns += by_ns;
}

bool control_is_away(const struct run *run)
{
    return run->control.is_down || run->control.has_ended;
}

static uint64_t durable_batch(const struct run *run)
{
    return run->store.ops->progress(run->store.self).durable_batch;
}

/* Ends now, between two steps. */
static void end_now(struct run *run, enum chaos_kind kind)
{
    run->control.armed = kind;
    enum berth_err code = loop_restart(run->loop, run->err);
    if (code != BERTH_OK && run->code == BERTH_OK)
        run->code = code;
}

bool control_crash(struct run *run, enum chaos_kind kind, berth_ns down_ns)
{
    struct control *control = &run->control;
    if (!control->keeps || control_is_away(run) || control->armed != CHAOS_KIND_COUNT)
        return false;
    control->down_ns = down_ns;
    if (kind == CHAOS_CRASH_IDLE) {
        end_now(run, kind);
        return true;
    }
    control->armed = kind;
    if (kind == CHAOS_CRASH_APPENDED || kind == CHAOS_CRASH_TORN)
        store_memory_hold(&run->store, true);
    put(run, behaviour_later(run->now_ns, CRASH_AT_LATEST_NS), CONTROL_ENDS_AT_LATEST, 0);
    return true;
}

bool control_ends(void *context, enum loop_point point)
{
    struct run *run = context;
    struct control *control = &run->control;
    if (control->armed == CHAOS_CRASH_DECIDED)
        return point == LOOP_DECIDED;
    if (control->armed == CHAOS_CRASH_DURABLE)
        return point == LOOP_DURABLE;
    if (point != LOOP_APPENDED)
        return false;
    if (control->armed == CHAOS_CRASH_TORN &&
        !store_memory_tear(&run->store, 1 + (uint32_t)rng_below(&control->tear, 999)))
        control->armed = CHAOS_CRASH_APPENDED;
    return control->armed == CHAOS_CRASH_APPENDED || control->armed == CHAOS_CRASH_TORN;
}

void control_reloaded(void *context)
{
    ((struct run *)context)->control.has_ended = true;
}

void control_slow_disk(struct run *run, const struct distribution *delay)
{
    struct control *control = &run->control;
    if (!control->keeps)
        return;
    control->delay = delay;
    store_memory_hold(&run->store, delay != NULL);
    if (delay == NULL && !control_is_away(run))
        put(run, run->now_ns, CONTROL_SYNCS, UINT64_MAX);
}

bool control_fail_disk(struct run *run, berth_ns down_ns)
{
    struct control *control = &run->control;
    if (!control->keeps || control_is_away(run) || control->armed != CHAOS_KIND_COUNT)
        return false;
    control->armed = CHAOS_DISK_FAILURE;
    control->down_ns = down_ns;
    store_memory_fail_after(&run->store, 1);
    return true;
}

void control_heal(struct run *run)
{
    struct control *control = &run->control;
    control->down_ns = 0; /* an end that is still to come, too */
    if (control->is_down) {
        control->generation++; /* not when it was to be */
        put(run, run->now_ns, CONTROL_RESTARTS, 0);
        return;
    }
    if (control->armed != CHAOS_DISK_FAILURE || control->has_ended)
        return;
    control->armed = CHAOS_KIND_COUNT;
    store_memory_fail_after(&run->store, 0);
}

/* A call that must be made again: the event itself, or what made it, which lends its texts. */
static void remember(struct run *run, const struct event *event, uint64_t batch)
{
    struct call call = {.event = *event, .batch = batch, .cause = run->dispatched};
    switch (event->kind) {
    case EVENT_CREATE_SERVICE:
    case EVENT_UPDATE_SERVICE:
    case EVENT_CREATE_TASK_SET:
        call.is_caused =
            run->dispatched.kind == RUN_SERVICE || run->dispatched.kind == RUN_TIMELINE;
        break;
    case EVENT_TIMER: /* the restart looks for what is due; agents and arrivals try again */
    case EVENT_RESUME:
    case EVENT_MESSAGE:
    case EVENT_AGENT_CONNECTED:
    case EVENT_REGISTER_INSTANCE:
    case EVENT_REGISTER_TASK_DEFINITION:
    case EVENT_RUN_TASK:
    case EVENT_KIND_COUNT:
        return;
    case EVENT_AGENT_DISCONNECTED: /* nobody is left to tell of an instance that has a successor */
    default:                       /* all they lend is the scenario's or the world's */
        break;
    }
    *vec_push(&run->control.calls) = call;
}

/* Those whose decision is durable have been heard. */
static void forget_heard(struct run *run)
{
    struct control *control = &run->control;
    uint64_t durable = durable_batch(run);
    size_t kept = 0;
    for (size_t i = 0; i < control->calls.count; i++)
        if (control->calls.items[i].batch > durable)
            control->calls.items[kept++] = control->calls.items[i];
    control->calls.count = kept;
}

static void queue_sync(struct run *run)
{
    struct control *control = &run->control;
    uint64_t batch = loop_last_batch(run->loop);
    if (control->delay == NULL || batch == control->queued_batch || batch <= durable_batch(run))
        return;
    berth_ns delay_ns = distribution_draw_ns(control->delay, &control->disk);
    berth_ns at_ns = behaviour_later(run->now_ns, delay_ns);
    control->synced_at_ns = at_ns > control->synced_at_ns ? at_ns : control->synced_at_ns;
    control->queued_batch = batch;
    put(run, control->synced_at_ns, CONTROL_SYNCS, batch);
}

enum berth_err control_step(struct run *run, const struct event *event)
{
    struct control *control = &run->control;
    if (!control->keeps)
        return loop_step(run->loop, control_time(run), event, run->err);
    if (control_is_away(run)) {
        remember(run, event, UINT64_MAX);
        return BERTH_OK;
    }
    uint64_t own_batch = loop_last_batch(run->loop) + 1;
    enum berth_err code = loop_step(run->loop, control_time(run), event, run->err);
    if (control->has_ended) {
        if (durable_batch(run) < own_batch)
            remember(run, event, UINT64_MAX);
        return code;
    }
    if (loop_last_batch(run->loop) > durable_batch(run))
        remember(run, event, loop_last_batch(run->loop));
    queue_sync(run);
    return code;
}

static void journal(struct run *run, const char *what, enum chaos_kind kind)
{
    journal_fault(run->journal, run->now_ns, loop_controller(run->loop), what,
                  chaos_kind_names[kind], NULL, HOST_NONE);
}

/* The new core lends other definitions than the old one. */
static void bind_again(struct run *run)
{
    const struct controller *controller = loop_controller(run->loop);
    for (uint32_t i = 0; i < run->scenario->task_def_count; i++)
        if (run->definition_refs[i] != NULL) {
            const struct task_def *def =
                task_def_find(controller_task_defs(controller), run->definition_refs[i]);
            fleet_define(run->fleet, i, def);
            world_defined(run->world, i, def);
        }
    collect_reloaded(run->collect, run->now_ns, controller);
}

void control_settle(struct run *run)
{
    struct control *control = &run->control;
    if (!control->has_ended || run->code != BERTH_OK)
        return;
    control->has_ended = false;
    control->is_down = true;
    control->generation++;
    control->queued_batch = 0;
    control->synced_at_ns = 0;
    enum chaos_kind kind = control->armed;
    control->armed = CHAOS_KIND_COUNT;
    control->ended_by = kind;
    store_memory_hold(&run->store, control->delay != NULL);
    run->timer_generation++;
    run->timer_at_ns = BERTH_NS_NEVER;
    if (run->options->transcript != NULL)
        (void)fputs("# the controller ended and was loaded again from its store\n",
                    run->options->transcript);
    chaos_count(run->chaos, kind);
    journal(run, "berth Fault Began", kind);
    collect_disturbed(run->collect, run->now_ns);
    forget_heard(run);
    bind_again(run);
    fleet_controller_down(run->fleet, run->now_ns);
    put(run, behaviour_later(run->now_ns, control->down_ns), CONTROL_RESTARTS, 0);
    const struct run_observer *observer = run->options->observer;
    if (observer != NULL && observer->restarted != NULL)
        observer->restarted(observer->context, run->now_ns, loop_controller(run->loop));
}

static void restart(struct run *run)
{
    struct control *control = &run->control;
    control->is_down = false;
    journal(run, "berth Fault Ended", control->ended_by);
    fleet_controller_up(run->fleet, run->now_ns);
    run_step(run, &(struct event){.kind = EVENT_RESUME});
    struct call_list calls = control->calls;
    control->calls = (struct call_list){0};
    for (size_t i = 0; i < calls.count; i++) {
        run->dispatched = calls.items[i].cause;
        if (calls.items[i].is_caused)
            run_dispatch(run, &calls.items[i].cause);
        else
            run_step(run, &calls.items[i].event);
    }
    vec_free(&calls);
    arrivals_call_again(run);
}

static void sync_disk(struct run *run, uint64_t batch)
{
    struct control *control = &run->control;
    store_memory_flush_to(&run->store, batch);
    if (control->armed == CHAOS_CRASH_DURABLE) {
        end_now(run, CHAOS_CRASH_DURABLE);
        return;
    }
    enum berth_err code = loop_store_progress(run->loop, control_time(run), run->err);
    if (code != BERTH_OK && run->code == BERTH_OK)
        run->code = code;
    if (!control->has_ended) {
        forget_heard(run);
        run_arm_timer(run);
    }
}

void control_fire(struct run *run, const struct sim_event *event)
{
    if (event->c != run->control.generation)
        return;
    switch (event->a) {
    case CONTROL_RESTARTS:
        restart(run);
        break;
    case CONTROL_SYNCS:
        sync_disk(run, event->b);
        break;
    case CONTROL_ENDS_AT_LATEST:
        if (run->control.armed != CHAOS_KIND_COUNT && run->control.armed != CHAOS_DISK_FAILURE)
            end_now(run, CHAOS_CRASH_IDLE);
        break;
    }
}
