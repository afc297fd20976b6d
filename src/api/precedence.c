/* Who goes first when the loop and its helpers want the same: sched_setattr(2), setpriority(2), mallopt(3). It knows nothing of what they do. */
#include "api/precedence.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NS 100000 /* the shortest that Linux takes */
#define HEAP_STEP (8 << 20)
#define HEAP_KEPT (64 << 20)

/* sched_setattr(2): libc has neither the call nor this, and linux/sched/types.h does not go with sched.h. */
typedef struct SchedAttr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} SchedAttr;

#define RESET_ON_FORK 1 /* threads and children have turns of the usual length */

/* Since Linux 6.12 whoever wants short turns gets the CPU at once from a thread in the middle of a longer one; without it the loop waits up to 3 ms each time
 * a password is hashed on its CPU. Its share stays what it is. */
static void take_short_turns(void) {
    SchedAttr attr = { .size = sizeof(attr), .flags = RESET_ON_FORK, .nice = getpriority(PRIO_PROCESS, 0), .runtime = TURN_NS };
    (void) syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* Hashing a password maps, fills and unmaps 64 MiB, and who wants to alter this process's map of memory waits for that: 20 to 50 ms were seen where the
 * loop's heap grew by a page. So it grows in large steps, is kept, and nothing of an answer's size gets a mapping of its own. */
static void keep_heap(void) {
    (void) mallopt(M_TOP_PAD, HEAP_STEP);
    (void) mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    (void) mallopt(M_MMAP_THRESHOLD, HEAP_STEP);
}

void precedence_of_loop(void) {
    take_short_turns();
    keep_heap();
}

void precedence_step_back(int niceness) {
    if (niceness > 0)
        (void) setpriority(PRIO_PROCESS, (id_t) gettid(), niceness); /* a thread of its own on Linux */
}
