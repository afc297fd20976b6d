/* How fast is the store on this disk? Medians over rounds of one run, in which the rivals take turns:
 *
 *   - durable inserts: 64 submitters, each with one request at a time, against single-row commits
 *     with synchronous=FULL: a bare SQLite connection that writes the same rows into the same
 *     tables (a request, its first event) and commits each; and, for the scale, one row into a
 *     table with one index;
 *   - store_view() with 100,000 requests, against a bare SELECT of one row by id.
 *
 *   bench-store [FOLDER]      (default: the current folder: choose the disk that is to be measured)
 *
 * Ids and addresses come in no order, so that every insert touches other pages of the indexes. Exit status 1: a goal was missed. */
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SUBMITTERS 64
#define ROUNDS 5
#define ROUND_SECONDS 1.0
#define VIEW_ROWS 100000
#define VIEW_READS 200000
#define GOAL_INSERTS 5.0
#define GOAL_VIEW_US 10.0

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void die(const char *what, int r) {
    fprintf(stderr, "bench-store: %s: %s\n", what, strerror(-r));
    exit(2);
}

/* ---- the store ---- */

typedef struct Bench {
    Store *store;
    uint64_t number; /* of the next id */
    uint64_t done;
    bool stop;
} Bench;

typedef struct Submitter {
    Bench *bench;
    NewRequest n;
} Submitter;

static int insert_job(StoreTx *tx, void *userdata) {
    static const Actor who = { .name = "unix:bench", .request_id = "0f0e0d0c-0b0a-4908-8706-050403020100", .now = 1700000000 };
    Submitter *s = userdata;
    _cleanup_request_ Request row = { 0 };

    return tx_insert(tx, &s->n, &who, &row);
}

/* Ids and addresses as they come: in no order. */
static void next_request(Submitter *s) {
    uint64_t k = s->bench->number++;

    snprintf(s->n.id, sizeof(s->n.id), "set-%08x-%llu", (unsigned) (k * 2654435761u), (unsigned long long) k);
    snprintf(s->n.email, sizeof(s->n.email), "user%u@example.org", (unsigned) (k * 2246822519u) % 5000);
}

static void insert_done(void *userdata, int r) {
    Submitter *s = userdata;

    if (r < 0)
        die("insert", r);
    s->bench->done++;
    if (s->bench->stop)
        return;
    next_request(s);
    r = store_write(s->bench->store, insert_job, insert_done, s);
    if (r < 0)
        die("submit", r);
}

static void dispatch(Bench *b) {
    struct pollfd p = { .fd = store_fd(b->store), .events = POLLIN };

    (void) poll(&p, 1, -1);
    store_dispatch(b->store);
}

static double durable_inserts(Bench *b, Submitter *submitters, size_t n, double seconds) {
    double start = now(), end;
    uint64_t before = b->done;

    b->stop = false;
    for (size_t i = 0; i < n; i++) {
        next_request(&submitters[i]);
        if (store_write(b->store, insert_job, insert_done, &submitters[i]) < 0)
            die("submit", -EAGAIN);
    }
    while ((end = now()) - start < seconds)
        dispatch(b);
    b->stop = true;
    while (!store_is_idle(b->store))
        dispatch(b);
    return (double) (b->done - before) / (now() - start);
}

/* ---- bare SQLite, each row committed alone ---- */

static const char one_table[] =
    "CREATE TABLE requests (life INTEGER PRIMARY KEY, id TEXT UNIQUE, email TEXT, ruta TEXT,"
    " vigencia INTEGER, created INTEGER, state TEXT)";
static const char insert_request[] =
    "INSERT INTO requests (id, email, ruta, vigencia, created, state)"
    " VALUES (?1, ?2, 'source:/data/set', 5, 1700000000, 'recibido')";
static const char insert_event[] =
    "INSERT INTO events (life, n, at, state, actor, request_id) VALUES (last_insert_rowid(), 1,"
    " 1700000000, 'recibido', 'unix:bench', '0f0e0d0c-0b0a-4908-8706-050403020100')";

