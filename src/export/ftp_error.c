/* Which cause of an upload's failure a code of libcurl is, and when the server's own words say it better. No I/O.
 *
 * Source: libcurl-errors(3). */
#include "export/ftp_error.h"

#include "basic/strings.h"

static const struct {
    CURLcode code;
    ExportCause cause;
    bool reply; /* the server's last reply may know better */
} codes[] = {
    { CURLE_COULDNT_RESOLVE_HOST, EXPORT_RESOLVE, false },
    { CURLE_COULDNT_CONNECT, EXPORT_CONNECT, false },
    { CURLE_WEIRD_SERVER_REPLY, EXPORT_CONNECTION_LOST, true },
    { CURLE_REMOTE_ACCESS_DENIED, EXPORT_PATH, true },
    { CURLE_FTP_ACCEPT_FAILED, EXPORT_CONNECTION_LOST, true },
    { CURLE_FTP_WEIRD_PASS_REPLY, EXPORT_LOGIN, true },
    { CURLE_FTP_WEIRD_USER_REPLY, EXPORT_LOGIN, true },
    { CURLE_FTP_WEIRD_PASV_REPLY, EXPORT_CONNECTION_LOST, true },
    { CURLE_FTP_CANT_GET_HOST, EXPORT_CONNECTION_LOST, false },
    { CURLE_FTP_COULDNT_SET_TYPE, EXPORT_CONNECTION_LOST, true },
    { CURLE_PARTIAL_FILE, EXPORT_CONNECTION_LOST, true },
    { CURLE_QUOTE_ERROR, EXPORT_WRITE, true },
    { CURLE_UPLOAD_FAILED, EXPORT_WRITE, true },
    { CURLE_SSL_CONNECT_ERROR, EXPORT_TLS, false },
    { CURLE_PEER_FAILED_VERIFICATION, EXPORT_CERTIFICATE, false },
    { CURLE_SSL_ISSUER_ERROR, EXPORT_CERTIFICATE, false },
    { CURLE_USE_SSL_FAILED, EXPORT_TLS, false },
    { CURLE_SSL_CIPHER, EXPORT_TLS, false },
    { CURLE_LOGIN_DENIED, EXPORT_LOGIN, true },
    { CURLE_REMOTE_DISK_FULL, EXPORT_SPACE, true },
    { CURLE_GOT_NOTHING, EXPORT_CONNECTION_LOST, false },
    { CURLE_SEND_ERROR, EXPORT_CONNECTION_LOST, true },
    { CURLE_RECV_ERROR, EXPORT_CONNECTION_LOST, true },
    { CURLE_URL_MALFORMAT, EXPORT_NAME, false },
};

int ftp_error_judge(CURLcode code, const FtpReply *reply, const char *detail, bool connected, ExportFailure *ret) {
    if (code == CURLE_OPERATION_TIMEDOUT && reply->code == 421) /* libcurl's word for it */
        return failed(ret, EXPORT_BUSY, reply->text);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return failed(ret, connected ? EXPORT_STALLED : EXPORT_CONNECT, detail);
    for (size_t i = 0; i < ELEMENTS(codes); i++)
        if (codes[i].code == code) {
            bool said = codes[i].reply && reply->code >= 400;
            return failed(ret, said ? ftp_reply_cause(reply, codes[i].cause) : codes[i].cause, said ? reply->text : detail);
        }
    return failed(ret, EXPORT_INTERNAL, detail);
}
