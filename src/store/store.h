/* The state database: every SQL statement of tempoftp stands in this room.
 *
 * One Store per process. Reads run on the caller's thread (the event loop) on a connection of their
 * own; writes are jobs that one writer thread takes from a queue and commits in groups (WAL,
 * synchronous=FULL): everything queued while a commit is running goes into the next one. A job's
 * callback runs, on the loop, only after its group is on disk. Each job has a savepoint: one that
 * fails takes nothing else with it.
 *
 * Errors: negative errno. SQLite's own become -EIO, -ENOSPC (SQLITE_FULL), -EBUSY, -ENOMEM,
 * -EBADMSG (corrupt); detail at debug. Source: https://sqlite.org/wal.html,
 * https://sqlite.org/c3ref/c_abort.html */
#pragma once

#include "model/audit.h"
#include "model/destination.h"
#include "model/export_order.h"
#include "model/export_state.h"
#include "model/request.h"
#include "model/user.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Store Store;
typedef struct StoreTx StoreTx; /* inside a job only */

#define STORE_QUEUE_MAX 65536 /* jobs waiting; past it store_write says -EAGAIN */
#define STORE_EVENTS_MAX 10000    /* per life; past it only moves that end or withdraw access are written */
#define STORE_DOWNLOADS_MAX 10000 /* address and day pairs per life; past it only bytes are summed */
#define STORE_DOWNLOADED_MAX (1ULL << 53) /* bytes per life: so many nobody fetches, and sums over all stay what a row can hold */
#define STORE_RATES_MAX 65536     /* windows kept; tx_rate_put says -E2BIG */
#define STORE_USERS_MAX 100000
#define STORE_USERS_WAITING_MAX 1000                  /* registered, never activated */
#define STORE_USERS_WAITING_SECONDS (30 * 24 * 3600)  /* older ones make room for new ones */
#define STORE_ONETIME_PER_USER_MAX 1000               /* one-time tokens alive at once */
#define STORE_DESTINATIONS_MAX 1000
#define STORE_EXPORTS_MAX 100         /* of one life */
#define STORE_EXPORTS_WAITING_MAX 10000 /* pendiente, of all lives */
#define STORE_EXPORT_LINES_MAX 200    /* of one export; the last of them says that the journal has more */
#define STORE_AUDIT_LOOK_MAX 5000                     /* rows of the trail that one reading looks at */

/* Opens (0600) or creates `path`, migrates it (schema.h: user_version), starts the writer.
 * -ENOTSUP: made by a newer version; -EBADMSG: not ours or damaged; -EBUSY: another process has
 * it open; -EPERM: its folder is another user's, or others may write in it. */
int store_open(const char *path, Store **ret) _must_use_;
/* Commits what is queued, stops the writer, runs no more callbacks. */
Store *store_free(Store *s);
DEFINE_CLEANUP(Store, store_free)

/* An eventfd, readable when callbacks wait or the writer wants the reader out of its way; then
 * call store_dispatch(). */
int store_fd(const Store *s);
void store_dispatch(Store *s);
size_t store_queue_length(const Store *s); /* jobs whose callback has not run */
bool store_is_idle(const Store *s); /* nothing queued, nothing to dispatch */
/* A SELECT 1 on the reader that touches the file, for /health. */
int store_probe(Store *s);

/* Runs on the writer thread, inside the group's transaction. Returns 0 or negative errno (its
 * changes are rolled back; the others commit). */
typedef int (*StoreJob)(StoreTx *tx, void *job);
/* Runs in store_dispatch(), after the commit: r is the job's result, or the commit's error. */
typedef void (*StoreDone)(void *job, int r);
int store_write(Store *s, StoreJob run, StoreDone done, void *job) _must_use_;
/* Queues and waits for the commit (start-up, reconcile at start, tests; never on a running loop). */
int store_write_wait(Store *s, StoreJob run, void *job) _must_use_;

