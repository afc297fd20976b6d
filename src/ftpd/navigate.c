/* Commands that ask where we are and what a file is: PWD CWD CDUP SIZE MDTM MLST. No data connection, nothing sent but replies. */
#include "ftpd/drop.h"
#include "ftpd/jail.h"
#include "ftpd/session.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

static int reply_folder(Session *s, int code, const char *folder, const char *text) {
    char quoted[2 * VIRTUAL_PATH_MAX];

    path_quote(folder, quoted);
    return reply(s->conversation.fd, code, "\"%s\"%s", quoted, text);
}

int navigate_pwd(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    return reply_folder(s, 257, s->folder, " es la carpeta actual.");
}

int navigate_cwd(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX];

    int r = session_resolve(s, argument, path);
    if (r <= 0)
        return r;
    /* Opened for reading, not as a mere path: a folder that can't be listed is no place to be. */
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return session_reply_errno(s, fd);
    strcpy(s->folder, path);
    return reply_folder(s, 250, path, " es ahora la carpeta actual.");
}

int navigate_cdup(Conversation *c, char *argument) {
    char parent[] = "..";
    return navigate_cwd(c, parent);
}

/* 1: *ret stands. 0: answered. */
static int look_at(Session *s, const char *argument, char path[static VIRTUAL_PATH_MAX], struct stat *ret) {
    int r = session_resolve(s, argument, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_PATH);
    if (fd < 0 || fstat(fd, ret) < 0) {
        r = session_reply_errno(s, fd < 0 ? fd : -errno);
        return r < 0 ? r : 0;
    }
    return 1;
}

int navigate_size(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX];
    struct stat st;

    if (s->ascii) /* RFC 3659 section 4: the size on the wire, and that would have to be counted */
        return reply(c->fd, 550, "En TYPE A no se conoce el tamaño; use TYPE I.");
    int r = look_at(s, argument, path, &st);
    if (r <= 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return session_reply_errno(s, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL);
    return reply(c->fd, 213, "%" PRIu64, (uint64_t) st.st_size);
}

int navigate_mdtm(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX], text[TIME_VALUE_SIZE];
    struct stat st;

    int r = look_at(s, argument, path, &st);
    if (r <= 0)
        return r;
    listing_time(st.st_mtime, text);
    return reply(c->fd, 213, "%s", text);
}

int navigate_mlst(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX], facts[256];
    struct stat st;
    Reply answer;

    int r = look_at(s, argument, path, &st);
    if (r <= 0)
        return r;
    facts[listing_facts(s->facts, &st, drop_rights(s, path), facts)] = '\0';
    answer.size = 0;
    reply_line(&answer, 250, true, "Datos de la ruta:");
    reply_item(&answer, "%s%s", facts, path);
    reply_line(&answer, 250, false, "Fin");
    return reply_send(c->fd, &answer);
}
