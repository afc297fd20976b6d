/* Questions to sessions that the bus waits for: EndSessions and ListSessions. docs/INTERNALS.md, org.tempoftp.Ftp1.
 *
 * A session that doesn't answer within QUERY_PATIENCE_MS is killed (END) or listed without particulars (LIST). */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/connection.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#define QUERIES_MAX 64
#define QUERIES_LIST_MAX 32 /* before no more lists are begun: whoever looks keeps nobody from closing access */
#define QUERY_PATIENCE_MS 500
#define QUERY_END_MS 900 /* the caller is answered even if the kernel is slow to end a killed process */

typedef struct Query Query;
typedef struct Queries {
    TAILQ_HEAD(QueryList, Query) list;
    size_t n;
    uint32_t serial;
} Queries;

void queries_init(Queries *q);
void queries_done(Queries *q);
/* Both answer `call` sooner or later. -EBUSY: too many. account NULL: the session of that process. */
int query_end(Listener *l, sd_bus_message *call, const char *account, uint32_t pid, const char *id) _must_use_;
int query_list(Listener *l, sd_bus_message *call) _must_use_;

void query_on_stays(Listener *l, Connection *c, uint32_t serial);
void query_on_where(Listener *l, Connection *c, const WireWhere *where);
void query_on_gone(Listener *l, Connection *c);
uint64_t queries_deadline(const Queries *q);
void queries_turn(Listener *l, uint64_t now_ms);
