/* Messages between listener and children: whole ones pass, everything else is an attack. */
#include "ftpd/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void pair(int ret[2]) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret), 0);
}

static void carries_a_login(void **state) {
    WireMessage m = { .login = { .header = { .type = WIRE_LOGIN }, .user = "ana", .password = "secreto" } }, got;
    int fds[2];

    pair(fds);
    assert_int_equal(wire_receive(fds[1], WIRE_PRELOGIN, &got), -EAGAIN);
    assert_int_equal(wire_send(fds[0], &m), 0);
    assert_int_equal(wire_receive(fds[1], WIRE_PRELOGIN, &got), 1);
    assert_string_equal(got.login.user, "ana");
    assert_string_equal(got.login.password, "secreto");
    close(fds[0]);
    assert_int_equal(wire_receive(fds[1], WIRE_PRELOGIN, &got), 0);
    close(fds[1]);
}

static void cuts_the_last_text(void **state) {
    WireMessage m = { .transfer = { .header = { .type = WIRE_TRANSFER }, .bytes = 7, .whole = 1, .path = "/set1/a" } }, got;
    int fds[2];

    assert_int_equal(wire_size(&m), offsetof(WireTransfer, path) + sizeof("/set1/a"));
    pair(fds);
    assert_int_equal(wire_send(fds[0], &m), 0);
    assert_int_equal(wire_receive(fds[1], WIRE_SESSION, &got), 1);
    assert_int_equal(got.transfer.bytes, 7);
    assert_string_equal(got.transfer.path, "/set1/a");
    close(fds[0]);
    close(fds[1]);
}

static void refuses_what_is_none(void **state) {
    WireMessage m = { .header = { .type = WIRE_LOGIN } };

    assert_int_equal(wire_check(&m, sizeof(WireLogin), WIRE_PRELOGIN), 0);
    assert_int_equal(wire_check(&m, sizeof(WireLogin) - 1, WIRE_PRELOGIN), -EBADMSG);
    assert_int_equal(wire_check(&m, sizeof(WireLogin) + 1, WIRE_PRELOGIN), -EBADMSG);
    assert_int_equal(wire_check(&m, sizeof(WireHeader) - 1, WIRE_PRELOGIN), -EBADMSG);
    assert_int_equal(wire_check(&m, 0, WIRE_PRELOGIN), -EBADMSG);
    memset(m.login.password, 'x', sizeof(m.login.password));
    assert_int_equal(wire_check(&m, sizeof(WireLogin), WIRE_PRELOGIN), -EBADMSG);
    m.header.type = 0;
    assert_int_equal(wire_check(&m, sizeof(WireHeader), WIRE_PRELOGIN), -EBADMSG);
    m.header.type = _WIRE_TYPE_MAX;
    assert_int_equal(wire_check(&m, sizeof(WireHeader), WIRE_PRELOGIN), -EBADMSG);
    m.header.type = UINT32_MAX;
    assert_int_equal(wire_check(&m, sizeof(WireHeader), WIRE_PRELOGIN), -EBADMSG);
}

static void texts_end_within_the_message(void **state) {
    WireMessage m = { .transfer = { .header = { .type = WIRE_TRANSFER } } };
    const size_t start = offsetof(WireTransfer, path);

    memset(m.transfer.path, 'x', sizeof(m.transfer.path));
    assert_int_equal(wire_check(&m, start, WIRE_SESSION), -EBADMSG);
    assert_int_equal(wire_check(&m, start + 10, WIRE_SESSION), -EBADMSG);
    m.transfer.path[9] = '\0';
    assert_int_equal(wire_check(&m, start + 9, WIRE_SESSION), -EBADMSG);
    assert_int_equal(wire_check(&m, start + 10, WIRE_SESSION), 0);
}

