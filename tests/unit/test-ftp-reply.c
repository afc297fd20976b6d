/* Replies: the code, one line, and nothing a name could break out of. */
#include "ftpd/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void makes_lines(void **state) {
    Reply r = { 0 };

    reply_line(&r, 211, true, "%s:", "Extensiones");
    reply_item(&r, "%s", "UTF8");
    reply_line(&r, 211, false, "Fin");
    assert_int_equal(r.size, strlen("211-Extensiones:\r\n UTF8\r\n211 Fin\r\n"));
    assert_memory_equal(r.text, "211-Extensiones:\r\n UTF8\r\n211 Fin\r\n", r.size);
}

static void one_line_stays_one_line(void **state) {
    Reply r = { 0 };

    reply_line(&r, 257, false, "\"%s\"", "a\r\n226 falso\n");
    assert_memory_equal(r.text, "257 \"a??226 falso?\"\r\n", r.size);
}

static void byte_255_is_doubled(void **state) {
    Reply r = { 0 };

    reply_line(&r, 250, false, "%s", "a\xff" "b");
    assert_int_equal(r.size, 10);
    assert_memory_equal(r.text, "250 a\xff\xff" "b\r\n", r.size);
}

static void too_long_is_cut_and_ends(void **state) {
    static char name[3 * REPLY_MAX];
    Reply r = { 0 };

    memset(name, 0xff, sizeof(name) - 1);
    reply_line(&r, 250, true, "%s", name);
    reply_item(&r, "%s", name);
    reply_line(&r, 250, false, "%s", name);
    assert_true(r.size <= sizeof(r.text));
    assert_memory_equal(r.text + r.size - 2, "\r\n", 2);
}

static void sends_all(void **state) {
    char text[64];
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(reply(pair[0], 200, "%d %s", 7, "bien"), 0);
    ssize_t n = read(pair[1], text, sizeof(text));
    assert_int_equal(n, 12);
    assert_memory_equal(text, "200 7 bien\r\n", 12);
    close(pair[1]);
    assert_int_equal(reply(pair[0], 200, "nadie"), -EPIPE);
    close(pair[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_lines),       cmocka_unit_test(one_line_stays_one_line), cmocka_unit_test(byte_255_is_doubled),
        cmocka_unit_test(too_long_is_cut_and_ends), cmocka_unit_test(sends_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
