/* Query parameters that are numbers or times, and their refusal. It knows no list by name. */
#include "api/query.h"

#include "api/reply.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

bool query_number_from(Call *c, const char *name, uint64_t min, uint64_t max, uint64_t *ret) {
    char text[24], message[64];
    uint64_t value;

    int r = call_query(c, name, text, sizeof(text));
    if (r == -ENOENT)
        return true;
    if (r < 0 || parse_u64(text, max, &value) < 0 || value < min) {
        snprintf(message, sizeof(message), "Debe ser un entero de %" PRIu64 " a %" PRIu64, min, max);
        reply_query_error(c, name, message, "int_parsing");
        return false;
    }
    *ret = value;
    return true;
}

bool query_number(Call *c, const char *name, uint64_t max, uint64_t *ret) {
    return query_number_from(c, name, 1, max, ret);
}

bool query_time(Call *c, const char *name, bool end, int64_t *ret) {
    char text[RFC3339_SIZE + 1];
    int64_t utc;
    bool day;

    int r = call_query(c, name, text, sizeof(text));
    if (r == -ENOENT)
        return true;
    if (r < 0 || rfc3339_parse(text, &utc, &day) < 0) {
        reply_query_error(c, name, "Debe ser una fecha como 2026-11-21 o 2026-11-21T11:30:00Z", "datetime_parsing");
        return false;
    }
    *ret = utc + (day && end ? 86399 : 0);
    return true;
}
