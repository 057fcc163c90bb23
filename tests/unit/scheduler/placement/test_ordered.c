#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/ordered.h"

#define IDS 3000

struct entry {
    bool is_there;
    int64_t key;
    struct room room;
};

/* What a walk should give next: the least (key, id) not before the last, by looking at all. */
static instance_id next_by_scan(const struct entry *entries, int64_t key, int64_t after_id,
                                struct room wanted, int64_t *found_key)
{
    instance_id best = INSTANCE_NONE;
    for (instance_id id = 0; id < IDS; id++) {
        const struct entry *entry = &entries[id];
        if (!entry->is_there || !room_has(entry->room, wanted) || entry->key < key ||
            (entry->key == key && (int64_t)id <= after_id))
            continue;
        if (best == INSTANCE_NONE || entry->key < entries[best].key)
            best = id;
    }
    if (best != INSTANCE_NONE)
        *found_key = entries[best].key;
    return best;
}

static void compare_walks(const struct ordered *ordered, const struct entry *entries,
                          struct rng *rng)
{
    struct room wanted = {(int32_t)rng_below(rng, 5000), (int32_t)rng_below(rng, 5000)};
    int64_t from = (int64_t)rng_below(rng, 200), key, expected_key = from, after = -1;
    struct ordered_walk walk = ordered_seek(ordered, from, wanted);
    instance_id id;
    for (int i = 0; i < 20; i++) {
        instance_id expected = next_by_scan(entries, expected_key, after, wanted, &expected_key);
        bool is_more = ordered_next(&walk, &key, &id);
        assert_int_equal(is_more, expected != INSTANCE_NONE);
        if (!is_more)
            return;
        assert_int_equal(id, expected);
        assert_int_equal(key, expected_key);
        after = id;
    }
}

/* Grow to thousands, churn, shrink to nothing: blocks split, join and vanish on the way. */
static void walks_equal_a_look_at_all(void **state)
{
    (void)state;
    static struct entry entries[IDS];
    struct ordered ordered = {VEC_INIT, VEC_INIT};
    struct rng rng = {rng_key(5, "ordered", 0), 0};
    for (uint32_t step = 0; step < 30000; step++) {
        instance_id id = (instance_id)rng_below(&rng, IDS);
        struct entry *entry = &entries[id];
        bool is_growing = step < 15000;
        struct room room = {(int32_t)rng_below(&rng, 6000), (int32_t)rng_below(&rng, 6000)};
        if (entry->is_there && (!is_growing || rng_below(&rng, 3) == 0)) {
            ordered_remove(&ordered, entry->key, id);
            entry->is_there = false;
        } else if (entry->is_there) {
            ordered_update(&ordered, entry->key, id, room);
            entry->room = room;
        } else if (is_growing || rng_below(&rng, 4) == 0) {
            *entry = (struct entry){true, (int64_t)rng_below(&rng, 200), room};
            ordered_insert(&ordered, entry->key, id, room);
        }
        if (step % 100 == 0) {
            ordered_audit(&ordered);
            compare_walks(&ordered, entries, &rng);
        }
    }
    for (instance_id id = 0; id < IDS; id++)
        if (entries[id].is_there)
            ordered_remove(&ordered, entries[id].key, id);
    assert_int_equal(ordered.heads.count, 0);
    ordered_free(&ordered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(walks_equal_a_look_at_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
