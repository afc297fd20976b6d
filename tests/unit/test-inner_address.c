/* Which addresses no destination may have, in every disguise. */
#include "model/inner_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static InetAddress parse(const char *text) {
    InetAddress a = { 0 };

    if (inet_address_parse(text, &a) < 0)
        fail_msg("%s is no address", text);
    return a;
}

static void inner_ones(void **state) {
    static const char *const inner[] = {
        "127.0.0.1", "127.255.255.255", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254",
        "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1",
        "::", "::1", "fe80::1", "febf::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.1.1", "::ffff:0.0.0.0", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:1::1",
    };

    for (size_t i = 0; i < ELEMENTS(inner); i++) {
        InetAddress a = parse(inner[i]);
        if (!inet_address_is_inner(&a, NULL, 0))
            fail_msg("%s is let through", inner[i]);
    }
}

static void outer_ones(void **state) {
    static const char *const outer[] = {
        "1.0.0.0", "10.0.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.1", "172.16.0.1", "192.168.1.1", "203.0.113.5", "223.255.255.255",
        "2001:db8::1", "fec0::1", "fd00::1", "::ffff:203.0.113.5", "64:ff9b::203.0.113.5", "2002:cb00:7105::1",
    };

    for (size_t i = 0; i < ELEMENTS(outer); i++) {
        InetAddress a = parse(outer[i]);
        if (inet_address_is_inner(&a, NULL, 0))
            fail_msg("%s is refused", outer[i]);
    }
}

static void own_ones(void **state) {
    const InetAddress own[] = { parse("203.0.113.5"), parse("2001:db8::7") };
    static const struct {
        const char *text;
        bool inner;
    } cases[] = {
        { "203.0.113.5", true }, { "::ffff:203.0.113.5", true }, { "64:ff9b::203.0.113.5", true }, { "2002:cb00:7105::9", true },
        { "2001:db8::7", true }, { "203.0.113.6", false },       { "2001:db8::8", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        InetAddress a = parse(cases[i].text);
        if (inet_address_is_inner(&a, own, ELEMENTS(own)) != cases[i].inner)
            fail_msg("%s", cases[i].text);
    }
}

static void what_is_no_address(void **state) {
    static const char *const texts[] = { "", "localhost", "example.org", "1.2.3.4.5", "fe80::1%eth0", "::1x", "256.0.0.1", "[::1]" };
    InetAddress a;

    for (size_t i = 0; i < ELEMENTS(texts); i++)
        assert_int_equal(inet_address_parse(texts[i], &a), -EINVAL);
}

static void from_sockets(void **state) {
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr other = { .sa_family = AF_UNIX };
    InetAddress a, want = parse("127.0.0.1");

    assert_int_equal(inet_address_of((struct sockaddr *) &v4, &a), 0);
    assert_memory_equal(a.bytes, want.bytes, sizeof(a.bytes));
    assert_int_equal(inet_address_of((struct sockaddr *) &v6, &a), 0);
    assert_true(inet_address_is_inner(&a, NULL, 0));
    assert_int_equal(inet_address_of(&other, &a), -EAFNOSUPPORT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_ones),         cmocka_unit_test(outer_ones),   cmocka_unit_test(own_ones),
        cmocka_unit_test(what_is_no_address), cmocka_unit_test(from_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
