/* One logged-in client in one jailed process. It reads beneath CHILD_HOME_FD, talks over CHILD_CONTROL_FD and CHILD_WIRE_FD, and opens data
 * connections; it has no other way to the world.
 *
 * It ends itself at `expira`, when the wire reaches EOF, after `idle_ms` without a command. Relations to the listener: ftpd/wire.h. */
#pragma once

#include "basic/cleanup.h"
#include "basic/fds.h"
#include "ftpd/conversation.h"
#include "ftpd/data.h"
#include "ftpd/listing.h"
#include "ftpd/path.h"
#include "ftpd/quota.h"
#include "ftpd/wire.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define SESSION_GO_TIMEOUT_MS 30000

/* What a child is born with; copied before the fork. */
typedef struct SessionStart {
    struct sockaddr_storage peer, local; /* of the control connection */
    int64_t expira;                      /* UTC seconds, until the listener says otherwise; INT64_MAX: never */
    char drop[WIRE_ID_SIZE];             /* the folder below the home that may be written in; "/": all of it; "": read-only */
    uint64_t quota;                      /* bytes that may lie there; 0: no limit */
    uint16_t pasv_min, pasv_max;
    bool keep_ports;             /* each session may keep one between small files: there are more than sessions */
    struct in_addr pasv_address; /* INADDR_ANY: that of the control connection */
    uint64_t login_ms, idle_ms, stall_ms;
    uint64_t rate;               /* bytes/s of this session; 0: no limit */
    bool shares;                 /* and no more than the listener says: RATE on the wire */
    TlsMode tls_mode;
    bool tls, protect;           /* the control connection comes through a relay; PROT P was chosen before login */
    bool tls_any;                /* data connections need not resume the control connection's TLS session */
    uint8_t ticket_key[TLS_TICKET_KEY_SIZE]; /* this client's, secret */
    bool wait_for_go;            /* serve only after GO: the listener is making it safe against its own end */
} SessionStart;

/* Why a session ends: what the client reads, what the journal says. */
typedef enum SessionEnd {
    SESSION_GOES_ON,
    SESSION_QUIT,
    SESSION_AGAIN, /* REIN */
    SESSION_CLIENT_LEFT,
    SESSION_IDLE,
    SESSION_EXPIRED,
    SESSION_REVOKED,
    SESSION_STOPPED, /* the listener is gone for good */
    SESSION_BROKEN,
} SessionEnd;

/* Active mode: active.h. */
typedef struct Active {
    uint16_t port;   /* of PORT or EPRT; 0: none */
    bool waiting;    /* for the listener's answer to `serial` */
    uint32_t serial;
    int error;       /* its answer */
    int fd;          /* or this */
} Active;

/* What the listener has granted of the drop's room: drop.h. */
typedef struct Lease {
    Room left;
    bool open;     /* the listener thinks that we use it */
    bool freed;    /* what it has not heard of: something was removed, or became smaller */
    /* the question that waits for its answer */
    bool asks, renames;
    uint32_t serial;
    Room wanted;
} Lease;

typedef struct Session {
    Conversation conversation; /* first: handlers cast */
    const SessionStart *start;
    TlsServer *tls; /* for data connections; NULL: none */
    SessionEnd end;
    int64_t expira; /* UTC seconds */
    uint64_t last_command_ms;
    bool busy, told; /* shares: the listener counts us among those that transfer; it has said how fast */
    char folder[VIRTUAL_PATH_MAX];
    /* the transfer under way */
    char file[VIRTUAL_PATH_MAX]; /* empty: none */
    uint64_t file_size, file_offset; /* offset: where the transfer began (REST) */
    DataChannel data;
    Active active;
    /* what the client has chosen */
    uint64_t rest;
    unsigned facts;
    bool epsv_only;
    bool ascii;     /* TYPE A */
    char *renaming; /* what RNFR named, on the heap; NULL: nothing */
    Lease lease;
} Session;

int session_run(const SessionStart *start, TlsServer *tls); /* tls: what its data connections are encrypted with, or NULL */
/* What comes over control and wire, for whoever waits for something else: 0, -ECANCELED (ABOR waits), -ESHUTDOWN (s->end says why). */
int session_watch(Session *s);
/* Before the first byte of a transfer: with `shares`, asks the listener how fast. 0, or as session_watch(); -ETIMEDOUT. */
int session_may_transfer(Session *s) _must_use_;
/* The one place where an errno of the file system becomes a reply. */
int session_reply_errno(Session *s, int error) _must_use_;
/* argument → normalized path below the account's home, or a reply was sent: 1 the path stands, 0 answered, negative: broken. */
int session_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) _must_use_;

/* Handlers, by room. */
int session_again(Conversation *c, char *argument);
int session_rein(Conversation *c, char *argument);
int session_feat(Conversation *c, char *argument);
int session_opts(Conversation *c, char *argument);

int navigate_pwd(Conversation *c, char *argument);
int navigate_cwd(Conversation *c, char *argument);
int navigate_cdup(Conversation *c, char *argument);
int navigate_size(Conversation *c, char *argument);
int navigate_mdtm(Conversation *c, char *argument);
int navigate_mlst(Conversation *c, char *argument);

int transfer_type(Conversation *c, char *argument);
int transfer_mode(Conversation *c, char *argument);
int transfer_stru(Conversation *c, char *argument);
int transfer_pasv(Conversation *c, char *argument);
int transfer_epsv(Conversation *c, char *argument);
int transfer_rest(Conversation *c, char *argument);
int transfer_retr(Conversation *c, char *argument);
int transfer_abor(Conversation *c, char *argument);

int active_port(Conversation *c, char *argument);
int active_eprt(Conversation *c, char *argument);

int listings_list(Conversation *c, char *argument);
int listings_nlst(Conversation *c, char *argument);
int listings_mlsd(Conversation *c, char *argument);
int listings_stat(Conversation *c, char *argument);

int status_stat(Conversation *c, char *argument);
int hash_hash(Conversation *c, char *argument);

int upload_stor(Conversation *c, char *argument);
int upload_stou(Conversation *c, char *argument);
int upload_appe(Conversation *c, char *argument);
int upload_allo(Conversation *c, char *argument);

int files_dele(Conversation *c, char *argument);
int files_mkd(Conversation *c, char *argument);
int files_rmd(Conversation *c, char *argument);
int files_rnfr(Conversation *c, char *argument);
int files_rnto(Conversation *c, char *argument);
int files_mfmt(Conversation *c, char *argument);
