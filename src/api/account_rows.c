/* The back end's rows against the state database. The database's side is read on the store's writer thread, the rows are walked on the lane, and whatever
 * looks wrong is looked at again inside the transaction that makes a task of it: changes go on meanwhile.
 *
 * Whose a row is: ours when the database knows its name as ours and the row carries our hash or our home; any other is somebody else's (backend.h). */
#include "api/account_rows.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/digest.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define TURN "rows" /* no address */
#define FOREIGN_NOTE "foreign accounts"
#define FOREIGN_NAMED_MAX 100
#define NAMES_PER_LINE 10
#define REPORTED_MAX 100 /* lines about single accounts, in one comparison */

typedef enum Finding {
    FINDING_NONE,      /* not used, not there: as it should be */
    FINDING_VANISHED,  /* used, and no row: until one is found */
    FINDING_TAKEN,     /* used, and somebody else's row has its name */
    FINDING_LEFT_OVER, /* ours, and not used */
    FINDING_ALTERED,   /* ours, used, and not as it should be */
    FINDING_FINE,
    FINDING_MAX,
} Finding;

static const char *const reports[FINDING_MAX] = {
    [FINDING_VANISHED] = "was gone from the account back end, it is made again with the same password",
    [FINDING_LEFT_OVER] = "was still in the account back end without a live request, it is taken away",
    [FINDING_ALTERED] = "was altered in the account back end, it is set right",
};

/* An account of ours, as the database has it. */
typedef struct Known {
    char name[ACCOUNT_NAME_MAX + 1];
    bool foreign;
    AccountWanted wanted;
    Finding finding;
    char *hash;
} Known;

typedef struct Comparison {
    AccountCall call;
    Known *known;
    size_t n, allocated;
    uint64_t foreign;        /* rows of others */
    uint64_t foreign_digest; /* whose they are, in whatever order */
    char named[FOREIGN_NAMED_MAX][ACCOUNT_NAME_MAX + 1];
    char note[64];
} Comparison;

struct AccountRows {
    bool due, running;
};

