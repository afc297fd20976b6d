/* The data path's top folders: made, found and renamed here, and nowhere else. It reads no file and decides nothing. */
#include "api/folders.h"

#include "model/account.h"
#include "model/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MODE_SHARED 02770 /* group 2001 writes: workers */
#define MODE_SERVED 02750 /* group 2001 reads: FTP sessions */

static int make_folder(int fd, const char *name, mode_t mode) {
    if (mkdirat(fd, name, mode & 0777) < 0 && errno != EEXIST)
        return -errno;
    /* Never through a link: whoever might have put one here gets an error. */
    _cleanup_close_ int folder = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (folder < 0 || fstat(folder, &st) < 0)
        return -errno;
    if ((st.st_mode & 07777) != mode && fchmod(folder, mode) < 0)
        return -errno;
    return 0;
}

int folders_open(const char *data_path, uint32_t gid, int *ret_fd, const char **ret_hint) {
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = { { ".staging", MODE_SHARED }, { ".blocked", MODE_SERVED }, { ".purge", MODE_SHARED } };
    struct stat st;

    *ret_hint = "make it a folder that user tempoftp owns: install -d -o tempoftp -g 2001 -m 2750 PATH";
    _cleanup_close_ int fd = open(data_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_gid != gid || !(st.st_mode & S_ISGID)) {
        *ret_hint = "its group must be FTP_GID and its mode 2750: chown tempoftp:2001 PATH && chmod 2750 PATH";
        return -EPERM;
    }
    for (size_t i = 0; i < ELEMENTS(folders); i++) {
        int r = make_folder(fd, folders[i].name, folders[i].mode);
        if (r < 0)
            return r;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static bool exists(int data_fd, const char *path) {
    struct stat st;
    return fstatat(data_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int set_mode(int data_fd, const char *path, mode_t mode) {
    _cleanup_close_ int folder = openat(data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0 || fchmod(folder, mode) < 0)
        return -errno;
    return 0;
}

/* All places a request's folder can be in. */
typedef struct Places {
    char staging[REL_PATH_SIZE], home[REL_PATH_SIZE], blocked[REL_PATH_SIZE], purge[REL_PATH_SIZE];
} Places;

static void places_of(const Request *r, Places *ret) {
    path_staging(r->id, r->life, ret->staging);
    path_blocked(r->id, r->life, ret->blocked);
    path_purge(r->id, r->life, ret->purge);
    ret->home[0] = '\0';
    if (r->account[0])
        path_home(r->account, r->id, ret->home);
}

static const char *current_place(int data_fd, const Places *p) {
    const char *const all[] = { p->staging, p->home, p->blocked, p->purge };

    for (size_t i = 0; i < ELEMENTS(all); i++)
        if (all[i][0] && exists(data_fd, all[i]))
            return all[i];
    return NULL;
}

/* Something stands where a live request's folder belongs. Ids are unique among live requests, so it is no request's: out of the way. */
static int clear_target(int data_fd, const char *target, const Request *r) {
    char aside[REL_PATH_SIZE];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(aside, sizeof(aside), ".purge/orphan-%u.%llu", i, (unsigned long long) r->life);
        if (renameat2(data_fd, target, data_fd, aside, RENAME_NOREPLACE) == 0)
            return set_mode(data_fd, aside, MODE_SHARED);
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

static int move_folder(int data_fd, const char *from, const char *to, mode_t mode, const Request *r) {
    int k = set_mode(data_fd, from, mode);

    if (k < 0)
        return k;
    if (renameat2(data_fd, from, data_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    k = clear_target(data_fd, to, r);
    if (k < 0)
        return k;
    return renameat2(data_fd, from, data_fd, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int folders_stage(int data_fd, const Request *r) {
    Places p;

    places_of(r, &p);
    const char *now = current_place(data_fd, &p);
    if (now && now != p.staging) {
        int k = move_folder(data_fd, now, p.staging, MODE_SHARED, r);
        if (k < 0)
            return k;
    }
    return make_folder(data_fd, p.staging, MODE_SHARED);
}

int folders_settle(int data_fd, const Request *r) {
    Places p;
    const char *target;
    mode_t mode = MODE_SERVED;
    int k = 0;

    places_of(r, &p);
    switch (r->state) {
    case STATE_LISTO:
        target = p.home;
        k = make_folder(data_fd, r->account, MODE_SERVED);
        break;
    case STATE_BLOQUEADO:
        target = p.blocked;
        break;
    case STATE_EXPIRADO:
    case STATE_ERROR:
    case STATE_ELIMINADO:
        target = p.purge;
        mode = MODE_SHARED;
        break;
    default:
        return 0;
    }
    if (k < 0)
        return k;
    const char *now = current_place(data_fd, &p);
    if (now && now != target)
        k = move_folder(data_fd, now, target, mode, r);
    if (k >= 0 && state_is_final(r->state) && r->account[0])
        (void) unlinkat(data_fd, r->account, AT_REMOVEDIR); /* the home goes with its last request; not empty is fine */
    return k;
}

int folders_take_back(int data_fd, const Request *r, const char *account) {
    char staging[REL_PATH_SIZE], home[REL_PATH_SIZE];

    path_staging(r->id, r->life, staging);
    path_home(account, r->id, home);
    if (exists(data_fd, staging) || !exists(data_fd, home))
        return 0;
    int k = move_folder(data_fd, home, staging, MODE_SHARED, r);
    if (k >= 0)
        (void) unlinkat(data_fd, account, AT_REMOVEDIR);
    return k;
}

bool folders_purge_pending(int data_fd, const char *id, uint64_t life) {
    char path[REL_PATH_SIZE];

    path_purge(id, life, path);
    return exists(data_fd, path);
}

bool folders_purge_ahead(int data_fd, const Request *r, bool has_id) {
    Places p;

    places_of(r, &p);
    return exists(data_fd, p.staging) || exists(data_fd, p.blocked) || (has_id && p.home[0] && exists(data_fd, p.home));
}

/* ---- drop folders ---- */

#define TAKE_TRIES_MAX 1000

int folders_drop_make(int data_fd, const char *account) {
    char path[REL_PATH_SIZE];
    int r = make_folder(data_fd, account, MODE_SERVED);

    path_drop(account, path);
    return r < 0 ? r : make_folder(data_fd, path, MODE_SHARED);
}

bool folders_drop_exists(int data_fd, const char *account) {
    char path[REL_PATH_SIZE];

    path_drop(account, path);
    return exists(data_fd, path);
}

/* Straight to where it is purged: no folder is made for it, since what fills the disk may be what lies in it. Where an earlier one is still being emptied
 * it goes into that, which may be gone between two lines here. */
int folders_drop_take(int data_fd, const char *account, const char *id, uint64_t life) {
    char path[REL_PATH_SIZE], purge[REL_PATH_SIZE], target[REL_PATH_SIZE + 16];

    path_drop(account, path);
    path_drop_purge(id, life, purge);
    for (unsigned i = 0; i < TAKE_TRIES_MAX; i++) {
        if (!exists(data_fd, path))
            break;
        if (renameat2(data_fd, path, data_fd, purge, RENAME_NOREPLACE) == 0)
            break;
        snprintf(target, sizeof(target), "%s/%u", purge, i);
        if (errno == EEXIST && renameat2(data_fd, path, data_fd, target, RENAME_NOREPLACE) == 0)
            break;
        if (errno != EEXIST && errno != ENOENT)
            return -errno;
    }
    if (exists(data_fd, path))
        return -EBUSY;
    (void) unlinkat(data_fd, account, AT_REMOVEDIR); /* the home goes with the last thing in it; not empty is fine */
    return 0;
}

bool folders_drop_pending(int data_fd, const char *id, uint64_t life) {
    char path[REL_PATH_SIZE];

    path_drop_purge(id, life, path);
    return exists(data_fd, path);
}

int folders_space(int data_fd, uint64_t *ret_free, uint64_t *ret_total) {
    struct statvfs v;

    if (fstatvfs(data_fd, &v) < 0)
        return -errno;
    *ret_free = (uint64_t) v.f_bavail * v.f_frsize;
    *ret_total = (uint64_t) v.f_blocks * v.f_frsize;
    return 0;
}

/* ---- looking around ---- */

static int walk_folder(int data_fd, const char *folder, char kind, FoldersWalk walk, void *userdata) {
    _cleanup_close_ int fd = openat(data_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char name[REL_PATH_SIZE];
    struct dirent *e;
    int r = 0;

    if (fd < 0)
        return -errno;
    DIR *d = fdopendir(fd);
    if (!d)
        return -errno;
    TAKE_FD(fd);
    while (r == 0 && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        int n = kind == 'h' ? snprintf(name, sizeof(name), "%s/%s", folder, e->d_name) : snprintf(name, sizeof(name), "%s", e->d_name);
        if (n > 0 && (size_t) n < sizeof(name))
            r = walk(kind, name, userdata);
    }
    closedir(d);
    return r;
}

int folders_walk(int data_fd, FoldersWalk walk, void *userdata) {
    int r = walk_folder(data_fd, ".staging", 's', walk, userdata);

    if (r == 0)
        r = walk_folder(data_fd, ".blocked", 'b', walk, userdata);
    if (r == 0)
        r = walk_folder(data_fd, ".purge", 'p', walk, userdata);
    if (r != 0)
        return r;

    int copy = openat(data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *e;
    if (!d) {
        r = -errno;
        if (copy >= 0)
            close(copy);
        return r;
    }
    while (r == 0 && (e = readdir(d)))
        if (account_name_is_valid(e->d_name)) {
            r = walk_folder(data_fd, e->d_name, 'h', walk, userdata);
            if (r == -ENOTDIR || r == -ELOOP || r == -ENOENT)
                r = 0; /* not ours, or gone meanwhile */
        }
    closedir(d);
    return r;
}

int folders_orphan(int data_fd, const char *relative, const char *id, uint64_t life) {
    Request r = { .life = life, .state = STATE_ELIMINADO };
    char to[REL_PATH_SIZE];

    snprintf(r.id, sizeof(r.id), "%s", id);
    path_purge(r.id, life, to);
    return move_folder(data_fd, relative, to, MODE_SHARED, &r);
}
