/* tempoftp eventos: what has happened to a request, and with --seguir what is happening. */
#include "cli/follow.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <inttypes.h>

static int print_table(const json_t *events) {
    static const char *const titles[] = { "N", "MOMENTO", "ESTADO", "ACTOR", "MENSAJE" };
    _cleanup_table_ TextTable table;

    text_table_init(&table, ELEMENTS(titles));
    for (size_t i = 0; i < ELEMENTS(titles); i++)
        text_table_add(&table, titles[i]);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i);
        char when[TEXT_FIGURE_SIZE], n[TEXT_FIGURE_SIZE];

        snprintf(n, sizeof(n), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(e, "n")));
        text_time(json_text(e, "momento"), when);
        const char *cells[] = { n, when, json_text(e, "estado"), json_text(e, "actor"), json_text(e, "mensaje") };
        for (size_t cell = 0; cell < ELEMENTS(cells); cell++)
            text_table_add(&table, cells[cell]);
    }
    if (table.error == 0)
        text_table_print(&table, stdout);
    return table.error;
}

ExitCode verb_eventos(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};
    ExitCode code;

    _cleanup_free_ char *path = request_path(args->words[0], "/eventos", &code);
    if (!path)
        return code;
    if (args->given[OPTION_FOLLOW])
        return follow_events(args, client, args->words[0]);

    code = service_ask(args, client, "GET", path, NULL, &reply);
    if (code != EXIT_OK || args->json)
        return code;
    if (print_table(json_object_get(reply.json, "eventos")) < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    return EXIT_OK;
}
