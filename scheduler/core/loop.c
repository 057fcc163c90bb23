/*
 * The commit loop. Two ways for a step's actions:
 *
 *     nothing waits, and the step's batch is durable at once   straight to the callbacks
 *     else                                                     copied, and queued behind the batch
 *
 * The first is the simulator's, at a million steps a second: nothing is copied, and a store that
 * keeps no records is not even asked. Either way the order of effects is the order in which they
 * were decided. A step without changes waits for the last batch before it, since what it says
 * may rest on it.
 *
 * Discarded controllers stay until the loop is destroyed: definitions and groups were lent for good
 * to whoever got a payload. LIMIT: a core's worth of memory for each failed commit.
 */
#include "scheduler/core/loop.h"

#include "scheduler/base/mem.h"
#include "scheduler/core/commit.h"
#include "scheduler/core/held.h"

struct loop {
    struct controller *controller;     /* owned */
    VEC(struct controller *) retired;  /* owned */
    struct controller_options options; /* its texts are owned */
    task_def_decoder decode;
    struct store *store;
    struct loop_ops ops;
    void *context;
    struct action_list actions;
    struct commit commit;
    struct held_queue held;
    uint64_t last_batch; /* appended */
    bool is_plain;       /* nothing is kept, and nobody ends the process: nothing can wait */
};

struct loop *loop_create(struct controller *controller, const struct controller_options *options,
                         task_def_decoder decode, struct store *store, const struct loop_ops *ops,
                         void *context)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->controller = controller;
    loop->options = *options;
    loop->options.cluster = mem_copy_text(options->cluster);
    loop->options.account = mem_copy_text(options->account);
    loop->options.region = mem_copy_text(options->region);
    loop->decode = decode;
    loop->store = store;
    loop->ops = *ops;
    loop->context = context;
    loop->last_batch = store->ops->progress(store->self).durable_batch;
    loop->is_plain = !store->ops->keeps_records && ops->ends == NULL;
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    controller_destroy(loop->controller);
    for (size_t i = 0; i < loop->retired.count; i++)
        controller_destroy(loop->retired.items[i]);
    vec_free(&loop->retired);
    mem_free((void *)(uintptr_t)loop->options.cluster);
    mem_free((void *)(uintptr_t)loop->options.account);
    mem_free((void *)(uintptr_t)loop->options.region);
    action_list_free(&loop->actions);
    commit_free(&loop->commit);
    held_clear(&loop->held);
    mem_free(loop);
}

struct controller *loop_controller(struct loop *loop)
{
    return loop->controller;
}

berth_ns loop_next_deadline(const struct loop *loop)
{
    return controller_next_deadline(loop->controller);
}

static inline void release(const struct loop *loop, struct step_time decided,
                           const struct action *action)
{
    const struct loop_ops *ops = &loop->ops;
    switch (action->kind) {
    case ACTION_CHANGE:
        if (ops->change != NULL)
            ops->change(loop->context, decided, &action->u.change);
        break;
    case ACTION_SERVICE_EVENT:
        if (ops->service_event != NULL)
            ops->service_event(loop->context, decided, &action->u.service_event);
        break;
    case ACTION_REPLY:
        if (ops->reply != NULL)
            ops->reply(loop->context, decided, &action->u.reply);
        break;
    case ACTION_SEND:
        if (ops->send != NULL)
            ops->send(loop->context, decided, &action->u.send);
        break;
    case ACTION_REQUEST:
        if (ops->request != NULL)
            ops->request(loop->context, decided, &action->u.request);
        break;
    case ACTION_KIND_COUNT:
        break;
    }
}

static void release_all(const struct loop *loop, struct step_time decided)
{
    for (size_t i = 0; i < loop->actions.count; i++)
        release(loop, decided, &loop->actions.items[i]);
}

static void release_held(struct loop *loop, uint64_t durable_batch)
{
    for (const struct held *first; (first = held_first(&loop->held, durable_batch)) != NULL;) {
        release(loop, first->decided, &first->action);
        held_drop_first(&loop->held);
    }
}

