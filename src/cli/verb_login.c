/* tempoftp login and logout: a session on a service that is called by URL. */
#include "basic/strings.h"
#include "cli/secret.h"
#include "cli/service.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <errno.h>

/* Over http:// to another machine everybody in between can read along. */
static bool is_open_road(const Client *client) {
    const char *target = client_target(client);

    return has_prefix(target, "http://") && !has_prefix(target, "http://localhost") && !has_prefix(target, "http://127.") && !has_prefix(target, "http://[::1]");
}

ExitCode verb_login(const Args *args, Client *client) {
    const char *email = args->words[0];
    _cleanup_reply_ Reply reply = {};
    _cleanup_(wipe_freep) char *password = NULL, *body = NULL;
    _cleanup_free_ char *prompt = NULL;

    if (is_open_road(client))
        note(args, "La contraseña va sin cifrar a %s", client_target(client));
    if (asprintf(&prompt, "Contraseña de %s: ", email) < 0)
        prompt = NULL;
    ExitCode code = secret_ask(prompt ? prompt : "Contraseña: ", &password);
    if (code != EXIT_OK)
        return code;
    body = body_text(json_pack("{s:s,s:s}", "correo", email, "password", password));
    if (!body)
        return EXIT_USAGE;
    code = service_call(client, "POST", "/auth/login", body, &reply);
    if (code == EXIT_OK)
        code = service_judge(&reply);
    if (code != EXIT_OK)
        return code;
    const char *token = json_text(reply.json, "access_token");
    int r = token ? session_save(client, email, token) : -EBADMSG;
    if (r < 0) {
        complain("No se puede guardar la sesión: %s", text_errno(-r));
        return EXIT_LOCAL;
    }
    note(args, "Sesión de %s en %s", email, client_target(client));
    return EXIT_OK;
}

ExitCode verb_logout(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_call(client, "POST", "/auth/logout", NULL, &reply);
    if (code != EXIT_OK)
        return code;
    if (reply.status != 401) /* which is no session any more either */
        code = service_judge(&reply);
    int r = code == EXIT_OK ? session_remove() : 0;
    if (r < 0) {
        complain("No se puede borrar la sesión: %s", text_errno(-r));
        return EXIT_LOCAL;
    }
    if (code == EXIT_OK)
        note(args, "Sesión cerrada");
    return code;
}
