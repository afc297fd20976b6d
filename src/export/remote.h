/* One connection to a destination, whatever it speaks: what an upload needs of it. ftp.c and sftp.c make them.
 *
 * Paths are relative to the destination's path, any bytes but NUL; "" is that path itself. Calls block, for as long as something moves; each looks at
 * Flow.stop. What broke is made anew by the next call. One thread at a time.
 *
 * Returns: 0; -ECONNABORTED with *ret_failure filled; -ECANCELED, Flow.stop was set; -ENOMEM. */
#pragma once

#include "basic/cleanup.h"
#include "model/export_order.h"
#include "model/inner_address.h"

#include <stdatomic.h>

#define STALL_SECONDS 60 /* without a byte; then the connection counts as lost */
#define PROBE_CONNECT_SECONDS 6
#define PROBE_ANSWER_SECONDS 120 /* longer than any test is waited for */

/* Why something failed. */
typedef struct ExportFailure {
    ExportCause cause;
    char detail[PROBE_DETAIL_SIZE]; /* may be empty; quotes servers, so never shown without sentence and filter */
} ExportFailure;

/* Names and what servers say, for logs and D-Bus: what is no UTF-8, and control characters, become '?'. Cut on a character. size: 1 or more. */
void printable(const char *text, char *ret, size_t size);
/* -ECONNABORTED, with this failure. detail: may be NULL; made printable, cut. */
int failed(ExportFailure *ret, ExportCause cause, const char *detail);

/* What all connections of one program share. */
typedef struct Flow {
    atomic_bool stop;
    _Atomic uint64_t sent; /* bytes of files */
} Flow;

typedef struct Line {
    const ExportOrder *order;
    Flow *flow;
    bool internal;      /* TEMPOFTP_EXPORT_INTERNAL */
    unsigned connect_seconds; /* until the login is done */
    unsigned answer_seconds;  /* until an answer: a server may have to bring a large file to disk first */
    const InetAddress *own; /* of this machine */
    size_t n_own;
} Line;

/* Does the rule about addresses let us connect there? */
bool line_allows(const Line *l, const struct sockaddr *address);

/* Bytes `offset` to `size` of a file go behind the `offset` bytes that are there already (0: the file is made anew). */
typedef struct Store {
    const char *path;
    int fd;
    uint64_t offset, size;
    uint64_t moved; /* out: how many of them were added to Flow.sent; also when it failed */
} Store;

typedef struct Remote Remote;
typedef struct RemoteClass {
    int (*connect)(Remote *r, ExportFailure *ret_failure);
    int (*make_folder)(Remote *r, const char *path, ExportFailure *ret_failure); /* fine when it is there; for "" with all above it */
    int (*size)(Remote *r, const char *path, uint64_t *ret, ExportFailure *ret_failure); /* -ENOENT too: no such file, or nobody can say */
    int (*store)(Remote *r, Store *s, ExportFailure *ret_failure); /* afterwards the file there has `size` bytes, or it failed */
    int (*rename)(Remote *r, const char *from, const char *to, ExportFailure *ret_failure); /* over what has that name; -ENOENT: `from` is not there */
    int (*remove)(Remote *r, const char *path, ExportFailure *ret_failure);
    const char *(*host_key)(const Remote *r); /* what the server showed; NULL: nothing */
    Remote *(*free)(Remote *r);
    uint64_t loose; /* bytes: so much of the end of what lies there after a cut may have holes */
} RemoteClass;
struct Remote {
    const RemoteClass *class;
    bool cleaning; /* set by whoever takes away what a stopped upload left: Flow.stop counts no more */
};

/* Not connected yet. `line` must outlive it. */
int ftp_new(const Line *line, Remote **ret) _must_use_;
int sftp_new(const Line *line, Remote **ret) _must_use_;
/* Of the order's type. */
int remote_new(const Line *line, Remote **ret) _must_use_;
Remote *remote_free(Remote *r);
DEFINE_CLEANUP(Remote, remote_free)
