/*
 * test_what_if.c -- what a controller says it would do is what it then does, and asking leaves no
 * trace: through random histories the records and the index are the same before and after every
 * question, and every question is followed by the same call in earnest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/core/what_if.h"
#include "scheduler/placement/index.h"
#include "tests/support/world.h"

enum { HISTORIES = 12, TURNS = 120 };

static const char *const definitions[] = {
    "{\"family\":\"small\",\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":128,"
    "\"memory\":256}]}",
    "{\"family\":\"port\",\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":64,"
    "\"memory\":128,\"portMappings\":[{\"containerPort\":80,\"hostPort\":80}]}]}",
    "{\"family\":\"large\",\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":900,"
    "\"memory\":1500}]}"};
static const char *const families[] = {"small", "port", "large"};

static const struct placement_strategy_spec chains[][2] = {
    {{"spread", "attribute:ecs.availability-zone"}, {"binpack", "memory"}},
    {{"random", NULL}, {NULL, NULL}},
    {{"spread", "instanceId"}, {"binpack", "cpu"}}};

struct asked {
    struct world world;
    struct rng dice;
    uint32_t moved, refused, stayed, later;
    struct what_if_moves moves;
    enum placement_verdict *verdicts;
};

static uint32_t roll(struct asked *asked, uint32_t limit)
{
    return (uint32_t)rng_below(&asked->dice, limit);
}

static struct cluster *cluster_of(struct asked *asked)
{
    return controller_cluster(asked->world.controller);
}

static void dump(struct asked *asked, struct text *out)
{
    controller_dump(asked->world.controller, out);
    index_audit(cluster_of(asked));
    cluster_audit(cluster_of(asked));
    controller_audit(asked->world.controller);
}

static void assert_untouched(struct asked *asked, struct text *before)
{
    struct text after = TEXT_INIT;
    dump(asked, &after);
    assert_string_equal(before->bytes, after.bytes);
    text_free(before);
    text_free(&after);
}

static task_id newest(struct asked *asked)
{
    struct task_view view = {.task = 0};
    task_id last = 0;
    while (controller_next_task(asked->world.controller, last, &view))
        last = view.task;
    return last;
}

static void check_verdicts(struct asked *asked, const struct what_if_answer *answer)
{
    uint32_t counts[PLACEMENT_VERDICT_COUNT] = {0};
    for (instance_id id = 0; id < cluster_instance_count(cluster_of(asked)); id++)
        counts[asked->verdicts[id]]++;
    assert_memory_equal(counts, answer->causes, sizeof counts);
}

static void place(struct asked *asked)
{
    struct text before = TEXT_INIT;
    struct what_if_answer answer;
    struct berth_error err = BERTH_ERROR_INIT;
    size_t chain = roll(asked, 3);
    struct event event = {.kind = EVENT_RUN_TASK};
    event.u.run_task = (struct event_run_task){.task_definition = families[roll(asked, 3)],
                                               .count = 1,
                                               .group = roll(asked, 3) == 0 ? "batch" : NULL,
                                               .strategies = chains[chain],
                                               .strategy_count = chain == 1 ? 1 : 2,
                                               .cpu_units = OVERRIDE_NONE,
                                               .mem_mib = OVERRIDE_NONE};
    dump(asked, &before);
    assert_int_equal(controller_what_if_place(asked->world.controller, &event.u.run_task, &answer,
                                              asked->verdicts, &err),
                     BERTH_OK);
    assert_untouched(asked, &before);
    check_verdicts(asked, &answer);
    assert_int_equal(answer.causes[PLACEMENT_FITS] > 0, answer.to != INSTANCE_NONE);
    struct reply reply = world_command(&asked->world, event);
    assert_int_equal(reply.u.run_task.placed_count, answer.to != INSTANCE_NONE);
    if (answer.to == INSTANCE_NONE) {
        assert_int_equal(reply.u.run_task.reason, answer.closest_why);
        asked->refused++;
        return;
    }
    struct task_view view;
    assert_true(controller_task(asked->world.controller, reply.u.run_task.tasks[0], &view));
    assert_int_equal(view.instance, answer.to);
    asked->moved++;
}

/* The tasks made by the drain, in order, are the moves of the first pass, in order. */
static void compare_moves(struct asked *asked, task_id last)
{
    for (size_t i = 0; i < asked->moves.count; i++) {
        const struct what_if_move *move = &asked->moves.items[i];
        struct task_view view;
        asked->stayed += move->fate == WHAT_IF_STAYS;
        asked->later += move->is_later;
        if (move->fate == WHAT_IF_NO_ROOM) {
            asked->refused++;
            assert_int_equal(move->answer.causes[PLACEMENT_FITS], 0);
        }
        if (move->fate != WHAT_IF_MOVES || move->is_later)
            continue;
        assert_true(controller_next_task(asked->world.controller, last, &view));
        assert_int_equal(view.instance, move->answer.to);
        assert_int_equal(view.group, move->group);
        last = view.task;
        asked->moved++;
    }
    struct task_view none;
    assert_false(controller_next_task(asked->world.controller, last, &none));
}

