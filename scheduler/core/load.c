/*
 * A controller from its records. Whatever records.c does not write is computed here again: lists,
 * figures, reservations in the cluster, indexes, heaps. Records may come from a damaged store, so
 * every number is checked before it is used as an index, and a wrong one is an error that names the
 * record; nothing is guessed.
 */
#include <stdio.h>
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/controller_internal.h"
#include "scheduler/core/records.h"
#include "scheduler/core/stopped.h"
#include "scheduler/core/transcript_fields.h"

struct loader {
    struct controller *controller; /* owned until it is handed out */
    task_def_decoder decode;
    struct berth_error *err;
    const char *key;  /* of the record at hand */
    struct text copy; /* its value, cut up in place */
    struct text_line line;
    task_id last_live; /* task loaded; their records come in this order */
    bool has_failed;   /* a field of it was missing or wrong; `err` says which */
};

static void wrong(struct loader *loader, const char *field)
{
    if (loader->has_failed)
        return;
    loader->has_failed = true;
    (void)berth_fail(loader->err, BERTH_ERR_INPUT,
                     "record %.300s: field %s is missing or wrong; restore the store from a copy",
                     loader->key, field);
}

static uint64_t get_u64(struct loader *loader, const char *field, uint64_t max)
{
    uint64_t value = 0;
    if (!text_get_u64(&loader->line, field, &value) || value > max)
        wrong(loader, field);
    return value > max ? 0 : value;
}

static int64_t get_i64(struct loader *loader, const char *field)
{
    int64_t value = 0;
    if (!text_get_i64(&loader->line, field, &value))
        wrong(loader, field);
    return value;
}

static int32_t get_amount(struct loader *loader, const char *field)
{
    return (int32_t)get_u64(loader, field, INT32_MAX);
}

/* So that adding any delay to a moment on the monotonic clock cannot overflow. */
#define MONO_NS_MAX (INT64_MAX / 4)

static berth_ns get_moment(struct loader *loader, const char *field)
{
    return (berth_ns)get_u64(loader, field, MONO_NS_MAX);
}

/* Absent: never. */
static berth_ns get_deadline(struct loader *loader, const char *field)
{
    return text_get(&loader->line, field) == NULL ? BERTH_NS_NEVER : get_moment(loader, field);
}

static const char *get_text(struct loader *loader, const char *field)
{
    const char *value = text_get(&loader->line, field);
    if (value == NULL)
        wrong(loader, field);
    return value == NULL ? "" : value;
}

static char *get_list(struct loader *loader, const char *field)
{
    return (char *)(uintptr_t)text_get(&loader->line, field);
}

/* Index of the field's value among `names`. */
static uint32_t get_word(struct loader *loader, const char *field, const char *const *names,
                         uint32_t count)
{
    const char *value = get_text(loader, field);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], value) == 0)
            return i;
    wrong(loader, field);
    return 0;
}

static symbol get_symbol(struct loader *loader, const char *field)
{
    return symbols_add(loader->controller->symbols, text_get(&loader->line, field));
}

static uint64_t get_revision(struct loader *loader)
{
    uint64_t revision = get_u64(loader, "rev", UINT64_MAX);
    if (revision > loader->controller->revision)
        loader->controller->revision = revision;
    return revision;
}

static void raise_to(uint64_t *counter, uint64_t value)
{
    if (value > *counter)
        *counter = value;
}

/* Threes: category, tokens taken, since when. */
static void load_buckets(struct loader *loader)
{
    for (char *rest = get_list(loader, "api"); rest != NULL;) {
        uint64_t category, taken, since;
        if (!list_next_u64(&rest, API_CATEGORY_COUNT - 1, &category) || rest == NULL ||
            !list_next_u64(&rest, api_categories[category].rule.burst, &taken) || rest == NULL ||
            !list_next_u64(&rest, INT64_MAX, &since)) {
            wrong(loader, "api");
            return;
        }
        loader->controller->api_buckets[category] =
            (struct bucket){(uint32_t)taken, (berth_ns)since};
    }
}

static void load_controller(struct loader *loader)
{
    struct controller *controller = loader->controller;
    if (strcmp(loader->line.word, "berth/1") != 0) {
        wrong(loader, "berth/1 (the version)");
        return;
    }
    (void)get_revision(loader);
    raise_to(&controller->last_task, get_u64(loader, "task", UINT64_MAX));
    raise_to(&controller->last_deployment, get_u64(loader, "deployment", UINT64_MAX));
    /* More services than a cluster ever sees: a damaged record must not ask for all the memory. */
    uint64_t services = get_u64(loader, "services", UINT64_C(1) << 24);
    while (controller->services.count < services) {
        *vec_push(&controller->services) = NULL;
        *vec_push(&controller->service_names) = SYMBOL_NONE;
    }
    for (char *rest = get_list(loader, "alarms"); rest != NULL;)
        alarm_set(controller, list_next(&rest));
    load_buckets(loader);
    controller->needs_own_record = false;
}

static void load_task_def(struct loader *loader)
{
    struct controller *controller = loader->controller;
    struct task_def *def = NULL;
    char reference[512];
    uint64_t at = get_revision(loader);
    const char *family = get_text(loader, "family");
    uint64_t revision = get_u64(loader, "revision", UINT32_MAX);
    uint64_t status = get_u64(loader, "status", TASK_DEF_DELETE_IN_PROGRESS);
    const char *document = get_text(loader, "document");
    if (loader->has_failed)
        return;
    if (loader->decode(document, &def, loader->err) != BERTH_OK) {
        loader->has_failed = true;
        (void)berth_fail_in(loader->err, "record %.300s: ", loader->key);
        return;
    }
    (void)snprintf(reference, sizeof reference, "%s:%llu", def->family,
                   (unsigned long long)revision);
    if (revision == 0 || strcmp(def->family, family) != 0 ||
        task_def_find(controller->task_defs, reference) != NULL) {
        task_def_destroy(def);
        wrong(loader, "revision");
        return;
    }
    def->revision = (uint32_t)revision;
    def->status = (enum task_def_status)status;
    *vec_push(&controller->def_records) =
        (struct def_record){task_def_restore(controller->task_defs, def), at};
}

