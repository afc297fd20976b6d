/* Whom to ask about sessions. What is done with the answers is the business of those who ask. */
#include "api/live_sessions.h"

#include "api/account_calls.h"
#include "api/session_ends.h"

#include <errno.h>

static void sent(int r, UnitReply reply, void *userdata) {
    if (r < 0)
        reply(userdata, r, NULL, NULL);
}

void live_sessions_list(Manager *m, FtpSessionListed listed, UnitReply reply, void *userdata) {
    sent((accounts_are_outside(m) ? pureftpd_list_sessions : ftp_list_sessions)(m->bus, listed, reply, userdata, NULL), reply, userdata);
}

void live_sessions_end(Manager *m, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata) {
    if (accounts_are_outside(m))
        session_ends_add(m, account, id, ret_ended, reply, userdata);
    else
        sent(ftp_end_sessions(m->bus, account, id, ret_ended, reply, userdata, NULL), reply, userdata);
}

void live_sessions_set_end(Manager *m, const char *account, int64_t expira, UnitReply reply, void *userdata) {
    if (accounts_are_outside(m))
        reply(userdata, 0, NULL, NULL);
    else
        sent(ftp_set_end(m->bus, account, expira, reply, userdata, NULL), reply, userdata);
}

void live_session_end(Manager *m, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata) {
    sent((accounts_are_outside(m) ? pureftpd_end_session : ftp_end_session)(m->bus, pid, ret_ended, reply, userdata, NULL), reply, userdata);
}

int live_sessions_state(Manager *m, UnitStateReply reply, void *userdata) {
    return accounts_are_outside(m) ? -EAGAIN : ftp_state(m->bus, reply, userdata, NULL);
}
