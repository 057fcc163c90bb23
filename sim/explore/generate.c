#include "sim/explore/generate.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/explore/draw.h"

#define QUIET_S 3600
#define SOUND_COUNT 3 /* definitions with which nothing is wrong: what everything ends with */
#define ALARM "alarm"
#define BACK_S 360 /* after `heal`: every machine has booted, and is ACTIVE */
#define PROTECTED_M 10
#define STARTED_S 300 /* by then every service is there */
#define SERVICES_MAX 32
#define HOOK_COUNT 3 /* functions: content, hesitant, failing now and then */
#define PAUSE "pause"
#define SCALED_MOST 6
#define PROVIDED_S 3600 /* machines are asked for a few at a time, and go after many minutes */
#define SCALING_S 7200  /* a low alarm takes a quarter of an hour for each step down */

const struct explore_profile explore_profiles[] = {
    {"small", 3, 8, 1, 4, 10, 40, 4, 16, 0},
    {"medium", 8, 20, 3, 8, 30, 90, 6, 80, 0},
    {"large", 50, 50, 20, 20, 60, 60, 24, 560, 60},
    {NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};

static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};

/* What the document is made of, beside the document. */
struct plan {
    struct draw draw;
    const struct explore_profile *profile;
    json_t *root;
    unsigned zone_count, rack_count, instance_count;
    unsigned cpu_units, mem_mib; /* of an instance */
    unsigned heal_s, waves_s;
    unsigned good_count, bad_count;
    bool has_brake;  /* a machine that never comes back would keep it on for ever */
    bool has_narrow; /* some service cannot use every instance, or not twice */
    bool has_providers;
    bool is_careful[SERVICES_MAX]; /* its hooks may fail at any time: it has sound ones only */
};

static void add_fleet(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    json_t *fleet = json_object();
    char name[32], rack[32], type[32];
    plan->instance_count =
        draw_between(draw, plan->profile->instances_least, plan->profile->instances_most);
    plan->zone_count = draw_between(draw, 1, 3);
    plan->rack_count = plan->instance_count < 6 ? 1 : draw_between(draw, 1, 4);
    plan->cpu_units = 1024 * draw_between(draw, 2, 4);
    plan->mem_mib = 2048 * draw_between(draw, 2, 4);
    for (unsigned r = 0; r < plan->rack_count; r++) {
        unsigned count = plan->instance_count / plan->rack_count +
                         (r < plan->instance_count % plan->rack_count ? 1 : 0);
        json_t *group =
            json_pack("{s:i,s:i,s:i,s:s,s:{s:s},s:i}", "count", (int)count, "cpu",
                      (int)plan->cpu_units, "memory", (int)plan->mem_mib, "type",
                      draw_name(type, "m5.x", draw_between(draw, 1, 2)), "attributes", "rack",
                      draw_name(rack, "r", r), "pullMiBps", (int)draw_between(draw, 20, 200));
        json_t *list = json_array();
        for (unsigned z = 0; z < plan->zone_count; z++)
            json_array_append_new(list, json_string(zones[(z + r) % plan->zone_count]));
        json_object_set_new(group, "zones", list);
        if (draw_chance(draw, 50))
            json_object_set_new(group, "racks", json_integer(draw_between(draw, 1, 3)));
        if (draw_chance(draw, 25))
            json_object_set_new(group, "spot", json_true());
        if (draw_chance(draw, 25))
            json_object_set_new(group, "gpus", json_integer(2));
        json_object_set_new(fleet, draw_name(name, "g", r), group);
    }
    json_object_set_new(plan->root, "fleet", fleet);
}

static json_t *container(const char *name, const char *image, unsigned cpu, unsigned mem)
{
    return json_pack("{s:s,s:s,s:i,s:i}", "name", name, "image", image, "cpu", (int)cpu, "memory",
                     (int)mem);
}

/* A probe that its container answers at once, or after a while. */
static json_t *health_check(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    return json_pack("{s:[s,s],s:i,s:i,s:i,s:i}", "command", "CMD-SHELL", "probe", "interval",
                     (int)draw_between(draw, 5, 30), "timeout", (int)draw_between(draw, 2, 5),
                     "retries", (int)draw_between(draw, 1, 3), "startPeriod",
                     (int)draw_between(draw, 0, 60));
}

/* Containers of a task of at most three quarters of a slot. */
static json_t *containers_of(struct plan *plan, unsigned number)
{
    struct draw *draw = &plan->draw;
    char image[32];
    unsigned cpu = 16 * draw_between(draw, 1, plan->cpu_units / 16 / plan->profile->slots / 2);
    unsigned mem = 16 * draw_between(draw, 1, plan->mem_mib / 16 / plan->profile->slots / 2);
    json_t *list = json_array();
    json_t *main = container("main", draw_name(image, "app:", number / 2), cpu, mem);
    if (draw_chance(draw, 15))
        json_object_set_new(main, "stopTimeout", json_integer(draw_between(draw, 2, 60)));
    json_array_append_new(list, main);
    bool is_checked = draw_chance(draw, 25);
    if (is_checked)
        json_object_set_new(main, "healthCheck", health_check(plan));
    if (draw_chance(draw, 15))
        json_object_set_new(main, "restartPolicy",
                            json_pack("{s:b,s:i}", "enabled", 1, "restartAttemptPeriod",
                                      (int)draw_between(draw, 60, 120)));
    if (draw_chance(draw, 30)) {
        json_t *side = container("side", "side:1", cpu / 2, mem / 2);
        json_object_set_new(side, "essential", json_boolean(draw_chance(draw, 30)));
        if (draw_chance(draw, 50))
            json_object_set_new(side, "dependsOn",
                                json_pack("[{s:s,s:s}]", "containerName", "main", "condition",
                                          is_checked ? "HEALTHY" : "START"));
        else
            json_object_set_new(
                main, "dependsOn",
                json_pack("[{s:s,s:s}]", "containerName", "side", "condition", "START"));
        json_array_append_new(list, side);
    }
    return list;
}