/* Called in store_dispatch(), before the callbacks of the same commits: what store_view() says of that life may have changed; life 0: of any. Also called
 * for nothing at times (a job that failed), never forgotten. New rows are not told. */
typedef void (*StoreChanged)(uint64_t life, void *userdata);
void store_on_change(Store *s, StoreChanged changed, void *userdata);

/* Since store_open(): one commit is one fsync; `jobs` counts what was run, failed ones too; a
 * checkpoint is put off when the reader does not let go in time. */
typedef struct StoreStatistics {
    uint64_t jobs, commits, checkpoints, checkpoints_put_off;
} StoreStatistics;
void store_statistics(const Store *s, StoreStatistics *ret);

/* ---- who did it: goes into `events` with every change ---- */
typedef struct Actor {
    const char *name;       /* "api:203.0.113.5", "unix:root", "tempoftpd", "tempoftp-expire-x.timer"… */
    const char *request_id; /* X-Request-ID or NULL */
    int64_t now;            /* UTC seconds */
} Actor;

/* ---- rows ---- */
typedef struct Account {
    char name[ACCOUNT_NAME_MAX + 1];
    char email[EMAIL_MAX + 1];
    char *hash;    /* of our password; NULL: never made, or foreign, or gone. A back end outside: the last one's, gone or not, to know its row by */
    char *token;   /* Fernet token of the password (or of a foreign hash); NULL when gone ("gone and back" makes a new one) */
    bool foreign;  /* the back end had it before us */
    int64_t created;
} Account;
void account_done(Account *a);
#define _cleanup_account_ _cleanup_(account_done)

typedef struct Downloads {
    uint64_t count; /* distinct address and day */
    int64_t last;   /* UTC seconds, 0 none */
    uint64_t bytes;
} Downloads;

/* What GET /tmpftp/{id} shows. */
typedef struct RequestView {
    Request request;
    char *token; /* of its account; NULL before listo */
    Downloads downloads;
    uint64_t drop_bytes; /* of its account's drop folder; 0: it has none */
} RequestView;
void request_view_done(RequestView *v);
#define _cleanup_request_view_ _cleanup_(request_view_done)

typedef struct Event {
    uint64_t n; /* 1, 2, … within one life */
    int64_t at;
    State state;
    const char *actor, *message, *request_id; /* message, request_id may be NULL */
} Event;

/* A durable thing still to do; kept until done. One of each kind per life. */
typedef enum TaskKind { TASK_PURGE, TASK_DROP, TASK_KIND_MAX } TaskKind;
typedef struct Task {
    uint64_t life;
    TaskKind kind;
    char id[ID_MAX + 1];
    uint32_t tries;
    int64_t not_before; /* UTC seconds */
} Task;

/* An account that a back end outside this database has not been told the latest of; kept until it has. What it is to be told is not
 * written down: it follows from the account's requests at the moment of telling. */
typedef struct AccessTask {
    char account[ACCOUNT_NAME_MAX + 1];
    uint64_t n;    /* how many changes have come together in it */
    int64_t since; /* UTC seconds: when the first of them was made */
} AccessTask;

/* One upload of a request to a destination. Owns its message: export_done(). */
typedef struct Export {
    uint64_t life;
    uint32_t n; /* 1, 2, … within one life */
    char id[ID_MAX + 1]; /* of the request */
    uint64_t destination; /* may be gone */
    char name[DESTINATION_NAME_SIZE]; /* the destination's, when this was written down */
    DestinationType type;
    bool automatic;
    ExportState state;
    uint32_t run; /* starts of its unit so far */
    char token[EXPORT_TOKEN_SIZE]; /* of this run; empty when no unit runs */
    uint64_t bytes, files; /* what has arrived, when it is listo */
    char *message; /* why it ended as it did, or what it waits for; NULL: nothing to say */
    int64_t created, ended; /* UTC seconds; ended 0: not yet */
} Export;
void export_done(Export *e);
#define _cleanup_export_ _cleanup_(export_done)

