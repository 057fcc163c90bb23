/*
 * Container instances: how they come and go, and what their agents say.
 *
 * An agent that is gone changes nothing about its tasks (ECS replaces none of them); only the
 * instance-lost timeout does. When an agent is back it is told again everything that its reports
 * have not confirmed, then given the manifest of what should run; what it has beyond that it asks
 * about, and is told to stop. So a lost message costs a reconnect, and a task that was declared
 * lost cannot live on. Acks carry nothing that the reports do not: they are taken and forgotten.
 */
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum { ATTRIBUTES_MAX = 1024, PORTS_MAX = 100 };

struct host *host_grow(struct controller *controller, instance_id id)
{
    while (controller->hosts.count <= id) {
        struct host *host = vec_push(&controller->hosts);
        memset(host, 0, sizeof *host);
        host->lost_ns = BERTH_NS_NEVER;
        host->leave_by_ns = BERTH_NS_NEVER;
    }
    return &controller->hosts.items[id];
}

void host_set_running(struct controller *controller, instance_id id, uint32_t running)
{
    host_of(controller, id)->running = running;
    cluster_set_running_tasks(controller->cluster, id, running);
}

static bool is_known(const struct controller *controller, instance_id id)
{
    return id < cluster_instance_count(controller->cluster);
}

/* The instance if it may still change, else NULL; the refusal is then made. */
static const struct instance *find_live(struct controller *controller, const struct event *event,
                                        instance_id id)
{
    if (!is_known(controller, id)) {
        emit_refusal(controller, event, REPLY_NOT_FOUND,
                     "containerInstance: number %lu is not registered", (unsigned long)id);
        return NULL;
    }
    const struct instance *instance = cluster_instance(controller->cluster, id);
    if (instance->status == INSTANCE_INACTIVE) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "containerInstance: %s is INACTIVE; register it as a new one",
                     symbols_text(controller->symbols, instance->name));
        return NULL;
    }
    return instance;
}

static void set_lost_deadline(struct controller *controller, instance_id id, berth_ns lost_ns)
{
    struct host *host = host_of(controller, id);
    brake_uncount(controller, id);
    host->lost_ns = lost_ns;
    host->is_held = false;
    heap_remove(&controller->held, id);
    brake_count(controller, id);
    if (lost_ns == BERTH_NS_NEVER)
        heap_remove(&controller->host_deadlines, id);
    else
        heap_set(&controller->host_deadlines, id, lost_ns);
}

/* Everything about its capacity may have changed for the better. */
static void appear(struct controller *controller, instance_id id)
{
    if (cluster_instance(controller->cluster, id)->is_dedicated)
        return;
    touch(controller, id);
    daemons_check(controller, id);
}

/* NULL, or what is wrong with the registration. */
static const char *check_spec(const struct event_register_instance *spec)
{
    if (spec->cpu_units < 0 || spec->mem_mib < 0)
        return "totalResources: CPU and MEMORY must not be negative";
    if (spec->gpu_count > GPU_DEVICES_MAX)
        return "totalResources: more than 64 GPUs; split the instance";
    if (spec->tcp_port_count > PORTS_MAX || spec->udp_port_count > PORTS_MAX)
        return "totalResources: at most 100 ports may be reserved";
    if (spec->attribute_count > ATTRIBUTES_MAX)
        return "attributes: at most 1024 entries are allowed";
    for (uint32_t i = 0; i < spec->attribute_count; i++) {
        if (spec->attributes[i].name == NULL || spec->attributes[i].name[0] == '\0')
            return "attributes: every one needs a name";
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(spec->attributes[i].name, spec->attributes[j].name) == 0)
                return "attributes: a name is given twice";
    }
    return NULL;
}

static instance_id add(struct controller *controller, const struct event_register_instance *spec)
{
    char name[33];
    struct attribute *attributes =
        arena_alloc(&controller->arena, spec->attribute_count * sizeof *attributes);
    for (uint32_t i = 0; i < spec->attribute_count; i++)
        attributes[i] =
            (struct attribute){symbols_add(controller->symbols, spec->attributes[i].name),
                               symbols_add(controller->symbols, spec->attributes[i].value)};
    id_format((uint64_t)cluster_instance_count(controller->cluster) + 1, name);
    struct instance_spec wanted = {
        .name = name,
        .ec2_id = spec->ec2_id,
        .agent_version = spec->agent_version,
        .pool = symbols_add(controller->symbols, spec->provider),
        .is_dedicated = spec->fargate_task != TASK_NONE,
        .cpu_units = spec->cpu_units,
        .mem_mib = spec->mem_mib,
        .gpu_count = spec->gpu_count,
        .eni_limit = spec->eni_limit,
        .tcp_ports_used = spec->tcp_ports_used,
        .udp_ports_used = spec->udp_ports_used,
        .tcp_port_count = spec->tcp_port_count,
        .udp_port_count = spec->udp_port_count,
        .attributes = attributes,
        .attribute_count = spec->attribute_count,
        .registered_wall_ns = controller->now.wall_ns,
    };
    return cluster_add_instance(controller->cluster, &wanted);
}

