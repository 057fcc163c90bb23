/*
 * number.c -- printf and strtod, in turns, take seven thousand instructions for a number of 17
 * digits; a table of results has millions of them.
 *
 * For numbers of everyday size the digits are computed instead. x times a power of ten is a sum of
 * two doubles without any rounding: the product, and what fma() says was lost of it. So its nearest
 * integer is exact, and that is what printf prints. Whether 15 or 16 digits suffice is one
 * division: integers up to 2^53 and powers of ten up to 10^22 are doubles, and the quotient of two
 * doubles is rounded as strtod rounds.
 */
#include "sim/experiment/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_EXPONENT (-4) /* printf's %g writes 1e-05 with an exponent */
#define MOST_EXPONENT 14    /* and 1e+15 */
#define EXACT_INTEGER 9007199254740992.0

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static void format_slowly(double number, char out[NUMBER_BYTES])
{
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(out, NUMBER_BYTES, "%.*g", precision, number);
        if (strtod(out, NULL) == number)
            break;
    }
}

/* The integer nearest to number * 10^power, of two equally near the even one. */
static uint64_t scaled(double number, int power)
{
    double product = number * tens[power];
    double lost = fma(number, tens[power], -product);
    double whole = floor(product), part = product - whole;
    uint64_t integer = (uint64_t)whole;
    bool is_tie, is_above;
    if (part > 0) { /* a unit in the last place is below 1, and `lost` at most half of one */
        is_tie = part == 0.5 && lost == 0;
        is_above = part > 0.5 || (part == 0.5 && lost > 0);
    } else { /* from 2^53 on `lost` may be several */
        double low = floor(lost), middle = low + 0.5;
        integer += (uint64_t)(int64_t)low;
        is_tie = lost == middle;
        is_above = lost > middle;
    }
    return integer + (is_above || (is_tie && integer % 2 == 1));
}

static bool is_below_one(double number, int power)
{
    double product = number * tens[power];
    return product < 1 || (product == 1 && fma(number, tens[power], -product) < 0);
}

/* Of the first digit. */
static int exponent_of(double number)
{
    int exponent = 0;
    while (exponent < MOST_EXPONENT && number >= tens[exponent + 1])
        exponent++;
    if (exponent > 0 || number == 0)
        return exponent;
    while (exponent > LEAST_EXPONENT && is_below_one(number, -exponent))
        exponent--;
    return exponent;
}

/* The digits of an integer with `places` of them behind the point, without zeros at the end. */
static void write_digits(uint64_t integer, int places, bool is_negative, char out[NUMBER_BYTES])
{
    char digits[24];
    int count = 0, at = 0;
    for (; places > 0 && integer % 10 == 0; places--)
        integer /= 10;
    for (; integer > 0 || count <= places; integer /= 10)
        digits[count++] = (char)('0' + integer % 10);
    if (is_negative)
        out[at++] = '-';
    while (count > 0) {
        if (count == places)
            out[at++] = '.';
        out[at++] = digits[--count];
    }
    out[at] = '\0';
}

void number_format(double number, char out[NUMBER_BYTES])
{
    double size = fabs(number);
    if (size != 0 && (size >= tens[MOST_EXPONENT + 1] || is_below_one(size, -LEAST_EXPONENT))) {
        format_slowly(number, out);
        return;
    }
    int exponent = exponent_of(size);
    for (int digits = 15; digits <= 17; digits++) {
        int places = digits - 1 - exponent;
        uint64_t integer = scaled(size, places);
        if (digits < 17 && (double)integer > EXACT_INTEGER) { /* a quotient would say nothing */
            format_slowly(number, out);
            return;
        }
        if (digits == 17 || (double)integer / tens[places] == size) {
            write_digits(integer, places, number < 0, out);
            return;
        }
    }
}
