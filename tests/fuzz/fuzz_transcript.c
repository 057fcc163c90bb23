/*
 * Transcripts: each line is refused in one line of text, or read to an event that is written and
 * read back to itself. What was read happens to a controller, whose invariants must hold then, and
 * whose own lines must have the form of lines.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/task_def_json.h"

#define EVENTS_MAX 200
#define COPIES_MAX 300 /* a larger number is no other path, only a longer one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct controller *controller;
    struct transcript_scratch *scratch, *again;
    struct action_list actions;
    struct text first, second;
    struct step_time now;
    unsigned events;
};

static void check_line(const struct text *text)
{
    assert(text->length > 0 && text->bytes[text->length - 1] == '\n');
    assert(strlen(text->bytes) == text->length);
    assert(strchr(text->bytes, '\n') == text->bytes + text->length - 1);
}

/* Written, read and written again. */
static void check_round_trip(struct fuzz *fuzz, const struct event *event)
{
    struct berth_error err = BERTH_ERROR_INIT;
    enum transcript_line kind;
    struct step_time now;
    struct event again;
    text_clear(&fuzz->first);
    text_clear(&fuzz->second);
    transcript_format_event(event, &fuzz->first);
    check_line(&fuzz->first);
    char *line = mem_copy_text_n(fuzz->first.bytes, fuzz->first.length - 1);
    enum berth_err code =
        transcript_parse_line(line, fuzz->again, task_def_from_document, &kind, &now, &again, &err);
    assert(code == BERTH_OK && kind == TRANSCRIPT_EVENT);
    (void)code;
    transcript_format_event(&again, &fuzz->second);
    assert(strcmp(fuzz->first.bytes, fuzz->second.bytes) == 0);
    if (again.kind == EVENT_REGISTER_TASK_DEFINITION)
        task_def_destroy(again.u.task_def);
    mem_free(line);
}

static bool is_small(const struct event *event)
{
    if (event->kind == EVENT_RUN_TASK)
        return event->u.run_task.count <= COPIES_MAX;
    if (event->kind == EVENT_CREATE_SERVICE || event->kind == EVENT_UPDATE_SERVICE)
        return event->u.service.desired_count <= COPIES_MAX;
    return true;
}

static void happen(struct fuzz *fuzz, const struct event *event)
{
    check_round_trip(fuzz, event);
    if (fuzz->events++ >= EVENTS_MAX || !is_small(event)) {
        if (event->kind == EVENT_REGISTER_TASK_DEFINITION)
            task_def_destroy(event->u.task_def);
        return;
    }
    controller_step(fuzz->controller, fuzz->now, event, &fuzz->actions);
    for (size_t i = 0; i < fuzz->actions.count; i++) {
        text_clear(&fuzz->first);
        transcript_format_action(fuzz->controller, &fuzz->actions.items[i], &fuzz->first);
        check_line(&fuzz->first);
    }
}

static void play_line(struct fuzz *fuzz, char *line)
{
    struct berth_error err = BERTH_ERROR_INIT;
    enum transcript_line kind;
    struct step_time now;
    struct event event;
    if (transcript_parse_line(line, fuzz->scratch, task_def_from_document, &kind, &now, &event,
                              &err) != BERTH_OK) {
        assert(err.code == BERTH_ERR_INPUT && err.text[0] != '\0');
        assert(strchr(err.text, '\n') == NULL);
        return;
    }
    /* Clocks run forwards and stay within the centuries: whoever feeds a controller sees to that.
     */
    if (kind == TRANSCRIPT_TIME && now.mono_ns >= fuzz->now.mono_ns &&
        now.mono_ns < INT64_MAX / 4 && now.wall_ns >= 0 && now.wall_ns < INT64_MAX / 4)
        fuzz->now = now;
    if (kind == TRANSCRIPT_EVENT)
        happen(fuzz, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct controller_options options = {.cluster = "default",
                                               .account = "111122223333",
                                               .region = "us-east-1",
                                               .instance_lost_ns = 300 * BERTH_NS_PER_S,
                                               .waiting_give_up_ns = 1800 * BERTH_NS_PER_S};
    struct fuzz fuzz = {.controller = controller_create(&options),
                        .scratch = transcript_scratch_create(),
                        .again = transcript_scratch_create()};
    char *text = mem_copy_text_n((const char *)data, size);
    for (char *line = text, *next; line < text + size; line = next) {
        next = line + strcspn(line, "\n");
        *next++ = '\0';
        play_line(&fuzz, line);
    }
    controller_audit(fuzz.controller);
    controller_destroy(fuzz.controller);
    transcript_scratch_destroy(fuzz.scratch);
    transcript_scratch_destroy(fuzz.again);
    action_list_free(&fuzz.actions);
    text_free(&fuzz.first);
    text_free(&fuzz.second);
    mem_free(text);
    return 0;
}
