#include "sim/import/usage.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/engine/queue.h"

struct amounts {
    int64_t milli[USAGE_KINDS];
};

struct usage {
    struct sim_queue *departures; /* sim_event.a: index into alive */
    VEC(struct amounts) alive;
    VEC(uint32_t) unused; /* indices of alive that are free */
    struct amounts level, peak;
    usage_wide area[USAGE_KINDS];
    int64_t now_ms;
};

struct usage *usage_create(void)
{
    struct usage *usage = mem_alloc(sizeof *usage);
    usage->departures = sim_queue_create();
    return usage;
}

void usage_destroy(struct usage *usage)
{
    if (usage == NULL)
        return;
    sim_queue_destroy(usage->departures);
    vec_free(&usage->alive);
    vec_free(&usage->unused);
    mem_free(usage);
}

static void advance(struct usage *usage, int64_t to_ms)
{
    assert(to_ms >= usage->now_ms);
    for (int kind = 0; kind < USAGE_KINDS; kind++)
        usage->area[kind] += (usage_wide)usage->level.milli[kind] * (to_ms - usage->now_ms);
    usage->now_ms = to_ms;
}

static void depart_until(struct usage *usage, int64_t to_ms)
{
    berth_ns at;
    struct sim_event event;
    while (sim_queue_peek(usage->departures, &at) && at <= to_ms) {
        (void)sim_queue_take(usage->departures, &at, &event);
        advance(usage, at);
        for (int kind = 0; kind < USAGE_KINDS; kind++)
            usage->level.milli[kind] -= usage->alive.items[event.a].milli[kind];
        *vec_push(&usage->unused) = event.a;
    }
    advance(usage, to_ms);
}

void usage_add(struct usage *usage, int64_t at_ms, int64_t end_ms,
               const int64_t amounts_milli[USAGE_KINDS])
{
    depart_until(usage, at_ms);
    if (end_ms <= at_ms)
        return;
    for (int kind = 0; kind < USAGE_KINDS; kind++) {
        usage->level.milli[kind] += amounts_milli[kind];
        if (usage->level.milli[kind] > usage->peak.milli[kind])
            usage->peak.milli[kind] = usage->level.milli[kind];
    }
    if (end_ms == USAGE_ENDLESS)
        return;
    uint32_t index = (uint32_t)usage->alive.count;
    if (usage->unused.count > 0)
        index = usage->unused.items[--usage->unused.count];
    else
        (void)vec_push(&usage->alive);
    memcpy(usage->alive.items[index].milli, amounts_milli, sizeof usage->level.milli);
    sim_queue_put(usage->departures, end_ms, (struct sim_event){.a = index});
}

void usage_finish(struct usage *usage, int64_t end_ms)
{
    depart_until(usage, end_ms);
}

const char *usage_decimal(usage_wide numerator, usage_wide denominator, int places, char out[48])
{
    assert(numerator >= 0 && denominator >= 0 && places >= 0 && places <= 9);
    uint64_t scale = 1;
    for (int i = 0; i < places; i++)
        scale *= 10;
    usage_wide scaled =
        denominator == 0 ? 0 : (2 * numerator * scale + denominator) / (2 * denominator);
    (void)snprintf(out, 48, "%llu.%0*llu", (unsigned long long)(scaled / scale), places,
                   (unsigned long long)(scaled % scale));
    size_t length = strlen(out);
    while (out[length - 1] == '0')
        out[--length] = '\0';
    if (out[length - 1] == '.')
        out[--length] = '\0';
    return out;
}

const char *usage_mean(const struct usage *usage, int kind, int places, char out[48])
{
    return usage_decimal(usage->area[kind], (usage_wide)usage->now_ms * 1000, places, out);
}

const char *usage_peak(const struct usage *usage, int kind, int places, char out[48])
{
    return usage_decimal(usage->peak.milli[kind], 1000, places, out);
}

int64_t usage_peak_milli(const struct usage *usage, int kind)
{
    return usage->peak.milli[kind];
}

usage_wide usage_area(const struct usage *usage, int kind)
{
    return usage->area[kind];
}
