/* Commands around the data connection: how things are sent (TYPE MODE STRU REST), how it is opened (PASV EPSV), RETR, how it is cut (ABOR). And what every
 * transfer needs: opening, the last reply, the report.
 *
 * Every RETR that began is reported to the listener, whole or cut, before the client reads its end. */
#include "ftpd/transfer.h"

#include "ftpd/active.h"
#include "ftpd/address.h"
#include "ftpd/ascii.h"
#include "ftpd/data_tls.h"
#include "ftpd/jail.h"
#include "ftpd/session.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define TEXT_SIZE (64U << 10)
#define PEER(s) ((const struct sockaddr *) &(s)->start->peer)
#define LOCAL(s) ((const struct sockaddr *) &(s)->start->local)

/* ---- how ---- */

/* Is the argument, but for spaces at its end, one of these? Which, or -1. */
static int find(const char *argument, const char *const *allowed) {
    size_t n = strlen(argument);

    while (n > 0 && argument[n - 1] == ' ')
        n--;
    for (int i = 0; allowed[i]; i++)
        if (strlen(allowed[i]) == n && strncasecmp(argument, allowed[i], n) == 0)
            return i;
    return -1;
}

/* The RFC's first type is A, and clients that never say TYPE are served as if they had said I all the same: they would break data unawares. */
int transfer_type(Conversation *c, char *argument) {
    static const char *const types[] = { "A", "A N", "I", "L 8", NULL };
    Session *s = (Session *) c;

    int type = find(argument, types);
    if (type < 0)
        return reply(c->fd, 504, "Tipo no admitido.");
    s->ascii = type < 2;
    return reply(c->fd, 200, s->ascii ? "Tipo A: los finales de línea se convierten." : "Tipo I: los archivos van sin cambios.");
}

static int accept_only(Conversation *c, const char *argument, const char *letter) {
    const char *const allowed[] = { letter, NULL };

    if (find(argument, allowed) < 0)
        return reply(c->fd, 504, "Valor no admitido.");
    return reply(c->fd, 200, "Aceptado.");
}

int transfer_mode(Conversation *c, char *argument) {
    return accept_only(c, argument, "S");
}

int transfer_stru(Conversation *c, char *argument) {
    return accept_only(c, argument, "F");
}

int transfer_rest(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    uint64_t offset;

    if (parse_u64(argument, INT64_MAX, &offset) < 0)
        return reply(c->fd, 501, "REST espera un número de byte.");
    if (offset > 0 && s->ascii) /* byte of what: disk or wire? */
        return reply(c->fd, 501, "En TYPE A no se puede continuar una transferencia; use TYPE I.");
    s->rest = offset;
    return reply(c->fd, 350, "Se continuará desde el byte %" PRIu64 ".", offset);
}

/* ---- where: PASV and EPSV ---- */

static int listen_for_data(Session *s, uint16_t *ret_port) {
    active_reset(s);
    return data_listen(&s->data, LOCAL(s), s->start->pasv_min, s->start->pasv_max, ret_port);
}

static int reply_no_port(Session *s) {
    return reply(s->conversation.fd, 425, "No hay puertos libres para datos; intente más tarde.");
}

int transfer_may_choose(Session *s) {
    if (!s->epsv_only)
        return 1;
    int r = reply(s->conversation.fd, 501, "Tras EPSV ALL solo se admite EPSV.");
    return r < 0 ? r : 0;
}

int transfer_pasv(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    struct in_addr address;
    uint16_t port;

    int r = transfer_may_choose(s);
    if (r <= 0)
        return r;
    if (!address_is_ipv4(LOCAL(s), &address))
        return reply(c->fd, 522, "Use EPSV: la conexión es IPv6 (2).");
    if (s->start->pasv_address.s_addr != INADDR_ANY)
        address = s->start->pasv_address;
    if (listen_for_data(s, &port) < 0)
        return reply_no_port(s);
    const unsigned char *a = (const unsigned char *) &address;
    return reply(c->fd, 227, "Modo pasivo (%u,%u,%u,%u,%u,%u).", a[0], a[1], a[2], a[3], port >> 8, port & 255);
}

