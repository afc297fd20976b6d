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
    [UNIT_PROBE] = "probe",
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

void export_unit_id_make(const char *id, uint32_t n, char ret[static UNIT_ID_MAX + 1]) {
    snprintf(ret, UNIT_ID_MAX + 1, "%s-%" PRIu32, id, n);
}

int export_unit_id_parse(const char *unit_id, char ret_id[static ID_MAX + 1], uint32_t *ret_n) {
    const char *dash = strrchr(unit_id, '-');
    char id[ID_MAX + 1];
    uint64_t n;

    if (!dash || dash - unit_id > ID_MAX || dash[1] == '0' || parse_u64(dash + 1, UINT32_MAX, &n) < 0)
        return -EINVAL;
    memcpy(id, unit_id, (size_t) (dash - unit_id));
    id[dash - unit_id] = '\0';
    if (!id_is_valid(id))
        return -EINVAL;
    strcpy(ret_id, id);
    *ret_n = (uint32_t) n;
    return 0;
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

/* "<unit id><suffix>" → the unit id. */
static int take_unit_id(const char *text, const char *suffix, UnitKind kind, char ret[static UNIT_ID_MAX + 1]) {
    size_t size = strlen(text), tail = strlen(suffix);
    char unit_id[UNIT_ID_MAX + 1], id[ID_MAX + 1];
    uint32_t n;

    if (!has_suffix(text, suffix) || size - tail > UNIT_ID_MAX)
        return -EINVAL;
    memcpy(unit_id, text, size - tail);
    unit_id[size - tail] = '\0';
    if (kind == UNIT_EXPORT ? export_unit_id_parse(unit_id, id, &n) < 0 : !id_is_valid(unit_id))
        return -EINVAL;
    strcpy(ret, unit_id);
    return 0;
}

int report_unit_name_parse(const char *name, ReportUnit *ret) {
    ReportUnit u = { 0 };
    char part[24], again[UNIT_NAME_SIZE], unit_id[UNIT_ID_MAX + 1];
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
    if (take_unit_id(p, ".service", u.kind, unit_id) < 0)
        return -EINVAL;
    u.run = (uint32_t) run;
    if (u.kind != UNIT_EXPORT)
        strcpy(u.id, unit_id);
    else if (export_unit_id_parse(unit_id, u.id, &u.n) < 0)
        return -EINVAL;

    report_unit_name_make(u.failed, u.kind, u.life, u.run, unit_id, again);
    if (!streq(name, again))
        return -EINVAL;
    *ret = u;
    return 0;
}

int unit_name_parse(const char *name, UnitKind *ret_kind, char ret_unit_id[static UNIT_ID_MAX + 1]) {
    char part[16];
    UnitKind kind;

    if (!has_prefix(name, "tempoftp-") || strlen(name) >= UNIT_NAME_SIZE)
        return -EINVAL;
    const char *p = name + strlen("tempoftp-");
    if (take_part(&p, part, sizeof(part)) < 0 || unit_kind_parse(part, &kind) < 0)
        return -EINVAL;

    const char *dot = strrchr(p, '.');
    bool timer = kind == UNIT_EXPIRE && dot && streq(dot, ".timer");
    if (!dot || (!timer && !streq(dot, ".service")) || take_unit_id(p, dot, kind, ret_unit_id) < 0)
        return -EINVAL;
    *ret_kind = kind;
    return 0;
}
