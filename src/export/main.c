/* tempoftp-export: brings one request's data to a partner's server, or tests such a server. Runs as tempoftp-export-<id>-<n>.service or
 * tempoftp-probe-<destination>.service, made by the broker.
 *
 * Its order, with the destination's secret, comes through standard input; it sees no other request's data and no database. */
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/own_addresses.h"
#include "basic/strings.h"
#include "export/ftp.h"
#include "export/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define OWN_ADDRESSES_MAX 256

typedef struct Own {
    InetAddress addresses[OWN_ADDRESSES_MAX];
    size_t n;
} Own;

static int take_own(const struct sockaddr *address, void *userdata) {
    Own *own = userdata;

    if (own->n == OWN_ADDRESSES_MAX)
        return -E2BIG;
    if (inet_address_of(address, &own->addresses[own->n]) >= 0)
        own->n++;
    return 0;
}

/* All that standard input says. What is started from here finds nothing there. */
static int read_order(char *bytes, size_t size, size_t *ret_size) {
    size_t n = 0;
    ssize_t got;

    do {
        got = read(STDIN_FILENO, bytes + n, size - n);
        if (got > 0)
            n += (size_t) got;
    } while (n < size && (got > 0 || (got < 0 && errno == EINTR)));

    _cleanup_close_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return -errno;
    *ret_size = n;
    return 0;
}

static int take_order(ExportOrder *ret) {
    char *bytes = malloc(EXPORT_ORDER_SIZE);
    size_t size = 0;
    int r = bytes ? read_order(bytes, EXPORT_ORDER_SIZE, &size) : -ENOMEM;

    if (r >= 0)
        r = export_order_parse(bytes, size, ret);
    if (bytes)
        wipe(bytes, EXPORT_ORDER_SIZE);
    free(bytes);
    return r;
}

typedef struct Work {
    ExportOrder order;
    Own own;
    Flow flow;
} Work;

static RunExit work(const Options *o, Work *w) {
    Line line = { .order = &w->order, .flow = &w->flow, .internal = o->internal, .own = w->own.addresses,
                  .connect_seconds = PROBE_CONNECT_SECONDS, .answer_seconds = PROBE_ANSWER_SECONDS };
    int r = take_order(&w->order);

    if (r < 0 || (o->verb == OPTIONS_UPLOAD && !w->order.token[0])) {
        log_error("There is no order for this unit: tempoftpd does not wait for it");
        return RUN_NO_ORDER;
    }
    r = own_addresses_walk(take_own, &w->own);
    if (r < 0) {
        log_errno(r, "Cannot list this machine's addresses");
        return RUN_UNREPORTED;
    }
    line.n_own = w->own.n;
    if (o->verb == OPTIONS_UPLOAD) {
        line.connect_seconds = (unsigned) (w->order.type == DESTINATION_SFTP ? o->sftp_seconds : o->ftp_seconds);
        line.answer_seconds = (unsigned) o->answer_seconds;
    }
    if (o->verb == OPTIONS_TEST) /* a thread of it may hang in a library still, and use all this */
        _exit(run_test(&line));
    return run_upload(o, &line);
}

int main(int argc, char **argv) {
    const char *error = NULL;
    sigset_t signals;
    Options o;
    RunExit e;
    Work *w;

    log_open_stream("tempoftp-export", LOG_INFO);
    (void) prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (options_parse(argc, argv, &o, &error) < 0) {
        log_error("%s", error);
        return RUN_USAGE;
    }
    if (o.verb == OPTIONS_VERSION || o.verb == OPTIONS_HELP) {
        puts(o.verb == OPTIONS_VERSION ? "tempoftp-export " TEMPOFTP_VERSION
                                       : "tempoftp-export upload --id ID --folder FOLDER --life LIFE --number N --connections N --retries N --retry-seconds N "
                                         "--ftp-seconds N --sftp-seconds N --answer-seconds N [--internal]\ntempoftp-export test [--internal]\n\n"
                                         "Brings a request's data to a partner's server. Started by systemd, not by hand: see tempoftp-export(8).");
        return 0;
    }
    if (ftp_global_begin() < 0) {
        log_error("libcurl does not start");
        return RUN_UNREPORTED;
    }
    w = calloc(1, sizeof(*w));
    if (!w)
        return RUN_UNREPORTED;
    e = work(&o, w);
    export_order_done(&w->order);
    free(w);
    return e;
}
