/* /run/tempoftp/credentials.sock: systemd fetches a transfer unit's run token here (LoadCredential=run:…). Only root can connect; the peer's
 * abstract name says for which unit it asks. Source: systemd.exec(5), LoadCredential=. */
#pragma once

#include "api/manager.h"

/* Owns the listening fd from then on, also on error. */
int credentials_listen(Manager *m, int fd) _must_use_;
/* The unit's name and credential of "\0<random>/unit/<unit>/<credential>" (size bytes with the leading NUL); -EINVAL. Pure. */
int credentials_parse_peer(const char *name, size_t size, char *ret_unit, size_t unit_size, char *ret_credential, size_t credential_size) _must_use_;