static json_t *exponential(unsigned mean_s, unsigned most_s)
{
    return json_pack("{s:s,s:i,s:i}", "distribution", "exponential", "mean", (int)mean_s, "atMost",
                     (int)most_s);
}

/* Something is wrong with a bad one; a service that has it gets a good one at `heal`. */
static void spoil(struct plan *plan, json_t *def)
{
    struct draw *draw = &plan->draw;
    switch (draw_between(draw, 0, 7)) {
    case 0:
        json_object_set_new(def, "crashProbability", json_real(1.0));
        json_object_set_new(def, "crashAfter", exponential(draw_between(draw, 1, 90), 600));
        break;
    case 1:
        json_object_set_new(def, "startFailureProbability", json_real(1.0));
        break;
    case 2:
        json_object_set_new(def, "pullFailureProbability", json_real(1.0));
        break;
    case 3:
        json_object_set_new(def, "lifetime", exponential(draw_between(draw, 30, 600), 3600));
        break;
    case 4:
        json_object_set_new(def, "oomProbability", json_real(0.7));
        json_object_set_new(def, "oomAfter", exponential(draw_between(draw, 1, 300), 900));
        break;
    case 5:
        json_object_set_new(def, "unhealthyProbability", json_real(1.0));
        break;
    case 6:
        json_object_set_new(def, "unhealthyAfter", exponential(draw_between(draw, 10, 300), 900));
        json_object_set_new(def, "recoversAfter", exponential(draw_between(draw, 60, 300), 600));
        break;
    default:
        json_object_set_new(def, "crashProbability", json_real(0.5));
        break;
    }
}

/* It is slow to be well, or ill for a while now and then. */
static void weaken(struct plan *plan, json_t *def)
{
    struct draw *draw = &plan->draw;
    if (draw_chance(draw, 15))
        json_object_set_new(def, "startFailureProbability", json_real(0.1));
    if (draw_chance(draw, 20))
        json_object_set_new(def, "healthyAfter", exponential(draw_between(draw, 1, 40), 120));
    if (draw_chance(draw, 10)) {
        json_object_set_new(def, "unhealthyAfter", exponential(draw_between(draw, 60, 900), 3600));
        json_object_set_new(def, "recoversAfter", exponential(draw_between(draw, 10, 120), 600));
    }
}

static void add_definition(struct plan *plan, json_t *defs, const char *prefix, unsigned number,
                           bool is_bad)
{
    struct draw *draw = &plan->draw;
    char name[32];
    json_t *def =
        json_pack("{s:{s:o},s:i}", "definition", "containerDefinitions",
                  containers_of(plan, number), "imageMiB", (int)draw_between(draw, 0, 300));
    if (is_bad)
        spoil(plan, def);
    else if (strcmp(prefix, "good") == 0)
        weaken(plan, def);
    if (draw_chance(draw, 20))
        json_object_set_new(def, "stop", exponential(draw_between(draw, 1, 40), 200));
    json_object_set_new(defs, draw_name(name, prefix, number), def);
}

static void add_definitions(struct plan *plan)
{
    json_t *defs = json_object();
    unsigned services = plan->profile->services_most;
    plan->good_count = draw_between(&plan->draw, 2, 2 + services);
    plan->bad_count = draw_between(&plan->draw, 1, 3);
    for (unsigned i = 0; i < plan->good_count; i++)
        add_definition(plan, defs, "good", i, false);
    for (unsigned i = 0; i < plan->bad_count; i++)
        add_definition(plan, defs, "bad", i, true);
    for (unsigned i = 0; i < SOUND_COUNT; i++)
        add_definition(plan, defs, "sound", i, false);
    /* Small; of a daemon. Jobs end by themselves. */
    json_object_set_new(
        defs, "daemon",
        json_pack("{s:[o]}", "containerDefinitions", container("main", "d:1", 32, 32)));
    json_object_set_new(
        defs, "daemon2",
        json_pack("{s:[o]}", "containerDefinitions", container("main", "d:2", 48, 48)));
    json_object_set_new(defs, "job",
                        json_pack("{s:{s:[o]},s:o,s:i}", "definition", "containerDefinitions",
                                  container("main", "job:1", 64, 64), "lifetime",
                                  exponential(draw_between(&plan->draw, 5, 120), 240), "imageMiB",
                                  50));
    json_object_set_new(defs, "gpu-job",
                        json_pack("{s:{s:[{s:s,s:s,s:i,s:[{s:s,s:s}]}]},s:o}", "definition",
                                  "containerDefinitions", "name", "main", "image", "gpu:1",
                                  "memory", 64, "resourceRequirements", "type", "GPU", "value",
                                  draw_chance(&plan->draw, 50) ? "1" : "0.4", "lifetime",
                                  exponential(60, 240)));
    json_object_set_new(plan->root, "taskDefinitions", defs);
}

