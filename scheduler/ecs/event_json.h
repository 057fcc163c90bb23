/*
 * event_json.h -- what happens in a cluster, as EventBridge would be told: one JSON object each.
 *
 * Envelope and details as in "Amazon ECS events" (semantics 9): version "0", id, detail-type,
 * source, account, time, region, resources, detail. Times are ISO 8601 with milliseconds where ECS
 * gives them in a detail, to the second in the envelope. Objects are written without a newline.
 */
#ifndef BERTH_SCHEDULER_ECS_EVENT_JSON_H
#define BERTH_SCHEDULER_ECS_EVENT_JSON_H

#include "scheduler/core/controller.h"

struct event_envelope {
    uint64_t stream;     /* whose events these are: a run's key. With the number, the UUID */
    uint64_t number;     /* of the event in its stream */
    berth_ns wall_ns;    /* when it happened, since 1970 */
    const char *members; /* more members of the envelope, ",\"name\":value" each; NULL: none */
};

/* Begins an object: envelope up to `"detail":{`. `resource` is an ARN, or NULL. */
void event_json_begin(const struct controller *controller, const struct event_envelope *envelope,
                      const char *source, const char *detail_type, const char *resource,
                      struct text *out);
void event_json_end(struct text *out);

/* Members of an object under way; a comma is put between them. A NULL text is null. */
void event_json_text(struct text *out, const char *name, const char *value);
void event_json_number(struct text *out, const char *name, int64_t value);
void event_json_bool(struct text *out, const char *name, bool value);
void event_json_time(struct text *out, const char *name, berth_ns wall_ns); /* 0 writes nothing */

/* ECS Task State Change, ECS Container Instance State Change, ECS Deployment State Change. */
void event_json_task(const struct controller *controller, const struct event_envelope *envelope,
                     const struct task_view *task, struct text *out);
/* `version` rises with every change of the instance: the revision of its change does. */
void event_json_instance(const struct controller *controller, const struct event_envelope *envelope,
                         instance_id instance, uint64_t version, struct text *out);
/* False, and nothing is written, when its rollout state did not change. */
bool event_json_deployment(const struct controller *controller,
                           const struct event_envelope *envelope,
                           const struct deployment_view *deployment, struct text *out);

/* ECS Service Action; `message` in the detail is the sentence of DescribeServices. */
void event_json_service(const struct controller *controller, const struct event_envelope *envelope,
                        const struct service_event *event, struct text *out);

/* INFO, WARN or ERROR, as semantics 9 has it. */
const char *event_json_service_type(enum service_event_kind kind);

#endif
