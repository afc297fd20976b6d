/* Writes what happened into the journal. It decides nothing. */
#include "ftpd/record.h"

#include "basic/log.h"
#include "basic/time.h"
#include "model/messages.h"
#include "model/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELD_SIZE 512 /* as basic/log.c cuts them */

/* A stranger's (or a taken-over session's) text as one harmless line. */
static const char *shown(const char *text, char *ret, size_t size) {
    size_t n = strnlen(text, size - 1);

    for (size_t i = 0; i < n; i++)
        ret[i] = (unsigned char) text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    ret[n] = '\0';
    return ret;
}

void record_login(const Connection *c) {
    LogContext about = { .account = c->account, .peer = c->peer_text, .message_id = MESSAGE_ID_LOGIN,
                         .extra = { "TEMPOFTP_RESULT=ok", c->tls ? "TEMPOFTP_TLS=yes" : "TEMPOFTP_TLS=no" } };
    log_line(LOG_INFO, &about, "%s logged in from %s%s", c->account, c->peer_text, c->tls ? ", over TLS" : "");
}

void record_refused(const Connection *c, const char *reason) {
    char account[WIRE_USER_SIZE], result[64];
    LogContext about = { .account = shown(c->account, account, sizeof(account)), .peer = c->peer_text, .message_id = MESSAGE_ID_LOGIN, .extra = { result } };

    snprintf(result, sizeof(result), "TEMPOFTP_RESULT=%s", reason);
    log_line(LOG_NOTICE, &about, "Login of '%s' from %s refused: %s (try %u)", account, c->peer_text, reason, c->tries);
}

void record_unavailable(const Connection *c, int error) {
    char account[WIRE_USER_SIZE];
    LogContext about = { .account = shown(c->account, account, sizeof(account)), .peer = c->peer_text, .message_id = MESSAGE_ID_LOGIN,
                         .extra = { "TEMPOFTP_RESULT=unavailable" } };
    log_line(LOG_ERR, &about, "Login of '%s' from %s could not be checked: %s", account, c->peer_text, strerror(-error));
}

void record_limit(const char *account, const char *peer, RecordLimit limit) {
    static const struct {
        const char *field, *text;
    } limits[] = {
        [LIMIT_BANNED] = { "TEMPOFTP_LIMIT=ban", "too many refused logins from there" },
        [LIMIT_CONNECTIONS] = { "TEMPOFTP_LIMIT=connections", "too many connections" },
        [LIMIT_ADDRESS] = { "TEMPOFTP_LIMIT=address", "too many connections from there" },
        [LIMIT_LOGIN_TIME] = { "TEMPOFTP_LIMIT=login-time", "it did not log in in time" },
        [LIMIT_ACCOUNT] = { "TEMPOFTP_LIMIT=account", "too many sessions of that account" },
    };
    LogContext about = { .account = account, .peer = peer, .message_id = MESSAGE_ID_LIMIT,
                         .extra = { "TEMPOFTP_RESULT=limit", limits[limit].field } };

    log_line(LOG_NOTICE, &about, "Connection from %s refused: %s", peer, limits[limit].text);
}

void record_ban(const Connection *c, uint32_t refusals, uint64_t ms) {
    char seconds[64];
    LogContext about = { .peer = c->peer_text, .message_id = MESSAGE_ID_BAN, .extra = { "TEMPOFTP_RESULT=ban", seconds } };

    snprintf(seconds, sizeof(seconds), "TEMPOFTP_SECONDS=%" PRIu64, ms / 1000);
    log_line(LOG_WARNING, &about, "%s is turned away for %" PRIu64 " s: %u logins were refused", c->peer_text, ms / 1000, refusals);
}

void record_transfer(const Connection *c, const WireTransfer *t) {
    char id[WIRE_ID_SIZE], path[FIELD_SIZE], file[FIELD_SIZE + 16], bytes[64], seconds[64];
    const char *outcome = t->whole ? "whole" : t->stalled ? "stalled" : "cut";
    char result[64];
    LogContext about = { .account = c->account, .peer = c->peer_text, .extra = { file, bytes, seconds, result } };

    shown(t->path, path, sizeof(path));
    path_first_component(path, id, sizeof(id));
    snprintf(file, sizeof(file), "TEMPOFTP_FILE=%s", path);
    snprintf(result, sizeof(result), "TEMPOFTP_RESULT=%s", outcome);
    snprintf(bytes, sizeof(bytes), "TEMPOFTP_BYTES=%" PRIu64, t->bytes);
    snprintf(seconds, sizeof(seconds), "TEMPOFTP_SECONDS=%" PRIu64 ".%03u", t->ms / 1000, (unsigned) (t->ms % 1000));
    about.message_id = t->direction == WIRE_UPLOAD ? MESSAGE_ID_UPLOAD : MESSAGE_ID_FETCHED;
    if (t->direction == WIRE_DOWNLOAD && id_is_valid(id)) /* a drop folder belongs to the account, not to a request */
        about.request = id;
    log_line(LOG_INFO, &about, "%s: %" PRIu64 " bytes %s %s from byte %" PRIu64 " in %" PRIu64 ".%03u s, %s", c->account, t->bytes,
             t->direction == WIRE_UPLOAD ? "into" : "of", path, t->offset, t->ms / 1000, (unsigned) (t->ms % 1000), outcome);
}

void record_end(const Connection *c, const char *reason) {
    char why[WIRE_REASON_SIZE], result[sizeof("TEMPOFTP_RESULT=") + WIRE_REASON_SIZE], seconds[64];
    LogContext about = { .account = c->account, .peer = c->peer_text, .message_id = MESSAGE_ID_SESSION_ENDED, .extra = { result, seconds } };
    int64_t lasted = utc_now() - c->login_utc;

    shown(reason, why, sizeof(why));
    snprintf(result, sizeof(result), "TEMPOFTP_RESULT=%s", why);
    snprintf(seconds, sizeof(seconds), "TEMPOFTP_SECONDS=%" PRId64, lasted < 0 ? 0 : lasted);
    log_line(LOG_INFO, &about, "Session of %s from %s ended: %s", c->account, c->peer_text, why);
}

void record_misbehaviour(const Connection *c) {
    LogContext about = { .account = c->account, .peer = c->peer_text, .message_id = MESSAGE_ID_RULES_BROKEN };
    log_line(LOG_ERR, &about, "Process %d of a client from %s broke the rules between processes, killing it", (int) c->pid, c->peer_text);
}
