/*
 * finish.c -- what arrives: lines and frames of streams as they come, answers when they are whole.
 */
#include "scheduler/docker/engine_internal.h"

#include <stdio.h>
#include <string.h>

static void on_pull_line(struct engine *engine, struct request *request, const char *line,
                         size_t length)
{
    struct pull_line read;
    if (!pull_line_read(line, length, &read) || request->pull.is_error)
        return;
    if (read.digest[0] == '\0') /* said once, one line before the last */
        memcpy(read.digest, request->pull.digest, sizeof read.digest);
    read.is_last = read.is_last || request->pull.is_last;
    request->pull = read;
    if (request->call == ENGINE_IMPORT || read.is_error)
        return;
    struct engine_outcome *outcome = outcome_add(engine, ENGINE_PULL_PROGRESS);
    outcome->call = request->call;
    outcome->tag = request->tag;
    outcome->pull = read;
}

static void on_usage_line(struct engine *engine, struct request *request, const char *line,
                          size_t length)
{
    struct container_usage usage;
    json_t *json = json_loadb(line, length, 0, NULL);
    if (container_usage_read(json, &usage)) {
        struct engine_outcome *outcome = outcome_add(engine, ENGINE_USAGE);
        outcome->call = request->call;
        outcome->tag = request->tag;
        outcome->usage = usage;
    }
    json_decref(json);
}

static void on_line(struct engine *engine, struct request *request, const char *line, size_t length)
{
    if (request->call == ENGINE_EVENTS)
        watch_on_event(engine, line, length);
    else if (request->call == ENGINE_STATS)
        on_usage_line(engine, request, line, length);
    else
        on_pull_line(engine, request, line, length);
}

static void drop_front(struct text *text, size_t length)
{
    memmove(text->bytes, text->bytes + length, text->length - length);
    text->length -= length;
}

static void take_lines(struct engine *engine, struct request *request)
{
    struct text *received = &request->exchange->received;
    size_t taken = 0;
    for (const char *end;
         taken < received->length &&
         (end = memchr(received->bytes + taken, '\n', received->length - taken)) != NULL;) {
        size_t length = (size_t)(end - (received->bytes + taken));
        on_line(engine, request, received->bytes + taken, length);
        taken += length + 1;
    }
    if (request->exchange->end != HTTP_GOES_ON && taken < received->length) {
        on_line(engine, request, received->bytes + taken, received->length - taken);
        taken = received->length;
    }
    if (taken > 0)
        drop_front(received, taken);
}

static void add_log(struct engine *engine, const struct request *request, enum log_stream stream,
                    const char *bytes, size_t length)
{
    struct engine_outcome *outcome = outcome_add(engine, ENGINE_LOG);
    outcome->call = request->call;
    outcome->tag = request->tag;
    outcome->stream = stream;
    text_add_n(&outcome->bytes, bytes, length);
}

static bool take_frames(struct engine *engine, struct request *request)
{
    struct text *received = &request->exchange->received;
    const char *at = received->bytes;
    size_t left = received->length, used = 0, length = 0;
    enum log_stream stream = LOG_STDOUT;
    const char *piece = NULL;
    if (request->is_raw && left > 0)
        add_log(engine, request, LOG_STDOUT, at, left);
    for (; !request->is_raw && left > 0; at += used, left -= used) {
        if (!log_frames_next(&request->frames, at, left, &used, &stream, &piece, &length))
            return false;
        if (length > 0)
            add_log(engine, request, stream, piece, length);
    }
    text_clear(received);
    return true;
}

static enum engine_fault fault_of_transport(enum http_end end)
{
    switch (end) {
    case HTTP_GOES_ON:
    case HTTP_COMPLETE:
        break;
    case HTTP_NO_CONNECTION:
        return ENGINE_DOWN;
    case HTTP_UNTRUSTED:
        return ENGINE_UNTRUSTED;
    case HTTP_TOO_LATE:
        return ENGINE_FROZEN;
    case HTTP_BROKE_OFF:
        return ENGINE_BROKE_OFF;
    case HTTP_TOO_LONG:
        return ENGINE_UNREADABLE;
    }
    return ENGINE_OK;
}

/* What the engine says, in one line, when it is not what was wanted. */
static enum engine_fault judge(const struct request *request, char words[ENGINE_TEXT_MAX])
{
    const struct http_exchange *exchange = request->exchange;
    words[0] = '\0';
    enum engine_fault fault = fault_of_transport(exchange->end);
    if (fault != ENGINE_OK) {
        engine_message_read(exchange->words, strlen(exchange->words), words);
        return fault;
    }
    if (exchange->status >= 400)
        engine_message_read(exchange->received.bytes == NULL ? "" : exchange->received.bytes,
                            exchange->received.length, words);
    enum engine_call call = request->is_adopting ? ENGINE_INSPECT : request->call;
    return engine_fault_of(call, exchange->status, words);
}

static void set_words(char words[ENGINE_TEXT_MAX], const char *text)
{
    (void)snprintf(words, ENGINE_TEXT_MAX, "%s", text);
}

