/* Several connections side by side, a thread each: take a file, bring it, take the next. Tries and pauses; when to make do with fewer connections.
 *
 * The first connection logs in alone: a wrong password is shown to the server once. What the others meet when they log in is no failure as long as one works. */
#include "export/upload.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#define RESUME_LEAST (1u << 20) /* bytes: to ask what is there of a smaller file takes longer than to bring it again */
#define PROGRESS_LEAST (16u << 20) /* a try that brought so much more than all before it is no failed one: counting begins anew */
#define LOOK_MS 100
#define CLEAN_CONNECT_SECONDS 10 /* less than the unit has to stop */
#define LEFT -EUSERS /* this connection has gone, others go on */

typedef struct Folder {
    char *path;
    atomic_bool made;
} Folder;

typedef struct Worker {
    Upload *upload;
    Remote *remote;
    pthread_t thread;
    bool started;
} Worker;

struct Upload {
    const Line *line;
    const Source *source;
    const Delivered *delivered;
    Plan *plan;
    UploadSettings settings;
    UploadNote note;
    void *userdata;
    Folder *folders; /* sorted as the source has them: by no order but that of the walk */
    Worker workers[CONNECTIONS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned alive; /* workers that have not ended */
    bool welcome;   /* the first has logged in */
    bool top_made;
    int result;     /* the first that went wrong */
    ExportFailure failure;
};

unsigned upload_pause(const UploadSettings *s, unsigned try) {
    return try < 2 ? 0 : s->pause_seconds << (try - 2);
}

static bool is_over(Upload *u) {
    pthread_mutex_lock(&u->lock);
    bool over = u->result < 0;
    pthread_mutex_unlock(&u->lock);
    return over || atomic_load(&u->line->flow->stop);
}

/* The first to fail says why; the others stop where they are. */
static void end_all(Upload *u, int r, const ExportFailure *failure) {
    pthread_mutex_lock(&u->lock);
    if (u->result == 0) {
        u->result = r;
        if (r == -ECONNABORTED)
            u->failure = *failure;
    }
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    atomic_store(&u->line->flow->stop, true);
}

static int pause_seconds(Upload *u, unsigned seconds) {
    uint64_t end = monotonic_ms() + seconds * UINT64_C(1000);

    while (monotonic_ms() < end) {
        if (is_over(u))
            return -ECANCELED;
        usleep(LOOK_MS * 1000);
    }
    return is_over(u) ? -ECANCELED : 0;
}

/* ---- folders ---- */

static int make_top(Worker *w, ExportFailure *ret) {
    Upload *u = w->upload;
    int r = u->top_made ? 0 : w->remote->class->make_folder(w->remote, "", ret);

    if (r >= 0)
        u->top_made = true; /* by the first worker, before there are others */
    return r;
}

static int compare_folders(const void *a, const void *b) {
    return strcmp(((const Folder *) a)->path, ((const Folder *) b)->path);
}

/* Those above it first. Two may make one at the same time: it is there then. */
static int make_folder(Worker *w, const char *path, ExportFailure *ret) {
    Upload *u = w->upload;
    const Folder wanted = { .path = (char *) path };
    Folder *f = bsearch(&wanted, u->folders, u->source->n_folders, sizeof(Folder), compare_folders);
    const char *slash = strrchr(path, '/');
    int r = 0;

    if (!f || atomic_load(&f->made))
        return 0;
    if (slash) {
        _cleanup_free_ char *above = strndup(path, (size_t) (slash - path));
        r = above ? make_folder(w, above, ret) : -ENOMEM;
    }
    if (r >= 0)
        r = w->remote->class->make_folder(w->remote, path, ret);
    if (r >= 0)
        atomic_store(&f->made, true);
    return r;
}

static int make_folder_of(Worker *w, const char *path, ExportFailure *ret) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *folder = NULL;

    if (!slash)
        return 0;
    folder = strndup(path, (size_t) (slash - path));
    return folder ? make_folder(w, folder, ret) : -ENOMEM;
}

/* ---- one file ---- */