int account_rows_new(AccountRows **ret) {
    AccountRows *rows = calloc(1, sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    *ret = rows;
    return 0;
}

AccountRows *account_rows_free(AccountRows *rows) {
    free(rows);
    return NULL;
}

bool account_rows_wait(const Manager *m) {
    return m->rows->due;
}

static void comparison_end(Comparison *c, int r, const AccountTrouble *trouble) {
    Manager *m = c->call.m;

    m->rows->running = false;
    if (r >= 0)
        m->rows->due = false;
    for (size_t i = 0; i < c->n; i++)
        free(c->known[i].hash);
    free(c->known);
    account_work_end(m, TURN, r, trouble);
    free(c);
}

/* ---- the database's side ---- */

static int know(const Account *a, const AccountWanted *wanted, void *userdata) {
    Comparison *c = userdata;

    if (!wanted->used && !a->hash)
        return 0; /* nothing by which a row could be known */
    if (c->n == c->allocated) {
        size_t more = c->allocated > 0 ? 2 * c->allocated : 64;
        Known *grown = reallocarray(c->known, more, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        c->known = grown;
        c->allocated = more;
    }
    Known *k = &c->known[c->n];
    *k = (Known) { .foreign = a->foreign, .wanted = *wanted, .finding = wanted->used ? FINDING_VANISHED : FINDING_NONE };
    if (a->hash && !(k->hash = strdup(a->hash)))
        return -ENOMEM;
    strcpy(k->name, a->name);
    c->n++;
    return 0;
}

static int know_job(StoreTx *tx, void *userdata) {
    return tx_list_wanted(tx, know, userdata);
}

/* ---- the rows, on the lane ---- */

static int compare_names(const void *name, const void *known) {
    return strcmp(name, ((const Known *) known)->name);
}

static void note_foreign(Comparison *c, const char *name) {
    uint8_t digest[32];
    uint64_t part;

    sha256(name, strlen(name), digest);
    memcpy(&part, digest, sizeof(part));
    c->foreign_digest += part;
    if (c->foreign < FOREIGN_NAMED_MAX)
        snprintf(c->named[c->foreign], sizeof(c->named[0]), "%s", name);
    c->foreign++;
}

static int look_at(const AccountRow *row, void *userdata) {
    Comparison *c = userdata;
    Known *k = c->n > 0 ? bsearch(row->name, c->known, c->n, sizeof(*c->known), compare_names) : NULL;

    if (!k) {
        note_foreign(c, row->name);
        return 0;
    }
    const Settings *settings = c->call.m->settings;
    char home[4096];
    AccountWish wish = {
        .name = k->name,
        .home = home,
        .uid = settings->ftp_uid,
        .gid = settings->ftp_gid,
        .expires = k->wanted.expires,
        .enabled = k->wanted.enabled,
        .known_hash = k->hash,
        .foreign = k->foreign,
    };
    snprintf(home, sizeof(home), "%s/%s", settings->data_path, k->name);
    if (!account_row_is_ours(row, &wish)) {
        note_foreign(c, row->name);
        if (k->wanted.used)
            k->finding = k->foreign ? FINDING_FINE : FINDING_TAKEN;
    } else if (!k->wanted.used)
        k->finding = FINDING_LEFT_OVER;
    else
        k->finding = account_row_is_as_wished(row, &wish) ? FINDING_FINE : FINDING_ALTERED;
    return 0;
}

static void walk(AccountCall *call) {
    call->r = call->m->accounts->v->list(call->m->accounts, look_at, call, &call->trouble);
}

/* ---- what follows ---- */

/* Whatever changed since, or is about to be told anyway, is none. */
static int judge(StoreTx *tx, Known *k, int64_t now) {
    AccountWanted wanted;
    AccessTask task;
    int r = tx_access_task(tx, k->name, &task);

    if (r == -ENOENT)
        r = tx_account_wanted(tx, k->name, &wanted);
    else if (r >= 0)
        wanted.used = !k->wanted.used;
    if (r < 0)
        return r;
    if (wanted.used != k->wanted.used || (wanted.used && (wanted.enabled != k->wanted.enabled || wanted.expires != k->wanted.expires))) {
        k->finding = FINDING_FINE;
        return 0;
    }
    return reports[k->finding] && !k->foreign ? tx_access_task_put(tx, k->name, now, NULL) : 0;
}

static int judge_job(StoreTx *tx, void *userdata) {
    Comparison *c = userdata;
    int r = tx_note_put(tx, FOREIGN_NOTE, c->note);

    for (size_t i = 0; r >= 0 && i < c->n; i++)
        if (c->known[i].finding != FINDING_NONE && c->known[i].finding != FINDING_FINE)
            r = judge(tx, &c->known[i], utc_now());
    return r;
}

/* Said again only when it is not what was said last time, by this process or one before it. */
static void tell_foreign(const Comparison *c) {
    LogContext about = { .message_id = MESSAGE_ID_ACCOUNT_ROWS };
    _cleanup_free_ char *before = NULL;
    char names[NAMES_PER_LINE * (ACCOUNT_NAME_MAX + 2) + 1];
    size_t named = c->foreign < FOREIGN_NAMED_MAX ? c->foreign : FOREIGN_NAMED_MAX;

    if ((store_note(c->call.m->store, FOREIGN_NOTE, &before) >= 0 && streq(before, c->note)) || (!before && c->foreign == 0))
        return;
    log_line(LOG_NOTICE, &about, "The account back end holds %llu account%s that tempoftp did not make: they are left alone", (unsigned long long) c->foreign,
             c->foreign == 1 ? "" : "s");
    for (size_t i = 0; i < named;) {
        size_t length = 0;
        for (size_t end = i + NAMES_PER_LINE; i < named && i < end; i++)
            length += (size_t) snprintf(names + length, sizeof(names) - length, "%s%s", length > 0 ? ", " : "", c->named[i]);
        log_line(LOG_NOTICE, &about, "Not tempoftp's: %s%s", names, i == named && c->foreign > named ? ", …" : "");
    }
}

static void tell_findings(const Comparison *c) {
    unsigned n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const Known *k = &c->known[i];
        LogContext about = { .account = k->name, .message_id = MESSAGE_ID_ACCOUNT_ROWS };

        if (k->finding == FINDING_NONE || k->finding == FINDING_FINE || ++n > REPORTED_MAX)
            continue;
        if (k->finding == FINDING_TAKEN)
            log_line(LOG_ERR, &about, "Another account has the name %s in the account back end: it is left alone, and the requests of ours cannot be fetched", k->name);
        else if (k->foreign)
            log_line(LOG_ERR, &about, "%s, which tempoftp did not make, is gone from the account back end: its requests cannot be fetched", k->name);
        else
            log_line(LOG_WARNING, &about, "%s %s", k->name, reports[k->finding]);
    }
    if (n > REPORTED_MAX)
        log_warning("%u more accounts differ in the account back end", n - REPORTED_MAX);
}

static void judged(void *userdata, int r) {
    Comparison *c = userdata;
    Manager *m = c->call.m;

    if (r < 0)
        log_errno(r, "Cannot write down how the account back end differs");
    else
        tell_findings(c);
    comparison_end(c, 0, NULL);
    access_kick(m);
}

static void walked(AccountCall *call) {
    Comparison *c = (Comparison *) call;

    if (call->r < 0) {
        comparison_end(c, call->r, &call->trouble);
        return;
    }
    snprintf(c->note, sizeof(c->note), "%llu %016llx", (unsigned long long) c->foreign, (unsigned long long) c->foreign_digest);
    tell_foreign(c);
    int r = store_write(call->m->store, judge_job, judged, c);
    if (r < 0)
        judged(c, r);
}

static void known(void *userdata, int r) {
    Comparison *c = userdata;

    if (r < 0) {
        log_errno(r, "Cannot read the accounts");
        comparison_end(c, 0, NULL);
    } else
        account_call(&c->call);
}

static void granted(void *userdata) {
    Comparison *c = userdata;
    int r = store_write(c->call.m->store, know_job, known, c);

    if (r < 0)
        known(c, r);
}

void account_rows_compare(Manager *m) {
    if (!accounts_are_outside(m))
        return;
    m->rows->due = true;
    if (m->rows->running)
        return;
    Comparison *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    c->call = (AccountCall) { .m = m, .run = walk, .done = walked };
    m->rows->running = true;
    if (account_work_begin(m, TURN, granted, c) < 0) {
        m->rows->running = false;
        free(c);
    }
}

void account_rows_retry(Manager *m) {
    if (m->rows->due)
        account_rows_compare(m);
}
