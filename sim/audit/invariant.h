/*
 * invariant.h -- what must hold at every moment, by name, with a sentence for each.
 */
#ifndef BERTH_SIM_AUDIT_INVARIANT_H
#define BERTH_SIM_AUDIT_INVARIANT_H

/* ROW(constant, name, what holds) */
#define INVARIANT_LIST(ROW)                                                                     \
    ROW(INVARIANT_NO_OVERCOMMIT, "no-overcommit",                                               \
        "tasks hold no more CPU, memory, GPU and ports of an instance than it registered")      \
    ROW(INVARIANT_REMAINING, "remaining",                                                       \
        "what remains on an instance is what it registered less what its tasks hold")           \
    ROW(INVARIANT_AGENT_OVERCOMMIT, "agent-overcommit",                                         \
        "what an agent has granted, and what runs there, is no more than its host has")         \
    ROW(INVARIANT_ELIGIBLE, "eligible",                                                         \
        "nothing is placed on an instance that is not ACTIVE or whose agent is not connected")  \
    ROW(INVARIANT_DISTINCT, "distinct-instance",                                                \
        "distinctInstance: no two tasks of a group that are to run share an instance")          \
    ROW(INVARIANT_MEMBER_OF, "member-of", "memberOf holds when a task is placed")               \
    ROW(INVARIANT_FORWARD, "forward",                                                           \
        "lastStatus only moves forward, one version at a time, and a task never changes place") \
    ROW(INVARIANT_DESIRED_ONCE, "desired-once",                                                 \
        "desiredStatus falls once and never rises; above RUNNING it has fallen")                \
    ROW(INVARIANT_ONE_CONTAINER, "one-container",                                               \
        "a container of a task lives at most once, on one host, whatever is repeated")          \
    ROW(INVARIANT_DEPENDS_ON, "depends-on",                                                     \
        "a container starts after what it depends on has started, completed or succeeded")      \
    ROW(INVARIANT_STOPPED_TOLD, "stopped-told",                                                 \
        "a task that is to stop has a stop code and a reason")                                  \
    ROW(INVARIANT_PENDING_DEADLINE, "pending-deadline",                                         \
        "a task on a connected host without a fault does not stay before RUNNING for long")     \
    ROW(INVARIANT_STOPPING_DEADLINE, "stopping-deadline",                                       \
        "a task told to stop on a connected host without a fault is STOPPED in time")           \
    ROW(INVARIANT_FLOOR, "floor",                                                               \
        "no deployment, drain or move takes the healthy tasks below minimumHealthyPercent")     \
    ROW(INVARIANT_CEILING, "ceiling", "no start takes a service's tasks above maximumPercent")  \
    ROW(INVARIANT_DESIRED_KEPT, "desired-kept",                                                 \
        "scale-in stops no more tasks than are above the desired count")                        \
    ROW(INVARIANT_THROTTLE, "throttle",                                                         \
        "starts that fail in a row wait 10 s, 20 s, 40 s ... up to 27 minutes")                 \
    ROW(INVARIANT_LAUNCH_RATE, "launch-rate",                                                   \
        "a service launches at most launchRatePerMinute tasks in a minute from the first")      \
    ROW(INVARIANT_ONE_PRIMARY, "one-primary", "exactly one deployment of a service is PRIMARY") \
    ROW(INVARIANT_ROLLBACK, "rollback",                                                         \
        "a rollback goes to a deployment that completed and has not failed since")              \
    ROW(INVARIANT_PING_PONG, "ping-pong",                                                       \
        "rebalancing and scale-in do not undo each other in a zone within ten minutes")         \
    ROW(INVARIANT_DELETED, "deleted", "nothing that is to run is left of a deleted service")    \
    ROW(INVARIANT_REPEAT, "repeat", "a message that comes twice changes nothing")               \
    ROW(INVARIANT_FENCED, "fenced",                                                             \
        "an agent changes no task but those that live on its own registered instance")          \
    ROW(INVARIANT_RESTART, "restart", "a restart of the controller starts and stops nothing")   \
    ROW(INVARIANT_REVISIONS, "revisions", "revisions rise by one without a gap")                \
    ROW(INVARIANT_DURABLE, "durable", "what was released is there after a restart")             \
    ROW(INVARIANT_COUNTS, "counts", "a service's running and pending counts are its tasks'")    \
    ROW(INVARIANT_BOUNDED, "bounded", "queues and tables are no longer than the load explains") \
    ROW(INVARIANT_STEADY, "steady",                                                             \
        "at run.audit.steadyBy every service runs its desired count of its one deployment")     \
    ROW(INVARIANT_QUIET, "quiet", "from run.audit.quietFrom on the controller decides nothing")

enum invariant {
#define INVARIANT_CONSTANT(constant, name, what) constant,
    INVARIANT_LIST(INVARIANT_CONSTANT)
#undef INVARIANT_CONSTANT
        INVARIANT_COUNT
};

struct invariant_info {
    const char *name;
    const char *what;
};

extern const struct invariant_info invariant_infos[INVARIANT_COUNT];

#endif
