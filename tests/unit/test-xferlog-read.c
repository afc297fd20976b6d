/* From bytes of a log to what is told of them: lines that are not whole, lines that are too long, and where the next reading goes on. */
#include "xferlog/read.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <cmocka.h>

#define START 1700000000
#define LINE "2023-11-14 22:13:%02u 10.0.0.%u []sent /data/ftp_ana_abcd/uno/a 226 ftp_ana_abcd %u\n"

static Tally tally;

static int file_of(const void *data, size_t size) {
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    return fd;
}

static LogReading read_on(int fd, uint64_t from, int64_t not_before) {
    LogRules rules = { .data_path = "/data", .not_before = not_before, .now = START + 1000 };
    LogReading reading;

    tally.n = 0;
    assert_int_equal(log_read(fd, from, &rules, &tally, &reading), 0);
    return reading;
}

static void whole_lines_are_read(void **state) {
    char text[2000];
    size_t size = (size_t) sprintf(text, "#Fields: x\n" LINE LINE LINE "nonsense\n" LINE, 20u, 1u, 100u, 20u, 1u, 50u, 20u, 2u, 1u, 21u, 1u, 7u);
    _cleanup_close_ int fd = file_of(text, size);

    LogReading reading = read_on(fd, 0, 0);
    assert_int_equal(reading.offset, size);
    assert_int_equal(reading.newest, START + 1);
    assert_int_equal(reading.unknown, 1);
    assert_false(reading.more);
    assert_int_equal(tally.n, 3); /* the first two are one client's within a second */
    assert_int_equal(tally.rows[0].line.bytes, 150);
    assert_int_equal(tally.rows[0].files, 2);
    assert_string_equal(tally.rows[1].line.address, "10.0.0.2");
    assert_int_equal(tally.rows[2].line.when, START + 1);

    assert_int_equal(read_on(fd, size, 0).offset, size);
    assert_int_equal(tally.n, 0);
    read_on(fd, 0, START + 1);
    assert_int_equal(tally.n, 1); /* the others were counted before */
}

static void a_line_without_its_end_waits(void **state) {
    char text[200];
    size_t first = (size_t) sprintf(text, LINE, 20u, 1u, 100u), size = first + (size_t) sprintf(text + first, LINE, 20u, 2u, 200u);

    for (size_t cut = first; cut < size; cut++) {
        _cleanup_close_ int fd = file_of(text, cut);
        LogReading reading = read_on(fd, 0, 0);
        assert_int_equal(reading.offset, first);
        assert_int_equal(tally.n, 1);
        assert_int_equal(write(fd, text + cut, size - cut), size - cut);
        reading = read_on(fd, reading.offset, 0);
        assert_int_equal(reading.offset, size);
        assert_int_equal(tally.n, 1);
        assert_int_equal(tally.rows[0].line.bytes, 200);
    }
}

/* `size` bytes of one line, and then two good ones. */
static int with_long_line(size_t size, size_t *ret_total) {
    _cleanup_free_ char *text = malloc(size + 200);
    char *good = text + size;

    assert_non_null(text);
    memset(text, 'x', size);
    text[size - 1] = '\n';
    *ret_total = size + (size_t) sprintf(good, LINE LINE, 20u, 1u, 100u, 20u, 2u, 7u);
    return file_of(text, *ret_total);
}

static void a_line_that_is_too_long_is_passed_over(void **state) {
    static const size_t sizes[] = { READ_LINE_MAX - 1, READ_LINE_MAX, READ_LINE_MAX + 1, 3 * READ_LINE_MAX, 3 * READ_LINE_MAX + 17, READ_AT_ONCE + 5 * READ_LINE_MAX };

    for (size_t i = 0; i < ELEMENTS(sizes); i++) {
        size_t total;
        _cleanup_close_ int fd = with_long_line(sizes[i], &total);
        uint64_t at = 0, unknown = 0, downloads = 0;
        LogReading reading;
        do {
            reading = read_on(fd, at, 0);
            assert_true(reading.offset > at);
            at = reading.offset;
            unknown += reading.unknown;
            downloads += tally.n;
        } while (reading.more);
        assert_int_equal(at, total);
        assert_int_equal(unknown, 1);
        assert_int_equal(downloads, 2);
    }
}

