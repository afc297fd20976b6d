/* tempoftp extender: more days. */
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

ExitCode verb_extender(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};
    char when[TEXT_FIGURE_SIZE];
    ExitCode code;
    int days;

    if (!days_parse(args->words[1], &days))
        return EXIT_USAGE;
    _cleanup_free_ char *path = request_path(args->words[0], "/extender", &code);
    if (!path)
        return code;
    _cleanup_free_ char *body = body_text(json_pack("{s:i}", "dias", days));
    if (!body)
        return EXIT_LOCAL;

    code = service_ask(args, client, "POST", path, body, &reply);
    if (code == EXIT_OK && !args->json) {
        text_time(json_text(reply.json, "expira"), when);
        printf("%s: vigencia de %" JSON_INTEGER_FORMAT " días, expira ", args->words[0],
               json_integer_value(json_object_get(reply.json, "vigencia")));
        text_print(stdout, when);
        putchar('\n');
    }
    return code;
}
