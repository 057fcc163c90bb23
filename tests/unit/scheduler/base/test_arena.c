#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/base/arena.h"

/* Pieces do not overlap, are aligned, and a reset gives the same memory again. */
static void test_pieces_are_apart_and_come_again(void **state)
{
    (void)state;
    enum { PIECES = 2000 };
    struct arena arena = {.block = 0};
    unsigned char *pieces[PIECES];
    size_t blocks = 0;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            size_t size_bytes = i % 97 == 0 ? 100000 : i % 200;
            pieces[i] = arena_alloc(&arena, size_bytes);
            assert_int_equal((uintptr_t)pieces[i] % sizeof(max_align_t *), 0);
            memset(pieces[i], (int)(i % 251), size_bytes);
        }
        for (size_t i = 0; i < PIECES; i++)
            for (size_t at = 0; at < (i % 97 == 0 ? 100000 : i % 200); at++)
                assert_true(pieces[i][at] == i % 251);
        assert_true(round == 0 || arena.blocks.count == blocks);
        blocks = arena.blocks.count;
        arena_reset(&arena);
    }
    arena_free(&arena);
    assert_int_equal(arena.blocks.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_apart_and_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
