/* tempoftp lista: what there is, as columns. */
#include "basic/strings.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

#define LIST_LIMIT_DEFAULT 500 /* the service's own */

static const QueryOption filters[] = { { OPTION_STATE, "estado" }, { OPTION_LIMIT, "limite" }, { OPTION_AFTER, "despues" } };

static int print_table(const json_t *rows) {
    static const char *const titles[] = { "ID", "ESTADO", "CREADA", "DÍAS", "USUARIO", "RUTA" };
    _cleanup_table_ TextTable table;

    text_table_init(&table, ELEMENTS(titles));
    text_table_row(&table, titles);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        char created[TEXT_FIGURE_SIZE], days[TEXT_FIGURE_SIZE];

        text_time(json_text(row, "created_at"), created);
        snprintf(days, sizeof(days), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(row, "vigencia")));
        const char *cells[] = { json_text(row, "id"), json_text(row, "estado"), created, days, json_text(row, "email"), json_text(row, "ruta") };
        text_table_row(&table, cells);
    }
    if (table.error == 0)
        text_table_print(&table, stdout);
    return table.error;
}

ExitCode verb_lista(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};
    uint64_t limit = LIST_LIMIT_DEFAULT;

    if (args->value[OPTION_LIMIT] && parse_u64(args->value[OPTION_LIMIT], UINT32_MAX, &limit) < 0) {
        complain("--limite: '%s' no es un número", args->value[OPTION_LIMIT]);
        return EXIT_USAGE;
    }
    _cleanup_free_ char *path = query_path("/tmpftp", "", args, filters, ELEMENTS(filters));
    if (!path)
        return EXIT_LOCAL;
    ExitCode code = service_ask(args, client, "GET", path, NULL, &reply);
    if (code != EXIT_OK || args->json)
        return code;

    const json_t *rows = json_object_get(reply.json, "solicitudes");
    size_t n = json_array_size(rows);
    if (n == 0) {
        note(args, "No hay solicitudes");
        return EXIT_OK;
    }
    if (print_table(rows) < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    if (n >= limit)
        note(args, "Puede haber más: --despues %s", json_text(json_array_get(rows, n - 1), "id"));
    return EXIT_OK;
}
