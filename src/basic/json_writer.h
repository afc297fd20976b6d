/* JSON text into a Buffer, in the order it is called, commas and escapes done right.
 * Made for answers on the hot path, where building a tree of values first would cost more than the query behind it.
 *
 * Source: RFC 8259. Strings must be UTF-8; invalid bytes become U+FFFD. Errors stick in the Buffer. */
#pragma once

#include "basic/buffer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct JsonWriter {
    Buffer *out;
    bool comma; /* the next value needs one before it */
} JsonWriter;

#define JSON_WRITER(buffer) ((JsonWriter) { .out = (buffer) })

/* `key` NULL inside arrays and at the top; else our own plain word, written as it is. */
void json_object_open(JsonWriter *w, const char *key);
void json_object_close(JsonWriter *w);
void json_array_open(JsonWriter *w, const char *key);
void json_array_close(JsonWriter *w);
void json_string(JsonWriter *w, const char *key, const char *value); /* value NULL → null */
void json_integer(JsonWriter *w, const char *key, int64_t value);
void json_fixed2(JsonWriter *w, const char *key, double value); /* two decimals */
void json_bool(JsonWriter *w, const char *key, bool value);
void json_null(JsonWriter *w, const char *key);
void json_raw(JsonWriter *w, const char *key, const char *json); /* JSON that is there already, written as it is */
void json_time(JsonWriter *w, const char *key, int64_t utc); /* RFC 3339, 0 → null */
