/*
 * answers.h -- reading what an engine says: JSON to small structs, with no trust in it.
 *
 * Whatever the bytes, a reader returns false or a value within its bounds. An engine is a program
 * of another age on another machine: unknown members are passed over, absent ones have a calm
 * value.
 */
#ifndef BERTH_SCHEDULER_DOCKER_ANSWERS_H
#define BERTH_SCHEDULER_DOCKER_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define ENGINE_ID_MAX 80 /* a container's id is 64 digits */
#define ENGINE_TEXT_MAX 512

enum container_status {
    CONTAINER_CREATED = 0, /* made and never started, or its start failed */
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING, /* by the engine itself: never ours */
    CONTAINER_REMOVING,
    CONTAINER_EXITED,
    CONTAINER_DEAD, /* half removed */
    CONTAINER_GONE, /* the engine does not know it (any more) */
    CONTAINER_STATUS_COUNT
};

extern const char *const container_status_names[CONTAINER_STATUS_COUNT]; /* as the API has them */

enum container_health {
    CONTAINER_NO_HEALTH = 0, /* it has no check */
    CONTAINER_STARTING,
    CONTAINER_HEALTHY,
    CONTAINER_UNHEALTHY,
};

struct container_port {
    uint16_t container_port, host_port;
    bool is_udp;
    char host_ip[46];
};

/* A container as it is now, as inspect tells it. */
struct container_state {
    char id[ENGINE_ID_MAX];
    char *name;        /* owned; without the slash */
    char *image;       /* owned; the digest of what it runs */
    char *stop_signal; /* owned; "SIGTERM" unless the image or the container says otherwise */
    json_t *labels;    /* owned; an object of texts */
    enum container_status status;
    enum container_health health;
    int32_t exit_code; /* when EXITED, DEAD or GONE, and has_exit_code */
    bool has_exit_code;
    bool is_out_of_memory; /* the kernel killed something in it for its memory */
    bool has_terminal;     /* its log is raw, not in frames */
    int64_t pid;           /* in the engine's pid namespace; 0 when it does not run */
    /* The engine's wall clock; 0: never. A short run may end before its start was noted. */
    berth_ns started_ns, finished_ns;
    char words[ENGINE_TEXT_MAX];      /* why its last start failed, in the engine's words */
    VEC(struct container_port) ports; /* owned; published ones */
};

/* The body of GET /containers/ID/json; on false *out is empty. */
bool container_state_read(const json_t *json, struct container_state *out);
void container_state_free(struct container_state *state);
const char *container_state_label(const struct container_state *state, const char *name);

/* One event of a container, as far as it matters: somebody should look at it again. */
struct engine_event {
    char id[ENGINE_ID_MAX];
    bool is_start;
    bool is_end;           /* it died */
    bool is_out_of_memory; /* something in it was killed for its memory */
    bool has_exit_code;
    int32_t exit_code;
};

/* False for what need not be looked at: other types, and the probes of health checks. */
bool engine_event_read(const char *line, size_t length, struct engine_event *out);

/* {"message": "..."} of a 4xx or 5xx, in one line and cut to fit; other bodies as they are. */
void engine_message_read(const char *body, size_t length, char out[ENGINE_TEXT_MAX]);

/* GET /version. */
struct engine_version {
    uint32_t api_minor, api_minor_min; /* of API 1.x */
    char engine[32], architecture[16], system[16];
};
bool engine_version_read(const json_t *json, struct engine_version *out);

/* GET /info. */
struct engine_info {
    char id[ENGINE_ID_MAX], name[128], driver[32];
    int32_t cpu_count;
    int64_t mem_mib;
    bool has_live_restore, has_swap_limit, is_cgroup_v2;
    json_t *log_drivers; /* owned; a list of texts */
};
bool engine_info_read(const json_t *json, struct engine_info *out);
void engine_info_free(struct engine_info *info);

/* One line of a pull's stream. */
struct pull_line {
    char status[ENGINE_TEXT_MAX]; /* "Downloading", "Status: Downloaded newer image for ..." */
    char layer[ENGINE_ID_MAX];    /* "" when it is of the whole image */
    int64_t current_bytes, total_bytes; /* 0 when it does not say */
    bool is_error;                      /* status holds the error then */
    bool is_last;                       /* the line that a pull which went well ends with */
    char digest[80];                    /* "sha256:...", or "" */
};
bool pull_line_read(const char *line, size_t length, struct pull_line *out);

/* One sample of GET /containers/ID/stats; counters since the container's start. */
struct container_usage {
    uint64_t cpu_ns;    /* used */
    uint64_t system_ns; /* of all processors together, used and idle; 0: not known */
    uint32_t cpu_count;
    uint64_t mem_bytes; /* without the page cache that can be dropped, as docker stats shows it */
    uint64_t mem_limit_bytes;
    uint64_t throttled_ns;
    uint64_t received_bytes, sent_bytes; /* all interfaces */
    berth_ns read_ns;                    /* the engine's wall clock */
};
bool container_usage_read(const json_t *json, struct container_usage *out);

/* GET /images/NAME/json. */
struct image_state {
    char id[ENGINE_ID_MAX];
    char architecture[16];
    int64_t size_bytes;
    char digest[80]; /* of its first repository digest: "sha256:...", or "" */
    bool has_command, has_health_check;
};
bool image_state_read(const json_t *json, struct image_state *out);

#endif
