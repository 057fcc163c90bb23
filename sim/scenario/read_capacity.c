/* capacityProviders, fargate and the cluster's default strategy. */
#include <string.h>

#include "sim/scenario/parts.h"

enum { PROVIDERS_MAX = 20, MACHINES_MAX = 100000 };

static bool read_enabled(const struct at *up, const char *key, bool absent)
{
    static const char *const words[] = {"DISABLED", "ENABLED", NULL};
    struct at at = at_member(up, key);
    return at_choice(&at, words, absent) == 1;
}

static void read_managed_scaling(const struct at *up, struct capacity_provider_settings *out)
{
    static const char *const known[] = {"status",
                                        "targetCapacity",
                                        "minimumScalingStepSize",
                                        "maximumScalingStepSize",
                                        "instanceWarmupPeriod",
                                        NULL};
    struct at at = at_member(up, "managedScaling");
    out->warm_up_s = OVERRIDE_NONE;
    if (!at_object(&at, known))
        return;
    struct at target = at_member(&at, "targetCapacity");
    struct at least = at_member(&at, "minimumScalingStepSize");
    struct at most = at_member(&at, "maximumScalingStepSize");
    struct at warm_up = at_member(&at, "instanceWarmupPeriod");
    out->is_managed = read_enabled(&at, "status", true);
    out->target_percent = (uint32_t)at_integer(&target, 1, 100, 100);
    out->step_min = (uint32_t)at_integer(&least, 1, 10000, 1);
    out->step_max = (uint32_t)at_integer(&most, 1, 10000, 10000);
    out->warm_up_s = (int32_t)at_integer(&warm_up, 0, 10000, 300);
    if (out->step_min > out->step_max)
        at_fail(&least, "is above maximumScalingStepSize; lower it");
}

/* Fails unless the text names a group of the fleet that has no provider yet. */
static void take_group(const struct at *at, struct scenario *scenario,
                       struct scenario_provider *provider)
{
    char *name = at_text(at);
    for (uint32_t i = 0; name != NULL && i < scenario->group_count; i++) {
        struct scenario_group *group = &scenario->groups[i];
        if (strcmp(group->name, name) != 0)
            continue;
        if (group->provider != NULL)
            at_fail(at, "a provider's already; there is no second one for a group");
        group->provider = provider->name;
        provider->group_names[provider->group_count] = name;
        provider->groups[provider->group_count++] = i;
        return;
    }
    if (name != NULL)
        at_fail(at, "there is no group \"%.60s\"; add it to fleet or name another", name);
    mem_free(name);
}

static void read_provider(const struct at *at, struct scenario *scenario,
                          struct scenario_provider *out)
{
    static const char *const known[] = {"group",           "allocation",
                                        "managedScaling",  "managedTerminationProtection",
                                        "managedDraining", NULL};
    static const char *const allocations[] = {"lowestPrice", "proportional", NULL};
    out->name = mem_copy_text(at->key);
    if (strncmp(out->name, "FARGATE", 7) == 0)
        at_fail(at, "FARGATE and FARGATE_SPOT are there by themselves; write \"fargate\" instead");
    if (!at_object(at, known))
        return;
    struct at group = at_member(at, "group"), allocation = at_member(at, "allocation");
    at_require(&group, "name one of fleet, or a list of them");
    if (json_is_array(group.json)) {
        size_t count = at_list(&group, 1, PROVIDER_GROUPS_MAX);
        for (size_t i = 0; i < count; i++) {
            struct at item = at_item(&group, i);
            take_group(&item, scenario, out);
        }
    } else {
        take_group(&group, scenario, out);
    }
    out->allocation = (enum allocation)at_choice(&allocation, allocations, 0);
    read_managed_scaling(at, &out->settings);
    out->settings.protects = read_enabled(at, "managedTerminationProtection", false);
    out->settings.drains = read_enabled(at, "managedDraining", true);
    if (out->settings.protects && !out->settings.is_managed) {
        struct at protection = at_member(at, "managedTerminationProtection");
        at_fail(&protection, "there is no managedScaling, which it needs; add that");
    }
}

/* A group without machines, whose zones are all that the fleet stands in. */
static void add_fargate_group(struct scenario *out, bool is_spot)
{
    struct scenario_provider *provider = &out->providers[out->provider_count++];
    provider->settings = (struct capacity_provider_settings){
        .kind = is_spot ? PROVIDER_FARGATE_SPOT : PROVIDER_FARGATE, .warm_up_s = OVERRIDE_NONE};
    provider->name = mem_copy_text(provider_kind_names[provider->settings.kind]);
    provider->groups[provider->group_count++] = out->group_count;
    uint32_t limit = 0;
    for (uint32_t g = 0; g < out->group_count; g++)
        limit += out->groups[g].zone_count;
    out->groups = mem_resize(out->groups, (size_t)out->group_count + 2, sizeof *out->groups);
    struct scenario_group *group = &out->groups[out->group_count];
    *group = (struct scenario_group){.name = mem_copy_text(provider->name),
                                     .instance_type = mem_copy_text(""),
                                     .provider = provider->name,
                                     .is_fargate = true,
                                     .is_spot = is_spot,
                                     .share = 1,
                                     .pull_mib_per_s = 100};
    group->zones = mem_alloc((limit + 1) * sizeof *group->zones);
    for (uint32_t g = 0; g < out->group_count; g++)
        for (uint32_t z = 0; z < out->groups[g].zone_count; z++) {
            uint32_t i = 0;
            while (i < group->zone_count && strcmp(group->zones[i], out->groups[g].zones[z]) != 0)
                i++;
            if (i == group->zone_count && i < PROVIDER_ZONES_MAX)
                group->zones[group->zone_count++] = mem_copy_text(out->groups[g].zones[z]);
        }
    provider->settings.zones = (const char *const *)group->zones;
    provider->settings.zone_count = (uint16_t)group->zone_count;
    out->group_count++;
}

