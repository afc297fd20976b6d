/* What systemd knows of our units: the state of one, a list of a kind, and word when one has ended.
 *
 * Only reads, so it asks systemd itself. GetUnit and ListUnitsByPatterns speak of loaded units only: asking never loads one. */
#include "units/call.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT "org.freedesktop.systemd1.Unit"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

static int manager_message(sd_bus *bus, const char *method, sd_bus_message **ret) {
    return sd_bus_message_new_method_call(bus, ret, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

/* ---- unit_state: GetUnit, then ActiveState, then StatusText ---- */

static int ask_property(UnitCall *c, const char *interface, const char *name) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = sd_bus_message_new_method_call(c->bus, &m, SYSTEMD, c->path, "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", interface, name);
    return r < 0 ? r : call_continue(c, m);
}

static int read_text(sd_bus_message *answer, char **ret) {
    const char *text;
    char *copy;
    int r;

    r = sd_bus_message_read(answer, "v", "s", &text);
    if (r < 0)
        return r;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

static int read_status(UnitCall *c, sd_bus_message *answer) {
    return read_text(answer, &c->status);
}

static int read_active(UnitCall *c, sd_bus_message *answer) {
    int r = read_text(answer, &c->active);
    if (r < 0 || c->kind == UNIT_EXPIRE) /* timers have no STATUS= */
        return r;
    c->read = read_status;
    return ask_property(c, "org.freedesktop.systemd1.Service", "StatusText");
}

static int read_path(UnitCall *c, sd_bus_message *answer) {
    const char *path;
    int r;

    r = sd_bus_message_read(answer, "o", &path);
    if (r < 0)
        return r;
    c->path = strdup(path);
    if (!c->path)
        return -ENOMEM;
    c->read = read_active;
    return ask_property(c, SYSTEMD_UNIT, "ActiveState");
}

static void tell_state(UnitCall *c, int r, const char *error_name, const char *message) {
    /* Gone between two of our questions: systemd then knows no such object. */
    if (r < 0 && c->path && error_name)
        c->state_reply(c->userdata, 0, "", "");
    else
        c->state_reply(c->userdata, r, c->active ? c->active : "", c->status ? c->status : "");
}

static int state_of(sd_bus *bus, const char *name, UnitKind kind, UnitStateReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    UnitCall *c;
    int r;

    r = manager_message(bus, "GetUnit", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "s", name);
    if (r < 0)
        return r;
    c = call_new(bus, NULL, userdata);
    if (!c)
        return -ENOMEM;
    c->kind = kind;
    c->state_reply = reply;
    c->read = read_path;
    c->tell = tell_state;
    c->fine_error = NO_SUCH_UNIT;
    return call_start(c, m, CALL_TIMEOUT_USEC, ret_call);
}

int unit_state(sd_bus *bus, UnitKind kind, const char *id, UnitStateReply reply, void *userdata, UnitCall **ret_call) {
    char name[UNIT_NAME_SIZE];

    unit_name_make(kind, id, kind == UNIT_EXPIRE, name);
    return state_of(bus, name, kind, reply, userdata, ret_call);
}

int ftp_state(sd_bus *bus, UnitStateReply reply, void *userdata, UnitCall **ret_call) {
    return state_of(bus, "tempoftp-ftp.service", UNIT_TRANSFER, reply, userdata, ret_call);
}

/* ---- unit_list ---- */

static int read_list(UnitCall *c, sd_bus_message *answer) {
    int r;

    r = sd_bus_message_enter_container(answer, 'a', "(ssssssouso)");
    while (r >= 0) {
        const char *name, *active;
        char id[UNIT_ID_MAX + 1];
        UnitKind kind;

        r = sd_bus_message_read(answer, "(ssssssouso)", &name, NULL, NULL, &active, NULL, NULL, NULL, NULL, NULL, NULL);
        if (r <= 0)
            break;
        if (unit_name_parse(name, &kind, id) >= 0 && kind == c->kind)
            c->listed(c->userdata, id, active);
    }
    return r < 0 ? r : 0;
}

int unit_list(sd_bus *bus, UnitKind kind, UnitListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    char pattern[UNIT_NAME_SIZE];
    UnitCall *c;
    int r;

    snprintf(pattern, sizeof(pattern), "tempoftp-%s-*.%s", unit_kind_name(kind), kind == UNIT_EXPIRE ? "timer" : "service");
    r = manager_message(bus, "ListUnitsByPatterns", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "asas", 0, 1, pattern);
    if (r < 0)
        return r;
    c = call_new(bus, reply, userdata);
    if (!c)
        return -ENOMEM;
    c->kind = kind;
    c->listed = listed;
    c->read = read_list;
    return call_start(c, m, CALL_TIMEOUT_USEC, ret_call);
}

/* ---- unit_watch_ended ---- */

typedef struct Watch {
    UnitEnded ended;
    void *userdata;
    char id[UNIT_ID_MAX + 1];
} Watch;

/* PropertiesChanged(s interface, a{sv} changed, as invalidated): is ActiveState in it, and an end? */
static bool tells_end(sd_bus_message *signal) {
    const char *interface, *name, *value;
    bool ended = false;
    int r;

    r = sd_bus_message_read(signal, "s", &interface);
    if (r < 0 || !streq(interface, SYSTEMD_UNIT) || sd_bus_message_enter_container(signal, 'a', "{sv}") < 0)
        return false;
    while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
        if (sd_bus_message_read(signal, "s", &name) < 0)
            return false;
        if (!streq(name, "ActiveState"))
            r = sd_bus_message_skip(signal, "v");
        else if ((r = sd_bus_message_read(signal, "v", "s", &value)) >= 0)
            ended = unit_is_dead(value);
        if (r < 0 || sd_bus_message_exit_container(signal) < 0)
            return false;
    }
    return ended;
}

static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
    Watch *w = userdata;

    if (tells_end(signal))
        w->ended(w->userdata, w->id);
    return 0;
}

