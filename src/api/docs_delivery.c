/* What is written about what operators do to a delivery: block, extend, drop folders, FTP sessions. */
#include "api/resources.h"
#include "api/route_doc.h"
#include "model/texts.h"

static const DocSchema reason = {
    "Bloqueo", "Por qué se bloquea.",
    DOC_FIELDS(
        FIELD_TEXT("razon", "Para una persona, 200 caracteres como máximo; si falta, `no especificada`.", .optional = true),
        FIELD_INTEGER("descargas", "Se acepta por los clientes del primer tempoftp.", .optional = true))
};

static const DocSchema blocked = {
    "Bloqueada", "Nadie puede descargar la solicitud.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Siempre `bloqueado`.", .one_of = "bloqueado"),
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("usuario", "Cuenta FTP."),
        FIELD_TEXT("razon", "La que se dio."),
        FIELD_BOOLEAN("en_mysql", "Se encontró y cambió una fila de MariaDB."))
};

static const DocSchema unblocked = {
    "Desbloqueada", "La solicitud se puede descargar de nuevo.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Siempre `listo`.", .one_of = "listo"),
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("usuario", "Cuenta FTP."),
        FIELD_BOOLEAN("en_mysql", "Se encontró y cambió una fila de MariaDB."))
};

static const DocSchema days = { "Extension", "Cuántos días más.", DOC_FIELDS(FIELD_INTEGER("dias", "Días que se añaden.", .min = 1, .max = DAYS_MAX)) };

static const DocSchema extended = {
    "Extendida", "El acceso dura más.",
    DOC_FIELDS(
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("status", "Estado.", .one_of = "listo|bloqueado"),
        FIELD_INTEGER("vigencia", "Días en total."),
        FIELD_TIME("expira", "Nuevo fin del acceso."))
};

static const DocSchema quota = {
    "Cupo", "Cuánto cabe en el buzón.",
    DOC_FIELDS(FIELD_INTEGER("bytes", "Si falta, 10 GB.", .min = 1, .max = (int64_t) DROP_BYTES_MAX, .optional = true))
};

static const DocSchema drop = {
    "BuzonAbierto", "La carpeta en la que la cuenta puede escribir.", DOC_FIELDS(FIELD_TEXT("carpeta", "Su nombre en la cuenta."), FIELD_INTEGER("bytes", "Cuánto cabe."))
};

static const DocSchema drop_changed = {
    "BuzonCambiado", "El buzón de la cuenta, tras el cambio.",
    DOC_FIELDS(
        FIELD_TEXT("status", "Estado de la solicitud.", .one_of = "listo|bloqueado"),
        FIELD_TEXT("id", "Identificador."),
        FIELD_TEXT("usuario", "Cuenta FTP."),
        FIELD_OBJECT("buzon", &drop, "`null`: no tiene.", .nullable = true))
};

static const DocSchema session = {
    "SesionFTP", "Alguien conectado al servidor FTP.",
    DOC_FIELDS(
        FIELD_INTEGER("pid", "Proceso que la atiende."),
        FIELD_TEXT("cuenta", "Cuenta FTP."),
        FIELD_TEXT("direccion", "Dirección del cliente."),
        FIELD_TEXT("carpeta", "Dónde está.", .nullable = true),
        FIELD_TEXT("archivo", "Qué transfiere ahora.", .nullable = true),
        FIELD_INTEGER("bytes", "De ese archivo, transferidos."),
        FIELD_INTEGER("total", "Tamaño de ese archivo; 0 si no se conoce."),
        FIELD_TIME("desde", "Cuándo entró."))
};

static const DocSchema sessions = {
    "SesionesFTP", "Quién está conectado.", DOC_FIELDS(FIELD_LIST("sesiones", &session, "Una por conexión."), FIELD_INTEGER("total", "Cuántas."))
};

static const DocSchema ended = {
    "SesionesTerminadas", "Lo que se terminó.",
    DOC_FIELDS(FIELD_TEXT("status", "Siempre `ok`.", .one_of = "ok"), FIELD_INTEGER("terminadas", "Cuántas sesiones."))
};

