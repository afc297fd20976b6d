/* The dates of MFMT, against the C library's calendar. */
#include "ftpd/timestamp.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

static void every_day_is_the_librarys(void **state) {
    char text[32];

    for (int64_t utc = -30610224000 + 3661; utc < 253402300799; utc += 86400 * 13 + 7) { /* the years 1000, before which strftime(3) writes fewer digits, to 9999 */
        time_t t = (time_t) utc;
        struct tm tm;
        int64_t got;

        gmtime_r(&t, &tm);
        strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
        assert_int_equal(timestamp_parse(text, &got), 0);
        assert_int_equal(got, utc);
    }
}

static void edges(void **state) {
    static const struct {
        const char *text;
        int64_t expected; /* or negative errno */
    } cases[] = {
        { "19700101000000", 0 },
        { "20000229120000", 951825600 },
        { "20240229000000", 1709164800 },
        { "20161231235960", 1483228799 }, /* a leap second */
        { "20200102030405.678", 1577934245 },
        { "99991231235959", 253402300799 },
        { "00010101000000", -62135596800 },
        { "00001231235959", -EINVAL },
        { "20230229000000", -EINVAL },
        { "21000229000000", -EINVAL },
        { "20200431000000", -EINVAL },
        { "20201301000000", -EINVAL },
        { "20200001000000", -EINVAL },
        { "20200100000000", -EINVAL },
        { "20200101240000", -EINVAL },
        { "20200101006000", -EINVAL },
        { "20200101000061", -EINVAL },
        { "2020010100000", -EINVAL },
        { "202001010000000", -EINVAL },
        { "20200101000000.", -EINVAL },
        { "20200101000000.x", -EINVAL },
        { "20200101000000 ", -EINVAL },
        { "2020-1-1T00:00", -EINVAL },
        { "", -EINVAL },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        int64_t got = -1;
        int r = timestamp_parse(cases[i].text, &got);
        if ((r < 0 ? r : got) != cases[i].expected)
            fail_msg("'%s': %d, %lld", cases[i].text, r, (long long) got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_the_librarys),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
