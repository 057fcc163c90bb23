/*
 * http.h -- one HTTP peer, asked without ever waiting: libcurl's multi interface behind an epoll
 * descriptor. It knows requests, bytes and deadlines, and nothing of Docker.
 *
 * `now` is CLOCK_MONOTONIC in nanoseconds, read by the caller once a turn.
 */
#ifndef BERTH_SCHEDULER_DOCKER_HTTP_H
#define BERTH_SCHEDULER_DOCKER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"
#include "scheduler/base/units.h"

struct http_peer;

struct http_config {
    /* "unix:///run/docker.sock" or "https://10.0.0.7:2376". Plain TCP would let anybody in. */
    const char *address;
    const char *ca_path, *certificate_path, *key_path; /* PEM; all three with https */
    berth_ns connect_timeout_ns;
};

enum http_end {
    HTTP_GOES_ON = 0,
    HTTP_COMPLETE, /* a status and a whole body, whatever they say */
    HTTP_NO_CONNECTION,
    HTTP_UNTRUSTED, /* TLS */
    HTTP_TOO_LATE,  /* a deadline passed */
    HTTP_BROKE_OFF,
    HTTP_TOO_LONG, /* more bytes than `received_max` lay unread */
};

struct http_request {
    const char *method;
    const char *path;         /* from the root: "/v1.41/containers/json?all=1" */
    const char *content_type; /* of the body */
    const void *body;         /* NULL: none; copied */
    size_t body_length;
    const char *secret_header; /* a whole header line, kept out of every message; may be NULL */
    berth_ns timeout_ns;       /* for the whole exchange; 0: a stream may stay open for ever */
    berth_ns idle_timeout_ns;  /* without a byte received; 0: silence is fine */
    size_t received_max;       /* bytes that may lie unread in `received` */
};

/* An exchange under way; the owner reads the public part, and takes what it read out of it. */
struct http_exchange {
    void *owner;          /* the caller's */
    struct text received; /* not yet taken by the caller */
    long status;          /* 0 until the headers are there */
    enum http_end end;
    char words[256]; /* with a failed end: what the transport said, no secret in it */
};

enum berth_err http_open(const struct http_config *config, struct http_peer **out,
                         struct berth_error *err) BERTH_MUST_CHECK;
void http_close(struct http_peer *peer); /* all exchanges must have been dropped */

int http_descriptor(const struct http_peer *peer);
berth_ns http_next_deadline(const struct http_peer *peer);

struct http_exchange *http_send(struct http_peer *peer, const struct http_request *request,
                                void *owner, berth_ns now);
void http_drop(struct http_exchange *exchange); /* at any time: also cuts it off */

/* Let bytes flow and deadlines pass. */
void http_turn(struct http_peer *peer, berth_ns now);

/* The next exchange with new bytes, a new status or its end, each once a turn; NULL: no more. */
struct http_exchange *http_next_changed(struct http_peer *peer);

/* Percent-encode for a path or a query. */
void http_escape(struct text *out, const char *value);

#endif
