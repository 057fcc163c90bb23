#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/workload/csv.h"
#include "tests/support/scratch.h"

static struct csv *open_text(const char *text)
{
    struct csv *csv;
    struct berth_error err = BERTH_ERROR_INIT;
    if (csv_open_text(text, strlen(text), "t.csv", &csv, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return csv;
}

static bool next(struct csv *csv)
{
    bool has_row;
    struct berth_error err = BERTH_ERROR_INIT;
    if (csv_next(csv, &has_row, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return has_row;
}

/* The first error in `text`, as a message. */
static const char *error_of(const char *text, size_t length)
{
    static struct berth_error err;
    struct csv *csv;
    err = (struct berth_error)BERTH_ERROR_INIT;
    if (csv_open_text(text, length, "t.csv", &csv, &err) != BERTH_OK) {
        assert_null(csv);
        assert_int_equal(err.code, BERTH_ERR_INPUT);
        return err.text;
    }
    bool has_row = true;
    enum berth_err code = BERTH_OK;
    while (code == BERTH_OK && has_row)
        code = csv_next(csv, &has_row, &err);
    csv_close(csv);
    assert_int_equal(code, BERTH_ERR_INPUT);
    return err.text;
}

static void test_cells(void **state)
{
    (void)state;
    struct csv *csv = open_text("\xef\xbb\xbf"
                                "name, b ,c\r\n1,2,3\r\n\n\r\n\"a,b\",\"say \"\"x\"\"\",\n,,\n"
                                "x\"y,\"\",last");
    assert_int_equal(csv_find_column(csv, "name"), 0);
    assert_int_equal(csv_find_column(csv, "b"), 1);
    assert_int_equal(csv_find_column(csv, "d"), CSV_NO_COLUMN);
    assert_string_equal(csv_column_name(csv, 2), "c");
    assert_null(csv_column_name(csv, 3));
    assert_true(next(csv));
    assert_string_equal(csv_text(csv, 0), "1");
    assert_string_equal(csv_text(csv, 2), "3");
    assert_int_equal(csv_line(csv), 2);
    assert_true(next(csv)); /* past two empty lines */
    assert_int_equal(csv_line(csv), 5);
    assert_string_equal(csv_text(csv, 0), "a,b");
    assert_string_equal(csv_text(csv, 1), "say \"x\"");
    assert_true(csv_is_empty(csv, 2));
    assert_true(csv_is_empty(csv, CSV_NO_COLUMN));
    assert_string_equal(csv_text(csv, CSV_NO_COLUMN), "");
    assert_true(next(csv));
    assert_true(csv_is_empty(csv, 0));
    assert_true(next(csv)); /* no end of line */
    assert_string_equal(csv_text(csv, 0), "x\"y");
    assert_string_equal(csv_text(csv, 1), "");
    assert_string_equal(csv_text(csv, 2), "last");
    assert_false(next(csv));
    assert_false(next(csv));
    csv_close(csv);
    csv_close(NULL);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "t.csv:1: no header"},
        {"\n1,2\n", "t.csv:1: no header"},
        {"a,b,a\n", "t.csv:1: two columns are called \"a\""},
        {"a,b\n1,2\n1\n", "t.csv:3: 1 cells, but the header names 2 columns"},
        {"a,b\n1,2,3\n", "t.csv:2: 3 cells"},
        {"a,b\n1,\"2\n3\"\n", "t.csv:2: cell 2: the quote is not closed"},
        {"a,b\n\"1\"2,3\n", "t.csv:2: cell 1: text after the closing quote"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = error_of(cases[i].text, strlen(cases[i].text));
        if (strncmp(got, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", got);
    }
    assert_non_null(strstr(error_of("a,b\n1\0,2\n", 9), "t.csv:2: a NUL byte"));
}

/* Longer than a line may be: with an end, without one, and as the header. */
static void test_line_bounds(void **state)
{
    (void)state;
    size_t size = (size_t)CSV_LINE_MAX * 6;
    char *text = mem_alloc(size + 1);
    memset(text, 'x', size);
    memcpy(text, "a\n", 2);
    assert_non_null(strstr(error_of(text, size), "t.csv:2: the line is longer than 65536 bytes"));
    text[2 + CSV_LINE_MAX + 1] = '\n';
    assert_non_null(strstr(error_of(text, size), "t.csv:2: the line is longer"));
    memset(text, 'x', size);
    assert_non_null(strstr(error_of(text, size), "t.csv:1: the line is longer"));
    memset(text, ',', size);
    text[1000] = '\n';
    assert_non_null(strstr(error_of(text, size), "t.csv:1: more than 256 columns"));
    /* rows of 40,000 bytes cross the end of the buffer again and again */
    memset(text, 'x', size);
    for (size_t at = 1; at < size; at += 40000)
        text[at] = '\n';
    text[size] = '\0';
    struct csv *csv = open_text(text);
    size_t left = size - 2;
    for (; left > 0; left -= left < 40000 ? left : 40000) {
        assert_true(next(csv));
        assert_int_equal(strlen(csv_text(csv, 0)), left < 40000 ? left : 39999);
    }
    assert_false(next(csv));
    csv_close(csv);
    mem_free(text);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned places;
        bool rounds;
        int64_t max;
        int64_t value;
        const char *wrong;
    } cases[] = {
        {"0", 0, false, 0, 0, NULL},
        {" 42 ", 0, false, 100, 42, NULL},
        {"4.0", 0, false, 100, 4, NULL},
        {"4.5", 0, false, 100, 0, "has too many decimal places"},
        {"4.5", 0, true, 100, 5, NULL},
        {"4.4999", 0, true, 100, 4, NULL},
        {"0.46", 3, false, 1000, 460, NULL},
        {".5", 3, false, 1000, 500, NULL},
        {"1.", 3, false, 1000, 1000, NULL},
        {"0.4567", 3, false, 1000, 0, "has too many decimal places"},
        {"0.4560000", 3, false, 1000, 456, NULL},
        {"1.001", 3, false, 1000, 0, "is too large"},
        {"12902960", 9, true, INT64_MAX, 12902960000000000, NULL},
        {"0.0000000005", 9, true, 10, 1, NULL},
        {"9223372036854775807", 0, false, INT64_MAX, INT64_MAX, NULL},
        {"9223372036854775808", 0, false, INT64_MAX, 0, "is too large"},
        {"9223372036.854775807", 9, true, INT64_MAX, INT64_MAX, NULL},
        {"9223372036.8547758079", 9, true, INT64_MAX, 0, "is too large"},
        {"99999999999999999999999", 0, true, INT64_MAX, 0, "is too large"},
        {"1e3", 0, false, 1000, 1000, NULL},
        {"1.25e2", 0, false, 1000, 125, NULL},
        {"1.255e2", 0, false, 1000, 0, "has too many decimal places"},
        {"2.5E-3", 3, true, 1000, 3, NULL},
        {"1e309", 0, true, INT64_MAX, 0, "is too large"},
        {"1e19", 0, true, INT64_MAX, 0, "is too large"},
        {"1e", 0, true, 10, 0, "is not a number"},
        {"-1", 0, true, 10, 0, "is negative"},
        {"nan", 0, true, 10, 0, "is not a number"},
        {"inf", 0, true, 10, 0, "is not a number"},
        {"0x10", 0, true, 100, 0, "is not a number"},
        {"1 2", 0, true, 100, 0, "is not a number"},
        {"1.2.3", 3, true, 10000, 0, "is not a number"},
        {".", 0, true, 10, 0, "is not a number"},
        {"", 0, true, 10, 0, "is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_number form = {cases[i].places, cases[i].rounds, cases[i].max, "cure"};
        int64_t value = -7;
        const char *wrong = csv_parse_number(cases[i].text, &form, &value);
        if ((wrong == NULL) != (cases[i].wrong == NULL) ||
            (wrong != NULL && strcmp(wrong, cases[i].wrong) != 0))
            fail_msg("\"%s\": %s", cases[i].text, wrong ? wrong : "taken");
        if (wrong == NULL && value != cases[i].value)
            fail_msg("\"%s\": %lld", cases[i].text, (long long)value);
    }
}

static void test_cell_messages(void **state)
{
    (void)state;
    struct csv *csv = open_text("arrival,cpu\nabc\x1b[31m,\n");
    struct csv_number form = {0, false, 10, "write one"};
    struct berth_error err = BERTH_ERROR_INIT;
    int column;
    int64_t value;
    assert_true(next(csv));
    assert_int_equal(csv_number(csv, 0, &form, &value, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "t.csv:2: column \"arrival\": \"abc?[31m\" is not a number; "
                                  "write one");
    assert_int_equal(csv_number(csv, 1, &form, &value, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "t.csv:2: column \"cpu\": the cell is empty; write one");
    assert_int_equal(csv_need_column(csv, "arival", &column, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text,
                        "t.csv:1: no column \"arival\"; rename \"arrival\" if that is it");
    assert_int_equal(csv_need_column(csv, "zones", &column, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "t.csv:1: no column \"zones\"; the first line must name it");
    assert_int_equal(csv_need_column(csv, "cpu", &column, &err), BERTH_OK);
    assert_int_equal(column, 1);
    csv_close(csv);
}

/* 40,000 rows of varied length, plain and gzip: every cell is what was written. */
static void make_rows(struct text *text)
{
    text_add(text, "n,filler,square\n");
    for (unsigned n = 0; n < 40000; n++) {
        text_addf(text, "%u,", n);
        for (unsigned k = 0; k < n * 7919 % 23; k++)
            text_add(text, "f");
        text_addf(text, ",%u\n", n * n);
    }
}

static void check_rows(const char *path)
{
    struct csv *csv;
    struct berth_error err = BERTH_ERROR_INIT;
    if (csv_open(path, &csv, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    struct csv_number form = {0, false, INT64_MAX, ""};
    unsigned n = 0;
    for (; next(csv); n++) {
        int64_t value = -1, square = -1;
        assert_int_equal(csv_number(csv, 0, &form, &value, &err), BERTH_OK);
        assert_int_equal(csv_number(csv, 2, &form, &square, &err), BERTH_OK);
        assert_int_equal(value, n);
        assert_int_equal(square, n * n);
        assert_int_equal(strlen(csv_text(csv, 1)), n * 7919 % 23);
        assert_int_equal(csv_line(csv), n + 2);
    }
    assert_int_equal(n, 40000);
    csv_close(csv);
}

static void test_files(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    make_rows(&text);
    check_rows(scratch_write("plain.csv", text.bytes, text.length));
    check_rows(scratch_write_gzip("packed.csv", text.bytes, text.length)); /* by content */
    text_free(&text);
}

static void assert_file_fails(const char *path, const char *part)
{
    struct csv *csv;
    struct berth_error err = BERTH_ERROR_INIT;
    bool has_row = true;
    enum berth_err code = csv_open(path, &csv, &err);
    while (code == BERTH_OK && has_row)
        code = csv_next(csv, &has_row, &err);
    csv_close(csv);
    assert_int_equal(code, BERTH_ERR_INPUT);
    if (strstr(err.text, part) == NULL || strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("%s", err.text);
}

static void test_bad_files(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    size_t length;
    make_rows(&text);
    char *packed = scratch_read(scratch_write_gzip("x.gz", text.bytes, text.length), &length);
    assert_file_fails(scratch_write("cut.gz", packed, length / 2), "the gzip file ends too early");
    assert_file_fails(scratch_write("cut2.gz", packed, length - 3), "the gzip file ends too early");
    packed[length - 6] ^= 0x55; /* the checksum */
    assert_file_fails(scratch_write("bad.gz", packed, length), "the gzip file is damaged");
    assert_file_fails(scratch_path("none.csv"), "cannot be opened: No such file");
    assert_file_fails(scratch_folder(), "cannot be read: Is a directory");
    mem_free(packed);
    text_free(&text);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),         cmocka_unit_test(test_errors),
        cmocka_unit_test(test_line_bounds),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_cell_messages), cmocka_unit_test(test_files),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
