/* Commands that take a file from the client: STOR, STOU, APPE.
 *
 * Bytes go straight into the file that bears the name, as FTP clients expect that resume a cut upload by its size: what has arrived stays. A file that
 * is overwritten loses its old bytes when the data connection stands, not before. Every upload that began is reported to the listener. */
#include "ftpd/ascii.h"
#include "ftpd/drop.h"
#include "ftpd/jail.h"
#include "ftpd/transfer.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#define BUFFER_SIZE (1U << 20) /* a client that is fast fills it: measured, 256 KiB cost an eighth more CPU time */
#define BUFFER_ALIGNMENT 4096 /* copies of whole pages are the fastest; the bytes in front are for ascii_from_wire() */

/* A file that is being received. */
typedef struct Upload {
    Session *session;
    int fd;
    uint64_t at; /* where the next byte goes */
    bool ascii;
    Ascii state;
} Upload;

static int write_at(Upload *u, const char *p, size_t size) {
    while (size > 0) {
        ssize_t n = pwrite(u->fd, p, size, (off_t) u->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t) n;
        u->at += (uint64_t) n;
    }
    return 0;
}

/* As much as the quota holds. */
static int put(Upload *u, const char *data, size_t size) {
    size_t fits;

    int r = drop_take(u->session, size, &fits);
    if (r < 0)
        return r;
    r = write_at(u, data, fits);
    if (r < 0)
        drop_freed(u->session); /* not all that was taken is used */
    return r < 0 ? r : fits < size ? -EDQUOT : 0;
}

static int receive(Upload *u) {
    _cleanup_free_ char *buffer = aligned_alloc(BUFFER_ALIGNMENT, BUFFER_ALIGNMENT + BUFFER_SIZE);
    int r = 0;

    if (!buffer)
        return -ENOMEM;
    char *data = buffer + BUFFER_ALIGNMENT;
    while (r >= 0) {
        ssize_t n = data_receive(&u->session->data, data, BUFFER_SIZE);
        if (n < 0)
            return (int) n;
        if (n == 0)
            break;
        if (u->ascii)
            r = put(u, data - 1, ascii_from_wire(&u->state, data, (size_t) n, data - 1));
        else
            r = put(u, data, (size_t) n);
    }
    return r < 0 ? r : put(u, buffer, ascii_from_wire_end(&u->state, buffer));
}

static int cut_to(Upload *u, uint64_t size) {
    if (u->at == size)
        return 0;
    if (ftruncate(u->fd, (off_t) u->at) < 0)
        return -errno;
    drop_freed(u->session);
    return 0;
}

/* `size`: of the file as it is now. */
static int take_file(Session *s, int fd, const char *path, uint64_t offset, uint64_t size, const char *greeting) {
    Upload u = { .session = s, .fd = fd, .at = offset, .ascii = s->ascii };

    strcpy(s->file, path);
    s->file_size = 0; /* nobody knows yet */
    s->file_offset = offset;
    int r = transfer_open(s, WIRE_UPLOAD, greeting);
    if (r <= 0) {
        s->file[0] = '\0';
        return r;
    }
    uint64_t started = monotonic_ms();
    int result = cut_to(&u, size);
    if (result >= 0)
        result = receive(&u);
    data_close(&s->data, result < 0);
    r = transfer_report(s, WIRE_UPLOAD, offset, started, result);
    s->file[0] = '\0';
    return r < 0 ? 0 : transfer_reply_end(s, result);
}

/* 1: *ret_fd is open for writing; 0: answered. A file that is there keeps its bytes. `making`: O_CREAT; with O_EXCL there must be none; 0: there must be. */
static int open_file(Session *s, const char *path, int making, int *ret_fd, uint64_t *ret_size) {
    /* A FIFO must not keep us waiting. At its end, wherever another session leaves that: a file grows by what is written and no more, as drop_take() counts. */
    const int flags = O_WRONLY | O_NONBLOCK | O_APPEND;
    struct stat st;
    bool made = false;

    _cleanup_close_ int fd = making & O_EXCL ? -ENOENT : path_open(CHILD_HOME_FD, path, flags);
    bool make = fd == -ENOENT && making;
    int room = make ? drop_take_name(s) : 0;
    if (room < 0)
        fd = room;
    else if (make && !transfer_is_prepared(s)) { /* an empty file would be all that came of it */
        int r = transfer_open(s, WIRE_UPLOAD, "");
        return r < 0 ? r : 0;
    } else if (make) {
        fd = path_open(CHILD_HOME_FD, path, flags | making);
        made = fd >= 0;
    }
    int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (r < 0) {
        r = session_reply_errno(s, r);
        return r < 0 ? r : 0;
    }
    if (made)
        drop_made(s);
    *ret_size = (uint64_t) st.st_size;
    *ret_fd = TAKE_FD(fd);
    return 1;
}

static uint64_t take_rest(Session *s) {
    uint64_t offset = s->rest;
    s->rest = 0; /* for one command, also for one that fails */
    return offset;
}

static int store_file(Session *s, const char *argument, bool append) {
    char path[VIRTUAL_PATH_MAX];
    uint64_t offset = take_rest(s), size;
    int file;

    int r = drop_resolve(s, argument, path);
    if (r <= 0)
        return r;
    if (offset > 0 && s->ascii)
        return reply(s->conversation.fd, 554, "En TYPE A no se puede continuar una transferencia; use TYPE I.");
    r = open_file(s, path, offset > 0 && !append ? 0 : O_CREAT, &file, &size);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = file;
    if (append)
        offset = size;
    if (offset > size)
        return reply(s->conversation.fd, 554, "El archivo termina antes del byte %" PRIu64 ".", offset);
    return take_file(s, fd, path, offset, size, "Esperando el archivo.");
}

static int store(Session *s, const char *argument, bool append) {
    int r = store_file(s, argument, append);
    drop_settle(s);
    return r;
}

int upload_stor(Conversation *c, char *argument) {
    return store((Session *) c, argument, false);
}

int upload_appe(Conversation *c, char *argument) {
    return store((Session *) c, argument, true);
}

/* A name that nobody has: "ftp-" or what the client proposes, and 8 random digits. RFC 1123 section 4.1.2.9: the 150 reply tells it. */
int upload_stou(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char name[COMMAND_LINE_MAX + 16], path[VIRTUAL_PATH_MAX], greeting[VIRTUAL_PATH_MAX + 16], digits[9];
    uint32_t number;
    uint64_t size;
    int file;

    take_rest(s);
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return session_reply_errno(s, -EIO);
    hex_encode(&number, sizeof(number), digits);
    snprintf(name, sizeof(name), "%s-%s", argument && *argument ? argument : "ftp", digits);
    int r = drop_resolve(s, name, path);
    if (r > 0)
        r = open_file(s, path, O_CREAT | O_EXCL, &file, &size);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = file;
    snprintf(greeting, sizeof(greeting), "FILE: %s", path);
    r = take_file(s, fd, path, 0, size, greeting);
    drop_settle(s);
    return r;
}

/* No room is set aside, but what can't fit is said before it is sent. RFC 959: a second number, "R size", is of records. */
int upload_allo(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    uint64_t size;

    argument[strcspn(argument, " ")] = '\0';
    if (parse_u64(argument, UINT64_MAX, &size) < 0)
        return reply(c->fd, 501, "ALLO espera un número de bytes.");
    int r = c->may_write ? drop_has_room(s, size) : 1;
    drop_settle(s);
    if (r <= 0)
        return session_reply_errno(s, r < 0 ? r : -EDQUOT);
    return reply(c->fd, 202, "No hace falta aquí.");
}
