/* Exit codes of the command-line client and which HTTP status leads to which.
 *
 * Knows numbers and their Spanish explanation; nothing of sockets or output. */
#include "cli/exit_code.h"

#include "basic/cleanup.h"

static const char *const help[EXIT_CODE_MAX] = {
    [EXIT_OK] = "hecho",
    [EXIT_REFUSED] = "el servicio rechazó la petición",
    [EXIT_USAGE] = "error en la línea de órdenes",
    [EXIT_NOT_FOUND] = "no encontrado",
    [EXIT_UNREACHABLE] = "no se puede hablar con el servicio",
    [EXIT_ENDED_BADLY] = "la solicitud que se seguía terminó en error (o bloqueada, expirada, eliminada)",
    [EXIT_UNWELL] = "el servicio responde, pero no está bien",
    [EXIT_LOCAL] = "fallo en esta máquina: un archivo, la memoria, la salida",
};

const char *exit_code_help(ExitCode code) {
    return (unsigned) code < EXIT_CODE_MAX ? help[code] : "desconocido";
}

ExitCode exit_code_of_status(long status) {
    if (status >= 200 && status < 300)
        return EXIT_OK;
    if (status == 404)
        return EXIT_NOT_FOUND;
    if (status >= 400 && status < 500)
        return EXIT_REFUSED;
    return EXIT_UNWELL;
}