static void drain(struct asked *asked)
{
    struct text before = TEXT_INIT;
    instance_id id = roll(asked, cluster_instance_count(cluster_of(asked)));
    if (cluster_instance(cluster_of(asked), id)->status == INSTANCE_DRAINING) {
        world_state(&asked->world, id, INSTANCE_ACTIVE);
        return;
    }
    dump(asked, &before);
    controller_what_if_drain(asked->world.controller, id, &asked->moves, asked->verdicts);
    assert_untouched(asked, &before);
    for (size_t i = 0; i < asked->moves.count; i++)
        if (asked->moves.items[i].fate == WHAT_IF_NO_ROOM) {
            check_verdicts(asked, &asked->moves.items[i].answer);
            break;
        }
    task_id last = newest(asked);
    world_state(&asked->world, id, INSTANCE_DRAINING);
    compare_moves(asked, last);
}

static void create_services(struct asked *asked)
{
    static const int percents[][2] = {{100, 200}, {100, 200}, {50, 150}, {100, 110}};
    char name[16];
    for (uint32_t i = 0; i < 6; i++) {
        const int *percent = percents[roll(asked, 4)];
        snprintf(name, sizeof name, "web%u", 9 - i);
        (void)world_service(&asked->world, name, families[roll(asked, 3)],
                            (int)(1 + roll(asked, 12)), percent[0], percent[1]);
    }
}

/* All that was begun is over: replacements run and are healthy, drained tasks have ended. */
static void settle(struct asked *asked)
{
    for (int i = 0; i < 12; i++) {
        world_settle(&asked->world);
        world_advance(&asked->world, 45 * BERTH_NS_PER_S);
    }
}

static void run_history(struct asked *asked, uint64_t seed)
{
    static const char *const zones[] = {"a", "b", "c"};
    asked->dice = (struct rng){rng_key(seed, "what-if", 0), 0};
    world_open(&asked->world);
    for (size_t i = 0; i < 3; i++)
        (void)world_define_json(&asked->world, definitions[i]);
    for (uint32_t i = 0; i < 4 + seed * 2; i++)
        (void)world_instance(&asked->world, zones[roll(asked, 3)], 1024, 2048);
    asked->verdicts = mem_alloc(cluster_instance_count(cluster_of(asked)) * sizeof(int));
    create_services(asked);
    for (int turn = 0; turn < TURNS; turn++) {
        settle(asked);
        if (roll(asked, 2) == 0)
            place(asked);
        else
            drain(asked);
        if (roll(asked, 8) == 0)
            world_scale(&asked->world, "web7", (int)(1 + roll(asked, 12)));
    }
    mem_free(asked->verdicts);
    vec_free(&asked->moves);
    world_close(&asked->world);
}

static void an_answer_is_what_then_happens(void **state)
{
    (void)state;
    uint32_t moved = 0, refused = 0, stayed = 0, later = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct asked asked = {.moved = 0};
        run_history(&asked, seed);
        moved += asked.moved;
        refused += asked.refused;
        stayed += asked.stayed;
        later += asked.later;
    }
    print_message("%u moved, %u refused, %u stayed, %u later\n", moved, refused, stayed, later);
    assert_true(moved > 100 && refused > 20 && stayed > 20 && later > 0);
}

static void bad_calls_are_refused(void **state)
{
    (void)state;
    struct world world;
    struct what_if_answer answer;
    struct berth_error err = BERTH_ERROR_INIT;
    struct event_run_task call = {.task_definition = "nothing",
                                  .count = 1,
                                  .cpu_units = OVERRIDE_NONE,
                                  .mem_mib = OVERRIDE_NONE};
    world_open(&world);
    assert_int_equal(controller_what_if_place(world.controller, &call, &answer, NULL, &err),
                     BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "there is no ACTIVE nothing"));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_answer_is_what_then_happens),
                                       cmocka_unit_test(bad_calls_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
