/* Clocks and RFC 3339.
 *
 * The calendar is computed here instead of by gmtime_r(): that takes glibc's time-zone lock, and answers of the API
 * format times on their hot path. Programs read the clocks; everything below them gets the time as a parameter. */
#include "basic/time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define UTC_MIN INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define UTC_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

int64_t utc_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

uint64_t monotonic_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

uint64_t monotonic_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static char *put_digits(char *to, unsigned value, unsigned width, char after) {
    for (unsigned i = width; i-- > 0; value /= 10)
        to[i] = (char) ('0' + value % 10);
    to[width] = after;
    return to + width + 1;
}

void rfc3339_format(int64_t utc, char ret[static RFC3339_SIZE]) {
    if (utc < UTC_MIN)
        utc = UTC_MIN;
    else if (utc > UTC_MAX)
        utc = UTC_MAX;

    /* Days since 0000-03-01: the year then ends with its leap day, and 400 years (an era) always have 146097 days. */
    int64_t seconds = utc - UTC_MIN;
    int64_t days = seconds / DAY - 60 + 146097; /* + one era, so that January and February of year 0 stay positive */
    unsigned second = (unsigned) (seconds % DAY);
    unsigned era = (unsigned) (days / 146097), day_of_era = (unsigned) (days % 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153; /* 0 = March */
    unsigned day = day_of_year - (153 * march_month + 2) / 5 + 1;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    unsigned year = era * 400 + year_of_era + (month <= 2) - 400;

    char *p = put_digits(ret, year, 4, '-');
    p = put_digits(p, month, 2, '-');
    p = put_digits(p, day, 2, 'T');
    p = put_digits(p, second / 3600, 2, ':');
    p = put_digits(p, second / 60 % 60, 2, ':');
    p = put_digits(p, second % 60, 2, 'Z');
    *p = '\0';
}

/* Every 'd' of the pattern is a digit, everything else itself. */
static bool looks_like(const char *text, const char *pattern) {
    for (; *pattern; text++, pattern++)
        if (*pattern == 'd' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return *text == '\0';
}

static unsigned digits(const char *text, unsigned width) {
    unsigned value = 0;

    for (unsigned i = 0; i < width; i++)
        value = value * 10 + (unsigned) (text[i] - '0');
    return value;
}

int rfc3339_parse(const char *text, int64_t *ret, bool *ret_day) {
    static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    bool is_day = looks_like(text, "dddd-dd-dd");

    if (!is_day && !looks_like(text, "dddd-dd-ddTdd:dd:ddZ"))
        return -EINVAL;
    unsigned year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2), second = 0;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (unsigned) (leap && month == 2))
        return -EINVAL;
    if (!is_day) {
        unsigned h = digits(text + 11, 2), m = digits(text + 14, 2), s = digits(text + 17, 2);
        if (h > 23 || m > 59 || s > 59)
            return -EINVAL;
        second = h * 3600 + m * 60 + s;
    }
    int64_t past = (int64_t) year - 1; /* whole years since 0001-01-01, which is 719162 days before 1970 */
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] + (leap && month > 2) + day - 1 - 719162;
    *ret = days * DAY + second;
    if (ret_day)
        *ret_day = is_day;
    return 0;
}
