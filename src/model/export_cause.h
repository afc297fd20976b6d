/* Why an export or a test of a destination failed: the worker's word for it, the step it names, and what a person reads. One table, in export_cause.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum ExportCause {
    EXPORT_RESOLVE,          /* the host has no address, or nobody could say */
    EXPORT_ADDRESS,          /* loopback, link-local or this machine's own: refused */
    EXPORT_CONNECT,          /* refused, no route, nobody answers */
    EXPORT_TLS,              /* the server does not offer it, or they did not agree */
    EXPORT_CERTIFICATE,      /* not signed by anybody we know, expired, of another name */
    EXPORT_HOST_KEY_UNKNOWN, /* sftp: no operator has accepted one */
    EXPORT_HOST_KEY_CHANGED, /* sftp: not the accepted one */
    EXPORT_LOGIN,            /* user, password or key refused; never tried again */
    EXPORT_PATH,             /* the folder is not there and could not be made */
    EXPORT_WRITE,            /* the server took no file */
    EXPORT_SPACE,            /* the server is full, or a quota is */
    EXPORT_NAME,             /* a file's name that the protocol can't carry */
    EXPORT_RENAME,           /* a whole file could not be given its name */
    EXPORT_REMOVE,           /* a test's file could not be taken away */
    EXPORT_BUSY,             /* no more connections than it has (421) */
    EXPORT_SIZE,             /* what arrived has another size */
    EXPORT_SOURCE,           /* a file of the request is missing or unreadable */
    EXPORT_CONNECTION_LOST,
    EXPORT_STALLED,          /* connected, but nothing moved */
    EXPORT_TIMEOUT,          /* a test took too long */
    EXPORT_UNIT,             /* the unit failed outside its program, again and again */
    EXPORT_SECRET,           /* no key opens the stored secret */
    EXPORT_INTERNAL,
    EXPORT_CAUSE_MAX,
} ExportCause;

const char *export_cause_name(ExportCause c);
int export_cause_parse(const char *name, ExportCause *ret) __attribute__((warn_unused_result)); /* -EINVAL */
/* A try that failed so may succeed later: the worker tries again. */
bool export_cause_is_retried(ExportCause c);
/* "Conexión: el servidor no responde (detail)". detail may be NULL. Cut at size on a UTF-8 boundary. */
void export_cause_message(ExportCause c, const char *detail, char *ret, size_t size);
