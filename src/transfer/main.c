/* tempoftp-transfer: copies one dataset from its source into its staging folder. Runs as tempoftp-transfer-<id>.service, made by the broker.
 *
 * Gets its run token from its standard input and the ssh key as a credential; has no access to the database, and none to other requests' data. */
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "transfer/connection.h"
#include "transfer/report.h"
#include "transfer/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define TOKEN_SIZE 32
#define KEY_MAX 65536

static int enter_jail(const Options *o) {
    _cleanup_free_ char *staging = NULL;
    int r;

    if (asprintf(&staging, "%s/%s", o->data, o->staging) < 0) {
        staging = NULL;
        return -ENOMEM;
    }
    r = jail_enter(&(Jail) { .credentials = getenv("CREDENTIALS_DIRECTORY"), .private_tmp = "/tmp", .staging = staging });
    if (r == -EOPNOTSUPP && o->best_effort_jail) {
        log_warning("This kernel has no landlock: copying without the inner walls, as TEMPOFTP_FTP_JAIL=best-effort says");
        return 0;
    }
    return r < 0 ? log_errno(r, "Cannot enter the jail (landlock); TEMPOFTP_FTP_JAIL=best-effort goes on without") : 0;
}

static WorkerExit fail(const char *token, Cause cause, const char *detail) {
    Failure f = { .cause = cause };
    int r;

    snprintf(f.detail, sizeof(f.detail), "%s", detail);
    log_error("%s: %s", cause_name(cause), detail);
    r = report_failed(token, &f);
    return r == -ESTALE ? WORKER_UNWANTED : r < 0 ? WORKER_UNREPORTED : WORKER_FAILED;
}

/* The token is all that standard input says. What is started from here finds nothing there. */
static int take_token(char ret[static TOKEN_SIZE + 1]) {
    size_t n = 0;
    ssize_t got;

    do {
        got = read(STDIN_FILENO, ret + n, TOKEN_SIZE - n);
        if (got > 0)
            n += (size_t) got;
    } while (n < TOKEN_SIZE && (got > 0 || (got < 0 && errno == EINTR)));
    ret[n] = '\0';

    _cleanup_close_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return -errno;
    return n == TOKEN_SIZE ? 0 : -ENOENT;
}

static void wipe_token(char (*token)[TOKEN_SIZE + 1]) {
    wipe(*token, sizeof(*token));
}

static WorkerExit work(const Options *o) {
    _cleanup_(wipe_token) char token[TOKEN_SIZE + 1] = "";
    _cleanup_(wipe_freep) char *key = NULL;
    _cleanup_free_ char *key_path = NULL;
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    if (take_token(token) < 0) {
        log_error("There is no run token for this unit: tempoftpd does not wait for it");
        return WORKER_UNWANTED;
    }
    if (read_credential("ssh-key", KEY_MAX, &key) < 0 || is_blank(key))
        return fail(token, CAUSE_NO_KEY, "/etc/tempoftp/id_ed25519 is missing or empty");
    wipe_free(TAKE_PTR(key)); /* ssh reads it itself */
    if (asprintf(&key_path, "%s/ssh-key", credentials) < 0) {
        key_path = NULL;
        return WORKER_UNREPORTED;
    }
    if (enter_jail(o) < 0)
        return fail(token, CAUSE_INTERNAL, "no landlock");
    umask(0027);
    return worker_run(o, token, key_path);
}

int main(int argc, char **argv) {
    const char *error = NULL;
    Options o;

    log_open_stream("tempoftp-transfer", LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    if (options_parse(argc, argv, &o, &error) < 0) {
        log_error("%s", error);
        return WORKER_USAGE;
    }
    if (o.say_version || o.say_help) {
        puts(o.say_version ? "tempoftp-transfer " TEMPOFTP_VERSION
                           : "tempoftp-transfer --id ID --user USER --host HOST --address IP… --path PATH --data FOLDER --staging FOLDER\n\n"
                             "Copies one dataset. Started by systemd as tempoftp-transfer-ID.service, not by hand: see tempoftp-transfer(8).");
        return 0;
    }
    return work(&o);
}
