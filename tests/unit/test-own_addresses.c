/* The machine's own addresses: loopback is always among them, and a walk stops when it is told to. */
#include "basic/own_addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static int find_loopback(const struct sockaddr *address, void *userdata) {
    const struct sockaddr_in *v4 = (const void *) address;

    return address->sa_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? 7 : 0;
}

static int count(const struct sockaddr *address, void *userdata) {
    assert_true(address->sa_family == AF_INET || address->sa_family == AF_INET6);
    ++*(unsigned *) userdata;
    return 0;
}

static void loopback_is_own(void **state) {
    unsigned n = 0;

    assert_int_equal(own_addresses_walk(find_loopback, NULL), 7);
    assert_int_equal(own_addresses_walk(count, &n), 0);
    assert_true(n > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(loopback_is_own) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
