/* tempoftp exportar: sends a finished request to a destination and, with --seguir, stays until it is there; its exports, their log, the end of one. */
#include "basic/strings.h"
#include "basic/time.h"
#include "cli/destination.h"
#include "cli/export.h"
#include "cli/live_line.h"
#include "cli/service.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "model/export_state.h"

#include <inttypes.h>

#define FOLLOW_PAUSE_SECONDS 1
#define FOLLOW_PATIENCE_MS 60000 /* a service that restarts answers long before */

static json_int_t number(const json_t *row, const char *key) {
    return json_integer_value(json_object_get(row, key));
}

/* ---- lists ---- */

static int print_exports(const json_t *rows) {
    static const char *const titles[] = { "N", "DESTINO", "TIPO", "ESTADO", "PEDIDO", "TERMINADO", "BYTES", "MENSAJE" };
    _cleanup_table_ TextTable table;

    text_table_init(&table, ELEMENTS(titles));
    text_table_row(&table, titles);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *e = json_array_get(rows, i);
        char n[TEXT_FIGURE_SIZE], created[TEXT_FIGURE_SIZE], ended[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE];
        Progress progress;

        snprintf(n, sizeof(n), "%" JSON_INTEGER_FORMAT, number(e, "n"));
        text_time(json_text(e, "created_at"), created);
        text_time(json_text(e, "ended_at"), ended);
        bool known = export_progress(e, &progress);
        text_bytes(known ? progress.bytes : (uint64_t) number(e, "bytes"), bytes);
        const char *cells[] = { n, json_text(e, "destination_name"), json_text(e, "type"), json_text(e, "status"), created, ended, bytes, json_text(e, "message") };
        text_table_row(&table, cells);
    }
    if (table.error == 0)
        text_table_print(&table, stdout);
    return table.error;
}

static ExitCode list(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = export_get(args, client, args->words[0], "/exports", &reply);
    if (code != EXIT_OK || args->json)
        return code;
    const json_t *rows = json_object_get(reply.json, "exports");
    if (json_array_size(rows) == 0)
        note(args, "Nunca se envió a ningún destino");
    else if (print_exports(rows) < 0) {
        complain("Sin memoria");
        return EXIT_LOCAL;
    }
    return EXIT_OK;
}

static ExitCode print_log(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};

    ExitCode code = export_get(args, client, args->words[0], "/logs", &reply);
    if (code != EXIT_OK || args->json)
        return code;
    const json_t *rows = json_object_get(reply.json, "logs");
    if (json_array_size(rows) == 0)
        note(args, "Nunca se envió a ningún destino");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        char when[TEXT_FIGURE_SIZE];
        text_time(json_text(row, "time"), when);
        printf("%s  ", when);
        text_print(stdout, json_text(row, "line"));
        fputc('\n', stdout);
    }
    return EXIT_OK;
}

static ExitCode cancel(const Args *args, Client *client) {
    _cleanup_reply_ Reply reply = {};
    ExitCode code;
    char rest[64];
    uint64_t n;

    if (parse_u64(args->value[OPTION_CANCEL], UINT32_MAX, &n) < 0) {
        complain("'%s' no es el número de un envío", args->value[OPTION_CANCEL]);
        return EXIT_USAGE;
    }
    snprintf(rest, sizeof(rest), "/exports/%" PRIu64, n);
    _cleanup_free_ char *path = export_path(args->words[0], rest, &code);
    if (!path)
        return code;
    code = service_ask(args, client, "DELETE", path, NULL, &reply);
    if (code == EXIT_OK && !args->json)
        printf("%s: envío %" PRIu64 " cancelado\n", args->words[0], n);
    return code;
}

/* ---- following ---- */

static const json_t *find_export(const json_t *answer, json_int_t n) {
    const json_t *rows = json_object_get(answer, "exports");

    for (size_t i = 0; i < json_array_size(rows); i++)
        if (number(json_array_get(rows, i), "n") == n)
            return json_array_get(rows, i);
    return NULL;
}

