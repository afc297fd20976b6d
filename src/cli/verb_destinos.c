/* tempoftp destinos: the partners' servers that finished requests can be sent on to. One table of actions, one of the fields that can be written as CAMPO=VALOR.
 *
 * Secrets are asked for or read from a file: the command line is everybody's to read. */
#include "basic/fds.h"
#include "basic/strings.h"
#include "cli/action.h"
#include "cli/destination.h"
#include "cli/secret.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "model/destination.h"

#include <inttypes.h>

#define PAGE 1000

static void json_drop(json_t **j) {
    json_decref(*j);
}
#define _cleanup_json_ _cleanup_(json_drop)

/* ---- fields ---- */

typedef enum FieldKind { FIELD_TEXT, FIELD_NUMBER, FIELD_YES, FIELD_FILE, FIELD_ASKED } FieldKind;

static const struct {
    const char *word, *key;
    FieldKind kind;
} fields[] = {
    { "nombre", "name", FIELD_TEXT },       { "servidor", "host", FIELD_TEXT },          { "puerto", "port", FIELD_NUMBER },  { "usuario", "username", FIELD_TEXT },
    { "ruta", "path", FIELD_TEXT },         { "grupo", "group", FIELD_TEXT },            { "defecto", "is_default", FIELD_YES },
    { "clave-ssh", "ssh_key", FIELD_FILE }, { "contrasena", "password", FIELD_ASKED },
};

#define FIELDS_HELP "nombre=, servidor=, puerto=, usuario=, ruta=, grupo=, defecto=sí|no, clave-ssh=ARCHIVO, contrasena (se pregunta)"

static ExitCode put_file(json_t *body, const char *key, const char *path) {
    _cleanup_(wipe_freep) char *text = NULL;
    size_t size;

    int r = path[0] ? read_file(path, DESTINATION_SSH_KEY_MAX, &text, &size) : 0; /* nothing: take it away */
    if (r < 0) {
        complain("No se puede leer %s: %s", path, text_errno(-r));
        return EXIT_LOCAL;
    }
    return json_object_set_new(body, key, json_pack("s", text ? text : "")) < 0 ? EXIT_USAGE : EXIT_OK;
}

static ExitCode put_asked(json_t *body, const char *key) {
    _cleanup_(wipe_freep) char *secret = NULL;

    ExitCode code = secret_ask("Contraseña en el destino: ", &secret);
    if (code == EXIT_OK && json_object_set_new(body, key, json_pack("s", secret)) < 0)
        code = EXIT_USAGE;
    return code;
}

static ExitCode put_field(json_t *body, size_t i, const char *value) {
    uint64_t number;
    bool yes;
    int r = 0;

    switch (fields[i].kind) {
    case FIELD_FILE:
        return put_file(body, fields[i].key, value);
    case FIELD_ASKED:
        return put_asked(body, fields[i].key);
    case FIELD_NUMBER:
        r = parse_u64(value, UINT16_MAX, &number);
        r = r < 0 ? r : json_object_set_new(body, fields[i].key, json_pack("I", (json_int_t) number));
        break;
    case FIELD_YES:
        r = parse_bool(value, &yes);
        r = r < 0 ? r : json_object_set_new(body, fields[i].key, json_pack("b", yes));
        break;
    case FIELD_TEXT:
        r = json_object_set_new(body, fields[i].key, json_pack("s", value));
        break;
    }
    if (r < 0)
        complain("%s: '%s' no sirve", fields[i].word, value);
    return r < 0 ? EXIT_USAGE : EXIT_OK;
}

/* One word of the command line. */
static ExitCode put_word(json_t *body, const char *word) {
    size_t size = strcspn(word, "=");

    for (size_t i = 0; i < ELEMENTS(fields); i++)
        if (strlen(fields[i].word) == size && strncmp(fields[i].word, word, size) == 0 && (word[size] == '=') != (fields[i].kind == FIELD_ASKED))
            return put_field(body, i, word + size + (word[size] == '='));
    complain("'%s' no es un campo con su valor: %s", word, FIELDS_HELP);
    return EXIT_USAGE;
}

static ExitCode put_words(const Args *args, size_t from, json_t *body) {
    ExitCode code = EXIT_OK;

    for (size_t i = from; code == EXIT_OK && i < args->n_words; i++)
        code = put_word(body, args->words[i]);
    return code;
}

/* ---- what is shown ---- */

