/* The listener's table of clients: one row each, from accept to the end of the session.
 *
 * The table lies in memory that children do not inherit (MADV_DONTFORK): a session that is taken over finds no other client's row there. */
#pragma once

#include "basic/cleanup.h"
#include "basic/fds.h"
#include "ftpd/auth.h"
#include "ftpd/lease.h"
#include "ftpd/tls.h"
#include "ftpd/wire.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CONNECTIONS_MAX 512 /* each session's name in the fd store goes through one environment string of at most 128 KiB */

typedef enum ConnectionState {
    CONNECTION_FREE,
    CONNECTION_ACCEPTED, /* waits for its pre-login child */
    CONNECTION_SECURING, /* waits for its relay */
    CONNECTION_PRELOGIN,
    CONNECTION_CHECKING, /* the password is being checked */
    CONNECTION_PENALTY,  /* the refusal is being held back */
    CONNECTION_DISMISSED, /* the pre-login child has heard its last word, and ends */
    CONNECTION_ADMITTED, /* waits for its session */
    CONNECTION_BEARING,  /* the session has been given its client, and has not spoken yet */
    CONNECTION_STORING,  /* the session waits until the fd store holds its wire */
    CONNECTION_SESSION,
} ConnectionState;

typedef struct Connection {
    ConnectionState state;
    Listener *listener;
    TAILQ_ENTRY(Connection) entry; /* Listener.due */
    bool listed;
    int control_fd; /* to the client or to its relay; a session with TLS has it alone */
    int wire_fd;    /* to its child */
    int home_fd, drop_fd; /* between CHECKING and the session's start; drop: -EBADF: it only reads */
    int barrier_fd; /* while STORING */
    int dial_fd;    /* while a data connection to the client is being made: dial.h */
    pid_t pid;      /* its child; 0: it has not spoken yet */
    bool busy;      /* a session that uses its share of the account's rate */
    sd_event_source *wire_source, *barrier_source, *dial_source;
    uint32_t dial_serial;
    AuthTicket *ticket;
    uint64_t login_by_ms; /* the end of patience before login */
    uint64_t hold_ms;     /* when it is due, while listed */
    uint64_t reported_ms; /* a session's last report of a transfer */
    unsigned tries;
    struct sockaddr_storage peer, local;
    struct in6_addr key;
    char peer_text[ADDRESS_TEXT_MAX];
    char account[WIRE_USER_SIZE]; /* who it is, or says it is */
    char farewell[WIRE_REASON_SIZE];
    int64_t login_utc, expira;
    bool again;        /* its client wants to log in anew */
    bool tls, protect; /* its control_fd is the inner side of a relay; PROT P was chosen */
    uint8_t ticket_key[TLS_TICKET_KEY_SIZE]; /* secret */
    char drop[WIRE_ID_SIZE]; /* as in AuthAnswer */
    uint64_t quota;
    Claim claim; /* what it has of that */
} Connection;

typedef struct Connections {
    Connection *rows; /* CONNECTIONS_MAX */
    size_t top;       /* rows from here on are free */
    size_t n;
    size_t sessions;
} Connections;

int connections_init(Connections *t) _must_use_;
void connections_done(Connections *t);
/* NULL: full. */
Connection *connections_add(Connections *t);
/* Closes what the row still owns and frees it. */
void connections_remove(Connections *t, Connection *c);
size_t connections_count_site(const Connections *t, const struct in6_addr *key);
size_t connections_count_account(const Connections *t, const char *account); /* sessions only */
size_t connection_index(const Connections *t, const Connection *c);
static inline bool connection_is_session(const Connection *c) {
    return c->state >= CONNECTION_ADMITTED;
}