/* RFC 2428 section 3. */
int transfer_epsv(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    struct in_addr address;
    uint16_t port;
    const char *family = address_is_ipv4(LOCAL(s), &address) ? "1" : "2";

    if (argument && strcasecmp(argument, "ALL") == 0) {
        s->epsv_only = true;
        return reply(c->fd, 200, "Desde ahora solo EPSV.");
    }
    if (argument && *argument && !streq(argument, family))
        return reply(c->fd, 522, "Protocolo de red no admitido, use (%s).", family);
    if (listen_for_data(s, &port) < 0)
        return reply_no_port(s);
    return reply(c->fd, 229, "Modo pasivo extendido (|||%u|)", port);
}

/* ---- over it ---- */

/* RFC 4217 section 9: the server is TLS's server, whoever opened the connection. */
static int secure(Session *s, WireDirection direction) {
    const TlsUse use = s->start->tls_any ? TLS_DATA_ANY : TLS_DATA_RESUMED;

    /* Not before it is used: a session without transfers touches none of OpenSSL's memory. */
    int r = tls_server_set_ticket_key(s->tls, s->start->ticket_key);
    if (r >= 0)
        r = data_tls_begin(&s->data, s->tls, use, direction == WIRE_DOWNLOAD);
    if (r >= 0)
        return 1;
    data_close(&s->data, false); /* the client is to read the alert */
    if (r == -ESHUTDOWN)
        return 0;
    if (r == -ECANCELED)
        r = reply(s->conversation.fd, 426, "Transferencia cancelada.");
    else if (r == -EPROTO && use == TLS_DATA_RESUMED)
        r = reply(s->conversation.fd, 522, "La conexión de datos debe reutilizar la sesión TLS de la de control.");
    else
        r = reply(s->conversation.fd, 425, "No fue posible cifrar la conexión de datos.");
    return r < 0 ? r : 0;
}

static bool lacks_protection(const Session *s) {
    return s->conversation.tls_mode == TLS_REQUIRED && !s->conversation.protect;
}

bool transfer_is_prepared(const Session *s) {
    return !lacks_protection(s) && (s->active.port > 0 || s->data.announced);
}

/* `begun`: where the 150 reply of a small file waits for the last one, or NULL: it leaves at once. */
static int open_data(Session *s, WireDirection direction, const char *what, Reply *begun) {
    if (lacks_protection(s)) {
        int refused = reply(s->conversation.fd, 521, "Este servidor exige datos cifrados: PBSZ 0 y PROT P.");
        return refused < 0 ? refused : 0;
    }
    int r = s->active.port > 0 ? active_connect(s) : data_accept(&s->data, PEER(s), begun && s->start->keep_ports);
    if (r >= 0)
        r = session_may_transfer(s);
    if (r >= 0) {
        if (begun) {
            reply_line(begun, 150, false, "%s", what);
            return 1;
        }
        r = reply(s->conversation.fd, 150, "%s", what);
        return r < 0 ? r : s->conversation.protect ? secure(s, direction) : 1;
    }
    data_reset(&s->data);
    if (r == -ESHUTDOWN)
        return 0;
    if (r == -ECANCELED)
        r = reply(s->conversation.fd, 426, "Transferencia cancelada.");
    else if (r == -ENOTCONN)
        r = reply(s->conversation.fd, 425, "Use antes PASV, EPSV, PORT o EPRT.");
    else
        r = reply(s->conversation.fd, 425, "No se pudo abrir la conexión de datos.");
    return r < 0 ? r : 0;
}

int transfer_open(Session *s, WireDirection direction, const char *what) {
    return open_data(s, direction, what, NULL);
}

static void put_end(Reply *reply, int result) {
    static const struct {
        int error, code;
        const char *text;
    } ends_of_data[] = {
        { 0, 226, "Transferencia completa." },
        { ECANCELED, 426, "Transferencia cancelada." },
        { ETIMEDOUT, 426, "La conexión de datos se detuvo demasiado tiempo." },
        { EPIPE, 426, "El cliente cerró la conexión de datos." },
        { EPROTO, 426, "La conexión TLS de datos falló." },
        { ECONNRESET, 426, "El cliente cerró la conexión de datos." },
        { E2BIG, 451, "Es demasiado para una sola lista; pida carpeta por carpeta." },
        { ENODATA, 451, "El archivo cambió durante el envío." },
        { ENOSPC, 452, "No queda espacio en el disco." },
        { EDQUOT, 552, "La cuota de la carpeta no alcanza." },
        { EFBIG, 552, "El archivo es demasiado grande." },
    };

    if (result == -ESHUTDOWN)
        return; /* the session's last word follows */
    for (size_t i = 0; i < ELEMENTS(ends_of_data); i++)
        if (ends_of_data[i].error == -result) {
            reply_line(reply, ends_of_data[i].code, false, "%s", ends_of_data[i].text);
            return;
        }
    reply_line(reply, 451, false, "Error local; intente más tarde.");
}

