/* tempoftp-broker: the only program that may ask systemd for transient units. Runs as uid 0 without a single capability, started by a D-Bus call,
 * gone again when idle.
 *
 * Opens no database, no data and no network; holds no secrets. Settings come from its environment, which root alone writes. */
#include "basic/log.h"
#include "basic/service_arguments.h"
#include "basic/strings.h"
#include "broker/broker.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#define USEC_PER_SECOND 1000000ull

static void broker_done(Broker *b) {
    broker_drop_operations(b);
    sd_event_source_disable_unref(b->idle);
    bus_name_free(b->name);
    sd_bus_flush_close_unref(b->bus);
    settings_free(b->settings);
    sd_event_unref(b->event);
}

static int on_idle(sd_event_source *source, uint64_t now, void *userdata) {
    Broker *b = userdata;
    return b->n_operations > 0 ? 0 : bus_name_release(b->name);
}

void broker_rest(Broker *b) {
    int r;

    if (b->n_operations > 0 || b->settings->idle_seconds == 0 || !b->idle)
        return;
    r = sd_event_source_set_time_relative(b->idle, (uint64_t) b->settings->idle_seconds * USEC_PER_SECOND);
    if (r >= 0)
        r = sd_event_source_set_enabled(b->idle, SD_EVENT_ONESHOT);
    if (r < 0)
        log_errno(r, "Cannot set the idle timer, staying");
}

/* After every event: the name is gone, nothing is owed to anyone. */
static int on_post(sd_event_source *source, void *userdata) {
    Broker *b = userdata;
    return bus_name_is_released(b->name) && b->n_operations == 0 ? sd_event_exit(b->event, 0) : 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Broker *b = userdata;
    /* No bus any more: nobody waits for an answer. */
    return bus_name_release(b->name) < 0 ? sd_event_exit(b->event, 0) : 0;
}

static int find_service_user(uid_t *ret) {
    const struct passwd *entry;

    errno = 0;
    entry = getpwnam("tempoftp");
    if (!entry)
        return errno > 0 ? -errno : -ESRCH;
    *ret = entry->pw_uid;
    return 0;
}

static int set_up(Broker *b) {
    sigset_t signals;
    int r;

    r = find_service_user(&b->service_uid);
    if (r < 0)
        return log_errno(r, "Cannot find user tempoftp (systemd-sysusers makes it)");

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if ((r = sd_event_default(&b->event)) < 0 ||
        (r = sd_event_add_signal(b->event, NULL, SIGTERM, on_signal, b)) < 0 ||
        (r = sd_event_add_signal(b->event, NULL, SIGINT, on_signal, b)) < 0 ||
        (r = sd_event_add_post(b->event, NULL, on_post, b)) < 0 ||
        (r = sd_event_add_time_relative(b->event, &b->idle, CLOCK_MONOTONIC, UINT64_MAX / 4, USEC_PER_SECOND, on_idle, b)) < 0)
        return log_errno(r, "Cannot set up the event loop");

    if ((r = sd_bus_open_system_with_description(&b->bus, "broker")) < 0 ||
        (r = sd_bus_set_exit_on_disconnect(b->bus, true)) < 0 ||
        (r = sd_bus_attach_event(b->bus, b->event, 0)) < 0 ||
        (r = broker_watch_systemd(b)) < 0 ||
        (r = broker_export(b)) < 0 ||
        (r = bus_name_new(b->bus, "org.tempoftp.Broker1", &b->name)) < 0)
        return log_errno(r, "Cannot take org.tempoftp.Broker1 on the system bus");
    return 0;
}

int main(int argc, char **argv) {
    _cleanup_(broker_done) Broker b = { .service_uid = (uid_t) -1 };
    _cleanup_free_ char *error = NULL;
    int r;

    log_open("tempoftp-broker", LOG_INFO);
    r = service_arguments(argc, argv, "tempoftp-broker", "Asks systemd for tempoftp's transient units. Started by D-Bus as tempoftp-broker.service, not by hand");
    if (r != 0)
        return r < 0 ? 2 : 0;
    r = settings_load(NULL, log_warning_text, NULL, &b.settings, &error);
    if (r < 0) {
        log_error("%s", error ? error : strerror(-r));
        return 78; /* EX_CONFIG: systemd does not try again */
    }
    log_open("tempoftp-broker", b.settings->log_level);
    r = set_up(&b);
    if (r < 0)
        return EXIT_FAILURE;
    (void) sd_notify(false, "READY=1\nSTATUS=Waiting for calls");
    broker_rest(&b);
    r = sd_event_loop(b.event);
    if (r != 0) { /* positive: the bus is gone */
        log_errno(r < 0 ? r : -ECONNRESET, "The event loop failed");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
