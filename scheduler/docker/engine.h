/*
 * engine.h -- one Docker engine as a peer that is told and tells, and never waited for.
 *
 *     submit requests  ->  [ engine ]  ->  outcomes: answers, and how containers are now
 *
 * One loop drives many engines: it polls engine_descriptor() (readable: there is something to do)
 * until engine_next_deadline(), calls engine_turn(), and takes outcomes by engine_next(). Nothing
 * calls back, nothing blocks, and there is no thread.
 *
 * How containers are is told by level, not by edge. An event of the engine only says "look again":
 * the container is inspected, and what inspect says is the outcome. So an event lost, doubled or
 * late changes nothing, and after every reconnect (events that happened meanwhile are never sent)
 * all containers of the cluster are listed and inspected: ENGINE_SAW_CONTAINER for each, GONE for
 * those that are not there any more, then ENGINE_SYNCED. It is done again every minute, telling
 * only what changed.
 *
 * One thing comes by event alone: that the kernel killed for memory. It may be noticed after the
 * end itself; the container is then told a second time, with is_out_of_memory.
 *
 * Requests may be repeated: a container is known by its name, and a create whose name is taken by
 * the very container that was asked for (all its labels "berth.*" agree) answers ENGINE_OK and
 * `was_there`. After ENGINE_FROZEN or ENGINE_BROKE_OFF ask again, or wait for ENGINE_SYNCED.
 *
 * `now` is CLOCK_MONOTONIC in nanoseconds, never less than before. No secret is in any outcome.
 */
#ifndef BERTH_SCHEDULER_DOCKER_ENGINE_H
#define BERTH_SCHEDULER_DOCKER_ENGINE_H

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"
#include "scheduler/docker/answers.h"
#include "scheduler/docker/fault.h"
#include "scheduler/docker/log_frames.h"

#define ENGINE_CLUSTER_LABEL "berth.cluster"
#define ENGINE_API_MINOR_MIN 41 /* API 1.41 has all that is asked for; Docker Engine 20.10 */

struct engine;

struct engine_config {
    const char *address; /* "unix:///run/docker.sock", "https://10.0.0.7:2376" */
    const char *ca_path, *certificate_path, *key_path; /* PEM; with https, all three */
    const char *cluster;         /* what berth.cluster is on the containers to be told of */
    berth_ns connect_timeout_ns; /* 0: 5 s */
    berth_ns ping_interval_ns;   /* an engine that is silent is asked so often; 0: 5 s */
    berth_ns ping_timeout_ns;    /* and is lost when it says nothing for so long; 0: 5 s */
    berth_ns resync_interval_ns; /* 0: 60 s */
    berth_ns retry_max_ns;       /* reconnects: from 100 ms, doubled up to this; 0: 5 s */
};

struct engine_request {
    enum engine_call call;     /* from INSPECT on; the ones before are the engine's own */
    uint64_t tag;              /* the caller's; comes back with each outcome */
    const char *name;          /* a container's name or id, an image's reference, a volume's name */
    const json_t *body;        /* CREATE: see container_json.h */
    const char *signal;        /* SIGNAL: "SIGTERM", "SIGKILL" */
    uint32_t stop_s;           /* STOP: from the stop signal to the kill */
    const char *registry_auth; /* PULL: see image_json.h; a secret. NULL: none */
    const void *tar;           /* IMPORT: a root file system; `name` is what the image is called */
    size_t tar_length;
    bool follows;        /* LOGS: stay open for what comes */
    bool has_terminal;   /* LOGS: of the container; its log is raw then */
    uint32_t tail;       /* LOGS: only so many last lines; 0: all */
    berth_ns timeout_ns; /* for the whole answer; 0: what is usual for the call, see calls.c */
};

enum engine_outcome_kind {
    ENGINE_ANSWER = 0, /* the end of a request: exactly one for each */
    ENGINE_SAW_CONTAINER,
    ENGINE_SYNCED, /* all containers of the cluster have been told since the (re)connect */
    ENGINE_LOST,   /* once for each loss: `fault` and `words` say how; it is tried on */
    ENGINE_PULL_PROGRESS,
    ENGINE_USAGE, /* a sample of STATS, about one a second until it is cancelled */
    ENGINE_LOG,   /* a piece of LOGS: `bytes` */
};

struct engine_outcome {
    enum engine_outcome_kind kind;
    enum engine_call call; /* ANSWER, PULL_PROGRESS, USAGE, LOG: of which request */
    uint64_t tag;
    enum engine_fault fault;          /* ANSWER, LOST */
    long status;                      /* ANSWER: HTTP's; 0 when there was none */
    char words[ENGINE_TEXT_MAX];      /* with a fault: the engine's own words, or the transport's */
    bool was_there;                   /* CREATE: the container had been made before */
    char id[ENGINE_ID_MAX];           /* CREATE: the container's */
    struct container_state container; /* SAW_CONTAINER; ANSWER to INSPECT */
    struct engine_info info;          /* ANSWER to INFO */
    struct image_state image;         /* ANSWER to INSPECT_IMAGE */
    struct pull_line pull;            /* PULL_PROGRESS; ANSWER to PULL: its digest */
    struct container_usage usage;     /* USAGE */
    enum log_stream stream;           /* LOG */
    struct text bytes;                /* LOG */
};

/* Connects by and by; fails only on a bad address or for want of descriptors. */
enum berth_err engine_open(const struct engine_config *config, struct engine **out,
                           struct berth_error *err) BERTH_MUST_CHECK;
void engine_close(struct engine *engine); /* what is under way is cut off, unanswered */

int engine_descriptor(const struct engine *engine);
berth_ns engine_next_deadline(const struct engine *engine); /* may be in the past: turn at once */
void engine_turn(struct engine *engine, berth_ns now);

/*
 * All of `request` is copied. While the engine is lost it is answered at once, unsent: with
 * ENGINE_DOWN, or with the loss's fault when that lasts (untrusted, incompatible).
 */
void engine_submit(struct engine *engine, const struct engine_request *request, berth_ns now);
void engine_cancel(struct engine *engine, uint64_t tag); /* answered with ENGINE_CANCELLED */

/* The next outcome, lent until the next call of any function of this engine; NULL: none. */
const struct engine_outcome *engine_next(struct engine *engine);

bool engine_is_synced(const struct engine *engine);
/* What it said when it was last connected to; api_minor 0: never. */
const struct engine_version *engine_get_version(const struct engine *engine);

#endif