int unit_watch_ended(sd_bus *bus, UnitKind kind, const char *id, UnitEnded ended, void *userdata, sd_bus_slot **ret_slot) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    _cleanup_free_ Watch *w = NULL;
    _cleanup_free_ char *path = NULL;
    sd_bus_slot *slot = NULL;
    char name[UNIT_NAME_SIZE];
    int r;

    w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = (Watch) { .ended = ended, .userdata = userdata };
    snprintf(w->id, sizeof(w->id), "%s", id);
    unit_name_make(kind, id, false, name);
    r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path);
    if (r >= 0)
        r = sd_bus_match_signal_async(bus, &slot, SYSTEMD, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed, NULL, w);
    if (r >= 0)
        r = sd_bus_slot_set_destroy_callback(slot, free);
    if (r >= 0) {
        TAKE_PTR(w); /* the slot's from here on */
        r = manager_message(bus, "Subscribe", &m); /* once would do; again is harmless */
    }
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(m, false);
    if (r >= 0)
        r = sd_bus_send(bus, m, NULL);
    if (r < 0)
        sd_bus_slot_unref(slot);
    else
        *ret_slot = slot;
    return r < 0 ? r : 0;
}

bool unit_is_dead(const char *active) {
    return streq(active, "") || streq(active, "inactive") || streq(active, "failed");
}

void unit_ids_add(UnitIds *u, const char *id, const char *active) {
    void *grown;

    if (unit_is_dead(active))
        return;
    grown = reallocarray(u->ids, u->n + 1, sizeof(*u->ids));
    if (!grown)
        return;
    u->ids = grown;
    snprintf(u->ids[u->n++], UNIT_ID_MAX + 1, "%s", id);
}

bool unit_ids_have(const UnitIds *u, const char *id) {
    for (size_t i = 0; i < u->n; i++)
        if (streq(u->ids[i], id))
            return true;
    return false;
}
