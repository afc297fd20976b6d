/* tempoftp ver: one request, with its credentials when it is ready, and where it was sent on to. */
#include "cli/answer.h"
#include "cli/export.h"
#include "cli/service.h"
#include "cli/verbs.h"

/* The request's own answer says nothing of how far they are. */
static ExitCode print_exports(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = export_get(args, client, args->words[0], "/exports", &reply);
    if (code == EXIT_OK)
        export_print_lines(json_object_get(reply.json, "exports"));
    return code;
}

ExitCode verb_ver(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};
    ExitCode code;

    _cleanup_free_ char *path = request_path(args->words[0], "", &code);
    if (!path)
        return code;
    code = service_call(client, "GET", path, NULL, &reply);
    if (code != EXIT_OK)
        return code;
    code = service_judge(&reply);
    if (code == EXIT_OK || args->json)
        answer_print(args, args->words[0], &reply);
    if (code == EXIT_OK && !args->json && json_array_size(json_object_get(reply.json, "exportaciones")) > 0)
        code = print_exports(args, client);
    return code;
}
