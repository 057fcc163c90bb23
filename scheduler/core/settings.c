/* What a service is told about its deployments: checked, and kept (semantics 4.7, 4.12). */
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum {
    COUNT_MAX = 1000000,
    BAKE_MINUTES_MAX = 1440,
    HOOK_MINUTES_MAX = 1440,
    PAUSE_MINUTES_MAX = 20160,
    HOOKS_OF_A_KIND_MAX = 10,
    STEP_PERMILLE_MIN = 30,
};

#define NS_PER_MINUTE (60 * BERTH_NS_PER_S)

/* Stages that take a function, and a pause (4.12). */
#define BIT(stage) (1u << (stage))
#define PAUSE_STAGES                                                                     \
    (BIT(STAGE_RECONCILE_SERVICE) | BIT(STAGE_PRE_SCALE_UP) | BIT(STAGE_POST_SCALE_UP) | \
     BIT(STAGE_POST_TEST_TRAFFIC_SHIFT) | BIT(STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT) |      \
     BIT(STAGE_POST_PRODUCTION_TRAFFIC_SHIFT))
#define FUNCTION_STAGES \
    (PAUSE_STAGES | BIT(STAGE_TEST_TRAFFIC_SHIFT) | BIT(STAGE_PRODUCTION_TRAFFIC_SHIFT))

static enum berth_err check_breaker(const struct deployment_settings *settings,
                                    struct berth_error *err)
{
    uint32_t max = settings->breaker.type == BREAKER_TASK_COUNT ? COUNT_MAX : 100;
    if (settings->breaker.value > max)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "deploymentCircuitBreaker.thresholdConfiguration.value: use 1 to %lu",
                          (unsigned long)max);
    if (settings->breaker.type == BREAKER_TASK_COUNT && settings->breaker.value == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "deploymentCircuitBreaker.thresholdConfiguration.value: COUNT needs one");
    return BERTH_OK;
}

static enum berth_err check_alarms(const struct deployment_settings *settings,
                                   struct berth_error *err)
{
    if (settings->alarms.count > DEPLOYMENT_ALARMS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "alarms.alarmNames: at most %d are allowed",
                          DEPLOYMENT_ALARMS_MAX);
    for (uint16_t i = 0; i < settings->alarms.count; i++)
        if (settings->alarms.names[i] == NULL || settings->alarms.names[i][0] == '\0')
            return berth_fail(err, BERTH_ERR_INPUT, "alarms.alarmNames: one is empty; name it");
    return BERTH_OK;
}

static enum berth_err check_hook(const struct deployment_hook *hook, struct berth_error *err)
{
    uint32_t max = hook->is_pause ? PAUSE_MINUTES_MAX : HOOK_MINUTES_MAX;
    if (hook->name == NULL || hook->name[0] == '\0')
        return berth_fail(err, BERTH_ERR_INPUT, "lifecycleHooks: one has no name; give it one");
    if (hook->stages == 0 || (hook->stages & ~(hook->is_pause ? PAUSE_STAGES : FUNCTION_STAGES)))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "lifecycleHooks: %.256s: lifecycleStages has none, or one that takes no "
                          "%s hook",
                          hook->name, hook->is_pause ? "pause" : "function");
    if (hook->minutes == 0 || hook->minutes > max)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "lifecycleHooks: %.256s: timeoutMinutes: use 1 to %lu", hook->name,
                          (unsigned long)max);
    return BERTH_OK;
}

static enum berth_err check_hooks(const struct deployment_settings *settings,
                                  struct berth_error *err)
{
    uint32_t of_kind[2] = {0, 0};
    for (uint16_t i = 0; i < settings->hook_count; i++) {
        const struct deployment_hook *hook = &settings->hooks[i];
        enum berth_err code = check_hook(hook, err);
        if (code != BERTH_OK)
            return code;
        if (++of_kind[hook->is_pause] > HOOKS_OF_A_KIND_MAX)
            return berth_fail(err, BERTH_ERR_INPUT, "lifecycleHooks: at most %d of a kind",
                              HOOKS_OF_A_KIND_MAX);
        for (uint16_t j = 0; j < i; j++)
            if (strcmp(settings->hooks[j].name, hook->name) == 0)
                return berth_fail(err, BERTH_ERR_INPUT, "lifecycleHooks: %.256s is given twice",
                                  hook->name);
    }
    return BERTH_OK;
}

