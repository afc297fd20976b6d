/* What libcurl says, and what the server said, as the cause that an operator reads. */
#include "export/ftp_error.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WORDS "libcurl's words"

static void causes(void **state) {
    static const struct {
        CURLcode code;
        const char *reply; /* the server's last */
        bool connected;
        ExportCause cause;
        bool quotes_server;
    } rows[] = {
        { CURLE_COULDNT_CONNECT, NULL, false, EXPORT_CONNECT, false },
        { CURLE_PEER_FAILED_VERIFICATION, "234 Go on", false, EXPORT_CERTIFICATE, false },
        { CURLE_USE_SSL_FAILED, "500 What?", false, EXPORT_TLS, false },
        { CURLE_LOGIN_DENIED, "530 No", false, EXPORT_LOGIN, true },
        { CURLE_LOGIN_DENIED, "421 Too many", false, EXPORT_BUSY, true },
        { CURLE_UPLOAD_FAILED, "553 No", true, EXPORT_WRITE, true },
        { CURLE_UPLOAD_FAILED, "552 Full", true, EXPORT_SPACE, true },
        { CURLE_UPLOAD_FAILED, "150 Go on", true, EXPORT_WRITE, false }, /* no refusal: says nothing */
        { CURLE_QUOTE_ERROR, "550 No", true, EXPORT_WRITE, true },
        { CURLE_SEND_ERROR, "451 No space left", true, EXPORT_SPACE, true },
        { CURLE_SEND_ERROR, NULL, true, EXPORT_CONNECTION_LOST, false },
        { CURLE_GOT_NOTHING, "421 Bye", true, EXPORT_CONNECTION_LOST, false },
        { CURLE_OPERATION_TIMEDOUT, NULL, false, EXPORT_CONNECT, false },
        { CURLE_OPERATION_TIMEDOUT, "150 Go on", true, EXPORT_STALLED, false },
        { CURLE_OPERATION_TIMEDOUT, "421 Bye", true, EXPORT_BUSY, true },
        { CURLE_URL_MALFORMAT, NULL, true, EXPORT_NAME, false },
        { CURLE_LDAP_CANNOT_BIND, NULL, true, EXPORT_INTERNAL, false }, /* none that is known */
    };

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        FtpReply reply = { 0 };
        ExportFailure failure;

        if (rows[i].reply)
            ftp_reply_take(&reply, rows[i].reply, strlen(rows[i].reply));
        assert_int_equal(ftp_error_judge(rows[i].code, &reply, WORDS, rows[i].connected, &failure), -ECONNABORTED);
        if (failure.cause != rows[i].cause)
            fail_msg("row %zu: %s", i, export_cause_name(failure.cause));
        assert_string_equal(failure.detail, rows[i].quotes_server ? rows[i].reply : WORDS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
