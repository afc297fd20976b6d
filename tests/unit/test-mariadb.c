/* The MariaDB back end against a real server: tables of every shape, crashes, hangs, names, rights. */
#include "mariadb-fixture.h"

#include <pthread.h>

#define MINIMAL                                                                                                                                              \
    "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(64) NOT NULL, Uid INT NOT NULL, Gid INT NOT NULL, Dir VARCHAR(255) NOT NULL,"          \
    " Status TINYINT NOT NULL DEFAULT 1)"
#define DEPLOYED                                                                                                                                             \
    "CREATE TABLE users (User VARCHAR(64) NOT NULL, Password VARCHAR(255) NOT NULL, Uid INT NOT NULL DEFAULT -1, Gid INT NOT NULL DEFAULT -1,"                \
    " Dir VARCHAR(255) NOT NULL, QuotaFiles INT NOT NULL DEFAULT 0, QuotaSize INT NOT NULL DEFAULT 0, ULBandwidth INT NOT NULL DEFAULT 0,"                    \
    " DLBandwidth INT NOT NULL DEFAULT 0, Ipaddress VARCHAR(15) NOT NULL DEFAULT '*', Comment TINYTEXT, Status ENUM('0','1') NOT NULL DEFAULT '1',"           \
    " LastModified TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (User))"
/* The same example as others copied it: names in lower case, ids as text, columns without defaults. */
#define COPIED                                                                                                                                               \
    "CREATE TABLE users (user VARCHAR(64) NOT NULL, status ENUM('0','1') NOT NULL DEFAULT '0', password VARCHAR(128) NOT NULL, uid VARCHAR(11) NOT NULL,"     \
    " gid VARCHAR(11) NOT NULL, dir VARCHAR(128) NOT NULL, ulbandwidth SMALLINT NOT NULL, dlbandwidth SMALLINT NOT NULL, comment TINYTEXT NOT NULL,"          \
    " ipaccess VARCHAR(15) NOT NULL, quotasize SMALLINT NOT NULL, quotafiles INT NOT NULL, UNIQUE KEY only_one (user)) DEFAULT CHARSET=latin1 ENGINE=MyISAM"
#define OURS "CREATE TABLE users LIKE ours"

#define NAME "ftp_ana_abcd"
#define HOME "/data/" NAME
#define EXPIRES 2000000000 /* 2033-05-18 03:33:20 */
#define HOUR 3600

typedef struct World {
    Server server;
    Settings settings;
    AccountBackend *backend;
} World;

static World world;

static AccountWish wish(const char *hash) {
    return (AccountWish) { .name = NAME, .home = HOME, .uid = 2001, .gid = 2001, .expires = EXPIRES, .enabled = true, .known_hash = hash, .token_held = hash != NULL };
}

static void open_backend(World *w) {
    _cleanup_free_ char *error = NULL;

    w->backend = account_backend_free(w->backend);
    assert_int_equal(account_backend_mariadb_new(&w->settings, NULL, NULL, &w->backend, &error), 0);
}

/* A fresh table, and a back end that has not seen another. */
static void table(World *w, const char *create) {
    sql(&w->server, "DROP TABLE IF EXISTS pureftpd.users; USE pureftpd");
    sql(&w->server, create);
    open_backend(w);
}

static AccountTrouble no_trouble;

static void expect_ok(int r, const AccountTrouble *t) {
    if (r < 0)
        fail_msg("%s: %s", strerror(-r), t->text);
    assert_memory_equal(&t->kind, &no_trouble.kind, sizeof(t->kind));
}

static void prepare(World *w, const AccountWish *wished, AccountGrant *ret) {
    AccountTrouble t = { 0 };
    expect_ok(w->backend->v->prepare(w->backend, wished, ret, &t), &t);
}

static bool ensure(World *w, const AccountWish *wished) {
    AccountTrouble t = { 0 };
    bool changed;
    expect_ok(w->backend->v->ensure(w->backend, wished, &changed, &t), &t);
    return changed;
}

static bool set_access(World *w, const AccountWish *wished) {
    AccountTrouble t = { 0 };
    bool changed;
    expect_ok(w->backend->v->set_access(w->backend, wished, &changed, &t), &t);
    return changed;
}

static void take_away(World *w, const AccountWish *wished) {
    AccountTrouble t = { 0 };
    expect_ok(w->backend->v->remove(w->backend, wished, &t), &t);
}

static void probe(World *w) {
    AccountTrouble t = { 0 };
    expect_ok(w->backend->v->probe(w->backend, &t), &t);
}

/* The account as the caller makes it: prepared, written down, made. The hash lives until the next call. */
static AccountWish make_account(World *w) {
    static AccountGrant grant;
    AccountWish wished = wish(NULL);

    grant = (AccountGrant) { 0 };
    prepare(w, &wished, &grant);
    wished.known_hash = grant.hash;
    wished.token_held = true;
    assert_true(ensure(w, &wished));
    return wished;
}

#define ROW(column) "SELECT " column " FROM pureftpd.users WHERE BINARY User = '" NAME "'"

/* ---- a whole life ---- */

