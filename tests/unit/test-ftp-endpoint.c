/* What PORT and EPRT may say. */
#include "ftpd/endpoint.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct Case {
    const char *text;
    int expected;
    const char *address; /* as inet_ntop(3) writes it */
    uint16_t port;
} Case;

static const Case ports[] = {
    { "127,0,0,1,4,1", 0, "::ffff:127.0.0.1", 1025 },
    { "255,255,255,255,255,255", 0, "::ffff:255.255.255.255", 65535 },
    { "0,0,0,0,0,0", 0, "::ffff:0.0.0.0", 0 },
    { "010,0,0,01,0,1", 0, "::ffff:10.0.0.1", 1 }, /* decimal, whatever zeros come first */
    { "", -EINVAL, NULL, 0 },
    { "127,0,0,1,4", -EINVAL, NULL, 0 },
    { "127,0,0,1,4,", -EINVAL, NULL, 0 },
    { "127,0,0,1,4,1,", -EINVAL, NULL, 0 },
    { "127,0,0,1,4,1 ", -EINVAL, NULL, 0 },
    { " 127,0,0,1,4,1", -EINVAL, NULL, 0 },
    { "127,0,0,256,4,1", -EINVAL, NULL, 0 },
    { "127,0,0,1,4,1000", -EINVAL, NULL, 0 },
    { "127,0,0,-1,4,1", -EINVAL, NULL, 0 },
    { "127,0,0,+1,4,1", -EINVAL, NULL, 0 },
    { "127.0.0.1.4.1", -EINVAL, NULL, 0 },
    { "127,,0,1,4,1", -EINVAL, NULL, 0 },
}, eprts[] = {
    { "|1|127.0.0.1|1025|", 0, "::ffff:127.0.0.1", 1025 },
    { "|2|2001:db8::1|65535|", 0, "2001:db8::1", 65535 },
    { "|2|::ffff:10.0.0.1|1|", 0, "::ffff:10.0.0.1", 1 },
    { "!1!127.0.0.1!1025!", 0, "::ffff:127.0.0.1", 1025 },
    { "", -EINVAL, NULL, 0 },
    { "|", -EINVAL, NULL, 0 },
    { "||||", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|1025", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|1025|x", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|1025||", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|65536|", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|-1|", -EINVAL, NULL, 0 },
    { "|1|127.0.0.1|0x50|", -EINVAL, NULL, 0 },
    { "|1|2001:db8::1|1025|", -EINVAL, NULL, 0 },
    { "|2|127.0.0.1|1025|", -EINVAL, NULL, 0 },
    { "|1|localhost|1025|", -EINVAL, NULL, 0 },
    { "|2|2001:db8:0000:0000:0000:0000:0000:0000:0000:0001|1025|", -EINVAL, NULL, 0 },
    { "|3|x|1025|", -EPROTONOSUPPORT, NULL, 0 },
    { "|11|127.0.0.1|1025|", -EPROTONOSUPPORT, NULL, 0 },
    { " 1 127.0.0.1 1025 ", -EINVAL, NULL, 0 },
};

static void check(const Case *c, int r, const Endpoint *e) {
    char text[INET6_ADDRSTRLEN];

    if (r != c->expected)
        fail_msg("'%s': expected %d, got %d", c->text, c->expected, r);
    if (r < 0)
        return;
    assert_non_null(inet_ntop(AF_INET6, &e->address, text, sizeof(text)));
    assert_string_equal(text, c->address);
    assert_int_equal(e->port, c->port);
}

static void port_is_six_bytes(void **state) {
    for (size_t i = 0; i < ELEMENTS(ports); i++) {
        Endpoint e;
        int r = endpoint_parse_port(ports[i].text, &e);
        check(&ports[i], r, &e);
    }
}

static void eprt_is_three_fields(void **state) {
    for (size_t i = 0; i < ELEMENTS(eprts); i++) {
        Endpoint e;
        int r = endpoint_parse_eprt(eprts[i].text, &e);
        check(&eprts[i], r, &e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_is_six_bytes),
        cmocka_unit_test(eprt_is_three_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
