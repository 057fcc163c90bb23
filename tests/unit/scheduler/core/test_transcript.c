/*
 * Lines to events and back. The controller is only asked for names here, so this file answers for
 * it: the writer of actions is compiled here once more, against two functions of other names.
 */
#define controller_cluster fake_cluster
#define controller_service fake_service

#include "scheduler/core/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/transcript_action.c"

static struct cluster *names_cluster;
static symbol service_name;

struct cluster *controller_cluster(const struct controller *controller)
{
    (void)controller;
    return names_cluster;
}

struct service_view controller_service(const struct controller *controller, service_id service)
{
    (void)controller;
    return (struct service_view){.service = service, .name = service_name};
}

/* A "definition" is its document here. */
static enum berth_err decode(const char *document, struct task_def **out, struct berth_error *err)
{
    if (document[0] != '{')
        return berth_fail(err, BERTH_ERR_INPUT, "a definition is an object");
    *out = mem_alloc(sizeof **out);
    (*out)->document = mem_copy_text(document);
    return BERTH_OK;
}

static void free_definition(struct task_def *def)
{
    mem_free(def->document);
    mem_free(def);
}

/* What a parse gave, kept with the memory that it borrows. */
struct parsed {
    char *line;
    struct transcript_scratch *scratch;
    enum transcript_line kind;
    struct step_time now;
    struct event event;
    struct berth_error err;
    enum berth_err code;
};

static struct parsed parse(const char *line)
{
    struct parsed parsed = {.line = mem_copy_text(line), .scratch = transcript_scratch_create()};
    parsed.code = transcript_parse_line(parsed.line, parsed.scratch, decode, &parsed.kind,
                                        &parsed.now, &parsed.event, &parsed.err);
    return parsed;
}

static void parsed_free(struct parsed *parsed)
{
    if (parsed->code == BERTH_OK && parsed->kind == TRANSCRIPT_EVENT &&
        parsed->event.kind == EVENT_REGISTER_TASK_DEFINITION)
        free_definition(parsed->event.u.task_def);
    mem_free(parsed->line);
    transcript_scratch_destroy(parsed->scratch);
}

/* Member by member, so that a member forgotten in a table is found. */
static void assert_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void assert_ports(const uint16_t *a, uint16_t a_count, const uint16_t *b, uint16_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (uint16_t i = 0; i < a_count; i++)
        assert_int_equal(a[i], b[i]);
}

static void assert_specs(const struct placement_strategy_spec *a, uint16_t a_count,
                         const struct placement_strategy_spec *b, uint16_t b_count,
                         const struct placement_constraint_spec *c, uint16_t c_count,
                         const struct placement_constraint_spec *d, uint16_t d_count)
{
    assert_int_equal(a_count, b_count);
    for (uint16_t i = 0; i < a_count; i++) {
        assert_text(a[i].type, b[i].type);
        assert_text(a[i].field, b[i].field);
    }
    assert_int_equal(c_count, d_count);
    for (uint16_t i = 0; i < c_count; i++) {
        assert_text(c[i].type, d[i].type);
        assert_text(c[i].expression, d[i].expression);
    }
}

static void assert_register_instance(const struct event_register_instance *a,
                                     const struct event_register_instance *b)
{
    assert_int_equal(a->existing, b->existing);
    assert_text(a->ec2_id, b->ec2_id);
    assert_text(a->agent_version, b->agent_version);
    assert_text(a->provider, b->provider);
    assert_true(a->fargate_task == b->fargate_task);
    assert_int_equal(a->cpu_units, b->cpu_units);
    assert_int_equal(a->mem_mib, b->mem_mib);
    assert_int_equal(a->gpu_count, b->gpu_count);
    assert_int_equal(a->eni_limit, b->eni_limit);
    assert_ports(a->tcp_ports_used, a->tcp_port_count, b->tcp_ports_used, b->tcp_port_count);
    assert_ports(a->udp_ports_used, a->udp_port_count, b->udp_ports_used, b->udp_port_count);
    assert_int_equal(a->attribute_count, b->attribute_count);
    for (uint32_t i = 0; i < a->attribute_count; i++) {
        assert_text(a->attributes[i].name, b->attributes[i].name);
        assert_text(a->attributes[i].value, b->attributes[i].value);
    }
}

static void assert_shares(const struct provider_share *a, uint16_t a_count,
                          const struct provider_share *b, uint16_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (uint16_t i = 0; i < a_count; i++) {
        assert_text(a[i].provider, b[i].provider);
        assert_int_equal(a[i].weight, b[i].weight);
        assert_int_equal(a[i].base, b[i].base);
    }
}

static void assert_provider(const struct event_capacity_provider *a,
                            const struct event_capacity_provider *b)
{
    assert_text(a->provider, b->provider);
    assert_int_equal(a->settings.kind, b->settings.kind);
    assert_int_equal(a->settings.is_managed, b->settings.is_managed);
    assert_int_equal(a->settings.target_percent, b->settings.target_percent);
    assert_int_equal(a->settings.step_min, b->settings.step_min);
    assert_int_equal(a->settings.step_max, b->settings.step_max);
    assert_int_equal(a->settings.warm_up_s, b->settings.warm_up_s);
    assert_int_equal(a->settings.protects, b->settings.protects);
    assert_int_equal(a->settings.drains, b->settings.drains);
    assert_int_equal(a->settings.zone_count, b->settings.zone_count);
    for (uint16_t i = 0; i < a->settings.zone_count; i++)
        assert_text(a->settings.zones[i], b->settings.zones[i]);
}