typedef struct Bare {
    sqlite3 *db;
    sqlite3_stmt *begin, *request, *event, *commit; /* only `request` for the one table */
    uint64_t number;
} Bare;

static void bare_check(sqlite3 *db, int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        fprintf(stderr, "bench-store: %s\n", sqlite3_errmsg(db));
        exit(2);
    }
}

static void bare_prepare(Bare *b, const char *sql, sqlite3_stmt **ret) {
    bare_check(b->db, sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL));
}

static void bare_open(Bare *b, const char *path, bool same_tables) {
    Store *s = NULL;
    int r = same_tables ? store_open(path, &s) : 0;

    if (r < 0)
        die("open", r);
    store_free(s); /* the tables stay */
    bare_check(b->db, sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
    bare_check(b->db, sqlite3_exec(b->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON", NULL, NULL, NULL));
    if (!same_tables)
        bare_check(b->db, sqlite3_exec(b->db, one_table, NULL, NULL, NULL));
    bare_prepare(b, insert_request, &b->request);
    if (same_tables) {
        bare_prepare(b, "BEGIN IMMEDIATE", &b->begin);
        bare_prepare(b, insert_event, &b->event);
        bare_prepare(b, "COMMIT", &b->commit);
    }
}

static void bare_close(Bare *b) {
    sqlite3_finalize(b->begin);
    sqlite3_finalize(b->request);
    sqlite3_finalize(b->event);
    sqlite3_finalize(b->commit);
    sqlite3_close(b->db);
}

static void bare_run(Bare *b, sqlite3_stmt *s) {
    if (!s)
        return;
    bare_check(b->db, sqlite3_step(s));
    bare_check(b->db, sqlite3_reset(s));
}

static double single_commits(Bare *b, double seconds) {
    double start = now(), end;
    uint64_t before = b->number;
    char id[64], email[64];

    while ((end = now()) - start < seconds) {
        uint64_t k = b->number++;

        snprintf(id, sizeof(id), "set-%08x-%llu", (unsigned) (k * 2654435761u), (unsigned long long) k);
        snprintf(email, sizeof(email), "user%u@example.org", (unsigned) (k * 2246822519u) % 5000);
        sqlite3_bind_text(b->request, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_text(b->request, 2, email, -1, SQLITE_STATIC);
        bare_run(b, b->begin);
        bare_run(b, b->request);
        bare_run(b, b->event);
        bare_run(b, b->commit);
    }
    return (double) (b->number - before) / (end - start);
}

/* ---- reading ---- */

typedef struct Filler {
    Bench *bench;
    Submitter *submitter;
    size_t rows;
} Filler;

static int fill_job(StoreTx *tx, void *userdata) {
    Filler *f = userdata;
    int r = 0;

    for (size_t i = 0; i < f->rows && r >= 0; i++) {
        snprintf(f->submitter->n.id, sizeof(f->submitter->n.id), "view-%zu", i);
        snprintf(f->submitter->n.email, sizeof(f->submitter->n.email), "view%zu@example.org", i % 5000);
        r = insert_job(tx, f->submitter);
    }
    return r;
}

static double view_us(Bench *b) {
    double start = now();
    char id[32];

    for (unsigned i = 0; i < VIEW_READS; i++) {
        _cleanup_request_view_ RequestView v = { 0 };

        snprintf(id, sizeof(id), "view-%u", i * 2654435761u % VIEW_ROWS);
        if (store_view(b->store, id, &v) < 0)
            die("view", -ENOENT);
    }
    return (now() - start) / VIEW_READS * 1e6;
}

/* What a read costs on a connection of its own, without a view's account and strings. */
static double bare_view_us(const char *path) {
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;
    double start;
    char id[32];

    bare_check(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    bare_check(db, sqlite3_prepare_v2(db, "SELECT * FROM requests WHERE id = ?1 AND state <> 'eliminado'", -1, &s, NULL));
    start = now();
    for (unsigned i = 0; i < VIEW_READS; i++) {
        snprintf(id, sizeof(id), "view-%u", i * 2654435761u % VIEW_ROWS);
        sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
        bare_check(db, sqlite3_step(s));
        sqlite3_reset(s);
    }
    start = (now() - start) / VIEW_READS * 1e6;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return start;
}

static void remove_database(const char *path) {
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    char name[4200];

    for (size_t i = 0; i < ELEMENTS(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void) unlink(name);
    }
}

/* ---- the two comparisons ---- */

static bool compare_inserts(Bench *bench, Submitter *submitters, const char *folder) {
    double group[ROUNDS], same[ROUNDS], one[ROUNDS], ratio[ROUNDS];
    char same_path[4200], one_path[4200];
    Bare same_tables = { 0 }, table = { 0 };
    StoreStatistics st;

    snprintf(same_path, sizeof(same_path), "%s/same.db", folder);
    snprintf(one_path, sizeof(one_path), "%s/one.db", folder);
    bare_open(&same_tables, same_path, true);
    bare_open(&table, one_path, false);
    for (size_t i = 0; i < ROUNDS; i++) {
        one[i] = single_commits(&table, ROUND_SECONDS);
        same[i] = single_commits(&same_tables, ROUND_SECONDS);
        group[i] = durable_inserts(bench, submitters, SUBMITTERS, ROUND_SECONDS);
        ratio[i] = group[i] / same[i];
    }
    store_statistics(bench->store, &st);
    printf("one row, one table, a commit each   %10.0f /s\n", median(one, ROUNDS));
    printf("same rows, a commit each            %10.0f /s\n", median(same, ROUNDS));
    printf("64 submitters through the store     %10.0f /s   (%.1f jobs a commit, %llu checkpoints)\n", median(group, ROUNDS),
           (double) st.jobs / (double) st.commits, (unsigned long long) st.checkpoints);
    printf("ratio to the same rows              %10.1f      (goal: at least %.0f)\n", median(ratio, ROUNDS), GOAL_INSERTS);
    bare_close(&same_tables);
    bare_close(&table);
    remove_database(same_path);
    remove_database(one_path);
    return median(ratio, ROUNDS) >= GOAL_INSERTS;
}

static bool compare_views(Bench *bench, Submitter *submitter, const char *path) {
    double view[ROUNDS], bare[ROUNDS];
    int r;

    r = store_write_wait(bench->store, fill_job, &(Filler) { .bench = bench, .submitter = submitter, .rows = VIEW_ROWS });
    if (r < 0)
        die("fill", r);
    for (size_t i = 0; i < ROUNDS; i++) {
        bare[i] = bare_view_us(path);
        view[i] = view_us(bench);
    }
    printf("bare SELECT by id                   %10.2f us\n", median(bare, ROUNDS));
    printf("store_view                          %10.2f us   (goal: under %.0f)\n", median(view, ROUNDS), GOAL_VIEW_US);
    return median(view, ROUNDS) < GOAL_VIEW_US;
}

int main(int argc, char **argv) {
    char folder[4096], path[4120];
    Submitter submitters[SUBMITTERS];
    char ruta[] = "source:/data/set";
    Bench bench = { 0 };
    bool ok;
    int r;

    snprintf(folder, sizeof(folder), "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(folder))
        die(folder, -errno);
    snprintf(path, sizeof(path), "%s/state.db", folder);
    r = store_open(path, &bench.store);
    if (r < 0)
        die("open", r);
    for (size_t i = 0; i < SUBMITTERS; i++)
        submitters[i] = (Submitter) { .bench = &bench, .n = { .ruta = ruta, .vigencia = 5 } };
    ok = compare_inserts(&bench, submitters, folder);
    ok = compare_views(&bench, submitters, path) && ok;
    store_free(bench.store);
    remove_database(path);
    (void) rmdir(folder);
    return ok ? 0 : 1;
}