static void a_life_in(World *w, bool expires) {
    AccountGrant grant = { 0 };
    AccountWish wished = wish(NULL);

    prepare(w, &wished, &grant);
    assert_false(grant.kept || grant.foreign);
    assert_int_equal(strlen(grant.password), PASSWORD_LENGTH);
    assert_string_equal(sql_value(&w->server, "SELECT COUNT(*) FROM pureftpd.users"), "0"); /* preparing writes nothing */

    wished = wish(grant.hash);
    assert_true(ensure(w, &wished));
    assert_false(ensure(w, &wished));
    assert_string_equal(sql_value(&w->server, ROW("Password")), grant.hash);
    assert_string_equal(sql_value(&w->server, ROW("CONCAT_WS(' ', Uid, Gid, Dir, Status = '1')")), "2001 2001 " HOME " 1");

    AccountGrant again = { 0 };
    prepare(w, &wished, &again);
    assert_true(again.kept && !again.foreign && again.password[0] == '\0');

    wished.enabled = false; /* blocked: twice, as all that follows */
    wished.expires = 0;
    assert_true(set_access(w, &wished));
    assert_true(set_access(w, &wished));
    assert_string_equal(sql_value(&w->server, ROW("Status = '1'")), "0");
    if (expires)
        assert_string_equal(sql_value(&w->server, ROW("Expires")), "2033-05-18 03:33:20");
    wished.enabled = true; /* unblocked, extended */
    wished.expires = EXPIRES + HOUR;
    assert_true(set_access(w, &wished));
    assert_true(set_access(w, &wished));
    assert_string_equal(sql_value(&w->server, ROW("Status = '1'")), "1");
    if (expires)
        assert_string_equal(sql_value(&w->server, ROW("Expires")), "2033-05-18 04:33:20");
    assert_string_equal(sql_value(&w->server, ROW("Password")), grant.hash);

    take_away(w, &wished);
    take_away(w, &wished);
    assert_string_equal(sql_value(&w->server, "SELECT COUNT(*) FROM pureftpd.users"), "0");
    assert_false(set_access(w, &wished));
    assert_true(ensure(w, &wished)); /* a row that vanished comes back with its password */
    assert_string_equal(sql_value(&w->server, ROW("Password")), grant.hash);
    probe(w);
}

static void every_table_shape(void **state) {
    World *w = *state;
    static const struct {
        const char *create;
        PasswordFormat format;
        bool expires;
    } shapes[] = {
        { MINIMAL, PASSWORD_CRYPT, false }, { DEPLOYED, PASSWORD_ARGON2, false }, { DEPLOYED, PASSWORD_CRYPT, false },
        { COPIED, PASSWORD_ARGON2, false }, { OURS, PASSWORD_ARGON2, true },      { OURS, PASSWORD_CRYPT, true },
    };

    for (size_t i = 0; i < ELEMENTS(shapes); i++) {
        w->settings.password_format = shapes[i].format;
        table(w, shapes[i].create);
        a_life_in(w, shapes[i].expires);
    }
}

/* ---- whose a row is ---- */

static void a_row_that_was_there_is_somebody_elses(void **state) {
    World *w = *state;
    AccountGrant grant = { 0 };
    AccountTrouble t = { 0 };
    bool changed;
    AccountWish wished = wish(NULL);

    table(w, DEPLOYED);
    sql(&w->server, "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir) VALUES ('" NAME "', 'theirs', 1000, 1000, '/home/ana')");
    _cleanup_free_ char *before = strdup(sql_value(&w->server, ROW("CONCAT_WS(' ', Password, Uid, Gid, Dir, Status, LastModified)")));
    prepare(w, &wished, &grant);
    assert_true(grant.foreign && !grant.kept);
    assert_string_equal(grant.hash, "theirs");
    assert_string_equal(grant.password, "");

    wished.foreign = true;
    wished.enabled = false;
    assert_false(ensure(w, &wished));
    assert_false(set_access(w, &wished));
    take_away(w, &wished);
    wished.foreign = false; /* not even where the database knows a hash of ours: it was replaced */
    wished.known_hash = "ours";
    assert_false(set_access(w, &wished));
    take_away(w, &wished);
    assert_int_equal(w->backend->v->ensure(w->backend, &wished, &changed, &t), -EEXIST);
    assert_int_equal(t.kind, TROUBLE_NAME);
    prepare(w, &wished, &grant);
    assert_true(grant.foreign);
    assert_string_equal(sql_value(&w->server, ROW("CONCAT_WS(' ', Password, Uid, Gid, Dir, Status, LastModified)")), before);

    wished.foreign = true; /* they took it away themselves */
    sql(&w->server, "DELETE FROM pureftpd.users");
    assert_int_equal(w->backend->v->ensure(w->backend, &wished, &changed, &t), -ENOENT);
    prepare(w, &wished, &grant);
    assert_false(grant.foreign || grant.kept);
    assert_int_equal(strlen(grant.password), PASSWORD_LENGTH);
}

/* Killed after the hash was written down, before or after the row was: the same hash, the same password, never "foreign". */
static void a_kill_between_the_steps_loses_nothing(void **state) {
    World *w = *state;
    AccountGrant first = { 0 }, second = { 0 };
    AccountWish wished = wish(NULL);

    table(w, OURS);
    prepare(w, &wished, &first);
    wished = wish(first.hash);
    prepare(w, &wished, &second); /* no row yet */
    assert_true(second.kept && !second.foreign);
    assert_true(ensure(w, &wished));
    open_backend(w);
    prepare(w, &wished, &second); /* the row is there */
    assert_true(second.kept && !second.foreign);
    assert_false(ensure(w, &wished));
    wished.token_held = false; /* a hash whose password nobody can tell any more */
    prepare(w, &wished, &second);
    assert_false(second.kept || second.foreign);
    assert_string_not_equal(second.hash, first.hash);
    wished = wish(second.hash);
    assert_true(ensure(w, &wished));
    assert_string_equal(sql_value(&w->server, ROW("Password")), second.hash);
}

