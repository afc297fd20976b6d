/* tempoftpd's side of the units that list and end Pure-FTPd's sessions. The unit writes its answer into a file in memory that goes with the call through the
 * broker to systemd; when the call is answered the unit has ended, and the file is read. What the answers are for is not known here. */
#include "units/call.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "model/session_line.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define OUTPUT_MAX (8 << 20) /* LimitFSIZE= of the units */

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

/* All that was written, with a NUL behind it. */
static int read_output(const UnitCall *c, char **ret) {
    _cleanup_free_ char *text = NULL;
    struct stat st;
    size_t got = 0;

    if (fstat(c->output, &st) < 0)
        return -errno;
    if (st.st_size > OUTPUT_MAX)
        return -E2BIG;
    text = malloc((size_t) st.st_size + 1);
    if (!text)
        return -ENOMEM;
    while (got < (size_t) st.st_size) {
        ssize_t n = read_at(c->output, text + got, (size_t) st.st_size - got, got);
        if (n < 0)
            return (int) n;
        if (n == 0)
            break;
        got += (size_t) n;
    }
    text[got] = '\0';
    *ret = TAKE_PTR(text);
    return 0;
}

static int read_ended(UnitCall *c, sd_bus_message *answer) {
    _cleanup_free_ char *text = NULL;
    char *rest;

    int r = read_output(c, &text);
    rest = text;
    for (size_t i = 0; r >= 0 && i < c->n_ended; i++) {
        const char *line = strsep(&rest, "\n");
        uint64_t ended;

        r = line ? parse_u64(line, UINT32_MAX, &ended) : -EBADMSG;
        if (r >= 0 && c->ret_ended)
            c->ret_ended[i] = (uint32_t) ended;
    }
    return r;
}

static int read_sessions(UnitCall *c, sd_bus_message *answer) {
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ SessionLine *s = malloc(sizeof(*s));
    char *line, *rest;

    int r = s ? read_output(c, &text) : -ENOMEM;
    if (r < 0)
        return r;
    rest = text;
    while ((line = strsep(&rest, "\n")) && rest) { /* what has no end was cut: it is left out */
        r = session_line_parse(line, s);
        if (r < 0)
            return r;
        c->session_listed(c->userdata, &(FtpSession) { .pid = s->pid, .account = s->account, .peer = s->peer, .folder = s->folder, .file = s->file,
                                                        .sent = s->sent, .size = s->size, .since = s->since });
    }
    return 0;
}

/* Takes c over. The output is the last argument of all these calls. */
static int send_with_output(UnitCall *owned, sd_bus_message *m, UnitCall **ret_call) {
    _cleanup_(unit_call_freep) UnitCall *c = owned;

    c->output = memfd_create("sessions", MFD_CLOEXEC);
    if (c->output < 0)
        return -errno;
    int r = sd_bus_message_append(m, "h", c->output);
    return r < 0 ? r : call_start(TAKE_PTR(c), m, CALL_JOB_TIMEOUT_USEC, ret_call);
}

static int broker_message(sd_bus *bus, const char *method, sd_bus_message **ret) {
    return sd_bus_message_new_method_call(bus, ret, "org.tempoftp.Broker1", "/org/tempoftp/Broker1", "org.tempoftp.Broker1", method);
}

int pureftpd_list_sessions(sd_bus *bus, FtpSessionListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r = broker_message(bus, "ListSessions", &m);
    UnitCall *c = r < 0 ? NULL : call_new(bus, reply, userdata);

    if (!c)
        return r < 0 ? r : -ENOMEM;
    c->session_listed = listed;
    c->read = read_sessions;
    return send_with_output(c, m, ret_call);
}

static int send_end(sd_bus *bus, sd_bus_message *m, size_t n, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) {
    UnitCall *c = call_new(bus, reply, userdata);

    if (!c)
        return -ENOMEM;
    c->ret_ended = ret_ended;
    c->n_ended = n;
    c->read = read_ended;
    return send_with_output(c, m, ret_call);
}

int pureftpd_end_sessions(sd_bus *bus, const char *const *whose, size_t pairs, uint32_t *ret_ended, UnitReply reply, void *userdata,
                          UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;

    int r = broker_message(bus, "EndSessions", &m);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "s");
    for (size_t i = 0; r >= 0 && i < 2 * pairs; i++)
        r = sd_bus_message_append(m, "s", whose[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : send_end(bus, m, pairs, ret_ended, reply, userdata, ret_call);
}

int pureftpd_end_session(sd_bus *bus, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;

    int r = broker_message(bus, "EndSession", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "u", pid);
    return r < 0 ? r : send_end(bus, m, 1, ret_ended, reply, userdata, ret_call);
}
