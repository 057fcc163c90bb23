#include "sim/scenario/parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"terminate", "wipe", "stop", "hang", "disconnect", NULL};

void read_selector(const struct at *at, struct scenario_selector *out)
{
    struct at group = at_member(at, "fleet"), zone = at_member(at, "zone");
    struct at expression = at_member(at, "expression"), instance = at_member(at, "instance");
    struct at share = at_member(at, "share"), rack = at_member(at, "rack");
    out->group = at_text(&group);
    out->zone = at_text(&zone);
    out->rack = at_text(&rack);
    out->expression = at_text(&expression);
    out->instance = at_integer(&instance, 0, 1000000, -1);
    out->share = at_real(&share, 0, 1, 1);
}

void free_selector(struct scenario_selector *selector)
{
    mem_free(selector->group);
    mem_free(selector->zone);
    mem_free(selector->rack);
    mem_free(selector->expression);
}

static void read_scale(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "desiredCount", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), desired = at_member(at, "desiredCount");
    at_require(&service, "name one of services");
    at_require(&desired, "write the new desired count");
    out->service = at_text(&service);
    out->desired_count = (int32_t)at_integer(&desired, 0, 1000000, 0);
}

static void read_deploy(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "taskDefinition", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), definition = at_member(at, "taskDefinition");
    at_require(&service, "name one of services");
    out->service = at_text(&service);
    out->task_definition = at_text(&definition);
}

static void read_instances(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, NULL};
    if (at_object(at, known))
        read_selector(at, &out->select);
}

static void read_loss(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "mode", "for", NULL};
    if (!at_object(at, known))
        return;
    struct at mode = at_member(at, "mode"), duration = at_member(at, "for");
    read_selector(at, &out->select);
    out->mode = (enum loss_mode)at_choice(&mode, modes, LOSS_STOP);
    out->duration_ns = at_time(&duration, 0, READER_TIME_MAX, BERTH_NS_NEVER);
}

static void read_protect(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service",          "share", "count", "protectionEnabled",
                                        "expiresInMinutes", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), share = at_member(at, "share");
    struct at count = at_member(at, "count"), enabled = at_member(at, "protectionEnabled");
    struct at minutes = at_member(at, "expiresInMinutes");
    at_require(&service, "name one of services");
    if (share.json != NULL && count.json != NULL)
        at_fail(&share, "stands beside \"count\"; remove one");
    out->service = at_text(&service);
    out->protect.share = at_real(&share, 0, 1, 1);
    out->protect.count = at_integer(&count, 0, 1000000, -1);
    out->protect.is_taken_away = !at_boolean(&enabled, true);
    out->protect.minutes = (uint32_t)at_integer(&minutes, 1, 2880, 120);
}

/* ECS's stopType; ROLLBACK needs no option of the service. */
static void read_stop_deployment(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "stopType", NULL};
    static const char *const types[] = {"ROLLBACK", "ABORT", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), type = at_member(at, "stopType");
    at_require(&service, "name one of services");
    out->service = at_text(&service);
    out->rolls_back = at_choice(&type, types, 0) == 0;
}

static void read_continue_deployment(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"service", "hook", "action", NULL};
    static const char *const types[] = {"CONTINUE", "ROLLBACK", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), hook = at_member(at, "hook");
    struct at action = at_member(at, "action");
    at_require(&service, "name one of services");
    out->service = at_text(&service);
    out->hook = at_text(&hook);
    out->rolls_back = at_choice(&action, types, 0) == 1;
}

static void read_alarm(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"name", "state", NULL};
    static const char *const states[] = {"OK", "ALARM", NULL};
    if (!at_object(at, known))
        return;
    struct at name = at_member(at, "name"), state = at_member(at, "state");
    at_require(&name, "name the alarm");
    out->alarm = at_text(&name);
    out->is_alarm = at_choice(&state, states, 1) == 1;
}

static void read_engine(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "keeps", NULL};
    if (!at_object(at, known))
        return;
    struct at keeps = at_member(at, "keeps");
    read_selector(at, &out->select);
    out->keeps = at_boolean(&keeps, false);
}

static void read_slow(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "factor", "for", NULL};
    if (!at_object(at, known))
        return;
    struct at factor = at_member(at, "factor"), duration = at_member(at, "for");
    read_selector(at, &out->select);
    at_require(&factor, "write how many times as long everything takes, such as 10");
    out->factor = at_real(&factor, 0.001, 1e6, 1);
    out->duration_ns = at_time(&duration, 0, READER_TIME_MAX, BERTH_NS_NEVER);
}

static void read_partition(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "direction", "for", NULL};
    if (!at_object(at, known))
        return;
    read_selector(at, &out->select);
    read_fault(at, FAULT_PARTITION, &out->fault);
}

