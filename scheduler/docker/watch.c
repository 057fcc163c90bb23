/*
 * watch.c -- the containers of the cluster on this engine: which are to be inspected, and what was
 * last told of each.
 *
 * Nothing is read out of events or lists but ids. Several events of one container while it is being
 * looked at make one more look; a few looks at a time keep a resync from crowding out requests.
 */
#include "scheduler/docker/engine_internal.h"

#include <assert.h>
#include <string.h>

#define LOOKS_AT_ONCE 4

static struct watched *find(struct engine *engine, const char *id)
{
    for (size_t i = 0; i < engine->watched.count; i++)
        if (strcmp(engine->watched.items[i].id, id) == 0)
            return &engine->watched.items[i];
    return NULL;
}

static struct watched *find_or_add(struct engine *engine, const char id[ENGINE_ID_MAX])
{
    struct watched *watched = find(engine, id);
    if (watched != NULL)
        return watched;
    watched = vec_push(&engine->watched);
    *watched = (struct watched){.must_look = false};
    memcpy(watched->id, id, strlen(id) + 1);
    return watched;
}

static void forget(struct engine *engine, struct watched *watched)
{
    container_state_free(&watched->last);
    *watched = engine->watched.items[--engine->watched.count];
}

void watch_free(struct engine *engine)
{
    while (engine->watched.count > 0)
        forget(engine, &engine->watched.items[0]);
    vec_free(&engine->watched);
}

void container_state_copy(const struct container_state *from, struct container_state *to)
{
    *to = *from;
    to->name = mem_copy_text(from->name);
    to->image = mem_copy_text(from->image);
    to->stop_signal = mem_copy_text(from->stop_signal);
    (void)json_incref(to->labels);
    to->ports.items = NULL;
    to->ports.count = to->ports.capacity = 0;
    for (size_t i = 0; i < from->ports.count; i++)
        *vec_push(&to->ports) = from->ports.items[i];
}

void watch_on_event(struct engine *engine, const char *line, size_t length)
{
    struct engine_event event;
    if (!engine_event_read(line, length, &event))
        return;
    struct watched *watched = find_or_add(engine, event.id);
    watched->must_look = true;
    watched->is_out_of_memory =
        event.is_out_of_memory || (watched->is_out_of_memory && !event.is_start);
    if (event.is_end) {
        watched->has_exit_code = event.has_exit_code;
        watched->exit_code = event.exit_code;
    }
}

void watch_look(struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->watched.count; i++) {
        struct watched *watched = &engine->watched.items[i];
        if (strcmp(watched->id, name) == 0 ||
            (watched->last.name != NULL && strcmp(watched->last.name, name) == 0))
            watched->must_look = true;
    }
}

void watch_list(struct engine *engine, const json_t *list, bool tells_all)
{
    size_t at;
    json_t *item;
    json_array_foreach(list, at, item)
    {
        const char *id = json_string_value(json_object_get(item, "Id"));
        if (id != NULL && *id != '\0' && strlen(id) < ENGINE_ID_MAX)
            (void)find_or_add(engine, id);
    }
    /* Those that are not listed too: that they are gone is what looking at them will say. */
    for (size_t i = 0; i < engine->watched.count; i++) {
        engine->watched.items[i].must_look = true;
        engine->watched.items[i].must_tell |= tells_all;
    }
}

void watch_forget_looks(struct engine *engine)
{
    engine->looking = 0;
    for (size_t i = 0; i < engine->watched.count; i++) {
        struct watched *watched = &engine->watched.items[i];
        watched->is_looking = watched->must_look = watched->must_tell = false;
    }
}

void watch_turn(struct engine *engine)
{
    for (size_t i = 0; i < engine->watched.count && engine->looking < LOOKS_AT_ONCE; i++) {
        struct watched *watched = &engine->watched.items[i];
        if (!watched->must_look || watched->is_looking)
            continue;
        watched->must_look = false;
        watched->is_looking = true;
        engine->looking++;
        (void)engine_ask(engine,
                         &(struct engine_request){.call = ENGINE_INSPECT, .name = watched->id});
    }
}

bool watch_is_told(const struct engine *engine)
{
    for (size_t i = 0; i < engine->watched.count; i++)
        if (engine->watched.items[i].must_tell)
            return false;
    return true;
}

static bool is_same(const struct container_state *a, const struct container_state *b)
{
    bool is_same = a->status == b->status && a->health == b->health &&
                   a->exit_code == b->exit_code && a->is_out_of_memory == b->is_out_of_memory &&
                   a->started_ns == b->started_ns && a->finished_ns == b->finished_ns &&
                   a->ports.count == b->ports.count && strcmp(a->id, b->id) == 0 &&
                   strcmp(a->words, b->words) == 0 && strcmp(a->name, b->name) == 0;
    for (size_t i = 0; is_same && i < a->ports.count; i++)
        is_same = a->ports.items[i].host_port == b->ports.items[i].host_port;
    return is_same;
}

static void tell(struct engine *engine, struct watched *watched, struct container_state *state)
{
    state->is_out_of_memory |= watched->is_out_of_memory;
    bool is_new = watched->last.id[0] == '\0' || !is_same(&watched->last, state);
    if (is_new || watched->must_tell)
        container_state_copy(state, &outcome_add(engine, ENGINE_SAW_CONTAINER)->container);
    watched->must_tell = false;
    if (state->status == CONTAINER_RUNNING)
        watched->has_exit_code = false;
    container_state_free(&watched->last);
    watched->last = *state;
}

static void tell_gone(struct engine *engine, struct watched *watched)
{
    if (watched->last.id[0] != '\0') { /* else nobody ever heard of it */
        struct container_state *gone = &outcome_add(engine, ENGINE_SAW_CONTAINER)->container;
        container_state_copy(&watched->last, gone);
        gone->status = CONTAINER_GONE;
        gone->pid = 0;
        if (watched->has_exit_code && !gone->has_exit_code) {
            gone->has_exit_code = true;
            gone->exit_code = watched->exit_code;
        }
    }
    forget(engine, watched);
}

void watch_on_inspect(struct engine *engine, const char *id, enum engine_fault fault,
                      const json_t *json)
{
    struct watched *watched = find(engine, id);
    struct container_state state;
    assert(watched != NULL && watched->is_looking && engine->looking > 0);
    watched->is_looking = false;
    engine->looking--;
    if (fault == ENGINE_OK && container_state_read(json, &state)) {
        tell(engine, watched, &state);
    } else if (fault == ENGINE_NO_CONTAINER) {
        tell_gone(engine, watched);
    } else if (fault == ENGINE_DOWN || engine_fault_is_unsure(fault)) {
        link_lose(engine, fault, "a container cannot be inspected");
    } else {
        watched->must_tell = false; /* half removed, say: the next resync looks again */
    }
}
