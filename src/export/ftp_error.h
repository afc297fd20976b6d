/* What libcurl's codes mean for an upload. */
#pragma once

#include "export/ftp_reply.h"
#include "export/remote.h"

#include <curl/curl.h>

/* -ECONNABORTED, with the failure of a call that ended with `code`, by none of our doing; where the server's last reply knows better it is believed.
 * connected: the login was done. detail: libcurl's words. */
int ftp_error_judge(CURLcode code, const FtpReply *reply, const char *detail, bool connected, ExportFailure *ret);
