/* What is still to be done for each file, who does it next, and what stands in whose way: the one thing that all connections of an upload share. No network.
 *
 * Every call may come from any thread. */
#pragma once

#include "export/delivered.h"

#define TEMPORARY_SIZE (sizeof("tempoftp--2.part") + 16)

typedef enum TaskState {
    TASK_WAITS,
    TASK_WORKED_ON,
    TASK_SENT,  /* whole, under its temporary name: the first volume of a set whose others are not all there yet */
    TASK_DONE,
} TaskState;

typedef struct Task {
    const SourceFile *file;
    FileMark mark;
    TaskState state;
    bool sent;       /* only its name is missing */
    bool touched;    /* something of it may lie there under its temporary name */
    bool anew;       /* what lies there is no beginning of it, or the server does not go on with it */
    bool held;       /* the server would not go on with what lay there: another temporary name */
    uint32_t set;    /* which RAR set, 0: none */
    bool set_first;  /* its first volume */
} Task;

typedef struct Plan Plan;
/* Borrows all three. What `delivered` has is done. */
int plan_new(const Source *source, const Delivered *delivered, const char *id, uint64_t life, uint64_t number, Plan **ret) _must_use_;
Plan *plan_free(Plan *p);
DEFINE_CLEANUP(Plan, plan_free)

size_t plan_left(Plan *p);          /* tasks that are not done */
uint64_t plan_bytes_done(Plan *p);  /* of those that were done at the start */

/* The next one, for the caller alone from now on; NULL: there is none now. With `sent` only its name is missing. */
Task *plan_take(Plan *p);
/* Nobody works on it any more; somebody else may take it. */
void plan_give_back(Plan *p, Task *t);
/* Its bytes are all there. False: it has to wait for its set, the task is out of the caller's hands. True: now its name. */
bool plan_sent(Plan *p, Task *t);
/* It has its name. */
void plan_done(Plan *p, Task *t);
/* One after the other those of which something may lie there; NULL: no more. After the upload has stopped. */
Task *plan_next_touched(Plan *p, size_t *position);

/* Beside the file: a name that says whose it is, of which content. */
void plan_temporary(const Task *t, char ret[static TEMPORARY_SIZE]);
