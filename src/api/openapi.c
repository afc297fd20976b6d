/* Writes /openapi.json. What follows from a route's row (who may, how often, which errors) is derived here; the rest is route_doc.h's. It knows no route by
 * name. */
#include "api/openapi.h"

#include "api/openapi_parts.h"
#include "basic/strings.h"

#include <ctype.h>
#include <stdio.h>

#define TITLE "tempoftp"
#define ABOUT                                                                                                                                          \
    "Entrega de datos por FTP durante unos días.\n\n"                                                                                                  \
    "Los cuerpos son JSON en UTF-8; las horas, RFC 3339 en UTC, en segundos. Las claves desconocidas se ignoran y las repetidas se rechazan. Cada "    \
    "respuesta lleva `X-Request-ID`: el de la llamada, si era válido, o uno nuevo.\n\n"                                                                \
    "Todo error es `{\"detail\": …}`. Un método que la ruta no tiene se responde 405, con `Allow`; `OPTIONS` dice los que tiene, y `HEAD` vale donde vale `GET`.\n\n" \
    "Se inicia sesión con `POST /auth/login`; su token acompaña a las demás llamadas en `Authorization: Bearer`."

static void write_parameters(JsonWriter *w, const DocField *fields, const char *where) {
    for (const DocField *f = fields; f && f->name; f++) {
        json_object_open(w, NULL);
        json_string(w, "name", f->name);
        json_string(w, "in", where);
        json_string(w, "description", f->help);
        json_bool(w, "required", !f->optional);
        json_object_open(w, "schema");
        openapi_type(w, f);
        json_object_close(w);
        if (f->example)
            json_string(w, "example", f->example);
        json_object_close(w);
    }
}

static void write_body(JsonWriter *w, const Operation *o) {
    if (!o->doc->body)
        return;
    json_object_open(w, "requestBody");
    json_bool(w, "required", o->route->flags & ROUTE_BODY);
    json_object_open(w, "content");
    json_object_open(w, "application/json");
    openapi_schema_reference(w, "schema", o->doc->body);
    json_object_open(w, "examples");
    for (const DocExample *e = o->doc->examples; e && e->name; e++)
        if (e->send) {
            json_object_open(w, e->name);
            json_string(w, "summary", e->summary);
            json_raw(w, "value", e->send);
            json_object_close(w);
        }
    json_object_close(w);
    json_object_close(w);
    json_object_close(w);
    json_object_close(w);
}

/* A token is needed, is not, or may be shown. */
static void write_security(JsonWriter *w, const Operation *o) {
    json_array_open(w, "security");
    if (!o->may->anyone) {
        if (o->may->opens && o->settings->auth == AUTH_OFF)
            json_raw(w, NULL, "{}");
        json_raw(w, NULL, JSON({"sesion": []}));
    }
    json_array_close(w);
}

static const char *who_may(const Operation *o) {
    if (o->may->anyone)
        return "cualquiera.";
    if (o->may->opens && o->settings->auth == AUTH_OFF)
        return "cualquiera, porque este servicio tiene `TEMPOFTP_AUTH=off`.";
    if (o->may->user && o->may->operator)
        return "usuarios, en lo suyo, y operadores.";
    return o->may->user ? "quien muestre un token." : "operadores.";
}

static void format_limit(const RateLimit *limit, char *ret, size_t size) {
    static const struct {
        uint64_t window_ms;
        const char *name;
    } units[] = { { 1000, "segundo" }, { 60000, "minuto" }, { 3600000, "hora" }, { 86400000, "día" } };
    const char *unit = "";

    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (units[i].window_ms == limit->window_ms)
            unit = units[i].name;
    snprintf(ret, size, "%u por %s", limit->calls, unit);
}

static void write_operation_help(JsonWriter *w, const Operation *o) {
    const RateLimit *limit = route_limit(o->route->limit, o->settings);
    char text[1024], times[64] = "";

    if (limit)
        format_limit(limit, times, sizeof(times));
    snprintf(text, sizeof(text), "%s%sQuién: %s%s%s%s", o->doc->help ? o->doc->help : "", o->doc->help ? "\n\n" : "", who_may(o),
             limit ? " Límite: " : "", times, limit ? " para cada usuario o dirección." : "");
    json_string(w, "description", text);
}

static void write_operation(JsonWriter *w, const Operation *o) {
    char method[16];
    size_t n = 0;

    for (; o->route->method[n] && n + 1 < sizeof(method); n++)
        method[n] = (char) tolower((unsigned char) o->route->method[n]);
    method[n] = '\0';
    json_object_open(w, method);
    json_array_open(w, "tags");
    json_string(w, NULL, o->tag);
    json_array_close(w);
    json_string(w, "operationId", o->doc->id);
    json_string(w, "summary", o->doc->summary);
    write_operation_help(w, o);
    write_security(w, o);
    json_array_open(w, "parameters");
    write_parameters(w, o->doc->path, "path");
    write_parameters(w, o->doc->query, "query");
    write_parameters(w, o->doc->headers, "header");
    json_array_close(w);
    write_body(w, o);
    openapi_answers(w, o);
    json_object_close(w);
}

static bool is_first_of_path(const Route *routes, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (streq(routes[j].path, routes[i].path))
            return false;
    return true;
}

/* One item for each path, with all its methods. A route that nobody wrote about is left out; test-openapi.c finds it. */
static void write_paths(JsonWriter *w, const Route *routes, size_t n, const Settings *settings) {
    json_object_open(w, "paths");
    for (size_t i = 0; i < n; i++) {
        bool open = false;
        if (!is_first_of_path(routes, i))
            continue;
        for (size_t j = i; j < n; j++) {
            Operation o = { .route = &routes[j], .settings = settings, .may = gate_may(routes[j].rule) };
            char path[PATH_TEXT_MAX];

            if (!streq(routes[j].path, routes[i].path) || !(o.doc = route_doc(o.route, &o.tag)))
                continue;
            if (!open) {
                openapi_path(&o, false, path);
                json_object_open(w, path);
                open = true;
            }
            write_operation(w, &o);
        }
        if (open)
            json_object_close(w);
    }
    json_object_close(w);
}

static void write_tags(JsonWriter *w) {
    json_array_open(w, "tags");
    for (const DocGroup *const *group = route_docs; *group; group++) {
        json_object_open(w, NULL);
        json_string(w, "name", (*group)->tag);
        json_string(w, "description", (*group)->help);
        json_object_close(w);
    }
    json_array_close(w);
}

void openapi_write(Buffer *out, const Route *routes, size_t n, const Settings *settings) {
    JsonWriter w = JSON_WRITER(out);

    json_object_open(&w, NULL);
    json_string(&w, "openapi", "3.1.0");
    json_object_open(&w, "info");
    json_string(&w, "title", TITLE);
    json_string(&w, "version", TEMPOFTP_VERSION);
    json_string(&w, "description", ABOUT);
    json_raw(&w, "license", JSON({"name": "MIT", "identifier": "MIT"}));
    json_object_close(&w);
    json_raw(&w, "servers", JSON([{"url": "."}]));
    write_tags(&w);
    write_paths(&w, routes, n, settings);
    json_object_open(&w, "components");
    json_raw(&w, "securitySchemes", JSON({"sesion": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "El token de `POST /auth/login`."}}));
    json_raw(&w, "headers", JSON({"X-Request-ID": {"description": "Identifica la llamada, también en el diario del servicio.", "schema": {"type": "string"}}}));
    openapi_standing_answers(&w);
    openapi_schemas(&w);
    json_object_close(&w);
    json_object_close(&w);
}
