#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/amounts.h"

#define IDS 3000

struct place {
    bool is_there;
    int32_t amount, other;
};

static void entries_sort_by_amount_then_id(void **state)
{
    (void)state;
    static const int32_t amounts[] = {INT32_MIN, -5, -1, 0, 1, 4096, INT32_MAX};
    uint64_t before = 0;
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        uint64_t first = amounts_entry(amounts[i], 0), last = amounts_entry(amounts[i], 77);
        assert_true(i == 0 || before < first);
        assert_true(first < last);
        assert_int_equal(amounts_amount(last), amounts[i]);
        assert_int_equal(amounts_id(last), 77);
        before = last;
    }
}

/* What a walk should give next: the least entry not below `from`, by looking at all; 0: none. */
static uint64_t next_by_scan(const struct place *places, uint64_t from, int32_t wanted)
{
    uint64_t best = 0;
    for (instance_id id = 0; id < IDS; id++) {
        uint64_t entry = amounts_entry(places[id].amount, id);
        if (places[id].is_there && places[id].other >= wanted && entry >= from &&
            (best == 0 || entry < best))
            best = entry;
    }
    return best;
}

static void compare_walks(struct amounts *amounts, const struct place *places, struct rng *rng)
{
    int32_t wanted = (int32_t)rng_below(rng, 6100);
    uint64_t from = amounts_entry((int32_t)rng_below(rng, 220) - 10, 0), entry;
    struct amounts_walk walk = amounts_seek(amounts, from, wanted);
    for (int i = 0; i < 20; i++) {
        uint64_t expected = next_by_scan(places, from, wanted);
        bool is_more = amounts_next(&walk, &entry);
        assert_int_equal(is_more, expected != 0);
        if (!is_more)
            return;
        assert_true(entry == expected);
        from = entry + 1;
    }
}

/* Grow to thousands, churn, shrink to nothing: blocks split, join and vanish on the way. */
static void walks_equal_a_look_at_all(void **state)
{
    (void)state;
    static struct place places[IDS];
    struct amounts amounts = {VEC_INIT, VEC_INIT, VEC_INIT, VEC_INIT};
    struct rng rng = {rng_key(5, "amounts", 0), 0};
    for (uint32_t step = 0; step < 30000; step++) {
        instance_id id = (instance_id)rng_below(&rng, IDS);
        struct place *place = &places[id];
        bool is_growing = step < 15000;
        int32_t other = (int32_t)rng_below(&rng, 6000);
        if (place->is_there && (!is_growing || rng_below(&rng, 3) == 0)) {
            amounts_remove(&amounts, amounts_entry(place->amount, id));
            place->is_there = false;
        } else if (place->is_there && rng_below(&rng, 2) == 0) {
            int32_t amount = rng_below(&rng, 4) > 0 ? (int32_t)rng_below(&rng, 200) - 5
                                                    : place->amount + (int32_t)rng_below(&rng, 3);
            amounts_move(&amounts, amounts_entry(place->amount, id), amounts_entry(amount, id),
                         other);
            place->amount = amount;
            place->other = other;
        } else if (place->is_there) {
            amounts_set_other(&amounts, amounts_entry(place->amount, id), other);
            place->other = other;
        } else if (is_growing || rng_below(&rng, 4) == 0) {
            *place = (struct place){true, (int32_t)rng_below(&rng, 200) - 5, other};
            amounts_insert(&amounts, amounts_entry(place->amount, id), other);
        }
        if (step % 20 == 0)
            compare_walks(&amounts, places, &rng);
        if (step % 100 == 0)
            amounts_audit(&amounts);
    }
    for (instance_id id = 0; id < IDS; id++)
        if (places[id].is_there)
            amounts_remove(&amounts, amounts_entry(places[id].amount, id));
    assert_int_equal(amounts.blocks.count, 0);
    amounts_free(&amounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_sort_by_amount_then_id),
        cmocka_unit_test(walks_equal_a_look_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
