/*
 * timeline.NAME about a task set, with ECS's own keys. Its number is not known before it is made,
 * so that the scenario gives it an externalId, by which the other entries mean it.
 */
#include <math.h>

#include "sim/scenario/parts.h"

static int32_t read_scale(const struct at *up, double absent)
{
    struct at scale = at_member(up, "scale");
    return (int32_t)lround(10 * at_real(&scale, 0, 100, absent));
}

static bool read_set(const struct at *at, const char *const *known, const char *key,
                     struct scenario_timeline *out)
{
    if (!at_object(at, known))
        return false;
    struct at service = at_member(at, "service"), set = at_member(at, key);
    at_require(&service, "name an EXTERNAL one of services");
    at_require(&set, "write the externalId of the task set");
    out->service = at_text(&service);
    out->task_set = at_text(&set);
    return true;
}

void read_create_task_set(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "externalId", "taskDefinition", "scale", NULL};
    if (!read_set(at, known, "externalId", out))
        return;
    struct at definition = at_member(at, "taskDefinition");
    at_require(&definition, "name one of taskDefinitions");
    out->task_definition = at_text(&definition);
    out->scale_permille = read_scale(at, 100);
}

void read_update_task_set(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "taskSet", "scale", NULL};
    struct at scale = at_member(at, "scale");
    if (!read_set(at, known, "taskSet", out))
        return;
    at_require(&scale, "write the percentage of the desired count");
    out->scale_permille = read_scale(at, 0);
}

void read_primary_task_set(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "primaryTaskSet", NULL};
    (void)read_set(at, known, "primaryTaskSet", out);
}

void read_delete_task_set(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "taskSet", "force", NULL};
    if (!read_set(at, known, "taskSet", out))
        return;
    struct at force = at_member(at, "force");
    out->force = at_boolean(&force, false);
}
