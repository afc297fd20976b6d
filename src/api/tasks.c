/* Durable tasks: purging folders and drop folders. (What an account back end is to be told is access.c's.) They stand in the database from the moment the request ends and are repeated, with
 * growing pauses, until they are done; a task that fails is loud in the journal. */
#include "api/settle.h"

#include "api/folders.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "model/messages.h"
#include "units/units.h"

#include <errno.h>
#include <stdio.h>

#define PURGES_MAX ELEMENTS(((Manager *) NULL)->purging) /* units at once; the end of one starts the next */
#define TASK_PAUSE_FIRST 5
#define TASK_PAUSE_MAX 3600
#define TASK_PAUSE_WATCHED 60 /* longer pauses are the sweep timer's */

/* One task under way. */
typedef struct TaskRun {
    Manager *m;
    Task task;
    bool finished; /* remove the row; else put it back with a pause */
} TaskRun;

static void task_free(TaskRun *t) {
    manager_release(t->m);
    free(t);
}

/* NULL: no unit runs for it. */
static struct Purging *purging_find(Manager *m, TaskKind kind, uint64_t life) {
    for (unsigned i = 0; i < PURGES_MAX; i++)
        if (m->purging[i].life == life && (life == 0 || m->purging[i].kind == kind))
            return &m->purging[i];
    return NULL;
}

static bool purging_add(Manager *m, TaskKind kind, uint64_t life) {
    struct Purging *p = purging_find(m, kind, 0);

    if (p)
        *p = (struct Purging) { life, kind };
    return p;
}

static void purging_remove(Manager *m, TaskKind kind, uint64_t life) {
    struct Purging *p = purging_find(m, kind, life);

    if (p)
        p->life = 0;
}

static int task_job(StoreTx *tx, void *userdata) {
    TaskRun *t = userdata;
    return t->finished ? tx_task_remove(tx, t->task.life, t->task.kind) : tx_task_put(tx, &t->task);
}

static void task_kick_again(Manager *m, void *userdata) {
    tasks_kick(m);
}

static void kick_after(Manager *m, int64_t pause) {
    if (pause <= TASK_PAUSE_WATCHED)
        (void) !manager_after(m, (uint64_t) pause * 1000 + 500, task_kick_again, NULL);
}

static void task_written(void *userdata, int r) {
    TaskRun *t = userdata;

    if (r < 0)
        log_errno(r, "Cannot write down a task of request %s", t->task.id);
    purging_remove(t->m, t->task.kind, t->task.life); /* not sooner: the row still said that it is due */
    if (r >= 0)
        tasks_kick(t->m);
    task_free(t);
}

static void task_close(TaskRun *t, int r) {
    t->finished = r >= 0;
    if (!t->finished) {
        int64_t pause = TASK_PAUSE_FIRST;
        for (uint32_t i = 0; i < t->task.tries && pause < TASK_PAUSE_MAX; i++)
            pause *= 2;
        if (pause > TASK_PAUSE_MAX)
            pause = TASK_PAUSE_MAX;
        t->task.tries++;
        t->task.not_before = manager_now(t->m) + pause;
        kick_after(t->m, pause);
    }
    r = store_write(t->m->store, task_job, task_written, t);
    if (r < 0)
        task_written(t, r);
}

/* ---- purge ---- */

static void purge_started(void *userdata, int r, const char *error_name, const char *message) {
    TaskRun *t = userdata;
    LogContext about = { .request = t->task.id, .message_id = MESSAGE_ID_PURGE_FAILED };

    if (r == -EALREADY) { /* another life of this id is being purged: its end kicks us again */
        purging_remove(t->m, t->task.kind, t->task.life);
        task_free(t);
        return;
    }
    if (r < 0) {
        log_line(LOG_ERR, &about, "Cannot start the removal of the data, will be tried again: %s", message ? message : strerror(-r));
        task_close(t, r);
        return;
    }
    task_free(t); /* the unit's end is reported by tempoftp-done@ or tempoftp-failed@ */
}

/* The row is there from the moment the request ends; its folder follows when its unit has stopped, and then we are kicked again. */
static bool purge_is_ahead(Manager *m, const Task *task) {
    _cleanup_request_ Request request = { 0 }, owner = { 0 };

    if (!m->bus || store_get_life(m->store, task->life, &request) < 0)
        return false;
    int r = store_get(m->store, task->id, &owner);
    return folders_purge_ahead(m->data_fd, &request, r < 0 || owner.life == task->life);
}

static bool data_is_there(const Manager *m, const Task *task) {
    return (task->kind == TASK_DROP ? folders_drop_pending : folders_purge_pending)(m->data_fd, task->id, task->life);
}

