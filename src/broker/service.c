/* org.tempoftp.Broker1: who may call, what each method takes, and the order that comes of it.
 *
 * The bus policy lets user tempoftp and root through; it is asked again here. Arguments are judged in plan.c, work is done in operation.c. */
#include "broker/operation.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "broker/plan.h"

#include <errno.h>

#define ERROR_INVALID "org.tempoftp.Error.Invalid"
#define ERROR_DENIED "org.tempoftp.Error.Denied"
#define ERROR_UNAVAILABLE "org.tempoftp.Error.Unavailable"

static void creds_unrefp(sd_bus_creds **c) {
    sd_bus_creds_unref(*c);
}

/* 0, or negative with *error set. */
static int check_caller(Broker *b, sd_bus_message *call, sd_bus_error *error) {
    _cleanup_(creds_unrefp) sd_bus_creds *creds = NULL;
    uid_t uid;
    int r;

    r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds);
    if (r >= 0)
        r = sd_bus_creds_get_euid(creds, &uid);
    if (r < 0)
        return r;
    if (uid == 0 || uid == b->service_uid)
        return 0;
    return sd_bus_error_setf(error, ERROR_DENIED, "Only tempoftpd and root may ask the broker");
}

static int refuse(sd_bus_message *call, int r, const char *argument, sd_bus_error *error) {
    if (r != -EINVAL)
        return r;
    log_warning("%s: refused, wrong argument: %s", sd_bus_message_get_member(call), argument);
    return sd_bus_error_setf(error, ERROR_INVALID, "Wrong argument: %s", argument);
}

static int begin(Broker *b, sd_bus_message *call, const Order *order, sd_bus_error *error) {
    int r = operation_begin(b, call, order);
    if (r == -EAGAIN)
        return sd_bus_error_setf(error, ERROR_UNAVAILABLE, "Too many calls under way");
    return r < 0 ? r : 1; /* answered later */
}

static int method_start_transfer(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    _cleanup_strv_ char **addresses = NULL;
    _cleanup_transient_ TransientUnit unit = { 0 };
    Broker *b = userdata;
    const char *id, *ruta, *token, *reason = "";
    uint64_t life;
    uint32_t run;
    int r;

    r = sd_bus_message_sensitive(call);
    if (r >= 0)
        r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "stus", &id, &life, &run, &ruta);
    if (r >= 0)
        r = sd_bus_message_read_strv(call, &addresses);
    if (r >= 0)
        r = sd_bus_message_read(call, "s", &token);
    if (r < 0)
        return r;
    r = plan_transfer(b->settings, id, life, run, ruta, addresses, token, &unit, &reason);
    if (r < 0)
        return refuse(call, r, reason, error);
    return begin(b, call, &(Order) { .start = &unit }, error);
}

static int start_purge(sd_bus_message *call, void *userdata, UnitKind kind, sd_bus_error *error) {
    _cleanup_transient_ TransientUnit unit = { 0 };
    Broker *b = userdata;
    const char *id, *reason = "";
    uint64_t life;
    uint32_t run;
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "stu", &id, &life, &run);
    if (r < 0)
        return r;
    r = plan_purge(b->settings, kind, id, life, run, &unit, &reason);
    if (r < 0)
        return refuse(call, r, reason, error);
    return begin(b, call, &(Order) { .start = &unit }, error);
}

static int method_start_purge(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    return start_purge(call, userdata, UNIT_PURGE, error);
}

static int method_start_drop_purge(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    return start_purge(call, userdata, UNIT_DROP, error);
}

/* Order and output stay open as long as the call, which the operation keeps until systemd has them. */
static int method_start_export(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    _cleanup_strv_ char **addresses = NULL;
    _cleanup_transient_ TransientUnit unit = { 0 };
    Broker *b = userdata;
    ExportPlan plan = { 0 };
    const char *reason = "";
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "stuus", &plan.id, &plan.life, &plan.n, &plan.run, &plan.account);
    if (r >= 0)
        r = sd_bus_message_read_strv(call, &addresses);
    if (r >= 0)
        r = sd_bus_message_read(call, "h", &plan.order);
    if (r < 0)
        return r;
    plan.addresses = addresses;
    r = plan_export(b->settings, &plan, &unit, &reason);
    if (r < 0)
        return refuse(call, r, reason, error);
    return begin(b, call, &(Order) { .start = &unit }, error);
}

static int method_test_export(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    _cleanup_strv_ char **addresses = NULL;
    _cleanup_transient_ TransientUnit unit = { 0 };
    Broker *b = userdata;
    const char *reason = "";
    int order, output, r;
    uint64_t destination;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "t", &destination);
    if (r >= 0)
        r = sd_bus_message_read_strv(call, &addresses);
    if (r >= 0)
        r = sd_bus_message_read(call, "hh", &order, &output);
    if (r < 0)
        return r;
    r = plan_probe(b->settings, destination, addresses, order, output, &unit, &reason);
    if (r < 0)
        return refuse(call, r, reason, error);
    return begin(b, call, &(Order) { .start = &unit }, error);
}

