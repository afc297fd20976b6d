/* The operator's two files: what is accepted, what is refused and why, and until when a certificate is good. */
#include "crypto/tls_context.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tls-fixture.h"

static const char *fault_of(const char *given_certificate, const char *given_key) {
    _cleanup_(tls_context_freep) SSL_CTX *c = NULL;
    const char *fault = NULL;

    int r = tls_context_with_pair("test", given_certificate, given_key, &c, &fault);
    assert_int_equal(r, fault ? -EINVAL : 0);
    assert_int_equal(c != NULL, r == 0);
    return fault;
}

static void a_pair_is_taken(void **state) {
    char chain[2 * sizeof(certificate)];

    assert_null(fault_of(certificate, key));
    snprintf(chain, sizeof(chain), "%s%s", certificate, certificate);
    assert_null(fault_of(chain, key));
    snprintf(chain, sizeof(chain), "subject=CN = test\n%s\n \n", certificate);
    assert_null(fault_of(chain, key));
    snprintf(chain, sizeof(chain), "%s%s", certificate, key); /* both in one file */
    assert_null(fault_of(chain, chain));
}

static void faults_are_named(void **state) {
    assert_string_equal(fault_of("", key), "the certificate file holds no certificate in PEM form that this OpenSSL accepts");
    assert_string_equal(fault_of(key, key), "the certificate file holds no certificate in PEM form that this OpenSSL accepts");
    assert_string_equal(fault_of(certificate, ""), "the key file holds no private key in PEM form (one without a passphrase)");
    assert_string_equal(fault_of(certificate, other_key), "key and certificate do not belong together");
}

/* A writer was cut off after any number of bytes: of a key, of a certificate, and of the chain behind it. */
static void half_a_file_is_refused(void **state) {
    char text[2 * sizeof(certificate)];

    for (size_t n = 0; n < strlen(key) - 1; n++) {
        snprintf(text, sizeof(text), "%.*s", (int) n, key);
        assert_non_null(fault_of(certificate, text));
    }
    for (size_t n = 0; n < strlen(certificate) - 1; n++) {
        snprintf(text, sizeof(text), "%.*s", (int) n, certificate);
        assert_non_null(fault_of(text, key));
    }
    for (size_t n = 1; n < strlen(certificate) - 1; n++) {
        snprintf(text, sizeof(text), "%s%.*s", certificate, (int) n, certificate);
        assert_string_equal(fault_of(text, key), "the certificate file is cut off or damaged after its first certificate");
    }
}

static void damage_in_the_chain_is_refused(void **state) {
    char text[2 * sizeof(certificate)];

    snprintf(text, sizeof(text), "%s%s", certificate, certificate);
    text[strlen(certificate) + 60] = '!';
    assert_string_equal(fault_of(text, key), "the certificate file is cut off or damaged after its first certificate");
}

static void validity_is_told(void **state) {
    _cleanup_(tls_context_freep) SSL_CTX *c = NULL, *empty = tls_context_new("test");
    const char *fault;
    int64_t from = 0, until = 0;

    assert_int_equal(tls_context_with_pair("test", certificate, key, &c, &fault), 0);
    assert_int_equal(tls_context_validity(c, &from, &until), 0);
    assert_int_equal(from, 1795289490);  /* 2026-11-21T19:31:30Z */
    assert_int_equal(until - from, 36500LL * 86400);
    assert_int_equal(tls_context_validity(empty, &from, &until), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_taken),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(half_a_file_is_refused),
        cmocka_unit_test(damage_in_the_chain_is_refused),
        cmocka_unit_test(validity_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
