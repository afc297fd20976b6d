/* tempoftp expirar: what is due ends now. */
#include "cli/service.h"
#include "cli/verbs.h"

ExitCode verb_expirar(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_ask(args, client, "DELETE", "/tmpftp/expired", NULL, &reply);
    if (code == EXIT_OK && !args->json)
        printf("Expiradas: %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(reply.json, "expiradas")));
    return code;
}
