/* When faults come, whom they hit, and that they end: with a driver that only writes down. */
#include "sim/chaos/chaos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"

#define HOSTS 12

struct bench {
    struct scenario_set *set;
    struct sim_queue *queue, *fleet_queue;
    struct fleet *fleet;
    struct chaos *chaos;
    struct text told;
    berth_ns now_ns;
    int lost[HOSTS];
    uint32_t began, ended, crashes, healed, selections;
    berth_ns jumped_ns;
    bool is_disk_slow;
};

static void on_put(void *context, berth_ns at_ns, uint32_t a, uint64_t b, uint64_t c)
{
    struct bench *bench = context;
    assert_true(at_ns >= bench->now_ns);
    sim_queue_put(bench->queue, at_ns, (struct sim_event){0, a, b, c});
}

static void on_select(void *context, const struct scenario_selector *selector,
                      struct chaos_hosts *out)
{
    struct bench *bench = context;
    bench->selections++;
    out->items = mem_alloc(HOSTS * sizeof *out->items);
    for (uint32_t i = 0; i < HOSTS; i++)
        if (selector->zone == NULL || strcmp(selector->zone, fleet_host(bench->fleet, i).zone) == 0)
            out->items[out->count++] = i;
}

static uint32_t on_lose(void *context, uint32_t host, enum loss_mode mode, const char *why)
{
    struct bench *bench = context;
    bench->lost[host]++;
    text_addf(&bench->told, "%.3f lose %u %d %s\n", (double)bench->now_ns / 1e9, (unsigned)host,
              (int)mode, why);
    return host + 7;
}

static void on_give_back(void *context, uint32_t host, uint32_t loss)
{
    struct bench *bench = context;
    assert_int_equal(loss, host + 7);
    bench->lost[host]--;
}

static void on_told(void *context, enum chaos_kind kind, const char *name, uint32_t host,
                    bool is_begin)
{
    struct bench *bench = context;
    *(is_begin ? &bench->began : &bench->ended) += 1;
    text_addf(&bench->told, "%.3f %s %s %s %u\n", (double)bench->now_ns / 1e9,
              is_begin ? "begin" : "end", chaos_kind_names[kind], name, (unsigned)host);
}

static bool on_crash(void *context, enum chaos_kind kind, berth_ns down_ns)
{
    struct bench *bench = context;
    assert_true(kind >= CHAOS_CRASH_DECIDED && kind <= CHAOS_DISK_FAILURE && down_ns >= 0);
    bench->crashes++;
    return true;
}

static void on_slow_disk(void *context, const struct distribution *delay)
{
    struct bench *bench = context;
    assert_true(bench->is_disk_slow == (delay == NULL));
    bench->is_disk_slow = delay != NULL;
}

static void on_jump(void *context, berth_ns by_ns)
{
    ((struct bench *)context)->jumped_ns += by_ns;
}

static void on_heal(void *context)
{
    ((struct bench *)context)->healed++;
}

static const struct chaos_ops ops = {on_put,   on_select,    on_lose, on_give_back, on_told,
                                     on_crash, on_slow_disk, on_jump, on_heal};
static const struct fleet_ops no_fleet_ops;