static void read_clog(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "for", NULL};
    if (!at_object(at, known))
        return;
    read_selector(at, &out->select);
    struct at duration = at_member(at, "for");
    out->fault.amount = (struct distribution){.p = {1, 0}, .max = 1}; /* of those selected: all */
    if (!at_distribution(&duration, QUANTITY_TIME, &out->fault.duration))
        out->fault.duration = (struct distribution){.p = {60, 0}, .max = 1e12};
}

static void read_crash(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"point", "for", NULL};
    if (at_object(at, known))
        read_fault(at, FAULT_CONTROLLER_CRASH, &out->fault);
}

static void read_jump(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"seconds", "direction", NULL};
    if (at_object(at, known))
        read_fault(at, FAULT_CLOCK_JUMP, &out->fault);
}

static void read_slow_disk(const struct at *at, struct scenario_timeline *out)
{
    static const char *const known[] = {"delay", "for", NULL};
    if (at_object(at, known))
        read_fault(at, FAULT_SLOW_DISK, &out->fault);
}

const char *const timeline_kind_names[TIMELINE_KIND_COUNT] = {
    [TIMELINE_SCALE] = "scale",
    [TIMELINE_DEPLOY] = "deploy",
    [TIMELINE_DRAIN] = "drain",
    [TIMELINE_ACTIVATE] = "activate",
    [TIMELINE_FAIL] = "fail",
    [TIMELINE_RECOVER] = "recover",
    [TIMELINE_PROTECT] = "protect",
    [TIMELINE_STOP_DEPLOYMENT] = "stopDeployment",
    [TIMELINE_CONTINUE_DEPLOYMENT] = "continueDeployment",
    [TIMELINE_CREATE_TASK_SET] = "createTaskSet",
    [TIMELINE_UPDATE_TASK_SET] = "updateTaskSet",
    [TIMELINE_PRIMARY_TASK_SET] = "updateServicePrimaryTaskSet",
    [TIMELINE_DELETE_TASK_SET] = "deleteTaskSet",
    [TIMELINE_ALARM] = "alarm",
    [TIMELINE_ENGINE] = "engineRestart",
    [TIMELINE_SLOW] = "slow",
    [TIMELINE_PARTITION] = "partition",
    [TIMELINE_CLOG] = "clog",
    [TIMELINE_CRASH] = "crashController",
    [TIMELINE_JUMP] = "clockJump",
    [TIMELINE_SLOW_DISK] = "slowDisk",
};

static void (*const readers[TIMELINE_KIND_COUNT])(const struct at *, struct scenario_timeline *) = {
    [TIMELINE_SCALE] = read_scale,
    [TIMELINE_DEPLOY] = read_deploy,
    [TIMELINE_DRAIN] = read_instances,
    [TIMELINE_ACTIVATE] = read_instances,
    [TIMELINE_FAIL] = read_loss,
    [TIMELINE_RECOVER] = read_instances,
    [TIMELINE_PROTECT] = read_protect,
    [TIMELINE_STOP_DEPLOYMENT] = read_stop_deployment,
    [TIMELINE_CONTINUE_DEPLOYMENT] = read_continue_deployment,
    [TIMELINE_CREATE_TASK_SET] = read_create_task_set,
    [TIMELINE_UPDATE_TASK_SET] = read_update_task_set,
    [TIMELINE_PRIMARY_TASK_SET] = read_primary_task_set,
    [TIMELINE_DELETE_TASK_SET] = read_delete_task_set,
    [TIMELINE_ALARM] = read_alarm,
    [TIMELINE_ENGINE] = read_engine,
    [TIMELINE_SLOW] = read_slow,
    [TIMELINE_PARTITION] = read_partition,
    [TIMELINE_CLOG] = read_clog,
    [TIMELINE_CRASH] = read_crash,
    [TIMELINE_JUMP] = read_jump,
    [TIMELINE_SLOW_DISK] = read_slow_disk,
};

/* "scale, deploy, ...", for the message that asks for one of them. */
static const char *list_kinds(struct text *list)
{
    for (int kind = 0; kind < TIMELINE_KIND_COUNT; kind++)
        text_addf(list, "%s%s", kind == 0 ? "" : ", ", timeline_kind_names[kind]);
    return list->bytes;
}

