#include "sim/run/story.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/base/id_table.h"
#include "scheduler/base/mem.h"

const char *const story_mark_names[MARK_KIND_COUNT] = {
    [MARK_TIMELINE] = "timeline", [MARK_FAULT] = "fault",         [MARK_REPAIR] = "repair",
    [MARK_DEPLOYMENT] = "deploy", [MARK_COMPLETED] = "completed", [MARK_FAILED] = "failed",
    [MARK_ROLLBACK] = "rollback",
};

/* What a task adds to its service's counts. */
struct told_task {
    uint32_t service, deployment;
    bool is_pending, is_running;
};

struct counts {
    struct story_point now;
    uint32_t least_healthy, least_serving; /* since the last sample */
    uint64_t announced; /* the newest deployment told of; its tasks may have come before */
};

struct story_teller {
    struct story *story;
    uint32_t capacity; /* points of each service */
    struct counts counts[STORY_SERVICES_MAX];
    VEC(struct told_task) tasks;
    VEC(uint32_t) free_tasks;
    struct id_table task_at;
};

struct story_teller *story_begin(const struct scenario *scenario, uint32_t point_capacity)
{
    struct story_teller *teller = mem_alloc(sizeof *teller);
    struct story *story = mem_alloc(sizeof *story);
    teller->story = story;
    teller->capacity = point_capacity;
    story->services = mem_alloc(STORY_SERVICES_MAX * sizeof *story->services);
    story->marks = mem_alloc(STORY_MARKS_MAX * sizeof *story->marks);
    for (uint32_t i = 0; i < scenario->service_count && i < STORY_SERVICES_MAX; i++) {
        struct story_service *service = &story->services[story->service_count++];
        service->service = i;
        service->points = mem_alloc((point_capacity + 1) * sizeof *service->points);
    }
    return teller;
}

/* The scenario's services have the story's numbers: the first ones are told of. */
static bool is_told(const struct story_teller *teller, uint32_t service)
{
    return service < teller->story->service_count;
}

static uint32_t deployment_index(struct story_service *service, uint64_t number)
{
    uint32_t i = 0;
    while (i < service->deployment_count && service->deployments[i] != number)
        i++;
    if (i == service->deployment_count && i < STORY_DEPLOYMENTS_MAX)
        service->deployments[service->deployment_count++] = number;
    return i < STORY_DEPLOYMENTS_MAX ? i : STORY_DEPLOYMENTS_MAX - 1;
}

static void add(uint32_t *count, bool is_in, int change)
{
    if (is_in)
        *count = (uint32_t)((int64_t)*count + change);
}

static void count_task(struct story_teller *teller, const struct told_task *task, int change)
{
    struct counts *counts = &teller->counts[task->service];
    add(&counts->now.pending, task->is_pending, change);
    add(&counts->now.running[task->deployment], task->is_running, change);
}

static uint32_t slot_for(struct story_teller *teller, task_id task)
{
    uint32_t slot;
    if (teller->free_tasks.count > 0) {
        slot = teller->free_tasks.items[--teller->free_tasks.count];
    } else {
        slot = (uint32_t)teller->tasks.count;
        (void)vec_push(&teller->tasks);
    }
    id_table_put(&teller->task_at, task, slot);
    return slot;
}

void story_task(struct story_teller *teller, uint32_t service, const struct task_view *task)
{
    if (teller == NULL || !is_told(teller, service))
        return;
    uint32_t slot = id_table_get(&teller->task_at, task->task);
    bool is_known = slot != ID_ABSENT;
    bool is_over = task->last_status == TASK_STOPPED;
    if (is_over && !is_known)
        return;
    if (!is_known)
        slot = slot_for(teller, task->task);
    struct told_task next = {
        .service = service,
        .deployment = deployment_index(&teller->story->services[service], task->deployment),
        .is_pending = task->desired_running && task->last_status < TASK_RUNNING,
        .is_running = task->last_status == TASK_RUNNING,
    };
    if (!is_over)
        count_task(teller, &next, 1);
    if (is_known)
        count_task(teller, &teller->tasks.items[slot], -1);
    teller->tasks.items[slot] = next;
    if (is_over) {
        id_table_remove(&teller->task_at, task->task);
        *vec_push(&teller->free_tasks) = slot;
    }
}

void story_service(struct story_teller *teller, uint32_t service, const struct service_view *view)
{
    if (teller == NULL || !is_told(teller, service))
        return;
    struct counts *counts = &teller->counts[service];
    counts->now.desired = view->is_active ? view->desired_count : 0;
    /* Not of its tasks' changes: a task that has grown old enough to count changes nothing. */
    counts->now.healthy = view->is_active ? view->healthy_count : 0;
    if (counts->now.healthy < counts->least_healthy)
        counts->least_healthy = counts->now.healthy;
}

void story_serving(struct story_teller *teller, uint32_t service, int change)
{
    if (teller == NULL || !is_told(teller, service))
        return;
    struct counts *counts = &teller->counts[service];
    add(&counts->now.serving, true, change);
    if (counts->now.serving < counts->least_serving)
        counts->least_serving = counts->now.serving;
}

