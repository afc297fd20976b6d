/* The table of verbs: reading it is reading what `tempoftp` can do. Help, man page and dispatch follow from it. */
#include "cli/verbs.h"

const Verb verbs[] = {
    { "crear", "USUARIO ID RUTA [DÍAS]", "pide la entrega de host:/ruta a una persona por unos días", 3, 4,
      OPTION_BIT(OPTION_GROUP) | OPTION_BIT(OPTION_FOLLOW), verb_crear },
    { "ver", "ID", "cómo está una solicitud y, cuando está lista, sus credenciales", 1, 1, 0, verb_ver },
    { "lista", "", "las solicitudes, de la más antigua a la más nueva", 0, 0,
      OPTION_BIT(OPTION_STATE) | OPTION_BIT(OPTION_LIMIT) | OPTION_BIT(OPTION_AFTER), verb_lista },
    { "eliminar", "ID", "retira el acceso y los datos de una solicitud", 1, 1, 0, verb_eliminar },
    { "eliminar-usuario", "CUENTA|CORREO", "retira una cuenta y todas sus solicitudes", 1, 1, 0, verb_eliminar_usuario },
    { "bloquear", "ID", "suspende el acceso a una solicitud", 1, 1, OPTION_BIT(OPTION_REASON), verb_bloquear },
    { "desbloquear", "ID", "devuelve el acceso a una solicitud bloqueada", 1, 1, 0, verb_desbloquear },
    { "extender", "ID DÍAS", "añade días a la vigencia de una solicitud", 2, 2, 0, verb_extender },
    { "buzon", "ID", "da a la cuenta de una solicitud una carpeta donde escribir", 1, 1, OPTION_BIT(OPTION_BYTES) | OPTION_BIT(OPTION_REMOVE),
      verb_buzon },
    { "eventos", "ID", "la historia de una solicitud", 1, 1, OPTION_BIT(OPTION_FOLLOW), verb_eventos },
    { "sesiones", "", "quién está conectado al servidor FTP; --terminar lo desconecta", 0, 0, OPTION_BIT(OPTION_END), verb_sesiones },
    { "expirar", "", "expira ahora lo que ya venció", 0, 0, 0, verb_expirar },
    { "estado", "", "si el servicio responde", 0, 0, 0, verb_estado },
    { "salud", "", "si el servicio está bien: disco, FTP, base de datos", 0, 0, 0, verb_salud },
    { "login", "CORREO", "abre una sesión; pide la contraseña, o la lee de la entrada estándar", 1, 1, 0, verb_login },
    { "logout", "", "cierra todas las sesiones de quien entró", 0, 0, 0, verb_logout },
    { "usuarios", "[ACCIÓN] [CORREO] [ROL|NOMBRE]", "quién puede usar la API: lista, crear, activar, desactivar, rol, clave", 0, 3, 0, verb_usuarios },
    { "token", "crear|validar", "tokens de un solo uso, con la sesión abierta", 1, 1, 0, verb_token },
    { "auditoria", "", "quién hizo qué, de lo más nuevo a lo más antiguo", 0, 0,
      OPTION_BIT(OPTION_WHO) | OPTION_BIT(OPTION_ACTION) | OPTION_BIT(OPTION_TARGET) | OPTION_BIT(OPTION_CALL) | OPTION_BIT(OPTION_SINCE) |
          OPTION_BIT(OPTION_UNTIL) | OPTION_BIT(OPTION_LIMIT),
      verb_auditoria },
    { "clave", "", "imprime una clave nueva: de cifrado, o para firmar sesiones", 0, 0, 0, verb_clave },
    {},
};
