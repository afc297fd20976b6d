/* States of an export and their names on the wire and in the database. Pure. */
#pragma once

#include <stdbool.h>

typedef enum ExportState { EXPORT_PENDIENTE, EXPORT_SUBIENDO, EXPORT_LISTO, EXPORT_ERROR, EXPORT_CANCELADO, EXPORT_STATE_MAX } ExportState;

const char *export_state_name(ExportState s); /* NULL for others */
int export_state_parse(const char *name, ExportState *ret) __attribute__((warn_unused_result)); /* -EINVAL */
bool export_state_is_over(ExportState s);
