/* tempoftp: the command-line client. Sets up, finds the verb, runs it, and leaves no secret behind in memory.
 *
 * Talks to tempoftpd over HTTP only; knows no database and no unit. */
#include "basic/strings.h"
#include "cli/service.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "crypto/password.h"

#include <errno.h>
#include <signal.h>

#define OUTPUT_BUFFER_SIZE 65536

static ExitCode run(const Args *args) {
    _cleanup_(client_freep) Client *client = NULL;

    if (crypto_init() < 0) {
        complain("La biblioteca de cifrado no arranca");
        return EXIT_LOCAL;
    }
    int r = client_new(args->value[OPTION_SOCKET], args->value[OPTION_URL], &client);
    if (r == -EINVAL) {
        complain("La URL debe empezar por http:// o https://");
        return EXIT_USAGE;
    }
    if (r < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    client_set_ca(client, args->value[OPTION_CA]);
    session_use(client);
    return args->original ? original_run(args, client) : args->verb->run(args, client);
}

/* Verbs of several actions. */
static const struct {
    ExitCode (*verb)(const Args *args, Client *client);
    void (*print_actions)(FILE *to);
} several[] = { { verb_destinos, print_actions_destinos }, { verb_usuarios, print_actions_usuarios } };

static void print_verb_help(const Verb *verb) {
    args_print_verb_help(stdout, verb);
    for (size_t i = 0; i < ELEMENTS(several); i++)
        if (several[i].verb == verb->run) {
            puts("\nAcciones:");
            several[i].print_actions(stdout);
        }
}

static ExitCode dispatch(int argc, char *argv[]) {
    _cleanup_free_ char *error = NULL;
    Args args;

    int r = args_parse(argc, argv, verbs, &args, &error);
    if (r < 0) {
        complain("%s", error ? error : "Sin memoria");
        return r == -EINVAL ? EXIT_USAGE : EXIT_LOCAL;
    }
    if (args.given[OPTION_HELP]) {
        if (args.verb)
            print_verb_help(args.verb);
        else
            args_print_help(stdout, verbs);
        return EXIT_OK;
    }
    if (args.given[OPTION_VERSION]) {
        puts("tempoftp " TEMPOFTP_VERSION);
        return EXIT_OK;
    }
    return run(&args);
}

int main(int argc, char *argv[]) {
    static char output[OUTPUT_BUFFER_SIZE]; /* ours, to be wiped: passwords pass through it */

    setvbuf(stdout, output, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof(output));
    json_set_alloc_funcs(malloc, free_wiped); /* jansson's memory may have held a password */
    signal(SIGPIPE, SIG_IGN); /* `tempoftp lista | head` is an exit code, not a signal */

    ExitCode code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE)
            complain("No se puede escribir la salida: %s", text_errno(errno));
        code = EXIT_LOCAL;
    }
    wipe(output, sizeof(output));
    return code;
}