/* The agent knows of it, and it should run there: also while its targets drain. */
static bool is_agents_to_run(const struct task *task)
{
    return task->status > TASK_PROVISIONING && task->status < TASK_STOPPING;
}

/* Whether its reports still leave open that the agent knows what should become of the task. */
static bool is_unconfirmed(const struct task *task)
{
    return task->status == TASK_PENDING || task->status == TASK_STOPPING;
}

/* The caller emits the instance, whose record keeps the numbers used here. */
static void tell_everything(struct controller *controller, instance_id id)
{
    struct host *host = host_of(controller, id);
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < host->tasks.count; i++) {
        const struct task *task = host_task(controller, host, i);
        wanted += is_agents_to_run(task);
        if (is_unconfirmed(task))
            emit_payload(controller, task, ++host->last_seq);
    }
    task_id *tasks = arena_alloc(&controller->arena, wanted * sizeof *tasks);
    rule_fired(controller, RULE_MANIFEST);
    struct message *manifest = emit_message(controller, MESSAGE_MANIFEST, id, ++host->last_seq);
    manifest->u.list.tasks = tasks;
    manifest->u.list.count = wanted;
    for (uint32_t i = 0; i < host->tasks.count; i++)
        if (is_agents_to_run(host_task(controller, host, i)))
            *tasks++ = host->tasks.items[i];
}

static void reconnect(struct controller *controller, instance_id id)
{
    cluster_set_connected(controller->cluster, id, true);
    set_lost_deadline(controller, id, BERTH_NS_NEVER);
    emit_instance(controller, id);
    tell_everything(controller, id);
    appear(controller, id);
}

void instances_register(struct controller *controller, const struct event *event)
{
    const struct event_register_instance *spec = &event->u.register_instance;
    instance_id id = spec->existing;
    if (id != INSTANCE_NONE) {
        if (find_live(controller, event, id) == NULL)
            return;
        reconnect(controller, id);
    } else {
        const char *wrong = check_spec(spec);
        if (wrong == NULL)
            wrong = capacity_check_registration(controller, spec);
        if (wrong != NULL) {
            emit_refusal(controller, event, REPLY_INVALID, "%s", wrong);
            return;
        }
        id = add(controller, spec);
        (void)host_of(controller, id);
        capacity_instance_came(controller, id);
        brake_count(controller, id);
        rebalance_fleet_changed(controller, id);
        emit_instance(controller, id);
        if (spec->fargate_task != TASK_NONE)
            capacity_machine_came(controller, spec->fargate_task, id);
        appear(controller, id);
    }
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.instance = id;
}

/* The controller gives up what is there; the containers may live on, but are nobody's. */
static void end_all(struct controller *controller, instance_id id, enum stop_code code,
                    enum stop_reason reason)
{
    const struct host *host = host_of(controller, id);
    while (host->tasks.count > 0)
        task_end(controller, host_task(controller, host, 0), code, reason);
}

void instances_deregister(struct controller *controller, const struct event *event)
{
    instance_id id = event->u.deregister_instance.instance;
    bool is_terminated = event->u.deregister_instance.cause == DEREGISTER_TERMINATED;
    const struct instance *instance = find_live(controller, event, id);
    if (instance == NULL)
        return;
    if (!is_terminated && !event->u.deregister_instance.force &&
        host_of(controller, id)->tasks.count > 0) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "containerInstance: %s has %u tasks; stop them or use force",
                     symbols_text(controller->symbols, instance->name),
                     (unsigned)host_of(controller, id)->tasks.count);
        return;
    }
    capacity_instance_gone(controller, id);
    brake_uncount(controller, id);
    cluster_set_status(controller->cluster, id, INSTANCE_INACTIVE);
    brake_count(controller, id);
    cluster_set_connected(controller->cluster, id, false);
    set_lost_deadline(controller, id, BERTH_NS_NEVER);
    rebalance_fleet_changed(controller, id);
    emit_instance(controller, id);
    if (is_terminated)
        end_all(controller, id, STOP_TERMINATION_NOTICE, STOP_REASON_HOST_TERMINATED);
    else
        end_all(controller, id, STOP_USER_INITIATED, STOP_REASON_DEREGISTERED);
    if (!instance->is_dedicated)
        daemons_check(controller, id);
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.instance = id;
}

