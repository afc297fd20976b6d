/* The other end of a connection, from a line of /proc/PID/net/tcp or tcp6. (As a machine with the least significant byte first prints it.) */
#include "pureftpd/peer.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REST " 00000000:00000000 00:00000000 00000000  2001        0 19044570 1 0000000020e65d91 100 0 0 10 0"

static void the_peer_of_one_socket(void **state) {
    char peer[PEER_SIZE];

    assert_int_equal(peer_parse("   0: 0100007F:0015 057100CB:D307 01" REST, 19044570, peer), 0);
    assert_string_equal(peer, "203.0.113.5");
    assert_int_equal(peer_parse("   1: 00000000000000000000000001000000:0015 B80D0120000000000000000001000000:D307 01" REST, 19044570, peer), 0);
    assert_string_equal(peer, "2001:db8::1");
    assert_int_equal(peer_parse("   1: 0000000000000000FFFF00000100007F:0015 0000000000000000FFFF0000057100CB:D307 01" REST, 19044570, peer), 0);
    assert_string_equal(peer, "203.0.113.5");
}

static void other_lines(void **state) {
    char peer[PEER_SIZE];

    assert_int_equal(peer_parse("   0: 0100007F:0015 057100CB:D307 01" REST, 7, peer), -ENOENT);
    assert_int_equal(peer_parse("   0: 0100007F:0015 00000000:0000 0A" REST, 19044570, peer), -ENOENT); /* listens */
    assert_int_equal(peer_parse("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 7, peer), -EINVAL);
    assert_int_equal(peer_parse("", 7, peer), -EINVAL);
    assert_int_equal(peer_parse("   0: 0100007F:0015 057100:D307 01" REST, 19044570, peer), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_peer_of_one_socket), cmocka_unit_test(other_lines) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
