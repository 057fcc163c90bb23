/*
 * story.h -- what happened to the services in one replication: a picture's worth of it.
 *
 * For every service and sample: how many tasks were desired, pending, running (by deployment) and
 * healthy, all as the controller has it, and how many really served. And the marks: what the
 * scenario did, which faults struck, how deployments went. Kept for replication 0 only, as an
 * example; the figures of all replications are the metrics.
 */
#ifndef BERTH_SIM_RUN_STORY_H
#define BERTH_SIM_RUN_STORY_H

#include "scheduler/core/controller.h"
#include "sim/scenario/scenario.h"

#define STORY_SERVICES_MAX 12   /* the first of the scenario */
#define STORY_DEPLOYMENTS_MAX 6 /* told apart; later ones are counted with the last */
#define STORY_MARKS_MAX 400
#define STORY_MARK_BYTES 64

struct story_point { /* at the end of a sample; `healthy` and `serving`: the least within it */
    uint32_t desired, pending, healthy, serving;
    uint32_t running[STORY_DEPLOYMENTS_MAX];
    /* Requests per second and seconds, means over the sample; 0 without a load. */
    double offered, failed, latency_s;
};

struct story_service {
    uint32_t service;                            /* of the scenario */
    uint64_t deployments[STORY_DEPLOYMENTS_MAX]; /* numbers, in order of appearance */
    uint32_t deployment_count;
    bool has_load;              /* its requests are told of */
    struct story_point *points; /* owned; point_count of the story */
};

enum story_mark_kind {
    MARK_TIMELINE = 0, /* what the scenario does */
    MARK_FAULT,        /* something broke */
    MARK_REPAIR,
    MARK_DEPLOYMENT, /* began */
    MARK_COMPLETED,
    MARK_FAILED,
    MARK_ROLLBACK,
    MARK_KIND_COUNT
};

extern const char *const story_mark_names[MARK_KIND_COUNT]; /* "timeline", "fault", ... */

struct story_mark {
    berth_ns at_ns;
    enum story_mark_kind kind;
    uint32_t service; /* of the scenario, or UINT32_MAX: all */
    char text[STORY_MARK_BYTES];
};

struct story {
    struct story_service *services; /* owned */
    uint32_t service_count;
    uint32_t point_count;
    struct story_mark *marks; /* owned; in order of time */
    uint32_t mark_count;
    uint32_t marks_left_out;
};

/* The teller: fed with changes while the replication runs. */
struct story_teller;

struct story_teller *story_begin(const struct scenario *scenario, uint32_t point_capacity);
void story_task(struct story_teller *teller, uint32_t service, const struct task_view *task);
void story_service(struct story_teller *teller, uint32_t service, const struct service_view *view);
void story_serving(struct story_teller *teller, uint32_t service, int change);
void story_deployment(struct story_teller *teller, berth_ns now_ns, uint32_t service,
                      const struct deployment_view *deployment);
/* The requests of the sample that story_sample is about to end. */
void story_requests(struct story_teller *teller, uint32_t service, double offered, double failed,
                    double latency_s);
/* `text` is cut to what a mark holds. The same mark again at the same time is told once. */
void story_mark(struct story_teller *teller, berth_ns now_ns, enum story_mark_kind kind,
                uint32_t service, const char *text);
void story_sample(struct story_teller *teller);
struct story *story_end(struct story_teller *teller); /* the teller is gone; NULL gives NULL */
void story_abandon(struct story_teller *teller);

struct story *story_copy(const struct story *story);
void story_free(struct story *story);

#endif
