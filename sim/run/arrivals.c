/*
 * arrivals.c -- standalone tasks: from a source's next request to RunTask.
 *
 * A source has one arrival in the queue; the next is asked for when it is due, so a CSV is never
 * held in memory. The reference given to RunTask names source and arrival, and comes back with
 * every payload: by it the fleet finds the lifetime that the source drew, which the controller
 * never sees.
 */
#include <string.h>

#include "sim/run/driver.h"

#define REFERENCE_NUMBER_BITS 40

static uint64_t reference_of(uint32_t source, uint64_t number)
{
    return ((uint64_t)source + 1) << REFERENCE_NUMBER_BITS | number;
}

static void prepare_next(struct run *run, uint32_t index)
{
    struct run_source *source = &run->sources[index];
    bool has_task = false;
    enum berth_err code = source_next(source->source, &source->next, &has_task, run->err);
    if (code != BERTH_OK)
        run->code = code;
    else if (has_task)
        run_put(run, source->next.at_ns, RUN_ARRIVAL, index, 0);
}

enum berth_err arrivals_open(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    run->sources = mem_alloc((scenario->arrival_count + 1) * sizeof *run->sources);
    for (uint32_t i = 0; i < scenario->arrival_count && run->code == BERTH_OK; i++) {
        const char *own = scenario->arrivals[i].task_definition;
        run->sources[i].own_definition = own == NULL ? MAP_ABSENT : run_definition_index(run, own);
        run->code = source_open(&scenario->arrivals[i], rng_key(run->key, "arrivals", 0),
                                run->end_ns, &run->sources[i].source, run->err);
        if (run->code == BERTH_OK)
            prepare_next(run, i);
    }
    return run->code;
}

static void free_call(struct arrival_call *kept)
{
    mem_free((void *)(uintptr_t)kept->task.task_definition);
    mem_free((void *)(uintptr_t)kept->task.group);
    mem_free((void *)(uintptr_t)kept->task.constraint);
}

/*
 * Who lives, of the arrivals with one copy: a bit each, and the lifetime that its row gave. A drawn
 * one is drawn when the container starts. Counts of several copies are kept in a map.
 */
enum { LIVING_WORD = 64, LIVING = LIVING_WORDS * LIVING_WORD };

static void live(struct run_source *source, uint64_t number, berth_ns lifetime_ns)
{
    size_t page = (size_t)(number / LIVING), word = number % LIVING / LIVING_WORD;
    while (source->living.count <= page)
        *vec_push(&source->living) = NULL;
    if (source->living.items[page] == NULL)
        source->living.items[page] = mem_alloc(sizeof **source->living.items);
    struct living *living = source->living.items[page];
    living->bits[word] |= UINT64_C(1) << number % LIVING_WORD;
    if (lifetime_ns != BERTH_NS_NEVER && living->lifetimes[word] == NULL) {
        living->lifetimes[word] = mem_resize(NULL, LIVING_WORD, sizeof *living->lifetimes[word]);
        for (uint32_t i = 0; i < LIVING_WORD; i++)
            living->lifetimes[word][i] = BERTH_NS_NEVER;
    }
    if (living->lifetimes[word] != NULL)
        living->lifetimes[word][number % LIVING_WORD] = lifetime_ns;
}

static bool lives(const struct run_source *source, uint64_t number)
{
    size_t page = (size_t)(number / LIVING), word = number % LIVING / LIVING_WORD;
    if (page >= source->living.count || source->living.items[page] == NULL)
        return false;
    return (source->living.items[page]->bits[word] >> number % LIVING_WORD & 1) != 0;
}

/* Of one that lives. */
static berth_ns lifetime_of(const struct run_source *source, uint64_t number)
{
    const struct living *living = source->living.items[number / LIVING];
    const berth_ns *lifetimes = living->lifetimes[number % LIVING / LIVING_WORD];
    berth_ns given_ns = lifetimes == NULL ? BERTH_NS_NEVER : lifetimes[number % LIVING_WORD];
    return given_ns == BERTH_NS_NEVER ? source_lifetime(source->source, number) : given_ns;
}

static void end_life(struct run_source *source, uint64_t number)
{
    struct living **living = &source->living.items[number / LIVING];
    size_t word = number % LIVING / LIVING_WORD;
    uint64_t left = 0;
    (*living)->bits[word] &= ~(UINT64_C(1) << number % LIVING_WORD);
    if ((*living)->bits[word] != 0)
        return;
    mem_free((*living)->lifetimes[word]);
    (*living)->lifetimes[word] = NULL;
    for (uint32_t i = 0; i < LIVING_WORDS; i++)
        left |= (*living)->bits[i];
    if (left != 0)
        return;
    mem_free(*living);
    *living = NULL;
}

/* The source of a reference, or NULL: other standalone tasks have none. */
static struct run_source *source_of(const struct run *run, uint64_t reference, uint64_t *number)
{
    uint64_t source = reference >> REFERENCE_NUMBER_BITS;
    *number = reference & ((UINT64_C(1) << REFERENCE_NUMBER_BITS) - 1);
    return source == 0 || source > run->scenario->arrival_count ? NULL : &run->sources[source - 1];
}

