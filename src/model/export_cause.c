/* The table of causes of failed exports, and their texts. How a cause is found out stands in export/. */
#include "model/export_cause.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    const char *name, *step, *text;
    bool retried;
} causes[EXPORT_CAUSE_MAX] = {
    [EXPORT_RESOLVE] = { "resolve", "Nombre", "el servidor no se encuentra", true },
    [EXPORT_ADDRESS] = { "address", "Dirección", "es de este equipo o de enlace local, y TEMPOFTP_EXPORT_INTERNAL no lo permite", false },
    [EXPORT_CONNECT] = { "connect", "Conexión", "el servidor no responde", true },
    [EXPORT_TLS] = { "tls", "TLS", "el servidor no ofrece una conexión cifrada que sirva", false },
    [EXPORT_CERTIFICATE] = { "certificate", "Certificado", "el del servidor no es válido", false },
    [EXPORT_HOST_KEY_UNKNOWN] = { "host-key-unknown", "Clave del servidor", "nadie la ha aceptado; compare la huella y acéptela", false },
    [EXPORT_HOST_KEY_CHANGED] = { "host-key-changed", "Clave del servidor",
                                  "cambió y no es la aceptada: alguien puede estar en medio; no se envió nada", false },
    [EXPORT_LOGIN] = { "login", "Ingreso", "el servidor no acepta el usuario, la contraseña o la clave", false },
    [EXPORT_PATH] = { "path", "Carpeta", "la ruta no existe y no se pudo crear", false },
    [EXPORT_WRITE] = { "write", "Escritura", "el servidor no acepta archivos en la ruta", true },
    [EXPORT_SPACE] = { "space", "Espacio", "el servidor no tiene espacio", false },
    [EXPORT_NAME] = { "name", "Nombre", "un archivo tiene un nombre que no se puede enviar", false },
    [EXPORT_RENAME] = { "rename", "Nombre definitivo", "el servidor no dejó dar su nombre a un archivo que llegó entero", true },
    [EXPORT_REMOVE] = { "remove", "Borrado", "se pudo escribir, pero no borrar lo escrito", false },
    [EXPORT_BUSY] = { "busy", "Conexión", "el servidor no acepta más conexiones por ahora", true },
    [EXPORT_SIZE] = { "size", "Comprobación", "lo que llegó no tiene el tamaño del original", true },
    [EXPORT_SOURCE] = { "source", "Origen", "falta un archivo de la entrega o no se puede leer", false },
    [EXPORT_CONNECTION_LOST] = { "connection-lost", "Conexión", "se cortó", true },
    [EXPORT_STALLED] = { "stalled", "Conexión", "el servidor dejó de responder", true },
    [EXPORT_TIMEOUT] = { "timeout", "Tiempo", "la prueba no terminó a tiempo", false },
    [EXPORT_UNIT] = { "unit", "Servicio", "la unidad de envío terminó antes de tiempo, una y otra vez", false },
    [EXPORT_SECRET] = { "secret", "Secreto", "ninguna clave abre la contraseña guardada: escríbala de nuevo", false },
    [EXPORT_INTERNAL] = { "internal", "Error interno", "vea el registro del servicio", false },
};

const char *export_cause_name(ExportCause c) {
    return (unsigned) c < EXPORT_CAUSE_MAX ? causes[c].name : NULL;
}

int export_cause_parse(const char *name, ExportCause *ret) {
    for (ExportCause c = 0; c < EXPORT_CAUSE_MAX; c++)
        if (streq(causes[c].name, name)) {
            *ret = c;
            return 0;
        }
    return -EINVAL;
}

bool export_cause_is_retried(ExportCause c) {
    return causes[c].retried;
}

/* Half a character at the end goes. */
static void mend_end(char *text) {
    size_t size = strlen(text), at = size;

    while (at > 0 && size - at < 4 && !utf8_is_valid(text, size))
        if (((unsigned char) text[--at] & 0xc0) != 0x80) {
            text[at] = '\0';
            return;
        }
}

void export_cause_message(ExportCause c, const char *detail, char *ret, size_t size) {
    if (detail && detail[0])
        snprintf(ret, size, "%s: %s (%s)", causes[c].step, causes[c].text, detail);
    else
        snprintf(ret, size, "%s: %s", causes[c].step, causes[c].text);
    if (strlen(ret) == size - 1)
        mend_end(ret);
}