static void load_group(struct loader *loader)
{
    struct controller *controller = loader->controller;
    struct group_state state = {.exists = true};
    state.revision = get_revision(loader);
    state.stream.key = get_u64(loader, "key", UINT64_MAX);
    state.stream.counter = get_u64(loader, "counter", UINT64_MAX);
    state.emitted_counter = state.stream.counter;
    symbol name = get_symbol(loader, "name");
    uint64_t number = 0;
    if (name == SYMBOL_NONE || !number_parse(loader->key + strlen("group/"), UINT32_MAX, &number) ||
        number != controller->groups.count)
        wrong(loader, "name");
    if (loader->has_failed)
        return;
    if (cluster_group(controller->cluster, name) != number) {
        wrong(loader, "name");
        return;
    }
    *vec_push(&controller->groups) = state;
}

/* So many numbers of a list; a list that is not there leaves them as they are. */
static void load_numbers(struct loader *loader, const char *field, uint32_t *const *out,
                         size_t count)
{
    char *rest = get_list(loader, field);
    uint64_t number;
    if (rest == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!list_next_u64(&rest, UINT32_MAX, &number)) {
            wrong(loader, field);
            return;
        }
        *out[i] = (uint32_t)number;
    }
}

static void load_group_scaling(struct loader *loader, struct provider *provider)
{
    provider->is_managed = get_u64(loader, "managed", 1) != 0;
    provider->protects = get_u64(loader, "protects", 1) != 0;
    provider->drains = get_u64(loader, "drains", 1) != 0;
    provider->bounds.target_percent = (uint32_t)get_u64(loader, "target", 100);
    provider->bounds.step_min = (uint32_t)get_u64(loader, "step-min", 10000);
    provider->bounds.step_max = (uint32_t)get_u64(loader, "step-max", 10000);
    provider->warm_up_ns = get_moment(loader, "warm-up");
    provider->created_ns = get_moment(loader, "created");
    provider->wanted = (uint32_t)get_u64(loader, "wanted", UINT32_MAX);
    provider->reservation_milli = get_u64(loader, "reservation", UINT64_MAX);
    provider->tick_ns = get_deadline(loader, "tick");
    provider->newest_ns = get_deadline(loader, "newest");
    provider->scaled_out_ns = get_deadline(loader, "scaled-out");
    provider->low_since_ns = get_deadline(loader, "low-since");
    if (provider->bounds.target_percent == 0 || provider->bounds.step_min == 0 ||
        provider->bounds.step_min > provider->bounds.step_max)
        wrong(loader, "target");
}

static void load_provider(struct loader *loader)
{
    struct controller *controller = loader->controller;
    symbol name = get_symbol(loader, "name");
    enum provider_kind kind =
        (enum provider_kind)get_word(loader, "kind", provider_kind_names, PROVIDER_KIND_COUNT);
    if (name == SYMBOL_NONE || provider_find(controller, name) != NULL ||
        controller->providers.count == SHARES_MAX)
        wrong(loader, "name");
    if (loader->has_failed)
        return;
    struct provider *provider = provider_new(controller, name, kind);
    provider->revision = get_revision(loader);
    load_group_scaling(loader, provider);
    load_numbers(loader, "default",
                 (uint32_t *const[]){&provider->default_place, &provider->default_weight,
                                     &provider->default_base},
                 3);
    load_numbers(loader, "group",
                 (uint32_t *const[]){&provider->in_service, &provider->launching,
                                     &provider->minimum, &provider->maximum},
                 4);
    provider->is_told = text_get(&loader->line, "group") != NULL;
    for (char *rest = get_list(loader, "zones"); rest != NULL;)
        *vec_push(&provider->zones) =
            (struct provider_zone){symbols_add(controller->symbols, list_next(&rest)), MAP_INIT};
    if (provider->default_place > SHARES_MAX)
        wrong(loader, "default");
    if (is_fargate(kind) != (provider->zones.count > 0))
        wrong(loader, "zones");
}

/* The instance's part in its provider; the figures of both follow from its tasks. */
static void load_membership(struct loader *loader, instance_id id)
{
    struct controller *controller = loader->controller;
    const struct instance *instance = cluster_instance(controller->cluster, id);
    struct host *host = host_of(controller, id);
    if (instance->status == INSTANCE_INACTIVE || instance->pool == SYMBOL_NONE)
        return;
    if (provider_find(controller, instance->pool) == NULL) {
        wrong(loader, "provider");
        return;
    }
    if (text_get(&loader->line, "leave") != NULL)
        host->leave = (enum host_leave)get_u64(loader, "leave", HOST_IS_ASKED);
    host->leave_by_ns = get_deadline(loader, "leave-by");
    if (host->leave_by_ns != BERTH_NS_NEVER)
        heap_set(&controller->leave_deadlines, id, host->leave_by_ns);
    capacity_instance_came(controller, id);
}

enum { LOADED_PORTS_MAX = 256, LOADED_ATTRIBUTES_MAX = 1024 };

static uint16_t load_ports(struct loader *loader, const char *field, uint16_t *ports)
{
    char *rest = get_list(loader, field);
    uint16_t count = 0;
    uint64_t port;
    while (rest != NULL) {
        if (count == LOADED_PORTS_MAX || !list_next_u64(&rest, UINT16_MAX, &port) ||
            (count > 0 && port <= ports[count - 1])) {
            wrong(loader, field);
            return 0;
        }
        ports[count++] = (uint16_t)port;
    }
    return count;
}

static uint32_t load_attributes(struct loader *loader, struct attribute *attributes)
{
    struct symbols *symbols = loader->controller->symbols;
    char *rest = get_list(loader, "attributes");
    uint32_t count = 0;
    while (rest != NULL) {
        char *item = list_next(&rest);
        symbol name = symbols_add(symbols, list_next(&item));
        for (uint32_t i = 0; i < count; i++)
            if (attributes[i].name == name)
                wrong(loader, "attributes");
        if (count == LOADED_ATTRIBUTES_MAX)
            wrong(loader, "attributes");
        if (loader->has_failed)
            return 0;
        attributes[count++] = (struct attribute){name, symbols_add(symbols, list_next(&item))};
    }
    return count;
}

static void load_instance_state(struct loader *loader, instance_id id, uint64_t revision)
{
    struct controller *controller = loader->controller;
    struct host *host = host_of(controller, id);
    cluster_set_status(controller->cluster, id,
                       (enum instance_status)get_word(loader, "status", instance_status_names,
                                                      INSTANCE_STATUS_COUNT));
    cluster_set_connected(controller->cluster, id, get_u64(loader, "connected", 1) != 0);
    host->revision = revision;
    host->last_seq = get_u64(loader, "seq", INT64_MAX);
    host->lost_ns = get_deadline(loader, "lost");
    host->is_held = text_get(&loader->line, "held") != NULL;
    if (host->is_held && host->lost_ns == BERTH_NS_NEVER)
        wrong(loader, "held");
    if (host->lost_ns != BERTH_NS_NEVER)
        heap_set(host->is_held ? &controller->held : &controller->host_deadlines, id,
                 host->lost_ns);
    brake_count(controller, id);
}

