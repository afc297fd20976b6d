/* tempoftp-ftpd: options, settings, hardening, and then one of its lives: listener, zygote, pre-login child, session.
 *
 * The last word on exit codes: 0, 64 for a wrong command line, 78 for what an operator must mend, 1 for anything else. */
#include "basic/log.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "ftpd/child.h"
#include "ftpd/hash_password.h"
#include "ftpd/jail_filter.h"
#include "ftpd/listener.h"
#include "ftpd/options.h"
#include "ftpd/standalone.h"
#include "ftpd/takeover.h"
#include "ftpd/tls_identity.h"
#include "ftpd/tls_relay.h"
#include "model/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#define WRONG_PAUSE_MS 2000 /* between starts that fail: each has its lines in the journal */

typedef struct Program {
    Options options;
    Settings *settings;
    ListenFds *passed;
    JailFilters *filters;
    Listener listener;
    ListenerConfig config;
    Standalone standalone;
    Zygote zygotes[ZYGOTES];
    TlsIdentity *identity; /* until the zygotes have it */
    bool sessions; /* systemd keeps some, of an earlier listener */
} Program;

static int load_settings(Program *p) {
    _cleanup_free_ char *error = NULL;

    int r = settings_load(p->options.env_file, log_warning_text, NULL, &p->settings, &error);
    if (r < 0) {
        const char *option = error ? options_blamed(error) : NULL;
        log_error("%s%s%s%s", option ? "--" : "", option ? option : "", option ? ": " : "", error ? error : strerror(-r));
        return r;
    }
    /* A session's memory begins as a copy of this one. What other programs' secrets came with the settings must not be in it. */
    wipe_free(TAKE_PTR(p->settings->encryption_key));
    for (char **e = environ; e && *e; e++)
        if (has_prefix(*e, "TEMPOFTP_ENCRYPTION_KEY=") || has_prefix(*e, "TEMPOFTP_JWT_KEY=") || has_prefix(*e, "FTP_DB_PASS="))
            wipe(*e, strlen(*e));
    log_open("tempoftp-ftpd", p->settings->log_level);
    if (TAKEOVER_MARK[0])
        log_warning("THIS SERVER MUST NOT BE USED:%s", TAKEOVER_MARK);
    if (p->settings->ftp_tls == TLS_OFF && p->options.tls_cert && !getenv("TEMPOFTP_FTP_TLS"))
        p->settings->ftp_tls = TLS_OPTIONAL;
    return 0;
}

/* Jailed or not at all: TEMPOFTP_FTP_JAIL. */
static int set_up_jail(Program *p) {
    if (geteuid() == 0) {
        log_error("This server never runs as root: start it as an ordinary user (runuser -u USER -- %s …) or with systemctl start tempoftp-ftp.socket",
                  program_invocation_name);
        return -EPERM;
    }
    if (jail_landlock_abi() == 0) {
        if (p->settings->ftp_jail == JAIL_REQUIRED) {
            log_error("This kernel has no landlock (or forbids it here), so sessions could not be jailed. "
                      "TEMPOFTP_FTP_JAIL=best-effort serves all the same");
            return -EOPNOTSUPP;
        }
        log_warning("TEMPOFTP_FTP_JAIL=best-effort on a kernel without landlock: a session that is taken over could read whatever this user can");
    }
    /* Children make it their standard output and error too. */
    _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return log_errno(-errno, "Cannot open /dev/null");
    int r = jail_harden_process();
    if (r >= 0)
        r = jail_filters_new(p->settings->ftp_tls != TLS_OFF, &p->filters);
    return r < 0 ? log_errno(r, "Cannot prepare the sessions' jail") : 0;
}

static int configure(Program *p, bool service) {
    p->config = (ListenerConfig) {
        .zygotes = p->zygotes,
        .pasv_min = p->settings->pasv_min,
        .pasv_max = p->settings->pasv_max,
        .service = service,
        .idle_ms = (uint64_t) p->settings->idle_seconds * 1000,
        .connections_max = p->settings->ftp_max_connections,
        .site_max = p->settings->ftp_max_per_address,
        .account_max = p->settings->ftp_max_per_account,
        .ban = { .after = p->settings->ftp_ban_after, .window_ms = p->settings->ftp_ban_seconds * 1000ULL },
        .login_ms = p->settings->ftp_login_seconds * 1000ULL,
        .session_idle_ms = p->settings->ftp_idle_seconds * 1000ULL,
        .stall_ms = p->settings->ftp_stall_seconds * 1000ULL,
        .session_rate = p->settings->ftp_rate,
        .account_rate = p->settings->ftp_account_rate,
        .tls_mode = p->settings->ftp_tls,
        .tls_any = p->settings->ftp_tls_reuse == TLS_REUSE_OFF,
    };
    if (p->settings->pasv_address && inet_pton(AF_INET, p->settings->pasv_address, &p->config.pasv_address) != 1) {
        log_error("TEMPOFTP_FTP_PASV_ADDRESS: '%s' is no IPv4 address", p->settings->pasv_address);
        return -EINVAL;
    }
    int r = listener_init(&p->listener, &p->config);
    return r < 0 ? log_errno(r, "Cannot set up the event loop") : 0;
}

