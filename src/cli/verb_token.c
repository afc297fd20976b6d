/* tempoftp token crear and validar: one-time tokens. Both need a session (tempoftp login), by any door. */
#include "basic/strings.h"
#include "cli/secret.h"
#include "cli/service.h"
#include "cli/verbs.h"

static ExitCode create(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_ask(args, client, "POST", "/token/create", NULL, &reply);
    const char *token = json_text(reply.json, "token");
    if (code == EXIT_OK && !args->json)
        puts(token ? token : "");
    return code;
}

static ExitCode validate(const Args *args, Client *client) {
    _cleanup_(wipe_freep) char *token = NULL, *body = NULL;
    _cleanup_reply_ Reply reply = {};

    ExitCode code = secret_ask("Token: ", &token);
    if (code != EXIT_OK)
        return code;
    body = body_text(json_pack("{s:s}", "token", token));
    if (!body)
        return EXIT_USAGE;
    code = service_ask(args, client, "POST", "/token/validate", body, &reply);
    const char *message = json_text(reply.json, "message");
    if (code == EXIT_OK && !args->json)
        puts(message ? message : "");
    return code;
}

ExitCode verb_token(const Args *args, Client *client) {
    if (streq(args->words[0], "crear"))
        return create(args, client);
    if (streq(args->words[0], "validar"))
        return validate(args, client);
    complain("Uso: tempoftp token crear|validar");
    return EXIT_USAGE;
}
