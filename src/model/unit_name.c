/* Names of units, made and read back.
 *
 * Reading is by making: a name is accepted only when the same parts would give the same bytes again, so that leading
 * zeros, signs and odd ids have no second spelling. Nothing here speaks to systemd. */
#include "model/unit_name.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const kinds[UNIT_KIND_MAX] = {
    [UNIT_TRANSFER] = "transfer",
    [UNIT_PURGE] = "purge",
    [UNIT_EXPORT] = "export",
    [UNIT_EXPIRE] = "expire",
    [UNIT_DROP] = "drop",
    [UNIT_SESSIONS] = "sessions",
};

const char *unit_kind_name(UnitKind k) {
    return kinds[k];
}

int unit_kind_parse(const char *name, UnitKind *ret) {
    for (UnitKind k = 0; k < UNIT_KIND_MAX; k++)
        if (streq(name, kinds[k])) {
            *ret = k;
            return 0;
        }
    return -EINVAL;
}

void unit_name_make(UnitKind k, const char *id, bool timer, char ret[static UNIT_NAME_SIZE]) {
    snprintf(ret, UNIT_NAME_SIZE, "tempoftp-%s-%s.%s", kinds[k], id, timer ? "timer" : "service");
}

void report_unit_name_make(bool failed, UnitKind k, uint64_t life, uint32_t run, const char *id,
                           char ret[static UNIT_NAME_SIZE]) {
    snprintf(ret, UNIT_NAME_SIZE, "tempoftp-%s@%s-%" PRIu64 "-%" PRIu32 "-%s.service", failed ? "failed" : "done", kinds[k],
             life, run, id);
}

/* Cuts the bytes before the next '-' out of *text into ret, and moves *text behind it. */
static int take_part(const char **text, char *ret, size_t size) {
    const char *end = strchr(*text, '-');
    if (!end || (size_t) (end - *text) >= size)
        return -EINVAL;
    memcpy(ret, *text, (size_t) (end - *text));
    ret[end - *text] = '\0';
    *text = end + 1;
    return 0;
}

/* "<id><suffix>" → id. */
static int take_id(const char *text, const char *suffix, char ret[static ID_MAX + 1]) {
    size_t size = strlen(text), tail = strlen(suffix);
    if (!has_suffix(text, suffix) || size - tail > ID_MAX)
        return -EINVAL;

    char id[ID_MAX + 1];
    memcpy(id, text, size - tail);
    id[size - tail] = '\0';
    if (!id_is_valid(id))
        return -EINVAL;
    strcpy(ret, id);
    return 0;
}

int report_unit_name_parse(const char *name, ReportUnit *ret) {
    ReportUnit u = { 0 };
    char part[24], again[UNIT_NAME_SIZE];
    uint64_t run;

    u.failed = has_prefix(name, "tempoftp-failed@");
    const char *p = strchr(name, '@');
    if (!p)
        return -EINVAL;
    p++;
    if (take_part(&p, part, sizeof(part)) < 0 || unit_kind_parse(part, &u.kind) < 0)
        return -EINVAL;
    if (take_part(&p, part, sizeof(part)) < 0 || parse_u64(part, UINT64_MAX, &u.life) < 0)
        return -EINVAL;
    if (take_part(&p, part, sizeof(part)) < 0 || parse_u64(part, UINT32_MAX, &run) < 0)
        return -EINVAL;
    if (take_id(p, ".service", u.id) < 0)
        return -EINVAL;
    u.run = (uint32_t) run;

    report_unit_name_make(u.failed, u.kind, u.life, u.run, u.id, again);
    if (!streq(name, again))
        return -EINVAL;
    *ret = u;
    return 0;
}

/* An export's id has "-<n>" behind it. */
static int strip_export_number(char *text) {
    char *dash = strrchr(text, '-');
    uint64_t n;
    if (!dash || dash[1] == '0' || parse_u64(dash + 1, UINT32_MAX, &n) < 0)
        return -EINVAL;
    *dash = '\0';
    return 0;
}

int unit_name_parse(const char *name, UnitKind *ret_kind, char ret_id[static ID_MAX + 1]) {
    char part[16], rest[UNIT_NAME_SIZE];
    UnitKind kind;

    if (!has_prefix(name, "tempoftp-") || strlen(name) >= sizeof(rest))
        return -EINVAL;
    const char *p = name + strlen("tempoftp-");
    if (take_part(&p, part, sizeof(part)) < 0 || unit_kind_parse(part, &kind) < 0)
        return -EINVAL;

    strcpy(rest, p);
    char *dot = strrchr(rest, '.');
    bool timer = kind == UNIT_EXPIRE && dot && streq(dot, ".timer");
    if (!dot || (!timer && !streq(dot, ".service")))
        return -EINVAL;
    *dot = '\0';
    if (kind == UNIT_EXPORT && strip_export_number(rest) < 0)
        return -EINVAL;
    if (take_id(rest, "", ret_id) < 0)
        return -EINVAL;
    *ret_kind = kind;
    return 0;
}
