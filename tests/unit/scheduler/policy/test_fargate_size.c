#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/fargate_size.h"

static void test_the_table(void **state)
{
    (void)state;
    static const int32_t valid[][2] = {
        {256, 512},     {256, 1024},     {256, 2048},    {512, 1024},     {512, 4096},
        {1024, 2048},   {1024, 8192},    {2048, 4096},   {2048, 16384},   {4096, 8192},
        {4096, 30720},  {8192, 16384},   {8192, 61440},  {8192, 20480},   {16384, 32768},
        {16384, 40960}, {16384, 122880}, {32768, 61440}, {32768, 122880}, {32768, 249856},
    };
    static const int32_t wrong[][2] = {
        {256, 256},    {256, 1536},   {256, 4096},     {512, 512},      {512, 1536},
        {512, 5120},   {1024, 1024},  {1024, 9216},    {2048, 3072},    {4096, 31744},
        {8192, 17408}, {8192, 65536}, {16384, 36864},  {32768, 131072}, {128, 512},
        {0, 0},        {1000, 2048},  {65536, 122880},
    };
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        assert_true(fargate_size_is_valid(valid[i][0], valid[i][1]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(fargate_size_is_valid(wrong[i][0], wrong[i][1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
