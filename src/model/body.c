/* A JSON object with fields of given types out of bytes, or every fault of its form, with types named as Pydantic does.
 * What the fields are for is not known here. */
#include "model/body.h"

#include "basic/strings.h"
#include "model/texts.h"

#include <errno.h>

void body_refuse_field(Refusal *refusal, const char *field, const char *type, const char *message) {
    refusal->status = 422;
    if (refusal->n_errors < FIELD_ERRORS_MAX)
        refusal->errors[refusal->n_errors++] = (FieldError) { .field = field, .message = message, .type = type };
}

static int load_error(const json_error_t *error, Refusal *refusal) {
    static const struct {
        enum json_error_code code;
        const char *message;
    } messages[] = {
        { json_error_duplicate_key, "JSON inválido: clave repetida" },
        { json_error_invalid_utf8, "JSON inválido: no es UTF-8" },
        { json_error_null_character, "JSON inválido: carácter NUL en un texto" },
        { json_error_numeric_overflow, "JSON inválido: número fuera de rango" },
    };
    const char *message = "JSON inválido";

    if (json_error_code(error) == json_error_out_of_memory)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS(messages); i++)
        if (json_error_code(error) == messages[i].code)
            message = messages[i].message;
    body_refuse_field(refusal, NULL, "json_invalid", message);
    return -EBADMSG;
}

int body_load(const char *body, size_t size, const Field *fields, size_t n, json_t **ret, Refusal *refusal) {
    json_error_t error;

    *refusal = (Refusal) { 0 };
    if (size == 0 || size > REQUEST_BODY_MAX) {
        body_refuse_field(refusal, NULL, size == 0 ? "missing" : "json_invalid",
                     size == 0 ? "Falta el cuerpo" : "Cuerpo demasiado grande");
        return -EBADMSG;
    }
    json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return load_error(&error, refusal);
    if (!json_is_object(root))
        body_refuse_field(refusal, NULL, "model_attributes_type", TEXT_NO_OBJECT);

    for (size_t i = 0; json_is_object(root) && i < n; i++) {
        const json_t *value = json_object_get(root, fields[i].name);
        if (!value && fields[i].required)
            body_refuse_field(refusal, fields[i].name, "missing", TEXT_FIELD_MISSING);
        else if (value && fields[i].type == TEXT && !json_is_string(value))
            body_refuse_field(refusal, fields[i].name, "string_type", "Se espera un texto");
        else if (value && fields[i].type == INTEGER && !json_is_integer(value))
            body_refuse_field(refusal, fields[i].name, "int_type", "Se espera un número entero");
        else if (value && fields[i].type == BOOLEAN && !json_is_boolean(value))
            body_refuse_field(refusal, fields[i].name, "bool_type", "Se espera true o false");
    }
    if (refusal->n_errors > 0) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = root;
    return 0;
}