/* ---- by systemd ---- */

static int take_sockets(Program *p) {
    int fd;

    while ((fd = listen_fds_take(p->passed, "ftp")) >= 0) {
        int r = listener_add_socket(&p->listener, fd);
        if (r < 0)
            return log_errno(r, "Cannot listen on the socket from systemd");
    }
    if (p->listener.n_listen == 0) {
        log_error("systemd passed no socket named 'ftp': start tempoftp-ftp.socket, or use --user for stand-alone mode");
        return -EINVAL;
    }
    return 0;
}

static void take_sessions(Program *p) {
    const char *name;
    int fd;

    while ((fd = listen_fds_take_any(p->passed, &name)) >= 0) {
        int r = store_restore(&p->listener, name, fd);
        if (r < 0)
            log_warning("Cannot take over '%s' from the fd store, ignoring: %s", name, strerror(-r));
    }
    if (p->listener.connections.n > 0)
        log_info("%zu sessions go on", p->listener.connections.n);
}

static int set_up_service(Program *p) {
    int r = configure(p, true);
    if (r >= 0)
        r = take_sockets(p);
    if (r < 0)
        return r;
    r = bus_open(&p->listener);
    if (r >= 0)
        r = downloads_new(p->listener.bus, listen_fds_take(p->passed, DOWNLOADS_FD_NAME), &p->listener.downloads);
    if (r >= 0)
        r = auth_bus_new(p->listener.bus, p->settings->data_path, &p->listener.auth);
    if (r < 0)
        return log_errno(r, "Cannot take org.tempoftp.Ftp1 on the system bus, or the memory for what is downloaded");
    take_sessions(p);
    return 0;
}

