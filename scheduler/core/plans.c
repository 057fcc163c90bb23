/*
 * Compiled plans, one for each (definition, default, strategies, constraints) in use. Compiling
 * parses expressions; RunTask would do that for every call. A plan without users stays for the next
 * call, up to a bound: then all unused ones go at once, which costs each of them O(1) once.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum { UNUSED_PLANS_MAX = 1024 };

static uint64_t hash_text(uint64_t hash, const char *text)
{
    if (text == NULL)
        return map_mix(hash);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/*
 * Strategies are counted only: a definition is asked for with a few chains of them, but may be with
 * an expression for each rack. So the usual call, which has no constraints, reads no text here.
 */
static uint64_t hash_of(const struct task_def *def, size_t strategy_count,
                        const struct placement_constraint_spec *constraints,
                        size_t constraint_count, enum placement_default when_empty)
{
    uint64_t hash = map_mix((uint64_t)(uintptr_t)def) ^ (strategy_count << 16) ^
                    (constraint_count << 8) ^ (uint64_t)when_empty;
    for (size_t i = 0; i < constraint_count; i++)
        hash = hash_text(hash_text(hash, constraints[i].type), constraints[i].expression);
    return hash;
}

static bool texts_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return *a == *b && strcmp(a, b) == 0;
}

static bool is_same(const struct plan *plan, const struct task_def *def,
                    const struct placement_strategy_spec *strategies, size_t strategy_count,
                    const struct placement_constraint_spec *constraints, size_t constraint_count,
                    enum placement_default when_empty)
{
    if (plan->def != def || plan->when_empty != when_empty ||
        plan->strategy_count != strategy_count || plan->constraint_count != constraint_count)
        return false;
    for (size_t i = 0; i < strategy_count; i++)
        if (!texts_equal(plan->strategies[i].type, strategies[i].type) ||
            !texts_equal(plan->strategies[i].field, strategies[i].field))
            return false;
    for (size_t i = 0; i < constraint_count; i++)
        if (!texts_equal(plan->constraints[i].type, constraints[i].type) ||
            !texts_equal(plan->constraints[i].expression, constraints[i].expression))
            return false;
    return true;
}

static void plan_free(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->strategy_count; i++) {
        mem_free((void *)(uintptr_t)plan->strategies[i].type);
        mem_free((void *)(uintptr_t)plan->strategies[i].field);
    }
    for (uint16_t i = 0; i < plan->constraint_count; i++) {
        mem_free((void *)(uintptr_t)plan->constraints[i].type);
        mem_free((void *)(uintptr_t)plan->constraints[i].expression);
    }
    mem_free(plan->strategies);
    mem_free(plan->constraints);
    mem_free(plan->reference);
    placement_plan_destroy(plan->compiled);
    mem_free(plan);
}

void plans_free(struct controller *controller)
{
    for (size_t i = 0; i < controller->plans.count; i++)
        plan_free(controller->plans.items[i]);
    vec_free(&controller->plans);
    map_free(&controller->plan_by_hash);
}

/* Drop every plan without users and index the rest anew. */
static void forget_unused(struct controller *controller)
{
    size_t kept = 0;
    map_free(&controller->plan_by_hash);
    memset(controller->recent_plans, 0, sizeof controller->recent_plans);
    for (size_t i = 0; i < controller->plans.count; i++) {
        struct plan *plan = controller->plans.items[i];
        if (plan->users == 0) {
            plan_free(plan);
            continue;
        }
        plan->next = map_get(&controller->plan_by_hash, plan->hash);
        map_put(&controller->plan_by_hash, plan->hash, (uint32_t)kept);
        controller->plans.items[kept++] = plan;
    }
    controller->plans.count = kept;
    controller->unused_plans = 0;
}

static struct plan *plan_new(const struct task_def *def,
                             const struct placement_strategy_spec *strategies,
                             size_t strategy_count,
                             const struct placement_constraint_spec *constraints,
                             size_t constraint_count, enum placement_default when_empty)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    struct text reference = TEXT_INIT;
    text_addf(&reference, "%s:%u", def->family, (unsigned)def->revision);
    plan->def = def;
    plan->reference = reference.bytes;
    plan->when_empty = when_empty;
    plan->default_group = GROUP_NONE;
    plan->has_member_of = def->member_of_count > 0;
    plan->strategies = mem_alloc(strategy_count * sizeof *strategies);
    plan->constraints = mem_alloc(constraint_count * sizeof *constraints);
    plan->strategy_count = (uint16_t)strategy_count;
    plan->constraint_count = (uint16_t)constraint_count;
    for (size_t i = 0; i < strategy_count; i++) {
        plan->strategies[i].type = mem_copy_text(strategies[i].type);
        plan->strategies[i].field = mem_copy_text(strategies[i].field);
    }
    for (size_t i = 0; i < constraint_count; i++) {
        plan->constraints[i].type = mem_copy_text(constraints[i].type);
        plan->constraints[i].expression = mem_copy_text(constraints[i].expression);
        if (strcmp(constraints[i].type, "memberOf") == 0)
            plan->has_member_of = true;
    }
    return plan;
}

