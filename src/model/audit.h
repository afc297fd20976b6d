/* One row of the trail of who did what, and which rows somebody asks for. CONTRACT "Access", GET /api/auditoria. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_DETAIL_MAX 160 /* bytes of a row's detail: longer ones are cut */

/* Each kind has its own share of the table, so that nobody can push the others' past out: strangers with refusals, users with logins. */
typedef enum AuditKind {
    AUDIT_CHANGE,  /* something was made, altered or taken away */
    AUDIT_VISIT,   /* a login (FTP's too), a logout, a one-time token */
    AUDIT_REFUSAL, /* anything that was answered from 400 on */
    AUDIT_KIND_MAX,
} AuditKind;

/* Texts may not be NULL, but for target and detail. */
typedef struct AuditRow {
    uint64_t n; /* ever growing */
    int64_t at; /* UTC seconds */
    const char *actor;      /* "user:ana@example.org", "unix:root", "api:203.0.113.5", "ftp:ftp_ana_x7k2", "tempoftpd" */
    const char *address;    /* the client's, or "unix", "-" */
    const char *action;     /* "DELETE /tmpftp/{}", "FTP LOGIN", "SETTING" */
    const char *target;     /* what stood at {}, or whom or what the call was about */
    const char *request_id; /* X-Request-ID, or "-" */
    const char *detail;     /* what of it: "rol=operador"; may be NULL */
    int result;             /* HTTP status */
    AuditKind kind;
} AuditRow;

/* All of it must hold; NULL and 0 stand for "any". */
typedef struct AuditFilter {
    uint64_t before_n;
    int64_t since, until; /* UTC seconds, both included */
    const char *actor;    /* whole, or what follows the ':' */
    const char *action;   /* whole, or its first word */
    const char *target, *address, *request_id;
} AuditFilter;

/* before_n is not looked at: it is where a walk begins. */
bool audit_filter_matches(const AuditFilter *f, const AuditRow *row);
