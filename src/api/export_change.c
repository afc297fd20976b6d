/* Writes what becomes of an export, in one transaction: the row, a line of its log, and an event of its request when it has ended. What ended badly is a
 * warning there: the request itself stays what it is. */
#include "api/export_change.h"

#include "api/audit.h"
#include "api/export_queue.h"
#include "api/watchers.h"
#include "basic/strings.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

ExportChange *export_change_new(Manager *m, const Export *e, ExportState to, ExportChanged done, void *userdata) {
    ExportChange *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    *c = (ExportChange) { .m = m, .done = done, .userdata = userdata, .life = e->life, .n = e->n, .was = e->state, .run = e->run, .to = to,
                          .now = manager_now(m), .actor = "tempoftpd" };
    manager_hold(m);
    return c;
}

void export_change_line(ExportChange *c, const char *format, ...) {
    size_t used = strlen(EXPORT_PREFIX);
    va_list args;

    strcpy(c->line, EXPORT_PREFIX);
    va_start(args, format);
    vsnprintf(c->line + used, sizeof(c->line) - used, format, args);
    va_end(args);
}

/* Its end, for who reads the request's history; a full history is no reason to keep an export open. */
static int write_event(StoreTx *tx, const ExportChange *c) {
    _cleanup_request_ Request r = { 0 };
    Actor who = { .name = c->actor, .now = c->now };
    char text[EXPORT_TEXT_SIZE + DESTINATION_NAME_SIZE + 64];

    int k = tx_get_life(tx, c->life, &r);
    if (k < 0)
        return k;
    if (c->to == EXPORT_LISTO)
        snprintf(text, sizeof(text), "envío %u a '%s' completo", c->n, c->row.name);
    else
        snprintf(text, sizeof(text), "%senvío %u a '%s': %s", c->to == EXPORT_ERROR ? "aviso: " : "", c->n, c->row.name, c->message);
    k = tx_update(tx, &r, text, &who, NULL);
    return k == -EDQUOT ? 0 : k;
}

static int write_row(StoreTx *tx, ExportChange *c) {
    Export *e = &c->row;

    e->state = c->to;
    if (c->to == EXPORT_SUBIENDO) {
        e->run++;
        strcpy(e->token, c->token);
    } else
        e->token[0] = '\0';
    if (export_state_is_over(c->to))
        e->ended = c->now;
    e->bytes = c->bytes;
    e->files = c->files;
    free(e->message);
    e->message = c->message[0] ? strdup(c->message) : NULL;
    if (c->message[0] && !e->message)
        return -ENOMEM;
    return tx_export_update(tx, e, c->was, c->run);
}

static int change_job(StoreTx *tx, void *userdata) {
    ExportChange *c = userdata;
    int r;

    export_done(&c->row);
    r = tx_export(tx, c->life, c->n, &c->row);
    if (r >= 0 && c->to == EXPORT_CANCELADO && !export_state_is_over(c->row.state)) { /* whatever it has begun meanwhile */
        c->was = c->row.state;
        c->run = c->row.run;
    }
    if (r >= 0 && (c->row.state != c->was || c->row.run != c->run))
        r = -ESTALE;
    bool note = c->to == c->was && c->to == EXPORT_SUBIENDO && !c->token[0]; /* a line alone */
    if (r >= 0 && !note)
        r = write_row(tx, c);
    if (r >= 0 && c->line[0])
        r = tx_export_line(tx, c->life, c->n, c->now, c->line);
    if (r >= 0 && export_state_is_over(c->to))
        r = write_event(tx, c);
    return r >= 0 && c->call ? audit_append(tx, c->call, NULL, 200) : r;
}

static void tell(const ExportChange *c) {
    bool failed = c->to == EXPORT_ERROR;
    char number[32];
    LogContext about = { .request = c->row.id, .message_id = failed ? MESSAGE_ID_EXPORT_FAILED : MESSAGE_ID_EXPORT, .extra = { number } };

    snprintf(number, sizeof(number), "TEMPOFTP_EXPORT=%u", c->n);
    if (c->line[0])
        log_line(failed ? LOG_WARNING : LOG_INFO, &about, "%s", c->line);
}

static void changed(void *userdata, int r) {
    ExportChange *c = userdata;

    if (r >= 0) {
        tell(c);
        if (export_state_is_over(c->to))
            watchers_publish(c->m, c->life);
    }
    c->done(c, r);
    manager_release(c->m);
    export_done(&c->row);
    wipe(c->token, sizeof(c->token));
    free(c);
}

void export_change_run(ExportChange *c) {
    int r = store_write(c->m->store, change_job, changed, c);

    if (r < 0)
        changed(c, r);
}