static void assert_run_task(const struct event_run_task *a, const struct event_run_task *b)
{
    assert_text(a->task_definition, b->task_definition);
    assert_text(a->group, b->group);
    assert_text(a->started_by, b->started_by);
    assert_int_equal(a->count, b->count);
    assert_true(a->reference == b->reference);
    assert_int_equal(a->waits, b->waits);
    assert_int_equal(a->wants_failures, b->wants_failures);
    assert_int_equal(a->takes_launch_type, b->takes_launch_type);
    assert_shares(a->providers, a->provider_count, b->providers, b->provider_count);
    assert_specs(a->strategies, a->strategy_count, b->strategies, b->strategy_count, a->constraints,
                 a->constraint_count, b->constraints, b->constraint_count);
    assert_int_equal(a->cpu_units, b->cpu_units);
    assert_int_equal(a->mem_mib, b->mem_mib);
    assert_int_equal(a->gpu_count, b->gpu_count);
    for (uint16_t i = 0; i < a->gpu_count; i++)
        assert_int_equal(a->gpus[i].milli, b->gpus[i].milli);
    assert_int_equal(a->overrides_gpus, b->overrides_gpus);
}

static void assert_service(const struct event_service *a, const struct event_service *b)
{
    assert_text(a->service, b->service);
    assert_text(a->task_definition, b->task_definition);
    assert_int_equal(a->scheduling, b->scheduling);
    assert_int_equal(a->desired_count, b->desired_count);
    assert_int_equal(a->minimum_healthy_percent, b->minimum_healthy_percent);
    assert_int_equal(a->maximum_percent, b->maximum_percent);
    assert_int_equal(a->force_new_deployment, b->force_new_deployment);
    assert_int_equal(a->force, b->force);
    assert_int_equal(a->sets_providers, b->sets_providers);
    assert_int_equal(a->takes_launch_type, b->takes_launch_type);
    assert_shares(a->providers, a->provider_count, b->providers, b->provider_count);
    assert_int_equal(a->sets_strategies, b->sets_strategies);
    assert_int_equal(a->sets_constraints, b->sets_constraints);
    assert_specs(a->strategies, a->strategy_count, b->strategies, b->strategy_count, a->constraints,
                 a->constraint_count, b->constraints, b->constraint_count);
    assert_int_equal(a->controller, b->controller);
    assert_int_equal(a->sets_settings, b->sets_settings);
    assert_int_equal(a->sets_target_groups, b->sets_target_groups);
    assert_int_equal(a->target_group_count, b->target_group_count);
    for (uint16_t i = 0; i < a->target_group_count; i++)
        assert_text(a->target_groups[i], b->target_groups[i]);
}

static void assert_settings(const struct deployment_settings *a,
                            const struct deployment_settings *b)
{
    static const struct deployment_settings defaults = {.strategy = DEPLOY_ROLLING};
    if (b == NULL) /* Nothing was written, for every one is the default. */
        b = &defaults;
    assert_int_equal(a->strategy, b->strategy);
    assert_int_equal(a->breaker.is_enabled, b->breaker.is_enabled);
    assert_int_equal(a->breaker.rolls_back, b->breaker.rolls_back);
    assert_int_equal(a->breaker.keeps_count, b->breaker.keeps_count);
    assert_int_equal(a->breaker.type, b->breaker.type);
    assert_int_equal(a->breaker.value, b->breaker.value);
    assert_int_equal(a->alarms.is_enabled, b->alarms.is_enabled);
    assert_int_equal(a->alarms.rolls_back, b->alarms.rolls_back);
    assert_int_equal(a->alarms.count, b->alarms.count);
    for (uint16_t i = 0; i < a->alarms.count; i++)
        assert_text(a->alarms.names[i], b->alarms.names[i]);
    assert_true(a->bake_ns == b->bake_ns && a->step_bake_ns == b->step_bake_ns);
    assert_int_equal(a->has_bake, b->has_bake);
    assert_int_equal(a->has_step_bake, b->has_step_bake);
    assert_int_equal(a->step_permille, b->step_permille);
    assert_int_equal(a->hook_count, b->hook_count);
    for (uint16_t i = 0; i < a->hook_count; i++) {
        assert_text(a->hooks[i].name, b->hooks[i].name);
        assert_int_equal(a->hooks[i].stages, b->hooks[i].stages);
        assert_int_equal(a->hooks[i].is_pause, b->hooks[i].is_pause);
        assert_int_equal(a->hooks[i].continues, b->hooks[i].continues);
        assert_int_equal(a->hooks[i].minutes, b->hooks[i].minutes);
    }
}

static void assert_message(const struct message *a, const struct message *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->instance, b->instance);
    assert_true(a->seq == b->seq);
    if (a->kind == MESSAGE_STOP_VERIFICATION) {
        assert_int_equal(a->u.list.count, b->u.list.count);
        for (uint32_t i = 0; i < a->u.list.count; i++)
            assert_true(a->u.list.tasks[i] == b->u.list.tasks[i]);
    }
    if (a->kind != MESSAGE_TASK_STATE)
        return;
    const struct task_report *x = &a->u.report, *y = &b->u.report;
    assert_true(x->task == y->task);
    assert_int_equal(x->status, y->status);
    assert_int_equal(x->cause, y->cause);
    assert_int_equal(x->exit_code, y->exit_code);
    assert_true(x->pull_started_ns == y->pull_started_ns && x->started_ns == y->started_ns &&
                x->pull_stopped_ns == y->pull_stopped_ns && x->stopped_ns == y->stopped_ns);
}

static void assert_scalable_target(const struct event_scalable_target *a,
                                   const struct event_scalable_target *b)
{
    assert_text(a->service, b->service);
    assert_int_equal(a->min_capacity, b->min_capacity);
    assert_int_equal(a->max_capacity, b->max_capacity);
    assert_int_equal(a->suspends_in, b->suspends_in);
    assert_int_equal(a->suspends_out, b->suspends_out);
    assert_int_equal(a->suspends_scheduled, b->suspends_scheduled);
}

