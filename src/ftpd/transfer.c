/* Commands around the data connection: how it is opened (PASV EPSV), what goes over it (RETR LIST NLST MLSD), how it is cut (ABOR).
 *
 * Every RETR that began is reported to the listener, whole or cut, before the client reads its end. */
#include "ftpd/address.h"
#include "ftpd/jail.h"
#include "ftpd/session.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define PEER(s) ((const struct sockaddr *) &(s)->start->peer)
#define LOCAL(s) ((const struct sockaddr *) &(s)->start->local)

/* ---- how ---- */

/* First letter and what may follow it; RFC 959 lets format controls come after TYPE A. */
static int choose(Conversation *c, const char *argument, const char *const *allowed, const char *text) {
    size_t n = strlen(argument);
    while (n > 0 && argument[n - 1] == ' ')
        n--;
    for (; *allowed; allowed++)
        if (strlen(*allowed) == n && strncasecmp(argument, *allowed, n) == 0)
            return reply(c->fd, 200, "%s", text);
    return reply(c->fd, 504, "Valor no admitido.");
}

int transfer_type(Conversation *c, char *argument) {
    static const char *const types[] = { "A", "A N", "I", "L 8", NULL };
    return choose(c, argument, types, "Tipo aceptado; los archivos se envían sin cambios.");
}

int transfer_mode(Conversation *c, char *argument) {
    static const char *const modes[] = { "S", NULL };
    return choose(c, argument, modes, "Modo S.");
}

int transfer_stru(Conversation *c, char *argument) {
    static const char *const structures[] = { "F", NULL };
    return choose(c, argument, structures, "Estructura F.");
}

int transfer_rest(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    uint64_t offset;

    if (parse_u64(argument, INT64_MAX, &offset) < 0)
        return reply(c->fd, 501, "REST espera un número de byte.");
    s->rest = offset;
    return reply(c->fd, 350, "Se continuará desde el byte %" PRIu64 ".", offset);
}

/* ---- where: PASV and EPSV ---- */

static int listen_for_data(Session *s, uint16_t *ret_port) {
    return data_listen(&s->data, LOCAL(s), s->start->pasv_min, s->start->pasv_max, ret_port);
}

static int reply_no_port(Session *s) {
    return reply(s->conversation.fd, 425, "No hay puertos libres para datos; intente más tarde.");
}