static const char *const strategies[] = {
    "[]",
    "[{\"type\":\"binpack\",\"field\":\"cpu\"}]",
    "[{\"type\":\"binpack\",\"field\":\"memory\"}]",
    "[{\"type\":\"random\"}]",
    "[{\"type\":\"spread\",\"field\":\"instanceId\"}]",
    "[{\"type\":\"spread\",\"field\":\"attribute:ecs.availability-zone\"},"
    "{\"type\":\"binpack\",\"field\":\"memory\"}]",
    "[{\"type\":\"spread\",\"field\":\"attribute:rack\"},"
    "{\"type\":\"spread\",\"field\":\"instanceId\"}]",
    "[{\"type\":\"bestFit\"}]",
    "[{\"type\":\"twoChoices\"}]",
};

static void add_strategy(struct plan *plan, json_t *at)
{
    const char *text = DRAW_ANY(&plan->draw, strategies);
    if (draw_chance(&plan->draw, 70))
        json_object_set_new(at, "placementStrategy", json_loads(text, 0, NULL));
}

/* Leaves out one rack or zone of several. */
static json_t *member_of(struct plan *plan)
{
    char rack[32], text[128];
    struct draw *draw = &plan->draw;
    if (plan->rack_count >= 3 && draw_chance(draw, 50))
        snprintf(text, sizeof text, "attribute:rack != %s",
                 draw_name(rack, "r", draw_between(draw, 0, plan->rack_count - 1)));
    else if (plan->zone_count == 3 && plan->instance_count >= 6)
        snprintf(text, sizeof text, "attribute:ecs.availability-zone not_in [%s]",
                 zones[draw_between(draw, 0, 2)]);
    else
        snprintf(text, sizeof text, "attribute:rack exists");
    return json_pack("{s:s,s:s}", "type", "memberOf", "expression", text);
}

static json_t *percents(struct plan *plan, unsigned desired)
{
    static const unsigned least[] = {0, 50, 75, 100}, most[] = {100, 125, 150, 200};
    unsigned minimum = DRAW_ANY(&plan->draw, least), maximum = DRAW_ANY(&plan->draw, most);
    unsigned lower = (desired * minimum + 99) / 100, upper = desired * maximum / 100;
    if (upper <= lower) { /* it could not move */
        minimum = 100;
        maximum = 200;
        lower = desired;
        upper = 2 * desired;
    }
    unsigned wave = upper > lower ? upper - lower : 1;
    unsigned waves_s = (desired / wave + 1) * 240;
    plan->waves_s = waves_s > plan->waves_s ? waves_s : plan->waves_s;
    return json_pack("{s:i,s:i}", "minimumHealthyPercent", (int)minimum, "maximumPercent",
                     (int)maximum);
}

/* What a service does about a deployment that fails. */
static void add_safeguards(struct plan *plan, json_t *configuration)
{
    static const char *const types[] = {"BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"};
    struct draw *draw = &plan->draw;
    if (draw_chance(draw, 40)) {
        json_t *breaker =
            json_pack("{s:b,s:b,s:b}", "enable", 1, "rollback", (int)draw_chance(draw, 70),
                      "resetOnHealthyTask", (int)draw_chance(draw, 80));
        if (draw_chance(draw, 40))
            json_object_set_new(breaker, "thresholdConfiguration",
                                json_pack("{s:s,s:i}", "type", DRAW_ANY(draw, types), "value",
                                          (int)draw_between(draw, 2, 60)));
        json_object_set_new(configuration, "deploymentCircuitBreaker", breaker);
    }
    if (draw_chance(draw, 20)) {
        json_object_set_new(configuration, "alarms",
                            json_pack("{s:[s],s:b,s:b}", "alarmNames", ALARM, "enable", 1,
                                      "rollback", (int)draw_chance(draw, 70)));
        json_object_set_new(configuration, "bakeTimeInMinutes",
                            json_integer(draw_between(draw, 0, 3)));
    }
}

static json_t *hook(struct plan *plan, const char *name, bool is_pause, bool is_careful)
{
    static const char *const stages[] = {"RECONCILE_SERVICE",
                                         "PRE_SCALE_UP",
                                         "POST_SCALE_UP",
                                         "POST_TEST_TRAFFIC_SHIFT",
                                         "PRE_PRODUCTION_TRAFFIC_SHIFT",
                                         "POST_PRODUCTION_TRAFFIC_SHIFT",
                                         "TEST_TRAFFIC_SHIFT",
                                         "PRODUCTION_TRAFFIC_SHIFT"};
    struct draw *draw = &plan->draw;
    unsigned stage = draw_between(draw, 0, is_pause ? 5 : 7);
    bool rolls_back = is_careful && draw_chance(draw, 50);
    return json_pack("{s:s,s:[s],s:s,s:i,s:s}", "name", name, "lifecycleStages", stages[stage],
                     "kind", is_pause ? "pause" : "function", "timeoutMinutes",
                     (int)draw_between(draw, 1, 3), "timeoutAction",
                     rolls_back ? "ROLLBACK" : "CONTINUE");
}

