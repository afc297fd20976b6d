/* Metrics as text: Prometheus' exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), bytes out. */
#pragma once

#include "basic/buffer.h"

#include <stdint.h>

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef struct ExpositionLabel {
    const char *name, *value; /* value: any text, is escaped */
} ExpositionLabel;
#define LABELS(...) ((const ExpositionLabel[]) { __VA_ARGS__, { NULL, NULL } })

/* HELP and TYPE; the family's samples follow. type: "counter", "gauge", "histogram". help: one line, ours. */
void exposition_family(Buffer *to, const char *name, const char *type, const char *help);
/* One sample. suffix: "" or "_bucket", "_sum", "_count"; labels end with a NULL name, NULL: none. */
void exposition_integer(Buffer *to, const char *name, const char *suffix, const ExpositionLabel *labels, uint64_t value);
void exposition_seconds(Buffer *to, const char *name, const char *suffix, const ExpositionLabel *labels, uint64_t microseconds);
