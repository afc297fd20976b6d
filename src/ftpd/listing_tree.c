/* Walks a tree of folders for LIST -R: which folder is next, what stands above its entries, when it is too much. The entries are listing.c's.
 *
 * Memory does not grow with the tree: the names of a folder's folders lie behind those of its parent's, and the last ones are used up first. One folder
 * is open at a time. It knows no sockets and no session. */
#include "ftpd/listing_tree.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "ftpd/path.h"

#include <errno.h>
#include <fcntl.h>

#define OUTPUT_SIZE 65536

/* The folders within one folder: names[next, end), each with its NUL, are still to come. */
typedef struct Level {
    size_t next, end;
    size_t path_size, shown_size; /* of the folder that they lie in */
} Level;

typedef struct Tree {
    const Listing *listing;
    unsigned depth; /* levels in use */
    Level levels[TREE_DEPTH_MAX + 1];
    size_t left; /* entries that may still be shown */
    size_t used;
    size_t path_size, shown_size;
    char path[VIRTUAL_PATH_MAX];      /* the folder that is being listed */
    char shown[2 * VIRTUAL_PATH_MAX]; /* the same as the client calls it */
    char output[OUTPUT_SIZE];
    char names[TREE_NAMES_SIZE];
} Tree;

/* ---- text: small folders share a piece ---- */

static int flush(Tree *t) {
    int r = t->used > 0 ? t->listing->write(t->listing->userdata, t->output, t->used) : 0;
    t->used = 0;
    return r;
}

static int gather(void *userdata, const char *data, size_t size) {
    Tree *t = userdata;

    if (size > sizeof(t->output) - t->used) {
        int r = flush(t);
        if (r < 0)
            return r;
    }
    if (t->used == 0 && size > sizeof(t->output) / 2)
        return t->listing->write(t->listing->userdata, data, size);
    memcpy(t->output + t->used, data, size);
    t->used += size;
    return 0;
}

static int put_heading(Tree *t, bool first) {
    int r = first ? 0 : gather(t, "\r\n", 2);
    if (r >= 0)
        r = gather(t, t->shown, t->shown_size);
    return r < 0 ? r : gather(t, ":\r\n", 3);
}

/* ---- which folder ---- */

static int see(void *userdata, const char *name, mode_t mode) {
    Tree *t = userdata;
    Level *l = &t->levels[t->depth - 1];
    size_t size = strlen(name) + 1;

    if (t->left-- == 0)
        return -E2BIG;
    if (!S_ISDIR(mode))
        return 0;
    if (size > sizeof(t->names) - l->end || t->depth > TREE_DEPTH_MAX)
        return -E2BIG;
    memcpy(t->names + l->end, name, size);
    l->end += size;
    return 0;
}

/* text[0, *size) becomes text + "/" + name. */
static int append(char *text, size_t max, size_t *size, const char *name) {
    size_t n = strlen(name), at = *size;
    bool slash = at == 0 || text[at - 1] != '/';

    if (at + slash + n >= max)
        return -E2BIG;
    if (slash)
        text[at++] = '/';
    memcpy(text + at, name, n + 1);
    *size = at + n;
    return 0;
}

/* The folder whose name comes next becomes the one that is listed. 0: there is none. */
static int next_folder(Tree *t) {
    while (t->depth > 0 && t->levels[t->depth - 1].next == t->levels[t->depth - 1].end)
        t->depth--;
    if (t->depth == 0)
        return 0;
    Level *l = &t->levels[t->depth - 1];
    const char *name = t->names + l->next;
    l->next += strlen(name) + 1;
    t->path_size = l->path_size;
    t->shown_size = l->shown_size;
    int r = append(t->path, sizeof(t->path), &t->path_size, name);
    if (r >= 0)
        r = append(t->shown, sizeof(t->shown), &t->shown_size, name);
    return r < 0 ? r : 1;
}

static int list_folder(Tree *t, int fd) {
    size_t begin = t->depth > 0 ? t->levels[t->depth - 1].end : 0;
    Listing l = *t->listing;

    t->levels[t->depth++] = (Level) { begin, begin, t->path_size, t->shown_size };
    l.folder = t->path;
    l.write = gather;
    l.see = see;
    l.userdata = t;
    return listing_folder(&l, fd);
}

static int open_and_list(Tree *t) {
    _cleanup_close_ int fd = path_open(t->listing->home_fd, t->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

    if (fd == -ENOENT || fd == -EACCES || fd == -ENOTDIR || fd == -ELOOP) /* gone since, or not for these eyes, or a link by now */
        return 0;
    return fd < 0 ? fd : list_folder(t, fd);
}

int listing_tree(const Listing *l, int folder_fd, const char *shown, size_t max, int (*enter)(void *userdata, const char *folder)) {
    _cleanup_free_ Tree *t = malloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->listing = l;
    t->depth = 0;
    t->used = 0;
    t->left = max;
    t->path_size = strlen(l->folder);
    t->shown_size = strlen(shown);
    if (t->path_size >= sizeof(t->path) || t->shown_size >= sizeof(t->shown))
        return -ENAMETOOLONG;
    memcpy(t->path, l->folder, t->path_size + 1);
    memcpy(t->shown, shown, t->shown_size + 1);

    int r = enter(l->userdata, t->path);
    if (r >= 0)
        r = put_heading(t, true);
    if (r >= 0)
        r = list_folder(t, folder_fd);
    while (r >= 0 && (r = next_folder(t)) > 0) {
        r = enter(l->userdata, t->path);
        if (r >= 0)
            r = put_heading(t, false);
        if (r >= 0)
            r = open_and_list(t);
    }
    return r < 0 ? r : flush(t);
}