/* ---- reads (loop thread). Callbacks return 0 to go on, else the walk stops and returns that value ---- */
/* The row of that id that is not eliminado. -ENOENT. */
int store_get(Store *s, const char *id, Request *ret) _must_use_;
int store_get_life(Store *s, uint64_t life, Request *ret) _must_use_;
/* By run token, only while the row is in flight. Token must be 32 hex digits. */
int store_get_token(Store *s, const char *token, Request *ret) _must_use_;
int store_view(Store *s, const char *id, RequestView *ret) _must_use_; /* the hot path: one prepared statement */
typedef int (*RequestWalk)(const Request *r, void *userdata);
/* Oldest first (by life), rows not eliminado, of one state or (STATE_MAX) all, after that life;
 * at most limit. */
int store_list(Store *s, State state, uint64_t after_life, size_t limit, RequestWalk walk, void *userdata) _must_use_;
/* Rows of an account's name that are not eliminado/expirado/error, oldest first. */
int store_list_account(Store *s, const char *account, RequestWalk walk, void *userdata) _must_use_;
/* Every row not eliminado of that address. */
int store_list_email(Store *s, const char *email, RequestWalk walk, void *userdata) _must_use_;
/* listo or bloqueado with expires <= now, earliest first. */
int store_list_due(Store *s, int64_t now, size_t limit, RequestWalk walk, void *userdata) _must_use_;
/* listo or bloqueado, earliest expires first, at most limit. */
int store_list_next_expiries(Store *s, size_t limit, RequestWalk walk, void *userdata) _must_use_;
int store_count(Store *s, State state, uint64_t *ret) _must_use_; /* out of store_totals(); STATE_MAX: all that are not eliminado */
int store_account_by_name(Store *s, const char *name, Account *ret) _must_use_;
int store_account_by_email(Store *s, const char *email, Account *ret) _must_use_;
typedef int (*AccountWalk)(const Account *a, void *userdata);
int store_list_accounts(Store *s, AccountWalk walk, void *userdata) _must_use_;
/* For a login: *ret_expires is the latest `expires` of its listo requests, 0 when none is listo;
 * *ret_blocked: one is bloqueado. */
int store_account_access(Store *s, const char *name, int64_t *ret_expires, bool *ret_blocked) _must_use_;
/* What a back end outside is to be told of an account, from its requests. */
typedef struct AccountWanted {
    bool used;       /* one is listo or bloqueado: the account exists */
    bool enabled;    /* one is listo */
    int64_t expires; /* UTC seconds: the latest of those that are listo, or else of the blocked ones; 0: not used */
} AccountWanted;
int store_account_wanted(Store *s, const char *name, AccountWanted *ret) _must_use_;
/* A copy for that address is whole and waits for its account: 1, else 0. */
int store_account_is_awaited(Store *s, const char *email) _must_use_;
/* How many bytes may lie in the account's drop folder; 0: it has none, or there is no such account. */
int store_drop(Store *s, const char *account, uint64_t *ret_bytes) _must_use_;
typedef int (*EventWalk)(const Event *e, void *userdata);
int store_list_events(Store *s, uint64_t life, uint64_t after_n, EventWalk walk, void *userdata) _must_use_;
typedef int (*TaskWalk)(const Task *t, void *userdata);
int store_list_tasks(Store *s, int64_t now, TaskWalk walk, void *userdata) _must_use_; /* those with not_before <= now */
typedef int (*AccessTaskWalk)(const AccessTask *t, void *userdata);
/* By account, those after that name ("": all), at most limit. */
int store_list_access_tasks(Store *s, const char *after, size_t limit, AccessTaskWalk walk, void *userdata) _must_use_;
int store_access_task(Store *s, const char *account, AccessTask *ret) _must_use_; /* -ENOENT */
/* How many there are, and the oldest's `since` (0: none). */
int store_count_access_tasks(Store *s, uint64_t *ret_count, int64_t *ret_since) _must_use_;
/* Rate-limit windows kept over an idle exit: opened is UTC milliseconds. */
typedef int (*RateWalk)(const char *key, int64_t opened_utc_ms, uint32_t calls, void *userdata);
int store_list_rates(Store *s, RateWalk walk, void *userdata) _must_use_;

