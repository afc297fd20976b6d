/* One HTTP call while it is being answered.
 *
 * A Call is born in the request's memory pool. A handler that answers later (after a commit, a D-Bus reply) takes it along with call_detach(): from then on
 * it lives on the heap, `req` becomes NULL when the client goes away, and call_done() ends it. Replies to a call without a client are dropped. One that is detached already can be taken along once more. */
#pragma once

#include "api/manager.h"
#include "basic/fds.h"
#include "model/request.h"

#include <h2o.h>

#define CALL_PARAM_MAX (EMAIL_MAX + 1) /* one decoded path segment */
#define ACTOR_TEXT_MAX (EMAIL_MAX + 5)

typedef struct Route Route;

typedef struct Call {
    Manager *m;
    h2o_req_t *req;
    const Route *route;
    char param[CALL_PARAM_MAX];          /* what stood at {} in the route, decoded */
    char second[24];                     /* what stood at its second {}, which is a number */
    char request_id[REQUEST_ID_MAX + 1]; /* X-Request-ID */
    char peer[ADDRESS_TEXT_MAX];         /* client's address, as a proxy of ours told it, or "unix"; empty until call_identify() */
    char actor[ACTOR_TEXT_MAX + 1];      /* "user:ana@example.org", "unix:root", "api:203.0.113.5"; likewise */
    char target[CALL_PARAM_MAX];         /* whom or what it is about, for the audit trail; empty: param */
    char detail[AUDIT_DETAIL_MAX + 1];   /* and what of it; empty: nothing more to say */
    int64_t at;                          /* UTC seconds, when it was identified */
    const char *media;                   /* Content-Type of its answer, a constant; NULL: JSON */
    bool audited;                        /* its row went with its change, in one transaction */
    bool over_unix;                      /* came by api.sock */
    /* access.c's: */
    bool operator;                       /* may see and do everything that its route's rule allows */
    uint64_t user;                       /* who showed a token; 0: nobody */
    char email[EMAIL_MAX + 1];           /* of that user */
    bool detached;
    struct CallGuard *guard;
    uint64_t started_us;
} Call;

Call *call_detach(Call *c) _must_use_; /* NULL: no memory */
void call_answered(Call *c);           /* libh2o has the answer: the request is no longer ours to touch */
void call_done(Call *c);               /* after the reply; frees a detached call */

/* Fills peer and actor, once; only calls that change or log something need them. call_detach() does it. */
void call_identify(Call *c);
/* What the audit trail is to say beyond whom and what; no secrets. Cut to AUDIT_DETAIL_MAX bytes. */
void call_detail(Call *c, const char *format, ...) _printf_(2, 3);
/* Who asked, for `events`. The strings live as long as the call. */
Actor call_actor(const Call *c);
/* Whose requests it may see: an address, or NULL for everybody's. */
const char *call_owner(const Call *c);
/* A handler has read what was in the body, and it was a secret. */
void call_wipe_body(Call *c);
/* For log lines about a request (may be NULL) within this call. */
LogContext call_log(Call *c, const char *id);

/* A query parameter, decoded into ret (NUL-terminated); -ENOENT, -EINVAL (bad escapes, too long). */
int call_query(const Call *c, const char *name, char *ret, size_t size) _must_use_;
/* A request header's value; base NULL when absent. */
h2o_iovec_t call_header(const Call *c, const char *name);
/* Percent-decoding; -EINVAL for bad escapes, NUL, or more than size - 1 bytes. */
int percent_decode(const char *text, size_t length, char *ret, size_t size) _must_use_;
