/*
 * The step: apply the event, then look at every service that it marked and at whoever waits for
 * capacity that it freed, then record what the other records no longer tell. Everything is driven
 * by what changed; a step does not look at what it does not concern.
 */
#include "scheduler/core/controller.h"

#include <assert.h>
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/stopped.h"

struct controller *controller_create(const struct controller_options *options)
{
    struct controller *controller = mem_alloc(sizeof *controller);
    controller->options = *options;
    controller->options.cluster = mem_copy_text(options->cluster);
    controller->options.account = mem_copy_text(options->account);
    controller->options.region = mem_copy_text(options->region);
    controller->symbols = symbols_create();
    controller->cluster = cluster_create(controller->symbols);
    controller->task_defs = task_def_registry_create();
    controller->pool = (struct pool)POOL_INIT(struct task);
    controller->waiting.free_slot = UINT32_MAX;
    controller->past.deadline_ns = BERTH_NS_NEVER;
    return controller;
}

static void free_options(struct controller_options *options)
{
    mem_free((void *)(uintptr_t)options->cluster);
    mem_free((void *)(uintptr_t)options->account);
    mem_free((void *)(uintptr_t)options->region);
}

static void free_tables(struct controller *controller)
{
    for (size_t i = 0; i < controller->interned.count; i++)
        mem_free(controller->interned.items[i].bytes);
    vec_free(&controller->interned);
    map_free(&controller->interned_by_hash);
    pool_free(&controller->pool);
    id_table_free(&controller->tasks);
    for (size_t i = 0; i < controller->hosts.count; i++)
        mem_free(controller->hosts.items[i].tasks.items);
    vec_free(&controller->hosts);
    heap_free(&controller->host_deadlines);
    heap_free(&controller->held);
    heap_free(&controller->protections);
    vec_free(&controller->services);
    vec_free(&controller->service_names);
    map_free(&controller->service_by_name);
    heap_free(&controller->service_deadlines);
    scaling_free(controller);
    vec_free(&controller->dirty);
    vec_free(&controller->blocked);
    vec_free(&controller->unbalanced);
    vec_free(&controller->daemons);
    vec_free(&controller->groups);
    vec_free(&controller->alarms);
    vec_free(&controller->touched);
    vec_free(&controller->def_records);
    vec_free(&controller->target_notes);
    stopped_free(controller);
    vec_free(&controller->started);
    vec_free(&controller->stopped);
    vec_free(&controller->victims);
    vec_free(&controller->victim_tasks);
}

void controller_destroy(struct controller *controller)
{
    if (controller == NULL)
        return;
    for (size_t i = 0; i < controller->services.count; i++)
        if (controller->services.items[i] != NULL)
            service_free(controller, controller->services.items[i]);
    capacity_free(controller);
    waiting_free(controller);
    plans_free(controller);
    free_tables(controller);
    arena_free(&controller->arena);
    text_free(&controller->key);
    task_def_registry_destroy(controller->task_defs);
    cluster_destroy(controller->cluster);
    symbols_destroy(controller->symbols);
    free_options(&controller->options);
    mem_free(controller);
}

static void register_task_def(struct controller *controller, const struct event *event)
{
    if (event->u.task_def == NULL) {
        emit_refusal(controller, event, REPLY_INVALID, "taskDefinition: missing");
        return;
    }
    const struct task_def *def = task_def_register(controller->task_defs, event->u.task_def);
    emit_task_def(controller, def);
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.task_def = def;
}

static void timer(struct controller *controller, const struct event *event)
{
    (void)event;
    instances_timer(controller);
    protection_timer(controller);
    waiting_timer(controller);
    capacity_timer(controller);
    services_timer(controller);
    stopped_timer(controller);
    scaling_timer(controller);
}

static void resume(struct controller *controller, const struct event *event)
{
    (void)event;
    outside_resumed(controller);
}

static void (*const handlers[EVENT_KIND_COUNT])(struct controller *, const struct event *) = {
    [EVENT_TIMER] = timer,
    [EVENT_REGISTER_TASK_DEFINITION] = register_task_def,
    [EVENT_REGISTER_INSTANCE] = instances_register,
    [EVENT_DEREGISTER_INSTANCE] = instances_deregister,
    [EVENT_UPDATE_INSTANCE_STATE] = instances_update_state,
    [EVENT_AGENT_CONNECTED] = instances_connected,
    [EVENT_AGENT_DISCONNECTED] = instances_disconnected,
    [EVENT_RUN_TASK] = run_task,
    [EVENT_STOP_TASK] = stop_task,
    [EVENT_CREATE_SERVICE] = services_create,
    [EVENT_UPDATE_SERVICE] = services_update,
    [EVENT_DELETE_SERVICE] = services_delete,
    [EVENT_STOP_SERVICE_DEPLOYMENT] = deployment_stop,
    [EVENT_CONTINUE_SERVICE_DEPLOYMENT] = stages_continue,
    [EVENT_CREATE_TASK_SET] = task_set_create,
    [EVENT_UPDATE_TASK_SET] = task_set_update,
    [EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET] = task_set_make_primary,
    [EVENT_DELETE_TASK_SET] = task_set_delete,
    [EVENT_UPDATE_TASK_PROTECTION] = protection_update,
    [EVENT_REGISTER_SCALABLE_TARGET] = scaling_command,
    [EVENT_DEREGISTER_SCALABLE_TARGET] = scaling_command,
    [EVENT_PUT_SCALING_POLICY] = scaling_command,
    [EVENT_DELETE_SCALING_POLICY] = scaling_command,
    [EVENT_PUT_SCHEDULED_ACTION] = scaling_command,
    [EVENT_DELETE_SCHEDULED_ACTION] = scaling_command,
    [EVENT_PUT_CAPACITY_PROVIDER] = capacity_command,
    [EVENT_DELETE_CAPACITY_PROVIDER] = capacity_command,
    [EVENT_PUT_DEFAULT_PROVIDERS] = capacity_command,
    [EVENT_MESSAGE] = instances_message,
    [EVENT_ANSWER] = outside_answered,
    [EVENT_RESUME] = resume,
};

