/* Gathers what is to be ended while a unit is under way. Whose sessions these are and what follows is the business of those who ask. */
#include "api/session_ends.h"

#include "model/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct SessionEnd SessionEnd;

struct SessionEnd {
    SessionEnd *next;
    char account[ACCOUNT_NAME_MAX + 1], id[ID_MAX + 1];
    uint32_t *ret_ended;
    UnitReply reply;
    void *userdata;
};

struct SessionEnds {
    SessionEnd *waiting, **last; /* oldest first */
    SessionEnd *under_way;       /* what the unit of the moment was told, in that order */
    uint32_t ended[PUREFTPD_WHOSE_MAX];
};

static void list_free(SessionEnd *first) {
    for (SessionEnd *at; (at = first);) {
        first = at->next;
        free(at);
    }
}

SessionEnds *session_ends_free(SessionEnds *e) {
    if (!e)
        return NULL;
    list_free(e->waiting);
    list_free(e->under_way);
    free(e);
    return NULL;
}

static void start_unit(Manager *m);

static void on_unit_ended(void *userdata, int r, const char *error_name, const char *message) {
    Manager *m = userdata;
    SessionEnds *e = m->session_ends;
    SessionEnd *first = e->under_way;

    /* Whoever is told may ask for more: that waits until all have their number. */
    for (size_t i = 0; first; i++) {
        SessionEnd *end = first;
        first = end->next;
        if (r >= 0 && end->ret_ended)
            *end->ret_ended = e->ended[i];
        end->reply(end->userdata, r, error_name, message);
        free(end);
        e->under_way = first;
    }
    start_unit(m);
}

static void start_unit(Manager *m) {
    SessionEnds *e = m->session_ends;
    const char *whose[2 * PUREFTPD_WHOSE_MAX];
    SessionEnd **end = &e->waiting;
    size_t n = 0;

    if (e->under_way || !e->waiting)
        return;
    for (; *end && n < PUREFTPD_WHOSE_MAX; end = &(*end)->next, n++) {
        whose[2 * n] = (*end)->account;
        whose[2 * n + 1] = (*end)->id;
    }
    e->under_way = e->waiting;
    e->waiting = *end;
    *end = NULL;
    if (!e->waiting)
        e->last = &e->waiting;
    int r = pureftpd_end_sessions(m->bus, whose, n, e->ended, on_unit_ended, m, NULL);
    if (r < 0)
        on_unit_ended(m, r, NULL, NULL);
}

static SessionEnds *ends(Manager *m) {
    if (!m->session_ends) {
        m->session_ends = calloc(1, sizeof(*m->session_ends));
        if (m->session_ends)
            m->session_ends->last = &m->session_ends->waiting;
    }
    return m->session_ends;
}

void session_ends_add(Manager *m, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata) {
    SessionEnds *e = ends(m);
    SessionEnd *end;

    if (!account_name_is_valid(account)) {
        if (ret_ended)
            *ret_ended = 0;
        reply(userdata, 0, NULL, NULL);
        return;
    }
    end = e ? calloc(1, sizeof(*end)) : NULL;
    if (!end) {
        reply(userdata, -ENOMEM, NULL, NULL);
        return;
    }
    strcpy(end->account, account);
    strcpy(end->id, id);
    end->ret_ended = ret_ended;
    end->reply = reply;
    end->userdata = userdata;
    *e->last = end;
    e->last = &end->next;
    start_unit(m);
}
