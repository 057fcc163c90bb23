#include "scheduler/placement/what_if.h"

#include "scheduler/base/mem.h"

static void explain_refusal(struct cluster *cluster, const struct placement_request *request,
                            struct what_if_answer *answer)
{
    placement_count_verdicts(cluster, request, answer->causes);
    answer->closest = placement_closest(cluster, request, &answer->closest_why);
}

struct what_if_answer what_if_place(struct cluster *cluster,
                                    const struct placement_request *request)
{
    struct what_if_answer answer = {.closest = INSTANCE_NONE};
    struct rng copy = {0, 0};
    struct placement_request asked = *request;
    if (request->stream != NULL)
        copy = *request->stream;
    asked.stream = &copy;
    answer.to = placement_choose(cluster, &asked);
    if (answer.to == INSTANCE_NONE)
        explain_refusal(cluster, request, &answer);
    else
        placement_count_verdicts(cluster, request, answer.causes);
    return answer;
}

/* If one found no room, neither does the next that asks for the same. */
static bool asks_the_same(const struct placement_request *a, const struct placement_request *b)
{
    return a->plan == b->plan && a->demand == b->demand && a->group == b->group &&
           a->pool == b->pool && a->zones == b->zones && a->zone_count == b->zone_count;
}

static void place_in_turn(struct cluster *cluster, const struct placement_request *request,
                          struct what_if_answer *answer)
{
    struct gpu_grant grants[GPU_DEVICES_MAX];
    *answer = (struct what_if_answer){.closest = INSTANCE_NONE};
    answer->to = placement_choose(cluster, request);
    if (answer->to == INSTANCE_NONE) {
        explain_refusal(cluster, request, answer);
        return;
    }
    (void)cluster_reserve(cluster, answer->to, request->demand, grants);
    cluster_join(cluster, answer->to, request->group);
}

void what_if_drain(struct cluster *cluster, instance_id leaving, const struct what_if_mover *movers,
                   size_t mover_count, struct what_if_answer *answers,
                   enum placement_verdict *verdicts)
{
    struct rng *streams = mem_alloc((mover_count + 1) * sizeof *streams);
    bool is_told = verdicts == NULL;
    cluster_mark mark = cluster_journal_begin(cluster);
    cluster_set_status(cluster, leaving, INSTANCE_DRAINING);
    for (size_t i = 0; i < mover_count; i++) {
        const struct placement_request *request = &movers[i].request;
        streams[i] = *request->stream;
        for (uint32_t gone = 0; gone < movers[i].leaves; gone++)
            cluster_leave(cluster, leaving, request->group);
        if (i > 0 && answers[i - 1].to == INSTANCE_NONE && movers[i].leaves == 0 &&
            asks_the_same(&movers[i - 1].request, request)) {
            answers[i] = answers[i - 1];
            continue;
        }
        place_in_turn(cluster, request, &answers[i]);
        if (is_told || answers[i].to != INSTANCE_NONE)
            continue;
        is_told = true;
        for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
            verdicts[id] = placement_check(cluster, request, id);
    }
    cluster_journal_undo(cluster, mark);
    for (size_t i = mover_count; i-- > 0;) /* The first to draw is the last to be put back. */
        *movers[i].request.stream = streams[i];
    mem_free(streams);
}
