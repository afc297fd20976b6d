/* How much may still be put into a drop folder that several sessions fill at once. Pure arithmetic that can't wrap: who counts, who asks and who waits
 * is lease.c's.
 *
 * A ledger is an upper bound of what lies in the folder: what a count found, and all that was granted since that count began (a file may have grown before or
 * after it was counted). Sessions put nothing there that was not granted before, so the folder never holds more than the bound, however they take turns and whoever
 * of them dies. What is removed is found by the next count only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Room {
    uint64_t bytes, names;
} Room;

typedef struct Ledger {
    Room counted;  /* by the last count */
    Room granted;  /* since it began */
    Room counting; /* since the count under way began */
    bool known;    /* there was a count */
    bool loose;    /* another count may find less than the bound */
} Ledger;

/* What still fits below a limit of bytes, and of USAGE_NAMES_MAX names. */
Room ledger_left(const Ledger *l, uint64_t limit);
void ledger_grant(Ledger *l, Room granted);
/* Was granted and not used. */
void ledger_return(Ledger *l, Room left);
/* `outstanding`: grants that may be used up while it is counted. Each count ends by the next function, or never. */
void ledger_count_begin(Ledger *l, Room outstanding);
void ledger_count_end(Ledger *l, Room counted);

/* How much to grant to who needs `bytes`: some more, where there is plenty, so that it need not ask for each buffer. Never more than `left`. */
uint64_t quota_portion(uint64_t bytes, uint64_t left);