/* No host has been started: what a fault does to the fleet itself is the fleet's business. */
static void open_bench(struct bench *bench, const char *faults, uint64_t key)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct text json = TEXT_INIT;
    *bench = (struct bench){.now_ns = 0};
    text_addf(&json,
              "{\"version\":1,\"name\":\"x\",\"fleet\":{\"g\":{\"count\":12,\"cpu\":1024,"
              "\"memory\":1024,\"zones\":[\"a\",\"b\",\"c\"],\"racks\":2}},\"faults\":{%s},"
              "\"run\":{\"duration\":36000}}",
              faults);
    if (scenario_load_text(json.bytes, json.length, ".", &bench->set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    text_free(&json);
    bench->queue = sim_queue_create();
    bench->fleet_queue = sim_queue_create();
    bench->fleet = fleet_create(bench->set->variants[0], 1, 36000 * BERTH_NS_PER_S,
                                bench->fleet_queue, &no_fleet_ops, NULL);
    bench->chaos = chaos_create(bench->set->variants[0], key, 36000 * BERTH_NS_PER_S, bench->fleet,
                                &ops, bench);
    chaos_start(bench->chaos);
}

static void run_until(struct bench *bench, berth_ns until_ns)
{
    struct sim_event event;
    berth_ns at_ns;
    while (sim_queue_peek(bench->queue, &at_ns) && at_ns <= until_ns) {
        assert_true(sim_queue_take(bench->queue, &at_ns, &event));
        bench->now_ns = at_ns;
        chaos_fire(bench->chaos, at_ns, event.a, event.b, event.c);
    }
    bench->now_ns = until_ns;
}

static void close_bench(struct bench *bench)
{
    chaos_destroy(bench->chaos);
    fleet_destroy(bench->fleet);
    sim_queue_destroy(bench->queue);
    sim_queue_destroy(bench->fleet_queue);
    scenario_set_destroy(bench->set);
    text_free(&bench->told);
}

static void test_faults_come_at_their_rate_and_end(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench,
               "\"until\":\"9h\",\"instanceLoss\":{\"ratePerHour\":40,\"mode\":\"hang\","
               "\"for\":60}",
               3);
    run_until(&bench, 36000 * BERTH_NS_PER_S);
    uint64_t counts[CHAOS_KIND_COUNT];
    chaos_counts(bench.chaos, counts);
    assert_in_range(bench.began, 300, 420); /* 360 in the mean */
    assert_int_equal(bench.ended, bench.began);
    assert_int_equal(counts[CHAOS_HOST_HUNG], bench.began);
    assert_int_equal(counts[CHAOS_HOST_STOPPED], 0);
    assert_int_equal(bench.healed, 1);
    for (int i = 0; i < HOSTS; i++)
        assert_int_equal(bench.lost[i], 0);
    close_bench(&bench);
}

static void test_a_kind_does_not_move_another(void **state)
{
    (void)state;
    struct bench alone, beside;
    const char *loss = "\"instanceLoss\":{\"ratePerHour\":10}";
    char both[256];
    (void)snprintf(both, sizeof both, "%s,\"clockJump\":{\"ratePerHour\":30,\"seconds\":1}", loss);
    open_bench(&alone, loss, 5);
    open_bench(&beside, both, 5);
    run_until(&alone, 20000 * BERTH_NS_PER_S);
    run_until(&beside, 20000 * BERTH_NS_PER_S);
    struct text kept = TEXT_INIT; /* what was told of the losses */
    for (const char *at = beside.told.bytes; *at != '\0';) {
        const char *end = strchr(at, '\n') + 1;
        struct text line = TEXT_INIT;
        text_add_n(&line, at, (size_t)(end - at));
        if (strstr(line.bytes, "clock") == NULL)
            text_add(&kept, line.bytes);
        text_free(&line);
        at = end;
    }
    assert_true(beside.jumped_ns != 0);
    assert_string_equal(kept.bytes, alone.told.bytes);
    text_free(&kept);
    close_bench(&alone);
    close_bench(&beside);
}

static void test_scopes(void **state)
{
    (void)state;
    static const struct {
        const char *faults;
        unsigned hosts;
    } rows[] = {
        {"\"instanceLoss\":{\"ratePerHour\":1}", 1},
        {"\"rackLoss\":{\"ratePerHour\":1}", 2},
        {"\"zoneLoss\":{\"ratePerHour\":1}", 4},
        {"\"instanceLoss\":{\"ratePerHour\":1,\"scope\":\"all\"}", 12},
        {"\"instanceLoss\":{\"ratePerHour\":1,\"scope\":\"all\",\"zone\":\"b\"}", 4},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct bench bench;
        open_bench(&bench, rows[row].faults, 1);
        for (berth_ns at_ns = 0; bench.began == 0; at_ns += BERTH_NS_PER_S)
            run_until(&bench, at_ns);
        unsigned lost = 0;
        const char *zone = NULL;
        for (uint32_t i = 0; i < HOSTS; i++)
            if (bench.lost[i] > 0) {
                struct host_view view = fleet_host(bench.fleet, i);
                if (zone != NULL && rows[row].hosts < 12)
                    assert_string_equal(zone, view.zone);
                zone = view.zone;
                lost++;
            }
        assert_int_equal(lost, rows[row].hosts);
        close_bench(&bench);
    }
}