static void assert_scaling_policy(const struct event_scaling_policy *a,
                                  const struct event_scaling_policy *b)
{
    assert_text(a->service, b->service);
    assert_text(a->policy, b->policy);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->metric, b->metric);
    assert_int_equal(a->out_cooldown_s, b->out_cooldown_s);
    assert_int_equal(a->in_cooldown_s, b->in_cooldown_s);
    assert_true(a->target_milli == b->target_milli);
    assert_int_equal(a->disables_scale_in, b->disables_scale_in);
    assert_int_equal(a->adjustment, b->adjustment);
    assert_int_equal(a->minimum_magnitude, b->minimum_magnitude);
    assert_int_equal(a->comparison, b->comparison);
    assert_true(a->threshold_milli == b->threshold_milli);
    assert_int_equal(a->datapoints_to_alarm, b->datapoints_to_alarm);
    assert_int_equal(a->evaluation_periods, b->evaluation_periods);
    assert_int_equal(a->step_count, b->step_count);
    for (uint16_t i = 0; i < a->step_count; i++)
        assert_string_equal(a->steps[i], b->steps[i]);
}

static void assert_scheduled_action(const struct event_scheduled_action *a,
                                    const struct event_scheduled_action *b)
{
    assert_text(a->service, b->service);
    assert_text(a->action, b->action);
    assert_text(a->schedule, b->schedule);
    assert_text(a->timezone, b->timezone);
    assert_int_equal(a->min_capacity, b->min_capacity);
    assert_int_equal(a->max_capacity, b->max_capacity);
    assert_true(a->start_wall_ns == b->start_wall_ns && a->end_wall_ns == b->end_wall_ns);
}

static void assert_event(const struct event *a, const struct event *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->token == b->token);
    switch (a->kind) {
    case EVENT_REGISTER_TASK_DEFINITION:
        assert_text(a->u.task_def->document, b->u.task_def->document);
        break;
    case EVENT_REGISTER_INSTANCE:
        assert_register_instance(&a->u.register_instance, &b->u.register_instance);
        break;
    case EVENT_DEREGISTER_INSTANCE:
        assert_int_equal(a->u.deregister_instance.instance, b->u.deregister_instance.instance);
        assert_int_equal(a->u.deregister_instance.force, b->u.deregister_instance.force);
        assert_int_equal(a->u.deregister_instance.cause, b->u.deregister_instance.cause);
        break;
    case EVENT_UPDATE_INSTANCE_STATE:
        assert_int_equal(a->u.update_instance_state.instance, b->u.update_instance_state.instance);
        assert_int_equal(a->u.update_instance_state.status, b->u.update_instance_state.status);
        break;
    case EVENT_AGENT_CONNECTED:
    case EVENT_AGENT_DISCONNECTED:
        assert_int_equal(a->u.agent, b->u.agent);
        break;
    case EVENT_RUN_TASK:
        assert_run_task(&a->u.run_task, &b->u.run_task);
        break;
    case EVENT_STOP_TASK:
        assert_true(a->u.stop_task.task == b->u.stop_task.task);
        assert_text(a->u.stop_task.reason, b->u.stop_task.reason);
        break;
    case EVENT_CREATE_SERVICE:
    case EVENT_UPDATE_SERVICE:
        if (a->u.service.settings != NULL)
            assert_settings(a->u.service.settings, b->u.service.settings);
        else
            assert_null(b->u.service.settings);
        assert_service(&a->u.service, &b->u.service);
        break;
    case EVENT_DELETE_SERVICE:
        assert_service(&a->u.service, &b->u.service);
        break;
    case EVENT_REGISTER_SCALABLE_TARGET:
    case EVENT_DEREGISTER_SCALABLE_TARGET:
        assert_scalable_target(&a->u.scalable_target, &b->u.scalable_target);
        break;
    case EVENT_PUT_SCALING_POLICY:
    case EVENT_DELETE_SCALING_POLICY:
        assert_scaling_policy(&a->u.scaling_policy, &b->u.scaling_policy);
        break;
    case EVENT_PUT_SCHEDULED_ACTION:
    case EVENT_DELETE_SCHEDULED_ACTION:
        assert_scheduled_action(&a->u.scheduled_action, &b->u.scheduled_action);
        break;
    case EVENT_PUT_CAPACITY_PROVIDER:
        assert_provider(&a->u.capacity_provider, &b->u.capacity_provider);
        break;
    case EVENT_DELETE_CAPACITY_PROVIDER:
        assert_text(a->u.capacity_provider.provider, b->u.capacity_provider.provider);
        break;
    case EVENT_PUT_DEFAULT_PROVIDERS:
        assert_shares(a->u.default_providers.providers, a->u.default_providers.provider_count,
                      b->u.default_providers.providers, b->u.default_providers.provider_count);
        break;
    case EVENT_MESSAGE:
        assert_message(&a->u.message, &b->u.message);
        break;
    case EVENT_TIMER:
    case EVENT_STOP_SERVICE_DEPLOYMENT:
    case EVENT_CONTINUE_SERVICE_DEPLOYMENT:
    case EVENT_CREATE_TASK_SET:
    case EVENT_UPDATE_TASK_SET:
    case EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET:
    case EVENT_DELETE_TASK_SET:
    case EVENT_UPDATE_TASK_PROTECTION:
    case EVENT_ANSWER:
    case EVENT_RESUME:
    case EVENT_KIND_COUNT:
        break;
    }
}

