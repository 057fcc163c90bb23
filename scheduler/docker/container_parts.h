/* container_parts.h -- between container_json.c and the files it is made of. */
#ifndef BERTH_SCHEDULER_DOCKER_CONTAINER_PARTS_H
#define BERTH_SCHEDULER_DOCKER_CONTAINER_PARTS_H

#include "scheduler/docker/container_json.h"

/* A member, or NULL when it is absent, null, false, "" or empty: nothing was asked for. */
const json_t *wanted(const json_t *object, const char *name);

/* The container of the definition with this name, or container_count. */
uint16_t container_find(const struct task_def *def, const char *name, size_t length);

/* Each fills what its members ask for. `json` is the container's definition. */
void add_limits(json_t *host, const struct container_launch *launch, uint16_t container,
                const json_t *json);
void add_linux(json_t *host, const json_t *json);
void add_cards(json_t *host, const struct container_launch *launch, uint16_t container);
void add_ports(json_t *body, json_t *host, const struct container_launch *launch,
               uint16_t container, const json_t *json);
void add_network(json_t *host, const struct container_launch *launch, const json_t *json);
void add_volumes(json_t *host, const struct container_launch *launch, const json_t *json);

#endif
