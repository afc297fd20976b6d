/* Why a copy failed, in three tables: the cause's name and the sentence a person reads, the needles that tell it from
 * what ssh and rsync said, and what an exit status means when nothing was said.
 *
 * Needles are OpenSSH's and rsync's own English texts (workers run with LC_ALL=C); an older rsync on the source leaves
 * out "[sender]", so the needles do too. Nothing is run and nothing is retried here. */
#include "model/cause.h"

#include "basic/strings.h"
#include "model/texts.h"

#include <errno.h>
#include <signal.h>

#define KNOWN_HOSTS "/etc/tempoftp/known_hosts"
#define KEY_FILE "/etc/tempoftp/id_ed25519"

static const struct {
    const char *name;
    bool retried;
    const char *text;     /* without a detail */
    const char *detailed; /* %s: the detail */
} causes[CAUSE_MAX] = {
    [CAUSE_HOST_KEY] = {
        "host-key", false,
        "La llave del servidor de origen falta en " KNOWN_HOSTS " o cambió: compruébela con su administrador y "
        "agréguela con ssh-keyscan.",
        "La llave del servidor de origen falta en " KNOWN_HOSTS " o cambió: compruébela con su administrador y "
        "agréguela con ssh-keyscan (%s).",
    },
    [CAUSE_NO_KEY] = {
        "no-key", false,
        "La llave ssh del servidor de entrega falta o no se puede leer: su administrador la crea en " KEY_FILE ", sin contraseña, y "
        "la autoriza en el origen.",
        "La llave ssh del servidor de entrega falta o no se puede leer: su administrador la crea en " KEY_FILE ", sin contraseña, y "
        "la autoriza en el origen (%s).",
    },
    [CAUSE_PERMISSION_SSH] = {
        "permission-ssh", false,
        "El servidor de origen no aceptó nuestra llave ssh: autorice la llave pública de /etc/tempoftp en el "
        "authorized_keys de ese usuario, o indique otro con usuario@host:/ruta.",
        "El servidor de origen no aceptó nuestra llave ssh: autorice la llave pública de /etc/tempoftp en el "
        "authorized_keys de ese usuario, o indique otro con usuario@host:/ruta (%s).",
    },
    [CAUSE_PERMISSION_PATH] = {
        "permission-path", false,
        "El usuario del origen no puede leer todos los datos de la ruta: pida permiso de lectura para él y repita la "
        "solicitud.",
        "El usuario del origen no puede leer todos los datos de la ruta: pida permiso de lectura para él y repita la "
        "solicitud (%s).",
    },
    [CAUSE_NO_SUCH_PATH] = {
        "no-such-path", false,
        "La ruta no existe en el servidor de origen: revise mayúsculas, espacios y el nombre de cada carpeta.",
        "La ruta no existe en el servidor de origen: revise mayúsculas, espacios y el nombre de cada carpeta (%s).",
    },
    [CAUSE_NO_SUCH_HOST] = {
        "no-such-host", false,
        "El nombre del servidor de origen no se encontró en el DNS: revise el host de la ruta.",
        "El nombre del servidor de origen no se encontró en el DNS: revise el host de la ruta (%s).",
    },
    [CAUSE_NO_RESOLVER] = {
        "no-resolver", true,
        "El DNS del servidor de entrega no contesta, así que el host de la ruta no se pudo buscar: compruebe su red y "
        "/etc/resolv.conf, y repita la solicitud.",
        "El DNS del servidor de entrega no contesta, así que el host de la ruta no se pudo buscar: compruebe su red y "
        "/etc/resolv.conf, y repita la solicitud (%s).",
    },
    [CAUSE_UNREACHABLE] = {
        "unreachable", true,
        "No se pudo conectar con el servidor de origen: compruebe que esté encendido, que su servicio ssh responda y "
        "que el firewall lo permita.",
        "No se pudo conectar con el servidor de origen: compruebe que esté encendido, que su servicio ssh responda y "
        "que el firewall lo permita (%s).",
    },
    [CAUSE_CONNECTION_LOST] = {
        "connection-lost", true,
        "Se perdió la conexión con el servidor de origen y no se recuperó: compruebe la red y repita la solicitud.",
        "Se perdió la conexión con el servidor de origen y no se recuperó: compruebe la red y repita la solicitud (%s).",
    },
    [CAUSE_KILLED] = {
        "killed", true,
        "La copia fue interrumpida una y otra vez en el servidor de entrega: compruebe su memoria y quién termina procesos en "
        "él, y repita la solicitud.",
        "La copia fue interrumpida una y otra vez en el servidor de entrega: compruebe su memoria y quién termina procesos en "
        "él, y repita la solicitud (%s).",
    },
    [CAUSE_TOO_LARGE] = {
        "too-large", false,
        TEXT_NO_SPACE,
        "%s", /* the contract's whole sentence: "Espacio insuficiente en <data path>: se requieren N bytes" */
    },
    [CAUSE_DISK_FULL] = {
        "disk-full", false,
        "El disco se llenó durante la copia: libere espacio en el servidor de entrega y repita la solicitud.",
        "El disco se llenó durante la copia: libere espacio en el servidor de entrega y repita la solicitud (%s).",
    },
    [CAUSE_NO_RSYNC] = {
        "no-rsync", false,
        "El servidor de origen no ejecuta rsync: pida a su administrador que lo instale y que el shell de ese usuario lo "
        "deje ejecutar sin escribir nada más.",
        "El servidor de origen no ejecuta rsync: pida a su administrador que lo instale y que el shell de ese usuario lo "
        "deje ejecutar sin escribir nada más (%s).",
    },
    [CAUSE_UNIT] = {
        "unit", false,
        "La unidad de copia falló: el administrador puede ver la causa con journalctl.",
        "La unidad de copia falló (%s): el administrador puede ver la causa con journalctl.",
    },
    [CAUSE_ORIGIN] = {
        "origin", false,
        "Origen no permitido",
        "Origen no permitido: %s",
    },
    [CAUSE_INTERNAL] = {
        "internal", false,
        "Error interno durante la copia: el administrador puede ver la causa con journalctl.",
        "Error interno durante la copia (%s): el administrador puede ver la causa con journalctl.",
    },
};

