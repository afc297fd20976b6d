/* tempoftp-xferlog: counts what Pure-FTPd hands out, out of its transfer log. Started by tempoftp-xferlog.path when the log changes, gone again when it is
 * quiet.
 *
 * It reads the log and talks to tempoftpd; it knows no account, no database, no network. */
#include "basic/log.h"
#include "basic/strings.h"
#include "model/settings.h"
#include "xferlog/follow.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static void look_free(Look *l) {
    if (l->held >= 0)
        close(l->held);
    sd_bus_flush_close_unref(l->bus);
    free(l);
}
DEFINE_CLEANUP(Look, look_free)

/* Returns 0 to go on, 1 when all is said. */
static int parse_arguments(int argc, char **argv) {
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    int c = getopt_long(argc, argv, "hV", options, NULL);

    if (c == 'h')
        puts("tempoftp-xferlog\n\nCounts downloads out of Pure-FTPd's transfer log. Started by tempoftp-xferlog.path, not by hand:\n"
             "see tempoftp-xferlog(8).\n\n  -h --help\n  -V --version");
    else if (c == 'V')
        puts("tempoftp-xferlog " TEMPOFTP_VERSION);
    else
        return c == -1 && optind == argc ? 0 : -EINVAL;
    return 1;
}

static void warn_setting(const char *text, void *userdata) {
    log_warning("%s", text);
}

int main(int argc, char **argv) {
    _cleanup_(look_freep) Look *look = calloc(1, sizeof(*look));
    _cleanup_(settings_freep) Settings *settings = NULL;
    _cleanup_free_ char *error = NULL;

    log_open("tempoftp-xferlog", LOG_INFO);
    int r = parse_arguments(argc, argv);
    if (r != 0)
        return r < 0 ? 2 : 0;
    r = look ? settings_load(NULL, warn_setting, NULL, &settings, &error) : -ENOMEM;
    if (r < 0) {
        log_error("%s", error ? error : strerror(-r));
        return 78; /* EX_CONFIG: systemd does not try again */
    }
    log_open("tempoftp-xferlog", settings->log_level);
    look->held = -EBADF;
    look->log = settings->transfer_log;
    look->data_path = settings->data_path;
    r = sd_bus_open_system_with_description(&look->bus, "xferlog");
    if (r < 0) {
        log_errno(r, "Cannot connect to the system bus");
        return EXIT_FAILURE;
    }
    return follow_log(look, settings->idle_seconds) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