static void carries_an_fd_to_who_asks_for_it(void **state) {
    WireMessage m = { .connected = { .header = { .type = WIRE_CONNECTED, .serial = 7 } } }, got;
    int fds[2], passed;

    pair(fds);
    assert_int_equal(wire_receive_fd(fds[1], WIRE_LISTENER, &got, &passed), -EAGAIN);
    assert_int_equal(wire_send_fd_now(fds[0], &m, fds[0]), 0);
    assert_int_equal(wire_receive_fd(fds[1], WIRE_LISTENER, &got, &passed), 1);
    assert_int_equal(got.header.serial, 7);
    assert_true(passed > fds[1]);
    close(passed);

    m.connected.error = -ECONNREFUSED;
    assert_int_equal(wire_send_fd_now(fds[0], &m, -EBADF), 0);
    assert_int_equal(wire_receive_fd(fds[1], WIRE_LISTENER, &got, &passed), 1);
    assert_int_equal(got.connected.error, -ECONNREFUSED);
    assert_int_equal(passed, -EBADF);

    /* A message that is none: its fd is not left open. */
    assert_int_equal(wire_send_fd_now(fds[0], &m, fds[0]), 0);
    assert_int_equal(wire_receive_fd(fds[1], WIRE_SESSION, &got, &passed), -EBADMSG);
    assert_int_equal(passed, -EBADF);
    close(fds[0]);
    assert_int_equal(wire_receive_fd(fds[1], WIRE_LISTENER, &got, &passed), 0);
    close(fds[1]);
}

/* Each side may say its own lines only. */
static void nobody_speaks_for_another(void **state) {
    static const struct {
        WireType type;
        WireSender from;
    } owners[] = {
        { WIRE_LOGIN, WIRE_PRELOGIN },      { WIRE_AUTH_TLS, WIRE_PRELOGIN }, { WIRE_RELAYED, WIRE_LISTENER }, { WIRE_DENIED, WIRE_LISTENER }, { WIRE_CLOSE, WIRE_LISTENER },
        { WIRE_UNAVAILABLE, WIRE_LISTENER }, { WIRE_FULL, WIRE_LISTENER },
        { WIRE_GO, WIRE_LISTENER },     { WIRE_ASK, WIRE_LISTENER },
        { WIRE_WHERE, WIRE_SESSION },       { WIRE_END, WIRE_LISTENER },    { WIRE_STAYS, WIRE_SESSION },
        { WIRE_TRANSFER, WIRE_SESSION },    { WIRE_BYE, WIRE_SESSION },        { WIRE_AGAIN, WIRE_SESSION },
        { WIRE_BUSY, WIRE_SESSION },        { WIRE_IDLE, WIRE_SESSION },    { WIRE_RATE, WIRE_LISTENER },
        { WIRE_CONNECT, WIRE_SESSION },     { WIRE_CONNECTED, WIRE_LISTENER },
        { WIRE_ROOM, WIRE_SESSION },        { WIRE_GRANT, WIRE_LISTENER },  { WIRE_SETTLE, WIRE_SESSION },
        { WIRE_COUNT, WIRE_LISTENER },      { WIRE_COUNTED, WIRE_SESSION },     { WIRE_UNTIL, WIRE_LISTENER },
    };

    assert_int_equal(sizeof(owners) / sizeof(owners[0]), _WIRE_TYPE_MAX - 1);
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
        for (WireSender from = WIRE_PRELOGIN; from <= WIRE_LISTENER; from++) {
            WireMessage m = { .header = { .type = owners[i].type } };
            assert_int_equal(wire_check(&m, wire_size(&m), from), from == owners[i].from ? 0 : -EBADMSG);
        }
}

static void holds_as_many_reports_as_it_says(void **state) {
    WireMessage m = { .transfer = { .header = { .type = WIRE_TRANSFER }, .path = "/id/of-usual-length" } };
    size_t n = wire_capacity();
    int pair[2];

    assert_true(n > 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(wire_send_now(pair[0], &m), 0);
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_a_login),         cmocka_unit_test(cuts_the_last_text),          cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(texts_end_within_the_message), cmocka_unit_test(nobody_speaks_for_another),
        cmocka_unit_test(carries_an_fd_to_who_asks_for_it), cmocka_unit_test(holds_as_many_reports_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
