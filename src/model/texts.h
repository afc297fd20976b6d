/* Sentences that clients are told, where the code that says one is not alone with it: the API's documentation quotes it, or another call says it too.
 * Those with something of the call in them are made where they are said. CONTRACT "Requests" and "Access". */
#pragma once

#define TEXT_BAD_ID "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'"
#define TEXT_BAD_EMAIL "Correo inválido"
#define TEXT_BAD_GROUP "Grupo inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'"
#define TEXT_BAD_NAME "Nombre inválido: de 1 a 100 caracteres"
#define TEXT_BAD_PASSWORD "Contraseña inválida: de 12 a 128 bytes"
#define TEXT_BAD_ROLE "Rol inválido: usuario u operador"
#define TEXT_NOTHING_TO_CHANGE "Nada que cambiar: indique is_active, rol o password"

#define TEXT_RUTA_FORM "Ruta remota inválida, use 'host:/ruta' o 'usuario@host:/ruta'"
#define TEXT_RUTA_NO_HOST "Ruta remota inválida: falta host antes de ':'"
#define TEXT_RUTA_NO_SLASH "Ruta remota inválida: la ruta debe iniciar con '/'"
#define TEXT_RUTA_USER_HOST "Ruta remota inválida: formato de usuario@host incorrecto"
#define TEXT_RUTA_CHARACTERS "Ruta remota inválida: caracteres no permitidos"

#define TEXT_NO_REQUEST "Solicitud no encontrada"
#define TEXT_NO_USER "Usuario no encontrado"
#define TEXT_NO_FTP_SESSION "Sesión no encontrada"
#define TEXT_NO_DROP "La cuenta no tiene buzón"
#define TEXT_NO_DROP_IN_MARIADB "Con las cuentas en MariaDB no hay buzones: Pure-FTPd no cuidaría su límite"
#define TEXT_NO_ACCOUNT_YET "La solicitud no tiene usuario FTP asociado"
#define TEXT_NO_SPACE "Espacio insuficiente"

#define TEXT_REGISTRATION_CLOSED "Registro cerrado"
#define TEXT_EMAIL_TAKEN "El correo ya está registrado"
#define TEXT_WRONG_CREDENTIALS "Credenciales incorrectas"
#define TEXT_USER_INACTIVE "Cuenta pendiente de activación"
#define TEXT_LOGGED_OUT "Sesión cerrada"
#define TEXT_TOKEN_SPENT "Token válido y ahora consumido"
#define TEXT_TOKEN_WRONG "Token inválido o ya utilizado"

#define TEXT_FIELD_MISSING "Falta este campo"
#define TEXT_NO_OBJECT "Se espera un objeto JSON"
#define TEXT_UNKNOWN_STATE "Estado desconocido"
#define TEXT_NO_SUCH_ID "No hay una solicitud con ese ID"
