/*
 * calls.c -- what each call looks like as HTTP: method, path, how long it may take, how much it may
 * say. Times are those of ECS's agent where it has one (create 4 min, start 3 min, pull 2 h).
 */
#include "scheduler/docker/engine_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/docker/image_json.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

struct call_shape {
    const char *method;
    int32_t timeout_s, idle_s; /* 0: none */
    size_t received_max;       /* unread, of streams; in all, of the others */
    bool is_stream;
};

static const struct call_shape shapes[ENGINE_CALL_COUNT] = {
    [ENGINE_PING] = {"GET", 5, 0, 64 * KIB, false}, /* the configured time, mostly */
    [ENGINE_EVENTS] = {"GET", 0, 0, 16 * MIB, true},
    [ENGINE_LIST] = {"GET", 30, 0, 64 * MIB, false},
    [ENGINE_INSPECT] = {"GET", 30, 0, 4 * MIB, false},
    [ENGINE_INFO] = {"GET", 30, 0, 4 * MIB, false},
    [ENGINE_CREATE] = {"POST", 240, 0, MIB, false},
    [ENGINE_START] = {"POST", 180, 0, MIB, false},
    [ENGINE_SIGNAL] = {"POST", 30, 0, MIB, false},
    [ENGINE_STOP] = {"POST", 30, 0, MIB, false}, /* and its stop_s */
    [ENGINE_REMOVE] = {"DELETE", 120, 0, MIB, false},
    [ENGINE_PULL] = {"POST", 7200, 60, 16 * MIB, true},
    [ENGINE_IMPORT] = {"POST", 300, 0, 16 * MIB, true},
    [ENGINE_INSPECT_IMAGE] = {"GET", 30, 0, 4 * MIB, false},
    [ENGINE_REMOVE_IMAGE] = {"DELETE", 120, 0, MIB, false},
    [ENGINE_INSPECT_VOLUME] = {"GET", 30, 0, MIB, false},
    [ENGINE_REMOVE_VOLUME] = {"DELETE", 60, 0, MIB, false},
    [ENGINE_STATS] = {"GET", 0, 0, 16 * MIB, true},
    [ENGINE_LOGS] = {"GET", 0, 0, 16 * MIB, true},
};

/* "?filters={"label":["berth.cluster=NAME"]...}", percent-encoded. */
static void add_filters(struct text *path, const struct engine *engine, bool is_of_events)
{
    json_t *label = json_sprintf("%s=%s", ENGINE_CLUSTER_LABEL, engine->cluster);
    json_t *filters = json_pack("{s:[o]}", "label", label);
    if (is_of_events)
        (void)json_object_set_new(filters, "type", json_pack("[s]", "container"));
    char *text = json_dumps(filters, JSON_COMPACT);
    text_add(path, "filters=");
    http_escape(path, text);
    free(text);
    json_decref(filters);
}

static void add_of(struct text *path, const char *what, const char *name, const char *rest)
{
    text_add(path, what);
    http_escape(path, name);
    text_add(path, rest);
}

/* An image's name may hold slashes, which stay as they are. */
static void add_image(struct text *path, const char *name, const char *rest)
{
    text_add(path, "/images/");
    for (const char *part = name; part != NULL;) {
        size_t length = strcspn(part, "/");
        char *piece = mem_copy_text_n(part, length);
        http_escape(path, piece);
        mem_free(piece);
        part = part[length] == '/' ? part + length + 1 : NULL;
        if (part != NULL)
            text_add(path, "/");
    }
    text_add(path, rest);
}

static void add_pull(struct text *path, const struct engine_request *wanted)
{
    struct image_reference image = image_reference_read(wanted->name);
    text_add(path, wanted->call == ENGINE_PULL ? "/images/create?fromImage="
                                               : "/images/create?fromSrc=-&repo=");
    http_escape(path, image.repository);
    text_add(path, "&tag=");
    http_escape(path, image.tag);
    image_reference_free(&image);
}

static void add_logs(struct text *path, const struct engine_request *wanted)
{
    add_of(path, "/containers/", wanted->name, "/logs?stdout=1&stderr=1");
    text_add(path, wanted->follows ? "&follow=1" : "");
    if (wanted->tail > 0)
        text_addf(path, "&tail=%u", wanted->tail);
}

static void add_path(struct text *path, const struct engine *engine,
                     const struct engine_request *wanted)
{
    switch (wanted->call) {
    case ENGINE_PING:
        text_add(path, "/version");
        break;
    case ENGINE_EVENTS:
        text_add(path, "/events?");
        add_filters(path, engine, true);
        break;
    case ENGINE_LIST:
        text_add(path, "/containers/json?all=1&");
        add_filters(path, engine, false);
        break;
    case ENGINE_INSPECT:
        add_of(path, "/containers/", wanted->name, "/json");
        break;
    case ENGINE_INFO:
        text_add(path, "/info");
        break;
    case ENGINE_CREATE:
        add_of(path, "/containers/create?name=", wanted->name, "");
        break;
    case ENGINE_START:
        add_of(path, "/containers/", wanted->name, "/start");
        break;
    case ENGINE_SIGNAL:
        add_of(path, "/containers/", wanted->name, "/kill?signal=");
        http_escape(path, wanted->signal);
        break;
    case ENGINE_STOP:
        add_of(path, "/containers/", wanted->name, "/stop?t=");
        text_add_u64(path, wanted->stop_s);
        break;
    case ENGINE_REMOVE: /* with the volumes that nothing but it ever named */
        add_of(path, "/containers/", wanted->name, "?force=1&v=1");
        break;
    case ENGINE_PULL:
    case ENGINE_IMPORT:
        add_pull(path, wanted);
        break;
    case ENGINE_INSPECT_IMAGE:
        add_image(path, wanted->name, "/json");
        break;
    case ENGINE_REMOVE_IMAGE:
        add_image(path, wanted->name, "");
        break;
    case ENGINE_INSPECT_VOLUME:
    case ENGINE_REMOVE_VOLUME:
        add_of(path, "/volumes/", wanted->name, "");
        break;
    case ENGINE_STATS:
        add_of(path, "/containers/", wanted->name, "/stats?stream=1");
        break;
    case ENGINE_LOGS:
        add_logs(path, wanted);
        break;
    case ENGINE_CALL_COUNT:
        assert(false);
    }
}

