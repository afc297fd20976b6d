/* The writer thread: takes everything that waits in the queue, runs it in one transaction, commits
 * once, reports all of it.
 *
 * While one commit waits for the disk the next group gathers, so the number of fsyncs follows
 * the disk, not the number of jobs. Each job runs in a savepoint of its own. Checkpoints are
 * this thread's too, between groups, so that no commit ever contains one. Knows no table. */
#include "store/writer.h"

#include "store/handles.h"

#include "basic/log.h"
#include "basic/strings.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#define JOBS_PER_COMMIT_MAX 512 /* jobs in one transaction: a bound on how long the first of them waits for the last */

/* The write-ahead log is moved into the database when it has so many pages (of 4 KiB) and
 * nothing was asked for a moment; under a load without pauses when it has many more: a page that
 * changes often is then moved once. The file is not cut back: writing over blocks that it has
 * syncs twice as fast as growing. */
#define CHECKPOINT_SOFT_PAGES 1000
#define CHECKPOINT_HARD_PAGES 8000
#define CHECKPOINT_QUIET_MS 100
/* How long that may wait for the loop to let go of its snapshot; after that the log grows on,
 * and the limits with it, until the next try. */
#define CHECKPOINT_WAIT_MS 50

typedef struct Work {
    struct Work *next;
    StoreJob run;
    StoreDone done;
    void *job;
    int r;
    bool waited; /* its submitter waits on `finished`; the Work is on that thread's stack */
    bool finished;
} Work;

typedef struct WorkList {
    Work *first, **end;
    size_t size;
} WorkList;

struct Writer {
    Connection *connection;
    int fd; /* eventfd: `done` is not empty, or the reader is in the way */
    pthread_t thread;
    bool started;

    pthread_mutex_t mutex;
    pthread_cond_t arrived;  /* queue or stop */
    pthread_cond_t finished; /* some waited Work */
    WorkList queue, done;
    Changes changes; /* committed, not yet told */
    bool stop;

    atomic_size_t pending;            /* submitted, callback not yet returned */
    atomic_uint_fast64_t jobs, checkpoints, put_off;
    News news;
    /* writer thread only */
    Changes noted;  /* by the group that runs */
    int log_pages;  /* of the write-ahead log, after the last commit */
    int log_behind; /* of them, at the last checkpoint that failed */
    /* loop thread only */
    StoreChanged changed;
    void *changed_userdata;
};

static void list_init(WorkList *l) {
    *l = (WorkList) { .end = &l->first };
}

static void list_append(WorkList *l, Work *w) {
    w->next = NULL;
    *l->end = w;
    l->end = &w->next;
    l->size++;
}

static Work *list_pop(WorkList *l) {
    Work *w = l->first;

    if (!w)
        return NULL;
    l->first = w->next;
    if (!l->first)
        l->end = &l->first;
    l->size--;
    return w;
}

/* ---- one group ---- */

static int run_job(Writer *w, Work *work) {
    StoreTx tx = { .connection = w->connection, .changes = &w->noted };
    int r, q;

    r = connection_run(w->connection, SQL_JOB_BEGIN);
    if (r < 0)
        return r;
    r = work->run(&tx, work->job);
    if (sqlite3_get_autocommit(w->connection->db)) /* SQLite gave up the transaction: no savepoint is left */
        return r < 0 ? r : -EIO;
    if (r < 0 && connection_run(w->connection, SQL_JOB_UNDO) < 0) {
        r = connection_run(w->connection, SQL_GROUP_ROLLBACK); /* what cannot be undone alone takes its group along */
        return r < 0 ? r : -EIO;
    }
    q = connection_run(w->connection, SQL_JOB_KEEP);
    return r < 0 || q >= 0 ? r : q;
}

/* What the transaction held is not on disk: so says each of [first, end), unless it had failed on its own. */
static void fail_all(Work *first, Work *end, int r) {
    for (Work *i = first; i != end; i = i->next)
        if (i->r >= 0)
            i->r = r;
}

static int commit(Writer *w) {
    int r = connection_run(w->connection, SQL_GROUP_COMMIT);

    if (r >= 0)
        atomic_fetch_add_explicit(&w->news.commits, 1, memory_order_release);
    else if (!sqlite3_get_autocommit(w->connection->db) && connection_run(w->connection, SQL_GROUP_ROLLBACK) < 0)
        log_debug("Cannot roll back, ignoring: the next group's BEGIN will fail and say so");
    return r;
}

/* Runs jobs from `first` in one transaction, until the end or until SQLite gives the transaction
 * up (full disk, no memory, I/O error): returns where to go on. */
static Work *run_transaction(Writer *w, Work *first) {
    Work *i;
    int r;

    r = connection_run(w->connection, SQL_GROUP_BEGIN);
    if (r < 0) {
        fail_all(first, NULL, r);
        return NULL;
    }
    for (i = first; i; i = i->next) {
        i->r = run_job(w, i);
        if (sqlite3_get_autocommit(w->connection->db)) {
            fail_all(first, i, i->r);
            return i->next;
        }
    }
    r = commit(w);
    if (r < 0)
        fail_all(first, NULL, r);
    return NULL;
}

