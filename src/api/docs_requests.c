/* What is written about the calls that make, show and remove requests. */
#include "api/query.h"
#include "api/resources.h"
#include "api/route_doc.h"
#include "model/texts.h"

#define STATES "recibido|preparando|traslado|listo|bloqueado|expirado|error"

static const DocSchema wanted = {
    "SolicitudNueva", "Quién recibe qué, y por cuánto tiempo.",
    DOC_FIELDS(
        FIELD_TEXT("usuario", "Correo de quien recibe los datos; se guarda en minúsculas."),
        FIELD_TEXT("id", "De 1 a 64 letras, dígitos, `.`, `_` o `-`; empieza por letra o dígito, sin `..`, y no es `expired` ni `user`."),
        FIELD_TEXT("ruta", "`host:/ruta` o `usuario@host:/ruta`. Con `/` al final se copia el contenido, sin ella la carpeta, como hace rsync."),
        FIELD_INTEGER("vigencia", "Días completos desde que los datos están listos, hasta `TEMPOFTP_VIGENCIA_MAX`; si falta, 10.", .optional = true),
        FIELD_TEXT("grupo", "Elige los destinos a los que se envían los datos; si falta, el dominio del correo.", .optional = true))
};

static const DocSchema accepted = {
    "Aceptada", "La solicitud está escrita y en cola.",
    DOC_FIELDS(FIELD_TEXT("id", "Identificador."), FIELD_TEXT("status", "Siempre `recibido`.", .one_of = "recibido"))
};

static const DocSchema finished = {
    "Terminada", "Solo del simulador: la solicitud terminó antes de la respuesta.",
    DOC_FIELDS(
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("status", "Siempre `listo`.", .one_of = "listo"),
        FIELD_TEXT("ftpuser", "Cuenta FTP."),
        FIELD_TEXT("password", "Contraseña FTP, como token Fernet."),
        FIELD_INTEGER("vigencia", "Días."),
        FIELD_TEXT("mensaje", "Para una persona."))
};

static const DocSchema progress = {
    "Progreso", "Cuánto se ha copiado.",
    DOC_FIELDS(
        FIELD_INTEGER("bytes", "Copiados."),
        FIELD_INTEGER("total", "Por copiar en total."),
        FIELD_INTEGER("porcentaje", "De 0 a 100."),
        FIELD_INTEGER("bytes_por_segundo", "Velocidad de los últimos segundos."),
        FIELD_INTEGER("segundos_restantes", "A esa velocidad.", .nullable = true))
};

static const DocSchema under_way = {
    "EnCurso", "La solicitud todavía no está lista; conviene preguntar de nuevo tras `Retry-After` segundos.",
    DOC_FIELDS(
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("status", "Estado.", .one_of = "recibido|preparando|traslado"),
        FIELD_TEXT("mensaje", "Para una persona."),
        FIELD_OBJECT("progreso", &progress, "`null` hasta que se conoce el tamaño.", .nullable = true))
};

static const DocSchema server = {
    "ServidorFTP", "Dónde se descargan los datos.",
    DOC_FIELDS(
        FIELD_TEXT("host", "Nombre o dirección."),
        FIELD_INTEGER("port", "Puerto."),
        FIELD_TEXT("tls", "Cifrado: sin él, posible u obligatorio.", .one_of = "off|optional|required"))
};

static const DocSchema downloads = {
    "Descargas", "Lo que se ha descargado de la solicitud.",
    DOC_FIELDS(
        FIELD_INTEGER("total_descargas", "Archivos descargados, con repeticiones."),
        FIELD_TIME("ultima_descarga", "La última.", .nullable = true),
        FIELD_INTEGER("bytes", "Enviados en total."))
};

static const DocSchema drop = {
    "Buzon", "Carpeta de la cuenta en la que se puede escribir.",
    DOC_FIELDS(
        FIELD_TEXT("carpeta", "Su nombre en la cuenta."),
        FIELD_INTEGER("bytes", "Cuánto cabe."),
        FIELD_INTEGER("usados", "Cuánto ocupa; `null` si no se puede medir.", .nullable = true))
};

