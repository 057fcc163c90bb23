/*
 * fault.h -- what can go wrong between berth and a Docker engine, as one small set of kinds.
 *
 * The status code decides; the message only tells apart what one code stands for (500 is all of a
 * taken port, a full disk and a dead containerd). Source: reference "Docker Engine API" 3, 8, 10.
 */
#ifndef BERTH_SCHEDULER_DOCKER_FAULT_H
#define BERTH_SCHEDULER_DOCKER_FAULT_H

#include <stdbool.h>

enum engine_fault {
    ENGINE_OK = 0,
    ENGINE_DOWN,          /* nobody answers the socket or the port */
    ENGINE_FROZEN,        /* no answer by the deadline; what was asked may have been done */
    ENGINE_BROKE_OFF,     /* the connection ended in the middle; likewise */
    ENGINE_UNTRUSTED,     /* TLS: its certificate or ours was refused */
    ENGINE_INCOMPATIBLE,  /* it speaks no version of the API that we do, or not such a call */
    ENGINE_UNREADABLE,    /* its answer is not what the API promises, or absurdly long */
    ENGINE_NO_IMAGE,      /* not on the engine (create) or not in the registry (pull) */
    ENGINE_NO_CONTAINER,  /* no such container, volume or network */
    ENGINE_NAME_TAKEN,    /* by a container that is not the one we asked for */
    ENGINE_PORT_TAKEN,    /* a host port is in use */
    ENGINE_NO_SPACE,      /* its disk is full */
    ENGINE_RUNTIME_DOWN,  /* containerd is away; it comes back in seconds */
    ENGINE_NO_DEVICE,     /* no driver for a device that was asked for */
    ENGINE_REFUSED,       /* a parameter that no engine of this kind takes: for good */
    ENGINE_UNAUTHORIZED,  /* the registry, or a plugin of the engine, wants other credentials */
    ENGINE_REGISTRY_DOWN, /* the registry cannot be reached, or asks us to wait */
    ENGINE_PULL_FAILED,   /* any other end of a pull without the image */
    ENGINE_IN_USE,        /* an image or a volume that a container still needs */
    ENGINE_CANCELLED,     /* by engine_cancel, or the engine was closed */
    ENGINE_FAILED,        /* any other error of the engine; its words say what */
    ENGINE_FAULT_COUNT
};

extern const char *const engine_fault_names[ENGINE_FAULT_COUNT]; /* "ok", "down", ... */

/* What is asked of an engine; the table in calls.c says how. */
enum engine_call {
    ENGINE_PING = 0, /* the engine's own: version */
    ENGINE_EVENTS,   /* the engine's own: the stream of events */
    ENGINE_LIST,     /* the engine's own: every container of the cluster */
    ENGINE_INSPECT,
    ENGINE_INFO,
    ENGINE_CREATE,
    ENGINE_START,
    ENGINE_SIGNAL,
    ENGINE_STOP,
    ENGINE_REMOVE,
    ENGINE_PULL,
    ENGINE_IMPORT,
    ENGINE_INSPECT_IMAGE,
    ENGINE_REMOVE_IMAGE,
    ENGINE_INSPECT_VOLUME,
    ENGINE_REMOVE_VOLUME,
    ENGINE_STATS,
    ENGINE_LOGS,
    ENGINE_CALL_COUNT
};

extern const char *const engine_call_names[ENGINE_CALL_COUNT]; /* "ping", "events", ... */

/*
 * What an answer with this HTTP status and these words means. ENGINE_OK also for what is as wanted
 * already: started, stopped or gone before we asked.
 */
enum engine_fault engine_fault_of(enum engine_call call, long status, const char *message);

/* The same for the words of an error inside a pull's stream, where no status is left. */
enum engine_fault engine_fault_of_pull(const char *message);

/*
 * Whether the same request may end well later on the same engine; a port, a missing image or a bad
 * parameter do not mend themselves.
 */
bool engine_fault_is_passing(enum engine_fault fault);

/*
 * Whether the engine may have done what was asked although it did not say so: ask again by the same
 * name (a second create finds the first one's container), or look.
 */
bool engine_fault_is_unsure(enum engine_fault fault);

#endif
