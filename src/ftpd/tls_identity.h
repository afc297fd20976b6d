/* The server's certificate and key as an operator gives them: two files, read at the start and again when they have changed.
 *
 * It lives in zygotes: what it makes is shared by their children. */
#pragma once

#include "ftpd/jail.h"
#include "ftpd/tls.h"

typedef struct TlsIdentity TlsIdentity;

typedef struct TlsFiles {
    const char *certificate_path, *key_path; /* where they are read */
    const char *certificate, *key;           /* how an operator knows them */
} TlsFiles;

/* keep_apart: the key goes to a keeper and to no other process. -EINVAL: an operator must mend the files; the
 * error is logged, with what to do. */
int identity_new(const TlsFiles *files, bool keep_apart, const Jail *jail, TlsIdentity **ret) _must_use_;
TlsIdentity *identity_free(TlsIdentity *i);
DEFINE_CLEANUP(TlsIdentity, identity_free)
TlsServer *identity_server(const TlsIdentity *i);
/* The keeper's fd, to be kept and given back; NULL: no keeper. */
int *identity_keeper_fd(TlsIdentity *i);
/* ZygoteHook.prepare: files that have changed are read again (what they were stays good when they are not); what the next child needs to have signatures
 * made, or a negative errno: it gets none, and the error is logged. */
int identity_prepare(void *userdata);