static void load_instance(struct loader *loader)
{
    struct controller *controller = loader->controller;
    uint16_t tcp[LOADED_PORTS_MAX], udp[LOADED_PORTS_MAX];
    struct attribute *attributes =
        arena_alloc(&controller->arena, LOADED_ATTRIBUTES_MAX * sizeof *attributes);
    uint64_t revision = get_revision(loader), number;
    uint32_t count = cluster_instance_count(controller->cluster);
    struct instance_spec spec = {
        .name = get_text(loader, "name"),
        .ec2_id = text_get(&loader->line, "ec2"),
        .agent_version = text_get(&loader->line, "version"),
        .cpu_units = get_amount(loader, "cpu"),
        .mem_mib = get_amount(loader, "memory"),
        .gpu_count = (uint16_t)get_u64(loader, "gpus", GPU_DEVICES_MAX),
        .eni_limit = (uint16_t)get_u64(loader, "enis", UINT16_MAX),
        .tcp_ports_used = tcp,
        .udp_ports_used = udp,
        .attributes = attributes,
        .registered_wall_ns = get_i64(loader, "registered"),
        .pool = get_symbol(loader, "provider"),
        .is_dedicated = text_get(&loader->line, "dedicated") != NULL,
    };
    spec.tcp_port_count = load_ports(loader, "tcp", tcp);
    spec.udp_port_count = load_ports(loader, "udp", udp);
    spec.attribute_count = load_attributes(loader, attributes);
    if (!number_parse(loader->key + strlen("instance/"), UINT32_MAX, &number) || number != count)
        wrong(loader, "(the key)");
    if (count > 0) {
        symbol last = cluster_instance(controller->cluster, count - 1)->name;
        if (strcmp(spec.name, symbols_text(controller->symbols, last)) <= 0)
            wrong(loader, "name");
    }
    if (loader->has_failed)
        return;
    instance_id id = cluster_add_instance(controller->cluster, &spec);
    load_instance_state(loader, id, revision);
    load_membership(loader, id);
}

/* The specs of a list, lent by it; returns how many. */
static size_t load_strategies(struct loader *loader, char *list,
                              struct placement_strategy_spec *specs)
{
    size_t count = 0;
    while (list != NULL && *list != '\0') {
        char *item = list_next(&list);
        if (count == PLACEMENT_STRATEGIES_MAX) {
            wrong(loader, "strategies");
            return 0;
        }
        specs[count].type = list_next(&item);
        specs[count++].field = list_next(&item);
    }
    return count;
}

static size_t load_constraints(struct loader *loader, char *list,
                               struct placement_constraint_spec *specs)
{
    size_t count = 0;
    while (list != NULL && *list != '\0') {
        char *item = list_next(&list);
        if (count == PLACEMENT_CONSTRAINTS_MAX) {
            wrong(loader, "constraints");
            return 0;
        }
        specs[count].type = list_next(&item);
        specs[count++].expression = list_next(&item);
    }
    return count;
}

static struct plan *load_plan(struct loader *loader, const struct task_def *def, char *strategies,
                              char *constraints, enum placement_default when_empty)
{
    struct placement_strategy_spec strategy[PLACEMENT_STRATEGIES_MAX];
    struct placement_constraint_spec constraint[PLACEMENT_CONSTRAINTS_MAX];
    struct plan *plan = NULL;
    size_t strategy_count = load_strategies(loader, strategies, strategy);
    size_t constraint_count = load_constraints(loader, constraints, constraint);
    if (!loader->has_failed &&
        plan_get(loader->controller, def, strategy, strategy_count, constraint, constraint_count,
                 when_empty, &plan, loader->err) != BERTH_OK) {
        loader->has_failed = true;
        (void)berth_fail_in(loader->err, "record %.300s: ", loader->key);
    }
    return plan;
}

static const struct task_def *load_def(struct loader *loader, const char *reference)
{
    const struct task_def *def = strchr(reference, ':') == NULL
                                     ? NULL
                                     : task_def_find(loader->controller->task_defs, reference);
    if (def == NULL)
        wrong(loader, "def");
    return def;
}

/* A live deployment before its own record is read: only its number is known. */
static void load_live(struct loader *loader, struct service *service)
{
    char *rest = get_list(loader, "deployments");
    uint64_t number;
    while (rest != NULL) {
        if (!list_next_u64(&rest, UINT64_MAX, &number) || number == 0 ||
            deployment_find(service, number) != NULL) {
            wrong(loader, "deployments");
            return;
        }
        struct deployment *deployment = deployment_new(service, number);
        deployment->is_live = true;
        service_add_live(service, deployment);
    }
}

static void load_target_groups(struct loader *loader, struct deployment *deployment)
{
    for (char *rest = get_list(loader, "target-groups"); rest != NULL;) {
        if (deployment->target_group_count == TARGET_GROUPS_MAX) {
            wrong(loader, "target-groups");
            return;
        }
        deployment->target_groups[deployment->target_group_count++] =
            symbols_add(loader->controller->symbols, list_next(&rest));
    }
}

static void load_strategy(struct loader *loader, struct deployment *deployment)
{
    struct controller *controller = loader->controller;
    for (char *rest = get_list(loader, "providers"); rest != NULL;) {
        char *item = list_next(&rest);
        symbol name = symbols_add(controller->symbols, list_next(&item));
        uint64_t weight = 0, base = 0;
        if (!list_next_u64(&item, SHARE_WEIGHT_MAX, &weight) ||
            !list_next_u64(&item, SHARE_BASE_MAX, &base) ||
            provider_find(controller, name) == NULL || deployment->providers.count == SHARES_MAX) {
            wrong(loader, "providers");
            return;
        }
        *vec_push(&deployment->providers) =
            (struct provider_item){name, (uint32_t)weight, (uint32_t)base, 0};
    }
}

static bool load_run(struct loader *loader, char *item, struct hook_run *run)
{
    uint64_t call = 0, again = 0, deadline = 0, is_pause = 0, continues = 0, is_done = 0;
    const char *name = list_next(&item);
    if (name == NULL || !list_next_u64(&item, UINT64_MAX, &call) ||
        !list_next_u64(&item, MONO_NS_MAX, &again) ||
        !list_next_u64(&item, MONO_NS_MAX, &deadline) || !list_next_u64(&item, 1, &is_pause) ||
        !list_next_u64(&item, 1, &continues) || !list_next_u64(&item, 1, &is_done))
        return false;
    *run = (struct hook_run){.name = symbols_add(loader->controller->symbols, name),
                             .call = call,
                             .again_ns = again == 0 ? BERTH_NS_NEVER : (berth_ns)again,
                             .deadline_ns = (berth_ns)deadline,
                             .is_pause = is_pause != 0,
                             .continues = continues != 0,
                             .is_done = is_done != 0};
    return true;
}

