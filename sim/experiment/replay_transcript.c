/*
 * replay_transcript.c -- recorded events into a fresh controller.
 *
 * The controller is driven by the same loop as in the run, over a store that keeps nothing, so what
 * comes out has the order in which it was recorded: replies and messages after the commit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/loop.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/task_def_json.h"
#include "sim/experiment/files.h"
#include "sim/experiment/replay.h"

struct player {
    const char *path;
    char *next; /* the rest of the file, cut into lines as it is read */
    uint64_t line_number;
    struct controller_options options;
    struct store store;
    struct loop *loop;
    struct text actions; /* of the steps so far, not compared yet: a line each */
    size_t compared;     /* bytes of them */
    struct step_time now;
    struct replay_outcome *outcome;
};

static void record(struct player *player, const struct action *action)
{
    transcript_format_action(loop_controller(player->loop), action, &player->actions);
}

static void on_send(void *context, struct step_time decided, const struct message *message)
{
    (void)decided;
    record(context, &(struct action){.kind = ACTION_SEND, .u.send = *message});
}

static void on_reply(void *context, struct step_time decided, const struct reply *reply)
{
    (void)decided;
    record(context, &(struct action){.kind = ACTION_REPLY, .u.reply = *reply});
}

static void on_change(void *context, struct step_time decided, const struct change *change)
{
    (void)decided;
    record(context, &(struct action){.kind = ACTION_CHANGE, .u.change = *change});
}

static void on_request(void *context, struct step_time decided, const struct request *request)
{
    (void)decided;
    record(context, &(struct action){.kind = ACTION_REQUEST, .u.request = *request});
}

static void on_service_event(void *context, struct step_time decided,
                             const struct service_event *event)
{
    (void)decided;
    record(context, &(struct action){.kind = ACTION_SERVICE_EVENT, .u.service_event = *event});
}

static const struct loop_ops ops = {
    .send = on_send,
    .reply = on_reply,
    .change = on_change,
    .service_event = on_service_event,
    .request = on_request,
};

static char *next_line(struct player *player)
{
    if (player->next[0] == '\0')
        return NULL;
    char *line = player->next;
    size_t length = strcspn(line, "\n");
    player->next = line + length + (line[length] == '\n');
    line[length] = '\0';
    player->line_number++;
    return line;
}

static enum berth_err fail_here(const struct player *player, struct berth_error *err)
{
    return berth_fail_in(err, "%s:%" PRIu64 ": ", player->path, player->line_number);
}

static void note_difference(struct player *player, const char *expected, const char *found,
                            size_t found_length)
{
    player->outcome->different_line = player->line_number;
    text_add(&player->outcome->expected, expected);
    text_add_n(&player->outcome->found, found, found_length);
}

/* One recorded action against the next that came out. */
static void compare_action(struct player *player, const char *line)
{
    const char *found =
        player->actions.length > player->compared ? player->actions.bytes + player->compared : "";
    size_t length = strcspn(found, "\n");
    if (strlen(line) != length || memcmp(line, found, length) != 0) {
        note_difference(player, line, found, length);
        return;
    }
    player->compared += length + 1;
    player->outcome->action_count++;
    if (player->compared == player->actions.length) {
        text_clear(&player->actions);
        player->compared = 0;
    }
}

/* Before the next event, everything that came out must have been recorded. */
static void expect_no_more(struct player *player)
{
    if (player->actions.length > player->compared) {
        const char *found = player->actions.bytes + player->compared;
        note_difference(player, "", found, strcspn(found, "\n"));
    }
}

static enum berth_err play_line(struct player *player, struct transcript_scratch *scratch,
                                char *line, struct berth_error *err)
{
    if (line[0] == '<') {
        compare_action(player, line);
        return BERTH_OK;
    }
    if (line[0] == '\0' || line[0] == '#')
        return BERTH_OK;
    if (line[0] == '>')
        expect_no_more(player);
    if (player->outcome->different_line != 0)
        return BERTH_OK;
    enum transcript_line kind = TRANSCRIPT_TIME;
    struct step_time now = player->now;
    struct event event;
    enum berth_err code =
        transcript_parse_line(line, scratch, task_def_from_document, &kind, &now, &event, err);
    if (code == BERTH_OK && now.mono_ns < player->now.mono_ns)
        code = berth_fail(err, BERTH_ERR_INPUT, "time runs backwards");
    player->now = now;
    if (code != BERTH_OK || kind != TRANSCRIPT_EVENT)
        return code;
    player->outcome->event_count++;
    return loop_step(player->loop, player->now, &event, err);
}

static enum berth_err play(struct player *player, struct berth_error *err)
{
    char *line = next_line(player);
    if (line == NULL || strcmp(line, TRANSCRIPT_HEADER) != 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s:1: is not \"%s\"", player->path,
                          TRANSCRIPT_HEADER);
    line = next_line(player);
    enum berth_err code =
        transcript_parse_options(line != NULL ? line : (char[]){""}, &player->options, err);
    if (code != BERTH_OK)
        return fail_here(player, err);
    player->store = store_volatile_open();
    player->loop = loop_create(controller_create(&player->options), &player->options,
                               task_def_from_document, &player->store, &ops, player);
    struct transcript_scratch *scratch = transcript_scratch_create();
    while (code == BERTH_OK && player->outcome->different_line == 0 &&
           (line = next_line(player)) != NULL)
        code = play_line(player, scratch, line, err);
    if (code == BERTH_OK && player->outcome->different_line == 0)
        expect_no_more(player);
    transcript_scratch_destroy(scratch);
    loop_destroy(player->loop);
    player->store.ops->destroy(player->store.self);
    return code == BERTH_OK ? BERTH_OK : fail_here(player, err);
}

enum berth_err replay_transcript(const char *path, struct replay_outcome *out,
                                 struct berth_error *err)
{
    *out = (struct replay_outcome){.expected = TEXT_INIT, .found = TEXT_INIT};
    struct text file = TEXT_INIT;
    enum berth_err code = files_read(path, &file, err);
    struct player player = {.path = path, .next = file.bytes, .outcome = out};
    if (code == BERTH_OK)
        code = play(&player, err);
    text_free(&player.actions);
    text_free(&file);
    return code;
}

void replay_outcome_free(struct replay_outcome *outcome)
{
    text_free(&outcome->expected);
    text_free(&outcome->found);
}