/* What its stages, twice over, take at most: the one under way at `heal` may be in the way. */
static void add_stages(struct plan *plan, json_t *configuration, bool is_careful)
{
    static const char *const kinds[] = {"BLUE_GREEN", "LINEAR", "CANARY"};
    struct draw *draw = &plan->draw;
    unsigned kind = draw_between(draw, 0, 2), steps = kind == 1 ? 4 : kind == 2 ? 2 : 1;
    unsigned bake_m = draw_between(draw, 0, 3), step_m = draw_between(draw, 0, 2);
    json_t *hooks = json_array();
    char name[32];
    json_object_set_new(configuration, "strategy", json_string(kinds[kind]));
    json_object_set_new(configuration, "bakeTimeInMinutes", json_integer(bake_m));
    if (kind == 1)
        json_object_set_new(configuration, "linearConfiguration",
                            json_pack("{s:i,s:i}", "stepPercent", (int)draw_between(draw, 25, 60),
                                      "stepBakeTimeInMinutes", (int)step_m));
    if (kind == 2)
        json_object_set_new(configuration, "canaryConfiguration",
                            json_pack("{s:i,s:i}", "canaryPercent", (int)draw_between(draw, 1, 50),
                                      "canaryBakeTimeInMinutes", (int)step_m));
    for (unsigned i = 0; i < (is_careful ? HOOK_COUNT : HOOK_COUNT - 1); i++)
        if (draw_chance(draw, 40))
            json_array_append_new(hooks, hook(plan, draw_name(name, "hook", i), false, is_careful));
    if (draw_chance(draw, 30))
        json_array_append_new(hooks, hook(plan, PAUSE, true, is_careful));
    unsigned stages_s =
        60 * (bake_m + steps * step_m) + 2 * steps * 180 * (unsigned)json_array_size(hooks);
    json_object_set_new(configuration, "lifecycleHooks", hooks);
    stages_s = 2 * (stages_s + 600);
    plan->waves_s = stages_s > plan->waves_s ? stages_s : plan->waves_s;
}

static void add_hooks(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    json_object_set_new(plan->root, "hooks",
                        json_pack("{s:{s:o},s:{s:o,s:f},s:{s:f,s:f}}", "hook0", "delay",
                                  exponential(draw_between(draw, 1, 20), 60), "hook1", "delay",
                                  exponential(draw_between(draw, 1, 60), 300),
                                  "inProgressProbability", draw_between(draw, 0, 50) / 100.0,
                                  "hook2", "failureProbability",
                                  draw_between(draw, 10, 100) / 100.0, "inProgressProbability",
                                  draw_between(draw, 0, 50) / 100.0));
}

/* A third of the fleet in narrow documents, a little more in others, at twice the desired count. */
static unsigned desired_most(const struct plan *plan, unsigned services)
{
    unsigned slots = plan->instance_count * plan->profile->slots;
    unsigned share = slots * (plan->has_narrow ? 35 : 65) / 100 / 2 / services;
    unsigned wanted = plan->profile->tasks / services + 1;
    /* Tasks take less than half of a slot on the average. */
    share = share * 2;
    return share < 1 ? 1 : share < wanted ? share : wanted;
}

static json_t *tracking(struct plan *plan)
{
    static const char *const metrics[] = {"ECSServiceAverageCPUUtilization",
                                          "ECSServiceAverageMemoryUtilization",
                                          "ALBRequestCountPerTarget"};
    struct draw *draw = &plan->draw;
    return json_pack("{s:{s:s,s:i,s:i,s:i}}", "track", "metric", DRAW_ANY(draw, metrics),
                     "targetValue", (int)draw_between(draw, 20, 80), "scaleInCooldown",
                     (int)draw_between(draw, 0, 300), "scaleOutCooldown",
                     (int)draw_between(draw, 0, 300));
}

static json_t *step(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    bool is_out = draw_chance(draw, 60);
    return json_pack("{s:{s:s,s:i,s:s,s:i,s:[{s:i,s:i}]}}", "step", "metric",
                     "ECSServiceAverageCPUUtilization", "threshold",
                     (int)draw_between(draw, 20, 80), "comparisonOperator",
                     is_out ? "GreaterThanThreshold" : "LessThanThreshold", "cooldown",
                     (int)draw_between(draw, 0, 120), "stepAdjustments",
                     is_out ? "metricIntervalLowerBound" : "metricIntervalUpperBound", 0,
                     "scalingAdjustment", is_out ? 1 : -1);
}

