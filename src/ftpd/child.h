/* What a zygote's child does with its client, from its first to its last instruction. */
#pragma once

#include "ftpd/session.h"

typedef struct ChildConfig {
    int landlock_abi;   /* jail_landlock_abi() */
    bool best_effort;   /* TEMPOFTP_FTP_JAIL */
    TlsServer *tls;     /* what a session encrypts data connections with; NULL: none */
} ChildConfig;

/* Children of zygotes for pre-login children (session: false) and for sessions. */
_Noreturn void child_live(const ChildConfig *config, bool session, const SessionStart *start);
