/*
 * read_chaos.c -- the key `faults`: kinds of faults, how often, how long, how hard, and to whom.
 *
 * A preset sets every kind that the file does not; what the file says of a kind replaces it whole.
 */
#include <float.h>
#include <string.h>

#include "sim/scenario/parts.h"

const char *const fault_kind_names[FAULT_KIND_COUNT] = {
    [FAULT_MESSAGE_LOSS] = "messageLoss",
    [FAULT_MESSAGE_DELAY] = "messageDelay",
    [FAULT_MESSAGE_DUPLICATE] = "messageDuplicate",
    [FAULT_MESSAGE_REORDER] = "messageReorder",
    [FAULT_PARTITION] = "partition",
    [FAULT_CLOG] = "clog",
    [FAULT_STALE_DETECTION] = "staleDetection",
    [FAULT_AGENT_FLAP] = "agentFlap",
    [FAULT_CONTROLLER_CRASH] = "controllerCrash",
    [FAULT_SLOW_DISK] = "slowDisk",
    [FAULT_DISK_FAILURE] = "diskFailure",
    [FAULT_CLOCK_JUMP] = "clockJump",
    [FAULT_INSTANCE_LOSS] = "instanceLoss",
    [FAULT_RACK_LOSS] = "rackLoss",
    [FAULT_ZONE_LOSS] = "zoneLoss",
    [FAULT_ENGINE_RESTART] = "engineRestart",
    [FAULT_SLOW_HOST] = "slowHost",
};

static const char *const directions[] = {"any", "both", "down", "up", NULL};
static const char *const points[] = {"any", "decided", "appended", "torn", "durable", "idle", NULL};
static const char *const detections[] = {"any", "late", "missed", NULL};
static const char *const jumps[] = {"any", "forward", "backward", NULL};
static const char *const modes[] = {"any", "terminate", "wipe", "stop", "hang", "disconnect", NULL};
static const char *const containers[] = {"any", "lost", "kept", NULL};
static const char *const scopes[] = {"host", "rack", "zone", "all", "any", NULL};

#define FIXED(value)                                                   \
    {                                                                  \
        DISTRIBUTION_CONSTANT, {(value), 0}, 0, DBL_MAX, NULL, NULL, 0 \
    }
#define FLAT(low, high)                                                  \
    {                                                                    \
        DISTRIBUTION_UNIFORM, {(low), (high)}, 0, DBL_MAX, NULL, NULL, 0 \
    }
#define ABOUT(mean, most)                                               \
    {                                                                   \
        DISTRIBUTION_EXPONENTIAL, {(mean), 0}, 0, (most), NULL, NULL, 0 \
    }

static const struct form {
    const char *amount; /* its key; NULL: it has none */
    bool is_time;
    double amount_max;
    struct distribution amount_default;
    const char *choice; /* its key, or NULL */
    const char *const *choices;
    bool lasts; /* `for` has a meaning */
    bool has_hosts;
    struct distribution duration_default;
    enum fault_scope scope_default;
    double harsh_rate; /* preset: up to so many an hour */
} forms[FAULT_KIND_COUNT] = {
    [FAULT_MESSAGE_LOSS] = {"probability", false, 1, FLAT(0.02, 0.5), NULL, NULL, true, true,
                            ABOUT(60, 600), SCOPE_ANY, 6},
    [FAULT_MESSAGE_DELAY] = {"delay", true, 1e9, ABOUT(3, 60), NULL, NULL, true, true,
                             ABOUT(60, 600), SCOPE_ANY, 6},
    [FAULT_MESSAGE_DUPLICATE] = {"probability", false, 1, FLAT(0.05, 0.5), NULL, NULL, true, true,
                                 ABOUT(60, 600), SCOPE_ANY, 6},
    [FAULT_MESSAGE_REORDER] = {"probability", false, 1, FLAT(0.05, 0.5), NULL, NULL, true, true,
                               ABOUT(60, 600), SCOPE_ANY, 6},
    [FAULT_PARTITION] = {NULL, false, 0, FIXED(0), "direction", directions, true, true,
                         ABOUT(120, 900), SCOPE_ANY, 8},
    [FAULT_CLOG] = {"part", false, 1, FLAT(0.1, 0.6), NULL, NULL, true, true, ABOUT(40, 300),
                    SCOPE_ALL, 4},
    [FAULT_STALE_DETECTION] = {NULL, false, 0, FIXED(0), "detection", detections, true, true,
                               ABOUT(120, 600), SCOPE_HOST, 6},
    [FAULT_AGENT_FLAP] = {"period", true, 1e9, FLAT(1, 20), NULL, NULL, true, true, ABOUT(60, 300),
                          SCOPE_HOST, 6},
    [FAULT_CONTROLLER_CRASH] = {NULL, false, 0, FIXED(0), "point", points, true, false,
                                ABOUT(20, 300), SCOPE_ALL, 12},
    [FAULT_SLOW_DISK] = {"delay", true, 1e9, ABOUT(0.5, 20), NULL, NULL, true, false,
                         ABOUT(120, 600), SCOPE_ALL, 4},
    [FAULT_DISK_FAILURE] = {NULL, false, 0, FIXED(0), NULL, NULL, true, false, ABOUT(2, 60),
                            SCOPE_ALL, 4},
    [FAULT_CLOCK_JUMP] = {"seconds", true, 1e9, FLAT(1, 7200), "direction", jumps, false, false,
                          FIXED(0), SCOPE_ALL, 4},
    [FAULT_INSTANCE_LOSS] = {NULL, false, 0, FIXED(0), "mode", modes, true, true, ABOUT(200, 1200),
                             SCOPE_HOST, 14},
    [FAULT_RACK_LOSS] = {NULL, false, 0, FIXED(0), "mode", modes, true, true, ABOUT(200, 900),
                         SCOPE_RACK, 3},
    [FAULT_ZONE_LOSS] = {NULL, false, 0, FIXED(0), "mode", modes, true, true, ABOUT(200, 900),
                         SCOPE_ZONE, 1.5},
    [FAULT_ENGINE_RESTART] = {NULL, false, 0, FIXED(0), "containers", containers, false, true,
                              FIXED(0), SCOPE_HOST, 8},
    [FAULT_SLOW_HOST] = {"factor", false, 1e6, FLAT(2, 20), NULL, NULL, true, true, ABOUT(200, 900),
                         SCOPE_HOST, 6},
};