/* Load that is the same once all is healed, and a policy of one kind: it comes to rest. */
static void add_scaling(struct plan *plan, json_t *service, unsigned most)
{
    struct draw *draw = &plan->draw;
    unsigned at_s = draw_between(draw, STARTED_S, plan->heal_s - 1);
    unsigned for_s = draw_between(draw, 1, plan->heal_s - at_s);
    char at[64];
    json_object_set_new(service, "load",
                        json_pack("{s:{s:i,s:[{s:i,s:i,s:i}]},s:f}", "requestsPerSecond", "base",
                                  (int)draw_between(draw, 1, 20), "bursts", "at", (int)at_s, "for",
                                  (int)for_s, "factor", (int)draw_between(draw, 2, 10),
                                  "serviceDemand", draw_between(draw, 1, 50) / 1000.0));
    json_t *scaling = json_pack("{s:i,s:i}", "minCapacity", 1, "maxCapacity", (int)most);
    if (draw_chance(draw, 60))
        json_object_set_new(scaling, "targetTracking", tracking(plan));
    else
        json_object_set_new(scaling, "stepScaling", step(plan));
    if (draw_chance(draw, 40)) {
        snprintf(at, sizeof at, "at(2025-01-01T%02u:%02u:%02u)", at_s / 3600, at_s / 60 % 60,
                 at_s % 60);
        json_object_set_new(scaling, "scheduledActions",
                            json_pack("{s:{s:s,s:i}}", "then", "schedule", at, "minCapacity",
                                      (int)draw_between(draw, 0, most)));
    }
    json_object_set_new(service, "autoScaling", scaling);
    plan->waves_s = plan->waves_s < SCALING_S ? SCALING_S : plan->waves_s;
}

/* One with which little is wrong. */
static const char *release(struct plan *plan, char name[32], unsigned service)
{
    bool is_sound = plan->is_careful[service];
    return draw_name(
        name, is_sound ? "sound" : "good",
        draw_between(&plan->draw, 0, (is_sound ? SOUND_COUNT - 1 : plan->good_count) - 1));
}

/* A group of machines that grows with what waits for it. */
static void add_providers(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    plan->has_providers = draw_chance(draw, 12);
    if (!plan->has_providers)
        return;
    unsigned most = plan->instance_count;
    json_object_set_new(json_object_get(plan->root, "fleet"), "scaled",
                        json_pack("{s:i,s:i,s:i,s:i,s:i,s:[s]}", "count",
                                  (int)draw_between(draw, 0, most), "maxSize", (int)most, "minSize",
                                  0, "cpu", (int)plan->cpu_units, "memory", (int)plan->mem_mib,
                                  "zones", zones[0]));
    json_object_set_new(plan->root, "capacityProviders",
                        json_pack("{s:{s:s,s:s,s:s,s:{s:s,s:i,s:i}}}", "scaled", "group", "scaled",
                                  "managedDraining", draw_chance(draw, 70) ? "ENABLED" : "DISABLED",
                                  "managedTerminationProtection",
                                  draw_chance(draw, 50) ? "ENABLED" : "DISABLED", "managedScaling",
                                  "status", "ENABLED", "targetCapacity",
                                  (int)draw_between(draw, 60, 100), "instanceWarmupPeriod",
                                  (int)draw_between(draw, 0, 300)));
    plan->waves_s = plan->waves_s < PROVIDED_S ? PROVIDED_S : plan->waves_s;
}

static void add_provided(struct plan *plan, json_t *service)
{
    json_object_set_new(service, "capacityProviderStrategy",
                        json_pack("[{s:s,s:i,s:i}]", "capacityProvider", "scaled", "weight", 1,
                                  "base", (int)draw_between(&plan->draw, 0, 1)));
}

static void add_service(struct plan *plan, json_t *services, unsigned number, unsigned most)
{
    struct draw *draw = &plan->draw;
    char name[32], def[32];
    bool is_distinct = plan->has_narrow && plan->instance_count >= 4 && draw_chance(draw, 40);
    unsigned cap = is_distinct && plan->instance_count / 4 < most ? plan->instance_count / 4 : most;
    unsigned desired = draw_between(draw, plan->profile->faults_an_hour > 0 ? cap * 4 / 5 : 1, cap);
    bool has_stages = draw_chance(draw, 12);
    bool is_careful = plan->is_careful[number] = has_stages && draw_chance(draw, 40);
    json_t *service =
        json_pack("{s:s,s:i,s:o}", "taskDefinition", release(plan, def, number), "desiredCount",
                  (int)desired, "deploymentConfiguration", percents(plan, desired));
    json_t *configuration = json_object_get(service, "deploymentConfiguration");
    add_safeguards(plan, configuration);
    if (has_stages)
        add_stages(plan, configuration, is_careful);
    if (has_stages || draw_chance(draw, 25)) {
        json_object_set_new(
            service, "loadBalancers",
            json_pack("[{s:s}]", "targetGroup", draw_chance(draw, 50) ? "tg0" : "tg1"));
        json_object_set_new(service, "healthCheckGracePeriodSeconds",
                            json_integer(draw_between(draw, 0, 120)));
    }
    json_t *constraints = json_array();
    if (is_distinct)
        json_array_append_new(constraints, json_pack("{s:s}", "type", "distinctInstance"));
    if (plan->has_narrow && !is_distinct && draw_chance(draw, 30)) {
        json_array_append_new(constraints, member_of(plan));
        if (draw_chance(draw, 30))
            json_array_append_new(constraints,
                                  json_pack("{s:s,s:s}", "type", "memberOf", "expression",
                                            "attribute:ecs.instance-type exists"));
    }
    if (json_array_size(constraints) > 0)
        json_object_set(service, "placementConstraints", constraints);
    json_decref(constraints);
    add_strategy(plan, service);
    if (draw_chance(draw, 20))
        json_object_set_new(service, "startAt", json_integer(draw_between(draw, 1, STARTED_S - 1)));
    if (draw_chance(draw, 12)) {
        json_object_set_new(configuration, "minimumHealthyPercent", json_integer(100));
        json_object_set_new(configuration, "maximumPercent", json_integer(200));
        desired = desired < SCALED_MOST ? desired : SCALED_MOST;
        json_object_set_new(service, "desiredCount", json_integer(desired));
        add_scaling(plan, service, cap < SCALED_MOST ? cap : SCALED_MOST);
    }
    if (plan->has_providers && json_object_get(service, "placementConstraints") == NULL &&
        draw_chance(draw, 50))
        add_provided(plan, service);
    json_object_set_new(services, draw_name(name, "s", number), service);
}

