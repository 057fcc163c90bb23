/*
 * gpu.c -- cards and shares of cards.
 *
 * The requests of a task's containers are served in the order of its definition, each on what the
 * ones before it left: whole cards from the free ones, lowest index first; a share from the one
 * card with the least free that fits, then the lowest index, so that whole cards stay whole as long
 * as they can. A share never straddles cards.
 *
 * Greedy and in order on purpose: the grant must be explainable from the definition alone. Serving
 * large shares first would sometimes fit a task that this refuses (0.3 then 0.6 on cards with 0.6
 * and 0.5 free is fine; 0.5 then 0.6 with 0.6 and 0.5 free is fine too; three or more shares of odd
 * sizes may not be), but then adding a container could move another one's card.
 *
 * A task may hold several shares of one card; grants of one card are merged, so there are never
 * more grants than cards.
 */
#include "scheduler/model/gpu.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/units.h"

struct plan {
    uint16_t free_milli[GPU_DEVICES_MAX];
    uint16_t device_count;
    struct gpu_grant *grants;
    uint32_t grant_count;
};

static void grant(struct plan *plan, uint16_t device, uint16_t milli)
{
    plan->free_milli[device] = (uint16_t)(plan->free_milli[device] - milli);
    for (uint32_t i = 0; i < plan->grant_count; i++)
        if (plan->grants[i].device == device) {
            plan->grants[i].milli = (uint16_t)(plan->grants[i].milli + milli);
            return;
        }
    assert(plan->grant_count < GPU_DEVICES_MAX);
    plan->grants[plan->grant_count++] = (struct gpu_grant){device, milli};
}

static bool plan_whole(struct plan *plan, uint32_t cards)
{
    for (uint16_t device = 0; device < plan->device_count && cards > 0; device++)
        if (plan->free_milli[device] == BERTH_GPU_MILLI) {
            grant(plan, device, BERTH_GPU_MILLI);
            cards--;
        }
    return cards == 0;
}

static bool plan_share(struct plan *plan, uint32_t milli)
{
    uint16_t best = UINT16_MAX;
    for (uint16_t device = 0; device < plan->device_count; device++)
        if (plan->free_milli[device] >= milli &&
            (best == UINT16_MAX || plan->free_milli[device] < plan->free_milli[best]))
            best = device;
    if (best == UINT16_MAX)
        return false;
    grant(plan, best, (uint16_t)milli);
    return true;
}

uint32_t gpu_plan(const uint16_t *free_milli, uint16_t device_count, const struct demand *demand,
                  struct gpu_grant *grants)
{
    if (demand->gpu_count == 0)
        return 0;
    struct plan plan = {.device_count = device_count, .grants = grants, .grant_count = 0};
    for (uint16_t device = 0; device < device_count; device++)
        plan.free_milli[device] = free_milli[device]; /* No cards: no array to copy from. */
    for (uint16_t i = 0; i < demand->gpu_count; i++) {
        uint32_t milli = demand->gpus[i].milli;
        if (milli == 0)
            continue;
        bool is_whole = milli % BERTH_GPU_MILLI == 0;
        if (!is_whole && milli > BERTH_GPU_MILLI)
            return GPU_NO_FIT; /* Neither cards nor a share; readers of definitions refuse it. */
        if (!(is_whole ? plan_whole(&plan, milli / BERTH_GPU_MILLI) : plan_share(&plan, milli)))
            return GPU_NO_FIT;
    }
    return plan.grant_count;
}
