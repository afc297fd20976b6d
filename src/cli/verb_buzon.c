/* tempoftp buzon: a folder of an account's home that may be written; given, made larger or smaller, taken away. */
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

static char *wanted_body(const Args *args) {
    const char *text = args->value[OPTION_BYTES];
    uint64_t bytes;

    if (!text)
        return body_text(json_object());
    if (text_parse_bytes(text, &bytes) < 0) {
        complain("'%s' no es un número de bytes (2000, 500M, 10G)", text);
        return NULL;
    }
    return body_text(json_pack("{s:I}", "bytes", (json_int_t) bytes));
}

static void print_drop(const char *id, const json_t *answer) {
    const json_t *drop = json_object_get(answer, "buzon");
    char bytes[TEXT_FIGURE_SIZE];

    text_bytes((uint64_t) json_integer_value(json_object_get(drop, "bytes")), bytes);
    printf("%s: ", id);
    text_print(stdout, json_text(answer, "usuario"));
    fputs(" puede escribir en /", stdout);
    text_print(stdout, json_text(drop, "carpeta"));
    printf(" hasta %s, desde su próximo ingreso\n", bytes);
}

ExitCode verb_buzon(const Args *args, Client *client) {
    bool remove = args->given[OPTION_REMOVE];
    _cleanup_reply_ Reply reply = {};
    _cleanup_free_ char *body = NULL;
    ExitCode code;

    if (remove && args->given[OPTION_BYTES]) {
        complain("--bytes y --quitar a la vez no pueden ser");
        return EXIT_USAGE;
    }
    _cleanup_free_ char *path = request_path(args->words[0], "/buzon", &code);
    if (!path)
        return code;
    if (!remove && !(body = wanted_body(args)))
        return EXIT_USAGE;

    code = service_ask(args, client, remove ? "DELETE" : "PUT", path, body, &reply);
    if (code == EXIT_OK && !args->json) {
        if (remove)
            printf("%s: sin buzón; lo que había en él se está borrando\n", args->words[0]);
        else
            print_drop(args->words[0], reply.json);
    }
    return code;
}
