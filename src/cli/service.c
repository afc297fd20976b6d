/* Calls, refusals and the sentences about them.
 *
 * Knows the shapes of the contract's errors and which exit code they lead to; what a verb wanted is the verb's. */
#include "cli/service.h"

#include "basic/strings.h"
#include "cli/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void put_message(const char *format, va_list list) _printf_(1, 0);
static void put_message(const char *format, va_list list) {
    _cleanup_free_ char *text = NULL;

    if (vasprintf(&text, format, list) < 0)
        return;
    fputs("tempoftp: ", stderr);
    text_print(stderr, text);
    fputc('\n', stderr);
}

void complain(const char *format, ...) {
    va_list list;

    va_start(list, format);
    put_message(format, list);
    va_end(list);
}

void note(const Args *args, const char *format, ...) {
    va_list list;

    if (args->given[OPTION_QUIET])
        return;
    va_start(list, format);
    put_message(format, list);
    va_end(list);
}

const char *json_text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void reason_from_fields(const json_t *errors, Buffer *to) {
    const char *separator = "";

    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *error = json_array_get(errors, i), *where = json_object_get(error, "loc");
        const char *field = json_string_value(json_array_get(where, json_array_size(where) - 1));
        const char *message = json_text(error, "msg");
        buffer_printf(to, "%s%s%s%s", separator, field ? field : "", field ? ": " : "", message ? message : "");
        separator = "; ";
    }
}

void service_reason(const Reply *reply, Buffer *to) {
    const json_t *detail = json_object_get(reply->json, "detail");

    if (json_is_string(detail))
        buffer_puts(to, json_string_value(detail));
    else if (json_text(detail, "mensaje"))
        buffer_puts(to, json_text(detail, "mensaje"));
    else if (json_is_array(detail) && json_array_size(detail) > 0)
        reason_from_fields(detail, to);
    else
        buffer_printf(to, "El servicio respondió %ld", reply->status);
}

static const char *hint_of(int error, bool over_socket) {
    switch (error) {
    case EACCES:
    case EPERM: return over_socket ? "; su usuario debe estar en el grupo tempoftp-admin" : "";
    case ENOENT:
    case ECONNREFUSED: return over_socket ? "; ¿está activo tempoftp.socket? (systemctl status tempoftp.socket)" : "";
    default: return "";
    }
}

ExitCode service_reached(const Client *client, int r) {
    switch (r) {
    case -EHOSTUNREACH:
    case -EPIPE:
        complain("No se puede hablar con el servicio en %s: %s%s", client_target(client),
                 *client_error(client) ? client_error(client) : "la conexión se cerró", hint_of(client_os_error(client), client_target(client)[0] == '/'));
        return EXIT_UNREACHABLE;
    case -E2BIG:
        complain("La respuesta del servicio es demasiado grande");
        return EXIT_LOCAL;
    default:
        if (r >= 0)
            return EXIT_OK;
        complain("No se pudo hacer la llamada: %s", text_errno(-r));
        return EXIT_LOCAL;
    }
}

ExitCode service_call(Client *client, const char *method, const char *path, const char *body, Reply *ret) {
    return service_reached(client, client_call(client, method, path, body, ret));
}

ExitCode service_judge(const Reply *reply) {
    if (reply->status == 204) /* has no body, by its meaning */
        return EXIT_OK;
    ExitCode code = exit_code_of_status(reply->status);
    _cleanup_buffer_ Buffer reason = {};

    if (code == EXIT_OK && reply->json)
        return EXIT_OK;
    if (code == EXIT_OK) {
        complain("La respuesta no es JSON: ¿es éste el servicio tempoftp?");
        return EXIT_UNWELL;
    }
    service_reason(reply, &reason);
    complain("%s", reason.data ? reason.data : "sin memoria");
    if (reason.data && streq(reason.data, "Credenciales inválidas"))
        complain("Abra una sesión: tempoftp login CORREO");
    if (reply->retry_after > 0)
        complain("Vuelva a intentarlo en %u s", reply->retry_after);
    if (reply->status >= 500 && *reply->request_id)
        complain("Qué pasó: journalctl TEMPOFTP_REQUEST_ID=%s", reply->request_id);
    else if (reply->status >= 500) /* it could not even start */
        complain("Qué pasó: journalctl -u tempoftp -n 20");
    return code;
}

ExitCode service_ask(const Args *args, Client *client, const char *method, const char *path, const char *body, Reply *ret) {
    ExitCode code = service_call(client, method, path, body, ret);
    if (code != EXIT_OK)
        return code;
    if (args->json && ret->body.size > 0) {
        fwrite(ret->body.data, 1, ret->body.size, stdout);
        fputc('\n', stdout);
    }
    return service_judge(ret);
}

char *request_path(const char *id, const char *rest, ExitCode *ret_code) {
    if (!id_is_valid(id)) {
        complain("ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'");
        *ret_code = EXIT_USAGE;
        return NULL;
    }
    char *path = client_path(id, rest);
    if (!path) {
        complain("Sin memoria");
        *ret_code = EXIT_LOCAL;
    }
    return path;
}

char *body_text(json_t *owned) {
    char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

    if (!text)
        complain("Los argumentos no son texto UTF-8");
    json_decref(owned);
    return text;
}

char *query_path(const char *path, const char *query, const Args *args, const QueryOption *options, size_t n) {
    _cleanup_buffer_ Buffer b = {};
    char separator = query[0] ? '&' : '?';

    buffer_puts(&b, path);
    buffer_puts(&b, query);
    for (size_t i = 0; i < n; i++) {
        const char *value = args->value[options[i].option];
        if (!value)
            continue;
        buffer_printf(&b, "%c%s=", separator, options[i].parameter);
        client_escape(value, &b);
        separator = '&';
    }
    char *text = buffer_take(&b);
    if (!text)
        complain("Sin memoria");
    return text;
}
