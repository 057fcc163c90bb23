#define _DEFAULT_SOURCE /* poll, clock_gettime */
#include "sim/explore/campaign.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/mem.h"

#define TURN_MS 200

struct worker {
    struct trial trial;
    uint64_t seed;
    bool is_busy;
};

struct finished { /* failures that wait for the seeds before them */
    uint64_t seed;
    struct trial_outcome outcome;
};

struct field {
    struct campaign *campaign;
    struct worker *workers;
    struct pollfd *polled;
    uint64_t next; /* seed to begin */
    VEC(struct finished) finished;
    double began_s;
};

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void add_up(struct campaign *campaign, const struct trial_outcome *outcome)
{
    for (int i = 0; i < RULE_COUNT; i++)
        campaign->rules[i] += outcome->rules[i];
    for (int i = 0; i < CHAOS_KIND_COUNT; i++)
        campaign->chaos[i] += outcome->chaos[i];
    for (int i = 0; i < INVARIANT_COUNT; i++)
        campaign->checks[i] += outcome->checks[i];
    campaign->done_count++;
    campaign->simulated_s += outcome->simulated_s;
    campaign->fault_s += outcome->fault_s;
    campaign->cpu_s += outcome->cpu_s;
}

static uint64_t oldest_busy(const struct field *field)
{
    uint64_t oldest = field->next;
    for (uint32_t i = 0; i < field->campaign->jobs; i++)
        if (field->workers[i].is_busy && field->workers[i].seed < oldest)
            oldest = field->workers[i].seed;
    return oldest;
}

/* Those failures before which no seed is still under way, the lowest first. */
static void tell(struct field *field)
{
    uint64_t oldest = oldest_busy(field);
    for (;;) {
        size_t lowest = SIZE_MAX;
        for (size_t i = 0; i < field->finished.count; i++)
            if (field->finished.items[i].seed < oldest &&
                (lowest == SIZE_MAX ||
                 field->finished.items[i].seed < field->finished.items[lowest].seed))
                lowest = i;
        if (lowest == SIZE_MAX)
            return;
        const struct finished told = field->finished.items[lowest];
        field->finished.items[lowest] = field->finished.items[--field->finished.count];
        field->campaign->failed(field->campaign->context, told.seed, &told.outcome);
    }
}

static void end_one(struct field *field, uint32_t index)
{
    struct worker *worker = &field->workers[index];
    struct trial_outcome outcome;
    trial_end(&worker->trial, &outcome);
    worker->is_busy = false;
    add_up(field->campaign, &outcome);
    if (outcome.status != TRIAL_HELD) {
        field->campaign->failed_count++;
        *vec_push(&field->finished) = (struct finished){worker->seed, outcome};
    }
    tell(field);
}

static bool begin_one(struct field *field, uint32_t index)
{
    struct worker *worker = &field->workers[index];
    json_t *document =
        explore_generate(field->next, field->campaign->profile, field->campaign->minutes);
    worker->is_busy = trial_begin(document, &worker->trial);
    worker->seed = field->next++;
    json_decref(document);
    return worker->is_busy;
}

static bool has_more(const struct field *field)
{
    const struct campaign *campaign = field->campaign;
    if (campaign->stop != NULL && *campaign->stop)
        return false;
    if (campaign->budget_s > 0 && wall_seconds() - field->began_s >= campaign->budget_s)
        return false;
    return campaign->seed_count == 0 || field->next - campaign->first_seed < campaign->seed_count;
}

/* Waits for the next to end; false when nobody is at work. */
static bool wait_a_turn(struct field *field)
{
    uint32_t jobs = field->campaign->jobs, busy = 0;
    for (uint32_t i = 0; i < jobs; i++) {
        field->polled[i] = (struct pollfd){.fd = -1, .events = POLLIN};
        if (field->workers[i].is_busy) {
            field->polled[i].fd = field->workers[i].trial.pipe;
            busy++;
        }
    }
    if (busy == 0)
        return false;
    if (poll(field->polled, jobs, TURN_MS) > 0)
        for (uint32_t i = 0; i < jobs; i++)
            if (field->polled[i].revents != 0)
                end_one(field, i);
    return true;
}

static void kill_all(struct field *field)
{
    for (uint32_t i = 0; i < field->campaign->jobs; i++)
        if (field->workers[i].is_busy) {
            trial_kill(&field->workers[i].trial);
            field->workers[i].is_busy = false;
        }
}

bool campaign_run(struct campaign *campaign)
{
    struct field field = {.campaign = campaign, .next = campaign->first_seed};
    bool is_able = true;
    field.workers = mem_alloc(campaign->jobs * sizeof *field.workers);
    field.polled = mem_alloc(campaign->jobs * sizeof *field.polled);
    field.began_s = wall_seconds();
    do {
        for (uint32_t i = 0; i < campaign->jobs && is_able; i++)
            if (!field.workers[i].is_busy && has_more(&field))
                is_able = begin_one(&field, i);
        if (campaign->stop != NULL && *campaign->stop)
            kill_all(&field);
        campaign->wall_s = wall_seconds() - field.began_s;
        if (campaign->progress != NULL)
            campaign->progress(campaign->context, campaign);
    } while (wait_a_turn(&field));
    tell(&field);
    campaign->wall_s = wall_seconds() - field.began_s;
    mem_free(field.workers);
    mem_free(field.polled);
    vec_free(&field.finished);
    return is_able;
}
