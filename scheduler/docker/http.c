/*
 * http.c -- libcurl's sockets in an epoll set of the peer's own, its timer in ours.
 *
 * The total and idle deadlines are kept here rather than by libcurl, so that they follow the
 * caller's clock and a stream's silence can be told from an answer's. A name in the address is
 * looked up by libcurl's resolver; an address in digits, or a socket's path, needs none.
 */
#include "scheduler/docker/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

#define SOCKETS_AT_ONCE 32
#define ROUNDS_A_TURN 8 /* so that one busy engine cannot hold the loop */
#define CONNECT_TIMEOUT_DEFAULT (5 * BERTH_NS_PER_S)
#define KEEPALIVE_S 20L

static const char unix_scheme[] = "unix://";
static const char tls_scheme[] = "https://";

struct exchange {
    struct http_exchange public; /* first: the caller's pointer is ours */
    struct http_peer *peer;
    CURL *easy;
    struct curl_slist *headers;
    struct text body; /* libcurl sends out of it */
    size_t received_max;
    berth_ns deadline_ns, idle_deadline_ns; /* BERTH_NS_NEVER: none */
    berth_ns idle_timeout_ns;
    bool is_in_multi, is_changed, is_too_long;
    char words[CURL_ERROR_SIZE];
};

struct http_peer {
    CURLM *multi;
    int epoll;
    char *socket_path; /* or NULL */
    char *root;        /* "http://engine" or "https://host:port" */
    char *ca_path, *certificate_path, *key_path;
    berth_ns connect_timeout_ns;
    berth_ns now, timer_ns;
    VEC(struct exchange *) exchanges;
    VEC(struct exchange *) changed; /* NULL where it was dropped since */
    size_t changed_taken;
};

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *ours)
{
    struct http_peer *peer = context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(peer->epoll, EPOLL_CTL_DEL, descriptor, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = descriptor};
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    int change = ours == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(peer->epoll, change, descriptor, &event) != 0)
        return -1;
    (void)curl_multi_assign(peer->multi, descriptor, peer);
    return 0;
}

static void mark_changed(struct exchange *exchange)
{
    if (exchange->is_changed)
        return;
    exchange->is_changed = true;
    *vec_push(&exchange->peer->changed) = exchange;
}

static void put_off_idle(struct exchange *exchange)
{
    if (exchange->idle_timeout_ns > 0)
        exchange->idle_deadline_ns = exchange->peer->now + exchange->idle_timeout_ns;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    if (exchange->public.received.length + length > exchange->received_max) {
        exchange->is_too_long = true;
        return 0; /* libcurl ends the exchange */
    }
    text_add_n(&exchange->public.received, bytes, length);
    put_off_idle(exchange);
    mark_changed(exchange);
    return length;
}

