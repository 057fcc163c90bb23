/*
 * Whom a rollout may stop next: the healthy tasks of an old deployment, by id.
 *
 * Each step of a rollout stops a task or two of a thousand. From the first one on they are kept as
 * placement wants them, in one piece of memory that follows the deployment's figures: to walk the
 * tasks themselves each time was a fifth of a run in which services of 1,000 tasks are deployed.
 * Nothing of it is recorded: a loaded controller gathers them again.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

/* Where the task stands among them, or would stand. */
static size_t place_of(const struct deployment *deployment, task_id id)
{
    size_t low = 0, high = deployment->candidates.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (deployment->candidates.items[middle].task < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void candidates_add(struct deployment *deployment, const struct task *task)
{
    size_t at = place_of(deployment, task->id);
    (void)vec_push(&deployment->candidates);
    struct victim *place = deployment->candidates.items + at;
    memmove(place + 1, place, (deployment->candidates.count - 1 - at) * sizeof *place);
    *place = task_as_victim(task);
}

void candidates_remove(struct deployment *deployment, const struct task *task)
{
    size_t at = place_of(deployment, task->id);
    struct victim *place = deployment->candidates.items + at;
    assert(at < deployment->candidates.count && place->task == task->id);
    memmove(place, place + 1, (--deployment->candidates.count - at) * sizeof *place);
}

void candidates_keep(struct deployment *deployment)
{
    uint32_t left = deployment->tally[0].healthy + deployment->tally[1].healthy;
    if (deployment->keeps_candidates)
        return;
    deployment->keeps_candidates = true;
    vec_reserve(&deployment->candidates, left);
    for (const struct task *task = deployment->tasks.first; left > 0;
         task = task->links[LIST_OWNER].next)
        if (task->desired_running && task->is_healthy) {
            candidates_add(deployment, task);
            left--;
        }
}

void candidates_forget(struct deployment *deployment)
{
    deployment->keeps_candidates = false;
    vec_free(&deployment->candidates);
}
