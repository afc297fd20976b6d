/* What every command with a data connection needs, whatever goes over it. */
#pragma once

#include "ftpd/session.h"

/* RFC 2428 section 4: after EPSV ALL a data connection is asked for by EPSV only. 1: by other commands too; 0: answered; negative: broken. */
int transfer_may_choose(Session *s) _must_use_;
/* Would transfer_open() at least try? If not, it answers what is missing: PASV, EPSV, PORT or EPRT, or PROT P. */
bool transfer_is_prepared(const Session *s);
/* The client's data connection, the 150 reply, and TLS where PROT P holds. 1: connected; 0: answered; negative: broken. */
int transfer_open(Session *s, WireDirection direction, const char *what) _must_use_;
/* The reply after the data: `result` as data_…() or a file gave it. */
int transfer_reply_end(Session *s, int result) _must_use_;
/* To the listener, before the last reply: s->file, and what went over s->data. Negative: the session is at its end. */
int transfer_report(Session *s, WireDirection direction, uint64_t offset, uint64_t started_ms, int result) _must_use_;
