/* The run credential and the answer of a test: what goes in comes out, and nothing else is taken. */
#include "model/export_order.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define KEY "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define TOKEN "00112233445566778899aabbccddeeff"

static void an_order_comes_back(void **state) {
    const ExportOrder o = {
        .token = TOKEN, .type = DESTINATION_SFTP, .host = (char *) "sftp.example.org", .port = 2222, .username = (char *) "ana", .password = (char *) "a=b ñ",
        .ssh_key = (char *) "-----BEGIN\nx\n", .path = (char *) "/in/x y", .host_key = KEY, .addresses = { (char *) "203.0.113.5", (char *) "2001:db8::1" },
    };
    _cleanup_export_order_ ExportOrder back = { 0 };
    char bytes[2048];
    size_t size;

    assert_int_equal(export_order_format(&o, bytes, sizeof(bytes), &size), 0);
    assert_int_equal(export_order_parse(bytes, size, &back), 0);
    assert_string_equal(back.token, TOKEN);
    assert_int_equal(back.type, DESTINATION_SFTP);
    assert_string_equal(back.host, o.host);
    assert_int_equal(back.port, 2222);
    assert_string_equal(back.username, o.username);
    assert_string_equal(back.password, o.password);
    assert_string_equal(back.ssh_key, o.ssh_key);
    assert_string_equal(back.path, o.path);
    assert_string_equal(back.host_key, KEY);
    assert_string_equal(back.addresses[1], "2001:db8::1");
    assert_null(back.addresses[2]);
    assert_int_equal(export_order_format(&o, bytes, 100, &size), -E2BIG);
}

typedef struct Bytes {
    const char *bytes;
    size_t size;
} Bytes;
#define BYTES(text) { text, sizeof(text) } /* with its NUL */
#define WHOLE "type=ftp\0port=21\0host=h\0username=u\0path=.\0address=203.0.113.5"

static void orders_that_are_none(void **state) {
    static const Bytes cases[] = {
        { "", 0 },
        { WHOLE, sizeof(WHOLE) - 1 }, /* no end */
        BYTES("type=ftp\0port=21\0host=h\0username=u\0path=."),
        BYTES("type=ftp\0port=21\0host=h\0path=.\0address=203.0.113.5"),
        BYTES("port=21\0host=h\0username=u\0path=.\0address=203.0.113.5"),
        BYTES("type=ftp\0host=h\0username=u\0path=.\0address=203.0.113.5"),
        BYTES(WHOLE "\0host=again"),
        BYTES(WHOLE "\0token=00"),
        BYTES(WHOLE "\0token=zz112233445566778899aabbccddeeff"),
        BYTES(WHOLE "\0host_key=MD5:00"),
        BYTES(WHOLE "\0port=0"),
        BYTES(WHOLE "\0port=65536"),
        BYTES(WHOLE "\0password="),
        BYTES(WHOLE "\0strange=1"),
        BYTES(WHOLE "\0=1"),
        BYTES(WHOLE "\0nothing"),
        BYTES(WHOLE "\0address=1\0address=2\0address=3\0address=4\0address=5\0address=6\0address=7\0address=8"),
    };
    ExportOrder o;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char bytes[512];
        memcpy(bytes, cases[i].bytes, cases[i].size);
        if (export_order_parse(bytes, cases[i].size, &o) != -EBADMSG)
            fail_msg("case %zu", i);
    }
}

static void results_come_back(void **state) {
    const ProbeResult results[] = {
        { .ok = true, .host_key = KEY },
        { .cause = EXPORT_LOGIN, .detail = "530 no" },
        { .cause = EXPORT_HOST_KEY_UNKNOWN, .host_key = KEY },
    };

    for (size_t i = 0; i < ELEMENTS(results); i++) {
        char bytes[PROBE_RESULT_SIZE];
        ProbeResult back;
        size_t size;
        assert_int_equal(probe_result_format(&results[i], bytes, &size), 0);
        assert_int_equal(probe_result_parse(bytes, size, &back), 0);
        assert_int_equal(back.ok, results[i].ok);
        assert_true(back.ok || back.cause == results[i].cause);
        assert_string_equal(back.detail, results[i].detail);
        assert_string_equal(back.host_key, results[i].host_key);
    }
}

static void results_that_are_none(void **state) {
    static const Bytes cases[] = { { "", 0 }, { "cause=ok", 8 }, BYTES("cause=fine"), BYTES("detail=x"), BYTES("cause=ok\0host_key=x"), BYTES("cause=ok\0x=y") };
    ProbeResult p;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char bytes[64];
        memcpy(bytes, cases[i].bytes, cases[i].size);
        if (probe_result_parse(bytes, cases[i].size, &p) != -EBADMSG)
            fail_msg("case %zu", i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_comes_back),
        cmocka_unit_test(orders_that_are_none),
        cmocka_unit_test(results_come_back),
        cmocka_unit_test(results_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