const char *cause_name(Cause c) {
    return causes[c].name;
}

int cause_parse(const char *name, Cause *ret) {
    for (Cause c = 0; c < CAUSE_MAX; c++)
        if (streq(name, causes[c].name)) {
            *ret = c;
            return 0;
        }
    return -EINVAL;
}

bool cause_is_retried(Cause c) {
    return causes[c].retried;
}

/* ---- the sentence ---- */

typedef struct Line {
    char *text;
    size_t size, used;
    bool full;
} Line;

/* Appends whole characters while they fit; control characters and what is not UTF-8 become one '?' each (details may
 * quote a stranger's server). */
static void line_append(Line *l, const char *text, size_t size) {
    while (size > 0 && !l->full) {
        uint32_t point;
        int n = utf8_decode(text, size, &point);
        bool odd = n < 0 || point < ' ' || (point >= 0x7f && point < 0xa0);
        size_t step = n > 0 ? (size_t) n : 1, width = odd ? 1 : step;

        if (l->used + width + 1 > l->size) {
            l->full = true;
            return;
        }
        memcpy(l->text + l->used, odd ? "?" : text, width);
        l->used += width;
        text += step;
        size -= step;
    }
}

void cause_message(Cause c, const char *detail, char *ret, size_t size) {
    if (size == 0)
        return;

    Line line = { .text = ret, .size = size };
    const char *text = is_blank(detail) ? causes[c].text : causes[c].detailed;
    const char *slot = is_blank(detail) ? NULL : strstr(text, "%s");
    if (slot) {
        line_append(&line, text, (size_t) (slot - text));
        line_append(&line, detail, strlen(detail));
        text = slot + 2;
    }
    line_append(&line, text, strlen(text));
    ret[line.used] = '\0';
}

/* ---- the diagnosis ---- */

/* Both needles in one line of the output; the first row that is found decides, so specific ones and first causes stand
 * above what follows from them. */
