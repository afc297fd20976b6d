/* What the files that write /openapi.json share. */
#pragma once

#include "api/route_doc.h"
#include "basic/json_writer.h"

#define PATH_TEXT_MAX 256

typedef struct Operation {
    const Route *route;
    const RouteDoc *doc;
    const char *tag;
    const Settings *settings;
    const GateMay *may;
} Operation;

/* openapi_schema.c */
void openapi_reference(JsonWriter *w, const char *kind, const char *name); /* "$ref" into components */
void openapi_schema_reference(JsonWriter *w, const char *key, const DocSchema *schema);
void openapi_type(JsonWriter *w, const DocField *f); /* the keys of a field's schema, without those that describe it */
void openapi_schemas(JsonWriter *w);                 /* components/schemas: all that any row names */

/* openapi_answers.c */
void openapi_answers(JsonWriter *w, const Operation *o); /* an operation's responses */
void openapi_standing_answers(JsonWriter *w);            /* components/responses: errors that look the same everywhere */
/* "/tmpftp/{id}", or with the parameters' examples: "/tmpftp/modis-2026-07". */
void openapi_path(const Operation *o, bool examples, char ret[static PATH_TEXT_MAX]);
