/* AUTH, PBSZ and PROT: what RFC 2228 and RFC 4217 let a client ask for. */
#pragma once

#include "ftpd/conversation.h"

/* The conversation has no TLS where the server demands it. */
static inline bool protection_is_missing(const Conversation *c) {
    return c->tls_mode == TLS_REQUIRED && !c->tls;
}

/* After login, or when the connection is encrypted already. */
int protection_auth_late(Conversation *c, char *argument);
/* The mechanism that AUTH names. 1: TLS can begin. 0: answered. */
int protection_check_auth(Conversation *c, const char *argument) _must_use_;
int protection_pbsz(Conversation *c, char *argument);
int protection_prot(Conversation *c, char *argument);