static void assert_round_trip(const struct event *event)
{
    struct text first = TEXT_INIT, second = TEXT_INIT;
    transcript_format_event(event, &first);
    assert_int_equal(first.bytes[first.length - 1], '\n');
    assert_ptr_equal(strchr(first.bytes, '\n'), first.bytes + first.length - 1);
    first.bytes[first.length - 1] = '\0';
    struct parsed parsed = parse(first.bytes);
    if (parsed.code != BERTH_OK)
        fail_msg("%s\n%s", first.bytes, parsed.err.text);
    assert_int_equal(parsed.kind, TRANSCRIPT_EVENT);
    assert_event(event, &parsed.event);
    transcript_format_event(&parsed.event, &second);
    second.bytes[second.length - 1] = '\0';
    assert_string_equal(first.bytes, second.bytes);
    parsed_free(&parsed);
    text_free(&first);
    text_free(&second);
}

/* Random members: small values, limits and awkward texts come up often. */
static uint64_t draw(struct rng *rng, uint64_t max)
{
    switch (rng_below(rng, 4)) {
    case 0:
        return 0;
    case 1:
        return max;
    case 2:
        return rng_below(rng, 5) < max ? rng_below(rng, 5) : 0;
    default:
        return max == UINT64_MAX ? rng_next(rng) : rng_below(rng, max + 1);
    }
}

static int32_t draw_i32(struct rng *rng)
{
    const int32_t values[] = {0, 1, -1, 4096, INT32_MIN, INT32_MAX};
    return values[rng_below(rng, 6)];
}

static const char *draw_text(struct rng *rng)
{
    static const char *const texts[] = {NULL,
                                        "",
                                        "web",
                                        "a b",
                                        "a;b:c\\",
                                        "\\;",
                                        ":",
                                        "%2C,=",
                                        "\n\t",
                                        "x\\",
                                        "ü ä \xff",
                                        "attribute:ecs.availability-zone",
                                        "attribute:x == y and (a in [b, c])"};
    return texts[rng_below(rng, sizeof texts / sizeof texts[0])];
}

static const char *draw_name(struct rng *rng)
{
    const char *text = draw_text(rng);
    return text == NULL ? "spread" : text;
}

#define ITEMS_MAX 4

struct pool {
    uint16_t tcp[ITEMS_MAX], udp[ITEMS_MAX];
    struct attribute_text attributes[ITEMS_MAX];
    struct placement_strategy_spec strategies[ITEMS_MAX];
    struct placement_constraint_spec constraints[ITEMS_MAX];
    struct gpu_request gpus[ITEMS_MAX];
    task_id tasks[ITEMS_MAX];
    const char *names[ITEMS_MAX];
    struct provider_share shares[ITEMS_MAX];
    struct deployment_hook hooks[ITEMS_MAX];
    struct deployment_settings settings;
    struct task_def def;
};

static uint16_t items(struct rng *rng)
{
    return (uint16_t)rng_below(rng, ITEMS_MAX + 1);
}

static void fill_settings(struct rng *rng, struct pool *pool)
{
    pool->settings = (struct deployment_settings){
        .strategy = (enum deployment_strategy)rng_below(rng, DEPLOYMENT_STRATEGY_COUNT),
        .breaker = {.is_enabled = rng_below(rng, 2),
                    .rolls_back = rng_below(rng, 2),
                    .keeps_count = rng_below(rng, 2),
                    .type = (enum breaker_threshold)rng_below(rng, BREAKER_TASK_COUNT + 1),
                    .value = (uint32_t)draw(rng, UINT32_MAX)},
        .alarms = {.is_enabled = rng_below(rng, 2),
                   .rolls_back = rng_below(rng, 2),
                   .names = pool->names,
                   .count = items(rng)},
        .bake_ns = (berth_ns)draw(rng, INT64_MAX),
        .has_bake = rng_below(rng, 2),
        .step_permille = (uint32_t)draw(rng, UINT32_MAX),
        .step_bake_ns = (berth_ns)draw(rng, INT64_MAX),
        .has_step_bake = rng_below(rng, 2),
        .hooks = pool->hooks,
        .hook_count = items(rng)};
}

static void fill_pool(struct rng *rng, struct pool *pool)
{
    for (int i = 0; i < ITEMS_MAX; i++) {
        pool->tcp[i] = (uint16_t)draw(rng, UINT16_MAX);
        pool->udp[i] = (uint16_t)draw(rng, UINT16_MAX);
        pool->attributes[i] = (struct attribute_text){draw_name(rng), draw_text(rng)};
        pool->strategies[i] = (struct placement_strategy_spec){draw_name(rng), draw_text(rng)};
        pool->constraints[i] = (struct placement_constraint_spec){draw_name(rng), draw_text(rng)};
        pool->gpus[i].milli = (uint32_t)draw(rng, UINT32_MAX);
        pool->tasks[i] = draw(rng, UINT64_MAX);
        pool->names[i] = draw_name(rng);
        pool->shares[i] = (struct provider_share){draw_name(rng), (uint32_t)draw(rng, UINT32_MAX),
                                                  (uint32_t)draw(rng, UINT32_MAX)};
        pool->hooks[i] = (struct deployment_hook){
            .name = draw_name(rng),
            .stages = 1 + (uint32_t)rng_below(rng, (1u << STAGE_COUNT) - 1),
            .is_pause = rng_below(rng, 2),
            .continues = rng_below(rng, 2),
            .minutes = (uint32_t)draw(rng, UINT32_MAX)};
    }
    fill_settings(rng, pool);
    pool->def = (struct task_def){.document = "{\"family\": \"a,b=c\",\n\"x\":[1,2]}"};
}

