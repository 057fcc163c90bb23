#include "scheduler/lab/http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scheduler/lab/process.h"

static enum berth_err dial(const char *path, int *out, struct berth_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: too long for a socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    if (file >= 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(file, F_SETFL, O_NONBLOCK) == 0 &&
        connect(file, (const struct sockaddr *)&address, sizeof address) == 0) {
        *out = file;
        return BERTH_OK;
    }
    int error = errno;
    if (file >= 0)
        (void)close(file);
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path, strerror(error));
}

/* Waits until the socket is ready; false at the deadline. */
static bool wait_ready(int file, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd ready = {.fd = file, .events = events};
        int64_t left = deadline - lab_now_ms();
        if (left <= 0)
            return false;
        int count = poll(&ready, 1, (int)left);
        if (count > 0 || (count < 0 && errno != EINTR))
            return count > 0;
    }
}

static bool send_all(int file, const char *bytes, size_t length, int64_t deadline)
{
    while (length > 0) {
        ssize_t count = send(file, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (count < 0 && !wait_ready(file, POLLOUT, deadline))
            return false;
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* Until the engine closes. */
static bool receive_all(int file, struct text *out, int64_t deadline)
{
    char bytes[8192];
    for (;;) {
        if (!wait_ready(file, POLLIN, deadline))
            return false;
        ssize_t count = recv(file, bytes, sizeof bytes, 0);
        if (count == 0)
            return true;
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (count > 0)
            text_add_n(out, bytes, (size_t)count);
    }
}

bool lab_answer_read(const char *bytes, size_t length, int *status, size_t *body)
{
    static const char blank[] = "\r\n\r\n";
    if (length < 12 || strncmp(bytes, "HTTP/1.", 7) != 0 ||
        sscanf(bytes + 8, " %3d", status) != 1 || *status < 100)
        return false;
    for (size_t at = 0; at + 4 <= length; at++)
        if (memcmp(bytes + at, blank, 4) == 0) {
            *body = at + 4;
            return true;
        }
    return false;
}

enum berth_err lab_request(const struct lab_request *request, int *status, struct text *out,
                           struct berth_error *err)
{
    int file = -1;
    int64_t deadline = lab_now_ms() + request->timeout_ms;
    enum berth_err code = dial(request->socket, &file, err);
    if (code != BERTH_OK)
        return code;
    struct text head = TEXT_INIT, answer = TEXT_INIT;
    size_t body = 0;
    /* Version 1.0: the answer comes in one piece and ends with the connection. */
    text_addf(&head, "%s %s HTTP/1.0\r\nHost: docker\r\n", request->method, request->target);
    if (request->type != NULL)
        text_addf(&head, "Content-Type: %s\r\n", request->type);
    text_addf(&head, "Content-Length: %zu\r\n\r\n", request->length);
    if (!send_all(file, head.bytes, head.length, deadline) ||
        !send_all(file, request->body, request->length, deadline) ||
        !receive_all(file, &answer, deadline) || answer.length == 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no answer to %s %s", request->socket,
                          request->method, request->target);
    else if (!lab_answer_read(answer.bytes, answer.length, status, &body))
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: not an answer of HTTP", request->socket);
    else if (out != NULL)
        text_add_n(out, answer.bytes + body, answer.length - body);
    text_free(&head);
    text_free(&answer);
    (void)close(file);
    return code;
}
