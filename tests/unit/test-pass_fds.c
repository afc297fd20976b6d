/* Fds arrive with the bytes of their message, in their order. */
#include "basic/pass_fds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static int setup(void **state) {
    static int pair[2];

    *state = pair;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state) {
    int *pair = *state;

    close(pair[0]);
    close(pair[1]);
    return 0;
}

static size_t take(int fd, char *text, size_t size, int ret[static PASS_FDS_MAX]) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
    } control;
    struct iovec bytes = { text, size };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    assert_true(n > 0);
    text[n] = '\0';
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c)
        return 0;
    memcpy(ret, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static ino_t inode(int fd) {
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

static void fds_arrive_in_their_order(void **state) {
    int *pair = *state, pipes[4], got[PASS_FDS_MAX];
    char text[16];

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(pipes + 2), 0);
    for (size_t n = 0; n <= PASS_FDS_MAX; n++) {
        assert_int_equal(pass_fds(pair[0], "hola", 4, pipes, n, MSG_DONTWAIT), 0);
        assert_int_equal(take(pair[1], text, sizeof(text) - 1, got), n);
        assert_string_equal(text, "hola");
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(inode(got[i]), inode(pipes[i]));
            close(got[i]);
        }
    }
    for (size_t i = 0; i < 4; i++)
        close(pipes[i]);
}

static void what_cannot_be_passed_is_said(void **state) {
    int *pair = *state, fds[PASS_FDS_MAX + 1] = { -1, -1, -1, -1 };

    assert_int_equal(pass_fds(pair[0], "x", 1, fds, PASS_FDS_MAX + 1, 0), -E2BIG);
    assert_int_equal(pass_fds(pair[0], "x", 1, fds, 1, 0), -EBADF);
    close(pair[1]);
    pair[1] = -1;
    assert_int_equal(pass_fds(pair[0], "x", 1, fds, 0, 0), -EPIPE); /* and no SIGPIPE */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fds_arrive_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_passed_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
