/* An operation is a row of questions to systemd, each asked when the one before is answered: stop, wait for the job, wait until the unit is gone,
 * start, wait for the job. Many run side by side; those that start the same unit wait for each other.
 *
 * It knows jobs and units; it refuses to know what the units are for. Source: org.freedesktop.systemd1(5). */
#include "broker/operation.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "broker/exit_status.h"
#include "broker/properties.h"

#include <errno.h>
#include <stdio.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define QUESTION_TIMEOUT_USEC (30 * 1000000ull)
#define GONE_TIMEOUT_USEC (10 * 1000000ull) /* a dead unit that systemd still keeps */

typedef enum Wait {
    WAIT_TURN,  /* for an earlier operation on the same unit */
    WAIT_REPLY, /* for systemd's answer to a question */
    WAIT_JOB,   /* for JobRemoved */
    WAIT_GONE,  /* for UnitRemoved */
} Wait;

struct Operation {
    Broker *broker;
    Operation *next;
    sd_bus_message *call; /* ours to answer */
    sd_bus_slot *question;
    sd_event_source *timer;
    Wait wait;
    char unit[UNIT_NAME_SIZE]; /* the one that stops or starts now */
    char key[UNIT_NAME_SIZE];  /* operations on the same key take turns */
    char *job;
    char stop[2][UNIT_NAME_SIZE];
    size_t n_stop, stopped;
    bool at_once;
    bool retried; /* the start met a dead unit of that name once already */
    bool has_start, has_auxiliary;
    bool holds_unit; /* AddRef keeps the unit loaded until we let go of it */
    TransientUnit start, auxiliary;
    char result[64]; /* of a failed job */
};

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

static Operation *operation_free(Operation *o) {
    sd_bus_slot_unref(o->question);
    sd_event_source_disable_unref(o->timer);
    sd_bus_message_unref(o->call);
    if (o->has_start)
        transient_done(&o->start);
    if (o->has_auxiliary)
        transient_done(&o->auxiliary);
    free(o->job);
    free(o);
    return NULL;
}

static void operation_step(Operation *o);

static bool has_to_wait(const Operation *o) {
    if (o->at_once)
        return false;
    for (const Operation *e = o->broker->operations; e != o; e = e->next)
        if (streq(e->key, o->key))
            return true;
    return false;
}

