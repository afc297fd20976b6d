/* Takes a connection that is free, or makes one; what broke is closed. What is asked over it is not known here. */
#include "accounts/mariadb_pool.h"

#include "basic/time.h"

#include <errno.h>

#define CHECK_MS 5000      /* a table that was altered is noticed within this time: accounts get their end as soon as it has a column for it */
#define AGAIN_LEFT_MS 1000 /* what is left of the time for another try */

void link_pool_init(LinkPool *p, const Settings *settings) {
    *p = (LinkPool) { .settings = settings };
    pthread_mutex_init(&p->mutex, NULL);
}

void link_pool_done(LinkPool *p) {
    while (p->idle_n > 0)
        link_close(p->idle[--p->idle_n]);
    pthread_mutex_destroy(&p->mutex);
}

static Link *take_idle(LinkPool *p) {
    Link *l = NULL;

    pthread_mutex_lock(&p->mutex);
    while (!l && p->idle_n > 0) {
        l = p->idle[--p->idle_n];
        if (link_is_dead(l))
            l = link_close(l);
    }
    pthread_mutex_unlock(&p->mutex);
    return l;
}

static void give_back(LinkPool *p, Link *l) {
    bool kept = false;

    if (!l->broken) {
        l->pooled = true;
        pthread_mutex_lock(&p->mutex);
        kept = p->idle_n < IDLE_LINKS_MAX;
        if (kept)
            p->idle[p->idle_n++] = l;
        pthread_mutex_unlock(&p->mutex);
    }
    if (!kept)
        link_close(l);
}

int link_pool_do(LinkPool *p, LinkWork work, void *userdata, AccountTrouble *ret_trouble) {
    uint64_t by = link_deadline(p->settings);

    for (;;) {
        Link *l = take_idle(p);
        int r = 0;

        if (!l)
            r = link_open(p->settings, by, &l, ret_trouble);
        if (!l)
            return r;
        l->deadline_ms = by;
        if (monotonic_ms() - l->checked_ms >= CHECK_MS)
            r = link_check_table(l, p->settings, ret_trouble);
        if (r >= 0 && l->broken) { /* it fits, in another way */
            link_close(l);
            continue;
        }
        if (r >= 0)
            r = work(l, userdata, ret_trouble);
        bool again = r == -EAGAIN && l->broken && l->pooled && monotonic_ms() + AGAIN_LEFT_MS < by;
        give_back(p, l);
        if (again)
            continue;
        if (r >= 0)
            *ret_trouble = (AccountTrouble) { 0 };
        return r;
    }
}

typedef struct LockedWork {
    const char *account;
    LinkWork work;
    void *userdata;
} LockedWork;

static int do_locked(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    const LockedWork *w = userdata;
    int r = link_lock(l, w->account, ret_trouble);

    if (r < 0)
        return r;
    r = w->work(l, w->userdata, ret_trouble);
    link_unlock(l, w->account);
    return r;
}

int link_pool_change(LinkPool *p, const char *account, LinkWork work, void *userdata, AccountTrouble *ret_trouble) {
    LockedWork w = { account, work, userdata };
    return link_pool_do(p, do_locked, &w, ret_trouble);
}
