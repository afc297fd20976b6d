/* Table `events`: the audit trail. Appended with every change of a request, read back in order, never altered (schema.c's triggers see to it). */
#include "store/handles.h"

#include <errno.h>

static int last_event(Connection *c, uint64_t life, int64_t *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_EVENT_LAST);
    int r;

    query_unsigned(&q, 1, life);
    r = query_step(&q);
    if (r >= 0)
        *ret = r == 0 ? 0 : query_column_integer(&q, 0);
    return r < 0 ? r : 0;
}

int event_append(Connection *c, uint64_t life, State state, const char *text, const Actor *who, bool always) {
    int64_t last;
    int r;

    r = last_event(c, life, &last);
    if (r < 0)
        return r;
    if (last >= STORE_EVENTS_MAX && !always)
        return -EDQUOT;
    _cleanup_query_ Query q = query_start(c, SQL_EVENT_INSERT);
    query_unsigned(&q, 1, life);
    query_integer(&q, 2, last + 1);
    query_integer(&q, 3, who->now);
    query_text(&q, 4, state_name(state));
    query_text(&q, 5, who->name);
    query_text(&q, 6, text);
    query_text(&q, 7, who->request_id);
    return query_run(&q);
}

int store_list_events(Store *s, uint64_t life, uint64_t after_n, EventWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_EVENTS);
    int r;

    query_unsigned(&q, 1, life);
    query_unsigned(&q, 2, after_n);
    while ((r = query_step(&q)) > 0) {
        Event e = {
            .n = (uint64_t) query_column_integer(&q, 0),
            .at = query_column_integer(&q, 1),
            .actor = query_column_text(&q, 3),
            .message = query_column_text(&q, 4),
            .request_id = query_column_text(&q, 5),
        };
        const char *state = query_column_text(&q, 2);

        if (!state || state_parse(state, &e.state) < 0)
            return -EBADMSG;
        r = walk(&e, userdata);
        if (r != 0)
            return r;
    }
    return r;
}
