/* Ends sessions: looks, asks each that it finds to end, kills what it finds again, and looks until it has found nothing twice.
 *
 * A login may have got its last good answer from the database a moment before access was closed. It is a process of Pure-FTPd's then that has neither a
 * home for its root nor another kind of parent yet; while there are such, it goes on looking for as long as a login can take. Whether somebody may log
 * in is not known here. */
#include "pureftpd/end.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "pureftpd/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOLD_MAX 4096 /* more at once are ended too, but counted again when they are slow */

typedef struct Look {
    const Program *program;
    const char *data_path;
    Whose *whose;
    struct stat *homes; /* of each of them; st_ino 0: it has none */
    size_t n;
    unsigned found, logging_in;
    pid_t told[TOLD_MAX]; /* asked to end already */
    size_t n_told;
    int error;
} Look;

typedef struct Use {
    const char *data_path;
    const Whose *whose;
    bool uses;
} Use;

/* Open files count for the request they are in, and for the account where a session has not the home for its root. */
static int look_at_file(const Process *p, int number, const char *link, void *userdata) {
    Use *use = userdata;
    Place place;

    if (place_parse(use->data_path, link, &place))
        use->uses = use->whose->id[0] ? streq(place.id, use->whose->id) : streq(place.account, use->whose->account);
    return use->uses;
}

static bool uses_file(const Look *l, const Process *p, const Whose *w) {
    Use use = { .data_path = l->data_path, .whose = w };
    int r = process_walk_files(p, look_at_file, &use);

    return r < 0 ? r != -ESRCH : use.uses; /* what can't be looked at is not let go */
}

static bool is_chrooted(const Process *p) {
    return !streq(p->root, "/");
}

static bool is_of_account(const Look *l, const Process *p, const Whose *w, const struct stat *home) {
    Place root, folder;

    if (home->st_ino != 0 && process_is_in(p, home))
        return true;
    if (is_chrooted(p))
        return place_parse(l->data_path, p->root, &root) && streq(root.account, w->account);
    return (place_parse(l->data_path, p->folder, &folder) && (streq(folder.account, w->account) || (w->id[0] && streq(folder.id, w->id)))) ||
           uses_file(l, p, w);
}

static bool uses_request(const Look *l, const Process *p, const Whose *w) {
    Place folder;
    bool in_data = place_parse(l->data_path, p->folder, &folder);

    return !in_data || streq(folder.id, w->id) || uses_file(l, p, w); /* a folder outside of the data path: who knows */
}

static bool is_meant(const Look *l, const Process *p, size_t i) {
    const Whose *w = &l->whose[i];
    Place root;

    if (!w->account)
        return p->pid == w->pid && place_parse(l->data_path, is_chrooted(p) ? p->root : p->folder, &root);
    return is_of_account(l, p, w, &l->homes[i]) && (w->id[0] == '\0' || uses_request(l, p, w));
}

/* A child of the listener, or a helper of such a child, whose root is still the machine's. The helper of a session has the session for its parent, the
 * listener has a stranger. */
static bool is_logging_in(const Look *l, const Process *p) {
    _cleanup_process_ Process parent = { .fd = -EBADF };

    return !is_chrooted(p) && streq(p->folder, "/") && process_open(p->parent, &parent) >= 0 && process_runs(&parent, l->program) &&
           !is_chrooted(&parent) && streq(parent.folder, "/");
}

static bool was_told(const Look *l, pid_t pid) {
    for (size_t i = 0; i < l->n_told; i++)
        if (l->told[i] == pid)
            return true;
    return false;
}

/* Asked first: then it takes its entry out of pure-ftpwho's list. */
static void end_one(Look *l, const Process *p, Whose *whose) {
    bool again = was_told(l, p->pid);
    int r = process_signal(p, again ? SIGKILL : SIGTERM);

    if (r == -ESRCH)
        return;
    if (r < 0)
        l->error = r;
    l->found++;
    if (!again) {
        whose->ended++;
        log_info("Ending the session of process %d in %s", (int) p->pid, p->folder);
        if (l->n_told < TOLD_MAX)
            l->told[l->n_told++] = p->pid;
    }
}

static int look_at(Process *p, void *userdata) {
    Look *l = userdata;

    for (size_t i = 0; i < l->n; i++)
        if (is_meant(l, p, i)) {
            end_one(l, p, &l->whose[i]);
            return 0;
        }
    l->logging_in += l->whose[0].account && is_logging_in(l, p);
    return 0;
}

static int find_home(const Look *l, size_t i) {
    _cleanup_free_ char *path = NULL;

    if (!l->whose[i].account)
        return 0;
    if (asprintf(&path, "%s/%s", l->data_path, l->whose[i].account) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return stat(path, &l->homes[i]) >= 0 || errno == ENOENT ? 0 : -errno;
}

static int look_until_quiet(Look *l) {
    static const struct timespec pause = { .tv_nsec = LOOK_PAUSE_MS * 1000000l };
    uint64_t began = monotonic_ms();

    for (unsigned quiet = 0;;) {
        l->found = l->logging_in = 0;
        l->error = 0;
        int r = processes_walk(l->program, look_at, l);
        if (r < 0)
            return r;
        quiet = l->found > 0 ? 0 : quiet + 1;
        uint64_t passed = monotonic_ms() - began;
        if (quiet >= 2 && (l->logging_in == 0 || passed >= LOGIN_MAX_MS))
            return 0;
        if (passed >= END_MAX_MS)
            return l->error < 0 ? l->error : -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
}

int sessions_end(const Program *program, const char *data_path, Whose *whose, size_t n) {
    _cleanup_free_ struct stat *homes = calloc(n, sizeof(*homes));
    _cleanup_free_ Look *l = calloc(1, sizeof(*l));
    int r = 0;

    if (!l || !homes)
        return -ENOMEM;
    *l = (Look) { .program = program, .data_path = data_path, .whose = whose, .homes = homes, .n = n };
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = find_home(l, i);
    return r < 0 ? r : look_until_quiet(l);
}