/* Service tasks on a draining instance are outgoing: their services must look. */
static void set_draining(struct controller *controller, instance_id id, bool is_draining)
{
    const struct host *host = host_of(controller, id);
    for (uint32_t i = 0; i < host->tasks.count; i++) {
        struct task *task = host_task(controller, host, i);
        if (task->service == SERVICE_NONE)
            continue;
        task_uncount(task);
        task->is_draining = is_draining;
        task_count(task);
        if (task->deployment != NULL)
            service_mark(controller, task->deployment->service);
    }
}

static void set_status(struct controller *controller, instance_id id, enum instance_status status)
{
    brake_uncount(controller, id);
    cluster_set_status(controller->cluster, id, status);
    brake_count(controller, id);
    rebalance_fleet_changed(controller, id);
    emit_instance(controller, id);
    set_draining(controller, id, status == INSTANCE_DRAINING);
    appear(controller, id);
}

void instance_drain(struct controller *controller, instance_id id)
{
    set_status(controller, id, INSTANCE_DRAINING);
}

void instances_update_state(struct controller *controller, const struct event *event)
{
    instance_id id = event->u.update_instance_state.instance;
    enum instance_status status = event->u.update_instance_state.status;
    const struct instance *instance = find_live(controller, event, id);
    if (instance == NULL)
        return;
    if (status != INSTANCE_ACTIVE && status != INSTANCE_DRAINING) {
        emit_refusal(controller, event, REPLY_INVALID,
                     "status: an instance can be set to ACTIVE or DRAINING only");
        return;
    }
    if (instance->is_dedicated || host_of(controller, id)->leave == HOST_IS_ASKED) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "containerInstance: %s is Fargate's or is being terminated; it cannot change",
                     symbols_text(controller->symbols, instance->name));
        return;
    }
    if (status == INSTANCE_ACTIVE && host_of(controller, id)->leave == HOST_DRAINS)
        host_set_leave(controller, id, HOST_STAYS, BERTH_NS_NEVER);
    if (instance->status != status)
        set_status(controller, id, status);
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.instance = id;
}

void instances_connected(struct controller *controller, const struct event *event)
{
    if (find_live(controller, event, event->u.agent) != NULL)
        reconnect(controller, event->u.agent);
}

void instances_disconnected(struct controller *controller, const struct event *event)
{
    instance_id id = event->u.agent;
    const struct instance *instance = find_live(controller, event, id);
    if (instance == NULL || !instance->is_agent_connected)
        return;
    cluster_set_connected(controller->cluster, id, false);
    if (controller->options.instance_lost_ns != BERTH_NS_NEVER)
        set_lost_deadline(controller, id,
                          controller->now.mono_ns + controller->options.instance_lost_ns);
    emit_instance(controller, id);
}

void instances_timer(struct controller *controller)
{
    struct heap_item due;
    while (heap_first(&controller->host_deadlines, &due) && due.key <= controller->now.mono_ns) {
        if (brake_is_on(controller)) {
            brake_hold(controller, due.handle);
            continue;
        }
        set_lost_deadline(controller, due.handle, BERTH_NS_NEVER);
        emit_instance(controller, due.handle);
        rule_fired(controller, RULE_HOST_LOST);
        end_all(controller, due.handle, STOP_TERMINATION_NOTICE, STOP_REASON_HOST_LOST);
    }
}

static const struct {
    enum stop_code code;
    enum stop_reason reason;
} ends[EXIT_CAUSE_COUNT] = {
    [EXIT_NONE] = {STOP_ESSENTIAL_CONTAINER_EXITED, STOP_REASON_ESSENTIAL_EXIT},
    [EXIT_ESSENTIAL] = {STOP_ESSENTIAL_CONTAINER_EXITED, STOP_REASON_ESSENTIAL_EXIT},
    [EXIT_STOPPED] = {STOP_ESSENTIAL_CONTAINER_EXITED, STOP_REASON_ESSENTIAL_EXIT},
    [EXIT_PULL_FAILED] = {STOP_TASK_FAILED_TO_START, STOP_REASON_PULL_FAILED},
    [EXIT_START_FAILED] = {STOP_TASK_FAILED_TO_START, STOP_REASON_START_FAILED},
    [EXIT_HOST_LOST] = {STOP_TERMINATION_NOTICE, STOP_REASON_HOST_LOST},
    [EXIT_OUT_OF_MEMORY] = {STOP_TASK_FAILED_TO_START, STOP_REASON_OUT_OF_MEMORY},
    [EXIT_TIMEOUT] = {STOP_TASK_FAILED_TO_START, STOP_REASON_TIMEOUT},
    [EXIT_DEPENDENCY] = {STOP_TASK_FAILED_TO_START, STOP_REASON_DEPENDENCY},
};