/* What is durable was done, though nobody said so: watchers and clients find it in the store. */
static void tell_survivors(struct loop *loop, uint64_t durable_batch)
{
    for (const struct held *first; (first = held_first(&loop->held, durable_batch)) != NULL;) {
        if (first->action.kind == ACTION_CHANGE || first->action.kind == ACTION_REPLY)
            release(loop, first->decided, &first->action);
        held_drop_first(&loop->held);
    }
}

/*
 * Begin again from what is durable. What a store finds in its tail was not known to be durable
 * before, so the survivors are told after its reset, while the core that decided it is there.
 */
static enum berth_err recover(struct loop *loop, struct berth_error *err)
{
    const struct store *store = loop->store;
    store->ops->reset(store->self);
    loop->last_batch = store->ops->progress(store->self).durable_batch;
    tell_survivors(loop, loop->last_batch);
    held_clear(&loop->held);
    const struct record *records;
    size_t record_count;
    enum berth_err code = store->ops->load(store->self, &records, &record_count, err);
    if (code != BERTH_OK)
        return code;
    struct controller *reloaded;
    code = controller_load(&loop->options, records, record_count, loop->decode, &reloaded, err);
    if (code != BERTH_OK)
        return code;
    *vec_push(&loop->retired) = loop->controller;
    loop->controller = reloaded;
    if (loop->ops.reloaded != NULL)
        loop->ops.reloaded(loop->context);
    return BERTH_OK;
}

enum berth_err loop_store_progress(struct loop *loop, struct step_time now, struct berth_error *err)
{
    (void)now; /* effects carry the time of their decision */
    struct store_progress progress = loop->store->ops->progress(loop->store->self);
    release_held(loop, progress.durable_batch);
    return progress.has_failed ? recover(loop, err) : BERTH_OK;
}

static bool has_change(const struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE)
            return true;
    return false;
}

/* Hand the step's changes to the store; false when it takes no more. */
static bool append_changes(struct loop *loop)
{
    const struct store *store = loop->store;
    struct berth_error refused;
    if (!has_change(&loop->actions))
        return true;
    berth_error_clear(&refused);
    if (store->ops->keeps_records)
        commit_encode(&loop->commit, loop->controller, &loop->actions);
    if (store->ops->append(store->self, loop->last_batch + 1, loop->commit.items,
                           loop->commit.count, &refused) != BERTH_OK)
        return false;
    loop->last_batch++;
    return true;
}

static bool ends(const struct loop *loop, enum loop_point point)
{
    return loop->ops.ends != NULL && loop->ops.ends(loop->context, point);
}

static void hold_actions(struct loop *loop, struct step_time now)
{
    for (size_t i = 0; i < loop->actions.count; i++)
        held_push(&loop->held, loop->last_batch, now, &loop->actions.items[i]);
}

/* Between the decision and its effects: the store, and where a process may end. */
static enum berth_err commit_step(struct loop *loop, struct step_time now, struct berth_error *err)
{
    const struct store *store = loop->store;
    if (ends(loop, LOOP_DECIDED))
        return recover(loop, err);
    uint64_t batch_before = loop->last_batch;
    bool is_taken = append_changes(loop);
    if (loop->last_batch > batch_before && ends(loop, LOOP_APPENDED)) {
        hold_actions(loop, now);
        return recover(loop, err);
    }
    struct store_progress progress = store->ops->progress(store->self);
    release_held(loop, progress.durable_batch);
    if (!is_taken || progress.has_failed)
        return recover(loop, err);
    if (progress.durable_batch < loop->last_batch) {
        hold_actions(loop, now);
        return BERTH_OK;
    }
    if (ends(loop, LOOP_DURABLE)) {
        hold_actions(loop, now);
        return recover(loop, err);
    }
    release_all(loop, now);
    return BERTH_OK;
}

enum berth_err loop_step(struct loop *loop, struct step_time now, const struct event *event,
                         struct berth_error *err)
{
    controller_step(loop->controller, now, event, &loop->actions);
    if (loop->ops.decided != NULL)
        loop->ops.decided(loop->context, now, event, &loop->actions);
    if (!loop->is_plain)
        return commit_step(loop, now, err);
    release_all(loop, now);
    return BERTH_OK;
}

enum berth_err loop_restart(struct loop *loop, struct berth_error *err)
{
    return recover(loop, err);
}

uint64_t loop_last_batch(const struct loop *loop)
{
    return loop->last_batch;
}
