/* What the listener and its children say to each other over a SOCK_SEQPACKET pair: one struct a message.
 *
 * Both sides check every message (type, direction, size, NUL at the end of strings): whoever sends a wrong one is treated as taken over. A child
 * learns nothing over the wire but what concerns its own connection. EOF means that the other side is gone: the child ends.
 *
 *   pre-login child → listener   LOGIN, AUTH_TLS           listener → pre-login child   DENIED, CLOSE, FULL, UNAVAILABLE,
 *                                                                                       RELAYED (with a socket)
 *   session → listener           WHERE, STAYS, TRANSFER,   listener → session           GO, ASK, END, RATE, CONNECTED,
 *                                CONNECT, BUSY, IDLE, BYE,                              GRANT, COUNT, UNTIL
 *                                AGAIN, ROOM, SETTLE,
 *                                COUNTED
 *
 * A login that succeeds has no answer: the listener ends the pre-login child and has the session forked. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/path.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_USER_SIZE 65
#define WIRE_PASSWORD_SIZE 257
#define WIRE_ID_SIZE 65
#define WIRE_REASON_SIZE 64
#define WIRE_SEND_TIMEOUT_MS 10000

typedef enum WireType {
    WIRE_LOGIN = 1,
    WIRE_DENIED,
    WIRE_CLOSE, /* denied for the last time */
    WIRE_FULL, /* the password is right, and too many sessions of the account are there */
    WIRE_UNAVAILABLE,
    WIRE_GO,
    WIRE_ASK,
    WIRE_WHERE,
    WIRE_END,
    WIRE_STAYS,
    WIRE_TRANSFER,
    WIRE_BYE,
    WIRE_BUSY, /* transfers begin: how fast? */
    WIRE_IDLE, /* no transfer for a while */
    WIRE_RATE,
    WIRE_CONNECT,
    WIRE_CONNECTED, /* with an fd when error is 0 */
    WIRE_AUTH_TLS,
    WIRE_RELAYED, /* with the inner side of a relay that has the client now */
    WIRE_AGAIN,   /* REIN: when this session has ended, its client may log in anew */
    WIRE_ROOM,    /* may so much be put into the drop? lease.c */
    WIRE_GRANT,
    WIRE_SETTLE,  /* what was granted is not needed any more */
    WIRE_COUNT,   /* measure the drop */
    WIRE_COUNTED,
    WIRE_UNTIL,   /* access ends at another time than was said before */
    _WIRE_TYPE_MAX,
} WireType;

typedef struct WireHeader {
    uint32_t type;
    uint32_t serial; /* of ASK, END, CONNECT, ROOM and COUNT, repeated in WHERE, STAYS, CONNECTED, GRANT and COUNTED */
} WireHeader;

typedef struct WireLogin {
    WireHeader header;
    char user[WIRE_USER_SIZE];
    char password[WIRE_PASSWORD_SIZE];
    uint32_t protect; /* PROT P was chosen */
} WireLogin;

typedef struct WireEnd {
    WireHeader header;
    char id[WIRE_ID_SIZE]; /* empty: whatever it is doing */
} WireEnd;

typedef struct WireWhere {
    WireHeader header;
    uint64_t sent, size; /* of the file under way; sent: with what REST left out */
    char folder[VIRTUAL_PATH_MAX];
    char file[VIRTUAL_PATH_MAX]; /* empty: none; cut after its NUL on the wire */
} WireWhere;

typedef enum WireDirection { WIRE_DOWNLOAD, WIRE_UPLOAD } WireDirection;

typedef struct WireTransfer {
    WireHeader header;
    uint32_t direction; /* WireDirection */
    uint64_t offset; /* where it began (REST) */
    uint64_t bytes;  /* over the data connection */
    uint64_t ms;
    uint32_t whole;   /* the end of the file was reached */
    uint32_t stalled; /* no: it stood still for too long */
    char path[VIRTUAL_PATH_MAX]; /* cut after its NUL on the wire */
} WireTransfer;

typedef struct WireRate {
    WireHeader header;
    uint64_t rate; /* bytes/s that the session may use from now on; 0: no limit */
} WireRate;

#define ACTIVE_PORT_MIN 1024 /* RFC 2577 section 3: no data connection to a port of a service */

/* Asks for a data connection to the client's address. */
typedef struct WireConnect {
    WireHeader header;
    uint32_t port;
} WireConnect;

typedef struct WireConnected {
    WireHeader header;
    int32_t error; /* 0 or negative errno */
} WireConnected;

/* Asks for room in the drop. What is left of an earlier grant comes along: the rest of it was used. */
typedef struct WireRoom {
    WireHeader header;
    uint64_t bytes, names;           /* more, please */
    uint64_t bytes_left, names_left;
    uint32_t renames; /* names are about to be moved: not while the drop is counted */
    uint32_t freed;   /* since the last message something was removed or became smaller */
} WireRoom;

/* Fewer bytes or names than were asked for: there is no more room. */
typedef struct WireGrant {
    WireHeader header;
    uint64_t bytes, names; /* beyond what was left */
} WireGrant;

/* Gives back what is left. */
typedef struct WireSettle {
    WireHeader header;
    uint64_t bytes_left, names_left;
    uint32_t freed;
} WireSettle;

typedef struct WireCounted {
    WireHeader header;
    uint64_t bytes, names; /* UINT64_MAX: it can't be counted */
} WireCounted;

typedef struct WireUntil {
    WireHeader header;
    int64_t expira; /* UTC seconds */
} WireUntil;

typedef struct WireBye {
    WireHeader header;
    char reason[WIRE_REASON_SIZE];
} WireBye;

typedef union WireMessage {
    WireHeader header;
    WireLogin login;
    WireEnd end;
    WireWhere where;
    WireTransfer transfer;
    WireBye bye;
    WireRate rate;
    WireConnect connect;
    WireConnected connected;
    WireRoom room;
    WireGrant grant;
    WireSettle settle;
    WireCounted counted;
    WireUntil until;
} WireMessage;

/* Who may send what. */
typedef enum WireSender { WIRE_PRELOGIN, WIRE_SESSION, WIRE_LISTENER } WireSender;

/* 0, -EBADMSG: no message of ours, or not one `from` may send. */
int wire_check(const WireMessage *m, size_t size, WireSender from) _must_use_;
/* Bytes of m that go over the wire. */
size_t wire_size(const WireMessage *m);
/* Waits up to WIRE_SEND_TIMEOUT_MS when the other side is slow (a listener that restarts). -ETIMEDOUT, -EPIPE. */
int wire_send(int fd, const WireMessage *m) _must_use_;
/* At once or not at all: -EAGAIN. */
int wire_send_now(int fd, const WireMessage *m) _must_use_;
/* The same, with a copy of `passed` (-EBADF: without). */
int wire_send_fd_now(int fd, const WireMessage *m, int passed) _must_use_;
/* 1: one message. 0: the other side is gone. -EAGAIN: none now. -EBADMSG. */
int wire_receive(int fd, WireSender from, WireMessage *ret) _must_use_;
/* The same, for who may get fds: *ret_fd is the one that came, the caller's to close, or -EBADF. */
int wire_receive_fd(int fd, WireSender from, WireMessage *ret, int *ret_fd) _must_use_;
/* How many messages of common length a wire holds that nobody reads: net.unix.max_dgram_qlen, which is 10 where nobody has changed it and 512 where
 * systemd has booted the machine, or fewer when the socket's buffer is small. 0: cannot tell. */
size_t wire_capacity(void);