static void add_target_groups(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    json_t *groups = json_object();
    char name[32];
    for (unsigned i = 0; i < 2; i++)
        json_object_set_new(groups, draw_name(name, "tg", i),
                            json_pack("{s:i,s:i,s:i,s:i,s:i}", "healthCheckIntervalSeconds",
                                      (int)draw_between(draw, 5, 15), "healthCheckTimeoutSeconds",
                                      (int)draw_between(draw, 2, 4), "healthyThresholdCount",
                                      (int)draw_between(draw, 2, 4), "unhealthyThresholdCount",
                                      (int)draw_between(draw, 2, 4), "deregistrationDelaySeconds",
                                      (int)draw_between(draw, 0, 60)));
    json_object_set_new(plan->root, "targetGroups", groups);
}

static unsigned add_services(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    json_t *services = json_object();
    unsigned count =
        draw_between(draw, plan->profile->services_least, plan->profile->services_most);
    plan->has_narrow = draw_chance(draw, 40);
    unsigned most = desired_most(plan, count);
    add_providers(plan);
    if (draw_chance(draw, 30))
        json_object_set_new(
            services, "every",
            json_pack("{s:s,s:s}", "taskDefinition", "daemon", "schedulingStrategy", "DAEMON"));
    for (unsigned i = 0; i < count; i++)
        add_service(plan, services, i, most);
    json_object_set_new(plan->root, "services", services);
    return count;
}

static void add_arrivals(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    json_t *arrivals = json_object();
    static const char *const full[] = {"wait", "refuse"};
    if (draw_chance(draw, 60)) {
        json_t *jobs = json_pack("{s:i,s:s,s:s,s:i,s:i}", "ratePerHour",
                                 (int)draw_between(draw, 10, 60 + plan->instance_count * 4),
                                 "taskDefinition", "job", "onFull", DRAW_ANY(draw, full), "endAt",
                                 (int)plan->heal_s, "count", (int)draw_between(draw, 1, 3));
        add_strategy(plan, jobs);
        if (draw_chance(draw, 20))
            json_object_set_new(jobs, "placementConstraints",
                                json_pack("[{s:s}]", "type", "distinctInstance"));
        json_object_set_new(arrivals, "jobs", jobs);
    }
    if (draw_chance(draw, 30))
        json_object_set_new(arrivals, "gpu-jobs",
                            json_pack("{s:i,s:s,s:s,s:i}", "ratePerHour",
                                      (int)draw_between(draw, 5, 60), "taskDefinition", "gpu-job",
                                      "onFull", "refuse", "endAt", (int)plan->heal_s));
    if (draw_chance(draw, 10)) /* more calls at once than a bucket of the API holds */
        json_object_set_new(arrivals, "burst",
                            json_pack("{s:i,s:s,s:s,s:i}", "batch",
                                      (int)draw_between(draw, 80, 160), "taskDefinition", "job",
                                      "onFull", DRAW_ANY(draw, full), "startAt",
                                      (int)draw_between(draw, 1, plan->heal_s - 1)));
    json_object_set_new(plan->root, "arrivals", arrivals);
}

static void add_entry(json_t *timeline, const char *prefix, unsigned number, unsigned at_s,
                      const char *what, json_t *value)
{
    char name[32];
    json_object_set_new(timeline, draw_name(name, prefix, number),
                        json_pack("{s:i,s:o}", "at", (int)at_s, what, value));
}

/* One instance, a rack, a zone or a share. */
static json_t *selector(struct plan *plan)
{
    struct draw *draw = &plan->draw;
    char text[64];
    switch (draw_between(draw, 0, 9)) {
    case 0:
        return json_pack("{s:s}", "zone", zones[draw_between(draw, 0, plan->zone_count - 1)]);
    case 1:
        snprintf(text, sizeof text, "attribute:rack == r%u",
                 draw_between(draw, 0, plan->rack_count - 1));
        return json_pack("{s:s}", "expression", text);
    case 2:
        return json_pack("{s:f}", "share", draw_between(draw, 1, 5) / 10.0);
    default:
        return json_pack("{s:i}", "instance", (int)draw_between(draw, 0, plan->instance_count - 1));
    }
}

static json_t *keeping(struct plan *plan)
{
    json_t *restart = selector(plan);
    json_object_set_new(restart, "keeps", json_boolean(draw_chance(&plan->draw, 50)));
    return restart;
}

static json_t *slow(struct plan *plan, unsigned at_s)
{
    json_t *entry = selector(plan);
    unsigned left_s = plan->heal_s - at_s, for_s = draw_between(&plan->draw, 10, 900);
    json_object_set_new(entry, "factor", json_integer(draw_between(&plan->draw, 2, 20)));
    json_object_set_new(entry, "for", json_integer(for_s < left_s ? for_s : left_s));
    return entry;
}

