/* JSON Schema of bodies and parameters, for /openapi.json. */
#include "api/openapi_parts.h"
#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>

#define SCHEMAS_MAX 128

static void write_words(JsonWriter *w, const char *key, const char *words) {
    char word[64];

    json_array_open(w, key);
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, "|");
        snprintf(word, sizeof(word), "%.*s", (int) n, at);
        json_string(w, NULL, word);
        at += n + (at[n] == '|');
    }
    json_array_close(w);
}

void openapi_reference(JsonWriter *w, const char *kind, const char *name) {
    char text[128];

    snprintf(text, sizeof(text), "#/components/%s/%s", kind, name);
    json_string(w, "$ref", text);
}

void openapi_schema_reference(JsonWriter *w, const char *key, const DocSchema *schema) {
    json_object_open(w, key);
    openapi_reference(w, "schemas", schema->name);
    json_object_close(w);
}

static void write_list_items(JsonWriter *w, const DocField *f) {
    if (f->schema)
        openapi_schema_reference(w, "items", f->schema);
    else
        json_raw(w, "items", JSON({"type": "string"}));
}

/* The keys of a field's schema, without those that describe it. */
void openapi_type(JsonWriter *w, const DocField *f) {
    static const char *const types[DOC_TYPE_MAX] = {
        [DOC_TEXT] = "string", [DOC_TEXTS] = "array",  [DOC_INTEGER] = "integer", [DOC_NUMBER] = "number",
        [DOC_BOOLEAN] = "boolean", [DOC_TIME] = "string", [DOC_LIST] = "array",
    };

    if (f->type == DOC_OBJECT) {
        if (!f->nullable) {
            openapi_reference(w, "schemas", f->schema->name);
            return;
        }
        json_array_open(w, "oneOf");
        openapi_schema_reference(w, NULL, f->schema);
        json_raw(w, NULL, JSON({"type": "null"}));
        json_array_close(w);
        return;
    }
    if (f->nullable) {
        json_array_open(w, "type");
        json_string(w, NULL, types[f->type]);
        json_string(w, NULL, "null");
        json_array_close(w);
    } else
        json_string(w, "type", types[f->type]);
    if (f->type == DOC_TIME)
        json_string(w, "format", "date-time");
    if (f->type == DOC_LIST || f->type == DOC_TEXTS)
        write_list_items(w, f);
    if (f->one_of)
        write_words(w, "enum", f->one_of);
    if (f->min != 0 || f->max != 0) {
        json_integer(w, "minimum", f->min);
        json_integer(w, "maximum", f->max);
    }
    if (f->fallback && f->type == DOC_INTEGER)
        json_raw(w, "default", f->fallback);
}

static void write_schema(JsonWriter *w, const DocSchema *schema) {
    json_object_open(w, schema->name);
    json_string(w, "type", "object");
    json_string(w, "description", schema->help);
    json_array_open(w, "required");
    for (const DocField *f = schema->fields; f->name; f++)
        if (!f->optional)
            json_string(w, NULL, f->name);
    json_array_close(w);
    json_object_open(w, "properties");
    for (const DocField *f = schema->fields; f->name; f++) {
        json_object_open(w, f->name);
        json_string(w, "description", f->help);
        openapi_type(w, f);
        json_object_close(w);
    }
    json_object_close(w);
    json_object_close(w);
}

typedef struct Schemas {
    const DocSchema *all[SCHEMAS_MAX];
    size_t n;
    bool full;
} Schemas;

static void collect(Schemas *s, const DocSchema *schema) {
    if (!schema)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i] == schema)
            return;
    if (s->n == SCHEMAS_MAX) {
        s->full = true;
        return;
    }
    s->all[s->n++] = schema;
    for (const DocField *f = schema->fields; f->name; f++)
        collect(s, f->schema);
}

void openapi_schemas(JsonWriter *w) {
    Schemas s = { .all = { &doc_error, &doc_malformed }, .n = 2 };

    collect(&s, doc_malformed.fields[0].schema);
    for (const DocGroup *const *group = route_docs; *group; group++)
        for (const RouteDoc *doc = (*group)->docs; doc->handler; doc++) {
            collect(&s, doc->body);
            for (const DocAnswer *a = doc->answers; a->status; a++)
                collect(&s, a->body);
        }
    json_object_open(w, "schemas");
    for (size_t i = 0; i < s.n; i++)
        write_schema(w, s.all[i]);
    json_object_close(w);
    if (s.full && !w->out->error)
        w->out->error = -E2BIG;
}
