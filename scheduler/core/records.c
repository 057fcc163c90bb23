/*
 * Records: the state as lines of text, one for each thing that changes by itself.
 *
 *     controller                       counters that no other record holds any longer
 *     deployment/00000002/0..023       a deployment of service 2, with its service revision
 *     group/00000003                   a task group's random stream
 *     instance/00000012                a container instance
 *     scaling/NAME                     a service's auto scaling
 *     provider/NAME                    a capacity provider
 *     service/NAME                     a service; its live deployments by number
 *     task/0000000000000123            a task, or one that has ended within the hour
 *     taskdef/FAMILY/00000007          a task definition, its document whole
 *
 * Every record holds the revision of its last change, so the highest one is the controller's, and
 * after a deletion the controller's own record is written: a counter can always be read off what is
 * there. Figures, queues and indexes are not stored. Deadlines are, in monotonic nanoseconds.
 */
#include "scheduler/core/records.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/stopped.h"
#include "scheduler/core/transcript_fields.h"
#include "scheduler/model/values.h"

void list_add(struct text *list, const char *item)
{
    text_add(list, list->length > 0 ? "," : "");
    if (*item == '\0') {
        text_add(list, "%00"); /* So that one empty item differs from no list. */
        return;
    }
    while (*item != '\0') {
        size_t plain = strcspn(item, ",%");
        text_add_n(list, item, plain);
        item += plain;
        if (*item != '\0')
            text_add(list, *item++ == ',' ? "%2C" : "%25");
    }
}

void list_add_u64(struct text *list, uint64_t item)
{
    if (list->length > 0)
        text_add_n(list, ",", 1);
    text_add_u64(list, item);
}