static void read_entry(const struct at *at, struct scenario_timeline *out)
{
    const char *known[TIMELINE_KIND_COUNT + 2] = {"at"};
    int found = TIMELINE_KIND_COUNT;
    memcpy(known + 1, timeline_kind_names, sizeof timeline_kind_names);
    out->name = mem_copy_text(at->key);
    out->select = (struct scenario_selector){.instance = -1, .share = 1};
    out->duration_ns = BERTH_NS_NEVER;
    if (!at_object(at, known))
        return;
    struct at time = at_member(at, "at");
    at_require(&time, "write when it happens");
    out->at_ns = at_time(&time, 0, READER_TIME_MAX, 0);
    for (int kind = 0; kind < TIMELINE_KIND_COUNT; kind++) {
        struct at member = at_member(at, timeline_kind_names[kind]);
        if (member.json == NULL)
            continue;
        if (found != TIMELINE_KIND_COUNT)
            at_fail(&member, "stands beside \"%s\"; an entry does one thing, make two of it",
                    timeline_kind_names[found]);
        found = kind;
    }
    if (found == TIMELINE_KIND_COUNT) {
        struct text list = TEXT_INIT;
        at_fail(at, "says not what happens; write one of %s", list_kinds(&list));
        text_free(&list);
    }
    if (at->reader->has_failed)
        return;
    struct at member = at_member(at, timeline_kind_names[found]);
    out->kind = (enum timeline_kind)found;
    readers[found](&member, out);
}

static int by_time(const void *left, const void *right)
{
    const struct scenario_timeline *a = left, *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

/* Insertion keeps equal times in the order of the file, which qsort need not; entries are few. */
static void sort_by_time(struct scenario_timeline *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct scenario_timeline item = items[i];
        uint32_t j = i;
        for (; j > 0 && by_time(&items[j - 1], &item) > 0; j--)
            items[j] = items[j - 1];
        items[j] = item;
    }
}

void read_timeline(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "timeline");
    size_t count;
    const char **names = at_names(&all, &count);
    if (count > 10000)
        at_fail(&all, "%zu entries; at most 10000 are read", count);
    out->timeline = mem_alloc((count + 1) * sizeof *out->timeline);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at entry = at_member(&all, names[i]);
        read_entry(&entry, &out->timeline[i]);
        out->timeline_count++;
    }
    sort_by_time(out->timeline, out->timeline_count);
    mem_free(names);
}

/* What has no part in a kind of failure is refused rather than ignored. */
static void refuse(const struct at *up, const char *key, const char *kind)
{
    struct at member = at_member(up, key);
    if (member.json != NULL)
        at_fail(&member, "has no meaning for kind \"%s\"; remove it", kind);
}

static void read_failure(const struct at *at, struct scenario_failure *out)
{
    static const char *const known[] = {SELECTOR_KEYS, "kind",      "mtbf", "mttr",
                                        "mode",        "repairers", NULL};
    static const char *const kinds[] = {"instance", "zone", "rack", "spot", "task", NULL};
    out->name = mem_copy_text(at->key);
    if (!at_object(at, known))
        return;
    struct at kind = at_member(at, "kind"), mode = at_member(at, "mode");
    struct at mtbf = at_member(at, "mtbf"), mttr = at_member(at, "mttr");
    struct at repairers = at_member(at, "repairers");
    at_require(&kind, "write \"instance\", \"zone\", \"rack\", \"spot\" or \"task\"");
    out->kind = (enum failure_kind)at_choice(&kind, kinds, FAILURE_INSTANCE);
    at_require(&mtbf, "write the time between failures");
    (void)at_interval(&mtbf, &out->mtbf);
    if (out->kind == FAILURE_TASK) {
        refuse(at, "mttr", "task");
        refuse(at, "repairers", "task");
    } else {
        at_require(&mttr, "write the time until it is back");
        (void)at_distribution(&mttr, QUANTITY_TIME, &out->mttr);
    }
    if (out->kind == FAILURE_TASK || out->kind == FAILURE_SPOT)
        refuse(at, "mode", kinds[out->kind]);
    out->mode = (enum loss_mode)at_choice(&mode, modes, LOSS_TERMINATE);
    out->repairers = (uint32_t)at_integer(&repairers, 1, 1000000, 0);
    read_selector(at, &out->select);
}

void read_failures(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "failures");
    size_t count;
    const char **names = at_names(&all, &count);
    out->failures = mem_alloc((count + 1) * sizeof *out->failures);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at failure = at_member(&all, names[i]);
        read_failure(&failure, &out->failures[i]);
        out->failure_count++;
    }
    mem_free(names);
}

static void free_timeline(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->timeline_count; i++) {
        struct scenario_timeline *entry = &scenario->timeline[i];
        mem_free(entry->name);
        mem_free(entry->service);
        mem_free(entry->task_definition);
        mem_free(entry->hook);
        mem_free(entry->task_set);
        mem_free(entry->alarm);
        free_selector(&entry->select);
        free_fault(&entry->fault);
    }
    mem_free(scenario->timeline);
}

static void free_failures(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->failure_count; i++) {
        struct scenario_failure *failure = &scenario->failures[i];
        mem_free(failure->name);
        free_selector(&failure->select);
        distribution_free(&failure->mtbf);
        distribution_free(&failure->mttr);
    }
    mem_free(scenario->failures);
}

void free_faults(struct scenario *scenario)
{
    free_timeline(scenario);
    free_failures(scenario);
}