static void what_was_changed_by_hand_is_set_right(void **state) {
    World *w = *state;
    static const char *const changes[] = {
        "Password = 'by hand'", "Dir = '/data'", "Uid = 1", "Gid = 1", "Status = '0'", "Expires = NULL", "Expires = '2040-01-01 00:00:00'",
    };

    table(w, OURS);
    AccountWish wished = make_account(w);
    for (size_t i = 0; i < ELEMENTS(changes); i++) {
        char text[200];
        snprintf(text, sizeof(text), "UPDATE pureftpd.users SET %s", changes[i]);
        sql(&w->server, text);
        assert_true(ensure(w, &wished));
        assert_false(ensure(w, &wished));
        assert_string_equal(sql_value(&w->server, ROW("CONCAT_WS(' ', Uid, Gid, Dir, Status, Expires)")), "2001 2001 " HOME " 1 2033-05-18 03:33:20");
        assert_string_equal(sql_value(&w->server, ROW("Password")), wished.known_hash);
    }
    sql(&w->server, "UPDATE pureftpd.users SET Password = 'by hand'");
    take_away(w, &wished); /* ours all the same: it ends */
    assert_string_equal(sql_value(&w->server, "SELECT COUNT(*) FROM pureftpd.users"), "0");
}

static void names_that_the_collation_takes_for_ours(void **state) {
    World *w = *state;
    static const char *const near[] = { "FTP_ANA_ABCD", NAME " ", "ftp_aná_abcd" };

    for (size_t i = 0; i < ELEMENTS(near); i++) {
        AccountTrouble t = { 0 };
        AccountGrant grant = { 0 };
        AccountWish wished = wish(NULL);
        char text[300];
        bool changed;

        table(w, DEPLOYED); /* utf8mb4's default */
        snprintf(text, sizeof(text), "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir) VALUES ('%s', 'theirs', 1000, 1000, '" HOME "')", near[i]);
        sql(&w->server, text);
        assert_int_equal(w->backend->v->prepare(w->backend, &wished, &grant, &t), -EEXIST);
        assert_int_equal(t.kind, TROUBLE_NAME);
        wished.known_hash = "theirs";
        assert_int_equal(w->backend->v->ensure(w->backend, &wished, &changed, &t), -EEXIST);
        assert_false(set_access(w, &wished));
        take_away(w, &wished);
        assert_string_equal(sql_value(&w->server, "SELECT CONCAT_WS(' ', Password, Uid, Status) FROM pureftpd.users"), "theirs 1000 1");

        table(w, OURS); /* there they are different names */
        snprintf(text, sizeof(text), "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir) VALUES ('%s', 'theirs', 1000, 1000, '" HOME "')", near[i]);
        sql(&w->server, text);
        wished = make_account(w);
        take_away(w, &wished);
        assert_string_equal(sql_value(&w->server, "SELECT CONCAT_WS(' ', Password, Uid, Status) FROM pureftpd.users"), "theirs 1000 1");
    }
}

/* ---- tables that don't fit ---- */

/* What stands behind "Run: ", up to the end of the statement. */
static void alter_of(const AccountTrouble *t, char *ret, size_t size) {
    const char *run = strstr(t->text, "Run: ");
    assert_non_null(run);
    run += strlen("Run: ");
    const char *end = strchrnul(run, ';');
    snprintf(ret, size, "%.*s", (int) (end - run), run);
}

static void a_table_that_does_not_fit_says_what_to_run(void **state) {
    World *w = *state;
    static const struct {
        const char *create, *says;
    } cases[] = {
        { MINIMAL, "column Password is varchar(64), and a hash of FTP_PASSWORD_FORMAT=argon2 has 93 characters" },
        { "CREATE TABLE users (User VARCHAR(16) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status TINYINT)", "column User is varchar(16)" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255))", "there is no column Status" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(20), Status TINYINT)", "column Dir is varchar(20)" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid TINYINT, Gid INT, Dir VARCHAR(255), Status TINYINT)", "column Uid is tinyint" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status ENUM('no','yes'))", "column Status is enum" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status TINYINT, Expires TIMESTAMP NULL)",
          "column Expires is timestamp" },
        { "CREATE TABLE users (User VARCHAR(64), Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status TINYINT, KEY (User))",
          "column User has no unique key of its own" },
        { "CREATE TABLE users (User VARCHAR(64), Host VARCHAR(64) DEFAULT '', Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status TINYINT, UNIQUE KEY (User, Host))",
          "column User has no unique key of its own" },
        { "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY, Password VARCHAR(255), Uid INT, Gid INT, Dir VARCHAR(255), Status TINYINT, Owner VARCHAR(20) NOT NULL)",
          "column Owner must have a value and has no default" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        AccountTrouble t = { 0 };
        AccountGrant grant = { 0 };
        AccountWish wished = wish(NULL);
        char alter[1024];

        table(w, cases[i].create);
        assert_int_equal(w->backend->v->probe(w->backend, &t), -ENOTSUP);
        assert_int_equal(t.kind, TROUBLE_TABLE);
        if (!strstr(t.text, cases[i].says))
            fail_msg("case %zu: %s", i, t.text);
        assert_int_equal(w->backend->v->prepare(w->backend, &wished, &grant, &t), -ENOTSUP);
        alter_of(&t, alter, sizeof(alter));
        sql(&w->server, alter); /* it is what the text promises, and nobody has to start anything again */
        probe(w);
        make_account(w);
    }
}

