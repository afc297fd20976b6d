/* tempoftp ver: one request, with its credentials when it is ready. */
#include "cli/answer.h"
#include "cli/service.h"
#include "cli/verbs.h"

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
    return code;
}