static int temporary_path(const Task *t, char **ret) {
    const char *slash = strrchr(t->file->path, '/');
    char name[TEMPORARY_SIZE];

    plan_temporary(t, name);
    if (asprintf(ret, "%.*s%s", slash ? (int) (slash + 1 - t->file->path) : 0, t->file->path, name) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int about_file(ExportFailure *ret, const Task *t, const char *what) {
    _cleanup_free_ char *detail = NULL;

    if (asprintf(&detail, "%s: %s", t->file->path, what) < 0) {
        detail = NULL;
        return -ENOMEM;
    }
    return failed(ret, EXPORT_SOURCE, detail);
}

/* Bytes of it that lie there from an earlier try, or run. */
static int find_rest(Worker *w, const Task *t, const char *temporary, uint64_t *ret, ExportFailure *ret_failure) {
    uint64_t there;
    int r;

    *ret = 0;
    if (t->file->size < RESUME_LEAST || t->anew)
        return 0;
    r = w->remote->class->size(w->remote, temporary, &there, ret_failure);
    if (r == -ENOENT)
        return 0;
    if (r >= 0 && there <= t->file->size && there > w->remote->class->loose)
        *ret = there - w->remote->class->loose;
    return r;
}

static void note_rest(Upload *u, const Task *t, uint64_t there) {
    char text[PROBE_DETAIL_SIZE + 64];

    snprintf(text, sizeof(text), "%s: going on after %llu bytes", t->file->path, (unsigned long long) there);
    u->note(text, u->userdata);
}

/* After a broken connection a server may believe for minutes that the file is still being written, and answer nothing to whoever wants to go on with it (vsftpd
 * locks it). So it is begun anew under another name. */
static void leave_rest(Worker *w, Task *t, const char *temporary) {
    char text[PROBE_DETAIL_SIZE + 64];
    ExportFailure failure;

    snprintf(text, sizeof(text), "%s: the server does not go on with what lies there, beginning anew", t->file->path);
    w->upload->note(text, w->upload->userdata);
    if (w->remote->class->connect(w->remote, &failure) >= 0)
        (void) !w->remote->class->remove(w->remote, temporary, &failure);
    t->held = true;
}

/* What lies there is not gone on with at the next try: it has the wrong size, or nothing could be added to it. */
static void judge_rest(Worker *w, Task *t, const Store *store, const char *temporary, ExportFailure *failure) {
    bool refused = store->offset > 0 && store->moved == 0 && (failure->cause == EXPORT_WRITE || failure->cause == EXPORT_PATH);
    ExportFailure unused;

    if (failure->cause == EXPORT_SIZE) /* for a run to come, too */
        (void) !w->remote->class->remove(w->remote, temporary, &unused);
    if (refused && failure->cause == EXPORT_PATH) /* the folder was there: somebody has taken the file away */
        failure->cause = EXPORT_WRITE;
    t->anew = refused || failure->cause == EXPORT_SIZE || (t->anew && store->moved == 0);
}

/* Adds what is new to Flow.sent; takes it off again when the try fails, but for what is known to lie there. *most: the most that ever lay there. */
static int send_bytes(Worker *w, Task *t, const char *temporary, uint64_t *most, bool *ret_moved, ExportFailure *ret) {
    Upload *u = w->upload;
    _cleanup_close_ int fd = source_open(u->source, t->file);
    Store store = { .path = temporary, .fd = fd, .size = t->file->size };
    int r;

    if (fd < 0)
        return about_file(ret, t, fd == -ESTALE ? "it has changed" : strerror(-fd));
    r = find_rest(w, t, temporary, &store.offset, ret);
    if (r < 0)
        return r;
    *ret_moved = store.offset > *most && store.offset - *most >= PROGRESS_LEAST;
    if (store.offset > *most)
        *most = store.offset;
    if (store.offset > 0)
        note_rest(u, t, store.offset);
    t->touched = true;
    atomic_fetch_add(&u->line->flow->sent, store.offset);
    if (store.offset < store.size || store.size == 0)
        r = w->remote->class->store(w->remote, &store, ret);
    if (r < 0)
        atomic_fetch_sub(&u->line->flow->sent, store.offset + store.moved);
    if (r == -ECONNABORTED && store.offset > 0 && store.moved == 0 && (ret->cause == EXPORT_STALLED || ret->cause == EXPORT_CONNECT) && !t->held)
        leave_rest(w, t, temporary);
    if (r == -ECONNABORTED)
        judge_rest(w, t, &store, temporary, ret);
    return r == -ECONNABORTED && ret->cause == EXPORT_SOURCE ? about_file(ret, t, ret->detail) : r;
}

static int bring(Worker *w, Task *t, uint64_t *most, bool *ret_moved, ExportFailure *ret) {
    Upload *u = w->upload;
    _cleanup_free_ char *temporary = NULL;
    int r;

    *ret_moved = false;
    if ((r = temporary_path(t, &temporary)) < 0 || (r = make_folder_of(w, t->file->path, ret)) < 0)
        return r;
    if (!t->sent) {
        r = send_bytes(w, t, temporary, most, ret_moved, ret);
        if (r < 0 || !plan_sent(u->plan, t))
            return r;
    }
    if (is_over(u)) /* what is not there by now is not to come any more */
        return -ECANCELED;
    r = w->remote->class->rename(w->remote, temporary, t->file->path, ret);
    if (r == -ENOENT) { /* it may have its name already, and only the answer was lost; nobody can say, so it is brought again */
        t->sent = false;
        atomic_fetch_sub(&u->line->flow->sent, t->file->size);
        return failed(ret, EXPORT_RENAME, "it is no longer there under its temporary name");
    }
    if (r < 0)
        return r;
    r = delivered_add(u->delivered, &t->mark);
    plan_done(u->plan, t);
    return r < 0 ? failed(ret, EXPORT_INTERNAL, strerror(-r)) : 0;
}

/* ---- one connection ---- */

static void note_try(Upload *u, const Task *t, const ExportFailure *f, unsigned seconds, unsigned try) {
    char text[2 * PROBE_DETAIL_SIZE];

    snprintf(text, sizeof(text), "%s%s%s: %s; waiting %u s before try %u of %u", t ? t->file->path : "login", *f->detail ? ": " : "", f->detail,
             export_cause_name(f->cause), seconds, try, u->settings.retries + 1);
    u->note(text, u->userdata);
}

/* Whether, and after a pause, there is another try. */
static int again(Worker *w, const Task *t, const ExportFailure *f, unsigned *try) {
    Upload *u = w->upload;
    unsigned seconds;

    if (!export_cause_is_retried(f->cause) || *try > u->settings.retries)
        return -ECONNABORTED;
    seconds = upload_pause(&u->settings, ++*try);
    note_try(u, t, f, seconds, *try);
    return pause_seconds(u, seconds);
}

/* The server takes fewer connections than we have: what this one was at goes to the others. Not the last one, unless somebody has logged in and may again. */
static bool leave_to_others(Upload *u, bool last_too) {
    pthread_mutex_lock(&u->lock);
    bool leave = u->alive > 1 || last_too;
    if (leave)
        u->alive--;
    pthread_mutex_unlock(&u->lock);
    return leave;
}

static int log_in(Worker *w, ExportFailure *ret) {
    unsigned try = 1;

    for (;;) {
        int r = w->remote->class->connect(w->remote, ret);
        if (r >= 0)
            r = make_top(w, ret);
        if (r == -ECONNABORTED && leave_to_others(w->upload, w != &w->upload->workers[0]))
            return LEFT;
        if (r != -ECONNABORTED || (r = again(w, NULL, ret, &try)) < 0)
            return r;
    }
}

static int bring_with_tries(Worker *w, Task *t, ExportFailure *ret) {
    uint64_t most = 0;
    unsigned try = 1;

    for (;;) {
        bool moved;
        int r = bring(w, t, &most, &moved, ret);

        if (r == -ECONNABORTED && ret->cause == EXPORT_BUSY && leave_to_others(w->upload, false))
            return LEFT;
        if (moved)
            try = 1;
        if (r != -ECONNABORTED || (r = again(w, t, ret, &try)) < 0)
            return r;
    }
}

static void welcome_others(Upload *u) {
    pthread_mutex_lock(&u->lock);
    u->welcome = true;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
}

static int work(Worker *w, ExportFailure *ret) {
    Upload *u = w->upload;
    int r = log_in(w, ret);
    Task *t;

    if (r < 0)
        return r;
    welcome_others(u);
    while (r >= 0 && !is_over(u) && (t = plan_take(u->plan))) {
        r = bring_with_tries(w, t, ret);
        if (r == LEFT)
            plan_give_back(u->plan, t);
    }
    return r;
}

static void *run_worker(void *userdata) {
    Worker *w = userdata;
    Upload *u = w->upload;
    ExportFailure failure = { .cause = EXPORT_INTERNAL };
    int r = work(w, &failure);

    if (r == LEFT) {
        w->remote = remote_free(w->remote);
        return NULL;
    }
    pthread_mutex_lock(&u->lock);
    u->alive--;
    pthread_mutex_unlock(&u->lock);
    if (r < 0)
        end_all(u, r, &failure);
    return NULL;
}

/* ---- all of it ---- */

static int start(Upload *u, unsigned i) {
    Worker *w = &u->workers[i];
    int r;

    w->upload = u;
    r = w->remote ? 0 : remote_new(u->line, &w->remote);
    if (r < 0)
        return r;
    pthread_mutex_lock(&u->lock);
    u->alive++;
    pthread_mutex_unlock(&u->lock);
    r = -pthread_create(&w->thread, NULL, run_worker, w);
    w->started = r == 0;
    if (r < 0) {
        pthread_mutex_lock(&u->lock);
        u->alive--;
        pthread_mutex_unlock(&u->lock);
    }
    return r;
}

/* The first has logged in, or all is over. */
static bool wait_welcome(Upload *u) {
    pthread_mutex_lock(&u->lock);
    while (!u->welcome && u->result == 0)
        pthread_cond_wait(&u->changed, &u->lock);
    bool welcome = u->result == 0;
    pthread_mutex_unlock(&u->lock);
    return welcome;
}

/* Folders without files are part of the tree, too. */
static int make_rest(Upload *u, ExportFailure *ret) {
    unsigned i = 0;
    int r = 0;

    while (i < CONNECTIONS_MAX && !u->workers[i].remote)
        i++;
    for (size_t f = 0; i < CONNECTIONS_MAX && r >= 0 && f < u->source->n_folders; f++) {
        unsigned try = 1;
        do
            r = make_folder(&u->workers[i], u->folders[f].path, ret);
        while (r == -ECONNABORTED && (r = again(&u->workers[i], NULL, ret, &try)) == 0);
    }
    return r;
}

static int run_once(Upload *u, unsigned wanted) {
    int r = start(u, 0);

    if (r >= 0 && wait_welcome(u))
        for (unsigned i = 1; i < wanted && start(u, i) >= 0; i++)
            ;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        if (u->workers[i].started) {
            pthread_join(u->workers[i].thread, NULL);
            u->workers[i].started = false;
        }
    return r < 0 ? r : u->result;
}

int upload_run(Upload *u, ExportFailure *ret_failure) {
    size_t files = plan_left(u->plan);
    int r = run_once(u, files < u->settings.connections ? (unsigned) files : u->settings.connections);

    /* Something was given back when the others had just found nothing more to do. */
    while (r >= 0 && !is_over(u) && plan_left(u->plan) > 0)
        r = run_once(u, 1);
    *ret_failure = u->failure;
    if (r >= 0 && atomic_load(&u->line->flow->stop))
        r = -ECANCELED;
    return r < 0 ? r : make_rest(u, ret_failure);
}

/* Over a connection of its own: what was in the middle of something is of no more use. */
size_t upload_clean(Upload *u) {
    _cleanup_(remote_freep) Remote *remote = NULL;
    size_t position = 0, remain = 0;
    bool reachable;
    Line line = *u->line;

    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        u->workers[i].remote = remote_free(u->workers[i].remote);
    line.connect_seconds = CLEAN_CONNECT_SECONDS;
    reachable = remote_new(&line, &remote) >= 0;
    if (reachable)
        remote->cleaning = true;
    for (Task *t; (t = plan_next_touched(u->plan, &position));) {
        _cleanup_free_ char *temporary = NULL;
        ExportFailure failure = { .cause = EXPORT_INTERNAL };
        int r = reachable ? temporary_path(t, &temporary) : -ENOTCONN;

        if (r >= 0 && (r = remote->class->connect(remote, &failure)) >= 0)
            r = remote->class->remove(remote, temporary, &failure);
        if (r >= 0)
            continue;
        /* It was never made, or may not be removed: that says nothing of the next one. */
        reachable = r == -ECONNABORTED && (failure.cause == EXPORT_REMOVE || failure.cause == EXPORT_PATH);
        remain++;
    }
    return remain;
}

int upload_new(const Line *line, const Source *source, const Delivered *delivered, Plan *plan, const UploadSettings *settings, UploadNote note, void *userdata,
               Upload **ret) {
    Upload *u = calloc(1, sizeof(*u));

    if (!u)
        return -ENOMEM;
    *u = (Upload) { .line = line, .source = source, .delivered = delivered, .plan = plan, .settings = *settings, .note = note, .userdata = userdata };
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->changed, NULL);
    u->folders = calloc(source->n_folders + 1, sizeof(Folder));
    if (!u->folders) {
        upload_free(u);
        return -ENOMEM;
    }
    for (size_t i = 0; i < source->n_folders; i++)
        u->folders[i].path = source->folders[i];
    qsort(u->folders, source->n_folders, sizeof(Folder), compare_folders);
    *ret = u;
    return 0;
}

Upload *upload_free(Upload *u) {
    if (!u)
        return NULL;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        remote_free(u->workers[i].remote);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    free(u->folders);
    free(u);
    return NULL;
}