static const DocSchema export = { "Exportacion", "Un envío a otro servidor; cuánto lleva está en `/api/jobs/{id}/exports`.",
    DOC_FIELDS(
        FIELD_INTEGER("n", "Número del envío."),
        FIELD_TEXT("destino", "Nombre del destino."),
        FIELD_TEXT("tipo", "Su tipo.", .one_of = "ftp|ftps|sftp"),
        FIELD_TEXT("estado", "Cómo está.", .one_of = "pendiente|subiendo|listo|error|cancelado"),
        FIELD_TEXT("mensaje", "Por qué terminó así.", .nullable = true),
        FIELD_BOOLEAN("automatica", "Nadie lo pidió: era su destino."),
        FIELD_TIME("creada", "Cuándo se pidió."),
        FIELD_TIME("terminada", "Cuándo terminó.", .nullable = true)) };

static const DocSchema ready = {
    "Lista", "Los datos se pueden descargar.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Siempre `listo`.", .one_of = "listo"),
        FIELD_TEXT("ftpuser", "Cuenta FTP."),
        FIELD_TEXT("password", "Contraseña FTP, como token Fernet: la lee quien tiene la clave."),
        FIELD_INTEGER("vigencia", "Días."),
        FIELD_TEXT("mensaje", "Para una persona."),
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("usuario", "Cuenta FTP."),
        FIELD_TEXT("email", "Correo de quien recibe."),
        FIELD_TIME("expira", "Fin del acceso."),
        FIELD_OBJECT("ftp", &server, "Dónde se descargan los datos."),
        FIELD_INTEGER("archivos", "Cuántos son."),
        FIELD_INTEGER("bytes", "Cuánto ocupan."),
        FIELD_OBJECT("descargas", &downloads, "Lo que se ha descargado."),
        FIELD_LIST("exportaciones", &export, "Envíos a otros servidores."),
        FIELD_OBJECT("buzon", &drop, "Solo si la cuenta tiene uno.", .optional = true))
};

static const DocSchema without_access = {
    "SinAcceso", "La solicitud existe, pero no hay nada que descargar.",
    DOC_FIELDS(
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("status", "Estado.", .one_of = "error|bloqueado|expirado"),
        FIELD_TEXT("mensaje", "Por qué, para una persona."))
};

static const DocSchema row = {
    "Fila", "Una solicitud en la lista. Las claves desde `usuario` solo están con `detalle=1`.",
    DOC_FIELDS(
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("email", "Correo de quien recibe."),
        FIELD_TEXT("ruta", "Origen."),
        FIELD_TEXT("estado", "Estado.", .one_of = STATES),
        FIELD_TIME("created_at", "Cuándo se pidió."),
        FIELD_INTEGER("vigencia", "Días."),
        FIELD_TEXT("usuario", "Cuenta FTP.", .optional = true, .nullable = true),
        FIELD_TEXT("grupo", "Grupo.", .optional = true, .nullable = true),
        FIELD_TEXT("mensaje", "Para una persona.", .optional = true),
        FIELD_TIME("expira", "Fin del acceso.", .optional = true, .nullable = true),
        FIELD_INTEGER("bytes", "Cuánto ocupan los datos.", .optional = true),
        FIELD_INTEGER("archivos", "Cuántos son.", .optional = true))
};

static const DocSchema list = {
    "Lista_de_solicitudes", "Solicitudes, de la más antigua a la más nueva.",
    DOC_FIELDS(
        FIELD_INTEGER("total", "Cuántas hay en esta respuesta."),
        FIELD_INTEGER("sin_created_at", "Siempre 0; se conserva por los clientes del primer tempoftp."),
        FIELD_LIST("solicitudes", &row, "Una por solicitud."))
};

static const DocSchema deleted = {
    "Eliminada", "El acceso está cerrado; los datos se están borrando.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Siempre `deleted`.", .one_of = "deleted"),
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("mensaje", "Para una persona."))
};

static const DocSchema user_deleted = {
    "CuentaEliminada", "La cuenta y todas sus solicitudes se han eliminado.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Siempre `deleted`.", .one_of = "deleted"),
        FIELD_TEXT("user", "Cuenta FTP, o el correo si no tenía."),
        FIELD_TEXT("usuario", "Correo."),
        FIELD_TEXT("mensaje", "Para una persona."))
};

static const DocSchema expired = {
    "Vencidas", "Cuántas solicitudes se cerraron ahora.",
    DOC_FIELDS(FIELD_TEXT("status", "Siempre `ok`.", .one_of = "ok"), FIELD_INTEGER("expiradas", "Cuántas."))
};

