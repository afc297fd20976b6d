/* org.tempoftp.Ftp1 on the system bus: what tempoftpd and operators may ask of the FTP server. docs/INTERNALS.md.
 *
 * Who may call is the bus's policy (org.tempoftp.Ftp1.conf). Asking the sessions is query.c's business. */
#include "basic/log.h"
#include "basic/strings.h"
#include "ftpd/listener.h"

#include <errno.h>

static int answer_error(sd_bus_message *call, int r) {
    return sd_bus_reply_method_errorf(call, r == -EINVAL ? "org.tempoftp.Error.Invalid" : "org.tempoftp.Error.Unavailable", "%s",
                                      strerror(-r));
}

static int method_end_sessions(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    const char *account, *id;

    int r = sd_bus_message_read(call, "ss", &account, &id);
    if (r < 0)
        return r;
    r = query_end(userdata, call, account, 0, id);
    return r < 0 ? answer_error(call, r) : 1;
}

static int method_end_session(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    uint32_t pid;

    int r = sd_bus_message_read(call, "u", &pid);
    if (r < 0)
        return r;
    r = query_end(userdata, call, NULL, pid, "");
    return r < 0 ? answer_error(call, r) : 1;
}

static int method_set_end(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    const char *account;
    uint64_t expira;

    int r = sd_bus_message_read(call, "st", &account, &expira);
    if (r < 0)
        return r;
    if (expira > INT64_MAX)
        return answer_error(call, -EINVAL);
    return sd_bus_reply_method_return(call, "u", watch_set_end(userdata, account, (int64_t) expira));
}

static int method_list_sessions(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    int r = query_list(userdata, call);
    return r < 0 ? answer_error(call, r) : 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_NAMES("EndSessions", "ss", SD_BUS_PARAM(account) SD_BUS_PARAM(id), "u", SD_BUS_PARAM(ended), method_end_sessions,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("EndSession", "u", SD_BUS_PARAM(pid), "u", SD_BUS_PARAM(ended), method_end_session, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("SetEnd", "st", SD_BUS_PARAM(account) SD_BUS_PARAM(expira), "u", SD_BUS_PARAM(changed), method_set_end,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("ListSessions", "", , "a(ussssttt)", SD_BUS_PARAM(sessions), method_list_sessions,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int bus_open(Listener *l) {
    int r = sd_bus_open_system_with_description(&l->bus, "ftp");
    if (r >= 0)
        r = sd_bus_attach_event(l->bus, l->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(l->bus, true);
    if (r >= 0)
        r = sd_bus_add_object_vtable(l->bus, NULL, "/org/tempoftp/Ftp1", "org.tempoftp.Ftp1", vtable, l);
    return r < 0 ? r : bus_name_new(l->bus, "org.tempoftp.Ftp1", &l->name);
}
