#include "scheduler/core/held.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/mem.h"

static void *copy_of(const void *items, size_t size_bytes)
{
    if (size_bytes == 0)
        return NULL;
    void *copy = mem_alloc(size_bytes);
    memcpy(copy, items, size_bytes);
    return copy;
}

static void free_lent(const void *lent)
{
    mem_free((void *)(uintptr_t)lent);
}

static bool has_task_list(const struct reply *reply)
{
    return reply->command == EVENT_RUN_TASK &&
           (reply->status == REPLY_OK || reply->status == REPLY_REFUSED);
}

static void copy_reply(struct reply *reply)
{
    reply->text = mem_copy_text(reply->text);
    if (!has_task_list(reply))
        return;
    reply->u.run_task.tasks = copy_of(reply->u.run_task.tasks, reply->u.run_task.task_count *
                                                                   sizeof *reply->u.run_task.tasks);
    reply->u.run_task.failures =
        copy_of(reply->u.run_task.failures,
                reply->u.run_task.failure_count * sizeof *reply->u.run_task.failures);
}

static void free_reply(struct reply *reply)
{
    free_lent(reply->text);
    if (!has_task_list(reply))
        return;
    free_lent(reply->u.run_task.tasks);
    free_lent(reply->u.run_task.failures);
}

static struct action copy_action(const struct action *action)
{
    struct action copy = *action;
    switch (action->kind) {
    case ACTION_SERVICE_EVENT:
        copy.u.service_event.tasks =
            copy_of(action->u.service_event.tasks,
                    action->u.service_event.task_count * sizeof *action->u.service_event.tasks);
        copy.u.service_event.zones =
            copy_of(action->u.service_event.zones,
                    action->u.service_event.zone_count * sizeof *action->u.service_event.zones);
        break;
    case ACTION_REPLY:
        copy_reply(&copy.u.reply);
        break;
    case ACTION_SEND:
        copy.u.send = message_copy(&action->u.send);
        break;
    case ACTION_CHANGE:  /* by value; definitions are lent for good */
    case ACTION_REQUEST: /* its texts are symbols: lent for good */
    case ACTION_KIND_COUNT:
        break;
    }
    return copy;
}

static void free_action(struct action *action)
{
    switch (action->kind) {
    case ACTION_SERVICE_EVENT:
        free_lent(action->u.service_event.tasks);
        free_lent(action->u.service_event.zones);
        break;
    case ACTION_REPLY:
        free_reply(&action->u.reply);
        break;
    case ACTION_SEND:
        message_release(&action->u.send);
        break;
    case ACTION_CHANGE:
    case ACTION_REQUEST: /* its texts are symbols: lent for good */
    case ACTION_KIND_COUNT:
        break;
    }
}

void held_push(struct held_queue *queue, uint64_t batch, struct step_time decided,
               const struct action *action)
{
    *vec_push(queue) = (struct held){batch, decided, copy_action(action)};
}

const struct held *held_first(const struct held_queue *queue, uint64_t durable_batch)
{
    if (queue->head == queue->count || queue->items[queue->head].batch > durable_batch)
        return NULL;
    return &queue->items[queue->head];
}

/* The room of those taken is won back when it is half of all: each is moved once on average. */
static void compact(struct held_queue *queue)
{
    if (queue->head * 2 < queue->count)
        return;
    queue->count -= queue->head;
    memmove(queue->items, queue->items + queue->head, queue->count * sizeof *queue->items);
    queue->head = 0;
}

void held_drop_first(struct held_queue *queue)
{
    assert(queue->head < queue->count);
    free_action(&queue->items[queue->head++].action);
    compact(queue);
}

void held_clear(struct held_queue *queue)
{
    for (size_t i = queue->head; i < queue->count; i++)
        free_action(&queue->items[i].action);
    queue->head = 0;
    vec_free(queue);
}