static void load_staging(struct loader *loader, struct staging *staging)
{
    char *rest = get_list(loader, "listeners");
    uint64_t permille = 0, asked = 0, is_pending = 0;
    staging->stage =
        (enum deployment_stage)get_word(loader, "stage", deployment_stage_names, STAGE_COUNT);
    staging->is_active = get_u64(loader, "active", 1) != 0;
    staging->is_reversing = get_u64(loader, "reversing", 1) != 0;
    staging->step = (uint32_t)get_u64(loader, "step", 1000);
    staging->blue = get_u64(loader, "blue", UINT64_MAX);
    staging->since_ns = get_moment(loader, "since");
    staging->calls = get_u64(loader, "calls", UINT64_MAX);
    for (int i = 0; i < 2; i++) {
        if (!list_next_u64(&rest, 1000, &permille) || !list_next_u64(&rest, 1000, &asked) ||
            !list_next_u64(&rest, 1, &is_pending))
            wrong(loader, "listeners");
        staging->listeners[i] =
            (struct listener){(uint32_t)permille, (uint32_t)asked, is_pending != 0};
    }
    for (rest = get_list(loader, "runs"); rest != NULL && !loader->has_failed;)
        if (staging->run_count == HOOKS_MAX ||
            !load_run(loader, list_next(&rest), &staging->runs[staging->run_count++]))
            wrong(loader, "runs");
}

static void load_deployment_state(struct loader *loader, struct deployment *deployment)
{
    deployment->record_revision = get_revision(loader);
    deployment->source = get_u64(loader, "source", UINT64_MAX);
    deployment->failures = (uint32_t)get_u64(loader, "failures", UINT32_MAX);
    deployment->throttled_until_ns = get_moment(loader, "throttled");
    deployment->rollout =
        (enum rollout_state)get_word(loader, "rollout", rollout_state_names, ROLLOUT_COUNT);
    deployment->status = (enum service_deployment_status)get_word(
        loader, "status", service_deployment_status_names, SERVICE_DEPLOYMENT_STATUS_COUNT);
    deployment->cause =
        (enum rollout_cause)get_word(loader, "cause", rollout_cause_names, ROLLOUT_CAUSE_COUNT);
    deployment->failed_count = (uint32_t)get_u64(loader, "failed", UINT32_MAX);
    if (text_get(&loader->line, "rolls-back") != NULL)
        deployment->rolls_back = get_u64(loader, "rolls-back", UINT64_MAX);
    if (text_get(&loader->line, "rolled-back-to") != NULL)
        deployment->rolled_back_to = get_u64(loader, "rolled-back-to", UINT64_MAX);
    deployment->ignores_alarms = text_get(&loader->line, "ignores-alarms") != NULL;
    deployment->unplaced_ns = get_deadline(loader, "unplaced");
    if (text_get(&loader->line, "stage") != NULL)
        load_staging(loader, &deployment->staging);
    if (deployment->service->controller == CONTROLLER_EXTERNAL)
        deployment->scale_permille = (uint32_t)get_u64(loader, "scale", 1000);
    deployment->bake_until_ns = get_deadline(loader, "bake-until");
    deployment->matured_ns = get_deadline(loader, "matured");
    deployment->created_wall_ns = get_i64(loader, "created");
    deployment->emitted.updated_wall_ns = get_i64(loader, "updated");
    load_target_groups(loader, deployment);
    load_strategy(loader, deployment);
}

/* "deployment/SERVICE/NUMBER": the service, whose own record is there already. */
static struct service *deployment_owner(struct loader *loader, uint64_t *number)
{
    char key[64];
    uint64_t id = 0;
    (void)snprintf(key, sizeof key, "%s", loader->key + strlen("deployment/"));
    char *slash = strchr(key, '/');
    if (slash != NULL)
        *slash = '\0';
    if (slash == NULL || !number_parse(key, UINT32_MAX, &id) ||
        !number_parse(slash + 1, UINT64_MAX, number) || *number == 0 ||
        id >= loader->controller->services.count ||
        loader->controller->services.items[id] == NULL) {
        wrong(loader, "(the key)");
        return NULL;
    }
    return loader->controller->services.items[id];
}

static void load_deployment(struct loader *loader)
{
    uint64_t number = 0;
    struct service *service = deployment_owner(loader, &number);
    const struct task_def *def = load_def(loader, get_text(loader, "def"));
    if (loader->has_failed)
        return;
    char *strategies = get_list(loader, "strategies");
    struct plan *plan = load_plan(loader, def, strategies, get_list(loader, "constraints"),
                                  PLACEMENT_DEFAULT_SERVICE);
    if (plan == NULL)
        return;
    struct deployment *deployment = deployment_find(service, number);
    if (deployment == NULL)
        deployment = deployment_new(service, number);
    if (deployment->plan != NULL) {
        wrong(loader, "(the key)");
        return;
    }
    deployment->def = def;
    deployment->plan = plan;
    plan_hold(loader->controller, plan);
    raise_to(&loader->controller->last_deployment, number);
    load_deployment_state(loader, deployment);
}

/* All deployments are there: what of a service rests on them. */
static void finish_services(struct loader *loader)
{
    struct controller *controller = loader->controller;
    for (size_t at = 0; at < controller->services.count && !loader->has_failed; at++) {
        struct service *service = controller->services.items[at];
        if (service == NULL)
            continue;
        berth_ns blocked_ns = service->blocked_since_ns;
        loader->key = symbols_text(controller->symbols, service->name);
        service->blocked_since_ns = BERTH_NS_NEVER;
        for (size_t i = 0; i < service->deployments.count; i++) {
            struct deployment *deployment = service->deployments.items[i];
            if (deployment->plan == NULL)
                wrong(loader, "deployments");
            if (deployment->staging.is_active && service->green != NULL)
                wrong(loader, "active");
            else if (deployment->staging.is_active)
                stages_set_active(deployment, true);
        }
        if (!loader->has_failed)
            service_set_blocked(controller, service, blocked_ns);
        service->is_record_dirty = false;
    }
}

