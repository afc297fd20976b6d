/* tempoftp usuarios: who may call the API, and what operators change about them. One table of actions. */
#include "basic/strings.h"
#include "cli/action.h"
#include "cli/secret.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

#define PAGE 1000

static void add_row(TextTable *table, const json_t *user) {
    char created[TEXT_FIGURE_SIZE];

    text_time(json_text(user, "created_at"), created);
    const char *cells[] = { json_text(user, "correo"), json_text(user, "rol"), json_is_true(json_object_get(user, "is_active")) ? "sí" : "no", created,
                            json_text(user, "nombre") };
    text_table_row(table, cells);
}

static ExitCode list(const Args *args, Client *client) {
    static const char *const titles[] = { "CORREO", "ROL", "ACTIVO", "DESDE", "NOMBRE" };
    _cleanup_table_ TextTable table;
    json_int_t after = 0;
    size_t n, all = 0;

    text_table_init(&table, ELEMENTS(titles));
    text_table_row(&table, titles);
    do {
        _cleanup_reply_ Reply reply = {};
        char path[96];
        if (after > 0)
            snprintf(path, sizeof(path), "/api/usuarios?limite=%d&despues=%" PRId64, PAGE, (int64_t) after);
        else
            snprintf(path, sizeof(path), "/api/usuarios?limite=%d", PAGE);
        ExitCode code = service_ask(args, client, "GET", path, NULL, &reply);
        if (code != EXIT_OK)
            return code;
        const json_t *users = json_object_get(reply.json, "usuarios");
        n = json_array_size(users);
        all += n;
        for (size_t i = 0; i < n; i++)
            add_row(&table, json_array_get(users, i));
        after = n > 0 ? json_integer_value(json_object_get(json_array_get(users, n - 1), "id")) : 0;
    } while (n == PAGE && after > 0);
    if (table.error < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    if (all == 0)
        note(args, "No hay usuarios");
    else if (!args->json)
        text_table_print(&table, stdout);
    return EXIT_OK;
}

/* PATCH of the user named second; takes the body. */
static ExitCode patch(const Args *args, Client *client, json_t *change, const char *done) {
    _cleanup_(wipe_freep) char *body = body_text(change);
    _cleanup_buffer_ Buffer path = {};
    _cleanup_reply_ Reply reply = {};

    buffer_puts(&path, "/api/usuarios/");
    client_escape(args->words[1], &path);
    if (!body || path.error < 0)
        return EXIT_LOCAL;
    ExitCode code = service_ask(args, client, "PATCH", path.data, body, &reply);
    if (code == EXIT_OK && !args->json) {
        text_print(stdout, json_text(reply.json, "correo"));
        printf(": %s\n", done);
    }
    return code;
}

static ExitCode activate(const Args *args, Client *client) {
    return patch(args, client, json_pack("{s:b}", "is_active", 1), "puede entrar");
}

static ExitCode deactivate(const Args *args, Client *client) {
    return patch(args, client, json_pack("{s:b}", "is_active", 0), "ya no puede entrar, y sus sesiones terminaron");
}

static ExitCode role(const Args *args, Client *client) {
    return patch(args, client, json_pack("{s:s}", "rol", args->words[2]), "otro rol, desde ahora");
}

static ExitCode password(const Args *args, Client *client) {
    _cleanup_(wipe_freep) char *secret = NULL;

    ExitCode code = secret_ask("Contraseña nueva (de 12 a 128 bytes): ", &secret);
    return code == EXIT_OK ? patch(args, client, json_pack("{s:s}", "password", secret), "contraseña nueva; sus sesiones terminaron") : code;
}

static ExitCode create(const Args *args, Client *client) {
    _cleanup_(wipe_freep) char *secret = NULL, *body = NULL;
    _cleanup_reply_ Reply reply = {};

    ExitCode code = secret_ask("Contraseña (de 12 a 128 bytes): ", &secret);
    if (code != EXIT_OK)
        return code;
    body = body_text(json_pack("{s:s,s:s,s:s}", "correo", args->words[1], "nombre", args->words[2], "password", secret));
    if (!body)
        return EXIT_USAGE;
    code = service_ask(args, client, "POST", "/auth/register", body, &reply);
    if (code == EXIT_OK && !args->json) {
        text_print(stdout, json_text(reply.json, "correo"));
        puts(json_is_true(json_object_get(reply.json, "is_active")) ? ": puede entrar" : ": pendiente de activación");
    }
    return code;
}

static const Action actions[] = {
    { "lista", "", 0, 0, list },
    { "crear", " CORREO NOMBRE", 2, 2, create },
    { "activar", " CORREO", 1, 1, activate },
    { "desactivar", " CORREO", 1, 1, deactivate },
    { "rol", " CORREO usuario|operador", 2, 2, role },
    { "clave", " CORREO", 1, 1, password },
};

void print_actions_usuarios(FILE *to) {
    actions_print("usuarios", actions, ELEMENTS(actions), to);
    fputs("Las contraseñas se preguntan, o se leen de la entrada estándar.\n", to);
}

ExitCode verb_usuarios(const Args *args, Client *client) {
    return actions_run("usuarios", actions, ELEMENTS(actions), args, client);
}