static void fill_run_task(struct rng *rng, struct pool *pool, struct event_run_task *run)
{
    *run = (struct event_run_task){.task_definition = draw_text(rng),
                                   .group = draw_text(rng),
                                   .started_by = draw_text(rng),
                                   .count = (uint32_t)draw(rng, UINT32_MAX),
                                   .reference = draw(rng, UINT64_MAX),
                                   .waits = rng_below(rng, 2),
                                   .wants_failures = rng_below(rng, 2),
                                   .strategies = pool->strategies,
                                   .constraints = pool->constraints,
                                   .strategy_count = items(rng),
                                   .constraint_count = items(rng),
                                   .cpu_units = draw_i32(rng),
                                   .mem_mib = draw_i32(rng),
                                   .gpus = pool->gpus,
                                   .gpu_count = items(rng),
                                   .overrides_gpus = rng_below(rng, 2),
                                   .takes_launch_type = rng_below(rng, 2),
                                   .providers = pool->shares,
                                   .provider_count = items(rng)};
}

static void fill_service(struct rng *rng, struct pool *pool, struct event_service *service)
{
    *service = (struct event_service){.service = draw_text(rng),
                                      .task_definition = draw_text(rng),
                                      .scheduling = (enum scheduling_strategy)rng_below(rng, 2),
                                      .desired_count = draw_i32(rng),
                                      .minimum_healthy_percent = draw_i32(rng),
                                      .maximum_percent = draw_i32(rng),
                                      .force_new_deployment = rng_below(rng, 2),
                                      .force = rng_below(rng, 2),
                                      .sets_strategies = rng_below(rng, 2),
                                      .sets_constraints = rng_below(rng, 2),
                                      .strategies = pool->strategies,
                                      .constraints = pool->constraints,
                                      .strategy_count = items(rng),
                                      .constraint_count = items(rng),
                                      .controller = (enum deployment_controller)rng_below(rng, 2),
                                      .sets_settings = rng_below(rng, 2),
                                      .settings = rng_below(rng, 2) ? &pool->settings : NULL,
                                      .sets_target_groups = rng_below(rng, 2),
                                      .target_groups = pool->names,
                                      .target_group_count = items(rng),
                                      .sets_providers = rng_below(rng, 2),
                                      .takes_launch_type = rng_below(rng, 2),
                                      .providers = pool->shares,
                                      .provider_count = items(rng)};
}

static void fill_register_instance(struct rng *rng, struct pool *pool,
                                   struct event_register_instance *instance)
{
    *instance = (struct event_register_instance){.existing = (instance_id)draw(rng, INSTANCE_NONE),
                                                 .ec2_id = draw_text(rng),
                                                 .agent_version = draw_text(rng),
                                                 .cpu_units = draw_i32(rng),
                                                 .mem_mib = draw_i32(rng),
                                                 .gpu_count = (uint16_t)draw(rng, UINT16_MAX),
                                                 .eni_limit = (uint16_t)draw(rng, UINT16_MAX),
                                                 .tcp_ports_used = pool->tcp,
                                                 .udp_ports_used = pool->udp,
                                                 .tcp_port_count = items(rng),
                                                 .udp_port_count = items(rng),
                                                 .attributes = pool->attributes,
                                                 .attribute_count = items(rng),
                                                 .provider = draw_text(rng),
                                                 .fargate_task = draw(rng, UINT64_MAX)};
}

static void fill_message(struct rng *rng, struct pool *pool, struct message *message)
{
    *message = (struct message){.kind = (enum message_kind)(MESSAGE_ACK + rng_below(rng, 3)),
                                .instance = (instance_id)draw(rng, UINT32_MAX),
                                .seq = draw(rng, UINT64_MAX)};
    if (message->kind == MESSAGE_STOP_VERIFICATION) {
        message->u.list.tasks = pool->tasks;
        message->u.list.count = items(rng);
    } else if (message->kind == MESSAGE_TASK_STATE) {
        message->u.report =
            (struct task_report){.task = draw(rng, UINT64_MAX),
                                 .status = (enum task_status)rng_below(rng, TASK_STATUS_COUNT),
                                 .cause = (enum exit_cause)rng_below(rng, EXIT_CAUSE_COUNT),
                                 .exit_code = draw_i32(rng),
                                 .pull_started_ns = (berth_ns)draw(rng, INT64_MAX),
                                 .pull_stopped_ns = (berth_ns)draw(rng, INT64_MAX),
                                 .started_ns = -(berth_ns)draw(rng, INT64_MAX),
                                 .stopped_ns = (berth_ns)draw(rng, INT64_MAX)};
    }
}

static void fill_scaling_policy(struct rng *rng, struct event_scaling_policy *policy)
{
    static const char *const steps[ITEMS_MAX] = {"0:10:1", "", "a;b", "::"};
    *policy = (struct event_scaling_policy){
        .service = draw_text(rng),
        .policy = draw_text(rng),
        .kind = (enum scaling_policy_kind)rng_below(rng, SCALING_POLICY_KIND_COUNT),
        .metric = (enum scaling_metric)rng_below(rng, SCALING_METRIC_COUNT),
        .out_cooldown_s = draw_i32(rng),
        .in_cooldown_s = draw_i32(rng),
        .target_milli = -(int64_t)draw(rng, INT64_MAX),
        .disables_scale_in = rng_below(rng, 2),
        .adjustment = (enum adjustment_type)rng_below(rng, ADJUSTMENT_COUNT),
        .minimum_magnitude = (uint32_t)draw(rng, UINT32_MAX),
        .comparison = (enum comparison)rng_below(rng, COMPARISON_COUNT),
        .threshold_milli = (int64_t)draw(rng, INT64_MAX),
        .datapoints_to_alarm = (uint32_t)draw(rng, UINT32_MAX),
        .evaluation_periods = (uint32_t)draw(rng, UINT32_MAX),
        .steps = steps,
        .step_count = items(rng)};
}