/* Users: -ENOENT. */
int store_user(Store *s, uint64_t id, User *ret) _must_use_;
int store_user_by_email(Store *s, const char *email, User *ret) _must_use_;
/* Its password's hash; heap. -ENOENT. */
int store_user_hash(Store *s, uint64_t id, char **ret) _must_use_;
typedef int (*UserWalk)(const User *u, void *userdata);
int store_list_users(Store *s, uint64_t after_id, size_t limit, UserWalk walk, void *userdata) _must_use_; /* by id */

/* Destinations: -ENOENT. */
int store_destination(Store *s, uint64_t id, Destination *ret) _must_use_;
int store_destination_by_name(Store *s, const char *name, Destination *ret) _must_use_;
int store_count_destinations(Store *s, uint64_t *ret) _must_use_;
typedef int (*DestinationWalk)(const Destination *d, void *userdata);
int store_list_destinations(Store *s, size_t limit, size_t offset, DestinationWalk walk, void *userdata) _must_use_; /* by id */
/* Exports: -ENOENT. */
int store_export(Store *s, uint64_t life, uint32_t n, Export *ret) _must_use_;
int store_export_by_token(Store *s, const char *token, Export *ret) _must_use_; /* while it is subiendo; -EINVAL: no token */
typedef int (*ExportWalk)(const Export *e, void *userdata);
int store_list_exports(Store *s, uint64_t life, ExportWalk walk, void *userdata) _must_use_; /* by n */
/* All that are EXPORT_PENDIENTE or EXPORT_SUBIENDO, oldest first. */
int store_list_active_exports(Store *s, ExportState state, size_t limit, ExportWalk walk, void *userdata) _must_use_;
typedef int (*ExportLineWalk)(uint32_t n, int64_t at, const char *text, void *userdata);
int store_list_export_lines(Store *s, uint64_t life, ExportLineWalk walk, void *userdata) _must_use_; /* by n, then in order */

/* Who did what. */
typedef int (*AuditWalk)(const AuditRow *row, void *userdata);
/* Newest first, those that the filter means, at most limit. Looks at STORE_AUDIT_LOOK_MAX rows and no more, as it runs on the loop: *ret_next is the before_n to go
 * on with, 0 when there is nothing older. */
int store_list_audit(Store *s, const AuditFilter *filter, size_t limit, AuditWalk walk, void *userdata, uint64_t *ret_next) _must_use_;

/* A line of text that the service keeps for itself under a key. Heap. -ENOENT. */
int store_note(Store *s, const char *key, char **ret_value) _must_use_;

/* Sums that are kept, not counted: reading them costs the same however many rows there are. */
typedef struct StoreTotals {
    uint64_t requests[STATE_MAX], exports[EXPORT_STATE_MAX]; /* rows in each state now */
    uint64_t tasks, access_tasks;                            /* still to be done */
    /* from here on only ever growing */
    uint64_t received;
    uint64_t transfers_done, transfers_failed, copied_bytes, copied_files; /* bytes and files: of those that became listo */
    uint64_t downloaded_bytes;
    uint64_t exports_done, exports_failed, uploaded_bytes;
} StoreTotals;
int store_totals(Store *s, StoreTotals *ret) _must_use_;

/* ---- inside jobs (writer thread) ---- */
int tx_get_life(StoreTx *tx, uint64_t life, Request *ret) _must_use_;
int tx_get(StoreTx *tx, const char *id, Request *ret) _must_use_;
/* A new row in recibido and its first event; fills *ret. -EEXIST: *ret is the row that stands in
 * the way (both: the caller's to request_done). */
