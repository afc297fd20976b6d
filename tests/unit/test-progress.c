/* rsync's progress lines and statistics (as 3.2.7 and 3.5.0 print them), the STATUS= line there and back. */
#include "model/progress.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void rsync_lines(void **state) {
    static const struct {
        const char *line;
        int r;
        uint64_t bytes, rate;
    } cases[] = {
        { "         32,768   0%    0.00kB/s    0:00:00  ", 0, 32768, 0 },
        { "\r      3,000,000  33%  943.26MB/s    0:00:00 (xfr#1, to-chk=3/5)", 0, 3000000, UINT64_C(989079797) },
        { "        9000000 100%  855.18MB/s    0:00:00 (xfr#3, to-chk=0/5)\r", 0, 9000000, UINT64_C(896721223) },
        { "      1,238,099  45%  146.38kB/s    0:00:08", 0, 1238099, 149893 },
        { "  1,099,511,627,776  99%    1.50GB/s   12:34:56", 0, UINT64_C(1099511627776), UINT64_C(1610612736) },
        { "0   0%    0.00kB/s  ??:??:??", 0, 0, 0 },
        { "18446744073709551615   0%    0.01kB/s  9999:00:00", 0, UINT64_MAX, 10 },
        { "18446744073709551616   0%    0.01kB/s    0:00:00", -EINVAL, 0, 0 },
        { "1  0%  99999999999999999999.00GB/s  0:00:00", -EINVAL, 0, 0 },
        { "1  0%  99999999999.00TB/s  0:00:00", -EINVAL, 0, 0 },
        { "1 101%    0.00kB/s    0:00:00", -EINVAL, 0, 0 },
        { "1  10%    0.0kB/s    0:00:00", -EINVAL, 0, 0 },
        { "1  10%    0.00XB/s    0:00:00", -EINVAL, 0, 0 },
        { "1  10%    0.00kB/s", -EINVAL, 0, 0 },
        { "1  10%    0.00kB/s  0:00", -EINVAL, 0, 0 },
        { "1  10    0.00kB/s    0:00:00", -EINVAL, 0, 0 },
        { "-1  10%    0.00kB/s    0:00:00", -EINVAL, 0, 0 },
        { "1,23  10%    0.00kB/s    0:00:00", -EINVAL, 0, 0 },
        { "receiving incremental file list", -EINVAL, 0, 0 },
        { "sent 142 bytes  received 32 bytes  348.00 bytes/sec", -EINVAL, 0, 0 },
        { "", -EINVAL, 0, 0 },
        { "     ", -EINVAL, 0, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Progress p = { 0 };
        assert_int_equal(progress_parse_rsync(cases[i].line, strlen(cases[i].line), &p), cases[i].r);
        assert_true(p.bytes == cases[i].bytes);
        assert_true(p.rate == cases[i].rate);
    }
}

static void every_cut_of_a_line(void **state) {
    static const char line[] = "      3,000,000  33%  943.26MB/s    0:00:00 (xfr#1, to-chk=3/5)";

    for (size_t size = 0; size < sizeof(line); size++) { /* exactly sized, for the sanitizer */
        Progress p;
        _cleanup_free_ char *cut = malloc(size > 0 ? size : 1);
        memcpy(cut, line, size);
        int r = progress_parse_rsync(cut, size, &p);
        assert_true(r == 0 || r == -EINVAL);
    }
}

