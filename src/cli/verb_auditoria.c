/* tempoftp auditoria: who did what, newest first. The service looks through its trail a part at a time and says where to go on; here it is one list. */
#include "basic/strings.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000 /* of one call */

static const QueryOption filters[] = {
    { OPTION_WHO, "actor" },   { OPTION_ACTION, "accion" }, { OPTION_TARGET, "objeto" },
    { OPTION_CALL, "request_id" }, { OPTION_SINCE, "desde" },   { OPTION_UNTIL, "hasta" },
};

static void add_row(TextTable *table, const json_t *row) {
    char moment[TEXT_FIGURE_SIZE], result[TEXT_FIGURE_SIZE];

    text_time(json_text(row, "momento"), moment);
    snprintf(result, sizeof(result), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(row, "resultado")));
    const char *cells[] = { moment, json_text(row, "actor"), json_text(row, "direccion"), json_text(row, "accion"), json_text(row, "objeto"), result,
                            json_text(row, "request_id"), json_text(row, "detalle") };
    text_table_row(table, cells);
}

/* One part of the trail. *before: where it begins, 0 at first; then where the next one does, 0: there is none. */
static ExitCode read_part(const Args *args, Client *client, uint64_t limit, uint64_t *before, TextTable *table, uint64_t *count) {
    _cleanup_reply_ Reply reply = {};
    char page[64];

    if (*before > 0)
        snprintf(page, sizeof(page), "?limite=%" PRIu64 "&antes=%" PRIu64, limit, *before);
    else
        snprintf(page, sizeof(page), "?limite=%" PRIu64, limit);
    _cleanup_free_ char *path = query_path("/api/auditoria", page, args, filters, ELEMENTS(filters));
    if (!path)
        return EXIT_LOCAL;
    ExitCode code = service_ask(args, client, "GET", path, NULL, &reply);
    if (code != EXIT_OK)
        return code;
    const json_t *rows = json_object_get(reply.json, "registros");
    for (size_t i = 0; i < json_array_size(rows); i++)
        add_row(table, json_array_get(rows, i));
    *count += json_array_size(rows);
    json_int_t next = json_integer_value(json_object_get(reply.json, "siguiente"));
    *before = next > 0 ? (uint64_t) next : 0;
    return EXIT_OK;
}

ExitCode verb_auditoria(const Args *args, Client *client) {
    static const char *const titles[] = { "MOMENTO", "QUIÉN", "DIRECCIÓN", "QUÉ", "OBJETO", "RESULTADO", "LLAMADA", "DETALLE" };
    _cleanup_table_ TextTable table;
    uint64_t limit = LIMIT_DEFAULT, before = 0, n = 0;

    text_table_init(&table, ELEMENTS(titles));
    if (args->value[OPTION_LIMIT] && (parse_u64(args->value[OPTION_LIMIT], LIMIT_MAX, &limit) < 0 || limit == 0)) {
        complain("'%s' no es un número de 1 a %d", args->value[OPTION_LIMIT], LIMIT_MAX);
        return EXIT_USAGE;
    }
    text_table_row(&table, titles);
    do {
        ExitCode code = read_part(args, client, limit - n, &before, &table, &n);
        if (code != EXIT_OK)
            return code;
    } while (before > 0 && n < limit && !args->json);
    if (table.error < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    if (args->json)
        return EXIT_OK;
    if (n > 0)
        text_table_print(&table, stdout);
    else
        note(args, "No hay registros");
    if (n > 0 && before > 0)
        note(args, "Hay más antiguos: con --limite, o con --hasta");
    return EXIT_OK;
}
