/* The table of states of exports. Who moves them is tempoftpd's business (api/exports.c). */
#include "model/export_state.h"

#include "basic/strings.h"

#include <errno.h>

static const char *const names[EXPORT_STATE_MAX] = {
    [EXPORT_PENDIENTE] = "pendiente", [EXPORT_SUBIENDO] = "subiendo", [EXPORT_LISTO] = "listo", [EXPORT_ERROR] = "error", [EXPORT_CANCELADO] = "cancelado",
};

const char *export_state_name(ExportState s) {
    return (unsigned) s < EXPORT_STATE_MAX ? names[s] : NULL;
}

int export_state_parse(const char *name, ExportState *ret) {
    for (ExportState s = 0; s < EXPORT_STATE_MAX; s++)
        if (streq(names[s], name)) {
            *ret = s;
            return 0;
        }
    return -EINVAL;
}

bool export_state_is_over(ExportState s) {
    return s != EXPORT_PENDIENTE && s != EXPORT_SUBIENDO;
}
