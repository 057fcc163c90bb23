/*
 * source.h -- where standalone tasks come from: one scenario arrival, as a stream of requests.
 *
 * Generated processes draw from streams keyed by (seed, replication, arrival's name, purpose,
 * number of the arrival), never by the variant: two strategies face the same tasks. A CSV is read
 * as it is needed; memory stays flat whatever its size.
 */
#ifndef BERTH_SIM_WORKLOAD_SOURCE_H
#define BERTH_SIM_WORKLOAD_SOURCE_H

#include "scheduler/core/event.h"
#include "sim/engine/distribution.h"

struct scenario_arrival;

#define SOURCE_GPUS_MAX 16

/*
 * One arrival. Copies of one arrival share its size and lifetime; a batch is `count` arrivals of
 * one copy each, so that theirs differ. Texts are lent until the next call.
 */
struct source_task {
    berth_ns at_ns;              /* never before the one before */
    uint64_t number;             /* 0, 1, ... within the source; a CSV's rows */
    const char *task_definition; /* name of a scenario task definition */
    const char *group;           /* NULL: family:FAMILY */
    const char *constraint;      /* a memberOf expression of the row, or NULL */
    uint32_t count;
    int32_t cpu_units, mem_mib; /* OVERRIDE_NONE: the definition's */
    struct gpu_request gpus[SOURCE_GPUS_MAX];
    uint16_t gpu_count;
    bool overrides_gpus;
    /* From the container's start to its exit, with code 0; NEVER: source_lifetime draws it. */
    bool has_lifetime;
    berth_ns lifetime_ns;
};

struct source;

/* `key`: parent of all its streams. A CSV that cannot be opened or has no `arrival` column fails.
 */
enum berth_err source_open(const struct scenario_arrival *arrival, uint64_t key,
                           berth_ns duration_ns, struct source **out,
                           struct berth_error *err) BERTH_MUST_CHECK;
void source_close(struct source *source); /* NULL is allowed */

/* The same for a CSV in memory, borrowed until source_close (tests, fuzzing). */
enum berth_err source_open_text(const struct scenario_arrival *arrival, uint64_t key,
                                berth_ns duration_ns, const char *text, size_t length,
                                struct source **out, struct berth_error *err) BERTH_MUST_CHECK;

/* *has_task is false at the end. A bad row fails: FILE:LINE: column "cpu": what; cure. */
enum berth_err source_next(struct source *source, struct source_task *out, bool *has_task,
                           struct berth_error *err) BERTH_MUST_CHECK;

/*
 * The lifetime of arrival `number`, when its row gave none: drawn when it is asked for, and always
 * the same. Not before the container starts does anybody ask.
 */
berth_ns source_lifetime(const struct source *source, uint64_t number);

/*
 * Fail about the task that source_next gave last, at its place: FILE:LINE: column "constraint":
 * ... for a CSV, arrivals/NAME: ... otherwise. For what only the caller can check.
 */
enum berth_err source_fail(const struct source *source, const char *column, struct berth_error *err,
                           const char *format, ...) BERTH_PRINTF(4, 5);

#endif