static void refuse_waiting_on(int fd) {
    int control;

    if (set_nonblocking(fd, true) < 0)
        return;
    while ((control = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        reply_now(control, 421, "El servicio no está disponible; intente más tarde.");
        close(control);
    }
}

/* Answers who is waiting on the socket that started us, or systemd would start us again and again for the same client. */
static void refuse_waiting_clients(Program *p) {
    int fd;

    if (!p->passed && listen_fds_new(&p->passed) < 0)
        return;
    for (size_t i = 0; i < p->listener.n_listen; i++)
        refuse_waiting_on(p->listener.listen_fds[i]);
    while ((fd = listen_fds_take(p->passed, "ftp")) >= 0) {
        refuse_waiting_on(fd);
        close(fd);
    }
}

/* ---- lives ---- */

static _Noreturn void live_as_child(const Program *p, JailKind kind, ChildConfig *config, const SessionStart *start) {
    config->tls = p->identity ? identity_server(p->identity) : NULL; /* it may have been renewed */
    if (kind != JAIL_RELAY)
        child_live(config, kind != JAIL_PRELOGIN, start);
    _exit(relay_run(config->tls, start->ticket_key) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* systemd hands root's files over as credentials, at the start only. */
static int credential_path(const char *name, char **ret) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (!folder)
        return 0;
    return asprintf(ret, "%s/%s", folder, name) < 0 ? -ENOMEM : 0;
}

static const char *tls_key_of(const Program *p) {
    return p->options.tls_key ? p->options.tls_key : p->settings->ftp_tls_key;
}

static int load_identity(Program *p, bool service) {
    _cleanup_free_ char *certificate = NULL, *key = NULL;
    TlsFiles files = {
        .certificate = p->options.tls_cert ? p->options.tls_cert : p->settings->ftp_tls_cert,
        .key = tls_key_of(p),
    };

    if (!p->options.tls_cert != !p->options.tls_key) {
        log_error("--tls-cert and --tls-key go together");
        return -EINVAL;
    }
    if (p->settings->ftp_tls_reuse == TLS_REUSE_OFF)
        log_warning("TEMPOFTP_FTP_TLS_REUSE=off: a session that is taken over could read the TLS private key, and whoever comes from a client's address "
                    "could take its data connections");
    int r = service ? credential_path("ftp-tls-cert", &certificate) : 0;
    if (r >= 0 && service)
        r = credential_path("ftp-tls-key", &key);
    if (r < 0)
        return r;
    files.certificate_path = certificate ? certificate : files.certificate;
    files.key_path = key ? key : files.key;
    return identity_new(&files, p->settings->ftp_tls_reuse == TLS_REUSE_REQUIRED, jail_filters_get(p->filters, JAIL_KEEPER), &p->identity);
}

/* With TEMPOFTP_FTP_TLS_REUSE=off sessions have certificate and key too, and follow their renewal; otherwise they only resume. */
static const ZygoteHook *hook_of(Program *p, JailKind kind, ZygoteHook *hook) {
    if (!p->identity || kind == JAIL_PRELOGIN)
        return NULL;
    *hook = (ZygoteHook) { 0 };
    if (kind == JAIL_RELAY || p->settings->ftp_tls_reuse == TLS_REUSE_OFF)
        *hook = (ZygoteHook) { identity_prepare, p->identity, identity_keeper_fd(p->identity) };
    return hook;
}

/* Before anything is known that a child must not know: passed sockets and their names, the bus, who may log in. The pre-login zygote comes first: it
 * needs nothing of TLS. */
static int start_zygotes(Program *p, char **argv, bool service) {
    ChildConfig config = { .landlock_abi = jail_landlock_abi(), .best_effort = p->settings->ftp_jail == JAIL_BEST_EFFORT };
    SessionStart start;
    ZygoteHook hook;

    /* Zygotes close what the journal's library opens. */
    log_open_stream("tempoftp-ftpd", p->settings->log_level);
    for (JailKind kind = 0; kind < ZYGOTES; kind++) {
        if (kind == JAIL_READER && p->settings->ftp_tls != TLS_OFF) {
            int loaded = load_identity(p, service);
            if (loaded < 0)
                return loaded;
        }
        if (kind == JAIL_RELAY && !p->identity)
            continue;
        int r = zygote_start(&p->zygotes[kind], jail_filters_get(p->filters, kind), &config, argv, hook_of(p, kind, &hook), &start);
        if (r > 0)
            live_as_child(p, kind, &config, &start);
        if (r < 0)
            return log_errno(r, "Cannot start the process that sessions are forked from");
    }
    log_open("tempoftp-ftpd", p->settings->log_level);
    p->identity = identity_free(p->identity);
    int r = jail_drop_capabilities();
    return r < 0 ? log_errno(r, "Cannot give away what only sessions need") : 0;
}

static int set_up_standalone(Program *p) {
    int r = configure(p, false);
    return r < 0 ? r : standalone_open(&p->standalone, &p->listener, &p->options, p->settings->ftp_tls == TLS_OFF ? NULL : tls_key_of(p));
}

static int run(Program *p, bool service) {
    int r = service ? set_up_service(p) : set_up_standalone(p);
    if (r < 0)
        return r;
    (void) sd_notify(false, "READY=1\nSTATUS=`tempoftp sesiones` shows who is connected; processes without a client wait for one");
    r = listener_run(&p->listener);
    if (r < 0)
        return log_errno(r, "The listener ends%s", service ? ", sessions go on" : "");
    if (!service)
        log_notice("Ended");
    return 0;
}

/* What only an operator can mend; systemd doesn't try again after that, and sessions that it keeps would end. So as long as there are any it tries again: a
 * wrong setting, or a certificate in the middle of its renewal, may be mended before the last download is through. */
static int exit_code(const Program *p, int r) {
    bool wrong = r == -EINVAL || r == -ENOTSUP || r == -EPERM || r == -EEXIST;

    if (!wrong || !p->sessions)
        return wrong ? EX_CONFIG : EXIT_FAILURE;
    log_error("Sessions go on, so this is tried until it is mended. Meanwhile nobody can log in, and sessions whose access is closed are not ended");
    (void) poll(NULL, 0, WRONG_PAUSE_MS);
    return EXIT_FAILURE;
}

static int hash_password(void) {
    int r = jail_harden_process(); /* no core dump holds the password */
    return r < 0 ? log_errno(r, "Cannot protect this process") : hash_password_run();
}

/* systemd passes sockets or waits to hear that we are ready. */
static bool started_by_systemd(void) {
    return getenv("LISTEN_FDS") || getenv("NOTIFY_SOCKET");
}

/* The zygotes come before all that children must not know. */
static int serve(Program *p, char **argv) {
    bool service = !options_standalone(&p->options) && started_by_systemd();
    const char *names = getenv("LISTEN_FDNAMES");

    p->sessions = names && strstr(names, STORE_PREFIX);
    int r = standalone_hide_users(&p->standalone, &p->options);
    if (r >= 0)
        r = load_settings(p);
    if (r >= 0)
        r = set_up_jail(p);
    if (r >= 0)
        r = start_zygotes(p, argv, service);
    if (r >= 0 && !service)
        r = standalone_take_users(&p->standalone, &p->options);
    if (r >= 0)
        r = listen_fds_new(&p->passed);
    if (r >= 0)
        r = run(p, service);
    if (r < 0)
        refuse_waiting_clients(p);
    if (p->listener.event)
        listener_done(&p->listener);
    standalone_done(&p->standalone);
    identity_free(p->identity);
    jail_filters_free(p->filters);
    settings_free(p->settings);
    listen_fds_free(p->passed);
    for (JailKind kind = 0; kind < ZYGOTES; kind++)
        zygote_done(&p->zygotes[kind]);
    return r;
}

int main(int argc, char **argv) {
    Program p = { .zygotes = { ZYGOTE_NONE, ZYGOTE_NONE, ZYGOTE_NONE, ZYGOTE_NONE } };

    int r = options_parse(argc, argv, &p.options);
    if (r != 0)
        return r < 0 ? EX_USAGE : EXIT_SUCCESS;
    log_open("tempoftp-ftpd", LOG_INFO);
    r = crypto_init();
    if (r < 0)
        log_errno(r, "Cannot start");
    else
        r = p.options.hash_password ? hash_password() : serve(&p, argv);
    return r >= 0 ? EXIT_SUCCESS : exit_code(&p, r);
}