static void load_told(struct loader *loader, struct service *service)
{
    char *rest = get_list(loader, "told");
    uint64_t kind, at;
    while (rest != NULL) {
        if (!list_next_u64(&rest, SERVICE_EVENT_KIND_COUNT - 1, &kind) ||
            !list_next_u64(&rest, MONO_NS_MAX, &at)) {
            wrong(loader, "told");
            return;
        }
        service->told_ns[kind] = (berth_ns)at;
        service->told |= UINT32_C(1) << kind;
    }
}

static void load_launched(struct loader *loader, struct service *service)
{
    char *rest = get_list(loader, "launched");
    uint64_t taken, since;
    if (rest == NULL)
        return;
    if (!list_next_u64(&rest, UINT32_MAX, &taken) || !list_next_u64(&rest, MONO_NS_MAX, &since) ||
        taken == 0) {
        wrong(loader, "launched");
        return;
    }
    service->launch_bucket = (struct bucket){(uint32_t)taken, (berth_ns)since};
}

static void load_rebalance(struct loader *loader, struct service *service)
{
    char *rest = get_list(loader, "rebalancing");
    uint64_t is_enabled = 0, is_under_way = 0, is_blocked = 0, mover = 0;
    if (rest == NULL)
        return;
    if (!list_next_u64(&rest, 1, &is_enabled) || !list_next_u64(&rest, 1, &is_under_way) ||
        !list_next_u64(&rest, 1, &is_blocked) || !list_next_u64(&rest, UINT64_MAX, &mover)) {
        wrong(loader, "rebalancing");
        return;
    }
    service->rebalance.is_enabled = is_enabled != 0;
    service->rebalance.is_under_way = is_under_way != 0;
    service->rebalance.mover = mover;
    rebalance_set_blocked(loader->controller, service, is_blocked != 0);
}

static void load_seats(struct loader *loader, struct service *service)
{
    uint32_t count = cluster_instance_count(loader->controller->cluster);
    char *rest = get_list(loader, "seats");
    while (service->daemon.seats.count < count)
        *vec_push(&service->daemon.seats) = (struct daemon_seat){.task = NULL};
    while (rest != NULL) {
        char *run = list_next(&rest);
        char *dash = strchr(run, '-');
        uint64_t first, last;
        if (dash != NULL)
            *dash = '\0';
        if (dash == NULL || !number_parse(run, UINT32_MAX, &first) ||
            !number_parse(dash + 1, UINT32_MAX, &last) || last >= count) {
            wrong(loader, "seats");
            return;
        }
        for (uint64_t at = first; at <= last; at++) {
            service->daemon.wanted_count += !service->daemon.seats.items[at].is_wanted;
            service->daemon.seats.items[at].is_wanted = true;
        }
    }
}

static void load_settings(struct loader *loader, struct service *service)
{
    struct deployment_settings settings = {.strategy = DEPLOY_ROLLING};
    struct transcript_scratch *scratch = transcript_scratch_create();
    struct field_reader reader = {&loader->line, loader->copy.bytes, scratch, NULL, loader->err};
    if (fields_read(&reader, &settings_table, &settings) != BERTH_OK) {
        loader->has_failed = true;
        (void)berth_fail_in(loader->err, "record %.300s: ", loader->key);
    } else if (settings_check(&settings, loader->err) != BERTH_OK) {
        loader->has_failed = true;
        (void)berth_fail_in(loader->err, "record %.300s: ", loader->key);
    } else {
        settings_copy(loader->controller, &service->settings, &settings);
    }
    transcript_scratch_destroy(scratch);
}

static void load_external(struct loader *loader, struct service *service)
{
    struct placement_strategy_spec strategy[PLACEMENT_STRATEGIES_MAX];
    struct placement_constraint_spec constraint[PLACEMENT_CONSTRAINTS_MAX];
    struct event_service specs = {.strategies = strategy, .constraints = constraint};
    specs.strategy_count =
        (uint16_t)load_strategies(loader, get_list(loader, "strategies"), strategy);
    specs.constraint_count =
        (uint16_t)load_constraints(loader, get_list(loader, "constraints"), constraint);
    service->primary_task_set = get_u64(loader, "primary-set", UINT64_MAX);
    specs_set(loader->controller, &service->specs, &specs);
}

static void load_service_parts(struct loader *loader, struct service *service)
{
    struct controller *controller = loader->controller;
    static const char *const schedulings[] = {"REPLICA", "DAEMON"};
    service->scheduling = (enum scheduling_strategy)get_word(loader, "scheduling", schedulings, 2);
    service->revision = get_revision(loader);
    service->desired_count = (uint32_t)get_u64(loader, "desired", UINT32_MAX);
    service->minimum_percent = (uint32_t)get_u64(loader, "minimum", 100);
    service->maximum_percent = (uint32_t)get_u64(loader, "maximum", UINT32_MAX);
    service->launches = get_u64(loader, "launches", UINT64_MAX);
    service->created_wall_ns = get_i64(loader, "created");
    if (text_get(&loader->line, "weighted") != NULL)
        service->weighted = (uint8_t)get_u64(loader, "weighted", 3);
    if (text_get(&loader->line, "clearing") != NULL)
        service->clearing = (uint8_t)get_u64(loader, "clearing", 3);
    if ((service->weighted & service->clearing) != 0)
        wrong(loader, "clearing");
    service->grace_ns = get_moment(loader, "grace");
    load_told(loader, service);
    load_launched(loader, service);
    load_rebalance(loader, service);
    service->controller =
        text_get(&loader->line, "external") != NULL ? CONTROLLER_EXTERNAL : CONTROLLER_ECS;
    load_settings(loader, service);
    load_live(loader, service);
    if (service->controller == CONTROLLER_EXTERNAL)
        load_external(loader, service);
    else if (service->deployments.count == 0)
        wrong(loader, "deployments");
    if (loader->has_failed)
        return;
    service->blocked_since_ns = get_deadline(loader, "blocked"); /* queued in finish_services */
    service_set_deadline(controller, service, get_deadline(loader, "deadline"));
    if (service->scheduling == SCHEDULING_DAEMON) {
        *vec_push(&controller->daemons) = service->id;
        load_seats(loader, service);
        if (service->daemon.wanted_count != service->desired_count)
            wrong(loader, "seats");
    }
    service->is_new = false;
}

static void load_service(struct loader *loader)
{
    struct controller *controller = loader->controller;
    uint64_t id = get_u64(loader, "id", 100000000);
    uint64_t group = get_u64(loader, "group", UINT32_MAX);
    symbol name = get_symbol(loader, "name");
    if (name == SYMBOL_NONE || map_get(&controller->service_by_name, name) != MAP_ABSENT)
        wrong(loader, "name");
    if (id < controller->services.count && controller->services.items[id] != NULL)
        wrong(loader, "id");
    if (group >= controller->groups.count)
        wrong(loader, "group");
    if (loader->has_failed)
        return;
    load_service_parts(loader, service_new(controller, (service_id)id, name, (group_id)group));
}

