/* Texts that people read about a request: one table for the journal's ids, one for the wire's `mensaje`. Pure. */
#include "model/messages.h"

#include <stdio.h>

static const char *const state_ids[STATE_MAX] = {
    [STATE_RECIBIDO] = "0a9be1f3c54d4f0aa1d7c2f2c6e35b10",
    [STATE_PREPARANDO] = "1b8af2e4d65c4e1bb2e6d3e3d7f46c21",
    [STATE_TRASLADO] = "2c79c3d5e76b4d2cc3f5e4d4e8057d32",
    [STATE_LISTO] = "3d68d4c6f87a4c3dd404f5c5f9168e43",
    [STATE_BLOQUEADO] = "4e57e5b709894b4ee51306b60a279f54",
    [STATE_EXPIRADO] = "5f46f6a81a984a5ff62217a71b38a065",
    [STATE_ERROR] = "60350799ba2749600731289a2c49b176",
    [STATE_ELIMINADO] = "7124189acb36487118403989bd5ac287",
};

const char *message_id_for_state(State s) {
    return (unsigned) s < STATE_MAX ? state_ids[s] : NULL;
}

void request_message(const Request *r, char *ret, size_t size) {
    switch (r->state) {
    case STATE_RECIBIDO:
        snprintf(ret, size, "Solicitud en cola.");
        break;
    case STATE_PREPARANDO:
        snprintf(ret, size, "Creando entorno y verificando espacio.");
        break;
    case STATE_TRASLADO:
        if (r->message)
            snprintf(ret, size, "%s", r->message);
        else
            snprintf(ret, size, "Copiando datos desde %s.", r->ruta);
        break;
    case STATE_LISTO:
        snprintf(ret, size, "Listo, tiene %d día%s para hacer la descarga.", r->vigencia, r->vigencia == 1 ? "" : "s");
        break;
    case STATE_BLOQUEADO:
        snprintf(ret, size, "Acceso bloqueado: %s", r->message ? r->message : "no especificada");
        break;
    case STATE_EXPIRADO:
        snprintf(ret, size, "La vigencia terminó.");
        break;
    default:
        snprintf(ret, size, "%s", r->message ? r->message : "Error interno");
    }
}

void account_wait_message(const char *refusal, char *ret, size_t size) {
    if (refusal)
        snprintf(ret, size, "La copia está completa; la base de datos de cuentas no acepta la cuenta y un operador debe intervenir: %s", refusal);
    else
        snprintf(ret, size, "La copia está completa; la base de datos de cuentas no responde, se reintenta.");
}