static ExitCode print_end(const Args *args, const json_t *e, ExportState state) {
    if (args->json) {
        json_dumpf(e, stdout, JSON_COMPACT);
        fputc('\n', stdout);
    } else if (state == EXPORT_LISTO) {
        text_print(stdout, json_text(e, "destination_name"));
        fputs(": ", stdout);
        export_print_amount(e);
        fputc('\n', stdout);
    } else
        complain("%s", json_text(e, "message") ? json_text(e, "message") : export_state_name(state));
    return state == EXPORT_LISTO ? EXIT_OK : EXIT_ENDED_BADLY;
}

/* One look; EXIT_OK with *ret_over while it goes on or when it has ended. */
static ExitCode look(const Args *args, const Reply *reply, json_int_t n, LiveLine *line, bool *ret_over) {
    const json_t *e = find_export(reply->json, n);
    const char *name = json_text(e, "status");
    ExportState state;
    Progress progress;

    if (!name || export_state_parse(name, &state) < 0) {
        live_line_clear(line);
        complain("El envío ya no está");
        return EXIT_ENDED_BADLY;
    }
    *ret_over = export_state_is_over(state);
    if (*ret_over) {
        live_line_clear(line);
        return print_end(args, e, state);
    }
    bool known = export_progress(e, &progress);
    live_line_show(line, export_state_name(state), json_text(e, "destination_name"), known ? &progress : NULL);
    return EXIT_OK;
}

static ExitCode follow(const Args *args, Client *client, json_int_t n) {
    uint64_t heard_ms = monotonic_ms();
    bool over = false;
    LiveLine line;
    ExitCode code;

    _cleanup_free_ char *path = export_path(args->words[0], "/exports", &code);
    if (!path)
        return code;
    live_line_init(&line, args);
    for (;;) {
        _cleanup_reply_ Reply reply = {};
        int r = client_call(client, "GET", path, NULL, &reply);
        if (r < 0 || reply.status == 503) {
            if (monotonic_ms() - heard_ms > FOLLOW_PATIENCE_MS) {
                live_line_clear(&line);
                return r < 0 ? service_reached(client, r) : service_judge(&reply);
            }
        } else {
            heard_ms = monotonic_ms();
            code = service_judge(&reply);
            if (code == EXIT_OK)
                code = look(args, &reply, n, &line, &over);
            if (code != EXIT_OK || over)
                return code;
        }
        sleep(FOLLOW_PAUSE_SECONDS);
    }
}

/* ---- sending ---- */

static ExitCode send_to(const Args *args, Client *client, const json_t *destination) {
    bool sftp = streq_null(json_text(destination, "type"), "sftp"), stay = args->given[OPTION_FOLLOW];
    _cleanup_reply_ Reply reply = {};
    Args quiet = *args;
    ExitCode code;

    _cleanup_free_ char *path = export_path(args->words[0], sftp ? "/export/sftp" : "/export/ftp", &code);
    if (!path)
        return code;
    _cleanup_free_ char *body = body_text(json_pack("{s:I}", "destination_id", number(destination, "id")));
    if (!body)
        return EXIT_LOCAL;
    quiet.json = args->json && !stay; /* who follows is shown the end alone */
    code = service_ask(&quiet, client, "POST", path, body, &reply);
    if (code != EXIT_OK)
        return code;
    json_int_t n = number(json_object_get(reply.json, "export"), "n");
    if (stay)
        return follow(args, client, n);
    if (!args->json) {
        printf("%s: envío %" JSON_INTEGER_FORMAT " a ", args->words[0], n);
        text_print(stdout, json_text(destination, "name"));
        puts(" en cola");
    }
    return EXIT_OK;
}

ExitCode verb_exportar(const Args *args, Client *client) {
    bool log = args->given[OPTION_LOG], end = args->value[OPTION_CANCEL];
    json_t *destination = NULL;

    if ((args->n_words > 1) + log + end > 1 || (args->given[OPTION_FOLLOW] && args->n_words < 2)) {
        complain("Uso: tempoftp exportar ID, tempoftp exportar ID DESTINO [--seguir], tempoftp exportar ID --cancelar N, o tempoftp exportar ID --registro");
        return EXIT_USAGE;
    }
    if (log)
        return print_log(args, client);
    if (end)
        return cancel(args, client);
    if (args->n_words == 1)
        return list(args, client);
    ExitCode code = destination_look_up(client, args->words[1], &destination);
    if (code == EXIT_OK)
        code = send_to(args, client, destination);
    json_decref(destination);
    return code;
}
