#include "scheduler/docker/fault.h"

#include <stddef.h>
#include <string.h>

const char *const engine_fault_names[ENGINE_FAULT_COUNT] = {
    "ok",           "down",      "frozen",       "broke off",    "untrusted",     "incompatible",
    "unreadable",   "no image",  "no container", "name taken",   "port taken",    "no space",
    "runtime down", "no device", "refused",      "unauthorized", "registry down", "pull failed",
    "in use",       "cancelled", "failed",
};

const char *const engine_call_names[ENGINE_CALL_COUNT] = {
    "ping",          "events",       "list",           "inspect",       "info",  "create",
    "start",         "signal",       "stop",           "remove",        "pull",  "import",
    "inspect image", "remove image", "inspect volume", "remove volume", "stats", "logs",
};

struct words {
    const char *part;
    enum engine_fault fault;
};

/* Of a 5xx; the first that occurs counts. */
static const struct words engine_words[] = {
    {"no space left on device", ENGINE_NO_SPACE},
    {"disk quota exceeded", ENGINE_NO_SPACE},
    {"port is already allocated", ENGINE_PORT_TAKEN},
    {"address already in use", ENGINE_PORT_TAKEN},
    {"could not select device driver", ENGINE_NO_DEVICE},
    {"containerd", ENGINE_RUNTIME_DOWN},
    {"transport is closing", ENGINE_RUNTIME_DOWN},
    {": unavailable", ENGINE_RUNTIME_DOWN},
    {NULL, ENGINE_FAILED},
};

static const struct words pull_words[] = {
    {"no space left on device", ENGINE_NO_SPACE},
    {"no basic auth credentials", ENGINE_UNAUTHORIZED},
    {"unauthorized", ENGINE_UNAUTHORIZED},
    {"access denied", ENGINE_UNAUTHORIZED},
    {"access to the resource is denied", ENGINE_UNAUTHORIZED},
    {"manifest unknown", ENGINE_NO_IMAGE},
    {"not found", ENGINE_NO_IMAGE},
    {"no matching manifest", ENGINE_NO_IMAGE},
    {"toomanyrequests", ENGINE_REGISTRY_DOWN},
    {"connection refused", ENGINE_REGISTRY_DOWN},
    {"connection reset", ENGINE_REGISTRY_DOWN},
    {"no such host", ENGINE_REGISTRY_DOWN},
    {"server misbehaving", ENGINE_REGISTRY_DOWN},
    {"network is unreachable", ENGINE_REGISTRY_DOWN},
    {"i/o timeout", ENGINE_REGISTRY_DOWN},
    {"handshake timeout", ENGINE_REGISTRY_DOWN},
    {"request canceled", ENGINE_REGISTRY_DOWN},
    {"Client.Timeout", ENGINE_REGISTRY_DOWN},
    {"EOF", ENGINE_REGISTRY_DOWN},
    {NULL, ENGINE_PULL_FAILED},
};

static enum engine_fault find_words(const struct words *words, const char *message)
{
    while (words->part != NULL && strstr(message, words->part) == NULL)
        words++;
    return words->fault;
}

enum engine_fault engine_fault_of_pull(const char *message)
{
    return find_words(pull_words, message);
}

/* 404: the thing that was named is not there, or the path is not known to so old an engine. */
static enum engine_fault fault_of_absence(enum engine_call call, const char *message)
{
    if (strstr(message, "page not found") != NULL)
        return ENGINE_INCOMPATIBLE;
    switch (call) {
    case ENGINE_REMOVE:
    case ENGINE_REMOVE_IMAGE:
    case ENGINE_REMOVE_VOLUME:
        return ENGINE_OK;
    case ENGINE_CREATE: /* of a link or of volumesFrom, it may be a container that is missing */
        return strstr(message, "No such container") != NULL ? ENGINE_NO_CONTAINER : ENGINE_NO_IMAGE;
    case ENGINE_INSPECT_IMAGE:
        return ENGINE_NO_IMAGE;
    case ENGINE_PULL: /* "denied" also comes as 404: a registry does not tell what it hides */
        return strstr(message, "denied") != NULL ? ENGINE_UNAUTHORIZED : ENGINE_NO_IMAGE;
    default:
        return ENGINE_NO_CONTAINER;
    }
}

static enum engine_fault fault_of_conflict(enum engine_call call)
{
    switch (call) {
    case ENGINE_SIGNAL: /* it does not run: nobody is left to be told */
    case ENGINE_STOP:
    case ENGINE_REMOVE: /* "removal is already in progress" */
        return ENGINE_OK;
    case ENGINE_CREATE:
        return ENGINE_NAME_TAKEN;
    case ENGINE_REMOVE_IMAGE:
    case ENGINE_REMOVE_VOLUME:
        return ENGINE_IN_USE;
    default:
        return ENGINE_FAILED;
    }
}

/* A link to a container that is not there yet comes as 400, of all codes. */
static enum engine_fault fault_of_bad_request(const char *message)
{
    if (strstr(message, "client version") != NULL)
        return ENGINE_INCOMPATIBLE;
    return strstr(message, "No such container") != NULL ? ENGINE_NO_CONTAINER : ENGINE_REFUSED;
}

enum engine_fault engine_fault_of(enum engine_call call, long status, const char *message)
{
    if ((status >= 200 && status < 300) || status == 304)
        return ENGINE_OK;
    if (status == 400)
        return fault_of_bad_request(message);
    if (status == 401 || status == 403)
        return ENGINE_UNAUTHORIZED;
    if (status == 404)
        return fault_of_absence(call, message);
    if (status == 409)
        return fault_of_conflict(call);
    if (status >= 500 && status < 600)
        return find_words(call == ENGINE_PULL ? pull_words : engine_words, message);
    return ENGINE_FAILED;
}

bool engine_fault_is_passing(enum engine_fault fault)
{
    return fault == ENGINE_DOWN || fault == ENGINE_FROZEN || fault == ENGINE_BROKE_OFF ||
           fault == ENGINE_NO_SPACE || fault == ENGINE_RUNTIME_DOWN ||
           fault == ENGINE_REGISTRY_DOWN || fault == ENGINE_IN_USE;
}

bool engine_fault_is_unsure(enum engine_fault fault)
{
    return fault == ENGINE_FROZEN || fault == ENGINE_BROKE_OFF || fault == ENGINE_CANCELLED;
}
