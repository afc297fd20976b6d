/* Clock jumps: compares how far UTC moved with how far the boot clock moved. Decides nothing about requests;
 * it only says what "now" is and whether data may be removed for good. */
#include "model/clock.h"

#include "basic/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

int64_t clock_observe(Clock *c, const ClockReading *r) {
    bool same_boot = c->anchor_utc != 0 && strcmp(c->boot_id, r->boot_id) == 0;

    if (same_boot && r->boot_ms >= c->anchor_ms) {
        int64_t expected = c->anchor_utc + (int64_t) ((r->boot_ms - c->anchor_ms) / 1000);
        if (r->utc > expected + CLOCK_JUMP_SECONDS)
            c->jumped = true;
        else if (c->jumped && r->utc < c->utc - CLOCK_JUMP_SECONDS) {
            /* It was a mistake and was put right: the high-water mark it left would expire requests early. */
            c->jumped = false;
            c->utc = r->utc;
        }
    }
    if (r->synchronised)
        c->jumped = false;

    memcpy(c->boot_id, r->boot_id, sizeof(c->boot_id));
    c->anchor_utc = r->utc;
    c->anchor_ms = r->boot_ms;
    if (r->utc > c->utc)
        c->utc = r->utc;
    return c->utc;
}

bool clock_may_purge(const Clock *c) {
    return !c->jumped;
}

void clock_format(const Clock *c, char ret[static CLOCK_TEXT_SIZE]) {
    snprintf(ret, CLOCK_TEXT_SIZE, "%s %" PRId64 " %" PRId64 " %" PRIu64 " %d", c->boot_id[0] ? c->boot_id : "-", c->utc,
             c->anchor_utc, c->anchor_ms, c->jumped);
}

int clock_parse(const char *text, Clock *ret) {
    Clock c = { 0 };
    int jumped;

    if (sscanf(text, "%36s %" SCNd64 " %" SCNd64 " %" SCNu64 " %d", c.boot_id, &c.utc, &c.anchor_utc, &c.anchor_ms, &jumped) != 5)
        return -EINVAL;
    if (c.utc < 0 || c.anchor_utc < 0 || (jumped != 0 && jumped != 1))
        return -EINVAL;
    c.jumped = jumped;
    *ret = c;
    return 0;
}

void clock_read(ClockReading *ret) {
    struct timespec boot = { 0 };
    struct timex t = { 0 };
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(ret, 0, sizeof(*ret));
    if (!f || !fgets(ret->boot_id, sizeof(ret->boot_id), f))
        strcpy(ret->boot_id, "unknown");
    ret->boot_id[strcspn(ret->boot_id, "\n")] = '\0';
    if (f)
        fclose(f);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    ret->boot_ms = (uint64_t) boot.tv_sec * 1000 + (uint64_t) boot.tv_nsec / 1000000;
    ret->utc = utc_now();
    ret->synchronised = adjtimex(&t) != TIME_ERROR && !(t.status & STA_UNSYNC);
}
