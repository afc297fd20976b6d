/* The requests in flight as this process knows them: their unit, their reservation of space, their progress.
 * The state database is the truth; this table is rebuilt from it at start. */
#pragma once

#include "api/manager.h"
#include "model/progress.h"
#include "units/units.h"

typedef struct Transfer {
    uint64_t life;
    uint32_t run;
    char id[ID_MAX + 1];
    bool sized;
    uint64_t reserved;    /* bytes that this transfer may still write; 0 before it is sized */
    uint64_t needed;      /* what it asked for when sized */
    Progress progress;    /* last known */
    bool has_progress;
    uint64_t progress_ms; /* when it was asked last; 0 never */
    bool starting;        /* scheduler.c is bringing its unit up */
    bool finishing;       /* lifecycle_finish() is under way */
    bool waiting;         /* whole, but the account back end did not make its account: holds no place */
    sd_bus_slot *watch;   /* on its unit; NULL before it runs */
    struct Transfer *next;
} Transfer;

int transfers_new(Transfers **ret) _must_use_;
Transfers *transfers_free(Transfers *t);
/* The entry of that life, made when it is not there. NULL: no memory. */
Transfer *transfers_add(Transfers *t, const Request *r);
Transfer *transfers_find(Transfers *t, uint64_t life);
Transfer *transfers_find_id(Transfers *t, const char *id);
void transfers_remove(Transfers *t, uint64_t life);
unsigned transfers_count(const Transfers *t);
unsigned transfers_waiting(const Transfers *t); /* of them: for the account back end */
/* What all but `life` may still write. */
uint64_t transfers_reserved(const Transfers *t, uint64_t life);

/* Brings the progress of the given life (0: all) up to date, then calls. `max_age_ms`: younger figures are good enough. */
typedef void (*TransfersFresh)(Manager *m, void *userdata);
int transfers_refresh(Manager *m, uint64_t life, uint64_t max_age_ms, TransfersFresh fresh, void *userdata) _must_use_;
