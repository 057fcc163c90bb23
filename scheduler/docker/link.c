/*
 * link.c -- staying connected: version, events, list and look; a ping now and then; all of it again
 * after a loss.
 *
 * The events are opened before the list is asked for, so that nothing happens between the two
 * unseen. An engine that is frozen, or behind a broken network, keeps its connections open and says
 * nothing: only the ping notices.
 */
#include "scheduler/docker/engine_internal.h"

#include <stdio.h>

#define RETRY_MIN (100 * BERTH_NS_PER_MS)

static void connect_again(struct engine *engine)
{
    engine->link = LINK_VERSION;
    engine->ping = engine_ask(engine, &(struct engine_request){.call = ENGINE_PING});
}

static void tell_loss(struct engine *engine)
{
    if (engine->is_loss_told)
        return;
    struct engine_outcome *outcome = outcome_add(engine, ENGINE_LOST);
    outcome->fault = engine->loss;
    outcome_set_words(outcome, engine->loss_words);
    engine->is_loss_told = true;
}

/*
 * What is the engine's own ends, and what has no deadline of its own, and what was never sent.
 * Other requests may yet be answered: an engine that thaws goes on where it was.
 */
static bool ends_with_link(const struct request *request)
{
    return request->is_own || request->exchange == NULL ||
           (request->timeout_ns == 0 && request->is_stream);
}

void link_lose(struct engine *engine, enum engine_fault fault, const char *words)
{
    if (engine->link == LINK_DOWN)
        return;
    engine->link = LINK_DOWN;
    engine->loss = fault;
    (void)snprintf(engine->loss_words, sizeof engine->loss_words, "%s", words);
    tell_loss(engine);
    for (size_t i = engine->requests.count; i-- > 0;) {
        struct request *request = engine->requests.items[i];
        if (!ends_with_link(request))
            continue;
        if (request->exchange == NULL)
            engine_refuse(engine, request);
        else
            engine_answer(engine, request, fault, engine->loss_words);
        engine_forget(engine, request);
    }
    engine->ping = engine->list = engine->events = NULL;
    watch_forget_looks(engine);
    if (engine->retry_pause_ns < RETRY_MIN)
        engine->retry_pause_ns = RETRY_MIN;
    engine->retry_ns = engine->now + engine->retry_pause_ns;
    engine->retry_pause_ns *= 2;
    if (engine->retry_pause_ns > engine->retry_max_ns)
        engine->retry_pause_ns = engine->retry_max_ns;
}

void link_on_version(struct engine *engine, const json_t *json)
{
    struct engine_version version;
    engine->ping_ns = engine->now + engine->ping_interval_ns;
    if (engine->link != LINK_VERSION)
        return; /* a ping: that it answers is all */
    if (!engine_version_read(json, &version)) {
        link_lose(engine, ENGINE_UNREADABLE, "its version is not what the API promises");
        return;
    }
    engine->version = version;
    if (version.api_minor < ENGINE_API_MINOR_MIN) {
        link_lose(engine, ENGINE_INCOMPATIBLE, "it is too old: Docker Engine 20.10 is needed");
        return;
    }
    /*
     * The oldest API that has all we ask for and that the engine still serves: so it means the same
     * on engines of every age.
     */
    engine->api_minor =
        version.api_minor_min > ENGINE_API_MINOR_MIN ? version.api_minor_min : ENGINE_API_MINOR_MIN;
    engine->link = LINK_EVENTS;
    engine->events_deadline_ns = engine->now + engine->ping_timeout_ns;
    engine->events = engine_ask(engine, &(struct engine_request){.call = ENGINE_EVENTS});
    for (size_t i = 0; i < engine->requests.count; i++)
        if (engine->requests.items[i]->exchange == NULL)
            request_send(engine, engine->requests.items[i]);
}

void link_on_events_open(struct engine *engine)
{
    if (engine->link != LINK_EVENTS)
        return;
    engine->link = LINK_LIST;
    engine->list = engine_ask(engine, &(struct engine_request){.call = ENGINE_LIST});
}

void link_on_list(struct engine *engine, const json_t *json)
{
    if (!json_is_array(json)) {
        link_lose(engine, ENGINE_UNREADABLE, "its list is not what the API promises");
        return;
    }
    watch_list(engine, json, engine->link == LINK_LIST);
    if (engine->link == LINK_LIST)
        engine->link = LINK_LOOKING;
    engine->resync_ns = engine->now + engine->resync_interval_ns;
}

static void settle(struct engine *engine)
{
    if (engine->link != LINK_LOOKING || !watch_is_told(engine))
        return;
    engine->link = LINK_SYNCED;
    engine->is_loss_told = false;
    engine->retry_pause_ns = 0;
    (void)outcome_add(engine, ENGINE_SYNCED);
}

void link_turn(struct engine *engine)
{
    if (engine->link == LINK_DOWN && engine->now >= engine->retry_ns)
        connect_again(engine);
    if (engine->link == LINK_EVENTS && engine->now >= engine->events_deadline_ns)
        link_lose(engine, ENGINE_FROZEN, "the stream of events does not open");
    if (engine->link >= LINK_EVENTS && engine->ping == NULL && engine->now >= engine->ping_ns)
        engine->ping = engine_ask(engine, &(struct engine_request){.call = ENGINE_PING});
    if (engine->link == LINK_SYNCED && engine->list == NULL && engine->now >= engine->resync_ns)
        engine->list = engine_ask(engine, &(struct engine_request){.call = ENGINE_LIST});
    if (engine->link >= LINK_EVENTS)
        watch_turn(engine);
    settle(engine);
}

static berth_ns sooner(berth_ns a, berth_ns b)
{
    return a < b ? a : b;
}

berth_ns link_next_deadline(const struct engine *engine)
{
    if (engine->link == LINK_DOWN)
        return engine->retry_ns;
    berth_ns next = BERTH_NS_NEVER;
    if (engine->link == LINK_EVENTS)
        next = sooner(next, engine->events_deadline_ns);
    if (engine->link >= LINK_EVENTS && engine->ping == NULL)
        next = sooner(next, engine->ping_ns);
    if (engine->link == LINK_SYNCED && engine->list == NULL)
        next = sooner(next, engine->resync_ns);
    return next;
}