static void remember_lifetime(struct run *run, uint32_t index, const struct source_task *task)
{
    struct run_source *source = &run->sources[index];
    uint32_t slot;
    if (task->count == 1) {
        live(source, task->number, task->lifetime_ns);
        return;
    }
    berth_ns lifetime_ns = task->lifetime_ns == BERTH_NS_NEVER
                               ? source_lifetime(source->source, task->number)
                               : task->lifetime_ns;
    if (run->free_copies != 0) {
        slot = run->free_copies - 1;
        run->free_copies = run->copies.items[slot].left;
    } else {
        slot = (uint32_t)run->copies.count;
        (void)vec_push(&run->copies);
    }
    run->copies.items[slot] = (struct copies){lifetime_ns, task->count};
    map_put(&run->copies_at, reference_of(index, task->number), slot);
}

static void forget_copies(struct run *run, uint64_t reference, uint32_t count)
{
    uint64_t number;
    struct run_source *source = source_of(run, reference, &number);
    if (source != NULL && lives(source, number)) {
        end_life(source, number);
        return;
    }
    uint32_t slot = run->copies_at.count == 0 ? MAP_ABSENT : map_get(&run->copies_at, reference);
    if (slot == MAP_ABSENT)
        return;
    struct copies *copies = &run->copies.items[slot];
    copies->left = copies->left > count ? copies->left - count : 0;
    if (copies->left > 0)
        return;
    map_remove(&run->copies_at, reference);
    copies->left = run->free_copies;
    run->free_copies = slot + 1;
}

berth_ns arrivals_lifetime(const struct run *run, uint64_t reference)
{
    uint64_t number;
    const struct run_source *source = source_of(run, reference, &number);
    if (source != NULL && lives(source, number))
        return lifetime_of(source, number);
    uint32_t slot = run->copies_at.count == 0 ? MAP_ABSENT : map_get(&run->copies_at, reference);
    return slot == MAP_ABSENT ? BERTH_NS_NEVER : run->copies.items[slot].lifetime_ns;
}

void arrivals_stopped(struct run *run, const struct task_view *task)
{
    if (task->service == SERVICE_NONE)
        forget_copies(run, task->reference, 1);
}

static void close_source(struct run_source *source)
{
    source_close(source->source);
    for (size_t i = 0; i < source->living.count; i++) {
        struct living *living = source->living.items[i];
        for (uint32_t word = 0; living != NULL && word < LIVING_WORDS; word++)
            mem_free(living->lifetimes[word]);
        mem_free(living);
    }
    vec_free(&source->living);
}

void arrivals_close(struct run *run)
{
    for (uint32_t i = 0; run->sources != NULL && i < run->scenario->arrival_count; i++)
        close_source(&run->sources[i]);
    mem_free(run->sources);
    for (size_t i = 0; i < run->arrival_calls.count; i++)
        free_call(&run->arrival_calls.items[i]);
    vec_free(&run->arrival_calls);
    vec_free(&run->copies);
    map_free(&run->copies_at);
}

/* The row's own constraint comes after the arrival's; there is room for one more than ECS takes. */
static uint16_t join_constraints(const struct scenario_constraints *own, const char *expression,
                                 struct placement_constraint_spec *out)
{
    uint16_t count = 0;
    while (count < own->count && count < PLACEMENT_CONSTRAINTS_MAX) {
        out[count] = own->items[count];
        count++;
    }
    if (expression != NULL)
        out[count++] = (struct placement_constraint_spec){"memberOf", expression};
    return count;
}

/* What a row names; it is looked up when another one is named. */
static uint32_t definition_named(struct run *run, struct run_source *source, const char *name)
{
    const struct scenario *scenario = run->scenario;
    if (source->definition >= scenario->task_def_count ||
        strcmp(scenario->task_defs[source->definition].name, name) != 0)
        source->definition = run_definition_index(run, name);
    return source->definition;
}

/* The "family:revision" of what a source names. */
static const char *definition_of(struct run *run, uint32_t index, const char *name)
{
    struct run_source *source = &run->sources[index];
    bool is_own = name == run->scenario->arrivals[index].task_definition;
    if (name == NULL)
        return NULL;
    uint32_t definition = is_own ? source->own_definition : definition_named(run, source, name);
    return definition == MAP_ABSENT ? NULL : run->definition_refs[definition];
}

