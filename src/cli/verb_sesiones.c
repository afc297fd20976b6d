/* tempoftp sesiones: who is connected to the FTP server, and the end of one session or of all of an account. */
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

static uint64_t number(const json_t *row, const char *key) {
    json_int_t value = json_integer_value(json_object_get(row, key));
    return value > 0 ? (uint64_t) value : 0;
}

/* "37 % de 31,5 MB", "31,5 MB" while nobody knows of how much, "-". */
static void progress(const json_t *row, char *ret, size_t size) {
    char figure[TEXT_FIGURE_SIZE];
    uint64_t done = number(row, "bytes"), total = number(row, "total");

    text_bytes(total > 0 ? total : done, figure);
    if (!json_text(row, "archivo"))
        snprintf(ret, size, "-");
    else if (total > 0)
        snprintf(ret, size, "%.0f %% de %s", done >= total ? 100.0 : 100.0 * (double) done / (double) total, figure);
    else
        snprintf(ret, size, "%s", figure);
}

static int print_table(const json_t *rows) {
    static const char *const titles[] = { "PID", "CUENTA", "DIRECCIÓN", "DESDE", "AVANCE", "CARPETA O ARCHIVO" };
    _cleanup_table_ TextTable table;

    text_table_init(&table, ELEMENTS(titles));
    text_table_row(&table, titles);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *file = json_text(row, "archivo");
        char since[TEXT_FIGURE_SIZE], pid[TEXT_FIGURE_SIZE], done[2 * TEXT_FIGURE_SIZE];

        text_time(json_text(row, "desde"), since);
        snprintf(pid, sizeof(pid), "%" PRIu64, number(row, "pid"));
        progress(row, done, sizeof(done));
        const char *cells[] = { pid, json_text(row, "cuenta"), json_text(row, "direccion"), since, done, file ? file : json_text(row, "carpeta") };
        text_table_row(&table, cells);
    }
    if (table.error == 0)
        text_table_print(&table, stdout);
    return table.error;
}

static ExitCode end(const Args *args, Client *client, const char *whom) {
    _cleanup_reply_ Reply reply = {};
    _cleanup_buffer_ Buffer path = {};

    if (!*whom) {
        complain("--terminar espera un PID o una cuenta");
        return EXIT_USAGE;
    }
    buffer_puts(&path, "/sesiones/");
    client_escape(whom, &path);
    if (path.error < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    ExitCode code = service_ask(args, client, "DELETE", path.data, NULL, &reply);
    if (code == EXIT_OK && !args->json) {
        uint64_t n = number(reply.json, "terminadas");
        printf("%" PRIu64 " %s\n", n, n == 1 ? "sesión terminada" : "sesiones terminadas");
    }
    return code;
}

ExitCode verb_sesiones(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    if (args->value[OPTION_END])
        return end(args, client, args->value[OPTION_END]);
    ExitCode code = service_ask(args, client, "GET", "/sesiones", NULL, &reply);
    if (code != EXIT_OK || args->json)
        return code;
    const json_t *rows = json_object_get(reply.json, "sesiones");
    if (json_array_size(rows) == 0) {
        note(args, "Nadie está conectado al servidor FTP");
        return EXIT_OK;
    }
    if (print_table(rows) < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    return EXIT_OK;
}
