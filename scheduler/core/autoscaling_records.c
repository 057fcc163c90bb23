/* The record of one service's auto scaling, both ways, and its invariants. */
#include <assert.h>
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/controller_internal.h"
#include "scheduler/core/records.h"

/* Capacities of an action: 0 is none, else the number + 1. */
static uint64_t optional(int32_t capacity)
{
    return (uint64_t)(capacity + 1);
}

static void list_symbol(struct text *list, const struct controller *controller, symbol name)
{
    list_add(list, symbols_text(controller->symbols, name));
}

/* name, kind, metric, cooldowns, target, no scale-in, adjustment, magnitude, comparison, threshold,
   m, n, steps, last datapoint's time, datapoints */
static void list_policy(const struct controller *controller, const struct scaling_policy *policy,
                        struct text *list)
{
    struct text item = TEXT_INIT, steps = TEXT_INIT, points = TEXT_INIT;
    char step[STEP_TEXT_MAX];
    list_symbol(&item, controller, policy->name);
    list_add_u64(&item, policy->kind);
    list_add_u64(&item, policy->metric);
    list_add_u64(&item, (uint64_t)policy->out_cooldown_ns);
    list_add_u64(&item, (uint64_t)policy->in_cooldown_ns);
    list_add_u64(&item, (uint64_t)policy->target_milli);
    list_add_u64(&item, policy->disables_scale_in);
    list_add_u64(&item, policy->adjustment);
    list_add_u64(&item, policy->minimum_magnitude);
    list_add_u64(&item, policy->comparison);
    list_add_u64(&item, (uint64_t)policy->threshold_milli);
    list_add_u64(&item, policy->datapoints_to_alarm);
    list_add_u64(&item, policy->evaluation_periods);
    for (uint32_t i = 0; i < policy->step_count; i++) {
        step_format(&policy->steps[i], step);
        list_add(&steps, step);
    }
    list_add(&item, steps.length > 0 ? steps.bytes : "");
    list_add_u64(&item, (uint64_t)policy->points.last_ns);
    for (uint32_t i = 0; i < policy->points.count; i++)
        list_add_u64(&points, (uint64_t)policy->points.milli[i]);
    list_add(&item, points.length > 0 ? points.bytes : "");
    list_add(list, item.bytes);
    text_free(&item);
    text_free(&steps);
    text_free(&points);
}

/* name, schedule, min, max, start, end, anchor, due on the wall and on the monotonic clock */
static void list_action(const struct controller *controller, const struct scheduled_action *action,
                        struct text *list)
{
    struct text item = TEXT_INIT;
    bool is_due = action->due_mono_ns != BERTH_NS_NEVER;
    list_symbol(&item, controller, action->name);
    list_symbol(&item, controller, action->text);
    list_add_u64(&item, optional(action->min_capacity));
    list_add_u64(&item, optional(action->max_capacity));
    list_add_u64(&item, (uint64_t)action->start_wall_ns);
    list_add_u64(&item, (uint64_t)action->end_wall_ns);
    list_add_u64(&item, (uint64_t)action->anchor_wall_ns);
    list_add_u64(&item, is_due);
    list_add_u64(&item, is_due ? (uint64_t)action->due_wall_ns : 0);
    list_add_u64(&item, is_due ? (uint64_t)action->due_mono_ns : 0);
    list_add(list, item.bytes);
    text_free(&item);
}

void scaling_write(const struct controller *controller, service_id service, struct text *out)
{
    const struct scaling *scaling = scaling_of(controller, service);
    struct text list = TEXT_INIT;
    if (scaling == NULL)
        return;
    text_word(out, "scaling");
    text_field_u64(out, "rev", scaling->revision);
    text_field_u64(out, "service", service);
    text_field_u64(out, "min", scaling->min_capacity);
    text_field_u64(out, "max", scaling->max_capacity);
    text_field_u64(out, "suspends-in", scaling->suspends_in);
    text_field_u64(out, "suspends-out", scaling->suspends_out);
    text_field_u64(out, "suspends-scheduled", scaling->suspends_scheduled);
    text_field_i64(out, "out-until", scaling->cooldown.out_until_ns);
    text_field_i64(out, "in-until", scaling->cooldown.in_until_ns);
    text_field_u64(out, "out-base", scaling->cooldown.out_base);
    text_field_u64(out, "out-added", scaling->cooldown.out_added);
    for (size_t i = 0; i < scaling->policies.count; i++)
        list_policy(controller, &scaling->policies.items[i], &list);
    if (list.length > 0)
        text_field(out, "policies", list.bytes);
    text_clear(&list);
    for (size_t i = 0; i < scaling->actions.count; i++)
        list_action(controller, &scaling->actions.items[i], &list);
    if (list.length > 0)
        text_field(out, "actions", list.bytes);
    text_free(&list);
}

