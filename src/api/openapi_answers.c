/* What each call can answer, for /openapi.json: the statuses that are written down and those that follow from the route's row, with their examples. Examples
 * carry their call in `x-llamada` (and what was sent, where it is no good body, in `x-cuerpo`), so that whoever plays them needs nothing but the file. */
#include "api/openapi_parts.h"
#include "api/reply.h"
#include "basic/strings.h"
#include "model/texts.h"

#include <stdio.h>

static const struct {
    unsigned bit;
    const char *name, *type, *help;
} headers[] = {
    { DOC_LOCATION, "Location", "string", "Dónde preguntar por ella." },
    { DOC_RETRY_AFTER, "Retry-After", "integer", "Segundos tras los que conviene volver." },
    { DOC_ETAG, "ETag", "string", "De esta versión." },
    { DOC_WWW_AUTHENTICATE, "WWW-Authenticate", "string", "Siempre `Bearer`." },
};

static void write_headers(JsonWriter *w, unsigned wanted) {
    json_object_open(w, "headers");
    json_raw(w, "X-Request-ID", JSON({"$ref": "#/components/headers/X-Request-ID"}));
    for (size_t i = 0; i < ELEMENTS(headers); i++)
        if (wanted & headers[i].bit) {
            json_object_open(w, headers[i].name);
            json_string(w, "description", headers[i].help);
            json_object_open(w, "schema");
            json_string(w, "type", headers[i].type);
            json_object_close(w);
            json_object_close(w);
        }
    json_object_close(w);
}

/* The errors that follow from a route's row; their texts are reply.c's. */
static const struct {
    int status;
    const char *name, *help;
    unsigned headers;
} errors[] = {
    { 401, "SinCredenciales", "Falta el token, o no vale.", DOC_WWW_AUTHENTICATE },
    { 403, "NoAutorizado", "El token vale, pero no para esto.", 0 },
    { 413, "CuerpoGrande", "El cuerpo pasa de 16 KiB.", 0 },
    { 415, "NoEsJSON", "El cuerpo no dice ser `application/json`.", 0 },
    { 422, "Malformado", "El JSON o los parámetros no tienen la forma debida.", 0 },
    { 429, "Demasiadas", "Demasiadas llamadas; `Retry-After` dice cuándo se podrá, al segundo.", DOC_RETRY_AFTER },
    { 500, "ErrorInterno", "Algo falló en el servicio; el diario lo cuenta junto al `X-Request-ID`.", 0 },
    { 503, "NoDisponible", "Ahora no se puede; más tarde sí.", DOC_RETRY_AFTER },
};

static bool has_body(const Operation *o) {
    return o->route->flags & (ROUTE_BODY | ROUTE_OPTIONAL_BODY);
}

/* Can the route answer with this error because of its row? */
static bool is_implied(const Operation *o, int status) {
    switch (status) {
    case 401:
        return !o->may->anyone;
    case 403:
        return !o->may->anyone && !o->may->user;
    case 415:
        return has_body(o);
    case 422:
        return o->doc->body || o->doc->query;
    case 429:
        return route_limit(o->route->limit, o->settings);
    default: /* of any call: too large a body where none belongs, too */
        return status == 413 || status >= 500;
    }
}

static void write_example_value(JsonWriter *w, const DocExample *e) {
    if (e->answer) {
        json_raw(w, "value", e->answer);
        return;
    }
    json_object_open(w, "value");
    if (e->refused) {
        json_object_open(w, "detail");
        json_string(w, "id", DOC_ID);
        json_string(w, "status", "error");
        json_string(w, "mensaje", e->refused);
        json_object_close(w);
    } else if (e->query) {
        json_array_open(w, "detail");
        json_object_open(w, NULL);
        json_array_open(w, "loc");
        json_string(w, NULL, "query");
        json_string(w, NULL, e->query);
        json_array_close(w);
        json_string(w, "msg", e->detail);
        json_string(w, "type", e->kind);
        json_object_close(w);
        json_array_close(w);
    } else
        json_string(w, "detail", e->detail ? e->detail : reply_standing_text(e->status));
    json_object_close(w);
}