/* The empty line ends the headers: from then on a stream is known to be open. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    long status = 0;
    if (length == 2 && memcmp(line, "\r\n", 2) == 0 &&
        curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
        status >= 200) {
        exchange->public.status = status;
        put_off_idle(exchange);
        mark_changed(exchange);
    }
    return length;
}

static enum berth_err read_address(const struct http_config *config, struct http_peer *peer,
                                   struct berth_error *err)
{
    const char *address = config->address;
    bool has_files =
        config->ca_path != NULL && config->certificate_path != NULL && config->key_path != NULL;
    if (strncmp(address, unix_scheme, strlen(unix_scheme)) == 0) {
        peer->socket_path = mem_copy_text(address + strlen(unix_scheme));
        peer->root = mem_copy_text("http://engine");
        if (peer->socket_path[0] == '/')
            return BERTH_OK;
        return berth_fail(err, BERTH_ERR_INPUT, "%s: write the socket's whole path, unix:///...",
                          address);
    }
    if (strncmp(address, tls_scheme, strlen(tls_scheme)) != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: is not an engine's address; write unix:///PATH or https://HOST:PORT "
                          "with certificates (a plain port would let anybody in)",
                          address);
    if (!has_files)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: needs three files: the CA, our certificate and its key", address);
    peer->root = mem_copy_text(address);
    while (peer->root[0] != '\0' && peer->root[strlen(peer->root) - 1] == '/')
        peer->root[strlen(peer->root) - 1] = '\0';
    peer->ca_path = mem_copy_text(config->ca_path);
    peer->certificate_path = mem_copy_text(config->certificate_path);
    peer->key_path = mem_copy_text(config->key_path);
    return BERTH_OK;
}

enum berth_err http_open(const struct http_config *config, struct http_peer **out,
                         struct berth_error *err)
{
    struct http_peer *peer = mem_alloc(sizeof *peer);
    *out = NULL;
    peer->epoll = -1;
    peer->timer_ns = BERTH_NS_NEVER;
    peer->connect_timeout_ns =
        config->connect_timeout_ns > 0 ? config->connect_timeout_ns : CONNECT_TIMEOUT_DEFAULT;
    bool is_global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    peer->multi = is_global ? curl_multi_init() : NULL;
    if (peer->multi == NULL) {
        mem_free(peer);
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "libcurl: cannot be started");
    }
    if (read_address(config, peer, err) == BERTH_OK &&
        (peer->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        (void)berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no descriptor is left: %s",
                         config->address, strerror(errno));
    if (peer->epoll < 0) {
        http_close(peer);
        return err->code;
    }
    (void)curl_multi_setopt(peer->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(peer->multi, CURLMOPT_SOCKETDATA, peer);
    *out = peer;
    return BERTH_OK;
}

void http_close(struct http_peer *peer)
{
    if (peer == NULL)
        return;
    assert(peer->exchanges.count == 0);
    (void)curl_multi_cleanup(peer->multi);
    if (peer->epoll >= 0)
        (void)close(peer->epoll);
    vec_free(&peer->exchanges);
    vec_free(&peer->changed);
    mem_free(peer->socket_path);
    mem_free(peer->root);
    mem_free(peer->ca_path);
    mem_free(peer->certificate_path);
    mem_free(peer->key_path);
    mem_free(peer);
    curl_global_cleanup();
}

int http_descriptor(const struct http_peer *peer)
{
    return peer->epoll;
}

static berth_ns sooner(berth_ns a, berth_ns b)
{
    return a < b ? a : b;
}

static berth_ns exchange_deadline(const struct exchange *exchange)
{
    return exchange->public.end == HTTP_GOES_ON
               ? sooner(exchange->deadline_ns, exchange->idle_deadline_ns)
               : BERTH_NS_NEVER;
}

berth_ns http_next_deadline(const struct http_peer *peer)
{
    berth_ns next = peer->timer_ns;
    for (size_t i = 0; i < peer->exchanges.count; i++)
        next = sooner(next, exchange_deadline(peer->exchanges.items[i]));
    return next;
}

static void set_up_connection(const struct http_peer *peer, CURL *easy)
{
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)(peer->connect_timeout_ns / BERTH_NS_PER_MS));
    if (peer->socket_path != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, peer->socket_path);
        return;
    }
    (void)curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_path);
    (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, peer->certificate_path);
    (void)curl_easy_setopt(easy, CURLOPT_SSLKEY, peer->key_path);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
}

static void set_up_request(struct exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    struct text url = TEXT_INIT;
    text_addf(&url, "%s%s", exchange->peer->root, request->path);
    (void)curl_easy_setopt(easy, CURLOPT_URL, url.bytes); /* copied */
    text_free(&url);
    if (strcmp(request->method, "POST") == 0) {
        text_add_n(&exchange->body, request->body == NULL ? "" : request->body,
                   request->body == NULL ? 0 : request->body_length);
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.bytes);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)exchange->body.length);
        struct text type = TEXT_INIT;
        text_addf(&type, "Content-Type: %s",
                  request->content_type == NULL ? "application/json" : request->content_type);
        exchange->headers = curl_slist_append(exchange->headers, type.bytes);
        exchange->headers = curl_slist_append(exchange->headers, "Expect:");
        text_free(&type);
    } else if (strcmp(request->method, "GET") != 0) {
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->secret_header != NULL)
        exchange->headers = curl_slist_append(exchange->headers, request->secret_header);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->words);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
}

struct http_exchange *http_send(struct http_peer *peer, const struct http_request *request,
                                void *owner, berth_ns now)
{
    struct exchange *exchange = mem_alloc(sizeof *exchange);
    peer->now = now;
    *exchange = (struct exchange){
        .public = {.owner = owner},
        .peer = peer,
        .easy = curl_easy_init(),
        .received_max = request->received_max,
        .deadline_ns = request->timeout_ns > 0 ? now + request->timeout_ns : BERTH_NS_NEVER,
        .idle_deadline_ns = BERTH_NS_NEVER,
        .idle_timeout_ns = request->idle_timeout_ns,
    };
    put_off_idle(exchange);
    *vec_push(&peer->exchanges) = exchange;
    if (exchange->easy != NULL) {
        set_up_connection(peer, exchange->easy);
        set_up_request(exchange, request);
        exchange->is_in_multi = curl_multi_add_handle(peer->multi, exchange->easy) == CURLM_OK;
    }
    peer->timer_ns = now; /* the next turn begins it, or fetches its end */
    if (!exchange->is_in_multi) {
        exchange->public.end = HTTP_NO_CONNECTION;
        (void)snprintf(exchange->public.words, sizeof exchange->public.words,
                       "libcurl took no request");
        mark_changed(exchange);
    }
    return &exchange->public;
}