/* Reading. `bad` collects whether any number was wrong. */

static uint64_t take(char **rest, uint64_t max, bool *bad)
{
    uint64_t value = 0;
    if (!list_next_u64(rest, max, &value)) {
        *bad = true;
        return 0;
    }
    return value;
}

static void read_points(char *list, struct datapoints *points, bool *bad)
{
    while (list != NULL && *list != '\0' && !*bad) {
        if (points->count == DATAPOINTS_MAX)
            *bad = true;
        else
            points->milli[points->count++] = (int64_t)take(&list, DATAPOINT_MILLI_MAX, bad);
    }
}

static void read_steps(char *list, struct scaling_policy *policy, bool *bad)
{
    while (list != NULL && *list != '\0' && !*bad) {
        if (policy->step_count == STEPS_MAX ||
            !step_parse(list_next(&list), &policy->steps[policy->step_count++]))
            *bad = true;
    }
    if (!*bad && policy->kind == SCALING_STEP)
        *bad = steps_check(policy->steps, policy->step_count) != NULL;
}

static bool read_policy(struct controller *controller, char *item, struct scaling_policy *out)
{
    const uint64_t time_max = INT64_MAX / 4;
    bool bad = false;
    memset(out, 0, sizeof *out);
    out->name = symbols_add(controller->symbols, list_next(&item));
    out->kind = (enum scaling_policy_kind)take(&item, SCALING_POLICY_KIND_COUNT - 1, &bad);
    out->metric = (enum scaling_metric)take(&item, SCALING_METRIC_COUNT - 1, &bad);
    out->out_cooldown_ns = (berth_ns)take(&item, time_max, &bad);
    out->in_cooldown_ns = (berth_ns)take(&item, time_max, &bad);
    out->target_milli = (int64_t)take(&item, DATAPOINT_MILLI_MAX, &bad);
    out->disables_scale_in = take(&item, 1, &bad) != 0;
    out->adjustment = (enum adjustment_type)take(&item, ADJUSTMENT_COUNT - 1, &bad);
    out->minimum_magnitude = (uint32_t)take(&item, UINT32_MAX, &bad);
    out->comparison = (enum comparison)take(&item, COMPARISON_COUNT - 1, &bad);
    out->threshold_milli = (int64_t)take(&item, DATAPOINT_MILLI_MAX, &bad);
    out->datapoints_to_alarm = (uint32_t)take(&item, DATAPOINTS_MAX, &bad);
    out->evaluation_periods = (uint32_t)take(&item, DATAPOINTS_MAX, &bad);
    if (bad || item == NULL)
        return false;
    read_steps(list_next(&item), out, &bad);
    out->points.last_ns = (berth_ns)take(&item, time_max, &bad);
    read_points(list_next(&item), &out->points, &bad);
    return !bad && (out->kind == SCALING_STEP || out->target_milli > 0);
}

static bool read_action(struct controller *controller, char *item, struct scheduled_action *out)
{
    bool bad = false;
    memset(out, 0, sizeof *out);
    out->name = symbols_add(controller->symbols, list_next(&item));
    const char *text = list_next(&item);
    if (text == NULL || schedule_parse(text, &out->schedule) != NULL)
        return false;
    out->text = symbols_add(controller->symbols, text);
    out->min_capacity = (int32_t)take(&item, INT32_MAX, &bad) - 1;
    out->max_capacity = (int32_t)take(&item, INT32_MAX, &bad) - 1;
    out->start_wall_ns = (berth_ns)take(&item, INT64_MAX, &bad);
    out->end_wall_ns = (berth_ns)take(&item, INT64_MAX, &bad);
    out->anchor_wall_ns = (berth_ns)take(&item, INT64_MAX, &bad);
    bool is_due = take(&item, 1, &bad) != 0;
    out->due_wall_ns = (berth_ns)take(&item, INT64_MAX, &bad);
    out->due_mono_ns = (berth_ns)take(&item, INT64_MAX / 4, &bad);
    if (!is_due)
        out->due_wall_ns = out->due_mono_ns = BERTH_NS_NEVER;
    return !bad && out->name != SYMBOL_NONE;
}