static struct event_scalable_target draw_scalable_target(struct rng *rng)
{
    return (struct event_scalable_target){.service = draw_text(rng),
                                          .min_capacity = draw_i32(rng),
                                          .max_capacity = draw_i32(rng),
                                          .suspends_in = draw_i32(rng),
                                          .suspends_out = draw_i32(rng),
                                          .suspends_scheduled = draw_i32(rng)};
}

static struct event_scheduled_action draw_scheduled_action(struct rng *rng)
{
    return (struct event_scheduled_action){.service = draw_text(rng),
                                           .action = draw_text(rng),
                                           .schedule = draw_text(rng),
                                           .timezone = draw_text(rng),
                                           .min_capacity = draw_i32(rng),
                                           .max_capacity = draw_i32(rng),
                                           .start_wall_ns = (berth_ns)draw(rng, INT64_MAX),
                                           .end_wall_ns = -(berth_ns)draw(rng, INT64_MAX)};
}

static void fill_provider(struct rng *rng, struct pool *pool, struct event_capacity_provider *out)
{
    *out = (struct event_capacity_provider){
        .provider = draw_text(rng),
        .settings = {.kind = (enum provider_kind)rng_below(rng, PROVIDER_KIND_COUNT),
                     .is_managed = rng_below(rng, 2),
                     .target_percent = (uint32_t)draw(rng, UINT32_MAX),
                     .step_min = (uint32_t)draw(rng, UINT32_MAX),
                     .step_max = (uint32_t)draw(rng, UINT32_MAX),
                     .warm_up_s = draw_i32(rng),
                     .protects = rng_below(rng, 2),
                     .drains = rng_below(rng, 2),
                     .zones = pool->names,
                     .zone_count = items(rng)}};
}

static struct event draw_event(struct rng *rng, struct pool *pool, enum event_kind kind)
{
    struct event event = {.kind = kind, .token = draw(rng, UINT64_MAX)};
    fill_pool(rng, pool);
    switch (kind) {
    case EVENT_REGISTER_TASK_DEFINITION:
        event.u.task_def = &pool->def;
        break;
    case EVENT_REGISTER_INSTANCE:
        fill_register_instance(rng, pool, &event.u.register_instance);
        break;
    case EVENT_DEREGISTER_INSTANCE:
        event.u.deregister_instance.instance = (instance_id)draw(rng, UINT32_MAX);
        event.u.deregister_instance.force = rng_below(rng, 2);
        event.u.deregister_instance.cause = (enum deregister_cause)rng_below(rng, 2);
        break;
    case EVENT_UPDATE_INSTANCE_STATE:
        event.u.update_instance_state.instance = (instance_id)draw(rng, UINT32_MAX);
        event.u.update_instance_state.status =
            (enum instance_status)rng_below(rng, INSTANCE_STATUS_COUNT);
        break;
    case EVENT_AGENT_CONNECTED:
    case EVENT_AGENT_DISCONNECTED:
        event.u.agent = (instance_id)draw(rng, UINT32_MAX);
        break;
    case EVENT_RUN_TASK:
        fill_run_task(rng, pool, &event.u.run_task);
        break;
    case EVENT_STOP_TASK:
        event.u.stop_task.task = draw(rng, UINT64_MAX);
        event.u.stop_task.reason = draw_text(rng);
        break;
    case EVENT_CREATE_SERVICE:
    case EVENT_UPDATE_SERVICE:
    case EVENT_DELETE_SERVICE:
        fill_service(rng, pool, &event.u.service);
        break;
    case EVENT_REGISTER_SCALABLE_TARGET:
    case EVENT_DEREGISTER_SCALABLE_TARGET:
        event.u.scalable_target = draw_scalable_target(rng);
        break;
    case EVENT_PUT_SCALING_POLICY:
    case EVENT_DELETE_SCALING_POLICY:
        fill_scaling_policy(rng, &event.u.scaling_policy);
        break;
    case EVENT_PUT_SCHEDULED_ACTION:
    case EVENT_DELETE_SCHEDULED_ACTION:
        event.u.scheduled_action = draw_scheduled_action(rng);
        break;
    case EVENT_PUT_CAPACITY_PROVIDER:
        fill_provider(rng, pool, &event.u.capacity_provider);
        break;
    case EVENT_DELETE_CAPACITY_PROVIDER:
        event.u.capacity_provider.provider = draw_text(rng);
        break;
    case EVENT_PUT_DEFAULT_PROVIDERS:
        event.u.default_providers.providers = pool->shares;
        event.u.default_providers.provider_count = items(rng);
        break;
    case EVENT_MESSAGE:
        fill_message(rng, pool, &event.u.message);
        break;
    case EVENT_TIMER:
    case EVENT_STOP_SERVICE_DEPLOYMENT:
    case EVENT_CONTINUE_SERVICE_DEPLOYMENT:
    case EVENT_CREATE_TASK_SET:
    case EVENT_UPDATE_TASK_SET:
    case EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET:
    case EVENT_DELETE_TASK_SET:
    case EVENT_UPDATE_TASK_PROTECTION:
    case EVENT_ANSWER:
    case EVENT_RESUME:
    case EVENT_KIND_COUNT:
        break;
    }
    return event;
}

static void test_every_event_comes_back_as_it_was(void **state)
{
    (void)state;
    const uint64_t seed = 20261121;
    struct rng rng = {rng_key(seed, "transcript", 0), 0};
    struct pool pool;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 500; round++)
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            struct event event = draw_event(&rng, &pool, (enum event_kind)kind);
            assert_round_trip(&event);
        }
}