static void call(struct run *run, uint32_t index, const struct source_task *task, uint64_t token)
{
    const struct scenario_arrival *arrival = &run->scenario->arrivals[index];
    struct placement_constraint_spec constraints[PLACEMENT_CONSTRAINTS_MAX + 1];
    struct event event = {.kind = EVENT_RUN_TASK, .token = token};
    struct event_run_task *run_task = &event.u.run_task;
    *run_task = (struct event_run_task){
        .task_definition = definition_of(run, index, task->task_definition),
        .group = task->group,
        .started_by = arrival->name,
        .count = task->count,
        .reference = reference_of(index, task->number),
        .waits = arrival->waits,
        .constraints = constraints,
        .constraint_count = join_constraints(&arrival->constraints, task->constraint, constraints),
        .providers = arrival->shares.items,
        .provider_count = arrival->shares.count,
        .cpu_units = task->cpu_units,
        .mem_mib = task->mem_mib,
        .gpus = task->gpus,
        .gpu_count = task->gpu_count,
        .overrides_gpus = task->overrides_gpus,
    };
    run_task->strategies = run_strategies(run, &arrival->strategies, &run_task->strategy_count);
    if (run_task->task_definition == NULL)
        run->code = source_fail(run->sources[index].source, "taskDefinition", run->err,
                                "\"%s\" is not a key of taskDefinitions; add it there",
                                task->task_definition == NULL ? "" : task->task_definition);
    else
        run_step(run, &event);
}

/* The answer is not there yet: what was asked is kept until it is, or to ask again. */
static void keep_call(struct run *run, uint32_t index, const struct source_task *task)
{
    struct arrival_call *kept = vec_push(&run->arrival_calls);
    *kept = (struct arrival_call){.token = run->last_call, .source = index, .task = *task};
    kept->task.task_definition = mem_copy_text(task->task_definition);
    kept->task.group = mem_copy_text(task->group);
    kept->task.constraint = mem_copy_text(task->constraint);
}

void arrivals_call_again(struct run *run)
{
    size_t count = run->arrival_calls.count; /* an answer takes its call out of the list */
    for (size_t i = 0; i < count && i < run->arrival_calls.count && run->code == BERTH_OK;) {
        struct arrival_call kept = run->arrival_calls.items[i];
        call(run, kept.source, &kept.task, kept.token);
        if (i < run->arrival_calls.count && run->arrival_calls.items[i].token == kept.token)
            i++;
        else
            count--;
    }
}

void arrivals_fire(struct run *run, uint32_t index)
{
    struct run_source *source = &run->sources[index];
    const struct source_task *task = &source->next;
    if (task->has_lifetime)
        remember_lifetime(run, index, task);
    bool may_repeat = run->control.keeps || run->scenario->quotas.throttles_api;
    run->last_call = may_repeat ? run->last_call + 1 : 1;
    run->calling = source;
    call(run, index, task, run->last_call);
    if (run->calling != NULL && run->control.keeps)
        keep_call(run, index, task);
    run->calling = NULL;
    if (run->code == BERTH_OK)
        prepare_next(run, index);
}

static void take_answer(struct run *run, uint32_t index, const struct source_task *task,
                        const struct reply *reply)
{
    if (reply->status != REPLY_OK) {
        run->code =
            source_fail(run->sources[index].source, task->constraint != NULL ? "constraint" : NULL,
                        run->err, "%s", reply->text != NULL ? reply->text : "refused");
        return;
    }
    collect_run_task(run->collect, run->now_ns, task->count, reply);
    if (task->has_lifetime && reply->u.run_task.task_count < task->count)
        forget_copies(run, reference_of(index, task->number),
                      task->count - reply->u.run_task.task_count);
}

void arrivals_replied(struct run *run, const struct reply *reply)
{
    const struct run_source *source = run->calling;
    if (source != NULL && reply->token == run->last_call) {
        run->calling = NULL;
        take_answer(run, (uint32_t)(source - run->sources), &source->next, reply);
        return;
    }
    for (size_t i = 0; i < run->arrival_calls.count; i++) {
        struct arrival_call kept = run->arrival_calls.items[i];
        if (kept.token != reply->token)
            continue;
        run->arrival_calls.count--;
        memmove(run->arrival_calls.items + i, run->arrival_calls.items + i + 1,
                (run->arrival_calls.count - i) * sizeof kept);
        take_answer(run, kept.source, &kept.task, reply);
        free_call(&kept);
        return;
    }
}

static void put_again(struct run *run, uint32_t source, uint64_t token, uint64_t attempt)
{
    berth_ns at_ns = run->now_ns + run_backoff_ns(attempt);
    if (at_ns < run->end_ns)
        sim_queue_put(run->queue, at_ns, (struct sim_event){RUN_ARRIVAL, source, token, attempt});
}

void arrivals_throttled(struct run *run, const struct reply *reply)
{
    const struct run_source *source = run->calling;
    if (source != NULL && reply->token == run->last_call) {
        uint32_t index = (uint32_t)(source - run->sources);
        run->calling = NULL;
        keep_call(run, index, &source->next);
        put_again(run, index, reply->token, 1);
        return;
    }
    for (size_t i = 0; i < run->arrival_calls.count; i++)
        if (run->arrival_calls.items[i].token == reply->token)
            put_again(run, run->arrival_calls.items[i].source, reply->token,
                      run->dispatched.kind == RUN_ARRIVAL ? run->dispatched.c + 1 : 1);
}

void arrivals_call_later(struct run *run, const struct sim_event *event)
{
    for (size_t i = 0; i < run->arrival_calls.count; i++) {
        struct arrival_call kept = run->arrival_calls.items[i];
        if (kept.token != event->b)
            continue;
        call(run, kept.source, &kept.task, kept.token);
        return;
    }
}