static void say(const char *label, const char *text) {
    if (!text)
        return;
    text_label(stdout, label);
    text_print(stdout, text);
    fputc('\n', stdout);
}

static void print_one(const json_t *d) {
    bool key = json_is_true(json_object_get(d, "has_ssh_key")), password = json_is_true(json_object_get(d, "has_password"));
    char figure[TEXT_FIGURE_SIZE];

    say("Destino", json_text(d, "name"));
    snprintf(figure, sizeof(figure), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(d, "id")));
    say("Número", figure);
    say("Tipo", json_text(d, "type"));
    say("Servidor", json_text(d, "host"));
    snprintf(figure, sizeof(figure), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(d, "port")));
    say("Puerto", figure);
    say("Usuario", json_text(d, "username"));
    say("Entra con", key && password ? "clave SSH y contraseña" : key ? "clave SSH" : "contraseña");
    say("Ruta", json_text(d, "path"));
    say("Grupo", json_text(d, "group"));
    if (json_is_true(json_object_get(d, "is_default")))
        say("Por defecto", "sí");
    say("Huella", json_text(d, "host_key"));
    if (!streq_null(json_text(d, "host_key"), json_text(d, "host_key_seen")))
        say("Huella vista", json_text(d, "host_key_seen"));
}

static void add_row(TextTable *table, const json_t *d) {
    char number[TEXT_FIGURE_SIZE], port[TEXT_FIGURE_SIZE];

    snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(d, "id")));
    snprintf(port, sizeof(port), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(d, "port")));
    const char *cells[] = { number, json_text(d, "name"), json_text(d, "type"), json_text(d, "host"), port, json_text(d, "path"), json_text(d, "group"),
                            json_is_true(json_object_get(d, "is_default")) ? "sí" : "no" };
    text_table_row(table, cells);
}

