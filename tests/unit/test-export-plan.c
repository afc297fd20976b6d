/* Who does what next in an upload: the order, RAR sets whose first volume waits, files that were brought before, what a folder may hold. */
#include "export/plan.h"
#include "export/upload.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

typedef struct Place {
    char folder[64];
    Source source;
    Delivered delivered;
    Plan *plan;
} Place;

static void put(const Place *p, const char *name) {
    char path[160];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, name, strlen(name)), strlen(name));
    close(fd);
}

static void in_folder(const Place *p, int (*what)(const char *, const char *), const char *name, const char *target) {
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    assert_int_equal(what(target, path), 0);
}

static int make_folder(const char *unused, const char *path) {
    return mkdir(path, 0700);
}

static void make(Place *p, const char *const *names) {
    *p = (Place) { .folder = "/tmp/test-export-plan-XXXXXX", .source = SOURCE_NONE, .delivered = DELIVERED_NONE };
    assert_non_null(mkdtemp(p->folder));
    for (; *names; names++)
        put(p, *names);
}

static void begin(Place *p) {
    _cleanup_free_ char *bad = NULL;
    char list[96];

    assert_int_equal(source_read(p->folder, &p->source, &bad), 0);
    snprintf(list, sizeof(list), "%s.list", p->folder);
    assert_int_equal(delivered_open(list, &p->delivered), 0);
    assert_int_equal(plan_new(&p->source, &p->delivered, "id", 1, 1, &p->plan), 0);
}

static void end(Place *p) {
    char command[160];

    plan_free(p->plan);
    delivered_close(&p->delivered);
    source_done(&p->source);
    snprintf(command, sizeof(command), "rm -rf %s %s.list", p->folder, p->folder);
    assert_int_equal(system(command), 0);
}
#define _cleanup_place_ _cleanup_(end)
#define NAMES(...) ((const char *const[]) { __VA_ARGS__, NULL })

static void assert_next(Place *p, const char *name, Task **ret) {
    Task *t = plan_take(p->plan);

    assert_non_null(t);
    assert_string_equal(t->file->path, name);
    *ret = t;
}

static void a_first_volume_waits_for_the_others(void **state) {
    _cleanup_place_ Place p;
    Task *first, *second, *third, *other;

    make(&p, NAMES("b.txt", "a.r01", "a.rar", "a.r00"));
    begin(&p);
    assert_next(&p, "a.rar", &first);
    assert_next(&p, "a.r00", &second);
    assert_next(&p, "a.r01", &third);
    assert_next(&p, "b.txt", &other);
    assert_null(plan_take(p.plan));
    assert_false(plan_sent(p.plan, first));
    assert_true(plan_sent(p.plan, third));
    plan_done(p.plan, third);
    assert_null(plan_take(p.plan));
    assert_true(plan_sent(p.plan, second));
    plan_done(p.plan, second);
    assert_next(&p, "a.rar", &first); /* now its name */
    assert_true(first->sent);
    plan_done(p.plan, first);
    plan_give_back(p.plan, other);
    assert_int_equal(plan_left(p.plan), 1);
    assert_next(&p, "b.txt", &other);
    assert_true(plan_sent(p.plan, other));
    plan_done(p.plan, other);
    assert_int_equal(plan_left(p.plan), 0);
    assert_null(plan_take(p.plan));
}

static void a_first_volume_that_comes_last_waits_for_nobody(void **state) {
    _cleanup_place_ Place p;
    Task *first, *second;

    make(&p, NAMES("a.part1.rar", "a.part2.rar"));
    begin(&p);
    assert_next(&p, "a.part1.rar", &first);
    assert_next(&p, "a.part2.rar", &second);
    assert_true(plan_sent(p.plan, second));
    plan_done(p.plan, second);
    assert_true(plan_sent(p.plan, first));
}