char *list_next(char **rest)
{
    char *item = *rest, *out = item, *in = item;
    if (item == NULL)
        return NULL;
    for (; *in != '\0' && *in != ','; in++) {
        if (in[0] == '%' && in[1] == '2' && (in[2] == 'C' || in[2] == '5')) {
            *out++ = in[2] == 'C' ? ',' : '%';
            in += 2;
        } else if (in[0] == '%' && in[1] == '0' && in[2] == '0') {
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *rest = *in == ',' ? in + 1 : NULL;
    *out = '\0';
    return item;
}

bool number_parse(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return number <= max;
}

bool list_next_u64(char **rest, uint64_t max, uint64_t *out)
{
    const char *item = list_next(rest);
    return item != NULL && number_parse(item, max, out);
}

static void field_list(struct text *out, const char *name, struct text *list)
{
    if (list->length > 0)
        text_field(out, name, list->bytes);
    text_clear(list);
}

static void field_ns(struct text *out, const char *name, berth_ns value_ns)
{
    if (value_ns != BERTH_NS_NEVER)
        text_field_i64(out, name, value_ns);
}

static void field_symbol(struct text *out, const struct controller *controller, const char *name,
                         symbol value)
{
    text_field(out, name, symbols_text(controller->symbols, value));
}

static void write_controller(const struct controller *controller, struct text *out)
{
    text_word(out, "berth/1");
    text_field_u64(out, "rev", controller->revision);
    text_field_u64(out, "task", controller->last_task);
    text_field_u64(out, "deployment", controller->last_deployment);
    text_field_u64(out, "services", controller->services.count);
    struct text alarms = TEXT_INIT;
    for (size_t i = 0; i < controller->alarms.count; i++)
        list_add(&alarms, symbols_text(controller->symbols, controller->alarms.items[i]));
    field_list(out, "alarms", &alarms);
    text_free(&alarms);
    struct text buckets = TEXT_INIT;
    for (int i = 0; i < API_CATEGORY_COUNT; i++) {
        const struct bucket *bucket = &controller->api_buckets[i];
        if (bucket->taken == 0)
            continue;
        list_add_u64(&buckets, (uint64_t)i);
        list_add_u64(&buckets, bucket->taken);
        list_add_u64(&buckets, (uint64_t)bucket->since_ns);
    }
    field_list(out, "api", &buckets);
    text_free(&buckets);
}

static void write_group(const struct controller *controller, group_id group, struct text *out)
{
    const struct group_state *state = &controller->groups.items[group];
    text_word(out, "group");
    text_field_u64(out, "rev", state->revision);
    field_symbol(out, controller, "name", cluster_group_name(controller->cluster, group));
    text_field_u64(out, "key", state->stream.key);
    text_field_u64(out, "counter", state->stream.counter);
}

static void list_ports(struct text *list, const struct port_set *set)
{
    for (uint16_t i = 0; i < set->count; i++)
        list_add_u64(list, set->ports[i]);
}

static void list_attributes(struct text *list, const struct controller *controller,
                            const struct instance *instance)
{
    struct text item = TEXT_INIT;
    for (uint32_t i = 0; i < instance->attributes->count; i++) {
        const char *value = symbols_text(controller->symbols, instance->attributes->items[i].value);
        text_clear(&item);
        list_add(&item, symbols_text(controller->symbols, instance->attributes->items[i].name));
        if (value != NULL)
            list_add(&item, value);
        list_add(list, item.bytes);
    }
    text_free(&item);
}

static void write_provider(const struct controller *controller, const struct provider *provider,
                           struct text *out)
{
    struct text list = TEXT_INIT;
    text_word(out, "provider");
    text_field_u64(out, "rev", provider->revision);
    field_symbol(out, controller, "name", provider->name);
    text_field(out, "kind", provider_kind_names[provider->kind]);
    text_field_u64(out, "managed", provider->is_managed);
    text_field_u64(out, "protects", provider->protects);
    text_field_u64(out, "drains", provider->drains);
    text_field_u64(out, "target", provider->bounds.target_percent);
    text_field_u64(out, "step-min", provider->bounds.step_min);
    text_field_u64(out, "step-max", provider->bounds.step_max);
    text_field_i64(out, "warm-up", provider->warm_up_ns);
    text_field_i64(out, "created", provider->created_ns);
    for (size_t i = 0; i < provider->zones.count; i++)
        list_add(&list, symbols_text(controller->symbols, provider->zones.items[i].name));
    field_list(out, "zones", &list);
    if (provider->default_place > 0) {
        list_add_u64(&list, provider->default_place);
        list_add_u64(&list, provider->default_weight);
        list_add_u64(&list, provider->default_base);
    }
    field_list(out, "default", &list);
    if (provider->is_told) {
        list_add_u64(&list, provider->in_service);
        list_add_u64(&list, provider->launching);
        list_add_u64(&list, provider->minimum);
        list_add_u64(&list, provider->maximum);
    }
    field_list(out, "group", &list);
    text_field_u64(out, "wanted", provider->wanted);
    text_field_u64(out, "reservation", provider->reservation_milli);
    field_ns(out, "tick", provider->tick_ns);
    field_ns(out, "newest", provider->newest_ns);
    field_ns(out, "scaled-out", provider->scaled_out_ns);
    field_ns(out, "low-since", provider->low_since_ns);
    text_free(&list);
}

static void write_instance(const struct controller *controller, instance_id id, struct text *out)
{
    const struct host *host = &controller->hosts.items[id];
    const struct instance *instance = cluster_instance(controller->cluster, id);
    struct text list = TEXT_INIT;
    text_word(out, "instance");
    text_field_u64(out, "rev", host->revision);
    field_symbol(out, controller, "name", instance->name);
    field_symbol(out, controller, "ec2", instance->ec2_id);
    field_symbol(out, controller, "version", instance->agent_version);
    text_field(out, "status", instance_status_names[instance->status]);
    text_field_u64(out, "connected", instance->is_agent_connected);
    text_field_u64(out, "seq", host->last_seq);
    field_ns(out, "lost", host->lost_ns);
    if (host->is_held)
        text_field_u64(out, "held", 1);
    text_field_i64(out, "registered", instance->registered_wall_ns);
    text_field_i64(out, "cpu", instance->cpu_registered);
    text_field_i64(out, "memory", instance->mem_registered);
    text_field_u64(out, "gpus", instance->gpu_count);
    text_field_u64(out, "enis", instance->eni_limit);
    list_ports(&list, cluster_own_ports(controller->cluster, id, true));
    field_list(out, "tcp", &list);
    list_ports(&list, cluster_own_ports(controller->cluster, id, false));
    field_list(out, "udp", &list);
    list_attributes(&list, controller, instance);
    field_list(out, "attributes", &list);
    field_symbol(out, controller, "provider", instance->pool);
    if (instance->is_dedicated)
        text_field_u64(out, "dedicated", 1);
    if (host->leave != HOST_STAYS)
        text_field_u64(out, "leave", host->leave);
    field_ns(out, "leave-by", host->leave_by_ns);
    text_free(&list);
}

static void list_given(const struct placement_strategy_spec *strategy, uint16_t strategy_count,
                       const struct placement_constraint_spec *constraint,
                       uint16_t constraint_count, struct text *strategies, struct text *constraints)
{
    struct text item = TEXT_INIT;
    for (uint16_t i = 0; i < strategy_count; i++) {
        text_clear(&item);
        list_add(&item, strategy[i].type);
        if (strategy[i].field != NULL)
            list_add(&item, strategy[i].field);
        list_add(strategies, item.bytes);
    }
    for (uint16_t i = 0; i < constraint_count; i++) {
        text_clear(&item);
        list_add(&item, constraint[i].type);
        if (constraint[i].expression != NULL)
            list_add(&item, constraint[i].expression);
        list_add(constraints, item.bytes);
    }
    text_free(&item);
}

static void list_specs(const struct plan *plan, struct text *strategies, struct text *constraints)
{
    list_given(plan->strategies, plan->strategy_count, plan->constraints, plan->constraint_count,
               strategies, constraints);
}

static void field_def(struct text *out, const struct task_def *def)
{
    text_field(out, "def", def->family);
    text_add_n(out, ":", 1); /* Neither this nor digits are escaped. */
    text_add_u64(out, def->revision);
}

static void list_target_groups(const struct controller *controller,
                               const struct deployment *deployment, struct text *list)
{
    for (uint16_t i = 0; i < deployment->target_group_count; i++)
        list_add(list, symbols_text(controller->symbols, deployment->target_groups[i]));
}

/* "NAME,WEIGHT,BASE", one item each. */
static void list_providers(const struct controller *controller, const struct deployment *deployment,
                           struct text *list)
{
    struct text item = TEXT_INIT;
    for (size_t i = 0; i < deployment->providers.count; i++) {
        const struct provider_item *provider = &deployment->providers.items[i];
        text_clear(&item);
        list_add(&item, symbols_text(controller->symbols, provider->provider));
        list_add_u64(&item, provider->weight);
        list_add_u64(&item, provider->base);
        list_add(list, item.bytes);
    }
    text_free(&item);
}

/* name, call, again, deadline, pause, continues, done; again may be never: then empty */
static void list_hook_run(struct text *list, const struct controller *controller,
                          const struct hook_run *run)
{
    struct text item = TEXT_INIT;
    list_add(&item, symbols_text(controller->symbols, run->name));
    list_add_u64(&item, run->call);
    list_add_u64(&item, run->again_ns == BERTH_NS_NEVER ? 0 : (uint64_t)run->again_ns);
    list_add_u64(&item, (uint64_t)run->deadline_ns);
    list_add_u64(&item, run->is_pause);
    list_add_u64(&item, run->continues);
    list_add_u64(&item, run->is_done);
    list_add(list, item.bytes);
    text_free(&item);
}

static void write_staging(const struct controller *controller, const struct staging *staging,
                          struct text *out)
{
    struct text list = TEXT_INIT;
    text_field(out, "stage", deployment_stage_names[staging->stage]);
    text_field_u64(out, "active", staging->is_active);
    text_field_u64(out, "reversing", staging->is_reversing);
    text_field_u64(out, "step", staging->step);
    text_field_u64(out, "blue", staging->blue);
    text_field_i64(out, "since", staging->since_ns);
    text_field_u64(out, "calls", staging->calls);
    for (int i = 0; i < 2; i++) {
        list_add_u64(&list, staging->listeners[i].permille);
        list_add_u64(&list, staging->listeners[i].asked);
        list_add_u64(&list, staging->listeners[i].is_pending);
    }
    field_list(out, "listeners", &list);
    for (uint16_t i = 0; i < staging->run_count; i++)
        list_hook_run(&list, controller, &staging->runs[i]);
    field_list(out, "runs", &list);
    text_free(&list);
}

static void write_deployment(const struct controller *controller,
                             const struct deployment *deployment, struct text *out)
{
    struct text strategies = TEXT_INIT, constraints = TEXT_INIT;
    text_word(out, "deployment");
    text_field_u64(out, "rev", deployment->record_revision);
    text_field_u64(out, "source", deployment->source);
    field_def(out, deployment->def);
    list_target_groups(controller, deployment, &strategies);
    field_list(out, "target-groups", &strategies);
    list_providers(controller, deployment, &strategies);
    field_list(out, "providers", &strategies);
    list_specs(deployment->plan, &strategies, &constraints);
    field_list(out, "strategies", &strategies);
    field_list(out, "constraints", &constraints);
    text_field_u64(out, "failures", deployment->failures);
    text_field_i64(out, "throttled", deployment->throttled_until_ns);
    text_field(out, "rollout", rollout_state_names[deployment->rollout]);
    text_field(out, "status", service_deployment_status_names[deployment->status]);
    text_field(out, "cause", rollout_cause_names[deployment->cause]);
    text_field_u64(out, "failed", deployment->failed_count);
    if (deployment->rolls_back != 0)
        text_field_u64(out, "rolls-back", deployment->rolls_back);
    if (deployment->rolled_back_to != 0)
        text_field_u64(out, "rolled-back-to", deployment->rolled_back_to);
    if (deployment->ignores_alarms)
        text_field_u64(out, "ignores-alarms", 1);
    if (deployment->staging.since_ns != BERTH_NS_NEVER)
        write_staging(controller, &deployment->staging, out);
    if (deployment->service->controller == CONTROLLER_EXTERNAL)
        text_field_u64(out, "scale", deployment->scale_permille);
    field_ns(out, "unplaced", deployment->unplaced_ns);
    field_ns(out, "bake-until", deployment->bake_until_ns);
    field_ns(out, "matured", deployment->matured_ns);
    text_field_i64(out, "created", deployment->created_wall_ns);
    text_field_i64(out, "updated", deployment->emitted.updated_wall_ns);
    text_free(&strategies);
    text_free(&constraints);
}

/* Runs of wanted seats: "0-4999,5003-5003". */
static void list_seats(struct text *list, const struct daemon *daemon)
{
    char run[64];
    for (size_t first = 0, last; first < daemon->seats.count; first = last + 1) {
        last = first;
        if (!daemon->seats.items[first].is_wanted)
            continue;
        while (last + 1 < daemon->seats.count && daemon->seats.items[last + 1].is_wanted)
            last++;
        (void)snprintf(run, sizeof run, "%zu-%zu", first, last);
        list_add(list, run);
    }
}

/* enabled, under way, blocked, the mover */
static void write_rebalance(const struct service *service, struct text *out)
{
    const struct rebalance *state = &service->rebalance;
    struct text list = TEXT_INIT;
    if (!state->is_enabled && !state->is_under_way && state->mover == TASK_NONE)
        return;
    list_add_u64(&list, state->is_enabled);
    list_add_u64(&list, state->is_under_way);
    list_add_u64(&list, state->is_blocked);
    list_add_u64(&list, state->mover);
    field_list(out, "rebalancing", &list);
    text_free(&list);
}

static void write_external(const struct service *service, struct text *out)
{
    const struct placement_specs *specs = &service->specs;
    struct text strategies = TEXT_INIT, constraints = TEXT_INIT;
    text_field_u64(out, "external", 1);
    text_field_u64(out, "primary-set", service->primary_task_set);
    list_given(specs->strategies, specs->strategy_count, specs->constraints,
               specs->constraint_count, &strategies, &constraints);
    field_list(out, "strategies", &strategies);
    field_list(out, "constraints", &constraints);
    text_free(&strategies);
    text_free(&constraints);
}

static void write_service(const struct controller *controller, const struct service *service,
                          struct text *out)
{
    struct text list = TEXT_INIT;
    text_word(out, "service");
    text_field_u64(out, "rev", service->revision);
    text_field_u64(out, "id", service->id);
    field_symbol(out, controller, "name", service->name);
    text_field_u64(out, "group", service->group);
    text_field(out, "scheduling", service->scheduling == SCHEDULING_DAEMON ? "DAEMON" : "REPLICA");
    if (service->controller == CONTROLLER_EXTERNAL)
        write_external(service, out);
    text_field_u64(out, "desired", service->desired_count);
    text_field_u64(out, "minimum", service->minimum_percent);
    text_field_u64(out, "maximum", service->maximum_percent);
    text_field_u64(out, "launches", service->launches);
    if (service->launch_bucket.taken > 0) {
        list_add_u64(&list, service->launch_bucket.taken);
        list_add_u64(&list, (uint64_t)service->launch_bucket.since_ns);
        field_list(out, "launched", &list);
    }
    if (service->weighted != 0)
        text_field_u64(out, "weighted", service->weighted);
    if (service->clearing != 0)
        text_field_u64(out, "clearing", service->clearing);
    text_field_i64(out, "grace", service->grace_ns);
    text_field_i64(out, "created", service->created_wall_ns);
    field_ns(out, "blocked", service->blocked_since_ns);
    write_rebalance(service, out);
    field_ns(out, "deadline", service->deadline_ns);
    for (int kind = 0; kind < SERVICE_EVENT_KIND_COUNT; kind++)
        if (service_has_told(service, (enum service_event_kind)kind)) {
            list_add_u64(&list, (uint64_t)kind);
            list_add_u64(&list, (uint64_t)service->told_ns[kind]);
        }
    field_list(out, "told", &list);
    for (size_t i = 0; i < service->deployments.count; i++)
        list_add_u64(&list, service->deployments.items[i]->number);
    field_list(out, "deployments", &list);
    fields_write(&settings_table, &service->settings, out);
    list_seats(&list, &service->daemon);
    field_list(out, "seats", &list);
    text_free(&list);
}

static void write_task_end(const struct controller *controller, const struct task *task,
                           struct text *out)
{
    text_field(out, "stop-code", stop_code_names[task->stop_code]);
    text_field(out, "stop-reason", stop_reason_names[task->stop_reason]);
    field_symbol(out, controller, "stop-text", task->stop_text);
    if (task->exit_code != 0)
        text_field_i64(out, "exit-code", task->exit_code);
}

static void write_waiting(const struct controller *controller, const struct task *task,
                          struct text *out)
{
    struct text strategies = TEXT_INIT, constraints = TEXT_INIT;
    list_specs(controller->waiting.classes.items[task->wait_class].plan, &strategies, &constraints);
    field_list(out, "strategies", &strategies);
    field_list(out, "constraints", &constraints);
    text_free(&strategies);
    text_free(&constraints);
}

static void write_gpus(const struct task *task, struct text *out)
{
    struct text list = TEXT_INIT;
    if (task->overrides_gpus) {
        text_field_u64(out, "overrides-gpus", 1);
        for (uint16_t i = 0; i < task->gpu_count; i++)
            list_add_u64(&list, task->gpus[i].milli);
        field_list(out, "gpus", &list);
    }
    for (uint16_t i = 0; i < task->grant_count; i++) {
        list_add_u64(&list, task->grants[i].device);
        list_add_u64(&list, task->grants[i].milli);
    }
    field_list(out, "grants", &list);
    text_free(&list);
}

static void field_wall(struct text *out, const char *name, berth_ns wall_ns)
{
    if (wall_ns != 0)
        text_field_i64(out, name, wall_ns);
}

/* Target groups and the states there, one after the other. */
static void write_targets(const struct controller *controller, const struct task *task,
                          struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint32_t i = 0; i < task->target_count; i++) {
        list_add(&list, symbols_text(controller->symbols, task->target_groups[i]));
        list_add(&list, target_state_names[target_state_of(task, i)]);
    }
    field_list(out, "targets", &list);
    text_free(&list);
}

static void write_health(const struct controller *controller, const struct task *task,
                         struct text *out)
{
    if (task->health != HEALTH_UNKNOWN)
        text_field(out, "health", task_health_names[task->health]);
    if (task->is_unhealthy && task->status == TASK_RUNNING)
        text_field_u64(out, "unhealthy", 1);
    write_targets(controller, task, out);
}

static void write_task(const struct controller *controller, const struct task *task,
                       struct text *out)
{
    text_word(out, "task");
    text_field_u64(out, "rev", task->revision);
    field_def(out, task->def);
    text_field_u64(out, "group", task->group);
    if (task->service != SERVICE_NONE) {
        text_field_u64(out, "service", task->service);
        text_field_u64(out, "deployment", task->deployment_number);
    }
    if (task->instance != INSTANCE_NONE)
        text_field_u64(out, "instance", task->instance);
    text_field(out, "status", task_status_names[task->status]);
    text_field_u64(out, "version", task->version);
    text_field_u64(out, "reference", task->reference);
    text_field_u64(out, "seq", task->seq);
    if (task->report_seq != 0)
        text_field_u64(out, "report", task->report_seq);
    text_field_i64(out, "cpu", task->cpu_units);
    text_field_i64(out, "memory", task->mem_mib);
    write_gpus(task, out);
    text_field_i64(out, "requested", task->requested_mono_ns);
    text_field_i64(out, "created", task->created_wall_ns);
    field_ns(out, "running", task->running_mono_ns);
    field_ns(out, "protected", task->protected_until_ns);
    field_wall(out, "pull-started", task->pull_started_ns);
    field_wall(out, "pull-stopped", task->pull_stopped_ns);
    field_wall(out, "started", task->started_ns);
    field_wall(out, "stopping", task->stopping_ns);
    write_health(controller, task, out);
    field_symbol(out, controller, "started-by", task->started_by);
    field_symbol(out, controller, "provider", task->provider);
    field_symbol(out, controller, "zone", task->zone);
    if (!task->desired_running)
        write_task_end(controller, task, out);
    if (task->instance == INSTANCE_NONE && task->zone == SYMBOL_NONE)
        write_waiting(controller, task, out);
}

static void write_stopped_targets(const struct controller *controller,
                                  const struct stopped_task *task, struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint32_t i = 0; i < task->target_count; i++)
        list_add(&list, symbols_text(controller->symbols, task->target_groups[i]));
    field_list(out, "target-groups", &list);
    if (task->leaves_targets)
        text_field_u64(out, "leaves-targets", 1);
    if (task->leaves_interface)
        text_field_u64(out, "leaves-interface", 1);
    text_free(&list);
}