/* Fifty columns that nobody knows: no half of an ALTER TABLE. */
static void a_table_of_another_world(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    char create[4096] = "CREATE TABLE users (User VARCHAR(64) PRIMARY KEY";

    for (size_t i = 0; i < 50; i++)
        snprintf(create + strlen(create), sizeof(create) - strlen(create), ", `Ñandú %zu` VARCHAR(20) NOT NULL", i);
    strcat(create, ")");
    table(w, create);
    assert_int_equal(w->backend->v->probe(w->backend, &t), -ENOTSUP);
    assert_null(strstr(t.text, "Run: "));
    assert_non_null(strstr(t.text, "sql/schema.sql"));
    assert_true(utf8_is_valid(t.text, strlen(t.text)));
}

static void a_table_that_is_altered_under_us(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    bool changed;

    table(w, OURS);
    AccountWish wished = make_account(w);
    sql(&w->server, "ALTER TABLE pureftpd.users DROP COLUMN Expires");
    wished.uid = 2002;
    int r = w->backend->v->ensure(w->backend, &wished, &changed, &t); /* noticed, or already looked at again */
    assert_true(r == 0 || r == -ENOTSUP);
    ensure(w, &wished);
    assert_string_equal(sql_value(&w->server, ROW("Uid")), "2002");
    /* Nothing is ever cut off, whatever the server's sql_mode: '' here. */
    sql(&w->server, "UPDATE pureftpd.users SET Password = ''; ALTER TABLE pureftpd.users MODIFY COLUMN Password VARCHAR(64) NOT NULL");
    r = w->backend->v->ensure(w->backend, &wished, &changed, &t);
    assert_int_equal(r, -ENOTSUP);
    assert_int_equal(t.kind, TROUBLE_TABLE);
    assert_string_equal(sql_value(&w->server, ROW("Password")), "");
    assert_int_equal(w->backend->v->probe(w->backend, &t), -ENOTSUP);
    assert_non_null(strstr(t.text, "FTP_PASSWORD_FORMAT=crypt"));
}

/* A column for the end is used from then on, over connections that were there before as well; so is its going. */
static void a_table_that_learns_to_expire(void **state) {
    World *w = *state;

    table(w, DEPLOYED);
    AccountWish wished = make_account(w);
    sql(&w->server, "ALTER TABLE pureftpd.users ADD COLUMN Expires DATETIME NULL");
    probe(w); /* who looks at the table sees it at once, else it takes some seconds */
    assert_true(ensure(w, &wished));
    assert_string_equal(sql_value(&w->server, ROW("Expires")), "2033-05-18 03:33:20");
    sql(&w->server, "ALTER TABLE pureftpd.users DROP COLUMN Expires");
    probe(w);
    assert_false(ensure(w, &wished));
    assert_true(set_access(w, &wished));
    sql(&w->server, "ALTER TABLE pureftpd.users ADD COLUMN Expires DATETIME NULL");
    const char *end = "NULL";
    for (uint64_t by = monotonic_ms() + SERVER_WAIT_MS; streq(end, "NULL") && monotonic_ms() < by; poll(NULL, 0, 100)) {
        assert_true(set_access(w, &wished));
        end = sql_value(&w->server, ROW("Expires"));
    }
    assert_string_equal(end, "2033-05-18 03:33:20");
}

static void no_table_no_database_no_login(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };

    table(w, OURS);
    sql(&w->server, "DROP TABLE pureftpd.users");
    assert_int_equal(w->backend->v->probe(w->backend, &t), -ENOTSUP);
    assert_non_null(strstr(t.text, "sql/schema.sql"));
    w->settings.db_name = (char *) "nowhere";
    open_backend(w);
    assert_int_equal(w->backend->v->probe(w->backend, &t), -EPERM);
    w->settings.db_name = (char *) "pureftpd";
    w->settings.db_password = (char *) "wrong password";
    open_backend(w);
    assert_int_equal(w->backend->v->probe(w->backend, &t), -EACCES);
    assert_int_equal(t.kind, TROUBLE_LOGIN);
    assert_null(strstr(t.text, "wrong password"));
    w->settings.db_password = (char *) "of tempoftp";
}

static void a_grant_that_is_lacking_is_named(void **state) {
    World *w = *state;
    static const char *const rights[] = { "SELECT", "INSERT", "UPDATE", "DELETE" };

    for (size_t i = 0; i < ELEMENTS(rights); i++) {
        AccountTrouble t = { 0 };
        char text[120];

        table(w, OURS);
        snprintf(text, sizeof(text), "REVOKE %s ON pureftpd.users FROM tempoftp@localhost", rights[i]);
        sql(&w->server, text);
        assert_int_equal(w->backend->v->probe(w->backend, &t), -EPERM);
        assert_int_equal(t.kind, TROUBLE_RIGHTS);
        if (!strstr(t.text, rights[i]) || !strstr(t.text, "sql/grants.sql"))
            fail_msg("%s", t.text);
        snprintf(text, sizeof(text), "GRANT %s ON pureftpd.users TO tempoftp@localhost", rights[i]);
        sql(&w->server, text);
        make_account(w);
    }
}

/* ---- a server that goes away ---- */

