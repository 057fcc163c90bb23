#include "sim/run/journal.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/fleet/fleet.h"

struct journal {
    FILE *out;
    struct text line;
};

struct journal *journal_create(FILE *out)
{
    if (out == NULL)
        return NULL;
    struct journal *journal = mem_alloc(sizeof *journal);
    journal->out = out;
    return journal;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    text_free(&journal->line);
    mem_free(journal);
}

/* Civil date of a day number, proleptic Gregorian (Howard Hinnant, chrono-compatible date). */
static void civil_date(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void journal_format_time(berth_ns wall_ns, char out[64])
{
    int64_t seconds = wall_ns / BERTH_NS_PER_S, ns = wall_ns % BERTH_NS_PER_S;
    int64_t of_day = seconds % 86400;
    int year, month, day;
    civil_date(seconds / 86400, &year, &month, &day);
    snprintf(out, 64, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", year % 10000, month, day,
             (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60), (int)ns);
}

static void add_string(struct text *line, const char *value)
{
    if (value == NULL) {
        text_add(line, "null");
        return;
    }
    text_add(line, "\"");
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte == '"' || byte == '\\')
            text_addf(line, "\\%c", byte);
        else if (byte < 0x20)
            text_addf(line, "\\u%04x", byte);
        else
            text_add_n(line, value, 1);
    }
    text_add(line, "\"");
}

static void add_member(struct text *line, const char *name, const char *value)
{
    text_addf(line, ",\"%s\":", name);
    add_string(line, value);
}

static void add_number(struct text *line, const char *name, int64_t value)
{
    text_addf(line, ",\"%s\":%" PRId64, name, value);
}

static void add_id(struct text *line, const char *name, uint64_t number)
{
    char id[33];
    id_format(number, id);
    add_member(line, name, id);
}

/* Members follow with a comma each; the first is written here. */
static struct text *begin(struct journal *journal, berth_ns now_ns, const char *detail_type)
{
    struct text *line = &journal->line;
    char time[64];
    journal_format_time(FLEET_WALL_EPOCH_NS + now_ns, time);
    text_clear(line);
    text_addf(line, "{\"time\":\"%s\",\"seconds\":%" PRId64 ".%09" PRId64, time,
              now_ns / BERTH_NS_PER_S, now_ns % BERTH_NS_PER_S);
    add_member(line, "detail-type", detail_type);
    return line;
}

static void end(struct journal *journal)
{
    text_add(&journal->line, "}}\n");
    (void)fwrite(journal->line.bytes, 1, journal->line.length, journal->out);
}

static const char *instance_name(const struct controller *controller, instance_id instance)
{
    const struct cluster *cluster = controller_cluster(controller);
    if (instance >= cluster_instance_count(cluster))
        return NULL;
    return symbols_text(cluster_symbols(cluster), cluster_instance(cluster, instance)->name);
}

static void task_changed(struct journal *journal, berth_ns now_ns,
                         const struct controller *controller, const struct change *change)
{
    const struct task_view *view = &change->u.task;
    const struct cluster *cluster = controller_cluster(controller);
    struct text *line = begin(journal, now_ns, "ECS Task State Change");
    add_number(line, "revision", (int64_t)change->revision);
    char id[33];
    id_format(view->task, id);
    text_addf(line, ",\"detail\":{\"task\":\"%s\"", id);
    add_member(line, "group",
               symbols_text(cluster_symbols(cluster), cluster_group_name(cluster, view->group)));
    text_addf(line, ",\"taskDefinition\":\"%s:%u\"", view->def->family,
              (unsigned)view->def->revision);
    add_member(line, "containerInstance", instance_name(controller, view->instance));
    add_member(line, "lastStatus", task_status_names[view->last_status]);
    add_member(line, "desiredStatus", view->desired_running ? "RUNNING" : "STOPPED");
    add_number(line, "version", view->version);
    if (view->stop_code != STOP_NONE) {
        struct text reason = TEXT_INIT;
        stopped_reason_format(controller, view, &reason);
        add_member(line, "stopCode", stop_code_names[view->stop_code]);
        add_member(line, "stoppedReason", reason.bytes);
        add_number(line, "exitCode", view->exit_code);
        text_free(&reason);
    }
    end(journal);
}

static void instance_changed(struct journal *journal, berth_ns now_ns,
                             const struct controller *controller, const struct change *change)
{
    const struct instance *instance =
        cluster_instance(controller_cluster(controller), change->u.instance);
    struct text *line = begin(journal, now_ns, "ECS Container Instance State Change");
    add_number(line, "revision", (int64_t)change->revision);
    text_add(line, ",\"detail\":{\"containerInstance\":");
    add_string(line, instance_name(controller, change->u.instance));
    add_member(line, "status", instance_status_names[instance->status]);
    text_addf(line, ",\"agentConnected\":%s", instance->is_agent_connected ? "true" : "false");
    add_number(line, "remainingCpu", instance->cpu_remaining);
    add_number(line, "remainingMemory", instance->mem_remaining);
    end(journal);
}

void journal_change(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                    const struct change *change)
{
    if (journal == NULL)
        return;
    if (change->kind == RECORD_TASK)
        task_changed(journal, now_ns, controller, change);
    else if (change->kind == RECORD_INSTANCE)
        instance_changed(journal, now_ns, controller, change);
}

void journal_service_event(struct journal *journal, berth_ns now_ns,
                           const struct controller *controller, const struct service_event *event)
{
    if (journal == NULL)
        return;
    struct text words = TEXT_INIT;
    struct cluster *cluster = controller_cluster(controller);
    struct service_view view = controller_service(controller, event->service);
    struct text *line = begin(journal, now_ns, "ECS Service Action");
    text_add(line, ",\"detail\":{\"eventName\":");
    add_string(line, service_event_kind_names[event->kind]);
    add_member(line, "service", symbols_text(cluster_symbols(cluster), view.name));
    service_event_format(controller, event, &words);
    add_member(line, "message", words.bytes);
    text_free(&words);
    end(journal);
}

void journal_timeline(struct journal *journal, berth_ns now_ns, const char *name,
                      const char *action)
{
    if (journal == NULL)
        return;
    struct text *line = begin(journal, now_ns, "berth Timeline");
    text_add(line, ",\"detail\":{\"name\":");
    add_string(line, name);
    add_member(line, "action", action);
    end(journal);
}

void journal_host(struct journal *journal, berth_ns now_ns, const char *what, uint32_t host,
                  instance_id instance, const char *cause, const char *mode)
{
    if (journal == NULL)
        return;
    struct text *line = begin(journal, now_ns, what);
    text_addf(line, ",\"detail\":{\"host\":%u", (unsigned)host);
    if (instance != INSTANCE_NONE)
        add_id(line, "containerInstance", (uint64_t)instance + 1);
    if (cause != NULL)
        add_member(line, "cause", cause);
    if (mode != NULL)
        add_member(line, "mode", mode);
    end(journal);
}
