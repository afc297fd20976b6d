/* Walks over a tree whose names a stranger chose: before the copy and after it.
 *
 * fts(3) with FTS_PHYSICAL changes folder by folder and checks that each is the one it saw, so that neither links nor long paths matter. */
#include "transfer/tree.h"

#include "basic/strings.h"
#include "transfer/command.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>

#define RANDOM_SIZE 7 /* ".XXXXXX" */

static void fts_closep(FTS **f) {
    if (*f)
        fts_close(*f);
}

/* fts goes from folder to folder, so that fts_accpath is a name in the present one and no path gets too long. It needs a present folder that it can
 * open to do so, and would quietly use whole paths otherwise. */
static int open_tree(const char *path, FTS **ret) {
    static char *const here[] = { (char *) ".", NULL };

    if (chdir(path) < 0)
        return -errno;
    *ret = fts_open(here, FTS_PHYSICAL | FTS_XDEV, NULL);
    if (!*ret)
        return -errno;
    return (*ret)->fts_options & FTS_NOCHDIR ? -EACCES : 0;
}

static bool is_partial_folder(const FTSENT *e) {
    return e->fts_level > 0 && streq(e->fts_name, PARTIAL_FOLDER);
}

/* The name of the file for which this is rsync's temporary copy; NULL when it is none. */
static char *name_of_temporary(const char *name) {
    size_t size = strlen(name);

    if (name[0] != '.' || size < 2 + RANDOM_SIZE || name[size - RANDOM_SIZE] != '.')
        return NULL;
    for (const char *p = name + size - RANDOM_SIZE + 1; *p; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')))
            return NULL;
    return strndup(name + 1, size - 1 - RANDOM_SIZE);
}

/* A file of the source that only looks like one is copied again: nothing is lost but time. */
static int adopt(const FTSENT *e) {
    _cleanup_free_ char *name = name_of_temporary(e->fts_name), *target = NULL;

    if (!name)
        return 0;
    if (asprintf(&target, PARTIAL_FOLDER "/%s", name) < 0) {
        target = NULL;
        return -ENOMEM;
    }
    if (mkdir(PARTIAL_FOLDER, 0700) < 0 && errno != EEXIST)
        return -errno;
    return rename(e->fts_accpath, target) < 0 ? -errno : 0;
}

int tree_adopt_leftovers(const char *path) {
    _cleanup_(fts_closep) FTS *tree = NULL;
    int r = open_tree(path, &tree);

    for (FTSENT *e; r >= 0 && (errno = 0, e = fts_read(tree));)
        if (e->fts_info == FTS_D && is_partial_folder(e))
            fts_set(tree, e, FTS_SKIP);
        else if (e->fts_info == FTS_F && e->fts_level > 0)
            r = adopt(e);
        else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
            r = -e->fts_errno;
    return r < 0 ? r : -errno;
}

int tree_partial(const char *path, uint64_t *ret_bytes) {
    _cleanup_(fts_closep) FTS *tree = NULL;
    int r = open_tree(path, &tree), inside = 0;
    uint64_t bytes = 0;

    for (FTSENT *e; r >= 0 && (errno = 0, e = fts_read(tree));)
        if (e->fts_info == FTS_D)
            inside += is_partial_folder(e);
        else if (e->fts_info == FTS_DP)
            inside -= is_partial_folder(e);
        else if (e->fts_info == FTS_F && inside > 0)
            bytes += (uint64_t) e->fts_statp->st_size;
        else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
            r = -e->fts_errno;
    if (r < 0 || errno != 0)
        return r < 0 ? r : -errno;
    *ret_bytes = bytes;
    return 0;
}

int tree_finish(const char *path, TreeCount *ret) {
    _cleanup_(fts_closep) FTS *tree = NULL;
    int r = open_tree(path, &tree), inside = 0;
    TreeCount count = { 0 };

    for (FTSENT *e; r >= 0 && (errno = 0, e = fts_read(tree));)
        switch (e->fts_info) {
        case FTS_D:
            inside += is_partial_folder(e);
            break;
        case FTS_DP:
            if (inside > 0 && rmdir(e->fts_accpath) < 0)
                r = -errno;
            inside -= is_partial_folder(e);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            r = -e->fts_errno;
            break;
        default:
            if (inside > 0)
                r = unlink(e->fts_accpath) < 0 ? -errno : 0;
            else if (e->fts_info == FTS_F) {
                count.files++;
                count.bytes += (uint64_t) e->fts_statp->st_size;
            }
        }
    if (r < 0 || errno != 0)
        return r < 0 ? r : -errno;
    *ret = count;
    return 0;
}
