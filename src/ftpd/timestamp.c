/* Fourteen digits into seconds since 1970, negative before. Pure: no clock, no time zone. */
#include "ftpd/timestamp.h"

#include <stdbool.h>
#include <stddef.h>

static const struct Part {
    unsigned digits, min, max;
} parts[] = {
    { 4, 1, 9999 }, { 2, 1, 12 }, { 2, 1, 31 }, { 2, 0, 23 }, { 2, 0, 59 }, { 2, 0, 60 },
};

static int parse_part(const char **text, const struct Part *part, unsigned *ret) {
    unsigned value = 0;

    for (unsigned i = 0; i < part->digits; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return -EINVAL;
        value = value * 10 + (unsigned) (c - '0');
    }
    *text += part->digits;
    *ret = value;
    return value < part->min || value > part->max ? -EINVAL : 0;
}

static unsigned days_in_month(unsigned year, unsigned month) {
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static int64_t days_since_1970(unsigned year, unsigned month, unsigned day) {
    unsigned before = year - 1;
    int64_t days = (int64_t) before * 365 + before / 4 - before / 100 + before / 400 - 719162; /* the days before 1970 */

    for (unsigned m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days + day - 1;
}

int timestamp_parse(const char *text, int64_t *ret) {
    unsigned v[ELEMENTS(parts)];

    for (size_t i = 0; i < ELEMENTS(parts); i++) {
        int r = parse_part(&text, &parts[i], &v[i]);
        if (r < 0)
            return r;
    }
    if (*text == '.') {
        do
            text++;
        while (*text >= '0' && *text <= '9');
        if (text[-1] == '.')
            return -EINVAL;
    }
    if (*text != '\0' || v[2] > days_in_month(v[0], v[1]))
        return -EINVAL;
    *ret = days_since_1970(v[0], v[1], v[2]) * 86400 + v[3] * 3600 + v[4] * 60 + (v[5] < 60 ? v[5] : 59);
    return 0;
}