static void what_was_brought_before_is_left_out(void **state) {
    _cleanup_place_ Place p;
    Task *t;

    make(&p, NAMES("a", "b", "c"));
    begin(&p);
    assert_next(&p, "a", &t);
    assert_int_equal(delivered_add(&p.delivered, &t->mark), 0);
    assert_next(&p, "b", &t);
    assert_int_equal(delivered_add(&p.delivered, &t->mark), 0);
    assert_int_equal(write(p.delivered.fd, "half a", 6), 6); /* a kill, or a full disk */
    plan_free(p.plan);
    delivered_close(&p.delivered);
    source_done(&p.source);
    char b[96];
    snprintf(b, sizeof(b), "%s/b", p.folder);
    assert_int_equal(truncate(b, 100), 0); /* another file by now */
    begin(&p);
    assert_int_equal(plan_left(p.plan), 2);
    assert_int_equal(plan_bytes_done(p.plan), 1);
    assert_next(&p, "b", &t);
    assert_next(&p, "c", &t);
    assert_null(plan_take(p.plan));
}

static void temporary_names_differ_by_content(void **state) {
    SourceFile file = { .path = (char *) "a", .size = 1, .modified_ns = 1 };
    Task a = { .file = &file }, b = { .file = &file };
    char first[TEMPORARY_SIZE], second[TEMPORARY_SIZE];

    file_mark("id", 1, 1, &file, &a.mark);
    plan_temporary(&a, first);
    assert_true(has_prefix(first, "tempoftp-") && has_suffix(first, ".part"));
    file.modified_ns = 2;
    file_mark("id", 1, 1, &file, &b.mark);
    plan_temporary(&b, second);
    assert_string_not_equal(first, second);
    file.modified_ns = 1;
    file_mark("id", 2, 1, &file, &b.mark);
    plan_temporary(&b, second);
    assert_string_not_equal(first, second);
    file_mark("id", 1, 2, &file, &b.mark);
    plan_temporary(&b, second);
    assert_string_not_equal(first, second);
}

static int read_source(const Place *p, char **ret_bad) {
    _cleanup_source_ Source s = SOURCE_NONE;
    return source_read(p->folder, &s, ret_bad);
}

static void a_folder_is_read_without_leaving_it(void **state) {
    static const struct {
        const char *target;
        int r;
    } cases[] = {
        { "/etc/passwd", -EXDEV }, { "../../etc/passwd", -EXDEV }, { "nowhere", -ENOENT }, { ".", -ELOOP }, { "a", 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_place_ Place p;
        _cleanup_free_ char *bad = NULL;

        make(&p, NAMES("a"));
        in_folder(&p, symlink, "link", cases[i].target);
        if (read_source(&p, &bad) != cases[i].r)
            fail_msg("%s", cases[i].target);
        assert_true(cases[i].r == 0 || streq_null(bad, "link"));
    }
}

static void folders_and_changes(void **state) {
    _cleanup_place_ Place p;
    char path[96];
    int fd;

    make(&p, NAMES("b"));
    in_folder(&p, make_folder, "x", NULL);
    in_folder(&p, make_folder, "x/y", NULL);
    put(&p, "x/y/a");
    begin(&p);
    assert_int_equal(p.source.n_folders, 2);
    assert_string_equal(p.source.folders[0], "x");
    assert_int_equal(p.source.n_files, 2);
    assert_int_equal(p.source.bytes, 1 + 5);
    fd = source_open(&p.source, &p.source.files[0]);
    assert_true(fd >= 0);
    close(fd);
    snprintf(path, sizeof(path), "%s/b", p.folder);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(source_open(&p.source, &p.source.files[0]), -ESTALE);
    unlink(path);
    assert_int_equal(source_open(&p.source, &p.source.files[0]), -ENOENT);
}

static void pauses_double(void **state) {
    const UploadSettings s = { .retries = 3, .pause_seconds = 1 };

    assert_int_equal(upload_pause(&s, 1), 0);
    assert_int_equal(upload_pause(&s, 2), 1);
    assert_int_equal(upload_pause(&s, 3), 2);
    assert_int_equal(upload_pause(&s, 4), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_volume_waits_for_the_others),
        cmocka_unit_test(a_first_volume_that_comes_last_waits_for_nobody),
        cmocka_unit_test(what_was_brought_before_is_left_out),
        cmocka_unit_test(temporary_names_differ_by_content),
        cmocka_unit_test(a_folder_is_read_without_leaving_it),
        cmocka_unit_test(folders_and_changes),
        cmocka_unit_test(pauses_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