static int method_stop_export(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    char unit_id[UNIT_ID_MAX + 1], name[UNIT_NAME_SIZE];
    Broker *b = userdata;
    const char *id;
    uint32_t n;
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "su", &id, &n);
    if (r < 0)
        return r;
    if (!id_is_valid(id))
        return refuse(call, -EINVAL, "id", error);
    if (n == 0)
        return refuse(call, -EINVAL, "n", error);
    export_unit_id_make(id, n, unit_id);
    unit_name_make(UNIT_EXPORT, unit_id, false, name);
    return begin(b, call, &(Order) { .stop = { name }, .at_once = true }, error);
}

static int method_stop_unit(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Broker *b = userdata;
    char name[UNIT_NAME_SIZE];
    const char *kind_name, *id;
    UnitKind kind;
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "ss", &kind_name, &id);
    if (r < 0)
        return r;
    /* Timers have DisarmExpiry, exports StopExport. */
    if (unit_kind_parse(kind_name, &kind) < 0 || kind == UNIT_EXPIRE || kind == UNIT_EXPORT)
        return refuse(call, -EINVAL, "kind", error);
    if (!id_is_valid(id))
        return refuse(call, -EINVAL, "id", error);
    unit_name_make(kind, id, false, name);
    return begin(b, call, &(Order) { .stop = { name }, .at_once = true }, error);
}

static void expiry_names(const char *id, char ret_timer[static UNIT_NAME_SIZE], char ret_service[static UNIT_NAME_SIZE]) {
    unit_name_make(UNIT_EXPIRE, id, true, ret_timer);
    unit_name_make(UNIT_EXPIRE, id, false, ret_service);
}

static int method_arm_expiry(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    _cleanup_transient_ TransientUnit timer = { 0 }, service = { 0 };
    char timer_name[UNIT_NAME_SIZE], service_name[UNIT_NAME_SIZE];
    Broker *b = userdata;
    const char *id, *reason = "";
    uint64_t life, when;
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "stt", &id, &life, &when);
    if (r < 0)
        return r;
    r = plan_expiry(id, life, when, (uint64_t) utc_now(), &timer, &service, &reason);
    if (r < 0)
        return refuse(call, r, reason, error);
    expiry_names(id, timer_name, service_name);
    return begin(b, call, &(Order) { .stop = { timer_name, service_name }, .start = &timer, .auxiliary = &service }, error);
}

static int method_disarm_expiry(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    char timer_name[UNIT_NAME_SIZE], service_name[UNIT_NAME_SIZE];
    Broker *b = userdata;
    const char *id;
    int r;

    r = check_caller(b, call, error);
    if (r >= 0)
        r = sd_bus_message_read(call, "s", &id);
    if (r < 0)
        return r;
    if (!id_is_valid(id))
        return refuse(call, -EINVAL, "id", error);
    expiry_names(id, timer_name, service_name);
    return begin(b, call, &(Order) { .stop = { timer_name, service_name } }, error);
}

static int begin_sessions(Broker *b, sd_bus_message *call, const SessionsOrder *order, sd_bus_error *error) {
    _cleanup_transient_ TransientUnit unit = { 0 };
    const char *reason = "";
    int r = plan_sessions(b->settings, order, &unit, &reason);

    return r < 0 ? refuse(call, r, reason, error) : begin(b, call, &(Order) { .start = &unit }, error);
}

static int method_list_sessions(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    SessionsOrder order = { .verb = SESSIONS_LIST };
    int r = check_caller(userdata, call, error);

    if (r >= 0)
        r = sd_bus_message_read(call, "h", &order.output);
    return r < 0 ? r : begin_sessions(userdata, call, &order, error);
}

static int method_end_sessions(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    _cleanup_strv_ char **whose = NULL;
    SessionsOrder order = { .verb = SESSIONS_END };
    int r = check_caller(userdata, call, error);

    if (r >= 0)
        r = sd_bus_message_read_strv(call, &whose);
    if (r >= 0)
        r = sd_bus_message_read(call, "h", &order.output);
    order.whose = whose;
    return r < 0 ? r : begin_sessions(userdata, call, &order, error);
}

static int method_end_session(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    SessionsOrder order = { .verb = SESSIONS_END_PROCESS };
    int r = check_caller(userdata, call, error);

    if (r >= 0)
        r = sd_bus_message_read(call, "uh", &order.pid, &order.output);
    return r < 0 ? r : begin_sessions(userdata, call, &order, error);
}

/* UNPRIVILEGED: sd-bus asks for no capability of the caller; check_caller() does the asking. */
static const sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("StartTransfer", "stusass", "", method_start_transfer, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartPurge", "stu", "", method_start_purge, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartDropPurge", "stu", "", method_start_drop_purge, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartExport", "stuusash", "", method_start_export, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TestExport", "tashh", "", method_test_export, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopExport", "su", "", method_stop_export, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopUnit", "ss", "", method_stop_unit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ArmExpiry", "stt", "", method_arm_expiry, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("DisarmExpiry", "s", "", method_disarm_expiry, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ListSessions", "h", "", method_list_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("EndSessions", "ash", "", method_end_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("EndSession", "uh", "", method_end_session, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int broker_export(Broker *b) {
    return sd_bus_add_object_vtable(b->bus, NULL, "/org/tempoftp/Broker1", "org.tempoftp.Broker1", methods, b);
}