static void a_line_that_is_too_long_and_has_no_end_yet_stays_one(void **state) {
    _cleanup_free_ char *half = malloc(2 * READ_LINE_MAX);
    char good[200];

    assert_non_null(half);
    memset(half, 'x', 2 * READ_LINE_MAX);
    _cleanup_close_ int fd = file_of(half, 2 * READ_LINE_MAX);
    LogReading reading = read_on(fd, 0, 0);
    assert_true(reading.offset > 0); /* it isn't read again and again */
    size_t size = (size_t) sprintf(good, LINE "\n" LINE, 20u, 1u, 100u, 20u, 2u, 7u);
    assert_int_equal(write(fd, good, size), size); /* its first line is still the long one's end */
    reading = read_on(fd, reading.offset, 0);
    assert_int_equal(reading.offset, 2 * READ_LINE_MAX + size);
    assert_int_equal(tally.n, 1);
    assert_int_equal(tally.rows[0].line.bytes, 7);
}

static void what_does_not_fit_comes_next(void **state) {
    size_t lines = 2 * TALLY_ROWS_MAX + 5, size = 0, seen = 0;
    _cleanup_free_ char *text = malloc(lines * 200);
    LogReading reading = { .more = true };

    assert_non_null(text);
    for (unsigned i = 0; i < lines; i++)
        size += (size_t) sprintf(text + size, LINE, 20 + i / 256 % 30, i % 256, i);
    _cleanup_close_ int fd = file_of(text, size);
    while (reading.more) {
        reading = read_on(fd, reading.offset, 0);
        for (size_t i = 0; i < tally.n; i++)
            assert_int_equal(tally.rows[i].line.bytes, seen++);
    }
    assert_int_equal(seen, lines);
    assert_int_equal(reading.offset, size);
}

static void no_line_is_newer_than_the_clock(void **state) {
    static const char text[] = "2199-11-14 22:13:20 10.0.0.1 []sent /data/ftp_ana_abcd/uno/a 226 ftp_ana_abcd 5\n";
    _cleanup_close_ int fd = file_of(text, sizeof(text) - 1);

    assert_int_equal(read_on(fd, 0, 0).newest, START + 1000);
    assert_int_equal(tally.rows[0].line.when, START + 1000);
}

static void zeros_and_noise_are_no_lines(void **state) {
    char text[3000];
    size_t size = 2000;

    memset(text, 0, size); /* what a writer leaves behind whose file was truncated under it */
    size += (size_t) sprintf(text + size, "\n" LINE, 20u, 1u, 5u);
    _cleanup_close_ int fd = file_of(text, size);
    assert_int_equal(read_on(fd, 0, 0).unknown, 1);
    assert_int_equal(tally.n, 1);
}

static void digests_are_of_what_is_before(void **state) {
    char data[2 * LOG_DIGEST_BYTES + 100], a[LOG_DIGEST_SIZE], b[LOG_DIGEST_SIZE];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char) (i * 31 + i / 256);
    _cleanup_close_ int fd = file_of(data, sizeof(data)), other = file_of(data, sizeof(data) - 1);
    static const size_t offsets[] = { 0, 1, LOG_DIGEST_BYTES - 1, LOG_DIGEST_BYTES, LOG_DIGEST_BYTES + 1, sizeof(data) - 1 };
    for (size_t i = 0; i < ELEMENTS(offsets); i++) {
        assert_int_equal(log_digest(fd, offsets[i], a), 0);
        assert_int_equal(log_digest(other, offsets[i], b), 0);
        assert_string_equal(a, b);
        if (offsets[i] == 0)
            continue;
        assert_int_equal(pwrite(other, "\xff", 1, (off_t) offsets[i] - 1), 1); /* the byte before it counts */
        assert_int_equal(log_digest(other, offsets[i], b), 0);
        assert_string_not_equal(a, b);
        assert_int_equal(pwrite(other, &data[offsets[i] - 1], 1, (off_t) offsets[i] - 1), 1);
    }
    assert_int_equal(log_digest(other, sizeof(data), b), -ENODATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_lines_are_read), cmocka_unit_test(a_line_without_its_end_waits), cmocka_unit_test(a_line_that_is_too_long_is_passed_over),
        cmocka_unit_test(a_line_that_is_too_long_and_has_no_end_yet_stays_one), cmocka_unit_test(what_does_not_fit_comes_next),
        cmocka_unit_test(no_line_is_newer_than_the_clock), cmocka_unit_test(zeros_and_noise_are_no_lines), cmocka_unit_test(digests_are_of_what_is_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
