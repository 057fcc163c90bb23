#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/fits.h"

#define POSITIONS 9000 /* more than two rows of 64 blocks */

static uint32_t next_by_scan(const uint64_t *sizes, uint32_t count, uint32_t size, uint32_t from)
{
    for (uint32_t at = from; at < count; at++)
        if ((sizes[at] >> size & 1) != 0)
            return at;
    return FITS_NONE;
}

/* Against a scan of a plain list, while positions and sizes come and answers turn. */
static void it_finds_what_a_scan_finds(void **state)
{
    (void)state;
    struct rng rng = {rng_key(8, "fits", 0), 0};
    struct fits fits = {.stride = 8};
    static uint64_t sizes[POSITIONS];
    uint32_t count = 0;
    for (int step = 0; step < 60000; step++) {
        if (count < POSITIONS && rng_below(&rng, 4) == 0)
            fits_append(&fits, count++);
        if (step % 20000 == 19999)
            fits_widen(&fits, fits.stride * 2);
        if (count == 0)
            continue;
        uint32_t at = (uint32_t)rng_below(&rng, count);
        uint64_t turned = UINT64_C(1) << rng_below(&rng, fits.stride);
        if ((sizes[at] & turned) != 0 || rng_below(&rng, 20) == 0) { /* few are set */
            fits_turn(&fits, at, turned | (sizes[at] & UINT64_C(0xf)));
            sizes[at] ^= turned | (sizes[at] & UINT64_C(0xf));
        }
        uint32_t size = (uint32_t)rng_below(&rng, fits.stride);
        uint32_t from = (uint32_t)rng_below(&rng, count + 1);
        assert_int_equal(fits_next(&fits, size, from), next_by_scan(sizes, count, size, from));
        assert_int_equal(fits_block(&fits, size, at / 64) >> at % 64 & 1, sizes[at] >> size & 1);
    }
    assert_int_equal(count, POSITIONS);
    fits_free(&fits);
}

static void an_empty_row_has_nothing(void **state)
{
    (void)state;
    struct fits fits = {.stride = 8};
    assert_int_equal(fits_next(&fits, 0, 0), FITS_NONE);
    fits_free(&fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_scan_finds),
        cmocka_unit_test(an_empty_row_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