int tx_insert(StoreTx *tx, const NewRequest *n, const Actor *who, Request *ret) _must_use_;
/* Moves a row, if the state machine's table allows it, and writes the event. *r must hold the
 * row's life and the new values of all changing columns (account, message, ready, expires,
 * vigencia, retry_at, copied, sized, bytes, files, run, token); r->state is the state it is
 * expected to be in: when the row is elsewhere by now, -ESTALE with *ret_actual set (ret_actual
 * may be NULL); -EPERM: the table has no such move. On success r->state = to. `text` is the
 * event's message (may be NULL). -EDQUOT: STORE_EVENTS_MAX. A non-empty account must be in
 * `accounts` (tx_account_put first), else -EINVAL. */
int tx_move(StoreTx *tx, Request *r, State to, const char *text, const Actor *who, State *ret_actual) _must_use_;
/* Same columns, no move, same guard on r->state; writes an event only when text is not NULL. */
int tx_update(StoreTx *tx, Request *r, const char *text, const Actor *who, State *ret_actual) _must_use_;
int tx_account_by_email(StoreTx *tx, const char *email, Account *ret) _must_use_;
/* Insert or replace by name; -EEXIST when the name belongs to another address (a collision: take
 * a longer suffix); -ENOTUNIQ when the address has another name already (look it up first: names
 * are for ever). `created` is kept from the first time. */
int tx_account_put(StoreTx *tx, const Account *a) _must_use_;
/* Forgets token, drop folder and, unless told to keep it, hash (the account is gone; its name
 * stays its address's for ever). -ENOENT: no such name. */
int tx_account_clear(StoreTx *tx, const char *name, bool keep_hash) _must_use_;
/* Drop folders: as store_drop(); 0 bytes take it away. -ENOENT: no such account. */
int tx_drop(StoreTx *tx, const char *account, uint64_t *ret_bytes) _must_use_;
int tx_drop_put(StoreTx *tx, const char *account, uint64_t bytes) _must_use_;
int tx_account_wanted(StoreTx *tx, const char *name, AccountWanted *ret) _must_use_;
/* Every account that ever was, by name (strcmp order), with what is wanted of it. */
typedef int (*AccountWantedWalk)(const Account *a, const AccountWanted *wanted, void *userdata);
int tx_list_wanted(StoreTx *tx, AccountWantedWalk walk, void *userdata) _must_use_;
/* How many rows of this account are listo or bloqueado. */
int tx_account_uses(StoreTx *tx, const char *name, uint64_t *ret) _must_use_;
/* Every account with a token; the callback may return a new token (heap) in *ret_token to store instead. */
typedef int (*TokenWalk)(const Account *a, char **ret_token, void *userdata);
int tx_rotate_tokens(StoreTx *tx, TokenWalk walk, void *userdata) _must_use_;
/* Inserts, or replaces tries and not_before; t->id is not looked at. */
int tx_task_put(StoreTx *tx, const Task *t) _must_use_;
int tx_task_remove(StoreTx *tx, uint64_t life, TaskKind kind) _must_use_;
/* One more change of that account to tell its back end; *ret_n (may be NULL): its number, for tx_access_task_done(). */
int tx_access_task_put(StoreTx *tx, const char *account, int64_t now, uint64_t *ret_n) _must_use_;
int tx_access_task(StoreTx *tx, const char *account, AccessTask *ret) _must_use_; /* -ENOENT */
/* It has been told all up to n: ends the task unless more has come. */
int tx_access_task_done(StoreTx *tx, const char *account, uint64_t n) _must_use_;
/* Adds to one (life, address, day) row and to the sums, up to STORE_DOWNLOADED_MAX in all. -ENOENT: no such life. */
int tx_download_add(StoreTx *tx, uint64_t life, const char *address, uint64_t bytes, uint64_t files, int64_t last) _must_use_;
int tx_rates_replace_begin(StoreTx *tx) _must_use_; /* empties the table */
int tx_rate_put(StoreTx *tx, const char *key, int64_t opened_utc_ms, uint32_t calls) _must_use_;
/* A new user; fills id and generation. -EEXIST: the address is taken; -EDQUOT: there are STORE_USERS_MAX, or STORE_USERS_WAITING_MAX that nobody has
 * activated (those that wait for longer than STORE_USERS_WAITING_SECONDS are forgotten first). */