int transfer_pasv(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    struct in_addr address;
    uint16_t port;

    if (s->epsv_only)
        return reply(c->fd, 501, "Tras EPSV ALL solo se admite EPSV.");
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

/* 1: connected. 0: answered. */
static int open_data(Session *s, const char *what) {
    int r = data_accept(&s->data, PEER(s));
    if (r >= 0) {
        r = reply(s->conversation.fd, 150, "%s", what);
        return r < 0 ? r : 1;
    }
    data_reset(&s->data);
    if (r == -ESHUTDOWN)
        return 0;
    if (r == -ECANCELED)
        r = reply(s->conversation.fd, 426, "Transferencia cancelada.");
    else if (r == -ENOTCONN)
        r = reply(s->conversation.fd, 425, "Use antes PASV o EPSV.");
    else
        r = reply(s->conversation.fd, 425, "No llegó la conexión de datos.");
    return r < 0 ? r : 0;
}

/* The reply after the data: `result` as data_send…() gave it. */
static int reply_end(Session *s, int result) {
    int fd = s->conversation.fd;

    switch (result) {
    case 0:
        return reply(fd, 226, "Transferencia completa.");
    case -ESHUTDOWN:
        return 0; /* the session's last word follows */
    case -ECANCELED:
        return reply(fd, 426, "Transferencia cancelada.");
    case -ETIMEDOUT:
        return reply(fd, 426, "La conexión de datos se detuvo demasiado tiempo.");
    case -EPIPE:
    case -ECONNRESET:
        return reply(fd, 426, "El cliente cerró la conexión de datos.");
    case -ENODATA:
        return reply(fd, 451, "El archivo cambió durante el envío.");
    default:
        return reply(fd, 451, "Error al leer los datos.");
    }
}

static int report(Session *s, uint64_t offset, uint64_t started_ms, bool whole) {
    WireMessage m;

    m.transfer = (WireTransfer) {
        .header = { .type = WIRE_TRANSFER },
        .offset = offset,
        .bytes = s->data.sent,
        .ms = monotonic_ms() - started_ms,
        .whole = whole,
    };
    strcpy(m.transfer.path, s->file);
    return wire_send(CHILD_WIRE_FD, &m);
}

static int send_file(Session *s, int file_fd, const char *path, uint64_t offset, uint64_t size) {
    if (offset > size)
        return reply(s->conversation.fd, 554, "El archivo termina antes del byte %" PRIu64 ".", offset);
    strcpy(s->file, path); /* from here on a revocation of its request is about us */
    s->file_size = size;
    int r = open_data(s, "Enviando el archivo.");
    if (r <= 0) {
        s->file[0] = '\0';
        return r;
    }

    uint64_t started = monotonic_ms();
    int result = data_send_file(&s->data, file_fd, offset, size);
    data_close(&s->data, result < 0);
    r = report(s, offset, started, result == 0);
    s->file[0] = '\0';
    if (r < 0) { /* nobody counts any more: nobody serves */
        s->end = SESSION_STOPPED;
        return 0;
    }
    return reply_end(s, result);
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

/* ---- listings ---- */

static int write_data(void *userdata, const char *data, size_t size) {
    return data_send(userdata, data, size);
}

/* One file, or the link itself. */
static int list_one(const Listing *l, int fd, const char *name) {
    char line[LISTING_ENTRY_MAX];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    return l->write(l->userdata, line, listing_entry(l, name, &st, NULL, line));
}

static int send_listing(Session *s, const Listing *l, int fd, bool folder, const char *name) {
    s->file_size = 0;
    int r = open_data(s, "Enviando la lista.");
    if (r <= 0)
        return r;
    int result = folder ? listing_folder(l, fd) : list_one(l, fd, name);
    data_close(&s->data, result < 0);
    return reply_end(s, result);
}

static const char *last_component(const char *text) {
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}

/* A last component with wildcards: `path` becomes its folder. 1: *ret_fd is open. 0: answered. */
static int open_pattern(Session *s, char path[static VIRTUAL_PATH_MAX], int *ret_fd) {
    char *end = strrchr(path, '/');
    end[end == path] = '\0';
    int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        int r = session_reply_errno(s, fd);
        return r < 0 ? r : 0;
    }
    *ret_fd = fd;
    return 1;
}

/* LIST and NLST: a folder, one file, or a pattern. */
static int list(Session *s, const char *argument, ListingFormat format) {
    /* A copy: the reader's bytes move when more commands arrive during the transfer. */
    char path[VIRTUAL_PATH_MAX], text[COMMAND_LINE_MAX] = "", prefix[COMMAND_LINE_MAX + 2] = "";
    Listing l = { .format = format, .now = utc_now(), .home_fd = -EBADF, .write = write_data, .userdata = &s->data };
    bool folder = true;

    if (argument)
        strcpy(text, argument);
    const char *last = last_component(text);
    int r = session_resolve(s, text, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOTDIR) {
        fd = path_open(CHILD_HOME_FD, path, O_PATH);
        folder = false;
    }
    if (fd < 0 && has_glob(last)) {
        r = open_pattern(s, path, &fd);
        if (r <= 0)
            return r;
        l.pattern = last;
        snprintf(prefix, sizeof(prefix), "%.*s", (int) (last - text), text);
    } else if (fd < 0)
        return session_reply_errno(s, fd);
    else if (folder && text[0] && !streq(text, "."))
        snprintf(prefix, sizeof(prefix), "%s%s", text, has_suffix(text, "/") ? "" : "/");
    l.prefix = prefix[0] ? prefix : NULL;
    strcpy(s->file, path);
    r = send_listing(s, &l, fd, folder, format == LISTING_NAMES ? text : last);
    s->file[0] = '\0';
    return r;
}

/* Clients send flags of ls(1); what they ask for is what they get anyway. */
static char *skip_flags(char *argument) {
    while (argument && argument[0] == '-') {
        argument += strcspn(argument, " ");
        argument += strspn(argument, " ");
    }
    return argument && *argument ? argument : NULL;
}

int transfer_list(Conversation *c, char *argument) {
    return list((Session *) c, skip_flags(argument), LISTING_LONG);
}

int transfer_nlst(Conversation *c, char *argument) {
    return list((Session *) c, skip_flags(argument), LISTING_NAMES);
}

int transfer_mlsd(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX];
    Listing l = {
        .format = LISTING_FACTS, .facts = s->facts, .home_fd = CHILD_HOME_FD, .folder = path, .write = write_data, .userdata = &s->data,
    };

    int r = session_resolve(s, argument, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOTDIR)
        return reply(c->fd, 501, "No es una carpeta.");
    if (fd < 0)
        return session_reply_errno(s, fd);
    strcpy(s->file, path);
    r = send_listing(s, &l, fd, true, NULL);
    s->file[0] = '\0';
    return r;
}

int transfer_abor(Conversation *c, char *argument) {
    data_reset(&((Session *) c)->data);
    return reply(c->fd, 226, "No queda ninguna transferencia en curso.");
}