/* Whatever statement altered the row, SQLite tells. (Not for tables WITHOUT ROWID: `accounts` notes its own.) A new row has not been shown to anybody. */
static void note_change(void *userdata, int operation, const char *database, const char *table, sqlite3_int64 life) {
    Writer *w = userdata;

    if (operation != SQLITE_INSERT && streq(table, "requests"))
        changes_note(&w->noted, (uint64_t) life);
}

/* ---- checkpoints ---- */

static int note_log_size(void *userdata, sqlite3 *db, const char *name, int pages) {
    Writer *w = userdata;

    w->log_pages = pages;
    return SQLITE_OK;
}

static void wake_loop(Writer *w) {
    if (eventfd_write(w->fd, 1) < 0)
        log_debug("Cannot wake the loop, ignoring: %m");
}

/* RESTART, not PASSIVE: under steady load the log begins anew only when at one moment all of it
 * has been copied and no snapshot is held in it. The loop lets go of its own when it is woken,
 * and takes none that lasts while the flag is up. */
static void checkpoint(Writer *w) {
    sqlite3 *db = w->connection->db;
    int code;

    atomic_store_explicit(&w->news.reader_in_the_way, true, memory_order_release);
    wake_loop(w);
    (void) sqlite3_busy_timeout(db, CHECKPOINT_WAIT_MS);
    code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void) sqlite3_busy_timeout(db, CONNECTION_BUSY_TIMEOUT_MS);
    atomic_store_explicit(&w->news.reader_in_the_way, false, memory_order_release);
    if (code == SQLITE_OK) {
        w->log_pages = w->log_behind = 0;
        atomic_fetch_add_explicit(&w->checkpoints, 1, memory_order_relaxed);
    } else {
        w->log_behind = w->log_pages;
        atomic_fetch_add_explicit(&w->put_off, 1, memory_order_relaxed);
        (void) connection_errno(db, code, "checkpoint, ignoring");
    }
}

/* ---- the thread ---- */

/* Hands the group out: waiting threads are woken, callbacks go to the loop. */
static void publish(Writer *w, WorkList *group) {
    bool news;
    Work *i;

    (void) pthread_mutex_lock(&w->mutex);
    changes_move(&w->changes, &w->noted);
    news = !changes_are_none(&w->changes);
    while ((i = list_pop(group))) {
        if (i->waited) {
            i->finished = true;
            atomic_fetch_sub(&w->pending, 1);
        } else {
            list_append(&w->done, i);
            news = true;
        }
    }
    (void) pthread_cond_broadcast(&w->finished);
    (void) pthread_mutex_unlock(&w->mutex);
    if (news)
        wake_loop(w);
}

static bool log_has_grown_by(const Writer *w, int pages) {
    return w->log_pages - w->log_behind >= pages;
}

/* Waits for jobs, or for the end. false: a quiet moment came first, with a log that is worth moving. */
static bool wait_for_jobs(Writer *w) {
    struct timespec until;

    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CHECKPOINT_QUIET_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!w->queue.first && !w->stop) {
        if (!log_has_grown_by(w, CHECKPOINT_SOFT_PAGES))
            (void) pthread_cond_wait(&w->arrived, &w->mutex);
        else if (pthread_cond_timedwait(&w->arrived, &w->mutex, &until) == ETIMEDOUT)
            return false;
    }
    return true;
}

/* The next group; none when the end has come. */
static bool take_group(Writer *w, WorkList *ret) {
    (void) pthread_mutex_lock(&w->mutex);
    while (!wait_for_jobs(w)) {
        (void) pthread_mutex_unlock(&w->mutex);
        checkpoint(w);
        (void) pthread_mutex_lock(&w->mutex);
    }
    while (ret->size < JOBS_PER_COMMIT_MAX && w->queue.first)
        list_append(ret, list_pop(&w->queue));
    (void) pthread_mutex_unlock(&w->mutex);
    return ret->first;
}

static void *writer_run(void *userdata) {
    Writer *w = userdata;
    WorkList group;

    for (list_init(&group); take_group(w, &group);) {
        atomic_fetch_add_explicit(&w->jobs, group.size, memory_order_relaxed);
        for (Work *next = group.first; next;)
            next = run_transaction(w, next);
        publish(w, &group);
        if (log_has_grown_by(w, CHECKPOINT_HARD_PAGES))
            checkpoint(w);
    }
    return NULL;
}

/* Signals are the loop's: a thread that could take SIGTERM would take it from the signalfd. */
static int start_thread(Writer *w) {
    sigset_t all, before;
    int r;

    (void) sigfillset(&all);
    r = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (r != 0)
        return -r;
    r = pthread_create(&w->thread, NULL, writer_run, w);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return -r;
    w->started = true;
    (void) pthread_setname_np(w->thread, "store-writer");
    return 0;
}