static void derived(void **state) {
    static const struct {
        uint64_t bytes, total, rate;
        unsigned percent;
        uint64_t left;
    } cases[] = {
        { 0, 0, 0, 100, 0 },
        { 0, 100, 0, 0, UINT64_MAX },
        { 50, 100, 10, 50, 5 },
        { 50, 101, 10, 49, 6 },
        { 99, 100, 1000, 99, 1 },
        { 100, 100, 0, 100, 0 },
        { 200, 100, 5, 100, 0 },
        { UINT64_MAX - 1, UINT64_MAX, 1, 99, 1 },
        { UINT64_MAX / 2, UINT64_MAX, 1, 49, UINT64_MAX / 2 + 1 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Progress p = { .bytes = cases[i].bytes, .total = cases[i].total, .rate = cases[i].rate };
        progress_derive(&p);
        assert_int_equal(p.percent, cases[i].percent);
        assert_true(p.left == cases[i].left);
    }
}

static void assert_same(const Progress *a, const Progress *b) {
    assert_true(a->bytes == b->bytes && a->total == b->total && a->rate == b->rate);
    assert_true(a->percent == b->percent && a->left == b->left);
}

static void status_lines(void **state) {
    const Progress p = { .bytes = 123456789, .total = 274877906, .percent = 45, .rate = 31457280, .left = 12 };
    static const char text[] = "Copying: 45 %, 123456789 of 274877906 bytes, 31457280 B/s, 12 s left";
    char made[200];
    Progress back = { 0 };

    assert_int_equal(progress_format_status(PROGRESS_COPY, &p, made, sizeof(made)), sizeof(text) - 1);
    assert_string_equal(made, text);
    assert_int_equal(progress_format_status(PROGRESS_COPY, &p, made, sizeof(text)), sizeof(text) - 1);
    assert_int_equal(progress_format_status(PROGRESS_COPY, &p, made, sizeof(text) - 1), -ENOSPC);
    assert_int_equal(progress_parse_status(PROGRESS_UPLOAD, text, &back), -EINVAL);
    assert_int_equal(progress_parse_status(PROGRESS_COPY, text, &back), 0);
    assert_same(&back, &p);
}

static void status_extremes_come_back(void **state) {
    const Progress cases[] = {
        { 0 },
        { .bytes = 1, .total = 2, .percent = 50, .left = UINT64_MAX },
        { .bytes = UINT64_MAX, .total = UINT64_MAX, .percent = 100, .rate = UINT64_MAX, .left = UINT64_MAX - 1 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char text[200];
        Progress back = { 0 };
        assert_true(progress_format_status(PROGRESS_COPY, &cases[i], text, sizeof(text)) > 0);
        assert_int_equal(progress_parse_status(PROGRESS_COPY, text, &back), 0);
        assert_same(&back, &cases[i]);
    }
}

static void other_status_lines(void **state) {
    static const char *const cases[] = {
        "",
        "Connecting to host",
        "Measuring h:/x",
        "Waiting 10 s before try 3 of 5: connection lost",
        "Copying: ",
        "Copying: 101 %, 1 of 2 bytes, 3 B/s, 4 s left",
        "Copying: -1 %, 1 of 2 bytes, 3 B/s, 4 s left",
        "Copying: 45 %, 1 of 2 bytes, 3 B/s, 4 s left.",
        "Copying: 45 %, 1 of 2 bytes, 3 B/s",
        "Copying: 45 %, 1,000 of 2 bytes, 3 B/s, 4 s left",
        "Copying: 45 %, 18446744073709551616 of 2 bytes, 3 B/s, 4 s left",
        "copying: 45 %, 1 of 2 bytes, 3 B/s, 4 s left",
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Progress p;
        assert_int_equal(progress_parse_status(PROGRESS_COPY, cases[i], &p), -EINVAL);
    }
}

static void statistics(void **state) {
    static const struct {
        const char *text;
        int r;
        uint64_t files, bytes, needed;
    } cases[] = {
        { "\nNumber of files: 5,003 (reg: 5,000, dir: 3)\nNumber of created files: 5,003 (reg: 5,000, dir: 3)\n"
          "Number of deleted files: 0\nNumber of regular files transferred: 4,999\nTotal file size: 100,000,000 bytes\n"
          "Total transferred file size: 99,980,000 bytes\n",
          0, 5000, 100000000, 99980000 },
        { "Number of files: 5 (reg: 3, dir: 2)\nNumber of regular files transferred: 3\nTotal file size: 9000000 bytes\n", 0, 3, 9000000, 9000000 },
        { "Number of files: 1 (dir: 1)\nTotal file size: 0 bytes\n", 0, 0, 0, 0 },
        { "Number of files: 0\nTotal file size: 0 bytes\n", 0, 0, 0, 0 },
        { "Number of files: 2 (reg: 1, link: 1)\nTotal file size: 12 bytes", 0, 1, 12, 12 },
        { "Number of regular files transferred: 7\nTotal file size: 1 bytes\n", 0, 7, 1, 1 },
        { "Number of files: 5 (reg: 3, dir: 2)\n", -EINVAL, 0, 0, 0 },
        { "Total file size: 9000000 bytes\n", -EINVAL, 0, 0, 0 },
        { "x Number of files: 5\nTotal file size: 1 bytes\n", -EINVAL, 0, 0, 0 },
        { "Number of files: many\nTotal file size: 1 bytes\n", -EINVAL, 0, 0, 0 },
        { "Number of files: 1 (reg: x)\nTotal file size: 1 bytes\n", -EINVAL, 0, 0, 0 },
        { "Number of files: 1\nTotal file size: 99999999999999999999 bytes\n", -EINVAL, 0, 0, 0 },
        { "", -EINVAL, 0, 0, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        RsyncStats s = { 0 };
        assert_int_equal(rsync_stats_parse(cases[i].text, &s), cases[i].r);
        assert_true(s.files == cases[i].files);
        assert_true(s.bytes == cases[i].bytes);
        assert_true(s.needed == cases[i].needed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsync_lines),  cmocka_unit_test(every_cut_of_a_line),       cmocka_unit_test(derived),
        cmocka_unit_test(status_lines), cmocka_unit_test(status_extremes_come_back), cmocka_unit_test(other_status_lines),
        cmocka_unit_test(statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
