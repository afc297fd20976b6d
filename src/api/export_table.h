/* The exports under way as this process knows them. Private to the files of exports: rebuilt from the state database, which is the truth. */
#pragma once

#include "api/export_queue.h"

/* One that may have a unit, or is getting one. */
typedef struct Running {
    uint64_t life;
    uint32_t n;
    char id[ID_MAX + 1];
    bool starting;      /* a chain of start steps, or the pause before one, owns it */
    uint64_t since_ms;  /* when its unit was started, or found */
    Progress progress;
    bool has_progress;
    uint64_t progress_ms; /* when it was asked last; 0: never */
    struct Running *next;
} Running;

struct Exports {
    Running *first;
    unsigned count;
    bool kick_due;
};

/* NULL: none. */
Running *running_find(const Exports *x, uint64_t life, uint32_t n);
/* The entry of that export, made when it is not there. NULL: no memory. */
Running *running_add(Exports *x, const Export *e);
void running_remove(Exports *x, uint64_t life, uint32_t n);

/* A row that is pendiente, or subiendo without a unit: gets one (export_start.c). */
void export_start(Manager *m, const Export *e);
/* Its end for that cause, and its place for another (likewise). */
void export_fail(Manager *m, const Export *e, ExportCause cause, const char *detail);
