/* What is written about destinations and about requests that are sent on to them. */
#include "api/query.h"
#include "api/resources.h"
#include "api/route_doc.h"
#include "model/texts.h"

#define DESTINATION(id, name) \
    "{\"id\": " id ", \"name\": \"" name "\", \"type\": \"ftp\", \"host\": \"ftp.example.org\", \"port\": 21, \"username\": \"ana\", \"has_password\": true, " \
    "\"has_ssh_key\": false, \"path\": \"/entrada\", \"group\": \"example.org\", \"is_default\": false, \"host_key\": null, \"host_key_seen\": null, " \
    "\"created_at\": \"2026-07-30T12:00:00Z\"}"
#define EXPORT(name, type, status, message, ended, bytes, files) \
    "{\"n\": 1, \"destination_id\": 1, \"destination_name\": \"" name "\", \"type\": \"" type "\", \"status\": \"" status "\", \"message\": " message ", \"automatic\": false, " \
    "\"created_at\": \"2026-07-30T12:00:00Z\", \"ended_at\": " ended ", \"bytes\": " bytes ", \"files\": " files ", \"progress\": null}"

static const DocField destination_id[] = { FIELD_TEXT("id", "Número del destino.", .example = "1"), { .name = NULL } };

static const DocSchema wanted = {
    "DestinoNuevo", "Un servidor al que se pueden enviar entregas. `ftp` y `ftps` entran con `password`; `sftp`, con `password`, `ssh_key` o ambas.",
    DOC_FIELDS(
        FIELD_TEXT("name", "De 1 a 64 caracteres, no solo dígitos; único."),
        FIELD_TEXT("type", "`ftps`: TLS explícito, con el certificado comprobado. No cambia después.", .one_of = "ftp|ftps|sftp"),
        FIELD_TEXT("host", "Nombre o dirección. Nunca este equipo ni una dirección de enlace local."),
        FIELD_INTEGER("port", "Si falta, 21, o 22 con `sftp`.", .min = 1, .max = 65535, .optional = true),
        FIELD_TEXT("username", "Con quién se entra."),
        FIELD_TEXT("password", "Se guarda cifrada y no se devuelve.", .optional = true),
        FIELD_TEXT("ssh_key", "Texto de una clave privada sin frase de paso, solo `sftp`; igual.", .optional = true),
        FIELD_TEXT("path", "Carpeta; sin `/` delante, a partir de la del usuario. Si falta, esa.", .optional = true),
        FIELD_TEXT("group", "Recibe por sí solo las solicitudes de este grupo: el `grupo` del pedido, o si falta el dominio del correo. Entero, nunca una parte: un grupo letra por letra, un dominio con mayúsculas o sin ellas.",
                   .optional = true),
        FIELD_BOOLEAN("is_default", "Recibe las solicitudes de las que ningún grupo es destino. Hay uno como máximo.", .optional = true),
        FIELD_TEXT("host_key", "Huella aceptada de la clave del servidor, solo `sftp`.", .optional = true))
};

static const DocSchema changed = {
    "CambioDeDestino", "Lo que cambia; lo demás queda. Un texto vacío quita `group`, `host_key`, `password` o `ssh_key`. Otro servidor o puerto olvida la huella.",
    DOC_FIELDS(
        FIELD_TEXT("name", "Otro nombre.", .optional = true),
        FIELD_TEXT("type", "Solo el que ya tiene.", .one_of = "ftp|ftps|sftp", .optional = true),
        FIELD_TEXT("host", "Otro servidor.", .optional = true),
        FIELD_INTEGER("port", "Otro puerto.", .min = 1, .max = 65535, .optional = true),
        FIELD_TEXT("username", "Otro usuario.", .optional = true),
        FIELD_TEXT("password", "Otra contraseña.", .optional = true),
        FIELD_TEXT("ssh_key", "Otra clave.", .optional = true),
        FIELD_TEXT("path", "Otra carpeta.", .optional = true),
        FIELD_TEXT("group", "Otro grupo.", .optional = true),
        FIELD_BOOLEAN("is_default", "Ser el destino por defecto, o dejar de serlo.", .optional = true),
        FIELD_TEXT("host_key", "La huella que se acepta: la que mostró la prueba, comparada con la del servidor.", .optional = true))
};

