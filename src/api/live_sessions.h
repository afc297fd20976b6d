/* The FTP sessions there are, whoever serves them: tempoftp's own FTP server, or with MariaDB Pure-FTPd on this machine. The calls, their answers and errors
 * are those of units.h; errors of sending reach the callback too. */
#pragma once

#include "api/manager.h"
#include "units/units.h"

void live_sessions_list(Manager *m, FtpSessionListed listed, UnitReply reply, void *userdata);
void live_sessions_end(Manager *m, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata);
/* ftp_set_end(). Sessions of Pure-FTPd carry no end: they are ended when access is. */
void live_sessions_set_end(Manager *m, const char *account, int64_t expira, UnitReply reply, void *userdata);
void live_session_end(Manager *m, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata);
/* What a reply means that nobody has given (-EAGAIN): `active` as in ftp_state(). Pure-FTPd's sessions are looked at by a unit of their own, so none can
 * be taken for ended then: -EAGAIN. */
int live_sessions_state(Manager *m, UnitStateReply reply, void *userdata) _must_use_;