static const DocSchema event = {
    "Evento", "Un cambio de la solicitud.",
    DOC_FIELDS(
        FIELD_INTEGER("n", "Número, creciente; el `id:` del flujo."),
        FIELD_TIME("momento", "Cuándo."),
        FIELD_TEXT("estado", "En qué estado quedó.", .one_of = STATES),
        FIELD_TEXT("actor", "Quién lo hizo: `user:CORREO`, `unix:USUARIO`, `api:DIRECCIÓN` o `tempoftpd`."),
        FIELD_TEXT("mensaje", "Para una persona."),
        FIELD_TEXT("request_id", "`X-Request-ID` de la llamada que lo causó.", .nullable = true))
};

static const DocSchema events = {
    "Eventos", "La historia de la solicitud.",
    DOC_FIELDS(FIELD_TEXT("id", "Identificador."), FIELD_LIST("eventos", &event, "Del primero al último."))
};

#define WANTED(more) "{\"usuario\": \"" DOC_EMAIL "\", \"id\": \"" DOC_ID "\", \"ruta\": \"origen:/datos/modis/2026-07\"" more "}"
#define WANTED_FROM(ruta) "{\"usuario\": \"" DOC_EMAIL "\", \"id\": \"" DOC_ID "\", \"ruta\": \"" ruta "\"}"

