/* Commands that list folders: LIST NLST MLSD over a data connection, STAT of a path over the control connection. How a line looks is
 * listing.c's business. */
#include "ftpd/drop.h"
#include "ftpd/jail.h"
#include "ftpd/transfer.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

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

/* STAT: no line of a listing begins like a reply's last line. */
static int write_control(void *userdata, const char *data, size_t size) {
    return reply_text(((Session *) userdata)->conversation.fd, data, size);
}

static int show_listing(Session *s, const Listing *l, int fd, bool folder, const char *name) {
    int control = s->conversation.fd;
    Reply r;

    r.size = 0;
    reply_line(&r, 213, true, "Lista:");
    int result = reply_send(control, &r);
    if (result < 0)
        return result;
    result = folder ? listing_folder(l, fd) : list_one(l, fd, name);
    return reply(control, 213, result < 0 ? "La lista no está completa." : "Fin");
}

static int send_listing(Session *s, const Listing *l, int fd, bool folder, const char *name) {
    s->file_size = s->file_offset = 0;
    int r = transfer_open(s, WIRE_DOWNLOAD, "Enviando la lista.");
    if (r <= 0)
        return r;
    int result = folder ? listing_folder(l, fd) : list_one(l, fd, name);
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

/* LIST, NLST and STAT: a folder, one file, or a pattern. */
static int list(Session *s, const char *argument, ListingFormat format, bool control) {
    /* A copy: the reader's bytes move when more commands arrive during the transfer. */
    char path[VIRTUAL_PATH_MAX], text[COMMAND_LINE_MAX] = "", prefix[COMMAND_LINE_MAX + 2] = "";
    Listing l = { .format = format, .now = utc_now(), .home_fd = -EBADF, .write = write_data, .userdata = &s->data };
    bool folder = true;

    if (control) {
        l.write = write_control;
        l.userdata = s;
    }
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
    if (fd < 0 && has_glob(last) && strlen(last) <= GLOB_MAX) {
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
    r = (control ? show_listing : send_listing)(s, &l, fd, folder, format == LISTING_NAMES ? text : last);
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

int listings_list(Conversation *c, char *argument) {
    return list((Session *) c, skip_flags(argument), LISTING_LONG, false);
}

int listings_nlst(Conversation *c, char *argument) {
    return list((Session *) c, skip_flags(argument), LISTING_NAMES, false);
}

int listings_stat(Conversation *c, char *argument) {
    return list((Session *) c, skip_flags(argument), LISTING_LONG, true);
}

int listings_mlsd(Conversation *c, char *argument) {
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
    l.rights = drop_rights(s, path) == LISTING_READ ? LISTING_READ : LISTING_CHANGE;
    strcpy(s->file, path);
    r = send_listing(s, &l, fd, true, NULL);
    s->file[0] = '\0';
    return r;
}
