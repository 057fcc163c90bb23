/*
 * engine_internal.h -- an engine's parts.
 *
 *     engine.c   the public side: requests in, outcomes out
 *     calls.c    what each call looks like as HTTP
 *     finish.c   what an answer means
 *     link.c     connect, version, events, ping, list, and all that again after a loss
 *     watch.c    the containers that are known, and which to look at again
 */
#ifndef BERTH_SCHEDULER_DOCKER_ENGINE_INTERNAL_H
#define BERTH_SCHEDULER_DOCKER_ENGINE_INTERNAL_H

#include "scheduler/docker/engine.h"
#include "scheduler/docker/http.h"

/* A request under way, of the caller's or the engine's own. */
struct request {
    enum engine_call call;
    uint64_t tag;
    bool is_own;      /* of the engine: no answer goes out */
    bool is_adopting; /* CREATE: the name was taken; its holder is being inspected */
    bool is_raw;      /* LOGS: no frames */
    bool is_stream;
    struct http_exchange *exchange; /* NULL until the version is known */
    char *name;
    char *path; /* below "/v1.41" */
    struct text body;
    char *content_type; /* NULL: JSON */
    char *secret_header;
    json_t *labels; /* CREATE: what the holder of the name must have */
    struct log_frames frames;
    struct pull_line pull; /* PULL: the last error, or the end; and the digest */
    berth_ns timeout_ns;
};

struct watched {
    char id[ENGINE_ID_MAX];
    struct container_state last; /* as it was told; last.id "" when never */
    bool must_look, is_looking;
    bool must_tell; /* since a (re)connect, even if nothing changed */
    bool is_listed;
    bool is_out_of_memory; /* an event said so: of a fast end, inspect may never say it */
    bool has_exit_code;    /* of its last "die", for one that is removed before it is looked at */
    int32_t exit_code;
};

enum link_state {
    LINK_DOWN = 0, /* until retry_ns */
    LINK_VERSION,  /* asked; requests wait for the answer */
    LINK_EVENTS,   /* the stream is being opened */
    LINK_LIST,     /* then all containers are listed */
    LINK_LOOKING,  /* and inspected */
    LINK_SYNCED,
};

struct engine {
    struct http_peer *http;
    char *cluster;
    berth_ns ping_interval_ns, ping_timeout_ns, resync_interval_ns, retry_max_ns;
    berth_ns now;
    enum link_state link;
    enum engine_fault loss; /* why it is LINK_DOWN */
    char loss_words[ENGINE_TEXT_MAX];
    bool is_loss_told;
    berth_ns retry_ns, retry_pause_ns; /* when to connect again; how long to wait after that */
    berth_ns events_deadline_ns, ping_ns, resync_ns;
    struct engine_version version;
    uint32_t api_minor;                   /* in use */
    struct request *events, *ping, *list; /* the engine's own, or NULL */
    VEC(struct request *) requests;       /* all under way */
    VEC(struct watched) watched;          /* tens of them: looked through */
    uint32_t looking;                     /* inspects under way */
    VEC(struct engine_outcome) outcomes;  /* a queue: from `outcome_taken` on */
    size_t outcome_taken;
    bool has_lent;
};

/* calls.c */
struct request *request_create(const struct engine *engine, const struct engine_request *wanted);
void request_destroy(struct request *request); /* drops its exchange */
void request_send(struct engine *engine, struct request *request);
void request_adopt(struct engine *engine, struct request *request); /* CREATE: look who has it */

/* engine.c */
struct engine_outcome *outcome_add(struct engine *engine, enum engine_outcome_kind kind);
void outcome_set_words(struct engine_outcome *outcome, const char *words);
struct request *engine_ask(struct engine *engine, const struct engine_request *wanted); /* own */
void engine_forget(struct engine *engine, struct request *request); /* off the list, destroyed */
void engine_answer(struct engine *engine, struct request *request, enum engine_fault fault,
                   const char *words);
void engine_refuse(struct engine *engine, struct request *request); /* it is lost, and unsent */

/* finish.c: new bytes, or the end, of an exchange. */
void request_advance(struct engine *engine, struct request *request);

/* link.c */
void link_turn(struct engine *engine);
berth_ns link_next_deadline(const struct engine *engine);
void link_lose(struct engine *engine, enum engine_fault fault, const char *words);
void link_on_version(struct engine *engine, const json_t *json);
void link_on_events_open(struct engine *engine);
void link_on_list(struct engine *engine, const json_t *json);
void link_on_looked(struct engine *engine);

/* watch.c */
void watch_on_event(struct engine *engine, const char *line, size_t length);
void watch_on_inspect(struct engine *engine, const char *id, enum engine_fault fault,
                      const json_t *json);
void watch_look(struct engine *engine, const char *name); /* again; by name or id */
void watch_list(struct engine *engine, const json_t *list, bool tells_all);
void watch_forget_looks(struct engine *engine); /* the link was lost */
void watch_turn(struct engine *engine);
bool watch_is_told(const struct engine *engine);
void watch_free(struct engine *engine);
void container_state_copy(const struct container_state *from, struct container_state *to);

#endif
