/* tempoftp estado and salud: does the service answer, and is it well. */
#include "basic/strings.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

ExitCode verb_estado(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_ask(args, client, "GET", "/", NULL, &reply);
    if (code == EXIT_OK && !args->json) {
        text_label(stdout, "Servicio");
        text_print(stdout, json_text(reply.json, "status"));
        putchar('\n');
    }
    return code;
}

static const struct {
    const char *label, *key, *look; /* where to look when it is not well */
} lines[] = {
    { "Servicio", "status", NULL },
    { "Espacio", "space", "df -h de la ruta de datos (TEMPOFTP_DATA_PATH)" },
    { "FTP", "ftpd", "systemctl status tempoftp-ftp.socket" },
    { "Base de datos", "database", "journalctl -u tempoftp -n 20" },
    { "Limpieza", "limpieza", "journalctl -u tempoftp -p err -n 20" },
};

static void say_where_to_look(const Args *args, const json_t *health) {
    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        const char *value = json_text(health, lines[i].key);
        if (value && lines[i].look && (streq(value, "down") || streq(value, "error")))
            note(args, "%s: %s", lines[i].label, lines[i].look);
    }
}

static void print_health(const json_t *health) {
    const json_t *used = json_object_get(health, "space_used_pct");

    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        const char *value = json_text(health, lines[i].key);
        if (!value)
            continue;
        text_label(stdout, lines[i].label);
        text_print(stdout, value);
        if (streq(lines[i].key, "space") && json_is_number(used))
            printf(" libres (%.0f %% usado)", json_number_value(used));
        putchar('\n');
    }
}

ExitCode verb_salud(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = service_call(client, "GET", "/health", NULL, &reply);
    if (code != EXIT_OK)
        return code;
    /* A service that is not well says so with a 503 that is a description too. */
    if (!json_text(reply.json, "status"))
        return service_judge(&reply);
    if (args->json)
        printf("%s\n", reply.body.data);
    else
        print_health(reply.json);
    say_where_to_look(args, reply.json);
    return exit_code_of_status(reply.status);
}
