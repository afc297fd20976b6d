/* The journal of the FTP server: one function for each thing worth recording, with the same fields everywhere.
 *
 * Fields: TEMPOFTP_ACCOUNT, TEMPOFTP_PEER, TEMPOFTP_ID (first component of the path), TEMPOFTP_FILE, TEMPOFTP_BYTES, TEMPOFTP_SECONDS,
 * TEMPOFTP_RESULT, TEMPOFTP_LIMIT. What strangers send is shown with control characters replaced. */
#pragma once

#include "ftpd/connection.h"
#include "ftpd/wire.h"

typedef enum RecordLimit { LIMIT_NONE, LIMIT_BANNED, LIMIT_CONNECTIONS, LIMIT_ADDRESS, LIMIT_LOGIN_TIME, LIMIT_ACCOUNT } RecordLimit;

void record_login(const Connection *c);
void record_refused(const Connection *c, const char *reason);
void record_unavailable(const Connection *c, int error);
void record_limit(const char *account, const char *peer, RecordLimit limit); /* account: NULL before there is one */
void record_ban(const Connection *c, uint32_t refusals, uint64_t ms);
void record_transfer(const Connection *c, const WireTransfer *t);
void record_end(const Connection *c, const char *reason);
void record_misbehaviour(const Connection *c);