void story_mark(struct story_teller *teller, berth_ns now_ns, enum story_mark_kind kind,
                uint32_t service, const char *text)
{
    if (teller == NULL)
        return;
    struct story *story = teller->story;
    struct story_mark mark = {.at_ns = now_ns, .kind = kind, .service = service};
    snprintf(mark.text, sizeof mark.text, "%s", text);
    for (uint32_t i = story->mark_count; i-- > 0 && story->marks[i].at_ns == now_ns;)
        if (story->marks[i].kind == kind && story->marks[i].service == service &&
            strcmp(story->marks[i].text, mark.text) == 0)
            return;
    if (story->mark_count == STORY_MARKS_MAX)
        story->marks_left_out++;
    else
        story->marks[story->mark_count++] = mark;
}

void story_deployment(struct story_teller *teller, berth_ns now_ns, uint32_t service,
                      const struct deployment_view *deployment)
{
    char text[STORY_MARK_BYTES];
    if (teller == NULL || !is_told(teller, service))
        return;
    uint64_t *announced = &teller->counts[service].announced;
    bool is_known = deployment->deployment <= *announced, is_first = *announced == 0;
    if (!is_known)
        *announced = deployment->deployment;
    (void)deployment_index(&teller->story->services[service], deployment->deployment);
    if (is_known && deployment->rollout == deployment->previous_rollout)
        return;
    const char *cause = rollout_cause_names[deployment->cause];
    snprintf(text, sizeof text, "%s:%u", deployment->def->family,
             (unsigned)deployment->def->revision);
    if (!is_known && !is_first)
        story_mark(teller, now_ns, MARK_DEPLOYMENT, service, text);
    if (!is_known || deployment->rollout == deployment->previous_rollout)
        return;
    switch (deployment->rollout) {
    case ROLLOUT_IN_PROGRESS:
        story_mark(teller, now_ns, MARK_ROLLBACK, service, text);
        break;
    case ROLLOUT_COMPLETED:
        story_mark(teller, now_ns, MARK_COMPLETED, service, text);
        break;
    case ROLLOUT_FAILED:
        snprintf(text, sizeof text, "%.40s:%u %s", deployment->def->family,
                 (unsigned)deployment->def->revision, cause);
        story_mark(teller, now_ns, MARK_FAILED, service, text);
        break;
    case ROLLOUT_COUNT:
        break;
    }
}

void story_requests(struct story_teller *teller, uint32_t service, double offered, double failed,
                    double latency_s)
{
    if (teller == NULL || !is_told(teller, service))
        return;
    struct story_point *now = &teller->counts[service].now;
    teller->story->services[service].has_load = true;
    now->offered = offered;
    now->failed = failed;
    now->latency_s = latency_s;
}

void story_sample(struct story_teller *teller)
{
    if (teller == NULL || teller->story->point_count == teller->capacity)
        return;
    for (uint32_t i = 0; i < teller->story->service_count; i++) {
        struct counts *counts = &teller->counts[i];
        struct story_point *point = &teller->story->services[i].points[teller->story->point_count];
        *point = counts->now;
        if (counts->least_healthy < point->healthy)
            point->healthy = counts->least_healthy;
        if (counts->least_serving < point->serving)
            point->serving = counts->least_serving;
        counts->least_healthy = counts->now.healthy;
        counts->least_serving = counts->now.serving;
    }
    teller->story->point_count++;
}

static void free_teller(struct story_teller *teller)
{
    vec_free(&teller->tasks);
    vec_free(&teller->free_tasks);
    id_table_free(&teller->task_at);
    mem_free(teller);
}

struct story *story_end(struct story_teller *teller)
{
    if (teller == NULL)
        return NULL;
    struct story *story = teller->story;
    free_teller(teller);
    return story;
}

void story_abandon(struct story_teller *teller)
{
    story_free(story_end(teller));
}

void story_free(struct story *story)
{
    if (story == NULL)
        return;
    for (uint32_t i = 0; i < story->service_count; i++)
        mem_free(story->services[i].points);
    mem_free(story->services);
    mem_free(story->marks);
    mem_free(story);
}

struct story *story_copy(const struct story *story)
{
    struct story *copy = mem_alloc(sizeof *copy);
    *copy = *story;
    copy->services = mem_alloc((story->service_count + 1) * sizeof *copy->services);
    copy->marks = mem_alloc((story->mark_count + 1) * sizeof *copy->marks);
    memcpy(copy->marks, story->marks, story->mark_count * sizeof *copy->marks);
    for (uint32_t i = 0; i < story->service_count; i++) {
        size_t size = story->point_count * sizeof(struct story_point);
        copy->services[i] = story->services[i];
        copy->services[i].points = mem_alloc(size + 1);
        memcpy(copy->services[i].points, story->services[i].points, size);
    }
    return copy;
}
