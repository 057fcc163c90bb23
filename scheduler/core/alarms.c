/*
 * Alarms that watch deployments (semantics 4.7). The controller remembers which are in ALARM; every
 * other one is OK. A deployment that began while one of its alarms was in ALARM ignores them all.
 */
#include <string.h>

#include "scheduler/core/controller_internal.h"

static size_t place_of(const struct controller *controller, const char *name)
{
    size_t at = 0;
    while (at < controller->alarms.count &&
           strcmp(symbols_text(controller->symbols, controller->alarms.items[at]), name) < 0)
        at++;
    return at;
}

static bool is_at(const struct controller *controller, size_t at, const char *name)
{
    return at < controller->alarms.count &&
           strcmp(symbols_text(controller->symbols, controller->alarms.items[at]), name) == 0;
}

void alarm_set(struct controller *controller, const char *name)
{
    size_t at = place_of(controller, name);
    symbol id = symbols_add(controller->symbols, name);
    (void)vec_push(&controller->alarms);
    memmove(controller->alarms.items + at + 1, controller->alarms.items + at,
            (controller->alarms.count - 1 - at) * sizeof id);
    controller->alarms.items[at] = id;
    controller->needs_own_record = true;
}

static void clear(struct controller *controller, size_t at)
{
    memmove(controller->alarms.items + at, controller->alarms.items + at + 1,
            (--controller->alarms.count - at) * sizeof(symbol));
    controller->needs_own_record = true;
}

bool alarms_are_on(const struct controller *controller, const struct deployment_settings *settings)
{
    if (!settings->alarms.is_enabled)
        return false;
    for (uint16_t i = 0; i < settings->alarms.count; i++) {
        const char *name = settings->alarms.names[i];
        if (is_at(controller, place_of(controller, name), name))
            return true;
    }
    return false;
}

static bool is_listed(const struct deployment_settings *settings, const char *name)
{
    for (uint16_t i = 0; i < settings->alarms.count; i++)
        if (strcmp(settings->alarms.names[i], name) == 0)
            return true;
    return false;
}

/* Alarms change seldom, and there are as many services as there are: no index is kept. */
static void fail_watched(struct controller *controller, const char *name)
{
    for (size_t i = 0; i < controller->services.count; i++) {
        struct service *service = controller->services.items[i];
        if (service == NULL || !service->settings.alarms.is_enabled ||
            service->deployments.count == 0 || !is_listed(&service->settings, name))
            continue;
        struct deployment *primary = service->deployments.items[0];
        if (primary->rollout != ROLLOUT_IN_PROGRESS || primary->ignores_alarms)
            continue;
        rule_fired(controller, RULE_ALARM);
        deployment_fail(controller, primary, ROLLOUT_CAUSE_ALARM,
                        service->settings.alarms.rolls_back);
    }
}

void alarm_answered(struct controller *controller, const struct answer *answer)
{
    const char *name = answer->u.alarm.name;
    if (name == NULL || name[0] == '\0')
        return;
    size_t at = place_of(controller, name);
    bool was_on = is_at(controller, at, name);
    if (was_on && !answer->u.alarm.is_alarm) {
        clear(controller, at);
    } else if (!was_on && answer->u.alarm.is_alarm) {
        alarm_set(controller, name);
        fail_watched(controller, name);
    }
}
