/* From a destination's host to addresses that may be connected to, and to the run credential that names them. */
#pragma once

#include "api/manager.h"
#include "model/destination.h"
#include "model/export_order.h"

/* Said of a host as it is written, before anybody looks it up: a literal address, or a name, that is this machine. With TEMPOFTP_EXPORT_INTERNAL=1 nothing is. */
bool export_host_is_inner(const Manager *m, const char *host);

typedef struct HostLookup {
    char host[DESTINATION_HOST_MAX + 1];
    char *addresses[EXPORT_ADDRESSES_MAX + 1]; /* literal; those that may be used; to be freed */
    bool inner_allowed; /* TEMPOFTP_EXPORT_INTERNAL */
    /* the outcome: */
    bool ok;
    bool temporary;     /* the resolver is away, which says nothing about the name */
    ExportCause cause;  /* EXPORT_RESOLVE or EXPORT_ADDRESS */
    char detail[DESTINATION_HOST_MAX + 64];
} HostLookup;
void host_lookup_init(HostLookup *l, const Manager *m, const char *host);
void host_lookup_done(HostLookup *l);
/* Asks the resolver: on the pool. When one of the addresses is inner, none is taken. */
void host_lookup_run(HostLookup *l);

/* The read end of a pipe with the run credential. token: NULL in a test. -EBADMSG: no key opens the secret. */
int export_order_pipe(Manager *m, const Destination *d, const HostLookup *l, const char *token) _must_use_;