static double read_mean(const struct at *up, const char *key)
{
    struct at at = at_member(up, key);
    at_require(&at, "write the mean time that this state lasts");
    return (double)at_time(&at, BERTH_NS_PER_S, READER_TIME_MAX, BERTH_NS_PER_S) / 1e9;
}

static void read_spot_capacity(const struct at *up, struct scenario_fargate *out)
{
    static const char *const known[] = {"onMean", "offMean", NULL};
    struct at at = at_member(up, "spotCapacity");
    if (!at_object(&at, known))
        return;
    out->has_outages = true;
    out->on_mean_s = read_mean(&at, "onMean");
    out->off_mean_s = read_mean(&at, "offMean");
}

static double read_price(const struct at *up, const char *key, double absent)
{
    struct at at = at_member(up, key);
    return at_real(&at, 0, 1e6, absent);
}

/* Prices: AWS Fargate, Linux on x86, us-east-1; Spot at 30 % of them. */
static void read_fargate(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {
        "startDelay",           "capacity",           "spotCapacity",
        "interruption",         "pricePerVcpuHour",   "pricePerGbHour",
        "spotPricePerVcpuHour", "spotPricePerGbHour", NULL};
    struct at at = at_member(root, "fargate");
    struct scenario_fargate *fargate = &out->fargate;
    if (at.json == NULL || !at_object(&at, known))
        return;
    struct at delay = at_member(&at, "startDelay"), capacity = at_member(&at, "capacity");
    struct at interruption = at_member(&at, "interruption");
    fargate->is_used = true;
    if (!at_distribution(&delay, QUANTITY_TIME, &fargate->start_delay))
        fargate->start_delay = (struct distribution){.p = {20, 0}, .max = 1e12};
    fargate->capacity = (uint32_t)at_integer(&capacity, 0, MACHINES_MAX, UINT32_MAX);
    fargate->is_interrupted = at_interval(&interruption, &fargate->interruption);
    read_spot_capacity(&at, fargate);
    fargate->vcpu_hour = read_price(&at, "pricePerVcpuHour", 0.04048);
    fargate->gb_hour = read_price(&at, "pricePerGbHour", 0.004445);
    fargate->spot_vcpu_hour = read_price(&at, "spotPricePerVcpuHour", 0.012144);
    fargate->spot_gb_hour = read_price(&at, "spotPricePerGbHour", 0.0013335);
    add_fargate_group(out, false);
    add_fargate_group(out, true);
}

void read_shares(const struct at *up, const char *key, const struct scenario *scenario,
                 struct scenario_shares *out)
{
    static const char *const known[] = {"capacityProvider", "weight", "base", NULL};
    const char *names[PROVIDERS_MAX + 3] = {NULL};
    struct at list = at_member(up, key);
    size_t count = at_list(&list, 1, PROVIDERS_MAX);
    for (uint32_t i = 0; i < scenario->provider_count; i++)
        names[i] = scenario->providers[i].name;
    out->items = mem_alloc((count + 1) * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        struct at provider = at_member(&item, "capacityProvider");
        struct at weight = at_member(&item, "weight"), base = at_member(&item, "base");
        if (!at_object(&item, known))
            at_fail(&item, "not an item; write {\"capacityProvider\": \"spot\", \"weight\": 1}");
        at_require(&provider, "name one of capacityProviders");
        char *name = at_text(&provider);
        out->items[out->count++] =
            (struct provider_share){name, (uint32_t)at_integer(&weight, 0, 1000, 1),
                                    (uint32_t)at_integer(&base, 0, 100000, 0)};
        check_name(&provider, name, "provider", "capacityProviders", names);
    }
}

void read_capacity_providers(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {"defaultCapacityProviderStrategy", NULL};
    struct at all = at_member(root, "capacityProviders"), cluster = at_member(root, "cluster");
    size_t count;
    const char **names = at_names(&all, &count);
    out->providers = mem_alloc((count + 3) * sizeof *out->providers);
    if (count > PROVIDERS_MAX - 2)
        at_fail(&all, "more than 18 of them; remove some");
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at one = at_member(&all, names[i]);
        out->provider_count++;
        read_provider(&one, out, &out->providers[i]);
    }
    mem_free(names);
    read_fargate(root, out);
    if (at_object(&cluster, known))
        read_shares(&cluster, "defaultCapacityProviderStrategy", out, &out->default_shares);
}

void free_shares(struct scenario_shares *shares)
{
    for (uint16_t i = 0; i < shares->count; i++)
        mem_free((char *)(uintptr_t)shares->items[i].provider);
    mem_free(shares->items);
}

void free_capacity(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->provider_count; i++) {
        struct scenario_provider *provider = &scenario->providers[i];
        for (uint32_t j = 0; j < provider->group_count; j++)
            mem_free(provider->group_names[j]);
        mem_free(provider->name);
    }
    mem_free(scenario->providers);
    free_shares(&scenario->default_shares);
    distribution_free(&scenario->fargate.start_delay);
    distribution_free(&scenario->fargate.interruption);
}