static void a_server_that_was_killed(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    bool changed;

    table(w, OURS);
    AccountWish wished = make_account(w);
    server_kill(&w->server);
    assert_int_equal(w->backend->v->probe(w->backend, &t), -EAGAIN);
    assert_int_equal(t.kind, TROUBLE_AWAY);
    assert_true(t.text[0] != '\0');
    assert_int_equal(w->backend->v->ensure(w->backend, &wished, &changed, &t), -EAGAIN);
    assert_int_equal(w->backend->v->set_access(w->backend, &wished, &changed, &t), -EAGAIN);
    assert_false(changed);
    assert_int_equal(w->backend->v->remove(w->backend, &wished, &t), -EAGAIN);
    server_start(&w->server, NULL);
    assert_false(ensure(w, &wished));
    server_kill(&w->server); /* between two calls: the connection that waited is replaced, and nobody notices */
    server_start(&w->server, NULL);
    assert_true(set_access(w, &wished));
}

/* A client that a server has hung up on by itself. */
static void a_connection_that_died_waiting_is_replaced(void **state) {
    World *w = *state;

    table(w, OURS);
    AccountWish wished = make_account(w);
    char text[64];
    snprintf(text, sizeof(text), "KILL %s", sql_value(&w->server, "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'tempoftp'"));
    sql(&w->server, text);
    assert_true(set_access(w, &wished));
}

static void a_server_that_hangs_is_left_in_time(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    bool changed;

    w->settings.db_timeout = 3;
    table(w, OURS);
    AccountWish wished = make_account(w);
    server_freeze(&w->server);
    for (size_t i = 0; i < 2; i++) { /* over the connection that waited, then over a new one */
        uint64_t before = monotonic_ms();
        assert_int_equal(w->backend->v->set_access(w->backend, &wished, &changed, &t), -EAGAIN);
        assert_int_equal(t.kind, TROUBLE_AWAY);
        assert_true(monotonic_ms() - before < 2 * 3000);
    }
    server_thaw(&w->server);
    wished.enabled = false; /* what was sent meanwhile says `true`, and must not come true after this */
    int r = -EAGAIN;
    for (uint64_t by = monotonic_ms() + SERVER_WAIT_MS; r == -EAGAIN && monotonic_ms() < by;)
        r = w->backend->v->set_access(w->backend, &wished, &changed, &t);
    expect_ok(r, &t);
    sql(&w->server, "DO GET_LOCK('tempoftp." NAME "', 60)"); /* nobody is at it any more */
    assert_string_equal(sql_value(&w->server, ROW("Status")), "0");
    sql(&w->server, "DO RELEASE_LOCK('tempoftp." NAME "')");
}

/* Something listens, and is no server that anybody could talk to. */
static void what_is_no_server_is_left_in_time(void **state) {
    World *w = *state;
#define GREETING(text) { text, sizeof(text) - 1 }
    static const struct {
        const char *bytes;
        size_t size;
    } greetings[] = {
        { NULL, 0 }, /* accepted by the kernel alone */
        GREETING(""),
        GREETING("SSH-2.0-OpenSSH_9.2\r\n"),
        GREETING("\xff\xff\xff\x00"),
        GREETING("\x0a\x00\x00\x00\xff\x10\x04no\n\x1b[2J\xff"), /* an error, and what a terminal should not get */
    };

    w->settings.db_host = (char *) "127.0.0.1";
    w->settings.db_timeout = 2;
    for (size_t i = 0; i < ELEMENTS(greetings); i++) {
        AccountTrouble t = { 0 };
        int listener = listen_anywhere(&w->settings.db_port);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (int fd; greetings[i].bytes && (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
                (void) !write(fd, greetings[i].bytes, greetings[i].size);
            pause();
        }
        open_backend(w);
        uint64_t before = monotonic_ms();
        int r = w->backend->v->probe(w->backend, &t);
        if (r != -EAGAIN && r != -EACCES)
            fail_msg("greeting %zu: %d, %s", i, r, t.text);
        assert_true(monotonic_ms() - before < 2 * 2000 + 500);
        assert_true(t.text[0] != '\0' && !strpbrk(t.text, "\n\x1b"));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(listener);
    }
}

/* A change that was sent into a server that hung must not come true after a later one: the later one waits for it. */
static void a_late_change_does_not_overtake(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    MYSQL *other = mysql_init(NULL);

    table(w, OURS);
    AccountWish wished = make_account(w);
    w->settings.db_timeout = 4;
    open_backend(w);
    assert_non_null(mysql_real_connect(other, NULL, "tempoftp", "of tempoftp", "pureftpd", 0, w->server.socket, 0));
    assert_int_equal(mysql_query(other, "DO GET_LOCK('tempoftp." NAME "', 0)"), 0); /* whoever sent it still is at it */
    bool changed;
    wished.enabled = false;
    assert_int_equal(w->backend->v->set_access(w->backend, &wished, &changed, &t), -EAGAIN);
    assert_non_null(strstr(t.text, "still under way"));
    assert_string_equal(sql_value(&w->server, ROW("Status")), "1");
    mysql_close(other); /* dropped by the server, and its lock */
    for (uint64_t by = monotonic_ms() + SERVER_WAIT_MS; !changed && monotonic_ms() < by;)
        (void) !w->backend->v->set_access(w->backend, &wished, &changed, &t);
    assert_string_equal(sql_value(&w->server, ROW("Status")), "0");
}

static void a_table_that_is_locked_is_not_waited_for(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    bool changed;

    table(w, OURS);
    AccountWish wished = make_account(w);
    w->settings.db_timeout = 4;
    open_backend(w);
    sql(&w->server, "LOCK TABLES pureftpd.users WRITE");
    assert_int_equal(w->backend->v->set_access(w->backend, &wished, &changed, &t), -EAGAIN);
    sql(&w->server, "UNLOCK TABLES");
    assert_true(set_access(w, &wished));
}

/* ---- many at once ---- */

typedef struct Caller {
    pthread_t thread;
    World *world;
    char name[48], home[64];
    int r;
} Caller;

static void *call_often(void *userdata) {
    Caller *c = userdata;
    AccountBackend *b = c->world->backend;
    AccountWish wished = wish("$argon2id$one");

    wished.name = c->name;
    wished.home = c->home;
    for (size_t i = 0; i < 10 && c->r >= 0; i++) {
        AccountTrouble t = { 0 };
        bool changed;
        c->r = b->v->ensure(b, &wished, &changed, &t);
        wished.enabled = i % 2;
        if (c->r >= 0)
            c->r = b->v->set_access(b, &wished, &changed, &t);
        if (c->r >= 0 && !changed)
            c->r = -ENOENT;
    }
    return NULL;
}

/* The pool's own, with their statements: the server takes its time to forget the others. */
static void few_connections_stay(World *w) {
    static const char connections[] = "SELECT COUNT(*) BETWEEN 1 AND 4 FROM information_schema.processlist WHERE user = 'tempoftp'";
    uint64_t by = monotonic_ms() + 60000;

    while (!streq(sql_value(&w->server, connections), "1") && monotonic_ms() < by)
        usleep(10000);
    assert_string_equal(sql_value(&w->server, connections), "1");
    assert_string_equal(sql_value(&w->server, "SELECT VARIABLE_VALUE >= 240 FROM information_schema.global_status WHERE VARIABLE_NAME = 'Com_stmt_execute'"), "1");
}

static void calls_at_the_same_time(void **state) {
    World *w = *state;
    Caller callers[12];

    table(w, OURS);
    for (size_t i = 0; i < ELEMENTS(callers); i++) {
        callers[i] = (Caller) { .world = w };
        snprintf(callers[i].name, sizeof(callers[i].name), "ftp_caller_%zu", i / 2); /* each name twice: two processes, say */
        snprintf(callers[i].home, sizeof(callers[i].home), "/data/%s", callers[i].name);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < ELEMENTS(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].r, 0);
    }
    assert_string_equal(sql_value(&w->server, "SELECT COUNT(*) FROM pureftpd.users"), "6");
    few_connections_stay(w);
    w->backend = account_backend_free(w->backend);
}

