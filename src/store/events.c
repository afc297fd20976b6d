/* Table `events`: the audit trail. Appended with every change of a request, read back in order,
 * never altered (schema.c's triggers see to it). */
#include "store/handles.h"

#include <errno.h>

/* -EDQUOT when that life has all the events that it may have. */
static int check_quota(Connection *c, uint64_t life) {
    _cleanup_query_ Query q = query_start(c, SQL_EVENT_LAST);
    int r;

    query_unsigned(&q, 1, life);
    r = query_step(&q);
    if (r <= 0)
        return r;
    return query_column_integer(&q, 0) >= STORE_EVENTS_MAX ? -EDQUOT : 0;
}

int event_append(Connection *c, uint64_t life, State state, const char *text, const Actor *who, bool always) {
    int r;

    r = always ? 0 : check_quota(c, life);
    if (r < 0)
        return r;
    _cleanup_query_ Query q = query_start(c, SQL_EVENT_INSERT);
    query_unsigned(&q, 1, life);
    query_integer(&q, 2, who->now);
    query_text(&q, 3, state_name(state));
    query_text(&q, 4, who->name);
    query_text(&q, 5, text);
    query_text(&q, 6, who->request_id);
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
