/* Asks tempoftpd, which alone knows accounts, whether a login is good. Asynchronous: the listener never waits for it.
 *
 * Passwords live in a ticket until the answer and are wiped with it; on the bus the messages are marked sensitive. A call that got
 * lost because tempoftpd ended under it is made once more: the bus starts it again. */
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "ftpd/auth.h"
#include "ftpd/wire.h"

#include <errno.h>
#include <stdio.h>
#include <sys/queue.h>

#define CALL_TIMEOUT_USEC (30 * 1000000ULL)
#define TRIES_MAX 2

typedef struct AuthBus AuthBus;

struct AuthTicket {
    AuthBus *source;
    TAILQ_ENTRY(AuthTicket) entry; /* in waiting, while slot is NULL */
    sd_bus_slot *slot;             /* the call in flight */
    unsigned tries;
    AuthDone done;
    void *userdata;
    char user[WIRE_USER_SIZE], password[WIRE_PASSWORD_SIZE], peer[ADDRESS_TEXT_MAX];
};

struct AuthBus {
    AuthSource source; /* first */
    sd_bus *bus;
    char *data_path;
    unsigned in_flight;
    TAILQ_HEAD(Waiting, AuthTicket) waiting;
};

static int call(AuthTicket *t);

/* The ticket's memory held a password. */
static void ticket_free(AuthTicket *t) {
    if (t->slot) {
        sd_bus_slot_unref(t->slot);
        t->source->in_flight--;
    } else
        TAILQ_REMOVE(&t->source->waiting, t, entry);
    wipe(t, sizeof(*t));
    free(t);
}

static void finish(AuthTicket *t, int error, const AuthAnswer *answer) {
    AuthDone done = t->done;
    void *userdata = t->userdata;

    ticket_free(t);
    done(userdata, error, answer);
}

static void start_waiting(AuthBus *a) {
    while (a->in_flight < AUTH_IN_FLIGHT_MAX && !TAILQ_EMPTY(&a->waiting)) {
        AuthTicket *t = TAILQ_FIRST(&a->waiting);
        int r = call(t);
        if (r < 0)
            finish(t, r, NULL);
    }
}

