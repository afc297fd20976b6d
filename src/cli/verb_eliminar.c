/* tempoftp eliminar and eliminar-usuario: access and data go. */
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

static ExitCode delete_at(const Args *args, Client *client, const char *path) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_ask(args, client, "DELETE", path, NULL, &reply);
    if (code == EXIT_OK && !args->json) {
        text_print(stdout, json_text(reply.json, "mensaje"));
        putchar('\n');
    }
    return code;
}

ExitCode verb_eliminar(const Args *args, Client *client) {
    ExitCode code;

    _cleanup_free_ char *path = request_path(args->words[0], "", &code);
    return path ? delete_at(args, client, path) : code;
}

ExitCode verb_eliminar_usuario(const Args *args, Client *client) {
    _cleanup_buffer_ Buffer path = {};

    buffer_puts(&path, "/tmpftp/user/");
    client_escape(args->words[0], &path);
    if (path.error < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    return delete_at(args, client, path.data);
}