/* After what waits in it, if anything does. */
static int reply_end(Session *s, Reply *reply, int result) {
    put_end(reply, result);
    return reply->size > 0 ? reply_send(s->conversation.fd, reply) : 0;
}

int transfer_reply_end(Session *s, int result) {
    Reply reply;

    reply.size = 0;
    return reply_end(s, &reply, result);
}

int transfer_report(Session *s, WireDirection direction, uint64_t offset, uint64_t started_ms, int result) {
    WireMessage m;

    m.transfer = (WireTransfer) {
        .header = { .type = WIRE_TRANSFER },
        .direction = direction,
        .offset = offset,
        .bytes = s->data.sent,
        .ms = monotonic_ms() - started_ms,
        .whole = result == 0,
        .stalled = result == -ETIMEDOUT,
    };
    strcpy(m.transfer.path, s->file);
    int r = wire_send(CHILD_WIRE_FD, &m);
    if (r < 0) /* nobody counts any more: nobody serves */
        s->end = SESSION_STOPPED;
    return r;
}

/* TYPE A. */
static int send_text(Session *s, int file_fd, uint64_t size) {
    _cleanup_free_ char *buffer = malloc(3 * TEXT_SIZE); /* what is read, and twice as much for the wire */
    Ascii state = { 0 };
    int r = 0;

    if (!buffer)
        return -ENOMEM;
    for (uint64_t at = 0; at < size && r >= 0;) {
        ssize_t n = read_at(file_fd, buffer, size - at < TEXT_SIZE ? (size_t) (size - at) : TEXT_SIZE, at);
        if (n <= 0)
            return n < 0 ? (int) n : -ENODATA;
        at += (uint64_t) n;
        r = data_send(&s->data, buffer + TEXT_SIZE, ascii_to_wire(&state, buffer, (size_t) n, buffer + TEXT_SIZE));
        if (r >= 0)
            r = data_look(&s->data);
    }
    return r;
}

static int send_file(Session *s, int file_fd, const char *path, uint64_t offset, uint64_t size) {
    if (offset > 0 && s->ascii)
        return reply(s->conversation.fd, 554, "En TYPE A no se puede continuar una transferencia; use TYPE I.");
    if (offset > size)
        return reply(s->conversation.fd, 554, "El archivo termina antes del byte %" PRIu64 ".", offset);
    strcpy(s->file, path); /* from here on a revocation of its request is about us */
    s->file_size = size;
    s->file_offset = offset;
    /* Then nothing waits for the client, and both replies leave together. */
    bool small = !s->ascii && !s->conversation.protect && s->data.pace.rate == 0 && size - offset <= DATA_SMALL_MAX;
    Reply replies;
    replies.size = 0;
    int r = open_data(s, WIRE_DOWNLOAD, "Enviando el archivo.", small ? &replies : NULL);
    if (r <= 0) {
        s->file[0] = '\0';
        return r;
    }

    uint64_t started = monotonic_ms();
    int result = s->ascii ? send_text(s, file_fd, size) : data_send_file(&s->data, file_fd, offset, size);
    data_close(&s->data, result < 0);
    r = transfer_report(s, WIRE_DOWNLOAD, offset, started, result);
    s->file[0] = '\0';
    return reply_end(s, &replies, r < 0 ? -ESHUTDOWN : result);
}

int transfer_retr(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX];
    uint64_t offset = s->rest;
    struct stat st;

    s->rest = 0; /* for one RETR, also for one that fails */
    int r = session_resolve(s, argument, path);
    if (r <= 0)
        return r;
    /* O_NONBLOCK: a FIFO must not keep us waiting. */
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return session_reply_errno(s, fd);
    if (fstat(fd, &st) < 0)
        return session_reply_errno(s, -errno);
    if (!S_ISREG(st.st_mode))
        return session_reply_errno(s, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL);
    return send_file(s, fd, path, offset, (uint64_t) st.st_size);
}

int transfer_abor(Conversation *c, char *argument) {
    Session *s = (Session *) c;

    data_reset(&s->data);
    active_reset(s);
    return reply(c->fd, 226, "No queda ninguna transferencia en curso.");
}
