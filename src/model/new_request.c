/* JSON bodies in, a checked request or a refusal out: POST /tmpftp and the bodies of its actions.
 *
 * First the form (422, every wrong field named, types as Pydantic calls them, since clients of the original read those),
 * then the rules (400, the first one broken). Whether the id is taken or the space suffices is not known here. */
#include "basic/strings.h"
#include "model/body.h"
#include "model/texts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#define DAYS_DEFAULT 10

/* ---- POST /tmpftp: the rules ---- */

void new_request_done(NewRequest *n) {
    free(n->ruta);
    n->ruta = NULL;
}

/* Length in bytes of the first max_points characters, at most max_bytes, never half a character. text is UTF-8. */
static size_t cut_length(const char *text, size_t max_points, size_t max_bytes) {
    size_t length = 0, size = strlen(text);
    uint32_t point;

    for (size_t i = 0; i < max_points && length < size; i++) {
        int n = utf8_decode(text + length, size - length, &point);
        if (n < 0 || length + (size_t) n > max_bytes)
            break;
        length += (size_t) n;
    }
    return length;
}

static int refuse(Refusal *refusal, const char *given_id, const char *message) {
    refusal->status = 400;
    refusal->message = message;
    memcpy(refusal->id, given_id, cut_length(given_id, ID_MAX, sizeof(refusal->id) - 1));
    memcpy(refusal->cut_id, given_id, cut_length(given_id, ID_MAX, sizeof(refusal->cut_id) - 1));
    return -EBADMSG;
}

/* `ruta` and, when its host is allowed, a copy of it. */
static int take_ruta(const char *text, const RequestRules *rules, const char *id, char **ret, Refusal *refusal) {
    _cleanup_ruta_ Ruta ruta = { 0 };
    const char *wrong;

    int r = ruta_parse(text, &ruta, &wrong);
    if (r == -EINVAL)
        return refuse(refusal, id, wrong);
    if (r < 0)
        return r;
    if (!origin_is_allowed(rules->origins, ruta.host)) {
        snprintf(refusal->text, sizeof(refusal->text), "Origen no permitido: %s", ruta.host);
        return refuse(refusal, id, refusal->text);
    }
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

int new_request_parse(const char *body, size_t size, const RequestRules *rules, NewRequest *ret, Refusal *ret_refusal) {
    static const Field fields[] = {
        { "usuario", TEXT, true },      { "id", TEXT, true },     { "ruta", TEXT, true },
        { "vigencia", INTEGER, false }, { "grupo", TEXT, false },
    };
    _cleanup_(json_drop) json_t *root = NULL;

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const char *id = json_string_value(json_object_get(root, "id"));
    const char *email = json_string_value(json_object_get(root, "usuario"));
    const char *group = json_string_value(json_object_get(root, "grupo"));
    const json_t *days = json_object_get(root, "vigencia");
    json_int_t vigencia = days ? json_integer_value(days) : DAYS_DEFAULT;

    if (!id_is_valid(id))
        return refuse(ret_refusal, id, TEXT_BAD_ID);
    if (!email_is_valid(email))
        return refuse(ret_refusal, id, TEXT_BAD_EMAIL);
    if (!days && vigencia > rules->vigencia_max)
        vigencia = rules->vigencia_max; /* who asked for no number of days can't have asked for too many */
    if (vigencia < 1 || vigencia > rules->vigencia_max) {
        snprintf(ret_refusal->text, sizeof(ret_refusal->text), "Vigencia inválida: de 1 a %d días", rules->vigencia_max);
        return refuse(ret_refusal, id, ret_refusal->text);
    }
    if (group && !group_is_valid(group))
        return refuse(ret_refusal, id, TEXT_BAD_GROUP);

    NewRequest n = { .vigencia = (int) vigencia };
    r = take_ruta(json_string_value(json_object_get(root, "ruta")), rules, id, &n.ruta, ret_refusal);
    if (r < 0)
        return r;
    strcpy(n.id, id);
    strcpy(n.email, email);
    strcpy(n.group, group ? group : "");
    email_normalize(n.email);
    *ret = n;
    return 0;
}

/* ---- the actions' bodies ---- */

int block_body_parse(const char *body, size_t size, char **ret_reason, Refusal *ret_refusal) {
    static const Field fields[] = { { "razon", TEXT, false }, { "descargas", INTEGER, false } };
    _cleanup_(json_drop) json_t *root = NULL;

    if (size == 0) { /* every key is optional, so no body says the same as {} */
        *ret_reason = NULL;
        return 0;
    }
    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const char *reason = json_string_value(json_object_get(root, "razon"));
    if (is_blank(reason)) {
        *ret_reason = NULL;
        return 0;
    }
    if (cut_length(reason, REASON_MAX, SIZE_MAX) < strlen(reason)) {
        body_refuse_field(ret_refusal, "razon", "string_too_long", "Se esperan como máximo 200 caracteres");
        return -EBADMSG;
    }
    char *copy = strdup(reason);
    if (!copy)
        return -ENOMEM;
    *ret_reason = copy;
    return 0;
}

int drop_body_parse(const char *body, size_t size, uint64_t *ret_bytes, Refusal *ret_refusal) {
    static const Field fields[] = { { "bytes", INTEGER, false } };
    _cleanup_(json_drop) json_t *root = NULL;

    *ret_bytes = DROP_BYTES_DEFAULT;
    if (size == 0)
        return 0;
    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const json_t *given = json_object_get(root, "bytes");
    json_int_t bytes = json_integer_value(given);
    if (given && (bytes < 1 || (uint64_t) bytes > DROP_BYTES_MAX)) {
        body_refuse_field(ret_refusal, "bytes", bytes < 1 ? "greater_than_equal" : "less_than_equal",
                     bytes < 1 ? "Se espera un número mayor o igual a 1" : "Se espera un número menor o igual a 1000000000000000");
        return -EBADMSG;
    }
    if (given)
        *ret_bytes = (uint64_t) bytes;
    return 0;
}

int extend_body_parse(const char *body, size_t size, int *ret_days, Refusal *ret_refusal) {
    static const Field fields[] = { { "dias", INTEGER, true } };
    _cleanup_(json_drop) json_t *root = NULL;

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    json_int_t days = json_integer_value(json_object_get(root, "dias"));
    if (days < 1 || days > DAYS_MAX) {
        body_refuse_field(ret_refusal, "dias", days < 1 ? "greater_than_equal" : "less_than_equal",
                     days < 1 ? "Se espera un número mayor o igual a 1" : "Se espera un número menor o igual a 36500");
        return -EBADMSG;
    }
    *ret_days = (int) days;
    return 0;
}
