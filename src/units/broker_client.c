/* tempoftpd's side of org.tempoftp.Broker1 and org.tempoftp.Ftp1: each call of docs/INTERNALS.md as one function.
 *
 * No checks here: the broker trusts nobody and checks every argument itself. */
#include "units/call.h"

#include <errno.h>

static int broker_message(sd_bus *bus, const char *method, sd_bus_message **ret) {
    return sd_bus_message_new_method_call(bus, ret, "org.tempoftp.Broker1", "/org/tempoftp/Broker1", "org.tempoftp.Broker1", method);
}

static int send_call(sd_bus *bus, sd_bus_message *m, uint64_t timeout_usec, const char *fine_error, UnitReply reply, void *userdata, UnitCall **ret_call) {
    UnitCall *c = call_new(bus, reply, userdata);
    if (!c)
        return -ENOMEM;
    c->fine_error = fine_error;
    return call_start(c, m, timeout_usec, ret_call);
}

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

int broker_start_transfer(sd_bus *bus, const char *id, uint64_t life, uint32_t run, const char *ruta, char *const *addresses, const char *token,
                          UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "StartTransfer", &m);
    if (r >= 0)
        r = sd_bus_message_sensitive(m);
    if (r >= 0)
        r = sd_bus_message_append(m, "stus", id, life, run, ruta);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **) addresses);
    if (r >= 0)
        r = sd_bus_message_append(m, "s", token);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_start_purge(sd_bus *bus, UnitKind kind, const char *id, uint64_t life, uint32_t run, UnitReply reply, void *userdata,
                       UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, kind == UNIT_DROP ? "StartDropPurge" : "StartPurge", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "stu", id, life, run);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_stop_unit(sd_bus *bus, UnitKind kind, const char *id, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "StopUnit", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", unit_kind_name(kind), id);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_start_export(sd_bus *bus, const char *id, uint64_t life, uint32_t n, uint32_t run, const char *account, char *const *addresses, int order,
                        UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "StartExport", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "stuus", id, life, n, run, account);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **) addresses);
    if (r >= 0)
        r = sd_bus_message_append(m, "h", order);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_test_export(sd_bus *bus, uint64_t destination, char *const *addresses, int order, int output, UnitReply reply, void *userdata,
                       UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "TestExport", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "t", destination);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **) addresses);
    if (r >= 0)
        r = sd_bus_message_append(m, "hh", order, output);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_stop_export(sd_bus *bus, const char *id, uint32_t n, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "StopExport", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "su", id, n);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_arm_expiry(sd_bus *bus, const char *id, uint64_t life, int64_t when, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    if (when < 0)
        return -ERANGE;
    r = broker_message(bus, "ArmExpiry", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "stt", id, life, (uint64_t) when);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

int broker_disarm_expiry(sd_bus *bus, const char *id, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = broker_message(bus, "DisarmExpiry", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "s", id);
    return r < 0 ? r : send_call(bus, m, CALL_JOB_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

static int ftp_message(sd_bus *bus, const char *method, sd_bus_message **ret) {
    int r = sd_bus_message_new_method_call(bus, ret, "org.tempoftp.Ftp1", "/org/tempoftp/Ftp1", "org.tempoftp.Ftp1", method);
    return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static int read_ended(UnitCall *c, sd_bus_message *answer) {
    uint32_t ended;
    int r = sd_bus_message_read(answer, "u", &ended);

    if (r < 0)
        return r;
    if (c->ret_ended)
        *c->ret_ended = ended;
    return 0;
}

static int send_end(sd_bus *bus, sd_bus_message *m, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) {
    UnitCall *c = call_new(bus, reply, userdata);

    if (!c)
        return -ENOMEM;
    c->ret_ended = ret_ended;
    c->read = read_ended;
    return call_start(c, m, CALL_TIMEOUT_USEC, ret_call);
}

int ftp_end_sessions(sd_bus *bus, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;

    int r = ftp_message(bus, "EndSessions", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", account, id);
    return r < 0 ? r : send_end(bus, m, ret_ended, reply, userdata, ret_call);
}

int ftp_end_session(sd_bus *bus, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;

    int r = ftp_message(bus, "EndSession", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "u", pid);
    return r < 0 ? r : send_end(bus, m, ret_ended, reply, userdata, ret_call);
}

int ftp_set_end(sd_bus *bus, const char *account, int64_t expira, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;

    if (expira < 0)
        return -ERANGE;
    int r = ftp_message(bus, "SetEnd", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "st", account, (uint64_t) expira);
    return r < 0 ? r : send_call(bus, m, CALL_TIMEOUT_USEC, NULL, reply, userdata, ret_call);
}

static int read_sessions(UnitCall *c, sd_bus_message *answer) {
    FtpSession s;
    int r = sd_bus_message_enter_container(answer, 'a', "(ussssttt)");

    while (r >= 0 && (r = sd_bus_message_read(answer, "(ussssttt)", &s.pid, &s.account, &s.peer, &s.folder, &s.file, &s.sent, &s.size, &s.since)) > 0)
        c->session_listed(c->userdata, &s);
    return r < 0 ? r : 0;
}

int ftp_list_sessions(sd_bus *bus, FtpSessionListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    UnitCall *c;
    int r;

    r = ftp_message(bus, "ListSessions", &m);
    if (r < 0)
        return r;
    c = call_new(bus, reply, userdata);
    if (!c)
        return -ENOMEM;
    c->session_listed = listed;
    c->read = read_sessions;
    return call_start(c, m, CALL_TIMEOUT_USEC, ret_call);
}
