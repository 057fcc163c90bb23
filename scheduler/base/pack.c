#include "scheduler/base/pack.h"

#include <assert.h>

/* Without a branch, which would be guessed wrong as often as numbers differ. */
static inline unsigned length_of(uint64_t number)
{
    return (63 ^ (unsigned)__builtin_clzll(number | 1)) / 8 + (number != 0);
}

/* Written out, a compiler makes one instruction of it. */
static void store(unsigned char *out, uint64_t number)
{
    out[0] = (unsigned char)number;
    out[1] = (unsigned char)(number >> 8);
    out[2] = (unsigned char)(number >> 16);
    out[3] = (unsigned char)(number >> 24);
    out[4] = (unsigned char)(number >> 32);
    out[5] = (unsigned char)(number >> 40);
    out[6] = (unsigned char)(number >> 48);
    out[7] = (unsigned char)(number >> 56);
}

static uint64_t load(const unsigned char *in, unsigned length)
{
    uint64_t number = (uint64_t)in[0] | (uint64_t)in[1] << 8 | (uint64_t)in[2] << 16 |
                      (uint64_t)in[3] << 24 | (uint64_t)in[4] << 32 | (uint64_t)in[5] << 40 |
                      (uint64_t)in[6] << 48 | (uint64_t)in[7] << 56;
    return length == 8 ? number : number & ((UINT64_C(1) << 8 * length) - 1);
}

size_t pack_numbers(const uint64_t *numbers, uint32_t count, unsigned char *out)
{
    assert(count % 2 == 0 && count <= 2 * UINT8_MAX);
    while (count > 0 && (numbers[count - 1] | numbers[count - 2]) == 0)
        count -= 2;
    uint32_t pairs = count / 2;
    unsigned char *lengths = out + 1, *at = lengths + pairs;
    out[0] = (unsigned char)pairs;
    for (uint32_t i = 0; i < pairs; i++) {
        uint64_t number = numbers[2 * i], next = numbers[2 * i + 1];
        unsigned length = length_of(number), next_length = length_of(next);
        store(at, number);
        at += length;
        store(at, next);
        at += next_length;
        lengths[i] = (unsigned char)(length | next_length << 4);
    }
    return (size_t)(at - out);
}

size_t unpack_numbers(const unsigned char *in, uint64_t *numbers, uint32_t count)
{
    uint32_t pairs = in[0], i = 0;
    const unsigned char *lengths = in + 1, *at = lengths + pairs;
    for (; i < pairs && 2 * i < count; i++) {
        unsigned first = lengths[i] & 15, second = lengths[i] >> 4;
        numbers[2 * i] = load(at, first);
        at += first;
        numbers[2 * i + 1] = load(at, second);
        at += second;
    }
    for (; i < pairs; i++)
        at += (lengths[i] & 15) + (lengths[i] >> 4);
    for (i = 2 * pairs; i < count; i++)
        numbers[i] = 0;
    return (size_t)(at - in);
}