/* The labels by which berth's own container is known again. */
static json_t *own_labels(const json_t *body)
{
    static const char prefix[] = "berth.";
    json_t *own = json_object(), *value;
    const char *key;
    json_object_foreach(json_object_get(body, "Labels"), key, value)
    {
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            (void)json_object_set(own, key, value);
    }
    return own;
}

static void set_body(struct request *request, const struct engine_request *wanted)
{
    if (wanted->call == ENGINE_CREATE) {
        char *body = json_dumps(wanted->body, JSON_COMPACT);
        assert(body != NULL);
        text_add(&request->body, body);
        memset(body, 0, strlen(body)); /* it may hold secrets */
        free(body);
        request->labels = own_labels(wanted->body);
    } else if (wanted->call == ENGINE_IMPORT) {
        text_add_n(&request->body, wanted->tar, wanted->tar_length);
        request->content_type = mem_copy_text("application/x-tar");
    }
}

static berth_ns usual_timeout(const struct engine *engine, const struct engine_request *wanted)
{
    if (wanted->call == ENGINE_PING)
        return engine->ping_timeout_ns;
    if (wanted->call == ENGINE_LOGS && !wanted->follows)
        return 60 * BERTH_NS_PER_S;
    berth_ns timeout_ns = shapes[wanted->call].timeout_s * BERTH_NS_PER_S;
    return wanted->call == ENGINE_STOP ? timeout_ns + wanted->stop_s * BERTH_NS_PER_S : timeout_ns;
}

struct request *request_create(const struct engine *engine, const struct engine_request *wanted)
{
    struct request *request = mem_alloc(sizeof *request);
    struct text path = TEXT_INIT;
    add_path(&path, engine, wanted);
    request->call = wanted->call;
    request->tag = wanted->tag;
    request->is_raw = wanted->has_terminal;
    request->is_stream = shapes[wanted->call].is_stream;
    request->name = mem_copy_text(wanted->name);
    request->path = path.bytes;
    request->timeout_ns =
        wanted->timeout_ns > 0 ? wanted->timeout_ns : usual_timeout(engine, wanted);
    set_body(request, wanted);
    if (wanted->registry_auth != NULL) {
        struct text header = TEXT_INIT;
        text_addf(&header, "X-Registry-Auth: %s", wanted->registry_auth);
        request->secret_header = header.bytes;
    }
    return request;
}

static void wipe(char *text)
{
    if (text != NULL)
        memset(text, 0, strlen(text));
    mem_free(text);
}

void request_destroy(struct request *request)
{
    if (request->exchange != NULL)
        http_drop(request->exchange);
    if (request->body.bytes != NULL)
        memset(request->body.bytes, 0, request->body.length);
    text_free(&request->body);
    json_decref(request->labels);
    wipe(request->secret_header);
    mem_free(request->content_type);
    mem_free(request->name);
    mem_free(request->path);
    mem_free(request);
}

void request_send(struct engine *engine, struct request *request)
{
    const struct call_shape *shape = &shapes[request->call];
    struct text path = TEXT_INIT;
    if (request->call != ENGINE_PING) /* which asks for the version */
        text_addf(&path, "/v1.%u", engine->api_minor);
    text_add(&path, request->path);
    struct http_request out = {
        .method = shape->method,
        .path = path.bytes,
        .content_type = request->content_type,
        .body = request->body.length > 0 ? request->body.bytes : NULL,
        .body_length = request->body.length,
        .secret_header = request->secret_header,
        .timeout_ns = request->timeout_ns,
        .idle_timeout_ns = shape->idle_s * BERTH_NS_PER_S,
        .received_max = shape->received_max,
    };
    request->exchange = http_send(engine->http, &out, request, engine->now);
    text_free(&path);
}

void request_adopt(struct engine *engine, struct request *request)
{
    struct text path = TEXT_INIT;
    text_addf(&path, "/v1.%u/containers/", engine->api_minor);
    http_escape(&path, request->name);
    text_add(&path, "/json");
    struct http_request out = {
        .method = "GET",
        .path = path.bytes,
        .timeout_ns = shapes[ENGINE_INSPECT].timeout_s * BERTH_NS_PER_S,
        .received_max = shapes[ENGINE_INSPECT].received_max,
    };
    http_drop(request->exchange);
    request->is_adopting = true;
    request->exchange = http_send(engine->http, &out, request, engine->now);
    text_free(&path);
}