static const RouteDoc docs[] = {
    { request_post, "crear_solicitud", "Pedir que se entreguen unos datos",
      "La solicitud queda escrita antes de la respuesta. Con un token de usuario (no operador) solo se puede pedir para el propio correo, y solo si "
      "el servicio limita los orígenes (`TEMPOFTP_ORIGENES`).",
      .body = &wanted,
      .answers = DOC_ANSWERS({ 202, "En cola: `Location` dice dónde preguntar.", .body = &accepted, .headers = DOC_LOCATION | DOC_RETRY_AFTER },
                             { 200, "El simulador ha terminado ya.", .body = &finished }, { 400, "Bien formada, pero rechazada. No queda nada escrito.", .body = &doc_refused },
                             { 403, .help = "Para otro correo, o desde cualquier origen: solo operadores." }),
      .examples = DOC_EXAMPLES(
          { "en_cola", "Queda en cola", 202, .send = WANTED(", \"vigencia\": 5"), .answer = JSON({"id": "modis-2026-07", "status": "recibido"}) },
          { "simulada", "El simulador, sin demora", 200, .send = WANTED(", \"vigencia\": 5, \"grupo\": \"example.org\""),
            .answer = JSON({"id": "modis-2026-07", "status": "listo", "ftpuser": "ftp_ana_q24s", "password": "gAAAAABm…", "vigencia": 5,
                            "mensaje": "Listo, tiene 5 días para hacer la descarga."}) },
          { "id_repetido", "Ese ID está en uso", 400, .send = WANTED(),
            .refused = "Ya existe una solicitud en proceso con el ID '" DOC_ID "'. Estado actual: listo" },
          { "id_invalido", "ID con otros caracteres", 400, .send = JSON({"usuario": "ana@example.org", "id": "julio 2026", "ruta": "origen:/datos/modis"}),
            .answer = JSON({"detail": {"id": "julio 2026", "status": "error",
                            "mensaje": "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'"}}) },
          { "correo_invalido", "No es un correo", 400, .send = JSON({"usuario": "ana", "id": "modis-2026-07", "ruta": "origen:/datos/modis"}),
            .refused = TEXT_BAD_EMAIL },
          { "vigencia_invalida", "Demasiados días", 400, .send = WANTED(", \"vigencia\": 91"), .refused = "Vigencia inválida: de 1 a 90 días" },
          { "grupo_invalido", "Grupo con otros caracteres", 400, .send = WANTED(", \"grupo\": \"los de siempre\""), .refused = TEXT_BAD_GROUP },
          { "ruta_sin_host", "Ruta sin host ni ':'", 400, .send = WANTED_FROM("/datos/modis"), .refused = TEXT_RUTA_FORM },
          { "ruta_host_vacio", "Nada antes de ':'", 400, .send = WANTED_FROM(":/datos/modis"), .refused = TEXT_RUTA_NO_HOST },
          { "ruta_relativa", "Ruta relativa", 400, .send = WANTED_FROM("origen:datos/modis"), .refused = TEXT_RUTA_NO_SLASH },
          { "ruta_usuario", "Usuario vacío", 400, .send = WANTED_FROM("@origen:/datos/modis"), .refused = TEXT_RUTA_USER_HOST },
          { "ruta_caracteres", "Caracteres que no se permiten", 400, .send = WANTED_FROM("origen:/datos/$(id)"), .refused = TEXT_RUTA_CHARACTERS },
          { "origen_no_permitido", "Un host que no está en TEMPOFTP_ORIGENES", 400, .send = WANTED_FROM("otro.example.net:/datos"),
            .refused = "Origen no permitido: otro.example.net" },
          { "sin_espacio", "El simulador no tiene espacio", 400, .send = WANTED(), .refused = TEXT_NO_SPACE },
          { "para_otro", "Un usuario pide para otro correo", 403, .send = WANTED() }) },

    { request_list, "listar_solicitudes", "Listar solicitudes", "Un usuario ve las suyas; un operador, todas. Nunca hay contraseñas.",
      .query = DOC_FIELDS(
          FIELD_TEXT("estado", "Solo las de este estado.", .one_of = STATES, .optional = true),
          FIELD_INTEGER("limite", "Cuántas como máximo.", .min = 1, .max = QUERY_LIST_MAX, .fallback = "500", .optional = true),
          FIELD_TEXT("despues", "Solo las que siguen a la de este ID.", .optional = true),
          FIELD_TEXT("detalle", "`1` añade claves a cada fila.", .one_of = "1", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "Las solicitudes.", .body = &list }),
      .examples = DOC_EXAMPLES(
          { "una", "Hay una solicitud", 200,
            .answer = JSON({"total": 1, "sin_created_at": 0, "solicitudes": [{"id": "modis-2026-07", "email": "ana@example.org",
                            "ruta": "origen:/datos/modis/2026-07", "estado": "listo", "created_at": "2026-07-30T12:00:00Z", "vigencia": 5}]}) },
          { "con_detalle", "Con más claves", 200, .call = "/tmpftp?estado=listo&detalle=1",
            .answer = JSON({"total": 1, "sin_created_at": 0, "solicitudes": [{"id": "modis-2026-07", "email": "ana@example.org",
                            "ruta": "origen:/datos/modis/2026-07", "estado": "listo", "created_at": "2026-07-30T12:00:00Z", "vigencia": 5,
                            "usuario": "ftp_ana_q24s", "grupo": null, "mensaje": "Listo, tiene 5 días para hacer la descarga.",
                            "expira": "2026-08-04T12:00:00Z", "bytes": 1000, "archivos": 1}]}) },
          { "limite_invalido", "Límite fuera de rango", 422, .call = "/tmpftp?limite=0", .query = "limite", .detail = "Debe ser un entero de 1 a 1000", .kind = "int_parsing" },
          { "estado_desconocido", "No hay tal estado", 422, .call = "/tmpftp?estado=nuevo", .query = "estado", .detail = TEXT_UNKNOWN_STATE, .kind = "enum" },
          { "despues_desconocido", "No hay tal solicitud", 422, .call = "/tmpftp?despues=no-existe", .query = "despues", .detail = TEXT_NO_SUCH_ID, .kind = "value_error" }) },

    { request_get, "ver_solicitud", "Ver una solicitud", "La de otra persona se responde como si no existiera.",
      .path = doc_request_id,
      .answers = DOC_ANSWERS({ 202, "Está en curso.", .body = &under_way, .headers = DOC_RETRY_AFTER }, { 200, "Está lista.", .body = &ready },
                             { 200, "Terminó sin acceso, o se cerró.", .body = &without_access }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "lista", "Se puede descargar", 200,
            .answer = JSON({"status": "listo", "ftpuser": "ftp_ana_q24s", "password": "gAAAAABm…", "vigencia": 5,
                            "mensaje": "Listo, tiene 5 días para hacer la descarga.", "id": "modis-2026-07", "usuario": "ftp_ana_q24s",
                            "email": "ana@example.org", "expira": "2026-08-04T12:00:00Z", "ftp": {"host": "ftp.example.org", "port": 21, "tls": "off"},
                            "archivos": 1, "bytes": 1000, "descargas": {"total_descargas": 0, "ultima_descarga": null, "bytes": 0}, "exportaciones": []}) },
          { "bloqueada", "Un operador retiró el acceso", 200,
            .answer = JSON({"id": "modis-2026-07", "status": "bloqueado", "mensaje": "Acceso bloqueado: datos equivocados"}) },
          { "copiando", "Se está copiando", 202,
            .answer = JSON({"id": "modis-2026-07", "status": "traslado", "mensaje": "Copiando datos desde origen:/datos/modis/2026-07.",
                            "progreso": {"bytes": 0, "total": 1000, "porcentaje": 0, "bytes_por_segundo": 0, "segundos_restantes": null}}) },
          { "no_hay", "No existe, o es de otra persona", 404, .call = "/tmpftp/no-existe" }) },

    { request_delete, "eliminar_solicitud", "Eliminar una solicitud",
      "Al responder, el acceso está cerrado y las sesiones FTP terminadas; los datos se borran después. El ID queda libre en el acto.",
      .path = doc_request_id,
      .answers = DOC_ANSWERS({ 200, "Eliminada.", .body = &deleted }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "eliminada", "Eliminada", 200,
            .answer = JSON({"status": "deleted", "id": "modis-2026-07", "mensaje": "Solicitud eliminada: se cerró el acceso y sus datos se están borrando."}) },
          { "no_hay", "No existe, o es de otra persona", 404, .call = "/tmpftp/no-existe", .detail = TEXT_NO_REQUEST }) },

    { request_delete_user, "eliminar_cuenta", "Eliminar una cuenta FTP con todas sus solicitudes",
      .path = DOC_FIELDS(FIELD_TEXT("usuario", "La cuenta FTP o el correo.", .example = DOC_EMAIL)),
      .answers = DOC_ANSWERS({ 200, "Eliminada.", .body = &user_deleted }, { 404, .help = "Nadie tiene esa cuenta o ese correo." }),
      .examples = DOC_EXAMPLES(
          { "eliminada", "Eliminada", 200,
            .answer = JSON({"status": "deleted", "user": "ftp_ana_q24s", "usuario": "ana@example.org", "mensaje": "Cuenta eliminada con 1 solicitud."}) },
          { "no_hay", "Nadie la tiene", 404, .call = "/tmpftp/user/nadie@example.org", .detail = TEXT_NO_USER }) },

    { request_expire_due, "cerrar_vencidas", "Cerrar las solicitudes cuya vigencia terminó", "No hace falta: un temporizador lo hace a su hora.",
      .answers = DOC_ANSWERS({ 200, "Cerradas.", .body = &expired }),
      .examples = DOC_EXAMPLES({ "ninguna", "No había ninguna", 200, .answer = JSON({"status": "ok", "expiradas": 0}) }) },

    { request_events, "ver_eventos", "Historia de una solicitud",
      "Con `Accept: text/event-stream` la respuesta es un flujo: `event: estado` con un `Evento` en cada cambio, `event: progreso` con un `Progreso` "
      "mientras se copia, `id:` es el número del evento, y termina tras un estado final.",
      .path = doc_request_id,
      .headers = DOC_FIELDS(FIELD_INTEGER("Last-Event-ID", "El flujo sigue después de este número.", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "Los eventos.", .body = &events }, { 200, "El flujo.", .media = "text/event-stream" }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "historia", "Una solicitud que terminó bien", 200,
            .answer = JSON({"id": "modis-2026-07", "eventos": [
                {"n": 1, "momento": "2026-07-30T12:00:00Z", "estado": "recibido", "actor": "user:ana@example.org", "mensaje": "Solicitud en cola.", "request_id": "6f1c2a9e"},
                {"n": 2, "momento": "2026-07-30T12:00:00Z", "estado": "preparando", "actor": "tempoftpd", "mensaje": "Creando entorno y verificando espacio.", "request_id": null},
                {"n": 3, "momento": "2026-07-30T12:00:01Z", "estado": "traslado", "actor": "tempoftpd", "mensaje": "Copiando datos desde origen:/datos/modis/2026-07.", "request_id": null},
                {"n": 4, "momento": "2026-07-30T12:10:00Z", "estado": "listo", "actor": "tempoftpd", "mensaje": "Listo, tiene 5 días para hacer la descarga.", "request_id": null}]}) },
          { "no_hay", "No existe, o es de otra persona", 404, .call = "/tmpftp/no-existe/eventos", .detail = TEXT_NO_REQUEST }) },
    { .handler = NULL },
};

const DocGroup docs_requests = { "Solicitudes", "Pedir datos, ver cómo van y dónde se descargan, eliminarlos.", docs };
