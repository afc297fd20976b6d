/* Why a copy failed: the worker's word for it, and what a person reads.
 *
 * The table in cause.c: name on D-Bus (lower case, '-'), retryable?, Spanish text (with %s for the detail) that says what to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum Cause {
    CAUSE_HOST_KEY,        /* unknown or changed host key */
    CAUSE_NO_KEY,          /* we have no key to log in with */
    CAUSE_PERMISSION_SSH,  /* the source refused our key */
    CAUSE_PERMISSION_PATH, /* the source's user may not read the path */
    CAUSE_NO_SUCH_PATH,
    CAUSE_NO_SUCH_HOST,    /* name does not resolve */
    CAUSE_NO_RESOLVER,     /* nobody could say whether the name resolves; retried first */
    CAUSE_UNREACHABLE,     /* refused, no route, time-out before the first byte; retried first */
    CAUSE_CONNECTION_LOST, /* retried first */
    CAUSE_KILLED,          /* our own rsync or ssh, from outside (kill, out of memory); retried first */
    CAUSE_TOO_LARGE,       /* more than free space: text is the contract's "Espacio insuficiente en …" */
    CAUSE_DISK_FULL,       /* ENOSPC while copying */
    CAUSE_NO_RSYNC,        /* no rsync on the source */
    CAUSE_UNIT,            /* the unit failed before or outside its program: detail is the result */
    CAUSE_ORIGIN,          /* TEMPOFTP_ORIGENES changed meanwhile */
    CAUSE_INTERNAL,
    CAUSE_MAX,
} Cause;

const char *cause_name(Cause c);
int cause_parse(const char *name, Cause *ret) __attribute__((warn_unused_result));
bool cause_is_retried(Cause c); /* before it is reported */
/* The `mensaje` of the error state; detail may be NULL. Always NUL-terminates, cuts at size on a UTF-8 boundary. */
void cause_message(Cause c, const char *detail, char *ret, size_t size);

/* What ssh or rsync said on stderr, and how it ended → a cause. exit_status: rsync's (man rsync, EXIT VALUES), 255 from ssh;
 * term_signal: 0 or the signal. Pure; table of needles in cause.c. */
Cause cause_from_output(const char *stderr_text, int exit_status, int term_signal);
