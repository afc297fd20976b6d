/* Heads of HTTP/1 requests: whole, in pieces of every size, too large, and such as readers differ about. */
#include "api/http_head.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* The first verdict that is not "more has to come", when the bytes come in such pieces. */
static HttpHeadState look(const char *data, size_t size, size_t piece) {
    HttpHead head = { 0 };
    HttpHeadState state = HTTP_HEAD_PART;

    for (size_t at = 0; at < size && state == HTTP_HEAD_PART;) {
        at += size - at < piece ? size - at : piece;
        state = http_head_look(&head, data, at);
    }
    return state;
}

static void assert_look(const char *data, HttpHeadState state) {
    size_t size = strlen(data);

    for (size_t piece = 1; piece < size; piece += 1 + piece / 3)
        assert_int_equal(look(data, size, piece), state);
    assert_int_equal(look(data, size, size), state);
}

static void heads(void **state) {
    static const struct {
        const char *data;
        HttpHeadState state;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", HTTP_HEAD_WHOLE },
        { "GET / HTTP/1.0\n\n", HTTP_HEAD_WHOLE },
        { "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_HEAD_WHOLE },
        { "POST /tmpftp?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", HTTP_HEAD_WHOLE },
        { "GET / HTTP/1.1\r\nA:\r\nB: \t x\ty \r\nC:a:b\r\nD: \xc3\xb1\xff\r\n\r\n", HTTP_HEAD_WHOLE },
        { "X-_~ * HTTP/1.1\r\n\r\n", HTTP_HEAD_WHOLE },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_HEAD_HTTP2 },
        { "", HTTP_HEAD_PART },
        { "GET", HTTP_HEAD_PART },
        { "\r\n", HTTP_HEAD_PART },
        { "PRI * HTTP", HTTP_HEAD_PART },
        { "PRI / HTTP/1.1\r\n\r\n", HTTP_HEAD_WHOLE },
        { "GET / HTTP/1.1\r\nHost: x\r\n", HTTP_HEAD_PART },
        { "GET / HTTP/1.1\r\nHost: x\r\n\r", HTTP_HEAD_PART },
        /* request lines */
        { "\r\n\r\nGET / HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "GET /\r\n\r\n", HTTP_HEAD_BAD },
        { "GET  / HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "GET /a b HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/2.0\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.10\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / http/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { " GET / HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "G(T / HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "GET /\t HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "GET /\x7f HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        { "\x16\x03\x01\x02\n", HTTP_HEAD_BAD }, /* TLS */
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN / HTTP/1.1\r\n\r\n", HTTP_HEAD_BAD },
        /* headers */
        { "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\n: x\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nA: x\r\n b\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\n\tA: x\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nA: x\x01\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nA: x\ry\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_HEAD_BAD },
        { "GET / HTTP/1.1\r\nTransfer-Encoding: a\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_HEAD_BAD },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_look(cases[i].data, cases[i].state);
}

static char big[2 * HTTP_HEAD_MAX];

static HttpHeadState target_of(size_t length, const char *rest) {
    char *end = big;

    end = stpcpy(end, "GET /");
    memset(end, 'a', length - 1);
    stpcpy(end + length - 1, rest);
    return look(big, strlen(big), 1000);
}

static void targets(void **state) {
    assert_int_equal(target_of(HTTP_TARGET_MAX, " HTTP/1.1\r\n\r\n"), HTTP_HEAD_WHOLE);
    assert_int_equal(target_of(HTTP_TARGET_MAX + 1, " HTTP/1.1\r\n\r\n"), HTTP_HEAD_LONG_TARGET);
    assert_int_equal(target_of(HTTP_TARGET_MAX + 1, ""), HTTP_HEAD_PART); /* it could be half of a version */
    assert_int_equal(target_of(HTTP_TARGET_MAX + 100, ""), HTTP_HEAD_LONG_TARGET);
    memset(big, 'a', HTTP_HEAD_MAX);
    assert_int_equal(look(big, HTTP_HEAD_MAX, 1000), HTTP_HEAD_BAD); /* a word without end */
}

static HttpHeadState headers_of(unsigned n, size_t value_size) {
    char *end = stpcpy(big, "GET / HTTP/1.1\r\n");

    for (unsigned i = 0; i < n; i++) {
        end += sprintf(end, "a%u: ", i);
        memset(end, 'x', value_size);
        end = stpcpy(end + value_size, "\r\n");
    }
    stpcpy(end, "\r\n");
    return look(big, strlen(big), 777);
}

static void headers(void **state) {
    assert_int_equal(headers_of(HTTP_HEADERS_MAX, 1), HTTP_HEAD_WHOLE);
    assert_int_equal(headers_of(HTTP_HEADERS_MAX + 1, 1), HTTP_HEAD_LARGE);
    assert_int_equal(headers_of(1, HTTP_HEAD_MAX - 26), HTTP_HEAD_WHOLE);
    assert_int_equal(headers_of(1, HTTP_HEAD_MAX - 16), HTTP_HEAD_LARGE);
    assert_int_equal(headers_of(60, 1000), HTTP_HEAD_LARGE);
    strcpy(stpcpy(big, "GET / HTTP/1.1\r\na: "), "");
    memset(big + strlen(big), 'x', HTTP_HEAD_MAX); /* a line without end */
    assert_int_equal(look(big, HTTP_HEAD_MAX + 1, 777), HTTP_HEAD_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(heads), cmocka_unit_test(targets), cmocka_unit_test(headers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