typedef struct Seen {
    size_t rows, ours;
    char last[80];
} Seen;

static int see(const AccountRow *row, void *userdata) {
    Seen *s = userdata;

    assert_true(strcmp(row->name, s->last) > 0); /* each once */
    snprintf(s->last, sizeof(s->last), "%s", row->name);
    s->rows++;
    if (streq(row->name, NAME)) {
        s->ours++;
        assert_string_equal(row->home, HOME);
        assert_true(has_prefix(row->hash, "$argon2id$"));
        assert_true(row->enabled);
        assert_int_equal(row->uid, 2001);
        assert_true(row->expires == EXPIRES);
    } else {
        assert_string_equal(row->hash, "x");
        assert_false(row->enabled);
        assert_true(row->expires == 0);
    }
    return s->rows == 2400 ? 17 : 0;
}

static void all_rows_are_listed_once(void **state) {
    World *w = *state;
    AccountTrouble t = { 0 };
    Seen seen = { 0 };

    table(w, OURS);
    make_account(w);
    sql(&w->server, "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir, Status) SELECT CONCAT('u', LPAD(seq, 6, '0')), 'x', 1, 1, '/x', 0 FROM seq_1_to_2300");
    /* 1002 of them share a beginning up to a NUL: they are passed over, and passed by. */
    sql(&w->server, "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir, Status) SELECT CONCAT('t', CHAR(0), seq), 'x', 1, 1, '/x', 0 FROM seq_1_to_1002");
    assert_int_equal(w->backend->v->list(w->backend, see, &seen, &t), 0);
    assert_int_equal(seen.rows, 2301);
    assert_int_equal(seen.ours, 1);
    sql(&w->server, "INSERT INTO pureftpd.users (User, Password, Uid, Gid, Dir, Status) SELECT CONCAT('v', LPAD(seq, 6, '0')), 'x', 1, 1, '/x', 0 FROM seq_1_to_300");
    seen = (Seen) { 0 };
    assert_int_equal(w->backend->v->list(w->backend, see, &seen, &t), 17); /* as far as the walk wants */
    assert_int_equal(seen.rows, 2400);
}

/* ---- who lets us in, and whom we trust ---- */

static void the_unix_socket_needs_no_password(void **state) {
    World *w = *state;
    const struct passwd *self = getpwuid(geteuid());
    char text[400];

    table(w, OURS);
    assert_non_null(self);
    snprintf(text, sizeof(text),
             "CREATE USER IF NOT EXISTS '%1$s'@localhost; ALTER USER '%1$s'@localhost IDENTIFIED VIA unix_socket;"
             " GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO '%1$s'@localhost",
             self->pw_name);
    sql(&w->server, text);
    w->settings.db_user = self->pw_name;
    w->settings.db_password = NULL;
    open_backend(w);
    probe(w);
}

