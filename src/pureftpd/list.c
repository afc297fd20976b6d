/* Describes sessions by what the kernel knows of them: whose home they are in, the working folder, the file under way and how far it has been read. */
#include "pureftpd/list.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "model/session_line.h"
#include "pureftpd/peer.h"
#include "pureftpd/place.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct List {
    const char *data_path;
    Buffer *to;
    unsigned n;
    SessionLine line;
} List;

/* As its owner sees it, also while it is moved away. */
static void virtual_path(const Place *place, char ret[static SESSION_PATH_SIZE]) {
    snprintf(ret, SESSION_PATH_SIZE, "%s%s%.*s", place->id[0] ? "/" : "", place->id, SESSION_PATH_SIZE - ID_MAX - 2, place->below);
    if (ret[0] == '\0')
        strcpy(ret, "/");
}

/* Bytes from the file's beginning to where the process reads or writes: "pos:" in /proc/PID/fdinfo. */
static uint64_t position(const Process *p, int number) {
    char name[32], text[256];
    uint64_t at;

    snprintf(name, sizeof(name), "fdinfo/%d", number);
    _cleanup_close_ int fd = openat(p->fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read_at(fd, text, sizeof(text) - 1, 0);
    if (n < 0)
        return 0;
    text[n] = '\0';
    return sscanf(text, "pos: %" SCNu64, &at) == 1 ? at : 0;
}

static uint64_t size_of(const Process *p, int number) {
    char name[32];
    struct stat st;

    snprintf(name, sizeof(name), "fd/%d", number);
    return fstatat(p->fd, name, &st, 0) >= 0 && S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
}

static int look_at_file(const Process *p, int number, const char *link, void *userdata) {
    List *l = userdata;
    Place place;

    if (!place_parse(l->data_path, link, &place) || place.below[0] == '\0')
        return 0;
    virtual_path(&place, l->line.file);
    l->line.sent = position(p, number);
    l->line.size = size_of(p, number);
    return 1; /* a session has one transfer at a time */
}

static int describe(Process *p, void *userdata) {
    List *l = userdata;
    Place home, folder;
    bool chrooted = !streq(p->root, "/");

    if (!place_parse(l->data_path, chrooted ? p->root : p->folder, &home) || home.account[0] == '\0')
        return 0;
    l->line = (SessionLine) { .pid = (uint32_t) p->pid, .since = process_began(p) };
    strcpy(l->line.account, home.account);
    if (place_parse(l->data_path, p->folder, &folder))
        virtual_path(&folder, l->line.folder);
    int r = process_walk_files(p, look_at_file, l);
    if (r == -ESRCH)
        return 0;
    process_peer(p, l->line.peer);
    session_line_format(&l->line, l->to);
    return ++l->n == SESSIONS_MAX;
}

int sessions_list(const Program *program, const char *data_path, Buffer *ret) {
    _cleanup_free_ List *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    *l = (List) { .data_path = data_path, .to = ret };
    int r = processes_walk(program, describe, l);
    return r < 0 ? r : ret->error;
}
