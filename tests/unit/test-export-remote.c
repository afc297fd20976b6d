/* A server that lets nobody in: what connect_seconds is for, whatever is spoken. */
#include "export/remote.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "export/ftp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SECONDS 1
#define FILL_MAX 16

/* A listener that nobody accepts from. `full`: its line is full, so the next SYN is dropped; else a connection is made, and nothing is ever said. */
typedef struct Deaf {
    struct sockaddr_in address;
    int listener, waiting[FILL_MAX];
} Deaf;

static bool has_connected(int fd) {
    struct pollfd ready = { fd, POLLOUT, 0 };
    return poll(&ready, 1, 100) > 0;
}

static void deaf_begin(Deaf *d, bool full) {
    socklen_t size = sizeof(d->address);
    bool fits = true;
    size_t n = 0;

    *d = (Deaf) { .address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    for (size_t i = 0; i < FILL_MAX; i++)
        d->waiting[i] = -EBADF;
    assert_true(d->listener >= 0);
    assert_int_equal(bind(d->listener, (const struct sockaddr *) &d->address, size), 0);
    assert_int_equal(listen(d->listener, full ? 0 : 8), 0);
    assert_int_equal(getsockname(d->listener, (struct sockaddr *) &d->address, &size), 0);
    for (; full && fits && n < FILL_MAX; n++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        d->waiting[n] = fd;
        fits = connect(fd, (const struct sockaddr *) &d->address, sizeof(d->address)) == 0 || (errno == EINPROGRESS && has_connected(fd));
    }
    assert_true(!full || !fits);
}

static void deaf_end(Deaf *d) {
    for (size_t i = 0; i < FILL_MAX; i++)
        if (d->waiting[i] >= 0)
            close(d->waiting[i]);
    close(d->listener);
}

static void whoever_does_not_let_us_in_has_failed(void **state) {
    static const DestinationType types[] = { DESTINATION_FTP, DESTINATION_FTPS, DESTINATION_SFTP };

    for (size_t i = 0; i < 2 * ELEMENTS(types); i++) {
        _cleanup_(remote_freep) Remote *remote = NULL;
        ExportFailure failure = { .cause = EXPORT_INTERNAL };
        Flow flow = { .stop = false };
        ExportOrder order = { .type = types[i / 2], .host = (char *) "partner.example", .username = (char *) "ana", .password = (char *) "x", .path = (char *) ".",
                              .addresses = { (char *) "127.0.0.1" } };
        Line line = { .order = &order, .flow = &flow, .internal = true, .connect_seconds = SECONDS, .answer_seconds = 3600 };
        Deaf deaf;

        deaf_begin(&deaf, i % 2 == 0);
        order.port = ntohs(deaf.address.sin_port);
        assert_int_equal(remote_new(&line, &remote), 0);
        uint64_t began = monotonic_ms();
        assert_int_equal(remote->class->connect(remote, &failure), -ECONNABORTED);
        if (failure.cause != EXPORT_CONNECT)
            fail_msg("type %d: %s: %s", order.type, export_cause_name(failure.cause), failure.detail);
        assert_true(monotonic_ms() - began >= SECONDS * 1000 / 2); /* it was waited for, not refused */
        deaf_end(&deaf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_does_not_let_us_in_has_failed),
    };
    return ftp_global_begin() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