/* What is under way is cut off: its connection is not used again. */
static void leave_multi(struct exchange *exchange)
{
    if (exchange->is_in_multi)
        (void)curl_multi_remove_handle(exchange->peer->multi, exchange->easy);
    exchange->is_in_multi = false;
}

void http_drop(struct http_exchange *public)
{
    struct exchange *exchange = (struct exchange *)public;
    struct http_peer *peer = exchange->peer;
    leave_multi(exchange);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    for (size_t i = 0; i < peer->changed.count; i++)
        if (peer->changed.items[i] == exchange)
            peer->changed.items[i] = NULL;
    size_t at = 0;
    while (peer->exchanges.items[at] != exchange)
        at++;
    peer->exchanges.items[at] = peer->exchanges.items[--peer->exchanges.count];
    if (exchange->body.bytes != NULL) /* it may have held secrets */
        memset(exchange->body.bytes, 0, exchange->body.length);
    text_free(&exchange->body);
    text_free(&exchange->public.received);
    mem_free(exchange);
}

static enum http_end end_of(CURLcode code, const char *words)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_COMPLETE;
    case CURLE_OPERATION_TIMEDOUT: /* of connecting */
        return HTTP_TOO_LATE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_NO_CONNECTION;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_UNTRUSTED;
    default: /* TLS 1.3 hears of a refused certificate only when it reads */
        return strstr(words, "certificate") != NULL ? HTTP_UNTRUSTED : HTTP_BROKE_OFF;
    }
}

static void finish(struct exchange *exchange, enum http_end end, const char *words)
{
    leave_multi(exchange);
    exchange->public.end = end;
    (void)snprintf(exchange->public.words, sizeof exchange->public.words, "%s", words);
    mark_changed(exchange);
}

static void collect_ends(struct http_peer *peer)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(peer->multi, &left)) != NULL) {
        struct exchange *exchange = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange) != CURLE_OK)
            continue;
        if (exchange->is_too_long)
            finish(exchange, HTTP_TOO_LONG, "the answer is absurdly long");
        else
            finish(exchange, end_of(code, exchange->words),
                   exchange->words[0] != '\0' ? exchange->words : curl_easy_strerror(code));
    }
}

static void pass_deadlines(struct http_peer *peer)
{
    for (size_t i = 0; i < peer->exchanges.count; i++) {
        struct exchange *exchange = peer->exchanges.items[i];
        if (exchange_deadline(exchange) <= peer->now)
            finish(exchange, HTTP_TOO_LATE,
                   exchange->deadline_ns <= peer->now ? "no answer in time" : "it fell silent");
    }
}

static int curl_mask(uint32_t events)
{
    return (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
           (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
}

/*
 * Asked for after each turn rather than told by libcurl's timer callback: that one is silent when a
 * timer was served a moment too early, by a clock that was read before the turn, and it would be
 * lost.
 */
static void set_timer(struct http_peer *peer)
{
    long timeout_ms = -1;
    (void)curl_multi_timeout(peer->multi, &timeout_ms);
    peer->timer_ns = timeout_ms < 0 ? BERTH_NS_NEVER : peer->now + timeout_ms * BERTH_NS_PER_MS;
}

void http_turn(struct http_peer *peer, berth_ns now)
{
    struct epoll_event events[SOCKETS_AT_ONCE];
    int running = 0, ready = SOCKETS_AT_ONCE;
    peer->now = now;
    vec_clear(&peer->changed);
    peer->changed_taken = 0;
    for (size_t i = 0; i < peer->exchanges.count; i++) {
        struct exchange *exchange = peer->exchanges.items[i];
        exchange->is_changed = false;
        if (exchange->public.end != HTTP_GOES_ON)
            mark_changed(exchange); /* it ended while it was sent */
    }
    if (peer->timer_ns <= now)
        (void)curl_multi_socket_action(peer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int round = 0; round < ROUNDS_A_TURN && ready == SOCKETS_AT_ONCE; round++) {
        ready = epoll_wait(peer->epoll, events, SOCKETS_AT_ONCE, 0);
        for (int i = 0; i < ready; i++)
            (void)curl_multi_socket_action(peer->multi, events[i].data.fd,
                                           curl_mask(events[i].events), &running);
    }
    collect_ends(peer);
    pass_deadlines(peer);
    set_timer(peer);
}

struct http_exchange *http_next_changed(struct http_peer *peer)
{
    while (peer->changed_taken < peer->changed.count) {
        struct exchange *exchange = peer->changed.items[peer->changed_taken++];
        if (exchange != NULL)
            return &exchange->public;
    }
    return NULL;
}

void http_escape(struct text *out, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++)
        if (strchr(plain, *at) != NULL)
            text_add_n(out, (const char *)at, 1);
        else
            text_addf(out, "%%%02X", *at);
}
