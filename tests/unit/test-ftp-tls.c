/* TLS connections by themselves, client and server in one process over two buffers: who may resume, what a cut is, whose key signs. */
#include "ftpd/tls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tls-fixture.h"

typedef struct Signer {
    TlsKey *key;
    unsigned asked;
} Signer;

static int sign(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) {
    Signer *s = userdata;

    s->asked++;
    return tls_key_sign(s->key, padding, data, size, ret);
}

static int refuse(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) {
    return -EACCES;
}

static void a_key_elsewhere_signs(void **state) {
    _cleanup_(tls_server_freep) TlsServer *server = NULL;
    Signer signer = { 0 };
    const char *fault = NULL;
    char *error = NULL;

    assert_int_equal(tls_key_new(key, certificate, &signer.key, &fault), 0);
    assert_int_equal(tls_server_new(certificate, NULL, &server, &error), 0);
    tls_server_set_signer(server, sign, &signer);
    assert_int_equal(tls_server_rehearse(server), 0);
    assert_int_equal(signer.asked, 2); /* a full handshake of each version; the resumed ones need no key */
    tls_server_set_signer(server, refuse, NULL);
    assert_int_equal(tls_server_rehearse(server), -EPROTO);
    tls_key_free(signer.key);
}

static void a_key_here_signs(void **state) {
    _cleanup_(tls_server_freep) TlsServer *server = NULL;
    char *error = NULL;

    assert_int_equal(tls_server_new(certificate, key, &server, &error), 0);
    assert_int_equal(tls_server_rehearse(server), 0);
}

static void faults_are_named(void **state) {
    static const struct {
        const char *certificate, *key, *fault;
    } cases[] = {
        { "", key, "the certificate file holds no certificate" },
        { key, key, "the certificate file holds no certificate" },
        { certificate, "", "the key file holds no private key" },
        { certificate, certificate, "the key file holds no private key" },
        { certificate, other_key, "key and certificate do not belong together" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        TlsServer *server = NULL;
        TlsKey *kept = NULL;
        const char *fault = NULL;
        char *error = NULL;

        assert_int_equal(tls_server_new(cases[i].certificate, cases[i].key, &server, &error), -EINVAL);
        assert_null(server);
        assert_ptr_equal(strstr(error, cases[i].fault), error);
        free(error);
        assert_int_equal(tls_key_new(cases[i].key, cases[i].certificate, &kept, &fault), -EINVAL);
        assert_null(kept);
        assert_ptr_equal(strstr(fault, cases[i].fault), fault);
    }
}

static void what_is_signed_has_limits(void **state) {
    uint8_t data[TLS_SIGN_MAX + 1] = { 0 }, signature[TLS_SIGN_MAX];
    TlsKey *kept = NULL;
    const char *fault = NULL;

    assert_int_equal(tls_key_new(key, certificate, &kept, &fault), 0);
    assert_true(tls_key_sign(kept, 0, data, 32, signature) > 0);
    assert_int_equal(tls_key_sign(kept, 0, data, 0, signature), -EINVAL);
    assert_int_equal(tls_key_sign(kept, 0, data, sizeof(data), signature), -EINVAL);
    assert_int_equal(tls_key_sign(kept, 1, data, 32, signature), -EINVAL); /* padding is for RSA */
    tls_key_free(kept);
}

/* A peer that sends these bytes and then ends, or has no more for now. */
typedef struct Peer {
    const char *text;
    size_t left;
    bool stays;
    size_t heard;
} Peer;

static int to_peer(void *userdata, const void *data, size_t size) {
    Peer *p = userdata;
    p->heard += size;
    return 0;
}

static ssize_t from_peer(void *userdata, void *data, size_t size) {
    Peer *p = userdata;
    size_t n = size < p->left ? size : p->left;

    if (n == 0)
        return p->stays ? -EAGAIN : 0;
    memcpy(data, p->text, n);
    p->text += n;
    p->left -= n;
    return (ssize_t) n;
}

static int handshake_with(TlsServer *server, Peer *peer) {
    const TlsTransport transport = { to_peer, from_peer, peer };
    _cleanup_(tls_link_freep) TlsLink *link = NULL;

    assert_int_equal(tls_link_new(server, TLS_CONTROL, true, 4096, &transport, &link), 0);
    int r = tls_link_handshake(link);
    if (r != -EAGAIN)
        assert_int_equal(tls_link_finish(link), -EPROTO); /* nothing more is said over it */
    return r;
}

static void what_is_no_tls_is_refused(void **state) {
    static const char injected[] = "USER stranger\r\nPASS x\r\n", old[] = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", half[] = "\x16\x03\x01";
    _cleanup_(tls_server_freep) TlsServer *server = NULL;
    char *error = NULL;

    assert_int_equal(tls_server_new(certificate, key, &server, &error), 0);
    Peer text = { injected, sizeof(injected) - 1, true, 0 }, broken = { old, sizeof(old) - 1, true, 0 };
    assert_int_equal(handshake_with(server, &text), -EPROTO);
    assert_int_equal(handshake_with(server, &broken), -EPROTO);
    assert_true(broken.heard > 0); /* an alert */
    Peer slow = { half, sizeof(half) - 1, true, 0 }, gone = { half, sizeof(half) - 1, false, 0 };
    assert_int_equal(handshake_with(server, &slow), -EAGAIN);
    assert_int_equal(handshake_with(server, &gone), -ECONNRESET);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_elsewhere_signs),
        cmocka_unit_test(a_key_here_signs),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(what_is_signed_has_limits),
        cmocka_unit_test(what_is_no_tls_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