static const RouteDoc docs[] = {
    { request_block, "bloquear_solicitud", "Retirar el acceso a una solicitud", "Otras solicitudes de la misma cuenta siguen accesibles. La vigencia corre.",
      .path = doc_request_id, .body = &reason,
      .answers = DOC_ANSWERS({ 200, "Bloqueada.", .body = &blocked }, { 400, .help = "Todavía no se puede descargar, o ya no." }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "bloqueada", "Con una razón", 200, .send = JSON({"razon": "datos equivocados"}),
            .answer = JSON({"status": "bloqueado", "id": "modis-2026-07", "usuario": "ftp_ana_q24s", "razon": "datos equivocados", "en_mysql": false}) },
          { "todavia_no", "Se está copiando", 400, .send = JSON({}), .detail = TEXT_NO_ACCOUNT_YET },
          { "no_hay", "No existe", 404, .call = "/tmpftp/no-existe/bloquear", .send = JSON({}), .detail = TEXT_NO_REQUEST }) },

    { request_unblock, "desbloquear_solicitud", "Devolver el acceso a una solicitud",
      .path = doc_request_id,
      .answers = DOC_ANSWERS({ 200, "Accesible de nuevo.", .body = &unblocked }, { 400, .help = "No estaba bloqueada." }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "desbloqueada", "Accesible de nuevo", 200,
            .answer = JSON({"status": "listo", "id": "modis-2026-07", "usuario": "ftp_ana_q24s", "en_mysql": false}) },
          { "no_estaba", "No estaba bloqueada", 400, .detail = "La solicitud no está bloqueada (estado actual: 'listo')" },
          { "no_hay", "No existe", 404, .call = "/tmpftp/no-existe/desbloquear", .detail = TEXT_NO_REQUEST }) },

    { request_extend, "extender_solicitud", "Dar más días", "El nuevo fin no puede pasar de la vigencia máxima contada desde ahora.",
      .path = doc_request_id, .body = &days,
      .answers = DOC_ANSWERS({ 200, "Más días.", .body = &extended }, { 400, .help = "Demasiados días, o no hay acceso que extender." }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "extendida", "Tres días más", 200, .send = JSON({"dias": 3}),
            .answer = JSON({"id": "modis-2026-07", "status": "listo", "vigencia": 8, "expira": "2026-08-07T12:00:00Z"}) },
          { "demasiados", "Más de la vigencia máxima", 400, .send = JSON({"dias": 90}), .detail = "Vigencia inválida: de 1 a 90 días" },
          { "todavia_no", "Está en cola", 400, .send = JSON({"dias": 3}), .detail = "No se puede extender (estado actual: 'preparando')" },
          { "no_hay", "No existe", 404, .call = "/tmpftp/no-existe/extender", .send = JSON({"dias": 3}), .detail = TEXT_NO_REQUEST }) },

    { request_drop, "abrir_buzon", "Dar a la cuenta una carpeta en la que puede escribir", "Si ya la tiene, cambia su cupo.",
      .path = doc_request_id, .body = &quota,
      .answers = DOC_ANSWERS({ 200, "Abierto.", .body = &drop_changed }, { 400, .help = "La solicitud no tiene acceso, o las cuentas están en MariaDB." },
                             { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "abierto", "Un gigabyte", 200, .send = JSON({"bytes": 1000000000}),
            .answer = JSON({"status": "listo", "id": "modis-2026-07", "usuario": "ftp_ana_q24s", "buzon": {"carpeta": "_buzon", "bytes": 1000000000}}) },
          { "todavia_no", "Está en cola", 400, .send = JSON({}), .detail = "No se puede abrir un buzón (estado actual: 'preparando')" },
          { "en_mariadb", "Las cuentas están en MariaDB", 400, .send = JSON({}), .detail = TEXT_NO_DROP_IN_MARIADB },
          { "no_hay", "No existe", 404, .call = "/tmpftp/no-existe/buzon", .send = JSON({}), .detail = TEXT_NO_REQUEST }) },

    { request_no_drop, "cerrar_buzon", "Quitarla, con lo que contenga",
      .path = doc_request_id,
      .answers = DOC_ANSWERS({ 200, "Cerrado; lo que contenía se está borrando.", .body = &drop_changed }, { 404, .help = "No hay tal solicitud, o su cuenta no tiene buzón." }),
      .examples = DOC_EXAMPLES(
          { "cerrado", "Cerrado", 200, .answer = JSON({"status": "listo", "id": "modis-2026-07", "usuario": "ftp_ana_q24s", "buzon": null}) },
          { "no_tiene", "No tenía", 404, .detail = TEXT_NO_DROP },
          { "no_hay", "No existe", 404, .call = "/tmpftp/no-existe/buzon", .detail = TEXT_NO_REQUEST }) },

    { session_list, "listar_sesiones", "Quién está conectado al servidor FTP",
      .answers = DOC_ANSWERS({ 200, "Las sesiones.", .body = &sessions }),
      .examples = DOC_EXAMPLES(
          { "ninguna", "Nadie", 200, .answer = JSON({"sesiones": [], "total": 0}) },
          { "una", "Alguien", 200,
            .answer = JSON({"sesiones": [{"pid": 4711, "cuenta": "ftp_ana_q24s", "direccion": "192.0.2.7", "carpeta": "/", "archivo": null,
                            "bytes": 0, "total": 0, "desde": "2026-07-30T12:00:00Z"}], "total": 1}) }) },

    { session_end, "terminar_sesion", "Terminar una sesión FTP, o todas las de una cuenta", "Quien deba quedar fuera se bloquea o se elimina: tras esto puede volver a entrar.",
      .path = DOC_FIELDS(FIELD_TEXT("sesion", "El `pid` de la sesión, o la cuenta.", .example = "ftp_ana_q24s")),
      .answers = DOC_ANSWERS({ 200, "Terminadas.", .body = &ended }, { 404, .help = "No hay tal sesión." }),
      .examples = DOC_EXAMPLES(
          { "terminada", "Había una", 200, .answer = JSON({"status": "ok", "terminadas": 1}) },
          { "no_hay", "No hay ninguna", 404, .call = "/sesiones/1", .detail = TEXT_NO_FTP_SESSION }) },
    { .handler = NULL },
};

const DocGroup docs_delivery = { "Entregas", "Lo que un operador hace con una entrega: bloquearla, alargarla, darle un buzón, ver y terminar sesiones FTP.", docs };
