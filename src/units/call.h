/* One asynchronous D-Bus call of this room: who is told, and how a D-Bus error becomes an errno. Private to units/. */
#pragma once

#include "units/units.h"

#define CALL_TIMEOUT_USEC (25 * 1000000ull)
/* Starting waits for the unit's job, stopping for its last process: longer than TimeoutStartSec= and TimeoutStopSec= of our units. */
#define CALL_JOB_TIMEOUT_USEC (150 * 1000000ull)

/* Looks at a good answer; negative errno is handed to the reply. Returns CALL_GOES_ON after it has sent another message of the same call. */
#define CALL_GOES_ON 1
typedef int (*CallRead)(UnitCall *c, sd_bus_message *answer);

struct UnitCall {
    sd_bus *bus; /* borrowed */
    sd_bus_slot *slot;
    sd_bus_message *message; /* kept until it is answered: see AGAIN_USEC */
    uint64_t timeout_usec;
    sd_event_source *again;
    bool kept; /* the caller holds it and frees it */
    bool told; /* the callback ran (or runs) */
    CallRead read;           /* NULL: nothing to read */
    const char *fine_error;  /* an error that means success; NULL: none */
    UnitReply reply;         /* NULL for the calls with callbacks of their own: they set `tell` */
    void (*tell)(UnitCall *c, int r, const char *error_name, const char *message);
    void *userdata;

    /* what single calls keep between their steps */
    UnitStateReply state_reply;
    UnitListed listed;
    FtpSessionListed session_listed;
    uint32_t *ret_ended;
    size_t n_ended; /* how many numbers ret_ended has room for */
    int output; /* what a unit has written for us, -EBADF: nothing */
    UnitKind kind;
    char *path;
    char *active;
    char *status;
};

UnitCall *call_new(sd_bus *bus, UnitReply reply, void *userdata);
/* Sends; takes c over (frees it on error). ret_call as in units.h. */
int call_start(UnitCall *c, sd_bus_message *m, uint64_t timeout_usec, UnitCall **ret_call) _must_use_;
/* The next message of the same call, from inside `read`. */
int call_continue(UnitCall *c, sd_bus_message *m) _must_use_;
int call_errno(const sd_bus_error *e);