static void load_gpus(struct loader *loader, struct task *task)
{
    struct gpu_request gpus[GPU_DEVICES_MAX];
    struct gpu_grant grants[GPU_DEVICES_MAX];
    uint64_t milli = 0, device = 0;
    task->gpus = task->def->demand.gpus;
    task->gpu_count = (uint8_t)task->def->demand.gpu_count;
    if (text_get(&loader->line, "overrides-gpus") != NULL) {
        task->overrides_gpus = true;
        task->gpu_count = 0;
        for (char *rest = get_list(loader, "gpus"); rest != NULL;) {
            if (task->gpu_count == GPU_DEVICES_MAX || !list_next_u64(&rest, UINT32_MAX, &milli)) {
                wrong(loader, "gpus");
                return;
            }
            gpus[task->gpu_count++].milli = (uint32_t)milli;
        }
        task->gpus = intern_bytes(loader->controller, gpus, task->gpu_count * sizeof *gpus);
    }
    for (char *rest = get_list(loader, "grants"); rest != NULL;) {
        if (task->grant_count == GPU_DEVICES_MAX ||
            !list_next_u64(&rest, GPU_DEVICES_MAX - 1, &device) ||
            !list_next_u64(&rest, BERTH_GPU_MILLI, &milli)) {
            wrong(loader, "grants");
            return;
        }
        grants[task->grant_count++] = (struct gpu_grant){(uint16_t)device, (uint16_t)milli};
    }
    task->grants = intern_bytes(loader->controller, grants, task->grant_count * sizeof *grants);
}

static void load_owner(struct loader *loader, struct task *task)
{
    struct controller *controller = loader->controller;
    if (text_get(&loader->line, "service") == NULL)
        return;
    task->service = (service_id)get_u64(loader, "service", UINT32_MAX - 1);
    task->deployment_number = get_u64(loader, "deployment", UINT64_MAX);
    raise_to(&controller->last_deployment, task->deployment_number);
    if (task->service >= controller->services.count) {
        wrong(loader, "service");
        return;
    }
    struct service *service = controller->services.items[task->service];
    if (service == NULL)
        return; /* Deleted; its tasks are ending. */
    for (size_t i = 0; i < service->deployments.count; i++)
        if (service->deployments.items[i]->number == task->deployment_number)
            task->deployment = service->deployments.items[i];
    if (task->deployment == NULL || task->deployment->def != task->def ||
        !task->deployment->is_live) {
        task->deployment = NULL;
        wrong(loader, "deployment");
        return;
    }
    task_list_append(&task->deployment->tasks, task, LIST_OWNER);
}

static void load_place(struct loader *loader, struct task *task)
{
    struct controller *controller = loader->controller;
    instance_id id = (instance_id)get_u64(loader, "instance", UINT32_MAX - 1);
    struct demand demand = task_demand(task);
    if (id >= cluster_instance_count(controller->cluster)) {
        wrong(loader, "instance");
        return;
    }
    const struct instance *instance = cluster_instance(controller->cluster, id);
    if (!task->def->demand.needs_eni &&
        (task->status == TASK_PROVISIONING || task->status == TASK_DEPROVISIONING)) {
        wrong(loader, "status");
        return;
    }
    if (instance->status == INSTANCE_INACTIVE ||
        !cluster_restore_reservation(controller->cluster, id, &demand, task->grants,
                                     task->grant_count)) {
        wrong(loader, "instance");
        return;
    }
    struct host *host = host_of(controller, id);
    raise_to(&host->last_seq, task->seq);
    task->instance = id;
    if (task->desired_running)
        cluster_join(controller->cluster, id, task->group);
    task->is_draining = task->service != SERVICE_NONE && instance->status == INSTANCE_DRAINING;
    task_ids_add(&host->tasks, task->id);
    if (task->status == TASK_RUNNING)
        host_set_running(controller, id, host->running + 1);
    struct service *service = task->deployment == NULL ? NULL : task->deployment->service;
    if (service == NULL || service->scheduling != SCHEDULING_DAEMON) {
        host_set_ordinary(controller, id, host->ordinary + 1);
        return;
    }
    if (service->daemon.seats.items[id].task != NULL)
        wrong(loader, "instance");
    service->daemon.seats.items[id].task = task;
}

static void load_wait(struct loader *loader, struct task *task)
{
    struct controller *controller = loader->controller;
    char *strategies = get_list(loader, "strategies");
    struct plan *plan = load_plan(loader, task->def, strategies, get_list(loader, "constraints"),
                                  task->service == SERVICE_NONE ? PLACEMENT_DEFAULT_STANDALONE
                                                                : PLACEMENT_DEFAULT_SERVICE);
    if (task->status != TASK_PROVISIONING ||
        (task->service != SERVICE_NONE &&
         (task->deployment == NULL || task->provider == SYMBOL_NONE)))
        wrong(loader, "status");
    if (plan == NULL || loader->has_failed)
        return;
    struct demand demand = task_demand(task);
    waiting_add(controller, task,
                waiting_class(controller, plan, task->group, task->provider, &demand));
}

/* A provider of a task that has not ended is there, and one of Fargate's has named a zone. */
static void load_capacity(struct loader *loader, struct task *task)
{
    struct controller *controller = loader->controller;
    task->provider = get_symbol(loader, "provider");
    task->zone = get_symbol(loader, "zone");
    const struct provider *provider = provider_find(controller, task->provider);
    bool is_waiting = text_get(&loader->line, "instance") == NULL && task->provider != SYMBOL_NONE;
    if ((is_waiting && provider == NULL) ||
        (provider != NULL && is_fargate(provider->kind) != (task->zone != SYMBOL_NONE)) ||
        (provider == NULL && task->zone != SYMBOL_NONE && is_waiting))
        wrong(loader, "provider");
}

/* Absent: 0, not yet. */
static berth_ns get_wall(struct loader *loader, const char *field)
{
    return text_get(&loader->line, field) == NULL ? 0 : get_i64(loader, field);
}