static const struct {
    const char *needle, *and;
    Cause cause;
} needles[] = {
    { "Host key verification failed", "", CAUSE_HOST_KEY },
    { "REMOTE HOST IDENTIFICATION HAS CHANGED", "", CAUSE_HOST_KEY },
    { "host key is known for", "", CAUSE_HOST_KEY },
    { "Load key \"", "/ssh-key\": ", CAUSE_NO_KEY }, /* the credential; without it the source refuses us */
    { "Permission denied (", "publickey", CAUSE_PERMISSION_SSH },
    { ": Permission denied (", "keyboard-interactive", CAUSE_PERMISSION_SSH },
    { ": Permission denied (", "password", CAUSE_PERMISSION_SSH },
    { "Too many authentication failures", "", CAUSE_PERMISSION_SSH },
    { "Could not resolve hostname", "Temporary failure", CAUSE_NO_RESOLVER },
    { "Could not resolve hostname", "", CAUSE_NO_SUCH_HOST },
    { "ssh: connect to host", "", CAUSE_UNREACHABLE },
    { "kex_exchange_identification:", "", CAUSE_UNREACHABLE },
    { "banner exchange", "", CAUSE_UNREACHABLE },
    { "Unable to negotiate with", "", CAUSE_UNREACHABLE },
    { "No space left on device", "", CAUSE_DISK_FULL },
    { "Disk quota exceeded", "", CAUSE_DISK_FULL },
    { ": command not found", "", CAUSE_NO_RSYNC },
    { "rsync: not found", "", CAUSE_NO_RSYNC },
    { "command not found: rsync", "", CAUSE_NO_RSYNC },
    { "Unknown command: rsync", "", CAUSE_NO_RSYNC },
    { "rsync: No such file or directory", "", CAUSE_NO_RSYNC },
    { "remote command not found", "", CAUSE_NO_RSYNC },
    { "is your shell clean?", "", CAUSE_NO_RSYNC }, /* it printed something, or is nologin */
    /* Only what the sender does: the receiver's own failures ("mkstemp", "change_dir#3") are ours. */
    { "link_stat \"", "No such file or directory", CAUSE_NO_SUCH_PATH },
    { "change_dir \"", "No such file or directory", CAUSE_NO_SUCH_PATH },
    { "link_stat \"", "Not a directory", CAUSE_NO_SUCH_PATH },
    { "change_dir \"", "Not a directory", CAUSE_NO_SUCH_PATH },
    { "link_stat \"", "Permission denied", CAUSE_PERMISSION_PATH },
    { "change_dir \"", "Permission denied", CAUSE_PERMISSION_PATH },
    { "opendir \"", "Permission denied", CAUSE_PERMISSION_PATH },
    { "readlink_stat(\"", "Permission denied", CAUSE_PERMISSION_PATH },
    { "send_files failed to open \"", "Permission denied", CAUSE_PERMISSION_PATH },
    { "] Failed to exec ", "", CAUSE_INTERNAL }, /* no ssh on our side */
    { "connection unexpectedly closed", "", CAUSE_CONNECTION_LOST },
    { "closed by remote host", "", CAUSE_CONNECTION_LOST },
    { "Connection closed by", "", CAUSE_CONNECTION_LOST },
    { "Connection reset", "", CAUSE_CONNECTION_LOST },
    { "Connection timed out", "", CAUSE_CONNECTION_LOST },
    { "Broken pipe", "", CAUSE_CONNECTION_LOST },
    { "not responding", "", CAUSE_CONNECTION_LOST },
    { "timeout in data send/receive", "", CAUSE_CONNECTION_LOST },
    { "io timeout after", "", CAUSE_CONNECTION_LOST },
};

/* man rsync, EXIT VALUES; 255 is ssh's own. */
static const struct {
    int status;
    Cause cause;
} statuses[] = {
    { 10, CAUSE_CONNECTION_LOST },  /* error in socket I/O */
    { 12, CAUSE_CONNECTION_LOST },  /* error in rsync protocol data stream */
    { 16, CAUSE_KILLED },           /* one of its own processes was terminated */
    { 20, CAUSE_KILLED },           /* received SIGINT, SIGTERM or SIGHUP */
    { 30, CAUSE_CONNECTION_LOST },  /* timeout in data send/receive */
    { 35, CAUSE_UNREACHABLE },      /* timeout waiting for daemon connection */
    { 127, CAUSE_NO_RSYNC },        /* the remote shell found no rsync */
    { 255, CAUSE_CONNECTION_LOST }, /* ssh ended without a word */
};

static bool same_line_has(const char *text, const char *needle, const char *and) {
    for (const char *found = text; (found = strstr(found, needle)); found++) {
        if (memmem(found, strcspn(found, "\r\n"), and, strlen(and)))
            return true;
    }
    return false;
}

Cause cause_from_output(const char *stderr_text, int exit_status, int term_signal) {
    for (size_t i = 0; stderr_text && i < ELEMENTS(needles); i++)
        if (same_line_has(stderr_text, needles[i].needle, needles[i].and))
            return needles[i].cause;
    for (size_t i = 0; term_signal == 0 && i < ELEMENTS(statuses); i++)
        if (exit_status == statuses[i].status)
            return statuses[i].cause;
    return term_signal == SIGKILL || term_signal == SIGTERM ? CAUSE_KILLED : CAUSE_INTERNAL;
}
