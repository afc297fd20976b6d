/* Commands that list folders: LIST NLST MLSD over a data connection, STAT of a path over the control connection. How a line looks is
 * listing.c's business. */
#include "ftpd/drop.h"
#include "ftpd/jail.h"
#include "ftpd/listing_tree.h"
#include "ftpd/transfer.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define TREE_ENTRIES_MAX 1000000 /* of one LIST -R: seconds of work for this process, and what its client asked for */

typedef enum Extent { ONE_FILE, ONE_FOLDER, ALL_BELOW } Extent;

static int write_data(void *userdata, const char *data, size_t size) {
    Session *s = userdata;

    int r = data_send(&s->data, data, size);
    return r < 0 ? r : data_look(&s->data);
}

/* From here on a revocation of this folder's request is about us. */
static int enter_folder(void *userdata, const char *folder) {
    Session *s = userdata;

    strcpy(s->file, folder);
    return data_look(&s->data);
}

/* One file, or the link itself. */
static int list_one(const Listing *l, int fd, const char *name) {
    char line[LISTING_ENTRY_MAX];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    return l->write(l->userdata, line, listing_entry(l, name, &st, NULL, line));
}

/* name: as the client calls it. */
static int write_listing(const Listing *l, int fd, Extent extent, const char *name) {
    switch (extent) {
    case ONE_FILE:
        return list_one(l, fd, name);
    case ALL_BELOW:
        return listing_tree(l, fd, name, TREE_ENTRIES_MAX, enter_folder);
    default:
        return listing_folder(l, fd);
    }
}

/* STAT: no line of a listing begins like a reply's last line. */
static int write_control(void *userdata, const char *data, size_t size) {
    return reply_text(((Session *) userdata)->conversation.fd, data, size);
}

static int show_listing(Session *s, const Listing *l, int fd, Extent extent, const char *name) {
    int control = s->conversation.fd;
    Reply r;

    r.size = 0;
    reply_line(&r, 213, true, "Lista:");
    int result = reply_send(control, &r);
    if (result < 0)
        return result;
    result = write_listing(l, fd, extent, name);
    return reply(control, 213, result < 0 ? "La lista no está completa." : "Fin");
}

static int send_listing(Session *s, const Listing *l, int fd, Extent extent, const char *name) {
    s->file_size = s->file_offset = 0;
    int r = transfer_open(s, WIRE_DOWNLOAD, "Enviando la lista.");
    if (r <= 0)
        return r;
    int result = write_listing(l, fd, extent, name);
    data_close(&s->data, result < 0);
    return transfer_reply_end(s, result);
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

/* A tree's folders begin with what the client calls it. */
static const char *without_end(char *text) {
    size_t n = strlen(text);

    while (n > 1 && text[n - 1] == '/')
        text[--n] = '\0';
    return n > 0 ? text : ".";
}

/* Clients send flags of ls(1), up to a "--". What they ask for is what they get anyway, but for R: is it there? */
static bool skip_flags(const char **argument) {
    const char *p = *argument ? *argument : "";
    bool below = false;

    for (bool over = false; p[0] == '-' && !over;) {
        size_t n = strcspn(p, " ");
        over = n == 2 && p[1] == '-';
        below |= memchr(p, 'R', n) != NULL;
        p += n;
        p += strspn(p, " ");
    }
    *argument = p;
    return below;
}

/* LIST, NLST and STAT: a folder (LIST -R: and all below it), one file, or a pattern. */
static int list(Session *s, const char *argument, ListingFormat format, bool control) {
    /* A copy: the reader's bytes move when more commands arrive during the transfer. */
    char path[VIRTUAL_PATH_MAX], text[COMMAND_LINE_MAX], prefix[COMMAND_LINE_MAX + 2] = "";
    Listing l = {
        .format = format, .now = utc_now(), .home_fd = -EBADF, .folder = path, .write = control ? write_control : write_data, .userdata = s,
    };
    bool below = skip_flags(&argument) && format == LISTING_LONG && !control;
    Extent extent = below ? ALL_BELOW : ONE_FOLDER;

    strcpy(text, argument);
    const char *last = last_component(text);
    int r = session_resolve(s, text, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOTDIR) {
        fd = path_open(CHILD_HOME_FD, path, O_PATH);
        extent = ONE_FILE;
    }
    if (fd < 0 && has_glob(last) && strlen(last) <= GLOB_MAX) {
        r = open_pattern(s, path, &fd);
        if (r <= 0)
            return r;
        l.pattern = last;
        extent = ONE_FOLDER;
        snprintf(prefix, sizeof(prefix), "%.*s", (int) (last - text), text);
    } else if (fd < 0)
        return session_reply_errno(s, fd);
    else if (extent == ALL_BELOW)
        l.home_fd = CHILD_HOME_FD;
    else if (extent == ONE_FOLDER && text[0] && !streq(text, "."))
        snprintf(prefix, sizeof(prefix), "%s%s", text, has_suffix(text, "/") ? "" : "/");
    l.prefix = prefix[0] ? prefix : NULL;
    strcpy(s->file, path);
    const char *name = extent == ALL_BELOW ? without_end(text) : format == LISTING_NAMES ? text : last;
    r = (control ? show_listing : send_listing)(s, &l, fd, extent, name);
    s->file[0] = '\0';
    return r;
}

int listings_list(Conversation *c, char *argument) {
    return list((Session *) c, argument, LISTING_LONG, false);
}

int listings_nlst(Conversation *c, char *argument) {
    return list((Session *) c, argument, LISTING_NAMES, false);
}

int listings_stat(Conversation *c, char *argument) {
    return list((Session *) c, argument, LISTING_LONG, true);
}

int listings_mlsd(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char path[VIRTUAL_PATH_MAX];
    Listing l = {
        .format = LISTING_FACTS, .facts = s->facts, .home_fd = CHILD_HOME_FD, .folder = path, .write = write_data, .userdata = s,
    };

    int r = session_resolve(s, argument, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOTDIR)
        return reply(c->fd, 501, "No es una carpeta.");
    if (fd < 0)
        return session_reply_errno(s, fd);
    l.rights = drop_rights(s, path) == LISTING_READ ? LISTING_READ : LISTING_CHANGE;
    strcpy(s->file, path);
    r = send_listing(s, &l, fd, ONE_FOLDER, NULL);
    s->file[0] = '\0';
    return r;
}
