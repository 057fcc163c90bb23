/*
 * describe_json.h -- a user's own cluster, from what the AWS CLI prints about it.
 *
 * One document holds `containerInstances`, `tasks` and `taskDefinitions` in the shapes of
 * describe-container-instances, describe-tasks and describe-task-definition (wrapped or bare), and
 * may hold `clusters` (describe-clusters), `clusterArn` and `Subnets` (ec2 describe-subnets).
 * `remainingResources` are authoritative: tasks reserve nothing again, they only count in their
 * groups while their desiredStatus is RUNNING. Members that a newer CLI prints are ignored.
 */
#ifndef BERTH_SCHEDULER_ECS_DESCRIBE_JSON_H
#define BERTH_SCHEDULER_ECS_DESCRIBE_JSON_H

#include <jansson.h>

#include "scheduler/model/cluster.h"
#include "scheduler/model/task_def.h"

struct described_subnet {
    symbol subnet, zone;
};

/* Everything is owned by the struct; a zeroed one is empty. */
struct described_cluster {
    struct symbols *symbols;
    struct cluster *cluster;
    struct task_def_registry *task_defs;
    char *arn;   /* NULL when the document does not tell */
    char **arns; /* of the instances, by instance_id */
    struct described_subnet *subnets;
    size_t subnet_count;
};

/* Instances are added in ascending order of their id, the last part of the ARN, bytewise. */
enum berth_err described_cluster_read(const json_t *json, const char *place,
                                      struct described_cluster *out,
                                      struct berth_error *err) BERTH_MUST_CHECK;
void described_cluster_free(struct described_cluster *described);

/* One instance as printed; texts are lent by the JSON. Arrays are owned. */
struct described_instance {
    const char *arn, *id; /* id: the last part of the ARN */
    const char *ec2_id, *agent_version;
    enum instance_status status;
    bool is_agent_connected;
    uint32_t running_tasks;
    berth_ns registered_wall_ns;
    const json_t *attributes; /* a list of {name, value?}, names checked and distinct */
    struct described_resources {
        int32_t cpu_units, mem_mib;
        uint16_t *tcp_ports, *udp_ports; /* occupied; ascending, distinct */
        uint16_t tcp_port_count, udp_port_count;
        const json_t *gpus; /* list of ids: all of them, or those left; may be NULL */
    } registered, remaining;
};

enum berth_err described_instance_read(const json_t *json, const char *place,
                                       struct described_instance *out,
                                       struct berth_error *err) BERTH_MUST_CHECK;
void described_instance_free(struct described_instance *instance);

/* A printed time: seconds since 1970 (CLI version 1) or ISO 8601 text (version 2). */
bool described_time(const json_t *json, berth_ns *out);

#endif
