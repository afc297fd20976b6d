/* The form of a JSON body, before anybody asks what it means. Private to model/. CONTRACT "General": 422. */
#pragma once

#include "model/request.h"

#include <jansson.h>

typedef enum FieldType { TEXT, INTEGER, BOOLEAN } FieldType;

typedef struct Field {
    const char *name;
    FieldType type;
    bool required;
} Field;

/* A JSON object whose fields have the right types; *ret is the caller's to drop. -EBADMSG: *refusal says every wrong field; -ENOMEM. */
int body_load(const char *body, size_t size, const Field *fields, size_t n, json_t **ret, Refusal *refusal) _must_use_;
/* One more wrong field. */
void body_refuse_field(Refusal *refusal, const char *field, const char *type, const char *message);

static inline void json_drop(json_t **root) {
    json_decref(*root);
}
