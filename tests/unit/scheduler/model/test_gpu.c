#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/model/gpu.h"

/* Cards, requests and expected grants are lists that end with 0xffff. */
#define END 0xffff

static const struct {
    uint16_t free_milli[6];
    uint16_t requests[6];
    uint16_t grants[9]; /* device, milli, device, milli, ...; END at once: does not fit */
} cases[] = {
    {{1000, 1000, END}, {1000, END}, {0, 1000, END}},
    {{400, 1000, 1000, END}, {2000, END}, {1, 1000, 2, 1000, END}},
    {{999, 1000, END}, {2000, END}, {END}},
    {{1000, 600, 500, END}, {460, END}, {2, 460, END}},        /* least free that fits */
    {{1000, 500, 500, END}, {500, END}, {1, 500, END}},        /* then the lowest index */
    {{500, 300, END}, {300, 500, END}, {1, 300, 0, 500, END}}, /* each on what is left */
    {{1000, 1000, END}, {300, 300, END}, {0, 600, END}},       /* one card, merged */
    {{1000, 1000, END}, {300, 1000, END}, {0, 300, 1, 1000, END}},
    {{1000, 1000, END}, {300, 2000, END}, {END}},   /* together they do not fit */
    {{600, 500, END}, {200, 400, 400, END}, {END}}, /* greedy, in order, on purpose */
    {{1000, END}, {1500, END}, {END}},              /* neither cards nor a share */
    {{END}, {10, END}, {END}},
    {{1000, END}, {0, 0, END}, {END, 1, END}}, /* nothing asked, nothing given */
};

static void plans_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gpu_request requests[6];
        struct gpu_grant grants[GPU_DEVICES_MAX];
        struct demand demand = {.gpus = requests};
        uint16_t cards = 0;
        while (cases[i].free_milli[cards] != END)
            cards++;
        for (; cases[i].requests[demand.gpu_count] != END; demand.gpu_count++)
            requests[demand.gpu_count].milli = cases[i].requests[demand.gpu_count];
        uint32_t count = gpu_plan(cases[i].free_milli, cards, &demand, grants);
        if (cases[i].grants[0] == END) {
            assert_int_equal(count, demand_gpu_milli(&demand) == 0 ? 0 : GPU_NO_FIT);
            continue;
        }
        uint32_t expected = 0;
        for (; cases[i].grants[2 * expected] != END; expected++) {
            assert_int_equal(grants[expected].device, cases[i].grants[2 * expected]);
            assert_int_equal(grants[expected].milli, cases[i].grants[2 * expected + 1]);
        }
        assert_int_equal(count, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_as_the_table_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