static void test_times_come_back(void **state)
{
    (void)state;
    const struct step_time times[] = {
        {0, 0}, {5, INT64_C(1700000000000000000)}, {INT64_MAX, INT64_MIN}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct text text = TEXT_INIT;
        transcript_format_time(times[i], &text);
        text.bytes[text.length - 1] = '\0';
        struct parsed parsed = parse(text.bytes);
        assert_int_equal(parsed.code, BERTH_OK);
        assert_int_equal(parsed.kind, TRANSCRIPT_TIME);
        assert_true(parsed.now.mono_ns == times[i].mono_ns);
        assert_true(parsed.now.wall_ns == times[i].wall_ns);
        parsed_free(&parsed);
        text_free(&text);
    }
}

static void test_lines_read_like_sentences(void **state)
{
    (void)state;
    const char *const lines[] = {
        "> Timer",
        "> RunTask token=7 task-definition=job",
        "> RunTask token=7 task-definition=job count=3 waits=1 "
        "strategies=spread:attribute:ecs.availability-zone;binpack:memory cpu=256 gpus=460;1000 "
        "overrides-gpus=1",
        "> RegisterContainerInstance token=1 cpu=1024 memory=2048 tcp-used=22;2375 "
        "attributes=ecs.availability-zone:us-east-1a;docker",
        "> CreateService token=2 service=web task-definition=web:1 desired=6 "
        "minimum-healthy-percent=50",
        "> CreateService service=log task-definition=log scheduling=DAEMON",
        "> Message kind=SubmitTaskStateChange instance=0 seq=1 task=3 status=STOPPED "
        "cause=essential-exit exit-code=-1",
        "> Message kind=TaskStopVerificationMessage instance=1 seq=9 tasks=3;4",
        "> DeregisterContainerInstance token=1 instance=0 force=1 cause=terminated",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct parsed parsed = parse(lines[i]);
        assert_int_equal(parsed.code, BERTH_OK);
        struct text text = TEXT_INIT;
        transcript_format_event(&parsed.event, &text);
        text.bytes[text.length - 1] = '\0';
        assert_string_equal(text.bytes, lines[i]);
        text_free(&text);
        parsed_free(&parsed);
    }
}