/* A CA, a certificate of it for 127.0.0.1 and db.example.org, and another CA that has signed nothing. */
static void make_certificates(const char *folder) {
    static const char *const commands[][20] = {
        { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=A CA", "-keyout", "ca.key",
          "-out", "ca.pem", NULL },
        { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Another", "-keyout",
          "other.key", "-out", "other.pem", NULL },
        { "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out",
          "server.csr", NULL },
        { "openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", "server.pem",
          "-extfile", "names", NULL },
        { "chmod", "0644", "server.key", NULL },
    };

    assert_int_equal(chdir(folder), 0);
    FILE *names = fopen("names", "we");
    assert_non_null(names);
    fputs("subjectAltName=IP:127.0.0.1\n", names);
    fclose(names);
    for (size_t i = 0; i < ELEMENTS(commands); i++)
        run_program(commands[i], "openssl-log");
    assert_int_equal(chdir("/"), 0);
}

static void tls_is_checked(void **state) {
    World *w = *state;
    Server *s = &w->server;
    char ca[80], cert[80], key[80], ca_file[64], other_file[64];
    static const struct {
        const char *host, *ca;
        int r;
    } cases[] = {
        { "127.0.0.1", "ca.pem", 0 },
        { "127.0.0.1", "other.pem", -EACCES }, /* signed by somebody else */
        { "127.0.0.1", NULL, -EACCES },        /* nor by one that the system trusts */
        { "localhost", "ca.pem", -EACCES },    /* another name */
    };

    table(w, OURS);
    make_certificates(s->folder);
    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", s->folder);
    snprintf(other_file, sizeof(other_file), "%s/other.pem", s->folder);
    snprintf(ca, sizeof(ca), "--ssl-ca=%s", ca_file);
    snprintf(cert, sizeof(cert), "--ssl-cert=%s/server.pem", s->folder);
    snprintf(key, sizeof(key), "--ssl-key=%s/server.key", s->folder);
    server_kill(s);
    server_start_tcp(s, (const char *const[]) { ca, cert, key, NULL });
    sql(s, "CREATE USER tempoftp@127.0.0.1 IDENTIFIED BY 'of tempoftp'; GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO tempoftp@127.0.0.1");
    w->settings.db_port = s->port;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        AccountTrouble t = { 0 };
        w->settings.db_host = (char *) cases[i].host;
        w->settings.db_tls = DATABASE_TLS_REQUIRED;
        w->settings.db_tls_ca = !cases[i].ca ? NULL : streq(cases[i].ca, "ca.pem") ? ca_file : other_file;
        open_backend(w);
        int r = w->backend->v->probe(w->backend, &t);
        if (r != cases[i].r)
            fail_msg("case %zu: %d, %s", i, r, t.text);
    }
    sql(s, "ALTER USER tempoftp@127.0.0.1 REQUIRE SSL");
    w->settings.db_host = (char *) "127.0.0.1";
    w->settings.db_tls_ca = ca_file;
    open_backend(w);
    make_account(w);
#define CONNECTIONS "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'CONNECTIONS'"
    _cleanup_free_ char *before = strdup(sql_value(s, CONNECTIONS));
    probe(w);
    probe(w);
    assert_string_equal(sql_value(s, CONNECTIONS), before); /* one handshake is enough */
    w->settings.db_tls = DATABASE_TLS_OFF;
    open_backend(w);
    AccountTrouble t = { 0 };
    assert_int_equal(w->backend->v->probe(w->backend, &t), -EACCES);

    /* A server without TLS is not talked to. */
    server_kill(s);
    server_start_tcp(s, (const char *const[]) { "--skip-ssl", NULL });
    sql(s, "ALTER USER tempoftp@127.0.0.1 REQUIRE NONE");
    w->settings.db_port = s->port;
    open_backend(w);
    probe(w);
    w->settings.db_tls = DATABASE_TLS_REQUIRED;
    open_backend(w);
    assert_int_equal(w->backend->v->probe(w->backend, &t), -EACCES);
    server_kill(s);
    server_start(s, NULL);
}

/* ---- before the start ---- */

static int start_with(World *w, PasswordFormat format, PasswordFormat allowed, const char *conf, char **ret_error) {
    AccountBackend *b = NULL;
    char path[64];
    Settings s = w->settings;

    s.password_format = format;
    s.password_allowed = allowed;
    if (conf) {
        snprintf(path, sizeof(path), "%s/mysql.conf", w->server.folder);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(conf, file);
        fclose(file);
        s.pureftpd_conf = path;
    }
    int r = account_backend_mariadb_new(&s, NULL, NULL, &b, ret_error);
    account_backend_free(b);
    return r;
}

static void weak_formats_are_refused_unless_named(void **state) {
    World *w = *state;
    static const struct {
        PasswordFormat format, allowed;
        const char *says; /* NULL: it starts */
    } cases[] = {
        { PASSWORD_ARGON2, PASSWORD_ARGON2, NULL },
        { PASSWORD_CRYPT, PASSWORD_ARGON2, NULL },
        { PASSWORD_MD5, PASSWORD_ARGON2, "FTP_PASSWORD_FORMAT=md5: MD5 without a salt is broken" },
        { PASSWORD_MD5, PASSWORD_CLEARTEXT, "who must have it all the same sets FTP_PASSWORD_ALLOW=md5 too" },
        { PASSWORD_MD5, PASSWORD_MD5, NULL },
        { PASSWORD_CLEARTEXT, PASSWORD_ARGON2, "whoever reads the table" },
        { PASSWORD_CLEARTEXT, PASSWORD_CLEARTEXT, NULL },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_free_ char *error = NULL;
        assert_int_equal(start_with(w, cases[i].format, cases[i].allowed, NULL, &error), cases[i].says ? -EINVAL : 0);
        assert_true(cases[i].says ? strstr(error, cases[i].says) != NULL : !error);
    }
}

