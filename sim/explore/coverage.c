#include "sim/explore/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 3

static const struct {
    const char *name, *why;
} excuses[] = {
    {"size-quota", "5,000 services, instances or tasks are more than a campaign has"},
    {"deleted", "a scenario cannot delete a service"},
    {"task-set", "a scenario cannot make task sets"},
    {"fargate", "no scenario is given Fargate"},
    {"interrupted", "no scenario is given Fargate Spot"},
};

const char *coverage_excuse(const char *name)
{
    for (size_t i = 0; i < sizeof excuses / sizeof *excuses; i++)
        if (strcmp(excuses[i].name, name) == 0)
            return excuses[i].why;
    return NULL;
}

struct table {
    uint32_t printed, missing;
};

static void begin(const char *title)
{
    printf("%s\n", title);
}

static void add(struct table *table, const char *name, uint64_t count)
{
    const char *excuse = count > 0 ? NULL : coverage_excuse(name);
    if (count == 0 && excuse == NULL)
        table->missing++;
    printf("  %-24s", name);
    if (count > 0)
        printf("%11" PRIu64, count);
    else
        printf("%11s", excuse != NULL ? "excused" : "NEVER");
    if (++table->printed % COLUMNS == 0)
        printf("\n");
}

static uint32_t end(const struct table *table)
{
    if (table->printed % COLUMNS != 0)
        printf("\n");
    return table->missing;
}

uint32_t coverage_print(const struct campaign *campaign)
{
    struct table rules = {0}, faults = {0}, invariants = {0};
    begin("rules of the controller that fired");
    for (int i = 0; i < RULE_COUNT; i++)
        add(&rules, rule_infos[i].name, campaign->rules[i]);
    uint32_t missing = end(&rules);
    begin("kinds of faults that came about");
    for (int i = 0; i < CHAOS_KIND_COUNT; i++)
        add(&faults, chaos_kind_names[i], campaign->chaos[i]);
    missing += end(&faults);
    begin("times that each invariant was held against something");
    for (int i = 0; i < INVARIANT_COUNT; i++)
        add(&invariants, invariant_infos[i].name, campaign->checks[i]);
    return missing + end(&invariants);
}
