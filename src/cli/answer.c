/* A request's description, from JSON to lines that a person reads.
 *
 * Knows the keys of CONTRACT "Requests"; asks nothing of the service itself. The password goes to stdout and nowhere else. */
#include "cli/answer.h"

#include "basic/strings.h"
#include "cli/password_of.h"
#include "cli/progress_bar.h"
#include "cli/service.h"
#include "cli/text.h"

#include <inttypes.h>

#define TEXT_COLUMNS 100 /* of the progress line in a description */

static uint64_t number(const json_t *object, const char *key) {
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t) value : 0;
}

bool answer_state(const json_t *answer, State *ret) {
    const char *name = json_text(answer, "status");
    if (!name)
        name = json_text(answer, "estado");
    return name && state_parse(name, ret) == 0;
}

bool answer_progress(const json_t *answer, Progress *ret) {
    const json_t *p = json_object_get(answer, "progreso"), *left;
    if (!p)
        p = answer;
    if (!json_is_integer(json_object_get(p, "total")) || !json_is_integer(json_object_get(p, "bytes")))
        return false;

    left = json_object_get(p, "segundos_restantes");
    *ret = (Progress) {
        .bytes = number(p, "bytes"),
        .total = number(p, "total"),
        .percent = (unsigned) json_number_value(json_object_get(p, "porcentaje")),
        .rate = number(p, "bytes_por_segundo"),
        .left = json_is_integer(left) ? number(p, "segundos_restantes") : UINT64_MAX,
    };
    return true;
}

static void line(const char *label, const char *value) {
    if (!value)
        return;
    text_label(stdout, label);
    text_print(stdout, value);
    fputc('\n', stdout);
}

static void print_state(const json_t *a) {
    const char *status = json_text(a, "status"), *message = json_text(a, "mensaje");

    text_label(stdout, "Estado");
    text_print(stdout, status);
    if (message) {
        fputs(" — ", stdout);
        text_print(stdout, message);
    }
    fputc('\n', stdout);
}

void answer_print_progress(const Progress *progress) {
    _cleanup_buffer_ Buffer bar = {};

    progress_bar_render("", NULL, progress, TEXT_COLUMNS, &bar);
    if (bar.data)
        text_print(stdout, bar.data + strspn(bar.data, " "));
}

static void print_progress(const json_t *a) {
    Progress progress;

    if (!json_object_get(a, "progreso") || !answer_progress(a, &progress))
        return;
    text_label(stdout, "Progreso");
    answer_print_progress(&progress);
    fputc('\n', stdout);
}

static void print_server(const json_t *a) {
    const json_t *ftp = json_object_get(a, "ftp");
    const char *tls = json_text(ftp, "tls"), *host = json_text(ftp, "host");
    static const struct {
        const char *name, *text;
    } modes[] = { { "off", "sin TLS" }, { "optional", "TLS si se pide" }, { "required", "sólo con TLS" } };

    if (!host)
        return;
    text_label(stdout, "Servidor");
    fputs(strchr(host, ':') ? "ftp://[" : "ftp://", stdout);
    text_print(stdout, host);
    printf("%s:%" PRIu64, strchr(host, ':') ? "]" : "", number(ftp, "port"));
    for (size_t i = 0; tls && i < ELEMENTS(modes); i++)
        if (streq(tls, modes[i].name))
            printf(" (%s)", modes[i].text);
    fputc('\n', stdout);
}

static void print_amounts(const json_t *a) {
    const json_t *downloads = json_object_get(a, "descargas");
    char bytes[TEXT_FIGURE_SIZE], last[TEXT_FIGURE_SIZE];

    if (json_is_integer(json_object_get(a, "bytes"))) {
        text_bytes(number(a, "bytes"), bytes);
        text_label(stdout, "Datos");
        printf("%" PRIu64 " %s, %s\n", number(a, "archivos"), number(a, "archivos") == 1 ? "archivo" : "archivos", bytes);
    }
    if (downloads) {
        text_bytes(number(downloads, "bytes"), bytes);
        text_time(json_text(downloads, "ultima_descarga"), last);
        text_label(stdout, "Descargas");
        if (number(downloads, "total_descargas") > 0)
            printf("%" PRIu64 " (%s), la última %s\n", number(downloads, "total_descargas"), bytes, last);
        else
            fputs("ninguna\n", stdout);
    }
}

static void print_drop(const json_t *a) {
    const json_t *drop = json_object_get(a, "buzon");
    char bytes[TEXT_FIGURE_SIZE], used[TEXT_FIGURE_SIZE] = "?";

    if (!drop)
        return;
    text_bytes(number(drop, "bytes"), bytes);
    if (json_is_integer(json_object_get(drop, "usados")))
        text_bytes(number(drop, "usados"), used);
    text_label(stdout, "Buzón");
    text_print(stdout, json_text(drop, "carpeta"));
    printf(": %s de %s\n", used, bytes);
}

static void print_credentials(const json_t *a, const char *password) {
    const char *token = json_text(a, "password"), *expires = json_text(a, "expira");
    char when[TEXT_FIGURE_SIZE];

    line("Cuenta FTP", json_text(a, "ftpuser"));
    if (password)
        line("Contraseña", password);
    else
        line("Contraseña", token ? token : NULL);
    if (!password && token)
        line("", "(cifrada: token Fernet)");
    if (expires) {
        text_time(expires, when);
        line("Expira", when);
    }
}

static void print_text(const char *id, const json_t *a, const char *password) {
    line("Solicitud", json_text(a, "id") ? json_text(a, "id") : id);
    line("Usuario", json_text(a, "email"));
    print_state(a);
    print_progress(a);
    print_server(a);
    print_credentials(a, password);
    print_amounts(a);
    print_drop(a);
}

/* The characters of a JSON string, without its quotes. */
static void put_json_string(const char *text) {
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char) *text < 0x20)
            printf("\\u%04x", (unsigned) *text);
        else
            putchar(*text);
    }
}

/* The service's own bytes; where the token stands, the password. A token is base64url: its text in the JSON is the token itself. */
static void print_json(const Reply *reply, const char *token, const char *password) {
    const char *body = reply->body.data, *end = body + reply->body.size;
    const char *at = token && password ? strstr(body, token) : NULL;

    if (at) {
        fwrite(body, 1, (size_t) (at - body), stdout);
        put_json_string(password);
        body = at + strlen(token);
    }
    fwrite(body, 1, (size_t) (end - body), stdout);
    fputc('\n', stdout);
}

void answer_print(const Args *args, const char *id, const Reply *reply) {
    const char *token = json_text(reply->json, "password");
    _cleanup_(wipe_freep) char *password = !is_blank(token) ? password_of_token(args, token) : NULL;

    if (args->json)
        print_json(reply, token, password);
    else
        print_text(id, reply->json, password);
}
