/* What comes in over a connection until libh2o has a whole request of it: how large it may be, how long it may take, and what the client is told.
 *
 * libh2o 2.2.5 closes a connection without a word when a request takes too long, and answers in words of its own (400, text/plain) when its head is too
 * large or no HTTP; over HTTP/2 each byte that comes starts its patience anew. So every socket's read callback is ours, with libh2o's behind it: HTTP/1 is
 * looked at before libh2o sees it, and a clock runs. An Intake is part of its connection and ends with it. */
#pragma once

#include "api/http_head.h"
#include "api/linger.h"

/* Between two requests, before the first, and for a TLS handshake; an idle connection must not keep the service from its idle exit for long. */
#define INTAKE_IDLE_MS 10000
#define INTAKE_HEAD_MS 10000    /* from a request's first byte to the end of its headers: 408 */
#define INTAKE_REQUEST_MS 20000 /* … to the end of its body: 408; over HTTP/2 the connection ends */
#define INTAKE_BEGUN_MAX (256 * 1024) /* bytes over HTTP/2 that have not become a request: libh2o lets a hundred bodies come at once */

typedef enum IntakePhase {
    INTAKE_HEAD,    /* HTTP/1: a request's headers, or nothing yet; or a TLS handshake */
    INTAKE_BODY,    /* HTTP/1: its body */
    INTAKE_BUSY,    /* HTTP/1: it is being answered */
    INTAKE_HTTP2,
    INTAKE_REFUSED, /* our own answer is being written */
} IntakePhase;

typedef struct Intake Intake;
typedef struct Intakes {
    Intake *unarmed; /* those whose read callback may be libh2o's */
    Lingers lingers;
} Intakes;

struct Intake {
    Intakes *all;
    h2o_socket_t *socket;
    h2o_socket_cb read; /* libh2o's */
    IntakePhase phase;
    HttpHead head;
    uint64_t begun_ms; /* the first byte of the request that is coming in; 0: none has come */
    uint64_t quiet_ms; /* since when nothing is being answered */
    uint64_t begun;    /* HTTP/2: bytes that have not become a request, as far as can be told from outside */
    unsigned requests; /* being answered; several over HTTP/2 */
    char *answer;      /* while it is being written */
    int linger;        /* the socket once more, to be read on after libh2o has closed it; -EBADF: none */
    bool unarmed;
    Intake *next, **at;
};

/* A socket that was just accepted; its on_close.data is the Intake (or what begins with it), which calls intake_end() when libh2o has closed it. */
void intake_begin(Intakes *all, Intake *i, h2o_socket_t *socket);
void intake_end(Intake *i);
/* Its TLS handshake is done: from now on it has the time that others have from the beginning. */
bool intake_ready(Intake *i);
/* A request is whole, with a body of so many bytes; its answer is written. */
void intake_asked(Intake *i, bool http2, size_t body);
void intake_answered(Intake *i);
/* The answer that is about to be written closes the connection although more may be coming. */
void intake_linger(Intake *i);

/* At the end of each turn of the loop. */
void intakes_arm(Intakes *all);
/* Once a second. May end the connection. */
void intake_check(Intake *i, uint64_t now_ms);
/* Over HTTP/2 a connection may have a request that never comes to its end beside others that do: ends those. Once a second. */
void intakes_check_streams(h2o_context_t *context);
