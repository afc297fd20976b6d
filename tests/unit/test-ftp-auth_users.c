/* The accounts of stand-alone mode: who gets in, with what, and that time does not tell names. */
#include "ftpd/auth.h"

#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "crypto/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

typedef struct Heard {
    unsigned times;
    bool ok;
    char reason[32], home[32], drop[8];
    uint64_t quota;
} Heard;

static void hear(void *userdata, int error, const AuthAnswer *a) {
    Heard *h = userdata;

    assert_int_equal(error, 0);
    h->times++;
    h->ok = a->ok;
    h->quota = a->quota;
    snprintf(h->reason, sizeof(h->reason), "%s", a->reason);
    snprintf(h->home, sizeof(h->home), "%s", a->home);
    snprintf(h->drop, sizeof(h->drop), "%s", a->drop);
}

static Heard ask(AuthUsers *u, const char *name, const char *password) {
    AuthSource *source = auth_users_source(u);
    AuthTicket *ticket;
    Heard h = { 0 };

    assert_int_equal(source->v->start(source, name, password, "127.0.0.1", hear, &h, &ticket), 0);
    assert_null(ticket); /* answered at once */
    assert_int_equal(h.times, 1);
    return h;
}

static AuthUsers *with_root(void) {
    AuthUsers *u;
    assert_int_equal(auth_users_new(&u), 0);
    assert_int_equal(auth_users_set_root(u, "/srv"), 0);
    return u;
}

/* A file of one account a name, all of that cost. */
static void load(AuthUsers *u, const char *const *names, size_t n, PasswordCost cost, const char *rights) {
    char path[] = "/tmp/tempoftp-users-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    for (size_t i = 0; i < n; i++) {
        char hash[PASSWORD_HASH_SIZE], line[PASSWORD_HASH_SIZE + 100];
        assert_int_equal(password_hash_at("secret", cost, hash), 0);
        int size = snprintf(line, sizeof(line), "%s:%s%s\n", names[i], hash, rights);
        assert_int_equal(write_all(fd, line, (size_t) size), 0);
    }
    close(fd);
    assert_int_equal(auth_users_load(u, path), 0);
    unlink(path);
}

static void those_of_the_command_line(void **state) {
    AuthUsers *u = with_root();
    size_t writing;

    assert_int_equal(auth_users_add(u, "ana:uno", false), 0);
    assert_int_equal(auth_users_add(u, "ben:d:o s", true), 0);
    assert_int_equal(auth_users_add(u, "ana:x", false), -EEXIST);
    assert_int_equal(auth_users_add(u, "nobody", false), -EINVAL);
    assert_int_equal(auth_users_add(u, ":x", false), -EINVAL);
    assert_int_equal(auth_users_add(u, "x:", false), -EINVAL);
    assert_int_equal(auth_users_count(u, &writing), 2);
    assert_int_equal(writing, 1);

    Heard h = ask(u, "ana", "uno");
    assert_true(h.ok && h.quota == 0);
    assert_string_equal(h.reason, "ok");
    assert_string_equal(h.home, "/srv");
    assert_string_equal(h.drop, "");
    h = ask(u, "ben", "d:o s");
    assert_true(h.ok);
    assert_string_equal(h.drop, "/");
    h = ask(u, "ben", "wrong");
    assert_false(h.ok);
    assert_string_equal(h.reason, "password");
    assert_string_equal(h.drop, "");
    h = ask(u, "caro", "uno"); /* nobody, checked against somebody's hash: no password opens it */
    assert_false(h.ok);
    assert_string_equal(h.reason, "unknown");
    assert_string_equal(ask(u, "caro", "d:o s").reason, "unknown");
    auth_source_free(auth_users_source(u));
}

static void those_of_a_file_are_replaced_by_the_next(void **state) {
    AuthUsers *u = with_root();
    size_t writing;

    assert_int_equal(auth_users_add(u, "given:uno", false), 0);
    load(u, (const char *const[]) { "ana", "ben" }, 2, (PasswordCost) { 8, 1 }, ":rw:77");
    assert_int_equal(auth_users_count(u, &writing), 3);
    assert_int_equal(writing, 2);
    Heard h = ask(u, "ben", "secret");
    assert_true(h.ok && h.quota == 77);
    assert_string_equal(h.drop, "/");

    load(u, (const char *const[]) { "caro" }, 1, (PasswordCost) { 8, 1 }, "");
    assert_int_equal(auth_users_count(u, &writing), 2);
    assert_false(ask(u, "ben", "secret").ok);
    assert_true(ask(u, "caro", "secret").ok);
    assert_true(ask(u, "given", "uno").ok);
    assert_true(auth_users_load(u, "/nonexistent") < 0);
    assert_true(auth_users_load(u, "/dev/null") < 0);
    assert_true(ask(u, "caro", "secret").ok); /* all stays as it was */
    auth_source_free(auth_users_source(u));
}

static double cpu_of_ten(AuthUsers *u, const char *name) {
    struct timespec before, after;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 10; i++)
        assert_false(ask(u, name, "wrong").ok);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double) (after.tv_sec - before.tv_sec) + (double) (after.tv_nsec - before.tv_nsec) / 1e9;
}

/* Names that nobody has cost what an account's check costs, whatever that is: here 60 times the cheapest. */
static void unknown_names_take_as_long(void **state) {
    static const char *const unknown[] = { "x", "root", "anna", "an", "" };
    AuthUsers *u = with_root();

    load(u, (const char *const[]) { "ana", "ben" }, 2, (PasswordCost) { 2048, 2 }, "");
    for (size_t i = 0; i < ELEMENTS(unknown); i++) {
        double known = 0, asked = 0;
        int tries = 5;
        do { /* another process may have had the caches */
            known = cpu_of_ten(u, "ana");
            asked = cpu_of_ten(u, unknown[i]);
        } while ((known > 2 * asked || asked > 2 * known) && --tries > 0);
        assert_true(tries > 0);
    }
    auth_source_free(auth_users_source(u));
}

static int start(void **state) {
    log_open("test", LOG_EMERG);
    return crypto_init();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_the_command_line),
        cmocka_unit_test(those_of_a_file_are_replaced_by_the_next),
        cmocka_unit_test(unknown_names_take_as_long),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
