/* What tempoftpd says to systemd and to the broker over D-Bus: asynchronous calls on the loop's bus connection.
 *
 * Every call returns at once; the callback runs on the loop, once, unless the returned UnitCall is freed before. Errors of sending are returned
 * (negative errno), errors of the answer reach the callback: r < 0 with the D-Bus error's name and message (NULL when there was no answer). Names
 * of errors: docs/INTERNALS.md. Mapping: .Denied -EPERM, .Invalid -EINVAL, .AlreadyRunning -EALREADY, .StartFailed -ECHILD, no answer or
 * broker gone -EAGAIN, anything else -EIO. */
#pragma once

#include "model/request.h"
#include "model/unit_name.h"

#include <systemd/sd-bus.h>

typedef struct UnitCall UnitCall;
UnitCall *unit_call_free(UnitCall *c); /* cancels when still pending */
DEFINE_CLEANUP(UnitCall, unit_call_free)

typedef void (*UnitReply)(void *userdata, int r, const char *error_name, const char *message);

/* ret_call may be NULL: then nobody can cancel and userdata must outlive the answer. Otherwise the caller owns the call and frees it, also after the answer
 * (inside the callback is fine). */
int broker_start_transfer(sd_bus *bus, const char *id, uint64_t life, uint32_t run, const char *ruta, char *const *addresses, const char *token,
                          UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* UNIT_PURGE or UNIT_DROP. */
int broker_start_purge(sd_bus *bus, UnitKind kind, const char *id, uint64_t life, uint32_t run, UnitReply reply, void *userdata,
                       UnitCall **ret_call) _must_use_;
int broker_stop_unit(sd_bus *bus, UnitKind kind, const char *id, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* Uploads. addresses: the destination's, literal. order, output: fds, borrowed for the call; see docs/INTERNALS.md "Exports". A test is answered when it has
 * ended. */
int broker_start_export(sd_bus *bus, const char *id, uint64_t life, uint32_t n, uint32_t run, const char *account, char *const *addresses, int order,
                        UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
int broker_test_export(sd_bus *bus, uint64_t destination, char *const *addresses, int order, int output, UnitReply reply, void *userdata,
                       UnitCall **ret_call) _must_use_;
int broker_stop_export(sd_bus *bus, const char *id, uint32_t n, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
int broker_arm_expiry(sd_bus *bus, const char *id, uint64_t life, int64_t when, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
int broker_disarm_expiry(sd_bus *bus, const char *id, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;

/* In this and what follows `id` is a unit id (model/unit_name.h). The unit as systemd knows it. active: "active", "activating", "deactivating", "inactive", "failed"; "" when there is no such unit (r = 0
 * too). status: STATUS= text, "" when none. */
typedef void (*UnitStateReply)(void *userdata, int r, const char *active, const char *status);
int unit_state(sd_bus *bus, UnitKind kind, const char *id, UnitStateReply reply, void *userdata, UnitCall **ret_call) _must_use_;

/* No unit of that name, or one that only stays loaded for a moment more. */
bool unit_is_dead(const char *active);

/* Calls when that service unit has ended ("inactive" or "failed"), sooner than OnSuccess= and OnFailure= can. Until the slot is unref'd. Subscribes. */
typedef void (*UnitEnded)(void *userdata, const char *id);
int unit_watch_ended(sd_bus *bus, UnitKind kind, const char *id, UnitEnded ended, void *userdata, sd_bus_slot **ret_slot) _must_use_;

/* Names of all loaded units of one kind, active or not (reconcile at start): callback once per unit id, then reply. */
typedef void (*UnitListed)(void *userdata, const char *id, const char *active);
int unit_list(sd_bus *bus, UnitKind kind, UnitListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;

/* Ids of units that live, as unit_list() tells them one by one. */
typedef struct UnitIds {
    char (*ids)[UNIT_ID_MAX + 1]; /* to be freed */
    size_t n;
} UnitIds;
/* Does not add those of dead units, nor what finds no memory. */
void unit_ids_add(UnitIds *u, const char *id, const char *active);
bool unit_ids_have(const UnitIds *u, const char *id);

/* The FTP listener. -EAGAIN: nobody answers. Sessions outlive their listener, so what that means is what ftp_state() says: none are left when the service
 * is "inactive" or "failed"; otherwise the next listener can be asked in a moment. */
int ftp_state(sd_bus *bus, UnitStateReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* One session; strings live as long as the callback. */
typedef struct FtpSession {
    uint32_t pid;
    const char *account, *peer;
    const char *folder, *file; /* virtual paths, "" when unknown or none */
    uint64_t sent, size;       /* of that file */
    uint64_t since;            /* UTC seconds */
} FtpSession;
/* One call of listed() per session, then reply. */
typedef void (*FtpSessionListed)(void *userdata, const FtpSession *session);
int ftp_list_sessions(sd_bus *bus, FtpSessionListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* *ret_ended (NULL: never mind) is written before a good reply: how many have ended. It must live until then. */
int ftp_end_sessions(sd_bus *bus, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* Every session of the account goes on until `expira` (UTC seconds), sooner or later than it was told at its login. */
int ftp_set_end(sd_bus *bus, const char *account, int64_t expira, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* The session of one process. */
int ftp_end_session(sd_bus *bus, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;

/* The same of Pure-FTPd's sessions on this machine, by a transient unit: the broker's ListSessions, EndSessions, EndSession. -ECHILD: the unit failed, its
 * journal says why. */
int pureftpd_list_sessions(sd_bus *bus, FtpSessionListed listed, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
/* whose: account and id by turns, at most PUREFTPD_WHOSE_MAX pairs. ret_ended: a number for each pair. */
#define PUREFTPD_WHOSE_MAX 256
int pureftpd_end_sessions(sd_bus *bus, const char *const *whose, size_t pairs, uint32_t *ret_ended, UnitReply reply, void *userdata,
                          UnitCall **ret_call) _must_use_;
int pureftpd_end_session(sd_bus *bus, uint32_t pid, uint32_t *ret_ended, UnitReply reply, void *userdata, UnitCall **ret_call) _must_use_;