void read_fault(const struct at *at, enum fault_kind kind, struct scenario_fault *out)
{
    const struct form *form = &forms[kind];
    struct at duration = at_member(at, "for");
    out->is_set = true;
    out->duration = form->duration_default;
    out->amount = form->amount_default;
    if (form->lasts && duration.json != NULL)
        (void)at_distribution(&duration, QUANTITY_TIME, &out->duration);
    if (form->choice != NULL) {
        struct at choice = at_member(at, form->choice);
        out->choice = (uint32_t)at_choice(&choice, form->choices, 0);
    }
    if (form->amount == NULL)
        return;
    struct at amount = at_member(at, form->amount);
    if (amount.json != NULL)
        (void)at_distribution(&amount, form->is_time ? QUANTITY_TIME : QUANTITY_SIZE, &out->amount);
    if (amount.json != NULL && out->amount.kind == DISTRIBUTION_CONSTANT &&
        out->amount.p[0] > form->amount_max)
        at_fail(&amount, "%g is above %g; write a smaller one", out->amount.p[0], form->amount_max);
}

static void read_kind(const struct at *at, enum fault_kind kind, struct scenario_fault *out)
{
    const struct form *form = &forms[kind];
    const char *known[16] = {"ratePerHour"};
    static const char *const host_keys[] = {SELECTOR_KEYS, "scope"};
    size_t count = 1;
    if (form->lasts)
        known[count++] = "for";
    if (form->amount != NULL)
        known[count++] = form->amount;
    if (form->choice != NULL)
        known[count++] = form->choice;
    for (size_t i = 0; form->has_hosts && i < sizeof host_keys / sizeof host_keys[0]; i++)
        known[count++] = host_keys[i];
    if (!at_object(at, known))
        return;
    struct at rate = at_member(at, "ratePerHour"), scope = at_member(at, "scope");
    at_require(&rate, "write how many faults come in an hour");
    (void)at_distribution(&rate, QUANTITY_SIZE, &out->rate_per_hour);
    read_fault(at, kind, out);
    out->scope = (enum fault_scope)at_choice(&scope, scopes, form->scope_default);
    if (form->has_hosts)
        read_selector(at, &out->select);
}

static void set_preset(struct scenario_faults *out, double of_harsh)
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        struct scenario_fault *fault = &out->kinds[kind];
        if (fault->is_set)
            continue;
        fault->is_set = true;
        fault->rate_per_hour = (struct distribution){.kind = DISTRIBUTION_UNIFORM,
                                                     .p = {0, forms[kind].harsh_rate * of_harsh},
                                                     .max = DBL_MAX};
        fault->duration = forms[kind].duration_default;
        fault->amount = forms[kind].amount_default;
        fault->scope = forms[kind].scope_default;
    }
}

void read_chaos(const struct at *root, struct scenario *out)
{
    static const char *const presets[] = {"none", "mild", "harsh", NULL};
    static const double of_harsh[] = {0, 0.15, 1};
    struct at all = at_member(root, "faults");
    const char *known[FAULT_KIND_COUNT + 4] = {"preset", "from", "until"};
    struct scenario_faults *faults = &out->faults;
    faults->until_ns = BERTH_NS_NEVER;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        known[kind + 3] = fault_kind_names[kind];
        faults->kinds[kind].select = (struct scenario_selector){.instance = -1, .share = 1};
    }
    if (all.json == NULL || !at_object(&all, known))
        return;
    struct at preset = at_member(&all, "preset"), from = at_member(&all, "from");
    struct at until = at_member(&all, "until");
    faults->from_ns = at_time(&from, 0, READER_TIME_MAX, 0);
    faults->until_ns = at_time(&until, 0, READER_TIME_MAX, BERTH_NS_NEVER);
    if (faults->until_ns <= faults->from_ns)
        at_fail(&until, "is before \"from\" or with it; write a later time");
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        struct at one = at_member(&all, fault_kind_names[kind]);
        if (one.json != NULL && !root->reader->has_failed)
            read_kind(&one, (enum fault_kind)kind, &faults->kinds[kind]);
    }
    size_t chosen = at_choice(&preset, presets, 0);
    if (chosen > 0)
        set_preset(faults, of_harsh[chosen]);
}

void free_fault(struct scenario_fault *fault)
{
    distribution_free(&fault->rate_per_hour);
    distribution_free(&fault->duration);
    distribution_free(&fault->amount);
    free_selector(&fault->select);
}

void free_chaos(struct scenario_faults *faults)
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        free_fault(&faults->kinds[kind]);
}
