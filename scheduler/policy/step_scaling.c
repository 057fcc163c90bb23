#include "scheduler/policy/step_scaling.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

const char *const adjustment_names[ADJUSTMENT_COUNT + 1] = {
    [ADJUST_CHANGE] = "ChangeInCapacity",
    [ADJUST_PERCENT] = "PercentChangeInCapacity",
    [ADJUST_EXACT] = "ExactCapacity",
};

void step_format(const struct scaling_step *step, char text[STEP_TEXT_MAX])
{
    char lower[24] = "", upper[24] = "";
    if (step->has_lower)
        (void)snprintf(lower, sizeof lower, "%lld", (long long)step->lower_milli);
    if (step->has_upper)
        (void)snprintf(upper, sizeof upper, "%lld", (long long)step->upper_milli);
    (void)snprintf(text, STEP_TEXT_MAX, "%s:%s:%ld", lower, upper, (long)step->adjustment);
}

/* A whole number before `end`, or nothing; false for anything else. */
static bool take_bound(const char **at, char end, bool *is_there, int64_t *out)
{
    char *after;
    *is_there = **at != end;
    *out = 0;
    if (*is_there) {
        if (**at != '-' && (**at < '0' || **at > '9'))
            return false;
        *out = strtoll(*at, &after, 10);
        if (*after != end || *out > STEP_MILLI_MAX || *out < -STEP_MILLI_MAX)
            return false;
        *at = after;
    }
    *at += end != '\0';
    return true;
}

bool step_parse(const char *text, struct scaling_step *out)
{
    int64_t adjustment;
    bool has_adjustment;
    if (!take_bound(&text, ':', &out->has_lower, &out->lower_milli) ||
        !take_bound(&text, ':', &out->has_upper, &out->upper_milli) ||
        !take_bound(&text, '\0', &has_adjustment, &adjustment) || !has_adjustment ||
        adjustment > STEP_ADJUSTMENT_MAX || adjustment < -STEP_ADJUSTMENT_MAX)
        return false;
    out->adjustment = (int32_t)adjustment;
    return true;
}

const char *steps_check(const struct scaling_step *steps, uint32_t count)
{
    if (count == 0)
        return "a step policy needs at least one step";
    if (count > STEPS_MAX)
        return "a step policy has at most 20 steps";
    for (uint32_t i = 0; i < count; i++) {
        if (!steps[i].has_lower && i > 0)
            return "only the lowest step may lack a lower bound";
        if (!steps[i].has_upper && i + 1 < count)
            return "only the highest step may lack an upper bound";
        if (steps[i].has_lower && steps[i].has_upper &&
            steps[i].lower_milli >= steps[i].upper_milli)
            return "a step's lower bound must be below its upper bound";
        if (i > 0 && steps[i].lower_milli < steps[i - 1].upper_milli)
            return "steps must not overlap, in ascending order";
        if (i > 0 && steps[i].lower_milli > steps[i - 1].upper_milli)
            return "there must be no gap between steps";
    }
    return NULL;
}

const struct scaling_step *steps_find(const struct scaling_step *steps, uint32_t count,
                                      int64_t distance_milli, bool is_high)
{
    bool is_above = distance_milli > 0 || (distance_milli == 0 && is_high);
    for (uint32_t i = 0; i < count; i++) {
        const struct scaling_step *step = &steps[i];
        bool is_over_lower = !step->has_lower || distance_milli > step->lower_milli ||
                             (is_above && distance_milli == step->lower_milli);
        bool is_under_upper = !step->has_upper || distance_milli < step->upper_milli ||
                              (!is_above && distance_milli == step->upper_milli);
        if (is_over_lower && is_under_upper)
            return step;
    }
    return NULL;
}

/* Above 1 down, between 0 and 1 to 1, between -1 and 0 to -1, below -1 towards zero. */
static int64_t percent_of(uint32_t running, int32_t percent)
{
    int64_t hundredths = (int64_t)running * percent;
    if (hundredths > 0 && hundredths < 100)
        return 1;
    if (hundredths < 0 && hundredths > -100)
        return -1;
    return hundredths / 100;
}

uint32_t step_capacity(const struct scaling_step *step, enum adjustment_type type,
                       uint32_t minimum_magnitude, uint32_t running)
{
    int64_t change = step->adjustment, least = minimum_magnitude;
    if (type == ADJUST_EXACT)
        return step->adjustment < 0 ? 0 : (uint32_t)step->adjustment;
    if (type == ADJUST_PERCENT) {
        change = percent_of(running, step->adjustment);
        if (step->adjustment > 0 && change < least)
            change = least;
        if (step->adjustment < 0 && change > -least)
            change = -least;
    }
    int64_t wanted = (int64_t)running + change;
    return wanted < 0 ? 0 : wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
}