static void load_targets(struct loader *loader, struct task *task)
{
    symbol groups[TARGET_GROUPS_MAX];
    enum target_state states[TARGET_GROUPS_MAX];
    uint32_t count = 0;
    for (char *rest = get_list(loader, "targets"); rest != NULL; count++) {
        const char *name = list_next(&rest), *state = list_next(&rest);
        uint32_t at = 0;
        while (state != NULL && at < TARGET_STATE_COUNT &&
               strcmp(state, target_state_names[at]) != 0)
            at++;
        if (count == TARGET_GROUPS_MAX || state == NULL || at == TARGET_STATE_COUNT) {
            wrong(loader, "targets");
            return;
        }
        groups[count] = symbols_add(loader->controller->symbols, name);
        states[count] = (enum target_state)at;
    }
    targets_set(loader->controller, task, groups, states, count);
    if ((count > 0 && task->status < TASK_ACTIVATING) ||
        (count == 0 && (task->status == TASK_ACTIVATING || task->status == TASK_DEACTIVATING)))
        wrong(loader, "targets");
}

static void load_health(struct loader *loader, struct task *task)
{
    load_targets(loader, task);
    if (text_get(&loader->line, "health") != NULL)
        task->health = (uint8_t)get_word(loader, "health", task_health_names, TASK_HEALTH_COUNT);
    task->is_unhealthy = text_get(&loader->line, "unhealthy") != NULL;
}

static void load_task_fields(struct loader *loader, struct task *task)
{
    task->revision = get_revision(loader);
    task->status =
        (enum task_status)get_word(loader, "status", task_status_names, TASK_STATUS_COUNT);
    task->desired_running = task->status <= TASK_RUNNING;
    task->version = (uint32_t)get_u64(loader, "version", UINT32_MAX);
    task->reference = get_u64(loader, "reference", UINT64_MAX);
    task->seq = get_u64(loader, "seq", INT64_MAX);
    if (text_get(&loader->line, "report") != NULL)
        task->report_seq = get_u64(loader, "report", UINT64_MAX);
    task->cpu_units = get_amount(loader, "cpu");
    task->mem_mib = get_amount(loader, "memory");
    task->requested_mono_ns = get_moment(loader, "requested");
    task->created_wall_ns = get_i64(loader, "created");
    task->running_mono_ns = get_deadline(loader, "running");
    task->pull_started_ns = get_wall(loader, "pull-started");
    task->pull_stopped_ns = get_wall(loader, "pull-stopped");
    task->started_ns = get_wall(loader, "started");
    task->stopping_ns = get_wall(loader, "stopping");
    load_health(loader, task);
    task->started_by = get_symbol(loader, "started-by");
    task->stop_text = get_symbol(loader, "stop-text");
    task->group = (group_id)get_u64(loader, "group", UINT32_MAX);
    if (!task->desired_running) {
        task->stop_code =
            (enum stop_code)get_word(loader, "stop-code", stop_code_names, STOP_CODE_COUNT);
        task->stop_reason =
            (enum stop_reason)get_word(loader, "stop-reason", stop_reason_names, STOP_REASON_COUNT);
        if (task->stop_code == STOP_NONE)
            wrong(loader, "stop-code");
        if (text_get(&loader->line, "exit-code") != NULL)
            task->exit_code = (int32_t)get_i64(loader, "exit-code");
    }
    if (task->status == TASK_RUNNING && task->running_mono_ns == BERTH_NS_NEVER)
        wrong(loader, "running");
    if (task->group >= loader->controller->groups.count ||
        !loader->controller->groups.items[task->group].exists)
        wrong(loader, "group");
    if (task->status == TASK_STOPPED)
        wrong(loader, "status");
}

static void load_protection(struct loader *loader, struct task *task)
{
    berth_ns until_ns = get_deadline(loader, "protected");
    if (until_ns == BERTH_NS_NEVER)
        return;
    if (task->deployment == NULL || !task->desired_running) {
        wrong(loader, "protected");
        return;
    }
    task->protected_until_ns = until_ns;
    heap_set(&loader->controller->protections, task->slot, until_ns);
    task->deployment->service->protected_count++;
}

static void load_stopped_targets(struct loader *loader, struct stopped_task *task)
{
    symbol groups[TARGET_GROUPS_MAX];
    for (char *rest = get_list(loader, "target-groups"); rest != NULL; task->target_count++) {
        if (task->target_count == TARGET_GROUPS_MAX) {
            wrong(loader, "target-groups");
            return;
        }
        groups[task->target_count] = symbols_add(loader->controller->symbols, list_next(&rest));
    }
    task->target_groups =
        intern_bytes(loader->controller, groups, task->target_count * sizeof *groups);
    task->leaves_targets = text_get(&loader->line, "leaves-targets") != NULL;
    task->leaves_interface = text_get(&loader->line, "leaves-interface") != NULL;
}

static void load_stopped_end(struct loader *loader, struct stopped_task *task)
{
    task->stop_code = (uint8_t)get_word(loader, "stop-code", stop_code_names, STOP_CODE_COUNT);
    task->stop_reason =
        (uint8_t)get_word(loader, "stop-reason", stop_reason_names, STOP_REASON_COUNT);
    if (task->stop_code == STOP_NONE)
        wrong(loader, "stop-code");
    task->stop_text = get_symbol(loader, "stop-text");
    task->provider = get_symbol(loader, "provider");
    if (text_get(&loader->line, "verdict") != NULL)
        task->verdict =
            (uint8_t)get_word(loader, "verdict", placement_verdict_names, PLACEMENT_VERDICT_COUNT);
    if (text_get(&loader->line, "health") != NULL)
        task->health = (uint8_t)get_word(loader, "health", task_health_names, TASK_HEALTH_COUNT);
    if (text_get(&loader->line, "exit-code") != NULL)
        task->exit_code = (int32_t)get_i64(loader, "exit-code");
}

static void load_stopped_place(struct loader *loader, struct stopped_task *task)
{
    const struct controller *controller = loader->controller;
    task->service = SERVICE_NONE;
    task->instance = INSTANCE_NONE;
    if (text_get(&loader->line, "service") != NULL) {
        task->service = (service_id)get_u64(loader, "service", UINT32_MAX - 1);
        task->deployment = get_u64(loader, "deployment", UINT64_MAX);
    }
    if (text_get(&loader->line, "instance") != NULL)
        task->instance = (instance_id)get_u64(loader, "instance", UINT32_MAX - 1);
    task->group = (group_id)get_u64(loader, "group", UINT32_MAX);
    if (task->group >= controller->groups.count || !controller->groups.items[task->group].exists)
        wrong(loader, "group");
    if (task->service != SERVICE_NONE && task->service >= controller->services.count)
        wrong(loader, "service");
    if (task->instance != INSTANCE_NONE &&
        task->instance >= cluster_instance_count(controller->cluster))
        wrong(loader, "instance");
}