int writer_new(Connection *connection, Writer **ret) {
    _cleanup_(writer_freep) Writer *w = NULL;
    pthread_condattr_t monotonic;
    int r;

    w = calloc(1, sizeof(*w));
    if (!w) {
        connection_free(connection);
        return -ENOMEM;
    }
    w->connection = connection;
    list_init(&w->queue);
    list_init(&w->done);
    (void) pthread_mutex_init(&w->mutex, NULL);
    (void) pthread_condattr_init(&monotonic);
    (void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&w->arrived, &monotonic);
    (void) pthread_condattr_destroy(&monotonic);
    (void) pthread_cond_init(&w->finished, NULL);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0)
        return -errno;
    (void) sqlite3_wal_hook(connection->db, note_log_size, w);
    (void) sqlite3_update_hook(connection->db, note_change, w);
    r = start_thread(w);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

Writer *writer_free(Writer *w) {
    Work *i;

    if (!w)
        return NULL;
    if (w->started) {
        (void) pthread_mutex_lock(&w->mutex);
        w->stop = true;
        (void) pthread_cond_signal(&w->arrived);
        (void) pthread_mutex_unlock(&w->mutex);
        (void) pthread_join(w->thread, NULL);
    }
    while ((i = list_pop(&w->done)))
        free(i);
    connection_free(w->connection);
    (void) pthread_cond_destroy(&w->finished);
    (void) pthread_cond_destroy(&w->arrived);
    (void) pthread_mutex_destroy(&w->mutex);
    if (w->fd >= 0)
        (void) close(w->fd);
    free(w);
    return NULL;
}

/* ---- the submitters' side ---- */

static int enqueue(Writer *w, Work *work) {
    int r = 0;

    (void) pthread_mutex_lock(&w->mutex);
    if (w->queue.size >= STORE_QUEUE_MAX)
        r = -EAGAIN;
    else {
        atomic_fetch_add(&w->pending, 1);
        list_append(&w->queue, work);
        (void) pthread_cond_signal(&w->arrived);
    }
    (void) pthread_mutex_unlock(&w->mutex);
    return r;
}

int writer_submit(Writer *w, StoreJob run, StoreDone done, void *job) {
    _cleanup_free_ Work *work = calloc(1, sizeof(*work));
    int r;

    if (!work)
        return -ENOMEM;
    *work = (Work) { .run = run, .done = done, .job = job };
    r = enqueue(w, work);
    if (r >= 0)
        work = NULL; /* the queue's now */
    return r;
}

int writer_submit_wait(Writer *w, StoreJob run, void *job) {
    Work work = { .run = run, .job = job, .waited = true };
    int r;

    assert(!pthread_equal(pthread_self(), w->thread)); /* a job that waits for a job waits for ever */
    r = enqueue(w, &work);
    if (r < 0)
        return r;
    (void) pthread_mutex_lock(&w->mutex);
    while (!work.finished)
        (void) pthread_cond_wait(&w->finished, &w->mutex);
    (void) pthread_mutex_unlock(&w->mutex);
    return work.r;
}

int writer_fd(const Writer *w) {
    return w->fd;
}

void writer_on_change(Writer *w, StoreChanged changed, void *userdata) {
    w->changed = changed;
    w->changed_userdata = userdata;
}

static void tell_changes(const Writer *w, const Changes *c) {
    if (!w->changed)
        return;
    if (c->any)
        w->changed(0, w->changed_userdata);
    for (size_t i = 0; i < c->n; i++)
        w->changed(c->lives[i], w->changed_userdata);
}

void writer_dispatch(Writer *w) {
    Changes changes = { 0 };
    WorkList done;
    eventfd_t count;
    Work *i;

    (void) eventfd_read(w->fd, &count);
    list_init(&done);
    (void) pthread_mutex_lock(&w->mutex);
    while ((i = list_pop(&w->done)))
        list_append(&done, i);
    changes_move(&changes, &w->changes);
    (void) pthread_mutex_unlock(&w->mutex);
    tell_changes(w, &changes);
    while ((i = list_pop(&done))) {
        if (i->done)
            i->done(i->job, i->r);
        free(i);
        atomic_fetch_sub(&w->pending, 1);
    }
}

size_t writer_pending(const Writer *w) {
    return atomic_load(&w->pending);
}

bool writer_is_idle(const Writer *w) {
    return atomic_load(&w->pending) == 0;
}

void writer_statistics(const Writer *w, StoreStatistics *ret) {
    *ret = (StoreStatistics) {
        .jobs = atomic_load_explicit(&w->jobs, memory_order_relaxed),
        .commits = atomic_load_explicit(&w->news.commits, memory_order_relaxed),
        .checkpoints = atomic_load_explicit(&w->checkpoints, memory_order_relaxed),
        .checkpoints_put_off = atomic_load_explicit(&w->put_off, memory_order_relaxed),
    };
}

const News *writer_news(const Writer *w) {
    return &w->news;
}