/* "/tmpftp/{id}", or with the parameters' examples: "/tmpftp/modis-2026-07". */
void openapi_path(const Operation *o, bool examples, char ret[static PATH_TEXT_MAX]) {
    const DocField *parameter = o->doc->path;
    size_t n = 0;

    for (const char *p = o->route->path; *p && n < PATH_TEXT_MAX; p++)
        if (*p == '{' && parameter && parameter->name) {
            n += (size_t) snprintf(ret + n, PATH_TEXT_MAX - n, examples ? "%s" : "{%s}", examples ? parameter->example : parameter->name);
            parameter++;
            p++; /* the closing brace */
        } else
            ret[n++] = *p;
    ret[n < PATH_TEXT_MAX ? n : PATH_TEXT_MAX - 1] = '\0';
}

static void write_example(JsonWriter *w, const Operation *o, const DocExample *e) {
    char call[PATH_TEXT_MAX];

    openapi_path(o, true, call);
    json_object_open(w, e->name);
    json_string(w, "summary", e->summary);
    write_example_value(w, e);
    json_string(w, "x-llamada", e->call ? e->call : call);
    json_object_close(w);
}

static bool needs_something(const DocSchema *body) {
    for (const DocField *f = body->fields; f->name; f++)
        if (!f->optional)
            return true;
    return false;
}

/* What a body that lacks everything, or is no object, is told. What was sent is no example of a body, so it stands beside the answer. */
static void write_malformed(JsonWriter *w, const Operation *o) {
    bool any = needs_something(o->doc->body);
    char call[PATH_TEXT_MAX];

    openapi_path(o, true, call);
    json_object_open(w, "malformado");
    json_string(w, "summary", "Falta lo necesario");
    json_object_open(w, "value");
    json_array_open(w, "detail");
    for (const DocField *f = o->doc->body->fields; f->name; f++) {
        if (f->optional)
            continue;
        json_object_open(w, NULL);
        json_array_open(w, "loc");
        json_string(w, NULL, "body");
        json_string(w, NULL, f->name);
        json_array_close(w);
        json_string(w, "msg", TEXT_FIELD_MISSING);
        json_string(w, "type", "missing");
        json_object_close(w);
    }
    if (!any)
        json_raw(w, NULL, "{\"loc\": [\"body\"], \"msg\": \"" TEXT_NO_OBJECT "\", \"type\": \"model_attributes_type\"}");
    json_array_close(w);
    json_object_close(w);
    json_string(w, "x-llamada", call);
    json_raw(w, "x-cuerpo", any ? "{}" : "[]");
    json_object_close(w);
}

static void write_answer_examples(JsonWriter *w, const Operation *o, int status, bool implied) {
    static const DocExample standing = { .name = "general", .summary = "Como en las demás llamadas" };
    DocExample e = standing;

    json_object_open(w, "examples");
    for (const DocExample *at = o->doc->examples; at && at->name; at++)
        if (at->status == status)
            write_example(w, o, at);
    if (status == 422 && o->doc->body)
        write_malformed(w, o);
    else if (implied && status != 422) {
        e.status = status;
        json_object_open(w, e.name);
        json_string(w, "summary", e.summary);
        write_example_value(w, &e);
        json_object_close(w);
    }
    json_object_close(w);
}

static bool is_json(const DocAnswer *a) {
    return !a->media || streq(a->media, "application/json");
}

static const DocSchema *body_of(const DocAnswer *a) {
    return a->body ? a->body : a->status >= 400 ? &doc_error : NULL;
}

/* The schema of a status: its one body, or any of several. */
static void write_answer_schema(JsonWriter *w, const DocAnswer *first) {
    unsigned n = 0;

    for (const DocAnswer *a = first; a->status; a++)
        n += a->status == first->status && is_json(a);
    if (n == 1 && body_of(first)) {
        openapi_schema_reference(w, "schema", body_of(first));
        return;
    }
    json_object_open(w, "schema");
    if (n > 1) {
        json_array_open(w, "oneOf");
        for (const DocAnswer *a = first; a->status; a++)
            if (a->status == first->status && is_json(a))
                openapi_schema_reference(w, NULL, body_of(a));
        json_array_close(w);
    } else
        json_string(w, "type", "object");
    json_object_close(w);
}

static void write_content(JsonWriter *w, const Operation *o, const DocAnswer *first, bool implied) {
    bool json = false;

    json_object_open(w, "content");
    for (const DocAnswer *a = first; a->status; a++) {
        if (a->status != first->status || (is_json(a) && json))
            continue;
        json_object_open(w, a->media ? a->media : "application/json");
        if (is_json(a)) {
            json = true;
            write_answer_schema(w, a);
            write_answer_examples(w, o, a->status, implied);
        } else
            json_raw(w, "schema", JSON({"type": "string"}));
        json_object_close(w);
    }
    json_object_close(w);
}

