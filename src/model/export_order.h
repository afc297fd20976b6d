/* What tempoftpd hands to tempoftp-export, and what a test of a destination answers. docs/INTERNALS.md "Exports". Pure. */
#pragma once

#include "model/destination.h"
#include "model/export_cause.h"

#define EXPORT_ORDER_SIZE 65536 /* a pipe takes as much at once (pipe(7)) */
#define EXPORT_ADDRESSES_MAX 8
#define EXPORT_TOKEN_SIZE 33    /* 32 hex digits */

/* The run credential. Owns its strings and addresses; export_order_done() wipes. */
typedef struct ExportOrder {
    char token[EXPORT_TOKEN_SIZE]; /* empty in a test */
    DestinationType type;
    char *host;
    uint16_t port;
    char *username, *password, *ssh_key; /* the secrets in clear; NULL: none */
    char *path;
    char host_key[HOST_KEY_SIZE]; /* sftp: accepted; empty: none was */
    char *addresses[EXPORT_ADDRESSES_MAX + 1]; /* literal; ends with NULL */
} ExportOrder;
void export_order_done(ExportOrder *o);
#define _cleanup_export_order_ _cleanup_(export_order_done)

/* Into a caller's memory, which holds secrets afterwards; *ret_size: how much. -E2BIG. */
int export_order_format(const ExportOrder *o, char *ret, size_t size, size_t *ret_size) _must_use_;
/* `bytes` is altered while it is read. -EBADMSG: no order; -ENOMEM. */
int export_order_parse(char *bytes, size_t size, ExportOrder *ret) _must_use_;

/* What a test found. */
#define PROBE_DETAIL_SIZE 256
#define PROBE_RESULT_SIZE 1024
typedef struct ProbeResult {
    bool ok;
    ExportCause cause;                  /* when not ok; names the step */
    char detail[PROBE_DETAIL_SIZE];
    char host_key[HOST_KEY_SIZE];       /* sftp: what the server showed; empty: nothing */
} ProbeResult;
int probe_result_format(const ProbeResult *p, char ret[static PROBE_RESULT_SIZE], size_t *ret_size) _must_use_;
/* -EBADMSG. A detail that is too long is cut. */
int probe_result_parse(char *bytes, size_t size, ProbeResult *ret) _must_use_;
