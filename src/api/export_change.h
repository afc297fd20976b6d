/* One change of one export's row, its line for the log and its event for the request: a job in the store, then an answer. */
#pragma once

#include "api/call.h"

#define EXPORT_TEXT_SIZE 768

typedef struct ExportChange ExportChange;
typedef void (*ExportChanged)(ExportChange *c, int r);
struct ExportChange {
    Manager *m;
    ExportChanged done;
    void *userdata;
    uint64_t life;
    uint32_t n;
    ExportState was; /* the row must be in that state … */
    uint32_t run;    /* … and at this run, else -ESTALE */
    ExportState to;
    int64_t now;
    char token[EXPORT_TOKEN_SIZE]; /* EXPORT_SUBIENDO: of the run that begins */
    uint64_t bytes, files;         /* EXPORT_LISTO */
    char message[EXPORT_TEXT_SIZE]; /* what people are told of it; empty: nothing */
    char line[EXPORT_TEXT_SIZE];   /* for the log, with its prefix; empty: none */
    char actor[ACTOR_TEXT_MAX + 1]; /* who did it, for the request's events … */
    Call *call;                    /* … and, when by a call, for the audit trail: answered with 200; borrowed */
    Export row;                    /* the result: the row as it is now */
};

/* NULL: no memory. */
ExportChange *export_change_new(Manager *m, const Export *e, ExportState to, ExportChanged done, void *userdata);
/* Takes it over; `done` gets it last. Holds the service until then. */
void export_change_run(ExportChange *c);
/* Journal and log have the same words. */
void export_change_line(ExportChange *c, const char *format, ...) _printf_(2, 3);