static ExitCode list(const Args *args, Client *client) {
    static const char *const titles[] = { "N", "NOMBRE", "TIPO", "SERVIDOR", "PUERTO", "RUTA", "GRUPO", "POR DEFECTO" };
    _cleanup_table_ TextTable table;
    size_t n = PAGE, all = 0;

    text_table_init(&table, ELEMENTS(titles));
    text_table_row(&table, titles);
    for (; n == PAGE; all += n) {
        _cleanup_reply_ Reply reply = {};
        char path[96];
        snprintf(path, sizeof(path), "/api/destinations?limit=%d&offset=%zu", PAGE, all);
        ExitCode code = service_ask(args, client, "GET", path, NULL, &reply);
        if (code != EXIT_OK)
            return code;
        const json_t *rows = json_object_get(reply.json, "destinations");
        n = json_array_size(rows);
        for (size_t i = 0; i < n; i++)
            add_row(&table, json_array_get(rows, i));
    }
    if (table.error < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    if (all == 0)
        note(args, "No hay destinos");
    else if (!args->json)
        text_table_print(&table, stdout);
    return EXIT_OK;
}

/* A call about the destination named second; the answer is a destination, which is shown. body: taken over; NULL: none. */
static ExitCode ask_about(const Args *args, Client *client, const json_t *destination, const char *method, json_t *body, const char *done) {
    _cleanup_free_ char *path = destination_path(destination, "");
    _cleanup_(wipe_freep) char *text = body ? body_text(body) : NULL;
    _cleanup_reply_ Reply reply = {};

    if (!path || (body && !text))
        return EXIT_LOCAL;
    ExitCode code = service_ask(args, client, method, path, text, &reply);
    if (code == EXIT_OK && !args->json) {
        print_one(reply.json);
        if (done)
            note(args, "%s", done);
    }
    return code;
}

/* ---- actions ---- */

static ExitCode show(const Args *args, Client *client) {
    _cleanup_json_ json_t *d = NULL;

    ExitCode code = destination_look_up(client, args->words[1], &d);
    return code == EXIT_OK ? ask_about(args, client, d, "GET", NULL, NULL) : code;
}

static ExitCode create(const Args *args, Client *client) {
    _cleanup_(wipe_freep) char *text = NULL;
    _cleanup_reply_ Reply reply = {};

    json_t *body = json_pack("{s:s,s:s,s:s,s:s}", "name", args->words[1], "type", args->words[2], "host", args->words[3], "username", args->words[4]);
    if (!body) {
        complain("No es texto UTF-8");
        return EXIT_USAGE;
    }
    ExitCode code = put_words(args, 5, body);
    if (code == EXIT_OK && !json_object_get(body, "ssh_key") && !json_object_get(body, "password"))
        code = put_asked(body, "password");
    if (code != EXIT_OK) {
        json_decref(body);
        return code;
    }
    text = body_text(body);
    if (!text)
        return EXIT_USAGE;
    code = service_ask(args, client, "POST", "/api/destinations", text, &reply);
    if (code == EXIT_OK && !args->json) {
        print_one(reply.json);
        note(args, "Para probarlo: tempoftp destinos probar %s", args->words[1]);
    }
    return code;
}

static ExitCode change(const Args *args, Client *client) {
    _cleanup_json_ json_t *d = NULL;

    ExitCode code = destination_look_up(client, args->words[1], &d);
    if (code != EXIT_OK)
        return code;
    json_t *body = json_object();
    code = body ? put_words(args, 2, body) : EXIT_LOCAL;
    if (code == EXIT_OK)
        return ask_about(args, client, d, "PUT", body, NULL);
    json_decref(body);
    return code;
}

static ExitCode delete(const Args *args, Client *client) {
    _cleanup_json_ json_t *d = NULL;
    _cleanup_reply_ Reply reply = {};

    ExitCode code = destination_look_up(client, args->words[1], &d);
    if (code != EXIT_OK)
        return code;
    _cleanup_free_ char *path = destination_path(d, "");
    if (!path)
        return EXIT_LOCAL;
    code = service_call(client, "DELETE", path, NULL, &reply);
    if (code == EXIT_OK)
        code = service_judge(&reply);
    if (code == EXIT_OK && !args->json) {
        text_print(stdout, json_text(d, "name"));
        puts(": eliminado; lo que se le estaba enviando se canceló");
    }
    return code;
}

static ExitCode try(const Args *args, Client *client) {
    _cleanup_json_ json_t *d = NULL;
    _cleanup_reply_ Reply reply = {};

    ExitCode code = destination_look_up(client, args->words[1], &d);
    if (code != EXIT_OK)
        return code;
    _cleanup_free_ char *path = destination_path(d, "/test");
    if (!path)
        return EXIT_LOCAL;
    code = service_ask(args, client, "POST", path, NULL, &reply);
    if (code != EXIT_OK)
        return code;
    bool success = json_is_true(json_object_get(reply.json, "success"));
    const char *seen = json_text(reply.json, "host_key_seen");
    if (!args->json) {
        text_print(stdout, json_text(reply.json, "message"));
        fputc('\n', stdout);
        if (!success && seen && !streq_null(seen, json_text(d, "host_key")))
            note(args, "Si es la del servidor (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub, allá): tempoftp destinos aceptar %s %s", args->words[1], seen);
    }
    return success ? EXIT_OK : EXIT_REFUSED;
}

static ExitCode accept_key(const Args *args, Client *client) {
    _cleanup_json_ json_t *d = NULL;

    ExitCode code = destination_look_up(client, args->words[1], &d);
    if (code != EXIT_OK)
        return code;
    const char *key = args->n_words > 2 ? args->words[2] : json_text(d, "host_key_seen");
    if (!key) {
        complain("Nadie ha visto aún la clave de ese servidor: tempoftp destinos probar %s", args->words[1]);
        return EXIT_USAGE;
    }
    return ask_about(args, client, d, "PUT", json_pack("{s:s}", "host_key", key), "Huella aceptada: con otra no se envía nada");
}

static const Action actions[] = {
    { "lista", "", 0, 0, list },
    { "ver", " DESTINO", 1, 1, show },
    { "crear", " NOMBRE ftp|ftps|sftp SERVIDOR USUARIO [CAMPO=VALOR…]", 4, ARGS_WORDS_MAX - 1, create },
    { "cambiar", " DESTINO CAMPO=VALOR…", 2, ARGS_WORDS_MAX - 1, change },
    { "eliminar", " DESTINO", 1, 1, delete },
    { "probar", " DESTINO", 1, 1, try },
    { "aceptar", " DESTINO [HUELLA]", 1, 2, accept_key },
};

void print_actions_destinos(FILE *to) {
    actions_print("destinos", actions, ELEMENTS(actions), to);
    fputs("Campos: " FIELDS_HELP "\n", to);
}

ExitCode verb_destinos(const Args *args, Client *client) {
    return actions_run("destinos", actions, ELEMENTS(actions), args, client);
}
