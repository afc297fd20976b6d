/* What is written about the calls that say how the service is and what it offers. */
#include "api/resources.h"
#include "api/route_doc.h"

static const DocSchema active = {
    "Activo", "El servicio responde.", DOC_FIELDS(FIELD_TEXT("status", "Siempre `active`.", .one_of = "active"))
};

static const DocSchema health = {
    "Salud", "Qué funciona, comprobado en el momento.",
    DOC_FIELDS(
        FIELD_TEXT("status", "`ok`, o `degraded` si algo de lo que sigue falla.", .one_of = "ok|degraded"),
        FIELD_TEXT("space", "Espacio libre de la carpeta de datos, en potencias de 1000; `error` si no se puede saber."),
        FIELD_TEXT("ftpd", "El servidor FTP acepta conexiones.", .one_of = "up|down"),
        FIELD_TEXT("database", "SQLite y, cuando se usa, MariaDB.", .one_of = "ok|down|error"),
        FIELD_TEXT("limpieza", "Solo cuando algo que debía retirarse no se ha podido retirar.", .one_of = "error", .optional = true),
        FIELD_NUMBER("space_free_gb", "GiB libres."),
        FIELD_NUMBER("space_total_gb", "GiB en total."),
        FIELD_NUMBER("space_used_pct", "Porcentaje ocupado."))
};

static const RouteDoc docs[] = {
    { root_get, "raiz", "Comprobar que el servicio está",
      .answers = DOC_ANSWERS({ 200, "El servicio responde.", .body = &active }),
      .examples = DOC_EXAMPLES({ "activo", "El servicio está", 200, .answer = JSON({"status": "active"}) }) },

    { health_get, "salud", "Qué funciona",
      "Cada parte se comprueba de verdad en cada llamada. Con algo caído la respuesta es 503, con las mismas claves y el culpable en `down` o `error`.",
      .answers = DOC_ANSWERS({ 200, "Todo funciona.", .body = &health }, { 503, "Algo no funciona.", .body = &health, .headers = DOC_RETRY_AFTER }),
      .examples = DOC_EXAMPLES({ "sano", "Todo funciona", 200,
          .answer = JSON({"status": "ok", "space": "1GB", "ftpd": "up", "database": "ok", "space_free_gb": 0.93, "space_total_gb": 0.93, "space_used_pct": 0.0}) }) },

    { metrics_get, "metricas", "Contadores y medidas para Prometheus",
      "Formato de texto 0.0.4. Para operadores, y sin credenciales para las direcciones de `TEMPOFTP_METRICS_FROM`.",
      .answers = DOC_ANSWERS({ 200, "Los contadores.", .media = "text/plain" }) },

    { openapi_get, "descripcion", "Esta descripción", "OpenAPI 3.1. Cambia solo con la versión y los ajustes del servicio: con `If-None-Match` se responde 304.",
      .headers = DOC_FIELDS(FIELD_TEXT("If-None-Match", "La `ETag` de la copia que ya se tiene.", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "La descripción.", .media = "application/json", .headers = DOC_ETAG }, { 304, "No ha cambiado.", .headers = DOC_ETAG }) },

    { docs_page_get, "documentacion", "Página para leer y probar la API", "Se puede iniciar sesión y probar cada llamada. No usa nada de Internet.",
      .headers = DOC_FIELDS(FIELD_TEXT("If-None-Match", "La `ETag` de la copia que ya se tiene.", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "La página.", .media = "text/html", .headers = DOC_ETAG }, { 304, "No ha cambiado.", .headers = DOC_ETAG },
                             { 404, .help = "El servicio se construyó sin ella." }) },

    { docs_file_get, "archivo_de_documentacion", "Archivos de esa página",
      .path = DOC_FIELDS(FIELD_TEXT("archivo", "Nombre del archivo.", .example = "docs.css")),
      .headers = DOC_FIELDS(FIELD_TEXT("If-None-Match", "La `ETag` de la copia que ya se tiene.", .optional = true)),
      .answers = DOC_ANSWERS({ 200, "El archivo.", .media = "*/*", .headers = DOC_ETAG }, { 304, "No ha cambiado.", .headers = DOC_ETAG },
                             { 404, .help = "No hay tal archivo." }),
      .examples = DOC_EXAMPLES({ "no_hay", "No hay tal archivo", 404, .call = "/docs/no-hay" }) },
    { .handler = NULL },
};

const DocGroup docs_service = { "Servicio", "Estado y descripción.", docs };
