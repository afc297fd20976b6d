/* The tasks of an upload under one lock. RAR sets: all volumes but the first get their names when they are whole; the first waits for the others, so that a
 * partner who watches for it finds all.
 *
 * It knows no connection. */
#include "export/plan.h"

#include "basic/strings.h"
#include "export/order.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

struct Plan {
    pthread_mutex_t lock;
    Task *tasks;
    size_t n, next, left, given_back; /* tasks before `next` are taken, but for so many that were given back */
    uint64_t bytes_done;
    uint32_t *others_left; /* for each set: volumes without their names, the first apart */
    uint32_t n_sets;
};

Plan *plan_free(Plan *p) {
    if (!p)
        return NULL;
    pthread_mutex_destroy(&p->lock);
    free(p->tasks);
    free(p->others_left);
    free(p);
    return NULL;
}

/* Files come sorted, a set's volumes side by side. */
static void find_sets(Plan *p) {
    for (size_t i = 1; i < p->n; i++) {
        Task *before = &p->tasks[i - 1], *t = &p->tasks[i];

        if (!order_same_set(before->file->path, t->file->path))
            continue;
        if (before->set == 0) {
            before->set = ++p->n_sets;
            before->set_first = true;
        }
        t->set = before->set;
    }
}

int plan_new(const Source *source, const Delivered *delivered, const char *id, uint64_t life, uint64_t number, Plan **ret) {
    _cleanup_(plan_freep) Plan *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    p->tasks = calloc(source->n_files + 1, sizeof(Task));
    if (!p->tasks)
        return -ENOMEM;
    p->n = source->n_files;
    for (size_t i = 0; i < p->n; i++)
        p->tasks[i].file = &source->files[i];
    find_sets(p);
    p->others_left = calloc(p->n_sets + 1, sizeof(uint32_t));
    if (!p->others_left)
        return -ENOMEM;
    for (size_t i = 0; i < p->n; i++) {
        Task *t = &p->tasks[i];

        file_mark(id, life, number, t->file, &t->mark);
        if (delivered_has(delivered, &t->mark)) {
            t->state = TASK_DONE;
            p->bytes_done += t->file->size;
            continue;
        }
        p->left++;
        if (t->set > 0 && !t->set_first)
            p->others_left[t->set]++;
    }
    *ret = TAKE_PTR(p);
    return 0;
}

size_t plan_left(Plan *p) {
    pthread_mutex_lock(&p->lock);
    size_t left = p->left;
    pthread_mutex_unlock(&p->lock);
    return left;
}

uint64_t plan_bytes_done(Plan *p) {
    return p->bytes_done; /* never changes */
}

/* Rarely more than a few have been given back. */
static Task *take_given_back(Plan *p) {
    for (size_t i = 0; p->given_back > 0 && i < p->next; i++)
        if (p->tasks[i].state == TASK_WAITS) {
            p->given_back--;
            return &p->tasks[i];
        }
    return NULL;
}

Task *plan_take(Plan *p) {
    Task *t;

    pthread_mutex_lock(&p->lock);
    t = take_given_back(p);
    while (!t && p->next < p->n) {
        t = &p->tasks[p->next++];
        if (t->state != TASK_WAITS)
            t = NULL;
    }
    if (t)
        t->state = TASK_WORKED_ON;
    pthread_mutex_unlock(&p->lock);
    return t;
}

static void wait_again(Plan *p, Task *t) {
    t->state = TASK_WAITS;
    p->given_back++;
}

void plan_give_back(Plan *p, Task *t) {
    pthread_mutex_lock(&p->lock);
    wait_again(p, t);
    pthread_mutex_unlock(&p->lock);
}

bool plan_sent(Plan *p, Task *t) {
    bool now;

    pthread_mutex_lock(&p->lock);
    t->sent = true;
    now = !t->set_first || p->others_left[t->set] == 0;
    if (!now)
        t->state = TASK_SENT;
    pthread_mutex_unlock(&p->lock);
    return now;
}

/* The last of the others: the first volume of its set, which stands before it, can have its name now. */
static void release_first(Plan *p, Task *t) {
    while (!t->set_first)
        t--;
    if (t->state == TASK_SENT)
        wait_again(p, t);
}

void plan_done(Plan *p, Task *t) {
    pthread_mutex_lock(&p->lock);
    t->state = TASK_DONE;
    p->left--;
    if (t->set > 0 && !t->set_first && --p->others_left[t->set] == 0)
        release_first(p, t);
    pthread_mutex_unlock(&p->lock);
}

Task *plan_next_touched(Plan *p, size_t *position) {
    while (*position < p->n) {
        Task *t = &p->tasks[(*position)++];
        if (t->touched && t->state != TASK_DONE)
            return t;
    }
    return NULL;
}

void plan_temporary(const Task *t, char ret[static TEMPORARY_SIZE]) {
    char hex[2 * FILE_MARK_SIZE + 1];

    hex_encode(t->mark.bytes, sizeof(t->mark.bytes), hex);
    snprintf(ret, TEMPORARY_SIZE, "tempoftp-%.16s%s.part", hex, t->held ? "-2" : "");
}
