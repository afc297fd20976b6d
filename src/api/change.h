/* One change of one request: a job in the store, then its consequences (settle.h), then an answer.
 *
 * Every move of the state machine goes through here. A Change is heap memory owned by change_run() from the call on; `done` gets it last and it is freed
 * after that. Text members are copies. */
#pragma once

#include "api/call.h"
#include "model/cause.h"

typedef struct Change Change;
/* On the writer thread, inside the transaction: looks at change->request (the row as it is now), moves it with tx_*. */
typedef int (*ChangeApply)(StoreTx *tx, Change *c);
/* On the loop, after the commit and the consequences. r: the job's result. */
typedef void (*ChangeDone)(Change *c, int r);

struct Change {
    Manager *m;
    ChangeApply apply;
    ChangeDone done;
    void *userdata;
    Call *call; /* who asked; NULL: tempoftpd itself. Its row of the trail goes with the change. The caller's, until `done` has run */

    char id[ID_MAX + 1]; /* which one: by id, or, when life is not 0, by life */
    uint64_t life;
    uint32_t run;        /* not 0: only when the row is still at this run (-ESTALE otherwise) */

    char actor[ACTOR_TEXT_MAX + 1], request_id[REQUEST_ID_MAX + 1];
    char owner[EMAIL_MAX + 1]; /* not empty: only when the request is of that address (-ENOENT otherwise) */
    int64_t now;

    /* what the operations need, each its own */
    char *text;
    int days;
    Cause cause;
    uint64_t bytes, files;

    /* results */
    Request request;    /* the row: before apply as found, after it as changed */
    State was;          /* its state before */
    bool drop_ended;    /* the account has no drop folder any more: what was in it is to be removed */
    bool unit_is_gone;  /* set by callers who know: consequences need not stop it */
    bool backend_changed; /* en_mysql */
};

/* A new one, by tempoftpd itself, or for a call (who asked). NULL: no memory. */
Change *change_new(Manager *m, ChangeApply apply, ChangeDone done, void *userdata);
Change *change_new_for_call(Call *c, ChangeApply apply, ChangeDone done);
Change *change_free(Change *c);
/* Queues it. When that fails, `done` runs at once with the error (so there is one path only). */
void change_run(Change *c);

Actor change_actor(const Change *c);
LogContext change_log(const Change *c);

/* ---- the moves, as ChangeApply ---- */
int change_apply_sized(StoreTx *tx, Change *c);   /* preparando → traslado; bytes, files */
int change_apply_copied(StoreTx *tx, Change *c);  /* TransferDone; bytes, files */
int change_apply_fail(StoreTx *tx, Change *c);    /* in flight → error; cause, text = detail */
int change_apply_block(StoreTx *tx, Change *c);   /* listo → bloqueado, or a new reason; text */
int change_apply_unblock(StoreTx *tx, Change *c); /* bloqueado → listo; -EPERM in another state, -ETIME when it is over */
int change_apply_extend(StoreTx *tx, Change *c);  /* days; -ERANGE past the maximum, -EPERM in another state */
int change_apply_drop(StoreTx *tx, Change *c);    /* a drop folder for its account, or another quota; bytes; -EPERM in another state */
int change_apply_no_drop(StoreTx *tx, Change *c); /* takes it away; -ENODATA: there is none */
int change_apply_expire(StoreTx *tx, Change *c);  /* listo|bloqueado and due → expirado; -EALREADY when not due */
int change_apply_delete(StoreTx *tx, Change *c);  /* anything → eliminado */
