/* services.NAME.deploymentConfiguration: ECS's own keys (reference 4.3, 4.7, 4.12). */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "sim/scenario/parts.h"

enum { MINUTES_MAX = 1440, PAUSE_MINUTES_MAX = 20160, COUNT_MAX = 1000000 };

static const char *const strategies[] = {"ROLLING", "BLUE_GREEN", "LINEAR", "CANARY", NULL};

static void read_threshold(const struct at *up, struct deployment_settings *out)
{
    static const char *const known[] = {"type", "value", NULL};
    static const char *const types[] = {"BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT", NULL};
    struct at at = at_member(up, "thresholdConfiguration");
    if (!at_object(&at, known))
        return;
    struct at type = at_member(&at, "type"), value = at_member(&at, "value");
    out->breaker.type = (enum breaker_threshold)at_choice(&type, types, BREAKER_BOUNDED_PERCENT);
    bool is_count = out->breaker.type == BREAKER_TASK_COUNT;
    if (is_count)
        at_require(&value, "write how many failures trip the breaker");
    out->breaker.value = (uint32_t)at_integer(&value, 1, is_count ? COUNT_MAX : 100, 0);
}

static void read_breaker(const struct at *up, struct deployment_settings *out)
{
    static const char *const known[] = {"enable", "rollback", "resetOnHealthyTask",
                                        "thresholdConfiguration", NULL};
    struct at at = at_member(up, "deploymentCircuitBreaker");
    if (!at_object(&at, known))
        return;
    struct at enable = at_member(&at, "enable"), rollback = at_member(&at, "rollback");
    struct at reset = at_member(&at, "resetOnHealthyTask");
    out->breaker.is_enabled = at_boolean(&enable, false);
    out->breaker.rolls_back = at_boolean(&rollback, false);
    out->breaker.keeps_count = !at_boolean(&reset, true);
    read_threshold(&at, out);
}

static void read_alarms(const struct at *up, struct deployment_settings *out)
{
    static const char *const known[] = {"alarmNames", "enable", "rollback", NULL};
    struct at at = at_member(up, "alarms");
    if (!at_object(&at, known))
        return;
    struct at names = at_member(&at, "alarmNames"), enable = at_member(&at, "enable");
    struct at rollback = at_member(&at, "rollback");
    size_t count = at_list(&names, 0, DEPLOYMENT_ALARMS_MAX);
    const char **texts = mem_alloc((count + 1) * sizeof *texts);
    out->alarms.is_enabled = at_boolean(&enable, false);
    out->alarms.rolls_back = at_boolean(&rollback, false);
    out->alarms.names = texts;
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&names, i);
        texts[i] = at_text(&item);
        out->alarms.count = (uint16_t)(i + 1);
        if (texts[i] == NULL || texts[i][0] == '\0')
            at_fail(&item, "not an alarm's name; write one");
    }
}

/* Percents in tenths. */
static uint32_t read_permille(const struct at *at, double min)
{
    return (uint32_t)lround(10 * at_real(at, min, 100, 0));
}

static void read_minutes(const struct at *at, berth_ns *out, bool *has_any)
{
    *has_any = at->json != NULL;
    *out = at_integer(at, 0, MINUTES_MAX, 0) * 60 * BERTH_NS_PER_S;
}

static void read_steps(const struct at *up, struct deployment_settings *out)
{
    static const struct {
        enum deployment_strategy strategy;
        const char *key;
        const char *known[3];
        double min;
    } kinds[] = {
        {DEPLOY_LINEAR, "linearConfiguration", {"stepPercent", "stepBakeTimeInMinutes", NULL}, 3},
        {DEPLOY_CANARY,
         "canaryConfiguration",
         {"canaryPercent", "canaryBakeTimeInMinutes", NULL},
         0.1},
    };
    for (size_t i = 0; i < 2; i++) {
        struct at at = at_member(up, kinds[i].key);
        if (at.json != NULL && out->strategy != kinds[i].strategy)
            at_fail(&at, "belongs to strategy \"%s\"; write that or remove it",
                    strategies[kinds[i].strategy]);
        if (!at_object(&at, kinds[i].known))
            continue;
        struct at percent = at_member(&at, kinds[i].known[0]);
        struct at bake = at_member(&at, kinds[i].known[1]);
        out->step_permille = read_permille(&percent, kinds[i].min);
        read_minutes(&bake, &out->step_bake_ns, &out->has_step_bake);
    }
}

