/* Compares today's settings with those of the last start (note `settings`) and tells the differences. Who altered them it can't know: whoever may write the file. */
#include "api/setting_trail.h"

#include "api/audit.h"
#include "basic/buffer.h"
#include "basic/strings.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define NOTE "settings"
#define ACTION "SETTING"
#define NAME_MAX_BYTES 64
#define CHOICES_MAX 256

typedef struct SettingTrail {
    Manager *m;
    char **before, **now; /* "NAME=value" */
} SettingTrail;

static size_t name_size(const char *choice) {
    return strcspn(choice, "=");
}

static bool has_name(char *const *list, const char *choice) {
    size_t size = name_size(choice);

    for (; list && *list; list++)
        if (name_size(*list) == size && memcmp(*list, choice, size) == 0)
            return true;
    return false;
}

/* value NULL: at its default again. */
static int write_row(StoreTx *tx, const SettingTrail *t, const char *choice, const char *value) {
    AuditKeep keep = audit_keep(t->m->settings);
    char name[NAME_MAX_BYTES], detail[AUDIT_DETAIL_MAX + 1];

    snprintf(name, sizeof(name), "%.*s", (int) name_size(choice), choice);
    text_cut(value ? value : "por omisión", detail, sizeof(detail));
    return tx_audit(tx, &(AuditRow) { .at = manager_now(t->m), .actor = "tempoftpd", .address = "-", .action = ACTION, .target = name, .detail = detail,
                                      .request_id = "-", .result = 200, .kind = AUDIT_CHANGE },
                    &keep);
}

static int write_job(StoreTx *tx, void *userdata) {
    SettingTrail *t = userdata;
    _cleanup_buffer_ Buffer note = { 0 };
    int r = 0;

    for (char **p = t->now; *p && r >= 0; p++) {
        buffer_puts(&note, *p);
        buffer_putc(&note, '\n');
        if (!t->before || !strv_contains(t->before, *p))
            r = write_row(tx, t, *p, *p + name_size(*p) + 1);
    }
    for (char **p = t->before; p && *p && r >= 0; p++)
        if (!has_name(t->now, *p))
            r = write_row(tx, t, *p, NULL);
    if (r >= 0)
        r = note.error;
    return r < 0 ? r : tx_note_put(tx, NOTE, note.data ? note.data : "");
}

static bool differs(const SettingTrail *t) {
    size_t n = 0;

    for (char **p = t->now; *p; p++, n++)
        if (!t->before || !strv_contains(t->before, *p))
            return true;
    for (char **p = t->before; p && *p; p++)
        if (n-- == 0)
            return true;
    return false;
}

static void tell(const char *choice, const char *suffix) {
    LogContext about = { .message_id = MESSAGE_ID_AUDIT, .extra = { "TEMPOFTP_ACTOR=tempoftpd", "TEMPOFTP_ACTION=" ACTION } };

    log_line(LOG_INFO, &about, "Setting changed since the last start: %s%s", choice, suffix);
}

static void tell_all(const SettingTrail *t) {
    for (char **p = t->now; *p; p++)
        if (!t->before || !strv_contains(t->before, *p))
            tell(*p, "");
    for (char **p = t->before; p && *p; p++)
        if (!has_name(t->now, *p))
            tell(*p, " is no more, its default holds");
}

int setting_trail_write(Manager *m) {
    _cleanup_strv_ char **before = NULL;
    _cleanup_free_ char *note = NULL;
    SettingTrail t = { .m = m, .now = m->settings->choices };

    int r = store_note(m->store, NOTE, &note);
    if (r >= 0)
        r = strv_split(note, '\n', CHOICES_MAX, &before);
    if (r < 0 && r != -ENOENT)
        return r;
    t.before = before;
    if (!differs(&t))
        return 0;
    r = store_write_wait(m->store, write_job, &t);
    if (r >= 0)
        tell_all(&t);
    return r;
}
