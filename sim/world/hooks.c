#include "sim/world/hooks.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/behaviour.h"

struct hooks {
    const struct scenario *scenario;
    uint64_t key;
    berth_ns end_ns;
    struct sim_queue *queue;
    VEC(struct answer) answers; /* of all calls: a WORLD_HOOK holds the index */
};

struct hooks *hooks_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue)
{
    struct hooks *hooks = mem_alloc(sizeof *hooks);
    hooks->scenario = scenario;
    hooks->key = key;
    hooks->end_ns = end_ns;
    hooks->queue = queue;
    return hooks;
}

void hooks_destroy(struct hooks *hooks)
{
    if (hooks == NULL)
        return;
    vec_free(&hooks->answers);
    mem_free(hooks);
}

/* It is there: a scenario that names another one is refused. */
static const struct scenario_hook *find(const struct scenario *scenario, const char *name)
{
    uint32_t i = 0;
    while (strcmp(scenario->hooks[i].name, name) != 0)
        i++;
    return &scenario->hooks[i];
}

/* Drawn from the call alone, so that a repeat of it ends in the same way. */
static enum hook_status status_of(const struct scenario_hook *hook, uint64_t call_key)
{
    if (behaviour_chance(hook->failure_probability, call_key, "failure", 0))
        return HOOK_FAILED;
    return behaviour_chance(hook->in_progress_probability, call_key, "in-progress", 0)
               ? HOOK_IN_PROGRESS
               : HOOK_SUCCEEDED;
}

void hooks_invoke(struct hooks *hooks, berth_ns now_ns, const struct request *request)
{
    const struct scenario_hook *hook = find(hooks->scenario, request->u.hook.name);
    uint64_t call_key = rng_key(rng_key(hooks->key, request->u.hook.name, request->deployment),
                                "call", request->u.hook.call);
    struct answer answer = {.kind = ANSWER_HOOK};
    answer.u.hook.service = request->service;
    answer.u.hook.deployment = request->deployment;
    answer.u.hook.call = request->u.hook.call;
    answer.u.hook.status = status_of(hook, call_key);
    berth_ns at_ns = behaviour_later(now_ns, behaviour_draw_ns(&hook->delay, call_key, "delay", 0));
    if (at_ns >= hooks->end_ns)
        return;
    sim_queue_put(hooks->queue, at_ns, (struct sim_event){WORLD_HOOK, 0, hooks->answers.count, 0});
    *vec_push(&hooks->answers) = answer;
}

struct answer hooks_answer(const struct hooks *hooks, const struct sim_event *event)
{
    return hooks->answers.items[event->b];
}