static void read_stages(const struct at *at, struct deployment_hook *out)
{
    static const char *names[STAGE_COUNT + 1];
    size_t count = at_list(at, 1, STAGE_COUNT);
    memcpy(names, deployment_stage_names, STAGE_COUNT * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(at, i);
        out->stages |= 1u << at_choice(&item, names, 0);
    }
}

static void read_hook(const struct at *at, struct deployment_hook *out)
{
    static const char *const known[] = {"name",           "lifecycleStages", "kind",
                                        "timeoutMinutes", "timeoutAction",   NULL};
    static const char *const kinds[] = {"function", "pause", NULL};
    static const char *const timeouts[] = {"ROLLBACK", "CONTINUE", NULL};
    if (!at_object(at, known)) {
        at_fail(at, "not a hook; write {\"name\": ..., \"lifecycleStages\": [...]}");
        return;
    }
    struct at name = at_member(at, "name"), stages = at_member(at, "lifecycleStages");
    struct at kind = at_member(at, "kind"), minutes = at_member(at, "timeoutMinutes");
    struct at action = at_member(at, "timeoutAction");
    at_require(&name, "name the hook");
    at_require(&stages, "list the stages at which it is called");
    out->name = at_text(&name);
    read_stages(&stages, out);
    out->is_pause = at_choice(&kind, kinds, 0) == 1;
    out->minutes = (uint32_t)at_integer(
        &minutes, 1, out->is_pause ? PAUSE_MINUTES_MAX : MINUTES_MAX, MINUTES_MAX);
    out->continues = at_choice(&action, timeouts, 0) == 1;
}

static void read_hooks(const struct at *up, struct deployment_settings *out)
{
    struct at list = at_member(up, "lifecycleHooks");
    size_t count = at_list(&list, 0, HOOKS_MAX);
    struct deployment_hook *hooks = mem_alloc((count + 1) * sizeof *hooks);
    out->hooks = hooks;
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        out->hook_count = (uint16_t)(i + 1);
        read_hook(&item, &hooks[i]);
    }
}

void read_deployment(const struct at *up, struct scenario_service *out)
{
    static const char *const known[] = {"minimumHealthyPercent",
                                        "maximumPercent",
                                        "strategy",
                                        "deploymentCircuitBreaker",
                                        "alarms",
                                        "bakeTimeInMinutes",
                                        "linearConfiguration",
                                        "canaryConfiguration",
                                        "lifecycleHooks",
                                        NULL};
    struct deployment_settings *settings = &out->settings;
    struct berth_error err = BERTH_ERROR_INIT;
    struct at at = at_member(up, "deploymentConfiguration");
    bool is_daemon = out->scheduling == SCHEDULING_DAEMON;
    out->minimum_healthy_percent = OVERRIDE_NONE;
    out->maximum_percent = OVERRIDE_NONE;
    if (!at_object(&at, known))
        return;
    struct at minimum = at_member(&at, "minimumHealthyPercent");
    struct at maximum = at_member(&at, "maximumPercent");
    struct at strategy = at_member(&at, "strategy"), bake = at_member(&at, "bakeTimeInMinutes");
    out->minimum_healthy_percent = (int32_t)at_integer(&minimum, 0, 100, OVERRIDE_NONE);
    out->maximum_percent =
        (int32_t)at_integer(&maximum, 100, is_daemon ? 100 : 10000, OVERRIDE_NONE);
    settings->strategy = (enum deployment_strategy)at_choice(&strategy, strategies, DEPLOY_ROLLING);
    read_minutes(&bake, &settings->bake_ns, &settings->has_bake);
    read_breaker(&at, settings);
    read_alarms(&at, settings);
    read_steps(&at, settings);
    read_hooks(&at, settings);
    if (!at.reader->has_failed && settings_check(settings, &err) != BERTH_OK)
        at_fail(&at, "%s", err.text);
}

void free_deployment(struct scenario_service *service)
{
    struct deployment_settings *settings = &service->settings;
    for (uint16_t i = 0; i < settings->alarms.count; i++)
        mem_free((char *)(uintptr_t)settings->alarms.names[i]);
    for (uint16_t i = 0; i < settings->hook_count; i++)
        mem_free((char *)(uintptr_t)settings->hooks[i].name);
    mem_free((void *)(uintptr_t)settings->alarms.names);
    mem_free((void *)(uintptr_t)settings->hooks);
}
