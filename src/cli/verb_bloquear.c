/* tempoftp bloquear and desbloquear: access is withdrawn and given back; the data stays. */
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

static ExitCode act(const Args *args, Client *client, const char *action, const char *body, Reply *ret) {
    ExitCode code;

    _cleanup_free_ char *path = request_path(args->words[0], action, &code);
    return path ? service_ask(args, client, "POST", path, body, ret) : code;
}

ExitCode verb_bloquear(const Args *args, Client *client) {
    const char *reason = args->value[OPTION_REASON];
    _cleanup_reply_ Reply reply = {};

    _cleanup_free_ char *body = body_text(reason ? json_pack("{s:s}", "razon", reason) : json_object());
    if (!body)
        return EXIT_USAGE;
    ExitCode code = act(args, client, "/bloquear", body, &reply);
    if (code == EXIT_OK && !args->json) {
        printf("%s: bloqueada (", args->words[0]);
        text_print(stdout, json_text(reply.json, "razon"));
        fputs(")\n", stdout);
    }
    return code;
}

ExitCode verb_desbloquear(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = act(args, client, "/desbloquear", "{}", &reply);
    if (code == EXIT_OK && !args->json)
        printf("%s: lista de nuevo\n", args->words[0]);
    return code;
}
