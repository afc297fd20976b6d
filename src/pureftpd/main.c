/* tempoftp-pureftpd: lists and ends sessions of Pure-FTPd, as tempoftp-ftpd does it for its own. Started by the broker, in a sandbox of its own, with the two
 * rights that it takes to look at processes of others and to signal them.
 *
 * It knows processes and the folders of the data path; accounts and requests are names to it. What it found goes to standard output. */
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "pureftpd/end.h"
#include "pureftpd/list.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>

static int say(const Buffer *b) {
    return b->error < 0 ? b->error : write_all(STDOUT_FILENO, b->data ? b->data : "", b->size);
}

/* The number of each on a line of its own, also of a try that has failed. */
static int end(const Program *program, const char *data_path, Whose *whose, size_t n) {
    _cleanup_buffer_ Buffer b = { 0 };

    int r = sessions_end(program, data_path, whose, n);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&b, "%u\n", whose[i].ended);
    int k = say(&b);
    return r < 0 ? r : k;
}

static int verb_list(const Program *program, const char *data_path, char *const *words, size_t n) {
    _cleanup_buffer_ Buffer b = { 0 };
    int r = sessions_list(program, data_path, &b);

    return r < 0 ? r : say(&b);
}

static int verb_end(const Program *program, const char *data_path, char *const *words, size_t n) {
    _cleanup_free_ Whose *whose = calloc(n / 2, sizeof(*whose));

    if (!whose)
        return -ENOMEM;
    for (size_t i = 0; i < n / 2; i++)
        whose[i] = (Whose) { .account = words[2 * i], .id = streq(words[2 * i + 1], "-") ? "" : words[2 * i + 1] };
    return end(program, data_path, whose, n / 2);
}

static int verb_end_process(const Program *program, const char *data_path, char *const *words, size_t n) {
    Whose whose = { .id = "" };
    uint64_t pid;
    int r = parse_u64(words[0], INT32_MAX, &pid);

    if (r < 0)
        return r;
    whose.pid = (pid_t) pid;
    return end(program, data_path, &whose, 1);
}

static const struct {
    const char *name, *words;
    size_t n;    /* of its own words */
    bool repeat; /* or any number of times as many */
    int (*run)(const Program *program, const char *data_path, char *const *words, size_t n);
} verbs[] = {
    { "list", "", 0, false, verb_list },
    { "end", " {ACCOUNT ID}... (ID -: all of its sessions)", 2, true, verb_end },
    { "end-process", " PID", 1, false, verb_end_process },
};

static bool takes(size_t v, size_t n) {
    return n == verbs[v].n || (verbs[v].repeat && n > 0 && n % verbs[v].n == 0);
}

static int usage(void) {
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        log_error("Usage: tempoftp-pureftpd %s PROGRAM DATA-PATH%s", verbs[i].name, verbs[i].words);
    log_error("Started by tempoftp-broker(8), not by hand");
    return 2;
}

/* Without them no session is found, which looks like there being none. uid 0 has what its bounding set leaves it. */
static bool has_rights(void) {
    return geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE) == 1 && prctl(PR_CAPBSET_READ, CAP_KILL) == 1;
}

int main(int argc, char **argv) {
    _cleanup_free_ char *data_path = NULL;
    Program program;
    size_t v = 0;

    log_open_stream("tempoftp-pureftpd", LOG_INFO);
    while (v < ELEMENTS(verbs) && !(argc >= 4 && streq(argv[1], verbs[v].name) && takes(v, (size_t) argc - 4)))
        v++;
    if (v == ELEMENTS(verbs))
        return usage();
    if (!has_rights()) {
        log_error("Needs CAP_SYS_PTRACE and CAP_KILL as uid 0: see tempoftp-sessions-.service.d/50-sandbox.conf");
        return EXIT_FAILURE;
    }
    int r = program_find(argv[2], &program);
    if (r < 0) {
        log_error("PUREFTPD_PROGRAM: cannot find %s (%s), so no session of it. /dev/null: there is no Pure-FTPd on this machine", argv[2], strerror(-r));
        return EXIT_FAILURE;
    }
    data_path = realpath(argv[3], NULL);
    if (!data_path) {
        log_error("Cannot find the data path %s: %s", argv[3], strerror(errno));
        return EXIT_FAILURE;
    }
    r = verbs[v].run(&program, data_path, argv + 4, (size_t) argc - 4);
    if (r < 0) {
        log_error("Cannot %s sessions of Pure-FTPd: %s", verbs[v].name, strerror(-r));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