/* One that has ended: its place in the order follows when all are there. */
static void load_stopped(struct loader *loader, task_id id, const struct task_def *def)
{
    struct stopped_task *task = stopped_push(loader->controller, id);
    task->def = def;
    task->revision = get_revision(loader);
    task->stopped_mono_ns = get_moment(loader, "at");
    task->version = (uint32_t)get_u64(loader, "version", UINT32_MAX);
    task->reference = get_u64(loader, "reference", UINT64_MAX);
    task->cpu_units = get_amount(loader, "cpu");
    task->mem_mib = get_amount(loader, "memory");
    task->gpu_milli = (uint32_t)get_u64(loader, "gpu-milli", UINT32_MAX);
    task->created_wall_ns = get_i64(loader, "created");
    task->pull_started_ns = get_wall(loader, "pull-started");
    task->pull_stopped_ns = get_wall(loader, "pull-stopped");
    task->started_ns = get_wall(loader, "started");
    task->stopping_ns = get_wall(loader, "stopping");
    task->stopped_ns = get_wall(loader, "stopped");
    load_stopped_place(loader, task);
    load_stopped_end(loader, task);
    load_stopped_targets(loader, task);
    raise_to(&loader->controller->last_deployment, task->deployment);
}

static void load_task(struct loader *loader)
{
    struct controller *controller = loader->controller;
    uint64_t id = 0;
    const struct task_def *def = load_def(loader, get_text(loader, "def"));
    if (!number_parse(loader->key + strlen("task/"), UINT64_MAX, &id) || id == TASK_NONE ||
        id <= loader->last_live)
        wrong(loader, "(the key)");
    if (loader->has_failed)
        return;
    if (id_table_get(&controller->tasks, id) != ID_ABSENT) {
        wrong(loader, "(the key)");
        return;
    }
    raise_to(&controller->last_task, id);
    if (strcmp(loader->line.word, "stopped") == 0) {
        load_stopped(loader, id, def);
        return;
    }
    struct task *task = task_alloc(controller, id);
    loader->last_live = id;
    task->def = def;
    load_task_fields(loader, task);
    load_capacity(loader, task);
    load_gpus(loader, task);
    if (!loader->has_failed)
        load_owner(loader, task);
    bool is_placed = text_get(&loader->line, "instance") != NULL;
    if (!is_placed && (task->grant_count > 0 || task->target_count > 0))
        wrong(loader, "instance"); /* Who waits holds nothing. */
    if (loader->has_failed)
        return;
    if (task->desired_running)
        capacity_zone_count(controller, task, 1);
    if (!is_placed && task->zone != SYMBOL_NONE)
        task_list_append(&controller->machines, task, LIST_UNPLACED);
    else if (!is_placed)
        load_wait(loader, task);
    else
        load_place(loader, task);
    task_settle_health(task);
    task->told_health = (uint8_t)task_health_of(task);
    task_count(task);
    load_protection(loader, task);
}

static void load_scaling(struct loader *loader)
{
    (void)get_revision(loader);
    const char *field = loader->has_failed ? NULL : scaling_read(loader->controller, &loader->line);
    if (field != NULL)
        wrong(loader, field);
}

/* In the order in which one kind of record refers to another. */
static const struct {
    const char *prefix;
    void (*load)(struct loader *loader);
} kinds[] = {
    {"taskdef/", load_task_def},      {"controller", load_controller},
    {"group/", load_group},           {"provider/", load_provider},
    {"instance/", load_instance},     {"service/", load_service},
    {"deployment/", load_deployment}, {"task/", load_task},
    {"scaling/", load_scaling},
};

static bool load_one(struct loader *loader, const struct record *record,
                     void (*load)(struct loader *loader))
{
    loader->key = record->key;
    text_clear(&loader->copy);
    text_add(&loader->copy, record->value);
    if (text_parse_line(loader->copy.bytes, &loader->line, loader->err) != BERTH_OK) {
        (void)berth_fail_in(loader->err, "record %.300s: ", loader->key);
        return false;
    }
    load(loader);
    arena_reset(&loader->controller->arena);
    return !loader->has_failed;
}

static bool is_known_key(const char *key)
{
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        if (strncmp(key, kinds[kind].prefix, strlen(kinds[kind].prefix)) == 0)
            return true;
    return false;
}

static bool load_all(struct loader *loader, const struct record *records, size_t record_count)
{
    for (size_t i = 0; i < record_count; i++)
        if (!is_known_key(records[i].key)) {
            loader->key = records[i].key;
            wrong(loader, "(the key)");
            return false;
        }
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t i = 0; i < record_count; i++)
            if (strncmp(records[i].key, kinds[kind].prefix, strlen(kinds[kind].prefix)) == 0 &&
                !load_one(loader, &records[i], kinds[kind].load))
                return false;
        if (kinds[kind].load == load_deployment)
            finish_services(loader);
    }
    return !loader->has_failed;
}

/* What follows from all records together. */
static void settle(struct controller *controller)
{
    controller->is_capacity_dirty = false;
    for (size_t i = 0; i < controller->providers.count; i++)
        controller->providers.items[i].is_dirty = false;
    for (size_t at = 0; at < controller->services.count; at++) {
        struct service *service = controller->services.items[at];
        if (service == NULL)
            continue;
        service->emitted = service_view_of(service);
        for (size_t i = 0; i < service->revisions.count; i++) {
            struct deployment *deployment = service->revisions.items[i];
            deployment->emitted.rollout = deployment->rollout;
            deployment->emitted = deployment_view_of(deployment);
        }
        for (size_t i = 0; i < service->daemon.seats.count; i++) {
            struct daemon_seat *seat = &service->daemon.seats.items[i];
            seat->is_blocked = seat->is_wanted && seat->task == NULL;
            service->daemon.blocked_count += seat->is_blocked;
        }
    }
}

enum berth_err controller_load(const struct controller_options *options,
                               const struct record *records, size_t record_count,
                               task_def_decoder decode, struct controller **out,
                               struct berth_error *err)
{
    struct loader loader = {.decode = decode, .err = err};
    loader.controller = controller_create(options);
    bool is_loaded = load_all(&loader, records, record_count);
    if (is_loaded && !stopped_settle(loader.controller)) {
        loader.key = "task/";
        wrong(&loader, "at");
        is_loaded = false;
    }
    text_free(&loader.copy);
    if (!is_loaded) {
        controller_destroy(loader.controller);
        return err->code;
    }
    settle(loader.controller);
    *out = loader.controller;
    return BERTH_OK;
}
