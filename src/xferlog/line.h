/* One line of Pure-FTPd's transfer log in the format `w3c` (AltLog, pure-ftpd(8)), as Pure-FTPd 1.0.50 writes it:
 *
 *     2026-11-21 21:02:37 203.0.113.5 []sent /data/ftp_ana_abcd/uno/con%20espacio.nc 226 ftp_ana_abcd 1000
 *
 * UTC; the path from the root of the machine, links resolved, %XX for all but letters, digits and . / _ -; the account as it logged in; the bytes that
 * went over the data connection, of a cut transfer too. Bytes in, values out: no file, no clock. docs/INTERNALS.md "Downloads from Pure-FTPd". */
#pragma once

#include "basic/fds.h"
#include "model/request.h"

#define LINE_BYTES_MAX UINT64_C(1000000000000000) /* of one transfer; more is no number that Pure-FTPd counted */

/* A download out of a request's folder. */
typedef struct LogLine {
    int64_t when; /* UTC seconds */
    uint64_t bytes;
    char account[ACCOUNT_NAME_MAX + 1];
    char id[ID_MAX + 1];
    char address[ADDRESS_TEXT_MAX]; /* or a host name, where Pure-FTPd looks names up */
} LogLine;

/* `size` bytes without the line's end. data_path: absolute, no '/' at its end (but for "/" itself).
 * 0: *ret is a download. -ENOENT: not ours to count (an upload, another account or folder, a comment). -EBADMSG: not a line of this format. */
int line_parse(const char *line, size_t size, const char *data_path, LogLine *ret) _must_use_;
