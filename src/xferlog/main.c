/* tempoftp-xferlog: counts what Pure-FTPd hands out, out of its transfer log. Started by tempoftp-xferlog.path when the log changes, gone again when it is
 * quiet.
 *
 * It reads the log and talks to tempoftpd; it knows no account, no database, no network. */
#include "basic/log.h"
#include "basic/service_arguments.h"
#include "basic/strings.h"
#include "model/settings.h"
#include "xferlog/follow.h"

#include <errno.h>

static void look_free(Look *l) {
    if (l->held >= 0)
        close(l->held);
    sd_bus_flush_close_unref(l->bus);
    free(l);
}
DEFINE_CLEANUP(Look, look_free)

int main(int argc, char **argv) {
    _cleanup_(look_freep) Look *look = calloc(1, sizeof(*look));
    _cleanup_(settings_freep) Settings *settings = NULL;
    _cleanup_free_ char *error = NULL;

    log_open("tempoftp-xferlog", LOG_INFO);
    int r = service_arguments(argc, argv, "tempoftp-xferlog", "Counts downloads out of Pure-FTPd's transfer log. Started by tempoftp-xferlog.path, not by hand");
    if (r != 0)
        return r < 0 ? 2 : 0;
    r = look ? settings_load(NULL, log_warning_text, NULL, &settings, &error) : -ENOMEM;
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