static void write_stopped(const struct controller *controller, const struct stopped_task *task,
                          struct text *out)
{
    text_word(out, "stopped");
    text_field_u64(out, "rev", task->revision);
    field_def(out, task->def);
    text_field_u64(out, "group", task->group);
    if (task->service != SERVICE_NONE) {
        text_field_u64(out, "service", task->service);
        text_field_u64(out, "deployment", task->deployment);
    }
    if (task->instance != INSTANCE_NONE)
        text_field_u64(out, "instance", task->instance);
    text_field_i64(out, "at", task->stopped_mono_ns);
    text_field_u64(out, "version", task->version);
    text_field_u64(out, "reference", task->reference);
    text_field_i64(out, "cpu", task->cpu_units);
    text_field_i64(out, "memory", task->mem_mib);
    text_field_u64(out, "gpu-milli", task->gpu_milli);
    text_field_i64(out, "created", task->created_wall_ns);
    field_wall(out, "pull-started", task->pull_started_ns);
    field_wall(out, "pull-stopped", task->pull_stopped_ns);
    field_wall(out, "started", task->started_ns);
    field_wall(out, "stopping", task->stopping_ns);
    field_wall(out, "stopped", task->stopped_ns);
    text_field(out, "stop-code", stop_code_names[task->stop_code]);
    text_field(out, "stop-reason", stop_reason_names[task->stop_reason]);
    field_symbol(out, controller, "stop-text", task->stop_text);
    field_symbol(out, controller, "provider", task->provider);
    if (task->verdict != PLACEMENT_FITS)
        text_field(out, "verdict", placement_verdict_names[task->verdict]);
    if (task->health != HEALTH_UNKNOWN)
        text_field(out, "health", task_health_names[task->health]);
    if (task->exit_code != 0)
        text_field_i64(out, "exit-code", task->exit_code);
    write_stopped_targets(controller, task, out);
}