static enum berth_err check_steps(const struct deployment_settings *settings,
                                  struct berth_error *err)
{
    berth_ns max_ns = BAKE_MINUTES_MAX * NS_PER_MINUTE;
    if (settings->bake_ns < 0 || settings->bake_ns > max_ns || settings->step_bake_ns < 0 ||
        settings->step_bake_ns > max_ns)
        return berth_fail(err, BERTH_ERR_INPUT, "bakeTimeInMinutes: use 0 to %d", BAKE_MINUTES_MAX);
    if (settings->step_permille > 1000 ||
        (settings->strategy == DEPLOY_LINEAR && settings->step_permille > 0 &&
         settings->step_permille < STEP_PERMILLE_MIN))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "linearConfiguration.stepPercent: use 3.0 to 100.0; "
                          "canaryConfiguration.canaryPercent: use 0.1 to 100.0");
    return BERTH_OK;
}

enum berth_err settings_check(const struct deployment_settings *settings, struct berth_error *err)
{
    enum berth_err code = check_breaker(settings, err);
    if (code == BERTH_OK)
        code = check_alarms(settings, err);
    if (code == BERTH_OK)
        code = check_steps(settings, err);
    return code != BERTH_OK ? code : check_hooks(settings, err);
}

/* A text that lives as long as the controller. */
static const char *lasting(struct controller *controller, const char *text)
{
    return symbols_text(controller->symbols, symbols_add(controller->symbols, text));
}

void settings_copy(struct controller *controller, struct deployment_settings *to,
                   const struct deployment_settings *from)
{
    const char **names =
        from->alarms.count == 0 ? NULL : mem_resize(NULL, from->alarms.count, sizeof *names);
    struct deployment_hook *hooks =
        from->hook_count == 0 ? NULL : mem_resize(NULL, from->hook_count, sizeof *hooks);
    for (uint16_t i = 0; i < from->alarms.count; i++)
        names[i] = lasting(controller, from->alarms.names[i]);
    for (uint16_t i = 0; i < from->hook_count; i++) {
        hooks[i] = from->hooks[i];
        hooks[i].name = lasting(controller, from->hooks[i].name);
    }
    *to = *from;
    to->alarms.names = names;
    to->hooks = hooks;
}

void settings_free(struct deployment_settings *settings)
{
    mem_free((void *)(uintptr_t)settings->alarms.names);
    mem_free((void *)(uintptr_t)settings->hooks);
    *settings = (struct deployment_settings){.strategy = DEPLOY_ROLLING};
}

void specs_free(struct placement_specs *specs)
{
    mem_free(specs->strategies);
    mem_free(specs->constraints);
    *specs = (struct placement_specs){NULL, NULL, 0, 0};
}

/* Of a creation all, of an update what it sets. */
void specs_set(struct controller *controller, struct placement_specs *specs,
               const struct event_service *wanted)
{
    bool is_new = specs->strategies == NULL && specs->constraints == NULL;
    if (wanted->sets_strategies || is_new) {
        specs->strategies =
            mem_resize(specs->strategies, wanted->strategy_count + 1u, sizeof *specs->strategies);
        specs->strategy_count = wanted->strategy_count;
        for (uint16_t i = 0; i < wanted->strategy_count; i++)
            specs->strategies[i] =
                (struct placement_strategy_spec){lasting(controller, wanted->strategies[i].type),
                                                 lasting(controller, wanted->strategies[i].field)};
    }
    if (wanted->sets_constraints || is_new) {
        specs->constraints = mem_resize(specs->constraints, wanted->constraint_count + 1u,
                                        sizeof *specs->constraints);
        specs->constraint_count = wanted->constraint_count;
        for (uint16_t i = 0; i < wanted->constraint_count; i++)
            specs->constraints[i] = (struct placement_constraint_spec){
                lasting(controller, wanted->constraints[i].type),
                lasting(controller, wanted->constraints[i].expression)};
    }
}
