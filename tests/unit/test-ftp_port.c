/* Lines of /proc/net/tcp and tcp6: who listens at the FTP port. */
#include "api/ftp_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REST " 00000000:00000000 00:00000000 00000000     0        0 19011806 1 0000000020e65d91 100 0 0 10 0"

static void only_a_listener_at_the_port_counts(void **state) {
    assert_true(ftp_port_line_listens("   1: 00000000:0015 00000000:0000 0A" REST, 21));
    assert_true(ftp_port_line_listens("   1: 00000000000000000000000000000000:0849 00000000000000000000000000000000:0000 0A" REST, 2121));
    assert_false(ftp_port_line_listens("   1: 00000000:0015 00000000:0000 0A" REST, 2121));
    assert_false(ftp_port_line_listens("   1: 0100007F:0015 0100007F:D307 01" REST, 21)); /* a connection that goes on */
    assert_false(ftp_port_line_listens("   1: 0100007F:D307 0100007F:0015 0A" REST, 21));
    assert_false(ftp_port_line_listens("  sl  local_address rem_address   st tx_queue rx_queue", 21));
    assert_false(ftp_port_line_listens("", 21));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(only_a_listener_at_the_port_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