/* As it is, or as it was when it ended. */
static void write_any_task(const struct controller *controller, task_id id, struct text *out)
{
    const struct task *task = task_find(controller, id);
    struct stopped_task stopped;
    if (task != NULL)
        write_task(controller, task, out);
    else if (stopped_find(controller, id, &stopped))
        write_stopped(controller, &stopped, out);
}

static void write_def(const struct controller *controller, const struct task_def *def,
                      struct text *out)
{
    uint64_t revision = 0;
    for (size_t i = controller->def_records.count; i-- > 0 && revision == 0;)
        if (controller->def_records.items[i].def == def)
            revision = controller->def_records.items[i].revision;
    text_word(out, "taskdef");
    text_field_u64(out, "rev", revision);
    text_field(out, "family", def->family);
    text_field_u64(out, "revision", def->revision);
    text_field_u64(out, "status", (uint64_t)def->status);
    text_field(out, "document", def->document);
}

static void number_key(struct text *key, const char *kind, uint64_t number, size_t digits)
{
    text_add(key, kind);
    text_add_digits(key, number, digits);
}

static void name_key(struct text *key, const char *kind, const char *name)
{
    text_add(key, kind);
    text_add(key, name);
}

void controller_record_key(const struct controller *controller, const struct change *change,
                           struct text *key)
{
    switch (change->kind) {
    case RECORD_CONTROLLER:
        text_add(key, "controller");
        break;
    case RECORD_TASK_DEFINITION:
        name_key(key, "taskdef/", change->u.task_def->family);
        number_key(key, "/", change->u.task_def->revision, 8);
        break;
    case RECORD_INSTANCE:
        number_key(key, "instance/", change->u.instance, 8);
        break;
    case RECORD_SERVICE:
        name_key(key, "service/", symbols_text(controller->symbols, change->u.service.name));
        break;
    case RECORD_TASK:
        number_key(key, "task/", change->u.task.task, 20);
        break;
    case RECORD_GROUP:
        number_key(key, "group/", change->u.group, 8);
        break;
    case RECORD_SCALING:
        name_key(key, "scaling/",
                 symbols_text(controller->symbols, change->u.scaling.service_name));
        break;
    case RECORD_PROVIDER:
        name_key(key, "provider/", symbols_text(controller->symbols, change->u.provider.name));
        break;
    case RECORD_DEPLOYMENT:
        number_key(key, "deployment/", change->u.deployment.service, 8);
        number_key(key, "/", change->u.deployment.deployment, 20);
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}

/*
 * The thing as it is now, which may be later than the change: whoever writes records writes the
 * last of a step's changes, and a record never says less than its change. One line, no newline.
 */
void controller_record_value(const struct controller *controller, const struct change *change,
                             struct text *value)
{
    const struct deployment *deployment;
    const struct provider *provider;
    const struct service *service;
    if (change->is_deleted)
        return;
    switch (change->kind) {
    case RECORD_CONTROLLER:
        write_controller(controller, value);
        break;
    case RECORD_TASK_DEFINITION:
        write_def(controller, change->u.task_def, value);
        break;
    case RECORD_INSTANCE:
        write_instance(controller, change->u.instance, value);
        break;
    case RECORD_SERVICE:
        service = controller->services.items[change->u.service.service];
        if (service != NULL)
            write_service(controller, service, value);
        break;
    case RECORD_TASK:
        write_any_task(controller, change->u.task.task, value);
        break;
    case RECORD_GROUP:
        write_group(controller, change->u.group, value);
        break;
    case RECORD_SCALING:
        scaling_write(controller, change->u.scaling.service, value);
        break;
    case RECORD_PROVIDER:
        provider = provider_find(controller, change->u.provider.name);
        if (provider != NULL)
            write_provider(controller, provider, value);
        break;
    case RECORD_DEPLOYMENT:
        service = controller->services.items[change->u.deployment.service];
        deployment =
            service == NULL ? NULL : deployment_find(service, change->u.deployment.deployment);
        if (deployment != NULL)
            write_deployment(controller, deployment, value);
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}

/* Keys and values of a dump, to be sorted. */
struct line {
    char *key, *value; /* owned */
};

static int compare_lines(const void *left, const void *right)
{
    return strcmp(((const struct line *)left)->key, ((const struct line *)right)->key);
}

typedef VEC(struct line) line_list;

static void add_line(const struct controller *controller, const struct change *change,
                     line_list *lines)
{
    struct text key = TEXT_INIT, value = TEXT_INIT;
    controller_record_key(controller, change, &key);
    controller_record_value(controller, change, &value);
    *vec_push(lines) = (struct line){key.bytes, value.bytes};
}

static void collect_service(const struct controller *controller, const struct service *service,
                            line_list *lines)
{
    struct change change = {.kind = RECORD_SERVICE};
    change.u.service = service_view_of(service);
    add_line(controller, &change, lines);
    change.kind = RECORD_DEPLOYMENT;
    for (size_t i = 0; i < service->revisions.count; i++) {
        change.u.deployment = deployment_view_of(service->revisions.items[i]);
        add_line(controller, &change, lines);
    }
}

static void collect(const struct controller *controller, line_list *lines)
{
    struct change change = {.kind = RECORD_CONTROLLER};
    add_line(controller, &change, lines);
    change.kind = RECORD_TASK_DEFINITION;
    for (size_t i = 0; i < controller->def_records.count; i++) {
        change.u.task_def = controller->def_records.items[i].def;
        add_line(controller, &change, lines);
    }
    change.kind = RECORD_GROUP;
    for (group_id group = 0; group < controller->groups.count; group++) {
        change.u.group = group;
        add_line(controller, &change, lines);
    }
    change.kind = RECORD_PROVIDER;
    for (size_t i = 0; i < controller->providers.count; i++) {
        change.u.provider = provider_view_of(&controller->providers.items[i]);
        add_line(controller, &change, lines);
    }
    change.kind = RECORD_INSTANCE;
    for (instance_id id = 0; id < controller->hosts.count; id++) {
        change.u.instance = id;
        add_line(controller, &change, lines);
    }
    for (size_t i = 0; i < controller->services.count; i++)
        if (controller->services.items[i] != NULL)
            collect_service(controller, controller->services.items[i], lines);
    change.kind = RECORD_SCALING;
    for (service_id id = 0; id < controller->services.count; id++)
        if (controller_scaling(controller, id, &change.u.scaling))
            add_line(controller, &change, lines);
    change.kind = RECORD_TASK;
    for (struct task *task = task_after(controller, TASK_NONE); task != NULL;
         task = task_after(controller, task->id)) {
        task_view_of(task, task->status, task->desired_running, &change.u.task);
        add_line(controller, &change, lines);
    }
    struct stopped_task stopped;
    for (uint64_t place = 0; stopped_next(controller, &place, &stopped);) {
        stopped_view(&stopped, &change.u.task);
        add_line(controller, &change, lines);
    }
}

void controller_dump(const struct controller *controller, struct text *out)
{
    line_list lines = VEC_INIT;
    collect(controller, &lines);
    qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
    for (size_t i = 0; i < lines.count; i++) {
        text_addf(out, "%s ", lines.items[i].key);
        text_add(out, lines.items[i].value);
        text_add(out, "\n");
        mem_free(lines.items[i].key);
        mem_free(lines.items[i].value);
    }
    vec_free(&lines);
}