static void release_unit(Operation *o) {
    int r = sd_bus_call_method_async(o->broker->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnrefUnit", NULL, NULL, "s", o->unit);
    if (r < 0)
        log_errno(r, "Cannot release %s, ignoring", o->unit);
}

/* Takes it out of the list and lets the one go on that waited for it. */
static void operation_end(Operation *o) {
    Broker *b = o->broker;

    if (o->holds_unit)
        release_unit(o);
    for (Operation **p = &b->operations; *p; p = &(*p)->next)
        if (*p == o) {
            *p = o->next;
            break;
        }
    b->n_operations--;
    operation_free(o);

    for (Operation *e = b->operations; e; e = e->next)
        if (e->wait == WAIT_TURN && !has_to_wait(e)) {
            operation_step(e);
            break; /* the next of the same key waits for this one now */
        }
    broker_rest(b);
}

static void operation_succeed(Operation *o) {
    int r = sd_bus_reply_method_return(o->call, NULL);
    if (r < 0)
        log_errno(r, "Cannot answer about %s", o->unit);
    operation_end(o);
}

static void operation_fail(Operation *o, const char *error, const char *message) {
    log_warning("%s: %s", o->unit, message);
    int r = sd_bus_reply_method_errorf(o->call, error, "%s", message);
    if (r < 0)
        log_errno(r, "Cannot answer about %s", o->unit);
    operation_end(o);
}

static void operation_fail_errno(Operation *o, int r) {
    operation_fail(o, "org.tempoftp.Error.Unavailable", strerror(-r));
}

/* ---- questions to systemd ---- */

static int manager_message(Operation *o, const char *method, sd_bus_message **ret) {
    return sd_bus_message_new_method_call(o->broker->bus, ret, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

static int ask(Operation *o, sd_bus_message *m, sd_bus_message_handler_t answer) {
    sd_bus_slot *slot = NULL;
    int r;

    r = sd_bus_call_async(o->broker->bus, &slot, m, answer, o, QUESTION_TIMEOUT_USEC);
    if (r < 0)
        return r;
    sd_bus_slot_unref(o->question);
    o->question = slot;
    o->wait = WAIT_REPLY;
    return 0;
}

static int ask_manager(Operation *o, const char *method, const char *argument, const char *second, sd_bus_message_handler_t answer) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = manager_message(o, method, &m);
    if (r >= 0)
        r = second ? sd_bus_message_append(m, "ss", argument, second) : sd_bus_message_append(m, "s", argument);
    return r < 0 ? r : ask(o, m, answer);
}

static int ask_properties(Operation *o, const char *path, const char *interface, sd_bus_message_handler_t answer) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    r = sd_bus_message_new_method_call(o->broker->bus, &m, SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", interface);
    return r < 0 ? r : ask(o, m, answer);
}

/* ---- stopping ---- */

static int on_gone_timeout(sd_event_source *source, uint64_t now, void *userdata) {
    Operation *o = userdata;

    log_debug("%s is dead, but systemd keeps it; going on", o->unit);
    operation_step(o);
    return 0;
}

/* Waits for UnitRemoved, but not for ever. */
static void wait_until_gone(Operation *o) {
    int r;

    o->wait = WAIT_GONE;
    o->timer = sd_event_source_disable_unref(o->timer);
    r = sd_event_add_time_relative(o->broker->event, &o->timer, CLOCK_MONOTONIC, GONE_TIMEOUT_USEC, 0, on_gone_timeout, o);
    if (r < 0)
        operation_fail_errno(o, r);
}

static int on_is_it_gone(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;

    if (sd_bus_message_is_method_error(answer, NULL))
        operation_step(o);
    else
        wait_until_gone(o);
    return 0;
}

static void is_it_gone(Operation *o) {
    int r = ask_manager(o, "GetUnit", o->unit, NULL, on_is_it_gone);
    if (r < 0)
        operation_fail_errno(o, r);
}

/* The answer to StopUnit and StartTransientUnit: a job to wait for. */
static int take_job(Operation *o, sd_bus_message *answer) {
    const char *job;
    int r;

    r = sd_bus_message_read(answer, "o", &job);
    if (r < 0)
        return r;
    free(o->job);
    o->job = strdup(job);
    if (!o->job)
        return -ENOMEM;
    o->wait = WAIT_JOB;
    return 0;
}

static int on_stop_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(answer);
    int r;

    if (sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit")) {
        operation_step(o);
        return 0;
    }
    if (e) {
        operation_fail(o, "org.tempoftp.Error.Unavailable", e->message);
        return 0;
    }
    r = take_job(o, answer);
    if (r < 0)
        operation_fail_errno(o, r);
    return 0;
}

/* ---- starting ---- */

static int on_service(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    char result[64] = "", text[192];
    int32_t code = 0, status = 0;

    if (!sd_bus_message_is_method_error(answer, NULL) &&
        properties_read(answer, (const WantedProperty[]) { { "Result", result, sizeof(result), NULL },
                                                           { "ExecMainCode", NULL, 0, &code },
                                                           { "ExecMainStatus", NULL, 0, &status },
                                                           { NULL, NULL, 0, NULL } }) >= 0 &&
        *result && !streq(result, "success"))
        exit_status_text(result, code, status, text, sizeof(text));
    else
        snprintf(text, sizeof(text), "%s", o->result);
    operation_fail(o, "org.tempoftp.Error.StartFailed", text);
    return 0;
}

static int on_failed_unit(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    const char *path;
    int r;

    if (sd_bus_message_is_method_error(answer, NULL)) {
        operation_fail(o, "org.tempoftp.Error.StartFailed", o->result);
        return 0;
    }
    r = sd_bus_message_read(answer, "o", &path);
    if (r >= 0)
        r = ask_properties(o, path, SYSTEMD ".Service", on_service);
    if (r < 0)
        operation_fail_errno(o, r);
    return 0;
}

/* The name is taken: by a unit that runs, or by a dead one that systemd is about to forget. */
static int on_rival(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    char active[32] = "";

    if (!sd_bus_message_is_method_error(answer, NULL))
        (void) properties_read(answer, (const WantedProperty[]) { { "ActiveState", active, sizeof(active), NULL }, { NULL, NULL, 0, NULL } });
    if (o->retried || streq(active, "active") || streq(active, "activating") || streq(active, "deactivating") || streq(active, "reloading")) {
        operation_fail(o, "org.tempoftp.Error.AlreadyRunning", *active ? active : "the name is taken");
        return 0;
    }
    o->retried = true;
    is_it_gone(o);
    return 0;
}

static int on_rival_path(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    const char *path;
    int r;

    if (sd_bus_message_is_method_error(answer, NULL)) { /* gone in this moment */
        if (o->retried)
            operation_fail(o, "org.tempoftp.Error.AlreadyRunning", "the name is taken");
        else {
            o->retried = true;
            operation_step(o);
        }
        return 0;
    }
    r = sd_bus_message_read(answer, "o", &path);
    if (r >= 0)
        r = ask_properties(o, path, SYSTEMD ".Unit", on_rival);
    if (r < 0)
        operation_fail_errno(o, r);
    return 0;
}

static int on_start_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    Operation *o = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(answer);
    int r;

    if (sd_bus_error_has_name(e, "org.freedesktop.systemd1.UnitExists"))
        r = ask_manager(o, "GetUnit", o->unit, NULL, on_rival_path);
    else if (e) {
        operation_fail(o, "org.tempoftp.Error.StartFailed", e->message);
        return 0;
    } else {
        o->holds_unit = transient_find(&o->start, "AddRef");
        r = take_job(o, answer);
    }
    if (r < 0)
        operation_fail_errno(o, r);
    return 0;
}