static void add_losses(struct plan *plan, json_t *timeline)
{
    static const char *const modes[] = {"stop", "hang", "disconnect", "terminate", "wipe"};
    static const unsigned rates[] = {0, 6, 20, 60, 120};
    struct draw *draw = &plan->draw;
    unsigned rate = plan->profile->faults_an_hour;
    if (rate == 0)
        rate = DRAW_ANY(draw, rates);
    unsigned count = rate * plan->heal_s / 3600;
    for (unsigned i = 0; i < count; i++) {
        unsigned at_s = draw_between(draw, 1, plan->heal_s - 2);
        unsigned left_s = plan->heal_s - 1 - at_s, for_s = draw_between(draw, 1, 900);
        json_t *loss = selector(plan);
        json_object_set_new(loss, "mode",
                            json_string(modes[draw_between(draw, 0, plan->has_brake ? 2 : 4)]));
        json_object_set_new(loss, "for", json_integer(for_s < left_s ? for_s : left_s));
        add_entry(timeline, "loss", i, at_s, "fail", loss);
    }
}

static json_t *fault(struct plan *plan, const char *kind)
{
    static const unsigned rates[] = {2, 6, 20, 60};
    struct draw *draw = &plan->draw;
    json_t *fault = json_pack("{s:i}", "ratePerHour", (int)DRAW_ANY(draw, rates));
    if (strcmp(kind, "clockJump") != 0 && strcmp(kind, "engineRestart") != 0)
        json_object_set_new(fault, "for", exponential(draw_between(draw, 1, 300), 900));
    if (strncmp(kind, "message", 7) == 0 && strcmp(kind, "messageDelay") != 0)
        json_object_set_new(fault, "probability", json_real(draw_between(draw, 1, 60) / 100.0));
    return fault;
}

/* What a tester of databases would do; all of it over at `heal`. */
static void add_faults(struct plan *plan)
{
    static const char *const kinds[] = {
        "messageLoss",   "messageDelay",   "messageDuplicate", "messageReorder",  "partition",
        "clog",          "staleDetection", "agentFlap",        "controllerCrash", "slowDisk",
        "diskFailure",   "clockJump",      "instanceLoss",     "rackLoss",        "zoneLoss",
        "engineRestart", "slowHost",
    };
    struct draw *draw = &plan->draw;
    json_t *faults = json_pack("{s:i}", "until", (int)plan->heal_s - 1);
    unsigned percent = draw_between(draw, 0, 60);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (draw_chance(draw, percent) && !(plan->has_brake && strstr(kinds[i], "Loss") != NULL &&
                                            strcmp(kinds[i], "messageLoss") != 0))
            json_object_set_new(faults, kinds[i], fault(plan, kinds[i]));
    json_object_set_new(plan->root, "faults", faults);
}

static void add_changes(struct plan *plan, json_t *timeline, unsigned services)
{
    struct draw *draw = &plan->draw;
    unsigned count = draw_between(draw, 0, 2 + services * plan->heal_s / 1800);
    for (unsigned i = 0; i < count; i++) {
        char service[32], def[32];
        unsigned at_s = draw_between(draw, STARTED_S, plan->heal_s - 1);
        const json_t *all = json_object_get(plan->root, "services");
        unsigned number = draw_between(draw, 0, services - 1);
        draw_name(service, "s", number);
        json_int_t desired =
            json_integer_value(json_object_get(json_object_get(all, service), "desiredCount"));
        bool is_bad = draw_chance(draw, 30) && !plan->is_careful[number];
        switch (draw_between(draw, 0, 9)) {
        case 0:
            add_entry(timeline, "scale", i, at_s, "scale",
                      json_pack("{s:s,s:i}", "service", service, "desiredCount",
                                (int)draw_between(draw, 0, (unsigned)desired)));
            break;
        case 1:
            if (is_bad)
                draw_name(def, "bad", draw_between(draw, 0, plan->bad_count - 1));
            else
                (void)release(plan, def, number);
            add_entry(timeline, "deploy", i, at_s, "deploy",
                      json_pack("{s:s,s:s}", "service", service, "taskDefinition", def));
            break;
        case 2:
            add_entry(timeline, "force", i, at_s, "deploy", json_pack("{s:s}", "service", service));
            break;
        case 3:
            add_entry(timeline, "stop", i, at_s, "stopDeployment",
                      json_pack("{s:s,s:s}", "service", service, "stopType",
                                draw_chance(draw, 50) ? "ROLLBACK" : "ABORT"));
            break;
        case 4:
            add_entry(timeline, "protect", i, at_s, "protect",
                      json_pack("{s:s,s:i,s:i}", "service", service, "count",
                                (int)draw_between(draw, 1, 3), "expiresInMinutes",
                                (int)draw_between(draw, 1, PROTECTED_M)));
            break;
        case 5:
            add_entry(timeline, "alarm", i, at_s, "alarm",
                      json_pack("{s:s,s:s}", "name", ALARM, "state",
                                draw_chance(draw, 60) ? "ALARM" : "OK"));
            break;
        case 6:
            add_entry(timeline, "engine", i, at_s, "engineRestart", keeping(plan));
            break;
        case 8:
            add_entry(timeline, "continue", i, at_s, "continueDeployment",
                      json_pack("{s:s,s:s}", "service", service, "action",
                                is_bad ? "ROLLBACK" : "CONTINUE"));
            break;
        case 7:
            add_entry(timeline, "slow", i, at_s, "slow", slow(plan, at_s));
            break;
        default:
            add_entry(timeline, "drain", i, at_s, draw_chance(draw, 60) ? "drain" : "activate",
                      selector(plan));
            break;
        }
    }
}