static enum berth_err check_specs(const struct placement_strategy_spec *strategies,
                                  size_t strategy_count,
                                  const struct placement_constraint_spec *constraints,
                                  size_t constraint_count, struct berth_error *err)
{
    if (strategy_count > PLACEMENT_STRATEGIES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementStrategy: %zu entries; at most %d are allowed", strategy_count,
                          PLACEMENT_STRATEGIES_MAX);
    if (constraint_count > PLACEMENT_CONSTRAINTS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementConstraints: %zu entries; at most %d are allowed",
                          constraint_count, PLACEMENT_CONSTRAINTS_MAX);
    for (size_t i = 0; i < strategy_count; i++)
        if (strategies[i].type == NULL)
            return berth_fail(err, BERTH_ERR_INPUT, "placementStrategy[%zu].type: missing", i);
    for (size_t i = 0; i < constraint_count; i++)
        if (constraints[i].type == NULL)
            return berth_fail(err, BERTH_ERR_INPUT, "placementConstraints[%zu].type: missing", i);
    return BERTH_OK;
}

enum berth_err plan_get(struct controller *controller, const struct task_def *def,
                        const struct placement_strategy_spec *strategies, size_t strategy_count,
                        const struct placement_constraint_spec *constraints,
                        size_t constraint_count, enum placement_default when_empty,
                        struct plan **out, struct berth_error *err)
{
    enum berth_err code =
        check_specs(strategies, strategy_count, constraints, constraint_count, err);
    if (code != BERTH_OK)
        return code;
    uint64_t hash = hash_of(def, strategy_count, constraints, constraint_count, when_empty);
    uint32_t at = map_get(&controller->plan_by_hash, hash);
    for (; at != MAP_ABSENT; at = controller->plans.items[at]->next)
        if (is_same(controller->plans.items[at], def, strategies, strategy_count, constraints,
                    constraint_count, when_empty)) {
            *out = controller->plans.items[at];
            return BERTH_OK;
        }
    struct placement_plan *compiled = NULL;
    code = placement_plan_create(controller->symbols, def, strategies, strategy_count, constraints,
                                 constraint_count, when_empty, &compiled, err);
    if (code != BERTH_OK)
        return code;
    if (controller->unused_plans >= UNUSED_PLANS_MAX)
        forget_unused(controller);
    struct plan *plan =
        plan_new(def, strategies, strategy_count, constraints, constraint_count, when_empty);
    plan->compiled = compiled;
    plan->hash = hash;
    plan->next = map_get(&controller->plan_by_hash, hash);
    map_put(&controller->plan_by_hash, hash, (uint32_t)controller->plans.count);
    *vec_push(&controller->plans) = plan;
    controller->unused_plans++;
    *out = plan;
    return BERTH_OK;
}

static size_t recent_place(const char *reference)
{
    return hash_text(UINT64_C(0xcbf29ce484222325), reference) & (RECENT_PLANS - 1);
}

struct plan *plan_recall(const struct controller *controller, const struct event_run_task *call)
{
    if (call->task_definition == NULL)
        return NULL;
    struct plan *plan = controller->recent_plans[recent_place(call->task_definition)];
    return plan != NULL && strcmp(plan->reference, call->task_definition) == 0 &&
                   plan->def->status == TASK_DEF_ACTIVE &&
                   is_same(plan, plan->def, call->strategies, call->strategy_count,
                           call->constraints, call->constraint_count, PLACEMENT_DEFAULT_STANDALONE)
               ? plan
               : NULL;
}

void plan_remember(struct controller *controller, struct plan *plan)
{
    controller->recent_plans[recent_place(plan->reference)] = plan;
}

void plan_hold(struct controller *controller, struct plan *plan)
{
    if (plan->users++ == 0)
        controller->unused_plans--;
}

void plan_drop(struct controller *controller, struct plan *plan)
{
    assert(plan->users > 0);
    if (--plan->users == 0)
        controller->unused_plans++;
}