int tx_user_insert(StoreTx *tx, User *u, const char *hash) _must_use_;
int tx_user(StoreTx *tx, uint64_t id, User *ret) _must_use_;
/* Writes role, active and generation, and the hash when it is not NULL. */
int tx_user_update(StoreTx *tx, const User *u, const char *hash) _must_use_;
/* One-time tokens: `digest` is the SHA-256 of one in hex, times are UTC milliseconds. Expired ones are removed here. -EDQUOT: STORE_ONETIME_PER_USER_MAX. */
int tx_onetime_put(StoreTx *tx, const char *digest, uint64_t user, int64_t now_ms, int64_t expires_ms) _must_use_;
/* Spends it: of any number of calls one succeeds. -ENOENT: none such, spent or expired. */
int tx_onetime_spend(StoreTx *tx, const char *digest, int64_t now_ms, uint64_t *ret_user) _must_use_;
int tx_onetime_forget(StoreTx *tx, uint64_t user) _must_use_; /* all of that user's */
int tx_destination(StoreTx *tx, uint64_t id, Destination *ret) _must_use_; /* -ENOENT */
/* A new row (d->id is 0, and set) or all columns of an old one. A default one takes that from the other. -EEXIST: the name is taken; -ENOENT; -EDQUOT:
 * STORE_DESTINATIONS_MAX. */
int tx_destination_put(StoreTx *tx, Destination *d) _must_use_;
/* What a test was shown, if the destination is still at that server. */
int tx_destination_seen(StoreTx *tx, uint64_t id, const char *host, uint16_t port, const char *key) _must_use_;
/* Every Fernet token of destinations, as tx_rotate_tokens(). */
typedef int (*SecretWalk)(const char *token, char **ret_token, void *userdata);
int tx_rotate_secrets(StoreTx *tx, SecretWalk walk, void *userdata) _must_use_;
int tx_destination_remove(StoreTx *tx, uint64_t id) _must_use_; /* -ENOENT */
/* A new one, pendiente. -EALREADY: one to the same destination is not over; -EDQUOT: STORE_EXPORTS_MAX; -EAGAIN: STORE_EXPORTS_WAITING_MAX. */
int tx_export_add(StoreTx *tx, const Request *r, const Destination *to, bool automatic, int64_t now, Export *ret) _must_use_;
/* Those that a request gets by itself: to the destinations of its group, else to the default one. *ret_left_out: how many found no room. */
int tx_exports_automatic(StoreTx *tx, const Request *r, int64_t now, unsigned *ret_added, unsigned *ret_left_out) _must_use_;
int tx_export(StoreTx *tx, uint64_t life, uint32_t n, Export *ret) _must_use_; /* -ENOENT */
/* Writes the changing columns of a row that is still in that state and at that run, else -ESTALE. */
int tx_export_update(StoreTx *tx, const Export *e, ExportState was, uint32_t run) _must_use_;
/* Whatever is not over of a life, or to a destination, is cancelado. */
int tx_exports_cancel_life(StoreTx *tx, uint64_t life, const char *message, int64_t now) _must_use_;
int tx_exports_cancel_destination(StoreTx *tx, uint64_t destination, const char *message, int64_t now) _must_use_;
/* One more line of its log; past STORE_EXPORT_LINES_MAX nothing is written. */
int tx_export_line(StoreTx *tx, uint64_t life, uint32_t n, int64_t at, const char *text) _must_use_;
/* Appends (row->n is not looked at) and lets what is too old, or too much of that kind, go. */
typedef struct AuditKeep {
    uint64_t rows; /* of each kind */
    int64_t seconds;
} AuditKeep;
int tx_audit(StoreTx *tx, const AuditRow *row, const AuditKeep *keep) _must_use_;
int tx_note(StoreTx *tx, const char *key, char **ret_value) _must_use_; /* as store_note() */
int tx_note_put(StoreTx *tx, const char *key, const char *value) _must_use_;