static void test_bad_lines_say_where_and_how_to_mend(void **state)
{
    (void)state;
    const struct {
        const char *line, *text;
    } cases[] = {
        {"", "column 1: a line of a transcript begins with"},
        {"RunTask token=1", "column 1: "},
        {">RunTask", "column 1: "},
        {"@mono=1 wall=1", "column 2: a time is written"},
        {"@ mono=1", "misses wall="},
        {"@ mono=1 wall=x", "column 10: wall=x is wrong"},
        {"@ mono=1 wall=9223372036854775808", "is wrong; give a number of 64 bits"},
        {"@ mono=1 mono=2 wall=1", "column 10: mono is given twice"},
        {"> RunTusk", "column 3: there is no event RunTusk; did you mean RunTask?"},
        {"> ", "column 3: there is no event"},
        {"> RunTask cuont=3", "column 11: RunTask has no field cuont; did you mean count?"},
        {"> RunTask count=-1", "column 11: count=-1 is wrong; give a number from 0"},
        {"> RunTask count=4294967296", "is wrong"},
        {"> RunTask cpu=2147483648", "is wrong"},
        {"> RunTask token=18446744073709551616", "is wrong"},
        {"> RunTask waits=2", "give 0 or 1"},
        {"> RunTask gpus=1;;2", "thousandths of a card"},
        {"> RunTask gpus", "column 11: a field is written name=value"},
        {"> RunTask group=%2", "column 17: an escape is written %XX"},
        {"> StopTask", "StopTask misses task="},
        {"> RegisterContainerInstance tcp-used=70000", "ports with ;"},
        {"> UpdateContainerInstancesState instance=0 status=ACTIV",
         "give one of ACTIVE, DRAINING, REGISTERING"},
        {"> Message kind=PayloadMessage instance=0 seq=1", "agents do not send this"},
        {"> Message kind=AckRequest instance=0", "misses seq="},
        {"> Message kind=AckRequest instance=0 seq=1 status=RUNNING", "has no field status"},
        {"> RegisterTaskDefinition document=x", "column 26: a definition is an object"},
        {"> RegisterTaskDefinition", "misses document="},
        {"> Timer a%0a=1", "has no field a%0a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed parsed = parse(cases[i].line);
        assert_int_equal(parsed.code, BERTH_ERR_INPUT);
        if (strstr(parsed.err.text, cases[i].text) == NULL)
            fail_msg("%s\n  said: %s\n  not:  %s", cases[i].line, parsed.err.text, cases[i].text);
        parsed_free(&parsed);
    }
}

static void test_actions_are_left_alone(void **state)
{
    (void)state;
    struct parsed parsed = parse("< Change revision=1 and whatever");
    assert_int_equal(parsed.code, BERTH_OK);
    assert_int_equal(parsed.kind, TRANSCRIPT_ACTION);
    assert_string_equal(parsed.line, "< Change revision=1 and whatever");
    parsed_free(&parsed);
}

static void assert_action(const struct action *action, const char *wanted)
{
    struct text text = TEXT_INIT;
    transcript_format_action(NULL, action, &text);
    assert_int_equal(text.bytes[text.length - 1], '\n');
    text.bytes[text.length - 1] = '\0';
    assert_string_equal(text.bytes, wanted);
    text_free(&text);
}

static void test_changes_and_events_are_written(void **state)
{
    struct symbols *symbols = *state;
    struct task_def def = {.family = "web", .revision = 2};
    group_id group = cluster_group(names_cluster, symbols_add(symbols, "service:web"));
    struct action action = {.kind = ACTION_CHANGE};
    action.u.change = (struct change){.revision = 12, .kind = RECORD_TASK};
    action.u.change.u.task = (struct task_view){.task = 5,
                                                .instance = 3,
                                                .service = 0,
                                                .group = group,
                                                .def = &def,
                                                .deployment = 4,
                                                .last_status = TASK_STOPPED,
                                                .previous_status = TASK_RUNNING,
                                                .was_desired_running = true,
                                                .stop_code = STOP_USER_INITIATED,
                                                .stop_reason = STOP_REASON_USER,
                                                .stop_text = symbols_add(symbols, "go away"),
                                                .cpu_units = 256,
                                                .mem_mib = 512,
                                                .version = 6};
    assert_action(&action, "< Change revision=12 kind=task task=5 definition=web:2 "
                           "group=service:web instance=3 last=STOPPED previous=RUNNING "
                           "desired=STOPPED previous-desired=RUNNING stop-code=UserInitiated "
                           "stop-reason=user deployment=4 cpu=256 memory=512 version=6 "
                           "stop-text=go%20away");
    action.u.change = (struct change){.revision = 13, .kind = RECORD_SERVICE, .is_deleted = true};
    action.u.change.u.service =
        (struct service_view){.service = 0, .name = service_name, .desired_count = 6};
    assert_action(&action, "< Change revision=13 kind=service deleted=1 service=web number=0 "
                           "desired=6 running=0 pending=0 deployments=0");
    action.u.change = (struct change){.revision = 14, .kind = RECORD_TASK_DEFINITION};
    action.u.change.u.task_def = &def;
    assert_action(&action, "< Change revision=14 kind=task-definition definition=web:2");
    task_id tasks[] = {7, 8};
    action = (struct action){.kind = ACTION_SERVICE_EVENT};
    action.u.service_event = (struct service_event){
        .kind = SERVICE_EVENT_STARTED_TASKS, .deployment = 2, .tasks = tasks, .task_count = 2};
    assert_action(&action, "< ServiceEvent kind=TASKS_STARTED service=web deployment=2 tasks=7;8");
    action.u.service_event = (struct service_event){
        .kind = SERVICE_EVENT_PLACEMENT_FAILURE, .closest = 4, .verdict = PLACEMENT_MEMORY};
    assert_action(&action, "< ServiceEvent kind=SERVICE_TASK_PLACEMENT_FAILURE service=web "
                           "closest=4 verdict=RESOURCE:MEMORY");
}

static void test_replies_and_messages_are_written(void **state)
{
    (void)state;
    struct task_def def = {.family = "web", .revision = 2};
    struct action action = {.kind = ACTION_REPLY};
    task_id tasks[] = {7, 8};
    struct reply_failure failures[] = {{0, PLACEMENT_CPU}, {1, PLACEMENT_MEMBER_OF}};
    action.u.reply = (struct reply){.token = 9, .command = EVENT_RUN_TASK, .status = REPLY_OK};
    action.u.reply.u.run_task.tasks = tasks;
    action.u.reply.u.run_task.task_count = 2;
    action.u.reply.u.run_task.placed_count = 1;
    action.u.reply.u.run_task.refused_count = 3;
    action.u.reply.u.run_task.reason = PLACEMENT_CPU;
    action.u.reply.u.run_task.failures = failures;
    action.u.reply.u.run_task.failure_count = 2;
    assert_action(&action,
                  "< Reply token=9 command=RunTask status=OK tasks=7;8 placed=1 refused=3 "
                  "reason=RESOURCE:CPU failures=0:RESOURCE:CPU;1:MemberOf%20placement%20constraint"
                  "%20unsatisfied");
    action.u.reply = (struct reply){
        .token = 1, .command = EVENT_STOP_TASK, .status = REPLY_NOT_FOUND, .text = "no task 4"};
    assert_action(&action, "< Reply token=1 command=StopTask status=NOT_FOUND text=no%20task%204");
    struct gpu_grant grants[] = {{0, 1000}, {2, 460}};
    action = (struct action){.kind = ACTION_SEND};
    action.u.send = (struct message){.kind = MESSAGE_PAYLOAD, .instance = 1, .seq = 6};
    action.u.send.u.payload = (struct task_payload){.task = 5,
                                                    .def = &def,
                                                    .group = "service:web",
                                                    .reference = 3,
                                                    .cpu_units = 256,
                                                    .mem_mib = 512,
                                                    .grants = grants,
                                                    .grant_count = 2,
                                                    .desired_running = true};
    assert_action(&action, "< Send kind=PayloadMessage instance=1 seq=6 task=5 group=service:web "
                           "reference=3 cpu=256 memory=512 desired=RUNNING definition=web:2 "
                           "grants=0:1000;2:460");
    action.u.send = (struct message){.kind = MESSAGE_REPORT_ACK, .instance = 1, .seq = 6};
    assert_action(&action, "< Send kind=SubmitTaskStateChangeAck instance=1 seq=6");
    action.u.send = (struct message){.kind = MESSAGE_MANIFEST, .instance = 1, .seq = 7};
    action.u.send.u.list.tasks = tasks;
    action.u.send.u.list.count = 2;
    assert_action(&action, "< Send kind=TaskManifestMessage instance=1 seq=7 tasks=7;8");
}

static int open_names(void **state)
{
    struct symbols *symbols = symbols_create();
    names_cluster = cluster_create(symbols);
    service_name = symbols_add(symbols, "web");
    *state = symbols;
    return 0;
}

static int close_names(void **state)
{
    cluster_destroy(names_cluster);
    symbols_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event_comes_back_as_it_was),
        cmocka_unit_test(test_times_come_back),
        cmocka_unit_test(test_lines_read_like_sentences),
        cmocka_unit_test(test_bad_lines_say_where_and_how_to_mend),
        cmocka_unit_test(test_actions_are_left_alone),
        cmocka_unit_test(test_changes_and_events_are_written),
        cmocka_unit_test(test_replies_and_messages_are_written),
    };
    return cmocka_run_group_tests(tests, open_names, close_names);
}