/* A pull has gone well only when it says so at its end; its errors come in the stream. */
static enum engine_fault judge_pull(const struct request *request, char words[ENGINE_TEXT_MAX])
{
    if (request->pull.is_error) {
        memcpy(words, request->pull.status, ENGINE_TEXT_MAX);
        return engine_fault_of_pull(words);
    }
    bool is_whole =
        request->call == ENGINE_IMPORT ? request->pull.status[0] != '\0' : request->pull.is_last;
    if (is_whole)
        return ENGINE_OK;
    set_words(words, "the stream ended without the image");
    return ENGINE_PULL_FAILED;
}

static json_t *read_body(const struct request *request)
{
    const struct text *body = &request->exchange->received;
    return body->length == 0 ? NULL : json_loadb(body->bytes, body->length, 0, NULL);
}

/* The engine's own requests: their meaning goes to the link and the watch. */
static void finish_own(struct engine *engine, struct request *request, enum engine_fault fault,
                       const char *words)
{
    enum engine_call call = request->call;
    json_t *json = fault == ENGINE_OK ? read_body(request) : NULL;
    char *id = mem_copy_text(request->name);
    engine->ping = engine->ping == request ? NULL : engine->ping;
    engine->list = engine->list == request ? NULL : engine->list;
    engine->events = engine->events == request ? NULL : engine->events;
    engine_forget(engine, request);
    if (call == ENGINE_INSPECT)
        watch_on_inspect(engine, id, fault, json);
    else if (fault != ENGINE_OK || call == ENGINE_EVENTS)
        link_lose(engine, fault == ENGINE_OK ? ENGINE_BROKE_OFF : fault,
                  fault == ENGINE_OK ? "the stream of events ended" : words);
    else if (call == ENGINE_PING)
        link_on_version(engine, json);
    else
        link_on_list(engine, json);
    mem_free(id);
    json_decref(json);
}

/* The holder of the name is ours when it has every label by which we know it. */
static enum engine_fault judge_holder(const struct request *request, const json_t *holder,
                                      char words[ENGINE_TEXT_MAX])
{
    const json_t *labels = json_object_get(json_object_get(holder, "Config"), "Labels");
    const char *key;
    json_t *value;
    bool is_ours = json_object_size(request->labels) > 0;
    json_object_foreach(request->labels, key, value)
    {
        is_ours = is_ours && json_equal(value, json_object_get(labels, key));
    }
    if (is_ours)
        return ENGINE_OK;
    set_words(words, "a container that is not this task's has the name");
    return ENGINE_NAME_TAKEN;
}

static void read_into(struct engine_outcome *outcome, const struct request *request,
                      const json_t *json)
{
    bool is_read = true;
    const char *id = json_string_value(json_object_get(json, "Id"));
    switch (request->call) {
    case ENGINE_INSPECT:
        is_read = container_state_read(json, &outcome->container);
        break;
    case ENGINE_INFO:
        is_read = engine_info_read(json, &outcome->info);
        break;
    case ENGINE_INSPECT_IMAGE:
        is_read = image_state_read(json, &outcome->image);
        break;
    case ENGINE_CREATE:
        outcome->was_there = request->is_adopting;
        is_read = id != NULL && strlen(id) < sizeof outcome->id;
        if (is_read)
            memcpy(outcome->id, id, strlen(id) + 1);
        break;
    default:
        break;
    }
    if (!is_read) {
        outcome->fault = ENGINE_UNREADABLE;
        outcome_set_words(outcome, "the answer is not what the API promises");
    }
}

static void finish(struct engine *engine, struct request *request)
{
    char words[ENGINE_TEXT_MAX];
    enum engine_fault fault = judge(request, words);
    if (request->is_own) {
        finish_own(engine, request, fault, words);
        return;
    }
    if (fault == ENGINE_NAME_TAKEN && !request->is_adopting) {
        request_adopt(engine, request);
        return;
    }
    if (fault == ENGINE_OK && (request->call == ENGINE_PULL || request->call == ENGINE_IMPORT))
        fault = judge_pull(request, words);
    json_t *json = fault == ENGINE_OK && !request->is_stream ? read_body(request) : NULL;
    if (fault == ENGINE_OK && request->is_adopting)
        fault = judge_holder(request, json, words);
    else if (request->is_adopting && fault == ENGINE_NO_CONTAINER)
        fault = ENGINE_NAME_TAKEN; /* it went away meanwhile: ask again */
    engine_answer(engine, request, fault, words);
    if (fault == ENGINE_OK)
        read_into(&engine->outcomes.items[engine->outcomes.count - 1], request, json);
    json_decref(json);
    if (fault != ENGINE_OK && request->call == ENGINE_START)
        watch_look(engine, request->name); /* of a start that failed there is no event */
    engine_forget(engine, request);
}

void request_advance(struct engine *engine, struct request *request)
{
    const struct http_exchange *exchange = request->exchange;
    bool is_good = exchange->status >= 200 && exchange->status < 300;
    if (request->call == ENGINE_EVENTS && is_good)
        link_on_events_open(engine);
    if (request->is_stream && is_good && exchange->received.length > 0) {
        if (request->call != ENGINE_LOGS) {
            take_lines(engine, request);
        } else if (!take_frames(engine, request)) {
            engine_answer(engine, request, ENGINE_UNREADABLE, "the log is not in frames");
            engine_forget(engine, request);
            return;
        }
    }
    if (exchange->end != HTTP_GOES_ON)
        finish(engine, request);
}