/* Was nobody there, rather than somebody who said no? */
static bool worth_another_try(const sd_bus_error *e) {
    return sd_bus_error_has_names(e, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static bool home_is_ours(const AuthBus *a, const char *home) {
    size_t n = strlen(a->data_path);
    return strncmp(home, a->data_path, n) == 0 && home[n] == '/' && home[n + 1] != '\0' && !strstr(home, "/..");
}

/* One folder right below the home. */
static bool drop_is_name(const char *drop) {
    return drop[0] != '.' && !strchr(drop, '/');
}

/* The mount that lets a drop be written would let this uid into tempoftpd's own folders too, through their group: tempoftp-ftp.service hides them. It can't
 * when they were made after it was started. */
static bool others_are_safe(const AuthBus *a) {
    static const char *const folders[] = { ".staging", ".purge" };
    char path[4096];

    for (size_t i = 0; i < ELEMENTS(folders); i++) {
        int n = snprintf(path, sizeof(path), "%s/%s", a->data_path, folders[i]);
        if (n < 0 || (size_t) n >= sizeof(path) || access(path, W_OK) == 0)
            return false;
    }
    return true;
}

static int check_drop(const AuthBus *a, AuthAnswer *answer) {
    if (!drop_is_name(answer->drop))
        return -EBADMSG;
    if (answer->drop[0] && !others_are_safe(a)) {
        log_warning("Drop folders stay read-only: tempoftp-ftp.service was started before tempoftpd had made %s/.staging, restart it", a->data_path);
        answer->drop = "";
    }
    return 0;
}

static int read_answer(const AuthBus *a, sd_bus_message *reply, AuthAnswer *ret) {
    uint64_t expira;
    int ok;

    int r = sd_bus_message_read(reply, "bsstst", &ok, &ret->reason, &ret->home, &expira, &ret->drop, &ret->quota);
    if (r < 0)
        return r;
    ret->ok = ok;
    ret->expira = expira > INT64_MAX ? INT64_MAX : (int64_t) expira;
    if (!ok)
        return 0;
    return home_is_ours(a, ret->home) ? check_drop(a, ret) : -EBADMSG;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
    AuthTicket *t = userdata;
    AuthBus *a = t->source;
    AuthAnswer answer = { 0 };
    int r;

    if (sd_bus_message_is_method_error(reply, NULL)) {
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        log_debug("Authenticate: %s: %s", e->name, e->message ? e->message : "");
        if (worth_another_try(e) && t->tries < TRIES_MAX) {
            sd_bus_slot_unref(t->slot);
            t->slot = NULL;
            a->in_flight--;
            TAILQ_INSERT_HEAD(&a->waiting, t, entry);
            start_waiting(a);
            return 0;
        }
        r = -sd_bus_error_get_errno(e);
    } else
        r = read_answer(a, reply, &answer);
    finish(t, r, r < 0 ? NULL : &answer);
    start_waiting(a);
    return 0;
}

static int call(AuthTicket *t) {
    AuthBus *a = t->source;
    sd_bus_message *m = NULL;

    int r = sd_bus_message_new_method_call(a->bus, &m, "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1",
                                           "Authenticate");
    if (r >= 0)
        r = sd_bus_message_sensitive(m);
    if (r >= 0)
        r = sd_bus_message_append(m, "sss", t->user, t->password, t->peer);
    if (r >= 0)
        r = sd_bus_call_async(a->bus, &t->slot, m, on_answer, t, CALL_TIMEOUT_USEC);
    sd_bus_message_unref(m);
    if (r < 0)
        return r;
    TAILQ_REMOVE(&a->waiting, t, entry);
    a->in_flight++;
    t->tries++;
    return 0;
}

static int bus_start(AuthSource *source, const char *user, const char *password, const char *peer, AuthDone done, void *userdata,
                     AuthTicket **ret_ticket) {
    AuthBus *a = (AuthBus *) source;

    /* D-Bus strings are UTF-8; no account of ours has any other name or password. */
    if (!utf8_is_valid(user, strlen(user)) || !utf8_is_valid(password, strlen(password))) {
        AuthAnswer no = { .reason = "unknown" };
        *ret_ticket = NULL;
        done(userdata, 0, &no);
        return 0;
    }
    AuthTicket *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->source = a;
    t->done = done;
    t->userdata = userdata;
    snprintf(t->user, sizeof(t->user), "%s", user);
    snprintf(t->password, sizeof(t->password), "%s", password);
    snprintf(t->peer, sizeof(t->peer), "%s", peer);
    TAILQ_INSERT_TAIL(&a->waiting, t, entry);
    if (a->in_flight < AUTH_IN_FLIGHT_MAX) {
        int r = call(t);
        if (r < 0) {
            ticket_free(t);
            return r;
        }
    }
    *ret_ticket = t;
    return 0;
}

static void bus_cancel(AuthTicket *t) {
    AuthBus *a = t->source;
    ticket_free(t);
    start_waiting(a);
}

static bool bus_idle(const AuthSource *source) {
    const AuthBus *a = (const AuthBus *) source;
    return a->in_flight == 0 && TAILQ_EMPTY(&a->waiting);
}

static void bus_free(AuthSource *source) {
    AuthBus *a = (AuthBus *) source;

    sd_bus_unref(a->bus);
    free(a->data_path);
    free(a);
}

int auth_bus_new(sd_bus *bus, const char *data_path, AuthSource **ret) {
    static const AuthVtable vtable = { bus_start, bus_cancel, bus_idle, bus_free };

    AuthBus *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->source.v = &vtable;
    a->bus = sd_bus_ref(bus);
    a->data_path = strdup(data_path);
    TAILQ_INIT(&a->waiting);
    if (!a->data_path) {
        bus_free(&a->source);
        return -ENOMEM;
    }
    *ret = &a->source;
    return 0;
}
