/* tempoftpd: options, settings, and then the service. The last word on exit codes: 0, 78 for what an operator must mend, 1 for anything else. */
#include "api/precedence.h"
#include "api/run.h"
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "crypto/password.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sysexits.h>

static void print_help(void) {
    printf("tempoftpd - hands datasets to outside people for a few days (API service)\n"
           "\n"
           "Usage: tempoftpd [OPTIONS]\n"
           "systemd starts it by socket (tempoftp.socket) or D-Bus and it exits when idle; by hand it is for trials:\n"
           "  TEMPOFTP_SIMULACRO=1 tempoftpd --listen 127.0.0.1:9043 --state-directory DIR\n"
           "\n"
           "Options:\n"
           "  --listen ADDRESS         127.0.0.1:9043, [::1]:9043, https://127.0.0.1:9443 or /path.sock, instead of systemd's sockets; may be repeated\n"
           "  --state-directory DIR    where state.db lives; default $STATE_DIRECTORY\n"
           "  --env-file FILE          settings from FILE, weaker than the environment\n"
           "  --print-settings         an example settings file, and exit\n"
           "  --help, --version\n"
           "\n"
           "Settings (environment):\n");
    settings_print_help(stdout);
}

/* Answers who is waiting on the socket that started us, or systemd would start us again and again for the same client. */
static void refuse_waiting_clients(ListenFds *passed) {
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 30\r\n"
                                 "Connection: close\r\nContent-Length: 36\r\n\r\n{\"detail\":\"Servicio no disponible\"}\r\n";
    const struct {
        const char *name;
        bool plain;
    } sockets[] = { { "http", true }, { "api", true }, { "https", false /* without its certificate there is nothing to say */ } };

    for (size_t i = 0; i < ELEMENTS(sockets); i++)
        for (int fd; (fd = listen_fds_take(passed, sockets[i].name)) >= 0; close(fd)) {
            if (set_nonblocking(fd, true) < 0)
                continue;
            for (int peer; (peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; close(peer))
                if (sockets[i].plain)
                    (void) send(peer, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
        }
}

static int add_listen(RunOptions *options, const char *address) {
    size_t n = 0;

    while (options->listen[n])
        n++;
    if (n == LISTEN_MAX) {
        fprintf(stderr, "tempoftpd: at most %d times --listen\n", LISTEN_MAX);
        return -E2BIG;
    }
    options->listen[n] = address;
    return 0;
}

static int parse_options(int argc, char **argv, RunOptions *ret, const char **ret_env_file) {
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' },    { "state-directory", required_argument, NULL, 's' },
        { "env-file", required_argument, NULL, 'e' },  { "print-settings", no_argument, NULL, 'p' },
        { "help", no_argument, NULL, 'h' },            { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    int o;

    while ((o = getopt_long(argc, argv, "hV", options, NULL)) >= 0)
        switch (o) {
        case 'l':
            if (add_listen(ret, optarg) < 0)
                return -EINVAL;
            break;
        case 's':
            ret->state_directory = optarg;
            break;
        case 'e':
            *ret_env_file = optarg;
            break;
        case 'p':
            settings_print_example(stdout);
            return 1;
        case 'h':
            print_help();
            return 1;
        case 'V':
            printf("tempoftpd %s\n", TEMPOFTP_VERSION);
            return 1;
        default:
            return -EINVAL;
        }
    if (optind < argc) {
        fprintf(stderr, "tempoftpd: unexpected argument '%s', see --help\n", argv[optind]);
        return -EINVAL;
    }
    return 0;
}

int main(int argc, char **argv) {
    _cleanup_(settings_freep) Settings *settings = NULL;
    _cleanup_(listen_fds_freep) ListenFds *passed = NULL;
    _cleanup_free_ char *error = NULL;
    RunOptions options = { .state_directory = getenv("STATE_DIRECTORY") };
    const char *env_file = NULL;
    bool started = false;

    precedence_of_loop();
    int r = parse_options(argc, argv, &options, &env_file);
    if (r != 0)
        return r < 0 ? EX_USAGE : EXIT_SUCCESS;
    log_open("tempoftpd", LOG_INFO);
    json_set_alloc_funcs(malloc, free_wiped); /* bodies with passwords pass through jansson */
    (void) prctl(PR_SET_DUMPABLE, 0); /* keys and passwords are in this memory: no core dump, no ptrace */
    r = crypto_init();
    if (r < 0) {
        log_errno(r, "Cannot initialise libsodium");
        return EXIT_FAILURE;
    }
    r = listen_fds_new(&passed);
    if (r < 0) {
        log_errno(r, "Cannot take the sockets from systemd");
        return EXIT_FAILURE;
    }
    r = settings_load(env_file, log_warning_text, NULL, &settings, &error);
    if (r < 0)
        log_error("%s", error ? error : strerror(-r));
    else
        log_open("tempoftpd", settings->log_level);
    if (r >= 0 && !options.state_directory) {
        log_error("No state folder: give --state-directory DIR (systemd gives it as $STATE_DIRECTORY)");
        r = -EINVAL;
    }
    if (r >= 0)
        r = manager_run(settings, &options, passed, &started);
    if (r < 0 && started)
        return EXIT_FAILURE; /* systemd starts it again */
    if (r < 0) {
        refuse_waiting_clients(passed);
        return EX_CONFIG;
    }
    return EXIT_SUCCESS;
}
