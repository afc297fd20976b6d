/* tempoftp crear: asks for a delivery and, with --seguir, stays until it is there. */
#include "basic/strings.h"
#include "cli/answer.h"
#include "cli/follow.h"
#include "cli/service.h"
#include "cli/verbs.h"

#include <limits.h>

bool days_parse(const char *text, int *ret) {
    uint64_t days;

    if (parse_u64(text, INT_MAX, &days) < 0) {
        complain("'%s' no es un número de días", text);
        return false;
    }
    *ret = (int) days;
    return true;
}

char *new_request_body(const char *user, const char *id, const char *ruta, const char *days, const char *group) {
    int vigencia;

    if (days && !days_parse(days, &vigencia))
        return NULL;
    /* json_pack() alone makes the values: jansson's json_integer() and json_string() share their names with basic/json_writer.h. */
    json_t *body = json_pack("{s:s, s:s, s:s, s:o*, s:s*}", "usuario", user, "id", id, "ruta", ruta,
                             "vigencia", days ? json_pack("i", vigencia) : NULL, "grupo", group);
    return body_text(body);
}

/* What the state that a request settled in means for the caller. */
static ExitCode judge_end(const Reply *reply) {
    State state;
    return answer_state(reply->json, &state) && state == STATE_LISTO ? EXIT_OK : EXIT_ENDED_BADLY;
}

ExitCode verb_crear(const Args *args, Client *client) {
    const char *id = args->words[1];
    _cleanup_reply_ Reply reply = {}, end = {};

    _cleanup_free_ char *body = new_request_body(args->words[0], id, args->words[2], args->n_words > 3 ? args->words[3] : NULL,
                                                 args->value[OPTION_GROUP]);
    if (!body)
        return EXIT_USAGE;
    ExitCode code = service_call(client, "POST", "/tmpftp", body, &reply);
    if (code != EXIT_OK)
        return code;
    code = service_judge(&reply);
    if (code != EXIT_OK) {
        if (args->json)
            answer_print(args, id, &reply);
        return code;
    }

    if (reply.status == 200 || !args->given[OPTION_FOLLOW]) {
        answer_print(args, id, &reply);
        if (reply.status == 202)
            note(args, "Recibida. Para seguirla: tempoftp ver %s", id);
        return EXIT_OK;
    }
    code = follow_until_settled(args, client, id, &end);
    if (code != EXIT_OK)
        return code;
    answer_print(args, id, &end);
    return judge_end(&end);
}