static int append_auxiliary(sd_bus_message *m, const Operation *o) {
    int r = sd_bus_message_open_container(m, 'a', "(sa(sv))");

    if (r >= 0 && o->has_auxiliary) {
        if ((r = sd_bus_message_open_container(m, 'r', "sa(sv)")) >= 0 &&
            (r = sd_bus_message_append(m, "s", o->auxiliary.name)) >= 0 &&
            (r = transient_append(m, &o->auxiliary)) >= 0)
            r = sd_bus_message_close_container(m);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask_to_start(Operation *o) {
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    int r;

    if ((r = manager_message(o, "StartTransientUnit", &m)) < 0 ||
        (r = sd_bus_message_append(m, "ss", o->start.name, "fail")) < 0 ||
        (r = transient_append(m, &o->start)) < 0 ||
        (r = append_auxiliary(m, o)) < 0)
        return r;
    return ask(o, m, on_start_answer);
}

/* ---- the row ---- */

/* Whatever comes next. */
static void operation_step(Operation *o) {
    int r;

    o->timer = sd_event_source_disable_unref(o->timer);
    if (o->stopped < o->n_stop) {
        snprintf(o->unit, sizeof(o->unit), "%s", o->stop[o->stopped++]);
        r = ask_manager(o, "StopUnit", o->unit, "replace", on_stop_answer);
    } else if (o->has_start) {
        snprintf(o->unit, sizeof(o->unit), "%s", o->start.name);
        r = ask_to_start(o);
    } else {
        operation_succeed(o);
        return;
    }
    if (r < 0)
        operation_fail_errno(o, r);
}

static void on_job_done(Operation *o, const char *result) {
    bool starting = o->has_start && o->stopped == o->n_stop && streq(o->unit, o->start.name);
    int r;

    if (!starting) {
        is_it_gone(o);
        return;
    }
    if (streq(result, "done")) {
        log_debug("%s started", o->unit);
        operation_succeed(o);
        return;
    }
    snprintf(o->result, sizeof(o->result), "%s", result);
    r = ask_manager(o, "GetUnit", o->unit, NULL, on_failed_unit);
    if (r < 0)
        operation_fail_errno(o, r);
}

int operation_begin(Broker *b, sd_bus_message *call, const Order *order) {
    Operation *o, **last;

    if (b->n_operations >= BROKER_OPERATIONS_MAX)
        return -EAGAIN;
    o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->broker = b;
    o->call = sd_bus_message_ref(call);
    o->at_once = order->at_once;
    for (size_t i = 0; i < ELEMENTS(order->stop) && order->stop[i]; i++)
        snprintf(o->stop[o->n_stop++], UNIT_NAME_SIZE, "%s", order->stop[i]);
    if (order->start) {
        o->has_start = true;
        o->start = *order->start;
        *order->start = (TransientUnit) { 0 };
    }
    if (order->auxiliary) {
        o->has_auxiliary = true;
        o->auxiliary = *order->auxiliary;
        *order->auxiliary = (TransientUnit) { 0 };
    }
    snprintf(o->key, sizeof(o->key), "%s", o->n_stop ? o->stop[0] : o->start.name);

    for (last = &b->operations; *last; last = &(*last)->next)
        ;
    *last = o;
    b->n_operations++;
    if (!has_to_wait(o))
        operation_step(o);
    return 0;
}

void broker_drop_operations(Broker *b) {
    while (b->operations) {
        Operation *o = b->operations;
        b->operations = o->next;
        operation_free(o);
    }
    b->n_operations = 0;
}

/* ---- systemd's signals ---- */

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
    Broker *b = userdata;
    const char *job, *result;

    if (sd_bus_message_read(signal, "uoss", NULL, &job, NULL, &result) < 0)
        return 0;
    /* All of them: two that stop the same unit are given the same job. */
    for (Operation *o = b->operations; o;)
        if (o->wait == WAIT_JOB && streq(o->job, job)) {
            on_job_done(o, result);
            o = b->operations; /* it may be freed by now, and others with it */
        } else
            o = o->next;
    return 0;
}

static int on_unit_removed(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
    Broker *b = userdata;
    const char *unit;

    if (sd_bus_message_read(signal, "so", &unit, NULL) < 0)
        return 0;
    for (Operation *o = b->operations; o;)
        if (o->wait == WAIT_GONE && streq(o->unit, unit)) {
            operation_step(o);
            o = b->operations; /* it may be freed by now, and others with it */
        } else
            o = o->next;
    return 0;
}

int broker_watch_systemd(Broker *b) {
    int r;

    if ((r = sd_bus_match_signal_async(b->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, b)) < 0 ||
        (r = sd_bus_match_signal_async(b->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitRemoved", on_unit_removed, NULL, b)) < 0)
        return r;
    return sd_bus_call_method_async(b->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL, NULL, NULL);
}