static const DocSchema destination = {
    "Destino", "Un destino, sin sus secretos.",
    DOC_FIELDS(
        FIELD_INTEGER("id", "Número; nunca se usa dos veces."),
        FIELD_TEXT("name", "Nombre."),
        FIELD_TEXT("type", "Tipo.", .one_of = "ftp|ftps|sftp"),
        FIELD_TEXT("host", "Servidor."),
        FIELD_INTEGER("port", "Puerto."),
        FIELD_TEXT("username", "Con quién se entra."),
        FIELD_BOOLEAN("has_password", "Tiene contraseña."),
        FIELD_BOOLEAN("has_ssh_key", "Tiene clave SSH."),
        FIELD_TEXT("path", "Carpeta."),
        FIELD_TEXT("group", "Grupo.", .nullable = true),
        FIELD_BOOLEAN("is_default", "Es el destino por defecto."),
        FIELD_TEXT("host_key", "Huella aceptada.", .nullable = true),
        FIELD_TEXT("host_key_seen", "Huella que mostró la última prueba.", .nullable = true),
        FIELD_TIME("created_at", "Cuándo se creó."))
};

static const DocSchema destinations = {
    "Destinos", "Los destinos, por número.",
    DOC_FIELDS(FIELD_INTEGER("total", "Cuántos hay en total."), FIELD_LIST("destinations", &destination, "Los de esta página."))
};

static const DocSchema tested = {
    "Prueba", "Qué pasó al probar.",
    DOC_FIELDS(
        FIELD_BOOLEAN("success", "Se pudo conectar, entrar y escribir."),
        FIELD_TEXT("message", "`Conexión FTP correcta`, o el paso que falló y por qué."),
        FIELD_TEXT("host_key_seen", "Solo `sftp`: la huella que mostró el servidor.", .nullable = true, .optional = true))
};

static const DocSchema which = {
    "EnvioPedido", "A qué destino: por número o por nombre.",
    DOC_FIELDS(FIELD_INTEGER("destination_id", "Número.", .optional = true), FIELD_TEXT("destination_name", "Nombre.", .optional = true))
};

static const DocSchema progress = {
    "AvanceDeEnvio", "Cuánto se ha enviado.",
    DOC_FIELDS(
        FIELD_INTEGER("bytes", "Enviados."),
        FIELD_INTEGER("total", "De cuántos."),
        FIELD_INTEGER("porcentaje", "De 0 a 100."),
        FIELD_INTEGER("bytes_por_segundo", "Velocidad."),
        FIELD_INTEGER("segundos_restantes", "`null`: no se sabe.", .nullable = true))
};

static const DocSchema export = {
    "Envio", "Una vez que una solicitud se envía a un destino.",
    DOC_FIELDS(
        FIELD_INTEGER("n", "Número, dentro de la solicitud."),
        FIELD_INTEGER("destination_id", "Destino; puede que ya no exista."),
        FIELD_TEXT("destination_name", "Su nombre de entonces."),
        FIELD_TEXT("type", "Su tipo.", .one_of = "ftp|ftps|sftp"),
        FIELD_TEXT("status", "Estado.", .one_of = "pendiente|subiendo|listo|error|cancelado"),
        FIELD_TEXT("message", "Por qué terminó así, para una persona.", .nullable = true),
        FIELD_BOOLEAN("automatic", "Nadie lo pidió: era su destino."),
        FIELD_TIME("created_at", "Cuándo se pidió."),
        FIELD_TIME("ended_at", "Cuándo terminó.", .nullable = true),
        FIELD_INTEGER("bytes", "Enviados, cuando está `listo`."),
        FIELD_INTEGER("files", "Archivos enviados, igual."),
        FIELD_OBJECT("progress", &progress, "Mientras sube, cuando se conoce.", .nullable = true))
};

static const DocSchema one_export = { "EnvioAceptado", "El envío.", DOC_FIELDS(FIELD_OBJECT("export", &export, "Cómo está.")) };

static const DocSchema exports = {
    "Envios", "Los envíos de una solicitud, por número.", DOC_FIELDS(FIELD_TEXT("id", "De qué solicitud."), FIELD_LIST("exports", &export, "Uno por vez."))
};

static const DocSchema line = {
    "LineaDeEnvio", "Una línea del registro.",
    DOC_FIELDS(
        FIELD_TIME("time", "Cuándo."),
        FIELD_INTEGER("export", "Número del envío."),
        FIELD_TEXT("line", "`[FTP Upload] …`, también con SFTP."))
};

static const DocSchema lines = {
    "LineasDeEnvio", "El registro de los envíos de una solicitud; el diario del sistema tiene las mismas líneas y más.",
    DOC_FIELDS(FIELD_TEXT("id", "De qué solicitud."), FIELD_LIST("logs", &line, "En orden."))
};