/* What a step before this one has left to be looked at: only one that loaded the state. */
static bool has_leftovers(const struct controller *controller)
{
    return controller->dirty.count > 0 || controller->touched.count > 0 ||
           controller->held.items.count > 0 || controller->is_capacity_dirty ||
           controller->needs_own_record;
}

/* Nothing comes of an ack (instances.c), and a quarter of a busy cluster's steps are such. */
static bool is_mere_ack(const struct controller *controller, const struct event *event)
{
    return event->kind == EVENT_MESSAGE && event->u.message.kind == MESSAGE_ACK &&
           event->u.message.instance < controller->hosts.count && !has_leftovers(controller);
}

void controller_step(struct controller *controller, struct step_time now, const struct event *event,
                     struct action_list *out)
{
    assert(now.mono_ns >= controller->now.mono_ns);
    controller->now = now;
    vec_clear(out);
    if (is_mere_ack(controller, event))
        return;
    controller->out = out;
    arena_reset(&controller->arena);
    bool was_braking = controller->held.items.count > 0;
    bool has_quotas = controller->options.throttles_api || controller->options.limits_sizes;
    if (!has_quotas || quotas_admit(controller, event))
        handlers[event->kind](controller, event);
    if (was_braking)
        brake_settle(controller);
    if (controller->dirty.count > 0 || controller->touched.count > 0)
        waiting_pass(controller);
    vec_clear(&controller->target_notes); /* Of services that are gone. */
    if (controller->is_capacity_dirty)
        capacity_settle(controller);
    if (controller->needs_own_record)
        emit_controller(controller);
    controller->out = NULL;
}

static berth_ns earlier(berth_ns a_ns, berth_ns b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

berth_ns controller_next_deadline(const struct controller *controller)
{
    berth_ns next_ns = earlier(waiting_deadline(controller), stopped_deadline(controller));
    for (size_t i = 0; i < controller->providers.count; i++)
        next_ns = earlier(next_ns, controller->providers.items[i].tick_ns);
    next_ns = earlier(next_ns, heap_first_key(&controller->leave_deadlines));
    next_ns = earlier(next_ns, heap_first_key(&controller->host_deadlines));
    next_ns = earlier(next_ns, heap_first_key(&controller->protections));
    next_ns = earlier(next_ns, heap_first_key(&controller->service_deadlines));
    return earlier(next_ns, heap_first_key(&controller->scaling_deadlines));
}

void action_list_free(struct action_list *list)
{
    vec_free(list);
}

const struct controller_options *controller_options(const struct controller *controller)
{
    return &controller->options;
}

struct cluster *controller_cluster(const struct controller *controller)
{
    return controller->cluster;
}

const struct task_def_registry *controller_task_defs(const struct controller *controller)
{
    return controller->task_defs;
}

uint64_t controller_revision(const struct controller *controller)
{
    return controller->revision;
}

uint32_t controller_service_count(const struct controller *controller)
{
    return (uint32_t)controller->services.count;
}

struct service_view controller_service(const struct controller *controller, service_id service)
{
    assert(service < controller->services.count);
    if (controller->services.items[service] != NULL)
        return service_view_of(controller->services.items[service]);
    return (struct service_view){
        .service = service,
        .group = GROUP_NONE,
        .name = controller->service_names.items[service],
    };
}

bool controller_task(const struct controller *controller, task_id task, struct task_view *out)
{
    const struct task *found = task_find(controller, task);
    if (found == NULL)
        return false;
    task_view_of(found, found->status, found->desired_running, out);
    return true;
}

bool controller_next_task(const struct controller *controller, task_id after, struct task_view *out)
{
    const struct task *at = task_after(controller, after);
    if (at == NULL)
        return false;
    task_view_of(at, at->status, at->desired_running, out);
    return true;
}

void controller_rules(const struct controller *controller, uint64_t counts[RULE_COUNT])
{
    memcpy(counts, controller->rules, sizeof controller->rules);
}

uint32_t controller_waiting_count(const struct controller *controller)
{
    return controller->waiting.tasks.count + controller->machines.count;
}
