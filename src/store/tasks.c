/* Table `tasks`: durable things still to do (a purge, a revocation), one of each kind per life,
 * kept until somebody says that they are done. */
#include "store/handles.h"

#include "basic/strings.h"

#include <assert.h>
#include <errno.h>

static const char *const kind_names[TASK_KIND_MAX] = { [TASK_PURGE] = "purge", [TASK_DROP] = "drop" };

static int kind_parse(const char *name, TaskKind *ret) {
    for (TaskKind k = 0; name && k < TASK_KIND_MAX; k++)
        if (streq(kind_names[k], name)) {
            *ret = k;
            return 0;
        }
    return -EBADMSG;
}

int store_list_tasks(Store *s, int64_t now, TaskWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_TASKS);
    int r;

    query_integer(&q, 1, now);
    while ((r = query_step(&q)) > 0) {
        Task t = {
            .life = (uint64_t) query_column_integer(&q, 0),
            .tries = (uint32_t) query_column_integer(&q, 3),
            .not_before = query_column_integer(&q, 4),
        };

        r = kind_parse(query_column_text(&q, 1), &t.kind);
        if (r >= 0)
            r = query_column_fixed(&q, 2, t.id, sizeof(t.id));
        if (r >= 0)
            r = walk(&t, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int tx_task_put(StoreTx *tx, const Task *t) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_TASK_PUT);

    assert(t->kind < TASK_KIND_MAX);
    query_unsigned(&q, 1, t->life);
    query_text(&q, 2, kind_names[t->kind]);
    query_integer(&q, 3, t->tries);
    query_integer(&q, 4, t->not_before);
    return query_run(&q);
}

int tx_task_remove(StoreTx *tx, uint64_t life, TaskKind kind) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_TASK_REMOVE);

    assert(kind < TASK_KIND_MAX);
    query_unsigned(&q, 1, life);
    query_text(&q, 2, kind_names[kind]);
    return query_run(&q);
}