/* What is in the way of its removal is gone: a unit does the rest. */
static void purge_start(TaskRun *t) {
    Manager *m = t->m;

    if (!m->bus || !data_is_there(m, &t->task)) {
        task_close(t, 0);
        return;
    }
    if (!clock_may_purge(&m->clock)) {
        LogContext about = { .request = t->task.id, .message_id = MESSAGE_ID_CLOCK_JUMP };
        log_line(LOG_WARNING, &about, "The clock jumped forward and is not synchronised: access is closed, data stays until it is");
        task_free(t);
        return;
    }
    if (purging_find(m, t->task.kind, t->task.life) || !purging_add(m, t->task.kind, t->task.life)) {
        task_free(t);
        return;
    }
    int r = broker_start_purge(m->bus, t->task.kind == TASK_DROP ? UNIT_DROP : UNIT_PURGE, t->task.id, t->task.life, t->task.tries + 1, purge_started, t, NULL);
    if (r < 0)
        purge_started(t, r, NULL, NULL);
}

static void purge_run(TaskRun *t) {
    if (purge_is_ahead(t->m, &t->task))
        task_free(t);
    else
        purge_start(t);
}

/* Whoever ended the drop moves it away; should he have been killed before, it is still in the home, which nobody may write any more. */
static int drop_take_leftover(Manager *m, const Task *task) {
    _cleanup_request_ Request request = { 0 };
    uint64_t bytes;

    int r = store_get_life(m->store, task->life, &request);
    if (r == -ENOENT)
        return 0; /* an orphan: nothing but what is in .purge */
    if (r >= 0)
        r = store_drop(m->store, request.account, &bytes);
    return r < 0 || bytes > 0 ? r : folders_drop_take(m->data_fd, request.account, task->id, task->life);
}

static void drop_run(TaskRun *t) {
    LogContext about = { .request = t->task.id, .message_id = MESSAGE_ID_PURGE_FAILED };
    int r = t->m->bus ? drop_take_leftover(t->m, &t->task) : 0;

    if (r < 0) {
        log_line(LOG_ERR, &about, "Cannot move a drop folder out of its home, will be tried again: %s", strerror(-r));
        task_close(t, r);
    } else
        purge_start(t);
}

void tasks_purge_ended(Manager *m, TaskKind kind, uint64_t life, uint32_t run, const char *id, bool success, const char *detail) {
    TaskRun *t = calloc(1, sizeof(*t));

    if (!t) {
        purging_remove(m, kind, life);
        return;
    }
    manager_hold(m);
    t->m = m;
    t->task = (Task) { .life = life, .kind = kind, .tries = run > 0 ? run - 1 : 0 };
    snprintf(t->task.id, sizeof(t->task.id), "%s", id);
    if (!success) {
        LogContext about = { .request = id, .message_id = MESSAGE_ID_PURGE_FAILED };
        log_line(LOG_ERR, &about, "The removal of the data failed (%s), will be tried again", detail);
    }
    bool left = data_is_there(m, &t->task);
    if (!left) {
        LogContext about = { .request = id, .message_id = kind == TASK_DROP ? MESSAGE_ID_DROP : MESSAGE_ID_PURGED };
        log_line(LOG_INFO, &about, kind == TASK_DROP ? "What was put into the drop folder is removed" : "The data is removed");
    }
    task_close(t, left ? -EIO : 0);
}

static int find_purge(const Task *task, void *userdata) {
    Task *wanted = userdata;

    if (task->kind != wanted->kind || task->life != wanted->life)
        return 0;
    *wanted = *task;
    return 1;
}

static void (*const task_runs[TASK_KIND_MAX])(TaskRun *) = { [TASK_PURGE] = purge_run, [TASK_DROP] = drop_run };

void tasks_purge_orphan(Manager *m, TaskKind kind, const char *id, uint64_t life) {
    Task task = { .life = life, .kind = kind };

    snprintf(task.id, sizeof(task.id), "%s", id);
    if (store_list_tasks(m->store, INT64_MAX, find_purge, &task) < 0)
        return; /* the next look around finds it again */
    int64_t pause = task.not_before - manager_now(m);
    if (pause > 0) {
        kick_after(m, pause);
        return;
    }
    TaskRun *t = calloc(1, sizeof(*t));
    if (!t)
        return;
    manager_hold(m);
    t->m = m;
    t->task = task;
    task_runs[kind](t);
}

static int task_start(const Task *task, void *userdata) {
    Manager *m = userdata;
    TaskRun *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    manager_hold(m);
    t->m = m;
    t->task = *task;
    task_runs[task->kind](t);
    return 0;
}

typedef struct TaskList {
    Task *tasks;
    size_t n;
} TaskList;

#define TASKS_PER_KICK 64

static int task_collect(const Task *task, void *userdata) {
    TaskList *list = userdata;

    list->tasks[list->n++] = *task;
    return list->n == TASKS_PER_KICK;
}

void tasks_kick(Manager *m) {
    Task tasks[TASKS_PER_KICK];
    TaskList list = { .tasks = tasks };

    /* Collected first: starting one may write, and a walk must not see its own effects. */
    int r = store_list_tasks(m->store, manager_now(m), task_collect, &list);
    if (r < 0)
        log_errno(r, "Cannot read the tasks");
    for (size_t i = 0; i < list.n; i++)
        if (task_start(&list.tasks[i], m) < 0)
            return;
}

static int has_failed(const Task *task, void *userdata) {
    return task->tries > 0;
}

bool tasks_are_failing(Manager *m) {
    return store_list_tasks(m->store, INT64_MAX, has_failed, NULL) != 0;
}