static void another_mysqlcrypt_stops_the_start(void **state) {
    World *w = *state;
    static const struct {
        PasswordFormat format;
        const char *conf, *says;
    } cases[] = {
        { PASSWORD_ARGON2, "MYSQLCrypt argon2\n", NULL },
        { PASSWORD_ARGON2, "MYSQLCrypt any\n", NULL },
        { PASSWORD_ARGON2, "MYSQLPassword hunter2\nMYSQLCrypt crypt\n", "FTP_PASSWORD_FORMAT=argon2, but MYSQLCrypt is crypt" },
        { PASSWORD_CRYPT, "MYSQLCrypt argon2\n", "FTP_PASSWORD_FORMAT=crypt, but MYSQLCrypt is argon2" },
        { PASSWORD_CRYPT, "#MYSQLCrypt crypt\n", "has no MYSQLCrypt" },
        { PASSWORD_CRYPT, "", "has no MYSQLCrypt" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_free_ char *error = NULL;
        assert_int_equal(start_with(w, cases[i].format, PASSWORD_ARGON2, cases[i].conf, &error), cases[i].says ? -EINVAL : 0);
        assert_true(cases[i].says ? strstr(error, cases[i].says) && !strstr(error, "hunter2") : !error);
    }

    _cleanup_free_ char *error = NULL;
    AccountBackend *b;
    Settings s = w->settings;
    s.pureftpd_conf = (char *) "/nonexistent/mysql.conf";
    assert_int_equal(account_backend_mariadb_new(&s, NULL, NULL, &b, &error), -EINVAL);
    assert_non_null(strstr(error, "/nonexistent/mysql.conf: No such file or directory"));
}

static void count_warning(const char *text, void *userdata) {
    ++*(unsigned *) userdata;
}

static void the_configuration_that_we_ship_is_right(void **state) {
    World *w = *state;
    Settings s = w->settings;
    _cleanup_(account_backend_freep) AccountBackend *b = NULL;
    _cleanup_free_ char *error = NULL;
    unsigned warnings = 0;

    s.pureftpd_conf = (char *) SOURCE_ROOT "/sql/pureftpd-mysql.conf";
    assert_int_equal(account_backend_mariadb_new(&s, count_warning, &warnings, &b, &error), 0);
    assert_int_equal(warnings, 0);
}

/* ---- set up ---- */

static int setup(void **state) {
    World *w = &world;

    if (crypto_init() < 0)
        return -1;
    server_make(&w->server);
    *state = w;
    sql_file(&w->server, SOURCE_ROOT "/sql/schema.sql");
    sql_file(&w->server, SOURCE_ROOT "/sql/grants.sql");
    sql(&w->server, "ALTER USER tempoftp@localhost IDENTIFIED BY 'of tempoftp'");
    sql(&w->server, "RENAME TABLE pureftpd.users TO pureftpd.ours");
    return 0;
}

static int settle(void **state) {
    World *w = *state;

    if (w->server.pid > 0)
        server_thaw(&w->server); /* a test that failed may have left it frozen */
    w->settings = (Settings) {
        .db_host = w->server.socket,
        .db_port = 3306,
        .db_user = (char *) "tempoftp",
        .db_password = (char *) "of tempoftp",
        .db_name = (char *) "pureftpd",
        .db_table = (char *) "users",
        .db_timeout = 10,
        .data_path = (char *) "/data",
        .password_format = PASSWORD_ARGON2,
    };
    return 0;
}

static int teardown(void **state) {
    World *w = &world;

    w->backend = account_backend_free(w->backend);
    server_unmake(&w->server);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_table_shape, settle),
        cmocka_unit_test_setup(a_row_that_was_there_is_somebody_elses, settle),
        cmocka_unit_test_setup(a_kill_between_the_steps_loses_nothing, settle),
        cmocka_unit_test_setup(what_was_changed_by_hand_is_set_right, settle),
        cmocka_unit_test_setup(names_that_the_collation_takes_for_ours, settle),
        cmocka_unit_test_setup(a_table_that_does_not_fit_says_what_to_run, settle),
        cmocka_unit_test_setup(a_table_of_another_world, settle),
        cmocka_unit_test_setup(a_table_that_is_altered_under_us, settle),
        cmocka_unit_test_setup(a_table_that_learns_to_expire, settle),
        cmocka_unit_test_setup(no_table_no_database_no_login, settle),
        cmocka_unit_test_setup(a_grant_that_is_lacking_is_named, settle),
        cmocka_unit_test_setup(a_server_that_was_killed, settle),
        cmocka_unit_test_setup(a_connection_that_died_waiting_is_replaced, settle),
        cmocka_unit_test_setup(a_server_that_hangs_is_left_in_time, settle),
        cmocka_unit_test_setup(what_is_no_server_is_left_in_time, settle),
        cmocka_unit_test_setup(a_late_change_does_not_overtake, settle),
        cmocka_unit_test_setup(a_table_that_is_locked_is_not_waited_for, settle),
        cmocka_unit_test_setup(calls_at_the_same_time, settle),
        cmocka_unit_test_setup(all_rows_are_listed_once, settle),
        cmocka_unit_test_setup(the_unix_socket_needs_no_password, settle),
        cmocka_unit_test_setup(tls_is_checked, settle),
        cmocka_unit_test_setup(weak_formats_are_refused_unless_named, settle),
        cmocka_unit_test_setup(another_mysqlcrypt_stops_the_start, settle),
        cmocka_unit_test_setup(the_configuration_that_we_ship_is_right, settle),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