static void test_presets_set_what_the_file_does_not(void **state)
{
    (void)state;
    struct bench none, mild, harsh;
    open_bench(&none, "\"preset\":\"none\"", 2);
    open_bench(&mild, "\"preset\":\"mild\",\"slowDisk\":{\"ratePerHour\":0}", 2);
    open_bench(&harsh, "\"preset\":\"harsh\",\"until\":30000", 2);
    run_until(&none, 36000 * BERTH_NS_PER_S);
    run_until(&mild, 36000 * BERTH_NS_PER_S);
    run_until(&harsh, 29999 * BERTH_NS_PER_S);
    assert_int_equal(none.began + none.crashes, 0);
    assert_true(mild.began > 5 && harsh.began > 4 * mild.began && harsh.crashes > 10);
    assert_false(mild.is_disk_slow);
    run_until(&harsh, 36000 * BERTH_NS_PER_S);
    assert_int_equal(harsh.healed, 1);
    assert_false(harsh.is_disk_slow);
    for (int i = 0; i < HOSTS; i++)
        assert_int_equal(harsh.lost[i], 0);
    assert_true(chaos_needs_records(harsh.set->variants[0]));
    assert_true(chaos_meets_messages(harsh.set->variants[0]));
    assert_false(chaos_needs_records(none.set->variants[0]));
    assert_false(chaos_meets_messages(none.set->variants[0]));
    close_bench(&none);
    close_bench(&mild);
    close_bench(&harsh);
}

/* Rates are drawn for the seed: another key, another rate. */
static void test_rates_are_drawn(void **state)
{
    (void)state;
    uint32_t least = UINT32_MAX, most = 0;
    for (uint64_t key = 1; key <= 8; key++) {
        struct bench bench;
        open_bench(&bench,
                   "\"instanceLoss\":{\"ratePerHour\":{\"distribution\":\"uniform\",\"min\":0,"
                   "\"max\":40}}",
                   key);
        run_until(&bench, 36000 * BERTH_NS_PER_S);
        least = bench.began < least ? bench.began : least;
        most = bench.began > most ? bench.began : most;
        close_bench(&bench);
    }
    assert_true(most > 2 * least + 50);
}

static void test_what_becomes_of_messages(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench,
               "\"messageLoss\":{\"ratePerHour\":3600,\"probability\":0.5,\"for\":100000,"
               "\"scope\":\"all\",\"zone\":\"a\"}",
               1);
    struct message_fate fate = {.twice_after_ns = BERTH_NS_NEVER};
    chaos_fate(bench.chaos, 0, &fate);
    assert_false(fate.is_lost);
    while (bench.began == 0)
        run_until(&bench, bench.now_ns + BERTH_NS_PER_S);
    unsigned lost = 0;
    for (int i = 0; i < 1000; i++) {
        fate = (struct message_fate){.twice_after_ns = BERTH_NS_NEVER};
        chaos_fate(bench.chaos, 0, &fate);
        lost += fate.is_lost;
        fate = (struct message_fate){.twice_after_ns = BERTH_NS_NEVER};
        chaos_fate(bench.chaos, 1, &fate); /* stands in zone b */
        assert_false(fate.is_lost);
    }
    uint64_t counts[CHAOS_KIND_COUNT];
    chaos_counts(bench.chaos, counts);
    assert_in_range(lost, 420, 580);
    assert_int_equal(counts[CHAOS_MESSAGE_LOST], lost);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_come_at_their_rate_and_end),
        cmocka_unit_test(test_a_kind_does_not_move_another),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_presets_set_what_the_file_does_not),
        cmocka_unit_test(test_rates_are_drawn),
        cmocka_unit_test(test_what_becomes_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
