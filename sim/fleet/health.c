/*
 * health.c -- whether simulated containers are well, and what their checks make of it.
 *
 * The truth first: the main container answers `healthyAfter` its start, unless this copy never
 * does; it falls ill `unhealthyAfter` later and is well again after `recoversAfter`, and so on. Any
 * other container is always well. Each such turn is an event, and one more is when the container's
 * check has noticed it, if it has a check: the next probe comes within one interval, at a phase
 * that is drawn; a success is told at once, and bad health after `retries` failures in a row, the
 * last of which takes its whole timeout. Failures within startPeriod do not count. A turn that is
 * over before it was noticed is not told of: the notice carries the number of its turn.
 */
#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

static const struct fleet_definition *definition(const struct fleet *fleet,
                                                 const struct sim_task *task)
{
    return &fleet->definitions[task->definition];
}

static const struct container_def *container_def(const struct fleet *fleet,
                                                 const struct sim_task *task, uint16_t container)
{
    return &definition(fleet, task)->scenario->def->containers[container];
}

static uint64_t entity_of(const struct sim_container *part, uint16_t container)
{
    return (uint64_t)part->starts << 32 | (uint64_t)part->turns << 8 | container;
}

static void plan_notice(struct fleet *fleet, uint32_t slot, uint16_t container, berth_ns grace_ns)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct container_def *def = container_def(fleet, task, container);
    const struct health_check *check = &def->health;
    const struct sim_container *part = task_part(fleet, task, container);
    bool is_ill = task->is_ill && container == definition(fleet, task)->main;
    if (!container_def_has_health_check(def))
        return;
    berth_ns after_ns = behaviour_uniform_ns(check->interval_ns, task_key(fleet, task), "probe",
                                             entity_of(part, container));
    if (is_ill)
        after_ns += grace_ns + (check->retries - 1) * check->interval_ns + check->timeout_ns;
    runtime_queue(fleet, slot, container, OUTCOME_NOTICED, after_ns,
                  part->turns << 1 | (is_ill ? 1 : 0));
}

/* When the present state of the main container ends by itself, if ever. */
static void plan_turn(struct fleet *fleet, uint32_t slot)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct scenario_task_def *def = definition(fleet, task)->scenario;
    uint16_t main = definition(fleet, task)->main;
    if (task->is_ill ? !def->has_recovers : !def->has_unhealthy)
        return;
    berth_ns after_ns = behaviour_draw_ns(
        task->is_ill ? &def->recovers_after : &def->unhealthy_after, task_key(fleet, task),
        task->is_ill ? "recovers" : "falls-ill", entity_of(task_part(fleet, task, main), main));
    runtime_queue(fleet, slot, main, OUTCOME_TURNED, after_ns, 0);
}

static void start_main(struct fleet *fleet, uint32_t slot)
{
    struct sim_task *task = task_at(fleet, slot);
    const struct fleet_definition *def = definition(fleet, task);
    berth_ns warm_ns = task_delay_ns(fleet, task, &def->healthy_after, "healthy-after",
                                     task_part(fleet, task, def->main)->starts);
    bool never = task_chance(fleet, task, def->scenario->unhealthy_probability, "unhealthy");
    task->is_ill = never || warm_ns > 0;
    if (!task->is_ill)
        plan_turn(fleet, slot);
    else if (!never)
        runtime_queue(fleet, slot, def->main, OUTCOME_TURNED, warm_ns, 0);
}

void health_started(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    struct sim_container *part = task_part(fleet, task, container);
    part->starts++;
    part->turns = 0;
    part->noticed = HEALTH_UNKNOWN;
    if (definition(fleet, task)->is_always_well)
        return;
    if (container == definition(fleet, task)->main)
        start_main(fleet, slot);
    plan_notice(fleet, slot, container,
                container_def(fleet, task, container)->health.start_period_ns);
}

void health_turned(struct fleet *fleet, uint32_t slot, uint16_t container)
{
    struct sim_task *task = task_at(fleet, slot);
    struct sim_container *part = task_part(fleet, task, container);
    if (part->state != RUNTIME_RUNNING)
        return; /* on its way out */
    task->is_ill = !task->is_ill;
    part->turns++;
    runtime_update_serving(fleet, task);
    plan_turn(fleet, slot);
    plan_notice(fleet, slot, container, 0);
}

bool health_noticed(struct fleet *fleet, uint32_t slot, uint16_t container, int32_t code)
{
    struct sim_container *part = task_part(fleet, task_at(fleet, slot), container);
    enum task_health health = (code & 1) != 0 ? HEALTH_UNHEALTHY : HEALTH_HEALTHY;
    if (part->state != RUNTIME_RUNNING || code >> 1 != part->turns ||
        part->noticed == (uint8_t)health)
        return false;
    part->noticed = (uint8_t)health;
    return true;
}

/* The engine begins to look anew. */
void health_forgotten(struct fleet *fleet, uint32_t host)
{
    struct slot_list list = host_slots(fleet, host_at(fleet, host));
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t slot = list.slots[i];
        struct sim_task *task = task_at(fleet, slot);
        for (uint16_t c = 0; c < definition(fleet, task)->container_count; c++) {
            struct sim_container *part = task_part(fleet, task, c);
            if (part->state != RUNTIME_RUNNING)
                continue;
            part->turns++;
            part->noticed = HEALTH_UNKNOWN;
            plan_notice(fleet, slot, c, 0);
        }
    }
    mem_free(list.slots);
}
