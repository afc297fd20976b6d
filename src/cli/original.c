/* The flags of the original client, a Python program, and its way to print: the status and the answer as Python shows a dictionary.
 *
 *   200 {'status': 'listo', 'usuario': 'ftp_…', 'password': '…', 'mensaje': 'Listo, …', 'vigencia': 5}
 *
 * A `listo` answer is cut down to these five keys, which is what scripts that read the line know; `tempoftp ver --json` has all of them. */
#include "basic/fds.h"
#include "basic/strings.h"
#include "cli/password_of.h"
#include "cli/python_repr.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <errno.h>

#define BODY_FILE_MAX (1u << 20) /* the service refuses earlier, in its own words */

static void free_json(json_t **value) {
    json_decref(*value);
}

static json_t *as_original(const json_t *answer) {
    static const char *const keys[] = { "status", "usuario", "password", "mensaje", "vigencia" };
    json_t *shown = json_object();

    for (size_t i = 0; shown && i < ELEMENTS(keys); i++)
        json_object_set(shown, keys[i], json_object_get(answer, keys[i]));
    return shown;
}

static bool is_ready_view(const json_t *answer) {
    const char *status = json_text(answer, "status");
    return status && streq(status, "listo") && json_text(answer, "usuario");
}

static ExitCode print(const Args *args, const Reply *reply) {
    const char *token = json_text(reply->json, "password");
    _cleanup_(wipe_freep) char *password = !is_blank(token) ? password_of_token(args, token) : NULL;
    _cleanup_(free_json) json_t *shown = is_ready_view(reply->json) ? as_original(reply->json) : json_copy(reply->json);

    if (password) /* the copy's memory is wiped: main.c */
        json_object_set_new(shown, "password", json_pack("s", password));
    printf("%ld ", reply->status);
    if (shown)
        python_repr(shown, stdout);
    else
        fwrite(reply->body.data ? reply->body.data : "", 1, reply->body.size, stdout);
    putchar('\n');
    return exit_code_of_status(reply->status);
}

static ExitCode call_and_print(const Args *args, Client *client, const char *method, const char *path, const char *body) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_call(client, method, path, body, &reply);
    if (code != EXIT_OK)
        return code;
    if (!args->json)
        return print(args, &reply);
    printf("%s\n", reply.body.data ? reply.body.data : "");
    return exit_code_of_status(reply.status);
}

static ExitCode post_file(const Args *args, Client *client) {
    const char *path = args->value[OPTION_JSON];
    _cleanup_free_ char *body = NULL;
    size_t size;

    int r = read_file(streq(path, "-") ? "/dev/stdin" : path, BODY_FILE_MAX, &body, &size);
    if (r < 0) {
        complain("No se puede leer %s: %s", path, text_errno(-r));
        return EXIT_LOCAL;
    }
    return call_and_print(args, client, "POST", "/tmpftp", body);
}

static ExitCode post_words(const Args *args, Client *client) {
    _cleanup_free_ char *body = new_request_body(args->words[0], args->words[1], args->words[2], args->n_words > 3 ? args->words[3] : NULL, NULL);
    return body ? call_and_print(args, client, "POST", "/tmpftp", body) : EXIT_USAGE;
}

ExitCode original_run(const Args *args, Client *client) {
    ExitCode code;

    if (args->given[OPTION_STATUS])
        return call_and_print(args, client, "GET", "/", NULL);
    if (args->given[OPTION_HEALTH])
        return call_and_print(args, client, "GET", "/health", NULL);
    if (args->value[OPTION_JSON])
        return post_file(args, client);
    if (args->given[OPTION_CREATE])
        return post_words(args, client);

    _cleanup_free_ char *path = request_path(args->value[OPTION_GET], "", &code);
    return path ? call_and_print(args, client, "GET", path, NULL) : code;
}