/* What was RUNNING once did not fail to start, even if the restart of a container did. */
static enum stop_code end_code(const struct task *task, enum exit_cause cause)
{
    bool has_run = task->running_mono_ns != BERTH_NS_NEVER;
    return has_run && ends[cause].code == STOP_TASK_FAILED_TO_START
               ? STOP_ESSENTIAL_CONTAINER_EXITED
               : ends[cause].code;
}

static void take_times(struct task *task, const struct task_report *report)
{
    if (report->pull_started_ns != 0)
        task->pull_started_ns = report->pull_started_ns;
    if (report->pull_stopped_ns != 0)
        task->pull_stopped_ns = report->pull_stopped_ns;
    if (report->started_ns != 0)
        task->started_ns = report->started_ns;
}

/*
 * An agent's numbers rise, so a RUNNING that was overtaken by a newer one is known by its own: it
 * tells of a health that is past.
 */
static void take_running(struct controller *controller, struct task *task,
                         const struct message *message)
{
    const struct task_report *report = &message->u.report;
    enum task_health health =
        (unsigned)report->health < TASK_HEALTH_COUNT ? report->health : HEALTH_UNKNOWN;
    if (!task->desired_running || message->seq <= task->report_seq)
        return;
    bool is_start = task->status == TASK_PENDING;
    if (!is_start && health == task->health && !task_def_has_health_check(task->def))
        return; /* Its health never changes: the number need not be kept. */
    task->report_seq = message->seq;
    if (!is_start) {
        task_set_health(controller, task, health);
        return;
    }
    take_times(task, report);
    task->health = (uint8_t)health;
    task_started(controller, task);
}

static void take_report(struct controller *controller, const struct message *message)
{
    const struct task_report *report = &message->u.report;
    struct message *ack =
        emit_message(controller, MESSAGE_REPORT_ACK, message->instance, message->seq);
    ack->u.report = *report;
    struct task *task = task_find(controller, report->task);
    if (task == NULL || task->instance != message->instance) {
        rule_fired(controller, RULE_REPEAT);
        return; /* Forgotten, or never this agent's: it need not say it again. */
    }
    if (report->status == TASK_RUNNING) {
        take_running(controller, task, message);
        return;
    }
    if (report->status != TASK_STOPPED || task->status == TASK_DEPROVISIONING)
        return;
    take_times(task, report);
    enum exit_cause cause = (unsigned)report->cause < EXIT_CAUSE_COUNT ? report->cause : EXIT_NONE;
    task->exit_code = report->exit_code;
    if (task->desired_running && task->status < TASK_RUNNING && task->deployment != NULL &&
        cause != EXIT_HOST_LOST) {
        service_start_failed(controller, task->deployment);
        deployment_task_failed(controller, task->deployment, FAILED_TO_START);
    }
    if (task->desired_running && task->status == TASK_RUNNING && !task->is_healthy &&
        task->deployment != NULL && cause != EXIT_HOST_LOST)
        deployment_task_failed(controller, task->deployment, FAILED_BEFORE_HEALTHY);
    task_exited(controller, task, end_code(task, cause), ends[cause].reason);
}

static void answer_candidates(struct controller *controller, const struct message *message)
{
    task_id *unwanted = arena_alloc(&controller->arena, message->u.list.count * sizeof *unwanted);
    uint32_t count = 0;
    for (uint32_t i = 0; i < message->u.list.count; i++) {
        const struct task *task = task_find(controller, message->u.list.tasks[i]);
        if (task == NULL || !is_agents_to_run(task) || task->instance != message->instance)
            unwanted[count++] = message->u.list.tasks[i];
    }
    if (count > 0)
        rule_fired(controller, RULE_STRAY_STOPPED);
    struct message *ack =
        emit_message(controller, MESSAGE_STOP_VERIFICATION_ACK, message->instance, message->seq);
    ack->u.list.tasks = unwanted;
    ack->u.list.count = count;
}

void instances_message(struct controller *controller, const struct event *event)
{
    const struct message *message = &event->u.message;
    if (!is_known(controller, message->instance)) {
        emit_refusal(controller, event, REPLY_NOT_FOUND,
                     "containerInstance: number %lu is not registered",
                     (unsigned long)message->instance);
        return;
    }
    switch (message->kind) {
    case MESSAGE_TASK_STATE:
        take_report(controller, message);
        break;
    case MESSAGE_STOP_VERIFICATION:
        if (cluster_instance(controller->cluster, message->instance)->status != INSTANCE_INACTIVE)
            answer_candidates(controller, message);
        break;
    case MESSAGE_ACK:
        break;
    case MESSAGE_PAYLOAD:
    case MESSAGE_MANIFEST:
    case MESSAGE_STOP_VERIFICATION_ACK:
    case MESSAGE_REPORT_ACK:
    case MESSAGE_KIND_COUNT:
        emit_refusal(controller, event, REPLY_INVALID,
                     "message: this kind goes from the controller to the agent");
        break;
    }
}
