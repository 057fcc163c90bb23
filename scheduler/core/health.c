/*
 * What a task's health means to its service (semantics 4.2, 4.5).
 *
 *     load balancer   check   counts as healthy when
 *     no              no      RUNNING for 40 s
 *     no              yes     its containers are HEALTHY
 *     yes             no      RUNNING, and every target is healthy
 *     yes             yes     both
 *
 * It is unhealthy when its containers are UNHEALTHY or any target is, unless its grace period
 * lasts: bad health is then ignored, while good health counts at once.
 *
 * A deployment's figures say how many of its tasks are what, so that a pass costs what it changes.
 * Where time alone changes something, tasks stand in a list in order of age: the young until they
 * are 40 s old, or those whose bad health is ignored until their grace period ends. The unhealthy
 * ones stand in another: of a thousand tasks a few are ill, and those are who is replaced.
 */
#include <assert.h>

#include "scheduler/core/controller_internal.h"

bool is_healthy_by_age(const struct deployment *deployment)
{
    return deployment->target_group_count == 0 && !task_def_has_health_check(deployment->def);
}

static bool has_bad_health(const struct task *task)
{
    return task->health == HEALTH_UNHEALTHY || targets_have_any(task, TARGET_UNHEALTHY);
}

/* By its checks; a task that has none grows healthy by age, if it belongs to a deployment. */
static bool has_good_health(const struct task *task)
{
    return targets_are_all(task, TARGET_HEALTHY) &&
           (task->health == HEALTH_HEALTHY || !task_def_has_health_check(task->def));
}

/* Whether its deployment's list holds it: time alone will change what it counts as. */
static bool is_listed(const struct task *task)
{
    if (!task->desired_running || task->status != TASK_RUNNING)
        return false;
    if (is_healthy_by_age(task->deployment))
        return !task->is_healthy;
    return !task->is_unhealthy && has_bad_health(task);
}

static uint32_t *figure_of(const struct task *task)
{
    struct deployment *deployment = task->deployment;
    if (!task->desired_running)
        return &deployment->stopping;
    struct tally *tally = &deployment->tally[task->is_draining];
    if (task->status < TASK_RUNNING)
        return &tally->pending;
    if (task->is_unhealthy)
        return &tally->unhealthy;
    return task->is_healthy ? &tally->healthy : &tally->young;
}

static bool is_of_unhealthy(const struct task *task, const uint32_t *figure)
{
    return figure == &task->deployment->tally[task->is_draining].unhealthy;
}

static bool is_of_healthy(const struct task *task, const uint32_t *figure)
{
    return figure == &task->deployment->tally[task->is_draining].healthy;
}

/* How many of the deployment's tasks a provider has follows the same calls. */
static void count_item(const struct task *task, int change)
{
    if (task->provider == SYMBOL_NONE || !task->desired_running)
        return;
    struct provider_item *item = deployment_item(task->deployment, task->provider);
    if (item != NULL)
        item->count += (uint32_t)change;
}

void figures_count(struct task *task)
{
    uint32_t *figure = figure_of(task);
    ++*figure;
    if (is_of_unhealthy(task, figure))
        task_list_insert(&task->deployment->unhealthy, task, LIST_QUEUE);
    if (task->deployment->keeps_candidates && is_of_healthy(task, figure))
        candidates_add(task->deployment, task);
    count_item(task, 1);
    if (is_listed(task))
        task_list_insert_by_age(&task->deployment->young, task, LIST_QUEUE);
}

void figures_uncount(struct task *task)
{
    uint32_t *figure = figure_of(task);
    assert(*figure > 0);
    --*figure;
    if (is_of_unhealthy(task, figure))
        task_list_remove(&task->deployment->unhealthy, task, LIST_QUEUE);
    if (task->deployment->keeps_candidates && is_of_healthy(task, figure))
        candidates_remove(task->deployment, task);
    count_item(task, -1);
    if (is_listed(task))
        task_list_remove(&task->deployment->young, task, LIST_QUEUE);
}