#define NEW_DESTINATION "{\"name\": \"socio\", \"type\": \"ftp\", \"host\": \"ftp.example.org\", \"username\": \"ana\", \"password\": \"una clave\", \"path\": \"/entrada\", \"group\": \"example.org\"}"
#define SEND_ANSWERS                                                                                                                  \
    DOC_ANSWERS({ 202, "En cola.", .body = &one_export }, { 400, .help = "Bien formado, pero rechazado." }, { 404, .help = "No hay tal solicitud o destino." }, \
                { 409, .help = "La solicitud no está lista, o ya se está enviando ahí." })

static const RouteDoc docs[] = {
    { destination_list, "listar_destinos", "Los destinos",
      .query = DOC_FIELDS(
          FIELD_INTEGER("limit", "Cuántos como máximo.", .min = 1, .max = QUERY_LIST_MAX, .fallback = "100", .optional = true),
          FIELD_INTEGER("offset", "Cuántos se saltan.", .min = 0, .max = INT64_MAX, .fallback = "0", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "Los destinos.", .body = &destinations }),
      .examples = DOC_EXAMPLES(
          { "uno", "Hay uno", 200, .answer = "{\"total\": 1, \"destinations\": [" DESTINATION("1", "socio") "]}" },
          { "limite_invalido", "Límite fuera de rango", 422, .call = "/api/destinations?limit=0", .query = "limit", .detail = "Debe ser un entero de 1 a 1000",
            .kind = "int_parsing" }) },

    { destination_post, "crear_destino", "Crear un destino",
      .body = &wanted,
      .answers = DOC_ANSWERS({ 201, "Creado.", .body = &destination, .headers = DOC_LOCATION }, { 400, .help = "Bien formado, pero rechazado." },
                             { 409, .help = "El nombre está en uso, o hay demasiados." }),
      .examples = DOC_EXAMPLES(
          { "creado", "Creado", 201, .send = NEW_DESTINATION, .answer = DESTINATION("1", "socio") },
          { "este_equipo", "Es este equipo", 400, .send = JSON({"name": "socio", "type": "ftp", "host": "127.0.0.1", "username": "ana", "password": "una clave"}),
            .detail = TEXT_DESTINATION_INNER },
          { "nombre_en_uso", "El nombre está en uso", 409, .send = NEW_DESTINATION, .detail = TEXT_DESTINATION_TAKEN }) },

    { destination_get, "ver_destino", "Un destino", .path = destination_id,
      .answers = DOC_ANSWERS({ 200, "El destino.", .body = &destination }, { 404, .help = "No hay tal destino." }),
      .examples = DOC_EXAMPLES({ "uno", "El primero", 200, .answer = DESTINATION("1", "socio") },
                               { "no_hay", "No existe", 404, .call = "/api/destinations/999", .detail = TEXT_NO_DESTINATION }) },

    { destination_put, "cambiar_destino", "Cambiar un destino, o aceptar su huella", .path = destination_id, .body = &changed,
      .answers = DOC_ANSWERS({ 200, "El destino, cambiado.", .body = &destination }, { 400, .help = "Bien formado, pero rechazado." },
                             { 404, .help = "No hay tal destino." }, { 409, .help = "El nombre está en uso." }),
      .examples = DOC_EXAMPLES(
          { "otro_nombre", "Otro nombre", 200, .send = JSON({"name": "aliado"}), .answer = DESTINATION("1", "aliado") },
          { "otro_tipo", "El tipo no cambia", 400, .send = JSON({"type": "sftp"}), .detail = TEXT_DESTINATION_TYPE },
          { "no_hay", "No existe", 404, .call = "/api/destinations/999", .send = JSON({"name": "aliado"}), .detail = TEXT_NO_DESTINATION }) },

    { destination_delete, "eliminar_destino", "Eliminar un destino", "Lo que se esté enviando ahí se cancela.", .path = destination_id,
      .answers = DOC_ANSWERS({ 204, .help = "Eliminado." }, { 404, .help = "No hay tal destino." }),
      .examples = DOC_EXAMPLES({ "no_hay", "No existe", 404, .call = "/api/destinations/999", .detail = TEXT_NO_DESTINATION }) },

    { destination_test, "probar_destino", "Probar un destino",
      "Conecta, entra, escribe un archivo y lo quita, en 10 segundos como máximo. La primera vez con SFTP muestra la huella del servidor y no envía nada: hay que aceptarla.",
      .path = destination_id,
      .answers = DOC_ANSWERS({ 200, "Qué pasó.", .body = &tested }, { 404, .help = "No hay tal destino." }, { 409, .help = "Ya se está probando." }),
      .examples = DOC_EXAMPLES({ "correcta", "Todo bien", 200, .answer = JSON({"success": true, "message": "Conexión FTP correcta"}) },
                               { "no_hay", "No existe", 404, .call = "/api/destinations/999/test", .detail = TEXT_NO_DESTINATION }) },

    { export_ftp, "enviar_por_ftp", "Enviar una solicitud lista a un destino FTP o FTPS", .path = doc_request_id, .body = &which, .answers = SEND_ANSWERS,
      .examples = DOC_EXAMPLES(
          { "en_cola", "En cola", 202, .send = JSON({"destination_name": "socio"}), .answer = "{\"export\": " EXPORT("socio", "ftp", "pendiente", "null", "null", "0", "0") "}" },
          { "sin_destino", "Sin destino", 400, .send = JSON({}), .detail = TEXT_EXPORT_WHERE },
          { "no_hay_destino", "No hay tal destino", 404, .send = JSON({"destination_id": 999}), .detail = TEXT_NO_DESTINATION },
          { "no_hay", "No hay tal solicitud", 404, .call = "/api/jobs/no-hay/export/ftp", .send = JSON({"destination_name": "socio"}), .detail = TEXT_NO_REQUEST },
          { "en_curso", "Ya se está enviando ahí", 409, .send = JSON({"destination_name": "socio"}), .detail = TEXT_EXPORT_RUNS }) },

    { export_sftp, "enviar_por_sftp", "Enviar una solicitud lista a un destino SFTP", .path = doc_request_id, .body = &which, .answers = SEND_ANSWERS,
      .examples = DOC_EXAMPLES(
          { "en_cola", "En cola", 202, .send = JSON({"destination_name": "archivo"}),
            .answer = "{\"export\": " EXPORT("archivo", "sftp", "pendiente", "null", "null", "0", "0") "}" },
          { "no_hay_destino", "No hay tal destino", 404, .send = JSON({"destination_id": 999}), .detail = TEXT_NO_DESTINATION }) },

    { export_list, "ver_envios", "Los envíos de una solicitud", .path = doc_request_id,
      .answers = DOC_ANSWERS({ 200, "Los envíos.", .body = &exports }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES(
          { "uno", "Uno que llegó", 200,
            .answer = "{\"id\": \"" DOC_ID "\", \"exports\": [" EXPORT("socio", "ftp", "listo", "null", "\"2026-07-30T12:00:00Z\"", "1000", "1") "]}" },
          { "no_hay", "No existe", 404, .call = "/api/jobs/no-hay/exports", .detail = TEXT_NO_REQUEST }) },

    { export_cancel, "cancelar_envio", "Cancelar un envío",
      .path = DOC_FIELDS(FIELD_TEXT("id", "Identificador de la solicitud.", .example = DOC_ID), FIELD_TEXT("n", "Número del envío.", .example = "1")),
      .answers = DOC_ANSWERS({ 200, "Cancelado.", .body = &one_export }, { 404, .help = "No hay tal solicitud o envío." }, { 409, .help = "Ya terminó." }),
      .examples = DOC_EXAMPLES(
          { "cancelado", "Cancelado", 200, .answer = "{\"export\": " EXPORT("socio", "ftp", "cancelado", "\"" TEXT_EXPORT_CANCELLED "\"", "\"2026-07-30T12:00:00Z\"", "0", "0") "}" },
          { "no_hay", "No existe", 404, .call = "/api/jobs/" DOC_ID "/exports/99", .detail = TEXT_NO_EXPORT }) },

    { export_logs, "ver_registro_de_envios", "El registro de los envíos de una solicitud", .path = doc_request_id,
      .answers = DOC_ANSWERS({ 200, "El registro.", .body = &lines }, { 404, .help = "No hay tal solicitud." }),
      .examples = DOC_EXAMPLES({ "vacio", "Nunca se envió", 200, .answer = JSON({"id": "modis-2026-07", "logs": []}) },
                               { "no_hay", "No existe", 404, .call = "/api/jobs/no-hay/logs", .detail = TEXT_NO_REQUEST }) },
    { .handler = NULL },
};

const DocGroup docs_destinations = { "Destinos", "Servidores de socios, y lo que se les envía.", docs };
