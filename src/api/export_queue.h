/* Requests on their way to partners: the queue of exports, the start of a unit for each, and what its end means. docs/INTERNALS.md "Exports".
 *
 * The database is the truth; what is kept here beside it are the starts under way and the progress of what runs. */
#pragma once

#include "api/manager.h"
#include "model/progress.h"

#define EXPORT_RUNS_MAX 5     /* a unit that vanishes without a report is started again so often */
#define EXPORT_NOTE_MAX 400   /* bytes of a line that a worker writes */
#define EXPORT_PREFIX "[FTP Upload] "

int exports_new(Exports **ret) _must_use_;
Exports *exports_free(Exports *x);

/* Asks for a pass over the queue, at the next turn of the loop. */
void exports_kick(Manager *m);
/* Looks at what is and what should be: units that no row wants are stopped, rows whose unit is gone get another run. At the start and with the sweep. */
void exports_compare(Manager *m);
/* Rows may have become `cancelado` behind what runs: their units are stopped. */
void exports_settle(Manager *m);

/* Stops the unit of one export; reply as in units.h. Without units (the simulator) it is called at once. */
typedef void (*ExportStopped)(void *userdata, int r, const char *error_name, const char *message);
void export_stop(Manager *m, const char *id, uint32_t n, ExportStopped stopped, void *userdata);

/* The unit's STATUS= figures; done is called once, at once when there is nothing to ask. */
typedef void (*ExportsFresh)(Manager *m, void *userdata);
void exports_refresh(Manager *m, uint64_t life, ExportsFresh fresh, void *userdata);
/* The last known progress of one that runs; NULL: none. */
const Progress *exports_progress(const Manager *m, uint64_t life, uint32_t n);

/* A unit of that life, number and run has ended, as systemd reports it. */
void export_unit_ended(Manager *m, uint64_t life, uint32_t n, uint32_t run, const char *detail);
/* The workers' reports; done gets 0, -ESTALE (an older run, a lie) or what the store says. cause and detail in failures only. */
typedef struct ExportReport {
    enum { EXPORT_SAYS_NOTE, EXPORT_SAYS_DONE, EXPORT_SAYS_FAILED } kind;
    const char *token;
    uint64_t bytes, files; /* EXPORT_SAYS_DONE */
    ExportCause cause;     /* EXPORT_SAYS_FAILED */
    const char *text;      /* a note, or the detail of a failure */
} ExportReport;
typedef void (*ExportReported)(void *userdata, int r);
void export_report(Manager *m, const ExportReport *report, ExportReported done, void *userdata);