/* "Está lista. Terminó sin acceso, o se cerró." */
static void write_answer_help(JsonWriter *w, const DocAnswer *first) {
    char text[512] = "";
    size_t n = 0;

    for (const DocAnswer *a = first; a->status && n < sizeof(text); a++)
        if (a->status == first->status)
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "", a->help);
    json_string(w, "description", text);
}

static void write_answer(JsonWriter *w, const Operation *o, const DocAnswer *first, bool implied) {
    char key[8];

    snprintf(key, sizeof(key), "%d", first->status);
    json_object_open(w, key);
    write_answer_help(w, first);
    write_headers(w, first->headers | (first->status == 429 || first->status == 503 ? DOC_RETRY_AFTER : 0));
    if (first->status != 204 && first->status != 304)
        write_content(w, o, first, implied);
    json_object_close(w);
}

static const DocAnswer *first_answer(const RouteDoc *doc, int status) {
    for (const DocAnswer *a = doc->answers; a->status; a++)
        if (a->status == status)
            return a;
    return NULL;
}

/* Those that are written down, then those that follow from the row alone. */
void openapi_answers(JsonWriter *w, const Operation *o) {
    char key[8];

    json_object_open(w, "responses");
    for (const DocAnswer *a = o->doc->answers; a->status; a++)
        if (first_answer(o->doc, a->status) == a)
            write_answer(w, o, a, body_of(a) == &doc_error && is_implied(o, a->status));
    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        if (!is_implied(o, errors[i].status) || first_answer(o->doc, errors[i].status))
            continue;
        if (errors[i].status == 422) { /* its example is the route's own */
            const DocAnswer malformed[] = { { 422, errors[i].help, &doc_malformed, NULL, 0 }, { .status = 0 } };
            write_answer(w, o, malformed, true);
            continue;
        }
        snprintf(key, sizeof(key), "%d", errors[i].status);
        json_object_open(w, key);
        openapi_reference(w, "responses", errors[i].name);
        json_object_close(w);
    }
    json_raw(w, "default", JSON({"$ref": "#/components/responses/OtroError"}));
    json_object_close(w);
}

/* Those that have nothing to do with a route. */
static void write_other_errors(JsonWriter *w) {
    static const DocExample others[] = {
        { .name = "incorrecta", .summary = "No es HTTP", .status = 400 },
        { .name = "no_hay", .summary = "No hay tal ruta", .status = 404 },
        { .name = "otro_metodo", .summary = "La ruta no tiene ese método; con `Allow`", .status = 405 },
        { .name = "lenta", .summary = "No llegó entera a tiempo", .status = 408 },
        { .name = "url_larga", .summary = "URL de más de 8 KiB", .status = 414 },
        { .name = "cabeceras_largas", .summary = "Demasiadas cabeceras, o demasiado largas", .status = 431 },
    };

    json_object_open(w, "OtroError");
    json_string(w, "description", "Un error de la petición HTTP, no de la llamada.");
    write_headers(w, 0);
    json_object_open(w, "content");
    json_object_open(w, "application/json");
    openapi_schema_reference(w, "schema", &doc_error);
    json_object_open(w, "examples");
    for (size_t i = 0; i < ELEMENTS(others); i++) {
        json_object_open(w, others[i].name);
        json_string(w, "summary", others[i].summary);
        write_example_value(w, &others[i]);
        json_integer(w, "x-estado", others[i].status);
        json_object_close(w);
    }
    json_object_close(w);
    json_object_close(w);
    json_object_close(w);
    json_object_close(w);
}

void openapi_standing_answers(JsonWriter *w) {
    json_object_open(w, "responses");
    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        const DocExample e = { .name = "general", .status = errors[i].status };
        if (e.status == 422)
            continue;
        json_object_open(w, errors[i].name);
        json_string(w, "description", errors[i].help);
        write_headers(w, errors[i].headers);
        json_object_open(w, "content");
        json_object_open(w, "application/json");
        openapi_schema_reference(w, "schema", &doc_error);
        json_object_open(w, "examples");
        json_object_open(w, e.name);
        write_example_value(w, &e);
        json_object_close(w);
        json_object_close(w);
        json_object_close(w);
        json_object_close(w);
        json_object_close(w);
    }
    write_other_errors(w);
    json_object_close(w);
}
