/* Who asks, and may they. Callers show who they are by the Unix socket's peer credentials or by a JSON Web Token; the route table says what each call
 * needs. CONTRACT "Access", SECURITY.md "The HTTP door".
 *
 * Tokens that were found right are remembered, up to a number, until something about any user changes or they expire: then they are looked at anew. */
#pragma once

#include "api/call.h"

typedef enum GateRule {
    GATE_ANYONE,          /* no question asked */
    GATE_USER,            /* active users, within what is their own; with TEMPOFTP_AUTH=off anyone */
    GATE_OPERATOR,        /* operators; with TEMPOFTP_AUTH=off anyone */
    GATE_PROVEN_OPERATOR, /* operators, whatever TEMPOFTP_AUTH says: calls that the original's open contract had not */
    GATE_SCRAPER,         /* operators, and addresses in TEMPOFTP_METRICS_FROM, whatever TEMPOFTP_AUTH says */
    GATE_TOKEN,           /* whoever shows a token, by any door and whatever TEMPOFTP_AUTH says */
    GATE_RULE_MAX,
} GateRule;

/* Who meets a rule; `opens`: with TEMPOFTP_AUTH=off everybody. */
typedef struct GateMay {
    bool opens, anyone, user, operator, scraper;
} GateMay;
const GateMay *gate_may(GateRule rule);

#define GATE_SESSIONS_MAX 1024 /* tokens remembered */

/* Reads the keys, finds the operators' group, warns when access is open. -ENOKEY, -EINVAL: the key is missing or malformed; logged. */
int gate_new(const Settings *settings, Gate **ret) _must_use_;
Gate *gate_free(Gate *a);

/* Fills the call's user, email and operator; answers 401 or 403 and returns false when the rule is not met. */
bool gate_check(Call *c, GateRule rule);
/* Something about a user was committed: what is remembered may be wrong. */
void gate_forget(Gate *a);
/* A token for that user from now on; heap, to be wiped. -ENOKEY: TEMPOFTP_JWT_KEY is not set (possible with TEMPOFTP_AUTH=off). */
int gate_token(Manager *m, const User *user, char **ret) _must_use_;
