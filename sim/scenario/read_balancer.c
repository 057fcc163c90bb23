/* targetGroups, and what a service says of load balancers. Names as in ELB's and ECS's APIs. */
#include "sim/scenario/parts.h"

#include <limits.h>
#include <string.h>

static berth_ns read_seconds(const struct at *up, const char *key, int64_t min, int64_t max,
                             int64_t absent)
{
    struct at at = at_member(up, key);
    return at_integer(&at, min, max, absent) * BERTH_NS_PER_S;
}

static uint32_t read_count(const struct at *up, const char *key, int64_t absent)
{
    struct at at = at_member(up, key);
    return (uint32_t)at_integer(&at, 2, 10, absent);
}

static void read_target_group(const struct at *at, struct scenario_target_group *out)
{
    static const char *const known[] = {"healthCheckIntervalSeconds", "healthCheckTimeoutSeconds",
                                        "healthyThresholdCount",      "unhealthyThresholdCount",
                                        "deregistrationDelaySeconds", NULL};
    out->name = mem_copy_text(at->key);
    if (!at_object(at, known))
        return;
    out->interval_ns = read_seconds(at, known[0], 5, 300, 30);
    out->timeout_ns = read_seconds(at, known[1], 2, 120, 5);
    out->healthy_count = read_count(at, known[2], 5);
    out->unhealthy_count = read_count(at, known[3], 2);
    out->deregistration_ns = read_seconds(at, known[4], 0, 3600, 300);
    struct at timeout = at_member(at, known[1]);
    if (out->timeout_ns > out->interval_ns)
        at_fail(&timeout, "longer than healthCheckIntervalSeconds; make it shorter");
}

void read_target_groups(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "targetGroups");
    size_t count;
    const char **names = at_names(&all, &count);
    out->target_groups = mem_alloc((count + 1) * sizeof *out->target_groups);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at group = at_member(&all, names[i]);
        read_target_group(&group, &out->target_groups[i]);
        out->target_group_count++;
    }
    mem_free(names);
}

void read_load_balancers(const struct at *up, const struct scenario *scenario,
                         struct scenario_service *out)
{
    static const char *const known[] = {"targetGroup", NULL};
    struct at list = at_member(up, "loadBalancers");
    struct at grace = at_member(up, "healthCheckGracePeriodSeconds");
    size_t count = at_list(&list, 0, TARGET_GROUPS_MAX);
    const char *names[1024];
    size_t name_count = 0;
    for (; name_count < scenario->target_group_count && name_count < 1023; name_count++)
        names[name_count] = scenario->target_groups[name_count].name;
    names[name_count] = NULL;
    for (size_t i = 0; i < count && !up->reader->has_failed; i++) {
        struct at item = at_item(&list, i);
        struct at group = at_member(&item, "targetGroup");
        if (!at_object(&item, known))
            at_fail(&item, "not a load balancer; write {\"targetGroup\": \"NAME\"}");
        at_require(&group, "name one of targetGroups");
        char *name = at_text(&group);
        if (name == NULL)
            return;
        out->target_groups[out->target_group_count++] = name;
        check_name(&group, name, "target group", "targetGroups", names);
        for (uint16_t j = 0; j + 1 < out->target_group_count; j++)
            if (strcmp(out->target_groups[j], name) == 0)
                at_fail(&group, "stands twice in this list; remove one");
    }
    out->grace_s = (int32_t)at_integer(&grace, 0, INT_MAX, OVERRIDE_NONE);
}

void free_target_groups(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->target_group_count; i++)
        mem_free(scenario->target_groups[i].name);
    mem_free(scenario->target_groups);
}

void free_load_balancers(struct scenario_service *service)
{
    for (uint16_t i = 0; i < service->target_group_count; i++)
        mem_free((char *)(uintptr_t)service->target_groups[i]);
}
