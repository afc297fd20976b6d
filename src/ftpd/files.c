/* Commands that change a drop without a data connection: DELE MKD RMD RNFR RNTO MFMT.
 *
 * A symbolic link is never followed in the last component: what is removed, renamed or dated is the name itself. */
#include "ftpd/drop.h"
#include "ftpd/jail.h"
#include "ftpd/timestamp.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A path below the drop, the folder it lies in and its name there. */
typedef struct Place {
    char path[VIRTUAL_PATH_MAX];
    int folder_fd; /* to be closed */
    const char *name;
} Place;

/* 1: *ret stands. 0: answered. */
static int find_place(Session *s, const char *argument, Place *ret) {
    int r = drop_resolve(s, argument, ret->path);
    if (r <= 0)
        return r;
    ret->folder_fd = path_open_parent(CHILD_HOME_FD, ret->path, &ret->name);
    if (ret->folder_fd >= 0)
        return 1;
    r = session_reply_errno(s, ret->folder_fd);
    return r < 0 ? r : 0;
}

static int reply_result(Session *s, int r, int code, const char *text) {
    return r < 0 ? session_reply_errno(s, r) : reply(s->conversation.fd, code, "%s", text);
}

static int remove_name(const Place *p, int flags) {
    struct stat st;

    if (fstatat(p->folder_fd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode) != !!(flags & AT_REMOVEDIR))
        return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTDIR;
    return unlinkat(p->folder_fd, p->name, flags) < 0 ? -errno : 0;
}

static int remove_one(Session *s, const char *argument, int flags, const char *text) {
    Place place;

    int r = find_place(s, argument, &place);
    if (r <= 0)
        return r;
    _cleanup_close_ _unused_ int folder = place.folder_fd;
    r = remove_name(&place, flags);
    if (r >= 0)
        drop_freed(s);
    drop_settle(s);
    return reply_result(s, r, 250, text);
}

int files_dele(Conversation *c, char *argument) {
    return remove_one((Session *) c, argument, 0, "Archivo eliminado.");
}

int files_rmd(Conversation *c, char *argument) {
    return remove_one((Session *) c, argument, AT_REMOVEDIR, "Carpeta eliminada.");
}

int files_mkd(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char quoted[2 * VIRTUAL_PATH_MAX];
    Place place;

    int r = find_place(s, argument, &place);
    if (r <= 0)
        return r;
    _cleanup_close_ int folder = place.folder_fd;
    r = drop_take_name(s);
    if (r >= 0)
        r = mkdirat(folder, place.name, 0777) < 0 ? -errno : 0; /* the umask takes from that */
    if (r >= 0)
        drop_made(s);
    drop_settle(s);
    if (r < 0)
        return session_reply_errno(s, r);
    path_quote(place.path, quoted);
    return reply(c->fd, 257, "\"%s\" creada.", quoted);
}

int files_rnfr(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    struct stat st;
    Place place;

    free(TAKE_PTR(s->renaming));
    int r = find_place(s, argument, &place);
    if (r <= 0)
        return r;
    _cleanup_close_ int folder = place.folder_fd;
    if (fstatat(folder, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return session_reply_errno(s, -errno);
    s->renaming = strdup(place.path);
    return reply_result(s, s->renaming ? 0 : -ENOMEM, 350, "Indique el nombre nuevo con RNTO.");
}

/* A file that has the new name is replaced, as rename(2) does and clients that upload under a name for the time being expect. */
int files_rnto(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    _cleanup_free_ char *from = TAKE_PTR(s->renaming);
    const char *from_name;
    Place place;

    if (!from)
        return reply(c->fd, 503, "Primero RNFR.");
    int r = find_place(s, argument, &place);
    if (r <= 0)
        return r;
    _cleanup_close_ int to_folder = place.folder_fd;
    _cleanup_close_ int from_folder = path_open_parent(CHILD_HOME_FD, from, &from_name);
    if (from_folder < 0)
        return session_reply_errno(s, from_folder);
    r = drop_begin_rename(s);
    /* glibc makes it renameat(2) when there are no flags, which the jail does not know. */
    if (r >= 0)
        r = syscall(SYS_renameat2, from_folder, from_name, to_folder, place.name, 0) < 0 ? -errno : 0;
    if (r >= 0)
        drop_freed(s); /* what was replaced is gone */
    drop_settle(s);
    if (r == -EINVAL) /* a folder into itself */
        return reply(c->fd, 553, "Nombre no permitido.");
    return reply_result(s, r, 250, "Nombre cambiado.");
}

/* draft-somers-ftp-mfxx: "MFMT YYYYMMDDHHMMSS path". Only through an fd: the jail knows no other way to change times. */
int files_mfmt(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX], text[TIME_VALUE_SIZE], *space = strchr(argument, ' ');
    struct stat st;
    int64_t utc;

    if (!space || space[1] == '\0')
        return reply(c->fd, 501, "MFMT espera fecha y ruta.");
    *space = '\0';
    if (timestamp_parse(argument, &utc) < 0)
        return reply(c->fd, 501, "La fecha va como AAAAMMDDhhmmss, en UTC.");
    int r = drop_resolve(s, space + 1, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = utc } };
    if (fd < 0 || futimens(fd, times) < 0 || fstat(fd, &st) < 0)
        return session_reply_errno(s, fd < 0 ? fd : -errno);
    listing_time(st.st_mtime, text); /* no file system holds every year */
    return reply(c->fd, 213, "Modify=%s; %s", text, path);
}
