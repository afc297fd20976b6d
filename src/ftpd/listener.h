/* The one process that accepts clients and may talk to the bus. It reads no client's bytes: children do, which the zygotes fork for it. */
#pragma once

#include "basic/cleanup.h"
#include "basic/fds.h"
#include "ftpd/auth.h"
#include "ftpd/ban.h"
#include "ftpd/birth.h"
#include "ftpd/connection.h"
#include "ftpd/downloads.h"
#include "ftpd/jail.h"
#include "ftpd/query.h"
#include "ftpd/session.h"
#include "units/bus_name.h"

#include <stdbool.h>
#include <stdint.h>

#define LISTEN_FDS_MAX 8
#define LOGIN_TRIES_MAX 3
#define PENALTY_FIRST_MS 1000   /* doubles with every wrong password… */
#define PENALTY_DOUBLINGS_MAX 3 /* …up to 8 s */
#define PRELOGIN_GRACE_MS 5000  /* a child that does not end by itself */
#define STORE_TIMEOUT_MS 5000
#define EXPIRY_GRACE_SECONDS 5  /* a session that does not end by itself */
#define STOP_TIMEOUT_MS 3000

typedef struct ListenerConfig {
    uint16_t pasv_min, pasv_max;
    struct in_addr pasv_address;
    Zygote *zygotes;       /* by JailKind, the caller's */
    bool service;          /* by systemd: fd store, bus, idle exit */
    uint64_t idle_ms;      /* 0: stay */
    size_t connections_max, site_max, account_max; /* in all, of one address (IPv6: one /64), sessions of one account */
    BanConfig ban;
    uint64_t login_ms, session_idle_ms, stall_ms;
    uint64_t session_rate, account_rate; /* bytes/s; 0: no limit */
    TlsMode tls_mode;      /* not off: zygotes[JAIL_RELAY] is there */
    bool tls_any;          /* TEMPOFTP_FTP_TLS_REUSE=off */
} ListenerConfig;

struct Listener {
    const ListenerConfig *config;
    sd_event *event;
    AuthSource *auth;      /* owned */
    sd_bus *bus;           /* owned; NULL in stand-alone mode, like the next two */
    BusName *name;
    Downloads *downloads;
    sd_event_source *accept_sources[LISTEN_FDS_MAX];
    int listen_fds[LISTEN_FDS_MAX];
    size_t n_listen;
    Connections connections;
    Bans *bans;
    TAILQ_HEAD(Due, Connection) due; /* connections with a deadline or waiting for a fork */
    TAILQ_HEAD(Drops, Drop) drops; /* that sessions fill: lease.c */
    Queries queries;
    uint64_t idle_since_ms; /* 0: not idle */
    uint64_t sweep_ms;
    uint64_t shortage_ms;   /* when a client could not be accepted for want of fds or memory; 0: never */
    uint64_t accept_ms;     /* nobody is accepted until then; 0: everybody is */
    uint64_t pause_ms;      /* of sessions that report often: watch.c */
    bool for_good;          /* when stopping: no listener comes after this one */
    uint64_t stop_ms;       /* when stopping: the latest end; 0: not stopping */
};

int listener_init(Listener *l, const ListenerConfig *config) _must_use_;
void listener_done(Listener *l);
int listener_add_socket(Listener *l, int fd) _must_use_; /* takes the fd, also on failure */
/* Until all is over: 0, or a negative errno. */
int listener_run(Listener *l) _must_use_;

/* Between the rooms of the listener: */
void listener_stop(Listener *l);
/* A client who has yet to log in, unless there are too many: `control` is owned from here on. */
void listener_take_client(Listener *l, int control, const struct sockaddr_storage *peer);
void listener_drop(Listener *l, Connection *c);          /* ends its child, whatever it does */
void listener_hold(Listener *l, Connection *c, uint64_t until_ms); /* something is due then: listener.c knows what, by state */
void listener_release(Listener *l, Connection *c);                 /* nothing is */
int listener_watch_wire(Listener *l, Connection *c, sd_event_io_handler_t handler) _must_use_;
/* login.c: from the pre-login child's LOGIN to ADMITTED. */
int login_on_wire(sd_event_source *source, int fd, uint32_t revents, void *userdata);
void login_penalty_over(Connection *c);
/* watch.c: what sessions say, and their end. */
int watch_on_wire(sd_event_source *source, int fd, uint32_t revents, void *userdata);
uint64_t watch_pause_ms(size_t capacity); /* how long a session may go unheard whose wire holds so many messages */
void watch_resume(Connection *c); /* after a pause that watch_on_wire() or lease.c has made */
void watch_end(Listener *l, Connection *c, const char *reason);
void watch_sweep(Listener *l, int64_t utc);
/* The access of an account ends at another time: every session of it learns that, in the middle of a transfer too. How many have. */
uint32_t watch_set_end(Listener *l, const char *account, int64_t expira);
/* share.c: a session begins to transfer, or does no more. */
void share_busy(Listener *l, Connection *c, bool busy);
/* store.c: sessions that outlive the listener. Their fds' names begin so. */
#define STORE_PREFIX "session/"
int store_session(Listener *l, Connection *c) _must_use_;
void store_over(Listener *l, Connection *c); /* whether stored or not: the session may serve */
void store_rename(const Connection *c, int64_t old_expira); /* its `expira` was another one when it was stored */
/* A session of an earlier listener, by the name of its fd; takes the fd. */
int store_restore(Listener *l, const char *name, int fd) _must_use_;
/* bus.c: org.tempoftp.Ftp1. */
int bus_open(Listener *l) _must_use_;