/* Everybody comes back, and everything that was wrong is put right. */
static void add_heal(struct plan *plan, json_t *timeline, unsigned services)
{
    char service[32], def[32];
    for (unsigned i = 0; i < 2; i++) {
        add_entry(timeline, "heal-recover", i, plan->heal_s + i * BACK_S / 2, "recover",
                  json_pack("{s:f}", "share", 1.0));
        add_entry(timeline, "heal-activate", i, plan->heal_s + i * BACK_S / 2 + 1, "activate",
                  json_pack("{s:f}", "share", 1.0));
    }
    add_entry(timeline, "heal-alarm", 0, plan->heal_s - 1, "alarm",
              json_pack("{s:s,s:s}", "name", ALARM, "state", "OK"));
    for (unsigned i = 0; i < services; i++)
        add_entry(
            timeline, "heal-deploy", i, plan->heal_s + BACK_S, "deploy",
            json_pack("{s:s,s:s}", "service", draw_name(service, "s", i), "taskDefinition",
                      draw_name(def, "sound",
                                draw_between(&plan->draw, plan->is_careful[i] ? SOUND_COUNT - 1 : 0,
                                             SOUND_COUNT - 1))));
}

static void add_timeline(struct plan *plan, unsigned services)
{
    json_t *timeline = json_object();
    add_losses(plan, timeline);
    add_changes(plan, timeline, services);
    if (json_object_get(json_object_get(plan->root, "services"), "every") != NULL &&
        draw_chance(&plan->draw, 50))
        add_entry(timeline, "every", 0, draw_between(&plan->draw, 1, plan->heal_s - 1), "deploy",
                  json_pack("{s:s,s:s}", "service", "every", "taskDefinition", "daemon2"));
    add_heal(plan, timeline, services);
    json_object_set_new(plan->root, "timeline", timeline);
}

static void add_run(struct plan *plan, uint64_t seed)
{
    struct draw *draw = &plan->draw;
    unsigned steady_s = plan->heal_s + BACK_S + 1500 + 60 * PROTECTED_M + plan->waves_s,
             quiet_s = steady_s + 900;
    json_t *run = json_pack("{s:i,s:I,s:i,s:{s:i,s:i}}", "duration", (int)(quiet_s + QUIET_S),
                            "seed", (json_int_t)seed, "replications", 1, "audit", "steadyBy",
                            (int)steady_s, "quietFrom", (int)quiet_s);
    /* A machine that goes while nobody is connected leaves a zombie, which only this ends. */
    json_object_set_new(run, "instanceLostSeconds", json_integer(draw_between(draw, 1, 600)));
    if (plan->has_brake)
        json_object_set_new(run, "massDisconnectBrakePercent",
                            json_integer(draw_between(draw, 10, 60)));
    json_object_set_new(plan->root, "run", run);
    json_t *quotas = json_object();
    if (draw_chance(draw, 30))
        json_object_set_new(quotas, "launchRatePerMinute",
                            json_integer(draw_chance(draw, 30) ? 0 : draw_between(draw, 5, 60)));
    if (draw_chance(draw, 15))
        json_object_set_new(quotas, "api", json_true());
    json_object_set_new(plan->root, "quotas", quotas);
    json_object_set_new(plan->root, "delays",
                        json_pack("{s:o,s:o,s:o,s:o,s:i}", "boot",
                                  exponential(draw_between(draw, 1, 60), 120), "network",
                                  json_pack("{s:s,s:f,s:i}", "distribution", "exponential", "mean",
                                            draw_between(draw, 1, 500) / 1000.0, "atMost", 5),
                                  "containerStart", exponential(draw_between(draw, 1, 5), 30),
                                  "containerStop", exponential(draw_between(draw, 1, 10), 60),
                                  "disconnectDetect", (int)draw_between(draw, 5, 180)));
}

json_t *explore_generate(uint64_t seed, const struct explore_profile *profile, unsigned minutes)
{
    struct plan plan = {.profile = profile, .draw = {{.key = rng_key(seed, "explore", 0)}}};
    char name[64];
    snprintf(name, sizeof name, "explore-%s-%llu", profile->name, (unsigned long long)seed);
    plan.root = json_pack("{s:i,s:s}", "version", 1, "name", name);
    plan.heal_s = 60 * draw_between(&plan.draw, profile->minutes_least, profile->minutes_most);
    if (minutes > 0)
        plan.heal_s = 60 * minutes;
    plan.has_brake = draw_chance(&plan.draw, 15);
    add_fleet(&plan);
    add_definitions(&plan);
    add_target_groups(&plan);
    add_hooks(&plan);
    unsigned services = add_services(&plan);
    add_arrivals(&plan);
    add_timeline(&plan, services);
    if (draw_chance(&plan.draw, 70))
        add_faults(&plan);
    add_run(&plan, seed);
    return plan.root;
}
