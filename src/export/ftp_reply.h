/* What an FTP server answered: the last reply, and what it means for an upload. Pure: lines in, values out. RFC 959, 4.2; RFC 3659, 4. */
#pragma once

#include "model/export_order.h"

typedef struct FtpReply {
    int code; /* 0: none yet */
    char text[PROBE_DETAIL_SIZE];
} FtpReply;

/* One line of the control connection, with or without its end. Of a refusal of several lines the first is kept. */
void ftp_reply_take(FtpReply *r, const char *line, size_t size);
/* The answer to SIZE. -ENOENT: it is another. */
int ftp_reply_size(const FtpReply *r, uint64_t *ret) _must_use_;
/* Why a command was refused; `otherwise` when the reply is of no known kind. */
ExportCause ftp_reply_cause(const FtpReply *r, ExportCause otherwise);
