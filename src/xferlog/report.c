/* Two calls to tempoftpd. When they are made, and what comes of an error, is follow.c's business. */
#include "xferlog/report.h"

#include "basic/log.h"
#include "basic/strings.h"

#include <errno.h>

#define SERVICE "org.tempoftp.Manager1"
#define OBJECT "/org/tempoftp/Manager1"
#define CALL_TIMEOUT_USEC (30 * 1000000ull)

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

static int call(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

    int r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, ret);
    if (r >= 0)
        return 0;
    log_debug("%s: %s", sd_bus_message_get_member(m), error.message ? error.message : strerror(-r));
    if (sd_bus_error_has_name(&error, "org.tempoftp.Error.Stale"))
        return -ESTALE;
    if (sd_bus_error_has_name(&error, "org.tempoftp.Error.Invalid"))
        return -EINVAL;
    return sd_bus_is_open(bus) <= 0 ? -ENOTCONN : -EAGAIN;
}

int report_ask(sd_bus *bus, LogPositions *ret) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL, *answer = NULL;
    LogPositions p = { 0 };
    const char *digest;

    int r = sd_bus_message_new_method_call(bus, &m, SERVICE, OBJECT, SERVICE, "TransferLogPositions");
    if (r >= 0)
        r = call(bus, m, &answer);
    if (r >= 0)
        r = sd_bus_message_enter_container(answer, 'a', "(tttts)");
    while (r >= 0 && p.n < LOG_POSITIONS_MAX) {
        LogPosition *at = &p.at[p.n];
        r = sd_bus_message_read(answer, "(tttts)", &at->device, &at->inode, &at->offset, &at->newest, &digest);
        if (r <= 0)
            break;
        if (strlen(digest) >= sizeof(at->digest))
            return -EINVAL;
        strcpy(at->digest, digest);
        p.n++;
    }
    if (r < 0)
        return r;
    *ret = p;
    return 0;
}

static int append_position(sd_bus_message *m, const LogPosition *p) {
    return sd_bus_message_append(m, "(tttts)", p->device, p->inode, p->offset, p->newest, p->digest);
}

static int append_rows(sd_bus_message *m, const Tally *t) {
    int r = sd_bus_message_open_container(m, 'a', "(sssttt)");

    for (size_t i = 0; r >= 0 && i < t->n; i++) {
        const LogLine *line = &t->rows[i].line;
        r = sd_bus_message_append(m, "(sssttt)", line->account, line->id, line->address, line->bytes, t->rows[i].files, (uint64_t) line->when);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int report_move(sd_bus *bus, const LogPosition *before, const LogPosition *after, const Tally *t) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL, *answer = NULL;

    int r = sd_bus_message_new_method_call(bus, &m, SERVICE, OBJECT, SERVICE, "TransfersLogged");
    if (r >= 0)
        r = append_position(m, before);
    if (r >= 0)
        r = append_position(m, after);
    if (r >= 0)
        r = append_rows(m, t);
    return r < 0 ? r : call(bus, m, &answer);
}
