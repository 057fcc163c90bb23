/*
 * http.h -- one request to an engine over its unix socket, with a deadline: what a lab needs of
 * the Engine API (is it there? take this image), and no more.
 */
#ifndef BERTH_SCHEDULER_LAB_HTTP_H
#define BERTH_SCHEDULER_LAB_HTTP_H

#include <stddef.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

struct lab_request {
    const char *socket;
    const char *method; /* "GET" */
    const char *target; /* "/_ping", already percent-encoded */
    const char *type;   /* of the body; NULL: there is none */
    const char *body;
    size_t length;
    int timeout_ms;
};

/* *status: of HTTP; the body of the answer is added to *out (NULL: not kept). */
enum berth_err lab_request(const struct lab_request *request, int *status, struct text *out,
                           struct berth_error *err) BERTH_MUST_CHECK;

/* Status and begin of the body of a whole answer; false when it is none. Pure. */
bool lab_answer_read(const char *bytes, size_t length, int *status, size_t *body);

#endif