enum victim_class task_victim_class(const struct task *task)
{
    if (task->status < TASK_PENDING)
        return VICTIM_PROVISIONING;
    if (task->status < TASK_RUNNING)
        return VICTIM_PENDING;
    return has_bad_health(task) ? VICTIM_UNHEALTHY : VICTIM_HEALTHY;
}

struct victim task_as_victim(const struct task *task)
{
    return (struct victim){
        .task = task->id,
        .instance = task->instance,
        .class_ = task_victim_class(task),
        .created_ns = task->created_wall_ns,
        .demand = &task->def->demand,
    };
}

static berth_ns grace_end(const struct task *task)
{
    return task->running_mono_ns + task->deployment->service->grace_ns;
}

void task_settle_health(struct task *task)
{
    if (task->deployment == NULL || task->status != TASK_RUNNING)
        return;
    if (is_healthy_by_age(task->deployment)) {
        berth_ns matured_ns = task->deployment->matured_ns;
        task->is_healthy = matured_ns != BERTH_NS_NEVER &&
                           task->running_mono_ns <= matured_ns - ROLLOUT_HEALTHY_AFTER_NS;
        return;
    }
    task->is_healthy = !has_bad_health(task) && has_good_health(task);
}

void task_assess(struct controller *controller, struct task *task)
{
    if (task->deployment == NULL || task->status != TASK_RUNNING ||
        is_healthy_by_age(task->deployment))
        return;
    bool was_healthy = task->is_healthy;
    bool is_bad = has_bad_health(task);
    task->is_healthy = !is_bad && has_good_health(task);
    if (is_bad && controller->now.mono_ns < grace_end(task))
        rule_fired(controller, RULE_GRACE);
    task->is_unhealthy =
        is_bad && (task->is_unhealthy || controller->now.mono_ns >= grace_end(task));
    if (task->is_healthy && !was_healthy)
        deployment_task_healthy(controller, task->deployment);
}

void task_set_health(struct controller *controller, struct task *task, enum task_health health)
{
    bool is_new = task->health != health;
    if (is_new) {
        task_uncount(task);
        task->health = (uint8_t)health;
        task_assess(controller, task);
        task_count(task);
    }
    emit_task(controller, task, task->status, true);
    if (is_new && task->deployment != NULL)
        service_mark(controller, task->deployment->service);
}

/* The time of the step rises, so those that it concerns stand at the head of the list. */
static void mature_by_age(struct controller *controller, struct deployment *deployment)
{
    berth_ns born_ns = controller->now.mono_ns - ROLLOUT_HEALTHY_AFTER_NS;
    struct task *task = deployment->young.first;
    while (task != NULL && task->running_mono_ns <= born_ns) {
        struct task *next = task->links[LIST_QUEUE].next;
        task_uncount(task);
        task->is_healthy = true;
        task_count(task);
        /* From which a loaded controller knows who is healthy. */
        deployment->matured_ns = controller->now.mono_ns;
        deployment_changed(controller, deployment);
        deployment_task_healthy(controller, deployment);
        task = next;
    }
}

static void end_grace(struct controller *controller, struct deployment *deployment)
{
    struct task *task = deployment->young.first;
    while (task != NULL && grace_end(task) <= controller->now.mono_ns) {
        struct task *next = task->links[LIST_QUEUE].next;
        task_uncount(task);
        task_assess(controller, task);
        task_count(task);
        emit_task(controller, task, TASK_RUNNING, true);
        targets_tell_unhealthy(controller, task);
        task = next;
    }
}

void deployment_mature(struct controller *controller, struct deployment *deployment)
{
    if (is_healthy_by_age(deployment))
        mature_by_age(controller, deployment);
    else
        end_grace(controller, deployment);
}

berth_ns deployment_matures_at(const struct deployment *deployment)
{
    const struct task *first = deployment->young.first;
    if (first == NULL)
        return BERTH_NS_NEVER;
    return is_healthy_by_age(deployment) ? first->running_mono_ns + ROLLOUT_HEALTHY_AFTER_NS
                                         : grace_end(first);
}
