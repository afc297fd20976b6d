/* The worker pool: a bounded queue, a few threads, and an eventfd that brings results back to the loop.
 * It knows nothing of what its jobs do. */
#include "api/pool.h"

#include "api/precedence.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>

#define POOL_THREADS_MAX 8

typedef struct PoolJob {
    PoolRun run;
    PoolDone done;
    void *job;
    struct PoolJob *next;
} PoolJob;

typedef struct PoolList {
    PoolJob *head, **tail;
} PoolList;

struct Pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    PoolList queued, finished;
    int niceness;
    unsigned queue_max, n_queued, n_open; /* open: queued, running or finished but not yet handed back */
    bool stopping;
    unsigned n_threads;
    pthread_t threads[POOL_THREADS_MAX];
    int event_fd;
    sd_event_source *source;
};

static void list_append(PoolList *l, PoolJob *j) {
    j->next = NULL;
    *l->tail = j;
    l->tail = &j->next;
}

static PoolJob *list_take(PoolList *l) {
    PoolJob *j = l->head;
    if (!j)
        return NULL;
    l->head = j->next;
    if (!l->head)
        l->tail = &l->head;
    return j;
}

static void *pool_thread(void *userdata) {
    Pool *p = userdata;

    precedence_step_back(p->niceness);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        PoolJob *j = NULL;
        while (!p->stopping && !(j = list_take(&p->queued)))
            pthread_cond_wait(&p->wake, &p->lock);
        if (!j)
            break;
        p->n_queued--;
        pthread_mutex_unlock(&p->lock);
        j->run(j->job);
        pthread_mutex_lock(&p->lock);
        list_append(&p->finished, j);
        (void) !write(p->event_fd, &(uint64_t) { 1 }, sizeof(uint64_t));
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int pool_dispatch(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Pool *p = userdata;
    uint64_t count;

    (void) !read(fd, &count, sizeof(count));
    for (;;) {
        pthread_mutex_lock(&p->lock);
        _cleanup_free_ PoolJob *j = list_take(&p->finished);
        if (j)
            p->n_open--;
        pthread_mutex_unlock(&p->lock);
        if (!j)
            return 0;
        j->done(j->job);
    }
}

int pool_new(sd_event *event, unsigned threads, unsigned queue_max, int niceness, Pool **ret) {
    Pool *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return -ENOMEM;
    p->queue_max = queue_max;
    p->niceness = niceness;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->queued.tail = &p->queued.head;
    p->finished.tail = &p->finished.head;
    p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->event_fd < 0) {
        r = -errno;
        pool_free(p);
        return r;
    }
    r = sd_event_add_io(event, &p->source, p->event_fd, 1 /* EPOLLIN */, pool_dispatch, p);
    while (r >= 0 && p->n_threads < threads && p->n_threads < POOL_THREADS_MAX) {
        r = -pthread_create(&p->threads[p->n_threads], NULL, pool_thread, p);
        if (r == 0)
            p->n_threads++;
    }
    if (r < 0) {
        pool_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

int pool_submit(Pool *p, PoolRun run, PoolDone done, void *job) {
    PoolJob *j = malloc(sizeof(*j));

    if (!j)
        return -ENOMEM;
    *j = (PoolJob) { .run = run, .done = done, .job = job };
    pthread_mutex_lock(&p->lock);
    if (p->n_queued >= p->queue_max) {
        pthread_mutex_unlock(&p->lock);
        free(j);
        return -EAGAIN;
    }
    list_append(&p->queued, j);
    p->n_queued++;
    p->n_open++;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

unsigned pool_queue_length(Pool *p) {
    pthread_mutex_lock(&p->lock);
    unsigned n = p->n_queued;
    pthread_mutex_unlock(&p->lock);
    return n;
}

bool pool_is_idle(Pool *p) {
    pthread_mutex_lock(&p->lock);
    bool idle = p->n_open == 0;
    pthread_mutex_unlock(&p->lock);
    return idle;
}

Pool *pool_free(Pool *p) {
    PoolJob *j;

    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    while ((j = list_take(&p->queued)) || (j = list_take(&p->finished)))
        free(j);
    sd_event_source_disable_unref(p->source);
    if (p->event_fd >= 0)
        close(p->event_fd);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}
