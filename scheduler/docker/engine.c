#include "scheduler/docker/engine_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PING_INTERVAL_DEFAULT (5 * BERTH_NS_PER_S)
#define PING_TIMEOUT_DEFAULT (5 * BERTH_NS_PER_S)
#define RESYNC_INTERVAL_DEFAULT (60 * BERTH_NS_PER_S)
#define RETRY_MAX_DEFAULT (5 * BERTH_NS_PER_S)

static berth_ns or_default(berth_ns value, berth_ns usual)
{
    return value > 0 ? value : usual;
}

enum berth_err engine_open(const struct engine_config *config, struct engine **out,
                           struct berth_error *err)
{
    struct http_config http = {
        .address = config->address,
        .ca_path = config->ca_path,
        .certificate_path = config->certificate_path,
        .key_path = config->key_path,
        .connect_timeout_ns = config->connect_timeout_ns,
    };
    struct http_peer *peer = NULL;
    *out = NULL;
    if (http_open(&http, &peer, err) != BERTH_OK)
        return err->code;
    struct engine *engine = mem_alloc(sizeof *engine);
    engine->http = peer;
    engine->cluster = mem_copy_text(config->cluster);
    engine->ping_interval_ns = or_default(config->ping_interval_ns, PING_INTERVAL_DEFAULT);
    engine->ping_timeout_ns = or_default(config->ping_timeout_ns, PING_TIMEOUT_DEFAULT);
    engine->resync_interval_ns = or_default(config->resync_interval_ns, RESYNC_INTERVAL_DEFAULT);
    engine->retry_max_ns = or_default(config->retry_max_ns, RETRY_MAX_DEFAULT);
    *out = engine;
    return BERTH_OK;
}

static void outcome_free(struct engine_outcome *outcome)
{
    container_state_free(&outcome->container);
    engine_info_free(&outcome->info);
    text_free(&outcome->bytes);
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->requests.count; i++)
        request_destroy(engine->requests.items[i]);
    size_t first = engine->outcome_taken - (engine->has_lent ? 1 : 0);
    for (size_t i = first; i < engine->outcomes.count; i++)
        outcome_free(&engine->outcomes.items[i]);
    watch_free(engine);
    vec_free(&engine->requests);
    vec_free(&engine->outcomes);
    http_close(engine->http);
    mem_free(engine->cluster);
    mem_free(engine);
}

int engine_descriptor(const struct engine *engine)
{
    return http_descriptor(engine->http);
}

berth_ns engine_next_deadline(const struct engine *engine)
{
    if (engine->outcome_taken < engine->outcomes.count)
        return 0;
    berth_ns http_ns = http_next_deadline(engine->http), link_ns = link_next_deadline(engine);
    return http_ns < link_ns ? http_ns : link_ns;
}

void engine_turn(struct engine *engine, berth_ns now)
{
    struct http_exchange *exchange;
    engine->now = now;
    http_turn(engine->http, now);
    while ((exchange = http_next_changed(engine->http)) != NULL)
        request_advance(engine, exchange->owner);
    link_turn(engine);
}

struct request *engine_ask(struct engine *engine, const struct engine_request *wanted)
{
    struct request *request = request_create(engine, wanted);
    request->is_own = true;
    *vec_push(&engine->requests) = request;
    request_send(engine, request);
    return request;
}

void engine_forget(struct engine *engine, struct request *request)
{
    size_t at = 0;
    while (engine->requests.items[at] != request)
        at++;
    engine->requests.items[at] = engine->requests.items[--engine->requests.count];
    request_destroy(request);
}

void engine_refuse(struct engine *engine, struct request *request)
{
    /* Nothing was sent, so nothing can have been done. */
    engine_answer(engine, request,
                  engine_fault_is_unsure(engine->loss) ? ENGINE_DOWN : engine->loss,
                  engine->loss_words);
}

void engine_submit(struct engine *engine, const struct engine_request *wanted, berth_ns now)
{
    assert(wanted->call > ENGINE_LIST && wanted->call < ENGINE_CALL_COUNT);
    engine->now = now;
    struct request *request = request_create(engine, wanted);
    *vec_push(&engine->requests) = request;
    if (engine->link == LINK_DOWN && engine->loss != ENGINE_OK) {
        engine_refuse(engine, request);
        engine_forget(engine, request);
    } else if (engine->link >= LINK_EVENTS) {
        request_send(engine, request);
    }
}

void engine_cancel(struct engine *engine, uint64_t tag)
{
    for (size_t i = engine->requests.count; i-- > 0;) {
        struct request *request = engine->requests.items[i];
        if (request->is_own || request->tag != tag)
            continue;
        engine_answer(engine, request, ENGINE_CANCELLED, "cancelled");
        engine_forget(engine, request);
    }
}

struct engine_outcome *outcome_add(struct engine *engine, enum engine_outcome_kind kind)
{
    struct engine_outcome *outcome = vec_push(&engine->outcomes);
    *outcome = (struct engine_outcome){.kind = kind};
    return outcome;
}

void outcome_set_words(struct engine_outcome *outcome, const char *words)
{
    (void)snprintf(outcome->words, sizeof outcome->words, "%s", words);
}

void engine_answer(struct engine *engine, struct request *request, enum engine_fault fault,
                   const char *words)
{
    if (request->is_own)
        return;
    struct engine_outcome *outcome = outcome_add(engine, ENGINE_ANSWER);
    outcome->call = request->call;
    outcome->tag = request->tag;
    outcome->fault = fault;
    outcome->status = request->exchange == NULL ? 0 : request->exchange->status;
    outcome->pull = request->pull;
    outcome_set_words(outcome, words);
}

const struct engine_outcome *engine_next(struct engine *engine)
{
    if (engine->has_lent)
        outcome_free(&engine->outcomes.items[engine->outcome_taken - 1]);
    engine->has_lent = engine->outcome_taken < engine->outcomes.count;
    if (engine->has_lent)
        return &engine->outcomes.items[engine->outcome_taken++];
    vec_clear(&engine->outcomes);
    engine->outcome_taken = 0;
    return NULL;
}

bool engine_is_synced(const struct engine *engine)
{
    return engine->link == LINK_SYNCED;
}

const struct engine_version *engine_get_version(const struct engine *engine)
{
    return &engine->version;
}