static bool read_number(const struct text_line *line, const char *name, uint64_t max, uint64_t *out)
{
    return text_get_u64(line, name, out) && *out <= max;
}

static const char *read_target(const struct text_line *line, struct scaling *scaling)
{
    static const char *const names[] = {
        "min",       "max",      "suspends-in", "suspends-out", "suspends-scheduled",
        "out-until", "in-until", "out-base",    "out-added"};
    static const uint64_t most[] = {UINT32_MAX,    UINT32_MAX,    1,          1,         1,
                                    INT64_MAX / 4, INT64_MAX / 4, UINT32_MAX, UINT32_MAX};
    uint64_t values[sizeof names / sizeof names[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!read_number(line, names[i], most[i], &values[i]))
            return names[i];
    scaling->min_capacity = (uint32_t)values[0];
    scaling->max_capacity = (uint32_t)values[1];
    scaling->suspends_in = values[2] != 0;
    scaling->suspends_out = values[3] != 0;
    scaling->suspends_scheduled = values[4] != 0;
    scaling->cooldown = (struct scaling_cooldown){(berth_ns)values[5], (berth_ns)values[6],
                                                  (uint32_t)values[7], (uint32_t)values[8]};
    return scaling->min_capacity <= scaling->max_capacity ? NULL : "min";
}

static const char *read_lists(struct controller *controller, const struct text_line *line,
                              struct scaling *scaling)
{
    char *rest = (char *)(uintptr_t)text_get(line, "policies");
    while (rest != NULL)
        if (scaling->policies.count == SCALING_POLICIES_MAX ||
            !read_policy(controller, list_next(&rest), vec_push(&scaling->policies)))
            return "policies";
    rest = (char *)(uintptr_t)text_get(line, "actions");
    while (rest != NULL)
        if (scaling->actions.count == SCALING_ACTIONS_MAX ||
            !read_action(controller, list_next(&rest), vec_push(&scaling->actions)))
            return "actions";
    return NULL;
}

const char *scaling_read(struct controller *controller, const struct text_line *line)
{
    uint64_t id, revision;
    if (!read_number(line, "service", UINT32_MAX, &id) || id >= controller->services.count ||
        controller->services.items[id] == NULL ||
        controller->services.items[id]->scheduling == SCHEDULING_DAEMON ||
        scaling_of(controller, (service_id)id) != NULL)
        return "service";
    if (!read_number(line, "rev", UINT64_MAX, &revision))
        return "rev";
    struct scaling *scaling = scaling_new(controller, controller->services.items[id]);
    scaling->revision = revision;
    const char *fault = read_target(line, scaling);
    if (fault == NULL)
        fault = read_lists(controller, line, scaling);
    if (fault == NULL)
        scaling_arm(controller, scaling);
    return fault;
}

void scaling_audit(const struct controller *controller)
{
    for (service_id id = 0; id < controller->scalings.count; id++) {
        const struct scaling *scaling = controller->scalings.items[id];
        bool is_due = false;
        if (scaling == NULL) {
            assert(!heap_has(&controller->scaling_deadlines, id));
            continue;
        }
        assert(scaling->service == controller->services.items[id]);
        assert(scaling->service->scheduling == SCHEDULING_REPLICA);
        assert(scaling->min_capacity <= scaling->max_capacity);
        assert(scaling->revision > 0 && scaling->revision <= controller->revision);
        assert(scaling->policies.count <= SCALING_POLICIES_MAX);
        for (size_t i = 0; i < scaling->policies.count; i++)
            assert(scaling->policies.items[i].points.count <= DATAPOINTS_MAX);
        for (size_t i = 0; i < scaling->actions.count; i++)
            is_due |= scaling->actions.items[i].due_mono_ns != BERTH_NS_NEVER;
        assert(is_due == heap_has(&controller->scaling_deadlines, id));
    }
}
