#include "sim/run/journal.h"

#include <inttypes.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/ecs/event_json.h"
#include "sim/fleet/fleet.h"

struct journal {
    FILE *out;
    uint64_t stream, count; /* of events: their ids */
    struct text line, members;
};

struct journal *journal_create(FILE *out, uint64_t stream)
{
    if (out == NULL)
        return NULL;
    struct journal *journal = mem_alloc(sizeof *journal);
    journal->out = out;
    journal->stream = stream;
    return journal;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    text_free(&journal->line);
    text_free(&journal->members);
    mem_free(journal);
}

/* The virtual time, and the revision of a change. */
static void add_members(struct journal *journal, berth_ns now_ns, uint64_t revision)
{
    text_clear(&journal->members);
    text_addf(&journal->members, ",\"seconds\":%" PRId64 ".%09" PRId64, now_ns / BERTH_NS_PER_S,
              now_ns % BERTH_NS_PER_S);
    if (revision > 0)
        text_addf(&journal->members, ",\"revision\":%" PRIu64, revision);
}

static struct event_envelope envelope_of(struct journal *journal, berth_ns now_ns,
                                         uint64_t revision)
{
    add_members(journal, now_ns, revision);
    text_clear(&journal->line);
    return (struct event_envelope){
        .stream = journal->stream,
        .number = ++journal->count,
        .wall_ns = FLEET_WALL_EPOCH_NS + now_ns,
        .members = journal->members.bytes,
    };
}

static void write_line(struct journal *journal)
{
    text_add(&journal->line, "\n");
    (void)fwrite(journal->line.bytes, 1, journal->line.length, journal->out);
}

void journal_change(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                    const struct change *change)
{
    if (journal == NULL)
        return;
    struct event_envelope envelope = envelope_of(journal, now_ns, change->revision);
    bool is_written = true;
    if (change->kind == RECORD_TASK &&
        (!change->is_deleted || change->u.task.previous_status != TASK_STOPPED))
        event_json_task(controller, &envelope, &change->u.task, &journal->line);
    else if (change->kind == RECORD_INSTANCE)
        event_json_instance(controller, &envelope, change->u.instance, change->revision,
                            &journal->line);
    else if (change->kind == RECORD_DEPLOYMENT && !change->is_deleted)
        is_written =
            event_json_deployment(controller, &envelope, &change->u.deployment, &journal->line);
    else
        is_written = false;
    if (is_written)
        write_line(journal);
    else
        journal->count--;
}

void journal_service_event(struct journal *journal, berth_ns now_ns,
                           const struct controller *controller, const struct service_event *event)
{
    if (journal == NULL)
        return;
    struct event_envelope envelope = envelope_of(journal, now_ns, 0);
    event_json_service(controller, &envelope, event, &journal->line);
    write_line(journal);
}

/* berth's own events: what the scenario does, and what happens to the hosts. */
static struct text *begin_own(struct journal *journal, berth_ns now_ns,
                              const struct controller *controller, const char *what)
{
    struct event_envelope envelope = envelope_of(journal, now_ns, 0);
    event_json_begin(controller, &envelope, "berth", what, NULL, &journal->line);
    return &journal->line;
}

void journal_timeline(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                      const char *name, const char *action)
{
    if (journal == NULL)
        return;
    struct text *line = begin_own(journal, now_ns, controller, "berth Timeline");
    event_json_text(line, "name", name);
    event_json_text(line, "action", action);
    event_json_end(line);
    write_line(journal);
}

void journal_host(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                  const char *what, uint32_t host, instance_id instance, const char *cause,
                  const char *mode)
{
    if (journal == NULL)
        return;
    struct text *line = begin_own(journal, now_ns, controller, what);
    event_json_number(line, "host", host);
    if (instance != INSTANCE_NONE) {
        char id[33];
        id_format((uint64_t)instance + 1, id);
        event_json_text(line, "containerInstance", id);
    }
    if (cause != NULL)
        event_json_text(line, "cause", cause);
    if (mode != NULL)
        event_json_text(line, "mode", mode);
    event_json_end(line);
    write_line(journal);
}

void journal_fault(struct journal *journal, berth_ns now_ns, const struct controller *controller,
                   const char *what, const char *kind, const char *cause, uint32_t host)
{
    if (journal == NULL)
        return;
    struct text *line = begin_own(journal, now_ns, controller, what);
    event_json_text(line, "kind", kind);
    if (host != HOST_NONE)
        event_json_number(line, "host", host);
    if (cause != NULL)
        event_json_text(line, "cause", cause);
    event_json_end(line);
    write_line(journal);
}
