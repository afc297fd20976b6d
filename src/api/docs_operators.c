/* What is written about the calls by which operators rule over users and read the trail. */
#include "api/query.h"
#include "api/resources.h"
#include "api/route_doc.h"
#include "model/texts.h"

static const DocSchema user = {
    "Usuario", "Quien puede iniciar sesión.",
    DOC_FIELDS(
        FIELD_INTEGER("id", "Número."),
        FIELD_TEXT("nombre", "Nombre."),
        FIELD_TEXT("correo", "Correo."),
        FIELD_BOOLEAN("is_active", "Puede iniciar sesión."),
        FIELD_TEXT("rol", "`operador` lo puede todo.", .one_of = "usuario|operador"),
        FIELD_TIME("created_at", "Cuándo se registró."))
};

static const DocSchema users = {
    "Usuarios", "Los usuarios, por número.", DOC_FIELDS(FIELD_LIST("usuarios", &user, "Uno por usuario."), FIELD_INTEGER("total", "Cuántos hay en esta respuesta."))
};

static const DocSchema change = {
    "CambioDeUsuario", "Lo que cambia: al menos una clave.",
    DOC_FIELDS(
        FIELD_BOOLEAN("is_active", "`false` termina sus sesiones.", .optional = true),
        FIELD_TEXT("rol", "`usuario` u `operador`.", .optional = true),
        FIELD_TEXT("password", "De 12 a 128 bytes; termina sus sesiones.", .optional = true))
};

static const DocSchema record = {
    "Registro", "Una llamada que cambió algo, o que se rechazó.",
    DOC_FIELDS(
        FIELD_INTEGER("n", "Número, creciente."),
        FIELD_TIME("momento", "Cuándo."),
        FIELD_TEXT("actor", "Quién: `user:CORREO`, `unix:USUARIO` o `api:DIRECCIÓN`."),
        FIELD_TEXT("direccion", "Dirección del cliente, o `unix`."),
        FIELD_TEXT("accion", "Método y ruta."),
        FIELD_TEXT("objeto", "Sobre qué o quién.", .nullable = true),
        FIELD_TEXT("detalle", "Qué cambió, en una palabra o dos.", .nullable = true),
        FIELD_INTEGER("resultado", "Estado HTTP."),
        FIELD_TEXT("request_id", "`X-Request-ID` de la llamada."))
};

static const DocSchema trail = { "Auditoria", "Registros, del más nuevo al más antiguo.",
    DOC_FIELDS(FIELD_LIST("registros", &record, "Uno por llamada."), FIELD_INTEGER("siguiente", "Para pedir los que siguen con `antes`; `null`: no hay más.", .nullable = true)) };

static const RouteDoc docs[] = {
    { user_list, "listar_usuarios", "Quién puede iniciar sesión",
      .query = DOC_FIELDS(
          FIELD_INTEGER("limite", "Cuántos como máximo.", .min = 1, .max = QUERY_LIST_MAX, .fallback = "500", .optional = true),
          FIELD_INTEGER("despues", "Solo los que siguen a este número.", .min = 1, .max = INT64_MAX, .optional = true)),
      .answers = DOC_ANSWERS({ 200, "Los usuarios.", .body = &users }),
      .examples = DOC_EXAMPLES(
          { "uno", "Hay uno", 200, .answer = JSON({"usuarios": [{"id": 7, "nombre": "Ana", "correo": "ana@example.org", "is_active": true, "rol": "usuario",
                                                   "created_at": "2026-07-30T12:00:00Z"}], "total": 1}) },
          { "limite_invalido", "Límite fuera de rango", 422, .call = "/api/usuarios?limite=1001", .query = "limite", .detail = "Debe ser un entero de 1 a 1000",
            .kind = "int_parsing" }) },

    { user_patch, "cambiar_usuario", "Activar, desactivar, cambiar rol o contraseña",
      .path = DOC_FIELDS(FIELD_TEXT("usuario", "El número o el correo.", .example = DOC_EMAIL)), .body = &change,
      .answers = DOC_ANSWERS({ 200, "El usuario, cambiado.", .body = &user }, { 400, .help = "Bien formado, pero rechazado." }, { 404, .help = "No hay tal usuario." }),
      .examples = DOC_EXAMPLES(
          { "activado", "Activado", 200, .send = JSON({"is_active": true}),
            .answer = JSON({"id": 7, "nombre": "Ana", "correo": "ana@example.org", "is_active": true, "rol": "usuario", "created_at": "2026-07-30T12:00:00Z"}) },
          { "nada", "Nada que cambiar", 400, .send = JSON({}), .detail = TEXT_NOTHING_TO_CHANGE },
          { "rol_invalido", "No hay tal rol", 400, .send = JSON({"rol": "jefe"}), .detail = TEXT_BAD_ROLE },
          { "clave_corta", "Contraseña corta", 400, .send = JSON({"password": "corta"}), .detail = TEXT_BAD_PASSWORD },
          { "no_hay", "No existe", 404, .call = "/api/usuarios/nadie@example.org", .send = JSON({"is_active": true}), .detail = TEXT_NO_USER }) },

    { audit_list, "ver_auditoria", "Quién hizo qué",
      .query = DOC_FIELDS(
          FIELD_INTEGER("limite", "Cuántos como máximo.", .min = 1, .max = QUERY_LIST_MAX, .fallback = "100", .optional = true),
          FIELD_INTEGER("antes", "Solo los anteriores a este número: el `siguiente` de la respuesta anterior.", .min = 1, .max = INT64_MAX, .optional = true),
          FIELD_TEXT("actor", "Solo de este actor.", .optional = true),
          FIELD_TEXT("accion", "Solo esta acción, como `DELETE /tmpftp/{}`.", .optional = true),
          FIELD_TEXT("objeto", "Solo sobre esto.", .optional = true),
          FIELD_TEXT("direccion", "Solo de este cliente.", .optional = true),
          FIELD_TEXT("request_id", "Solo de esta llamada.", .optional = true),
          FIELD_TEXT("desde", "Fecha u hora: `2026-11-21` o `2026-11-21T11:30:00Z`.", .optional = true),
          FIELD_TEXT("hasta", "Fecha (con todo el día) u hora.", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "Los registros.", .body = &trail }),
      .examples = DOC_EXAMPLES(
          { "uno", "El último", 200, .call = "/api/auditoria?limite=1",
            .answer = JSON({"registros": [{"n": 12, "momento": "2026-07-30T12:00:00Z", "actor": "user:ana@example.org", "direccion": "192.0.2.7",
                            "accion": "DELETE /tmpftp/{}", "objeto": "modis-2026-07", "detalle": null, "resultado": 200, "request_id": "6f1c2a9e"}], "siguiente": 12}) },
          { "limite_invalido", "Límite fuera de rango", 422, .call = "/api/auditoria?limite=1001", .query = "limite", .detail = "Debe ser un entero de 1 a 1000",
            .kind = "int_parsing" },
          { "fecha_invalida", "No es una fecha", 422, "/api/auditoria?desde=ayer", .query = "desde",
            .detail = "Debe ser una fecha como 2026-11-21 o 2026-11-21T11:30:00Z", .kind = "datetime_parsing" }) },
    { .handler = NULL },
};

const DocGroup docs_operators = { "Operación", "Usuarios y auditoría.", docs };
