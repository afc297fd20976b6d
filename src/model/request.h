/* What a request is, and which input makes one. Pure: bytes in, values out.
 *
 * Source: CONTRACT "Requests" and "Rules and texts of POST". Lengths in bytes without NUL unless said. */
#pragma once

#include "basic/buffer.h"
#include "basic/cleanup.h"
#include "model/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_MAX 64
#define EMAIL_MAX 254
#define RUTA_MAX 2048
#define REASON_MAX 200       /* characters, not bytes */
#define GROUP_MAX 64         /* `grupo` */
#define ACCOUNT_NAME_MAX 48  /* "ftp_…" */
#define REQUEST_BODY_MAX 16384
#define REQUEST_ID_MAX 64    /* X-Request-ID */
#define DROP_BYTES_DEFAULT UINT64_C(10000000000)
#define DROP_BYTES_MAX UINT64_C(1000000000000000)
#define DAYS_MAX 36500       /* the most that vigencia_max or an extension may be: 100 years */

/* One row as programs hold it. Owns its heap strings: request_done(). */
typedef struct Request {
    uint64_t life; /* primary key */
    uint32_t run;  /* starts of its unit so far */
    State state;
    char id[ID_MAX + 1];
    char email[EMAIL_MAX + 1];
    char account[ACCOUNT_NAME_MAX + 1]; /* empty before the account exists */
    char group[GROUP_MAX + 1];          /* empty: from the address's domain */
    char *ruta;
    char *message;                      /* the cause, on error; the reason, on bloqueado; what a whole copy waits for, on traslado; else NULL */
    int vigencia;                       /* days */
    int64_t created;                    /* UTC seconds */
    int64_t ready;                      /* when it became listo; 0 before */
    int64_t expires;                    /* 0 before listo */
    int64_t retry_at;                   /* do not start its unit before; 0: now */
    bool copied;                        /* TransferDone was reported for this run */
    bool sized;                         /* bytes/files are known */
    uint64_t bytes;                     /* total to copy, then copied */
    uint64_t files;
    char token[33];                     /* run token in hex; empty when no unit runs */
} Request;

void request_done(Request *r);
#define _cleanup_request_ _cleanup_(request_done)

/* ---- single rules ---- */
bool id_is_valid(const char *id);        /* [A-Za-z0-9][A-Za-z0-9._-]{0,63}, no "..", not "expired" or "user" */
bool email_is_valid(const char *email);  /* one '@', at most 254 bytes, no control or space; see request.c for the grammar */
void email_normalize(char *email);       /* ASCII lower case in place */
bool group_is_valid(const char *group);  /* [A-Za-z0-9][A-Za-z0-9._-]{0,63} */
bool request_header_id_is_valid(const char *id); /* X-Request-ID: [A-Za-z0-9._-]{1,64} */

/* ---- ruta ---- */
typedef struct Ruta {
    char *user; /* NULL when not given */
    char *host; /* without brackets */
    char *path; /* as given, begins with '/' */
    bool ipv6;  /* host was bracketed */
} Ruta;
void ruta_done(Ruta *r);
#define _cleanup_ruta_ _cleanup_(ruta_done)
/* 0; -EINVAL with *ret_text set to the whole Spanish sentence of the contract (static); -ENOMEM. */
int ruta_parse(const char *text, Ruta *ret, const char **ret_text) _must_use_;
/* What rsync is given as source path so that the tree arrives as the contract says ("Slash as in rsync; and when the last component equals
 * the id, without the extra level"): the path, with a trailing slash when the last component equals the id. Heap. NULL: no memory. */
char *ruta_source_path(const Ruta *r, const char *id);

/* ---- POST /tmpftp ---- */
/* One entry of a 422: loc is ["body", field] or ["body"] when field is NULL. All strings static or inside this struct. */
typedef struct FieldError {
    const char *field;
    const char *message;
    const char *type; /* "missing", "int_type", "string_type", "json_invalid"… as Pydantic names them */
} FieldError;
#define FIELD_ERRORS_MAX 8

typedef struct NewRequest {
    char id[ID_MAX + 1];
    char email[EMAIL_MAX + 1]; /* normalized */
    char group[GROUP_MAX + 1];
    char *ruta;
    int vigencia;
} NewRequest;
void new_request_done(NewRequest *n);
#define _cleanup_new_request_ _cleanup_(new_request_done)

typedef struct Refusal {
    int status;                              /* 422 or 400 */
    char id[ID_MAX + 1];                     /* 400: what was given as id, cut to 64 characters on a UTF-8 boundary... */
    const char *message;                     /* 400: the Spanish text */
    bool plain;                              /* 400: it is all of the answer's detail, no id beside it */
    char text[256];                          /* storage for a text made up here (e.g. "Origen no permitido: HOST") */
    FieldError errors[FIELD_ERRORS_MAX];     /* 422 */
    size_t n_errors;
    char cut_id[4 * ID_MAX + 1];             /* the id to answer with (64 characters may be 256 bytes) */
} Refusal;

typedef struct RequestRules {
    int vigencia_max;          /* TEMPOFTP_VIGENCIA_MAX */
    char *const *origins;      /* TEMPOFTP_ORIGENES; NULL or empty: all */
} RequestRules;

/* A POST body. 0; -EBADMSG with *ret_refusal filled; -ENOMEM. Unknown keys ignored, duplicate keys refused (422), wrong types 422, then the rules
 * (400) in the order id, usuario, vigencia, grupo, ruta, origin. */
int new_request_parse(const char *body, size_t size, const RequestRules *rules, NewRequest *ret, Refusal *ret_refusal) _must_use_;
/* TEMPOFTP_ORIGENES: empty list allows all; host names compare case-insensitively. */
bool origin_is_allowed(char *const *origins, const char *host);

/* Bodies of the actions; same refusals (422 only): */
int block_body_parse(const char *body, size_t size, char **ret_reason /* NULL when absent */, Refusal *ret_refusal) _must_use_;
/* {"bytes"}: absent DROP_BYTES_DEFAULT; 1 to DROP_BYTES_MAX. */
int drop_body_parse(const char *body, size_t size, uint64_t *ret_bytes, Refusal *ret_refusal) _must_use_;
int extend_body_parse(const char *body, size_t size, int *ret_days, Refusal *ret_refusal) _must_use_;
