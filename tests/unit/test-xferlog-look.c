/* Looks at a log that is written, rotated, copied, truncated and deleted between them, with a tempoftpd of this file's own that counts as the real one does:
 * whatever happens, and whoever is killed, each line is counted once. */
#include "xferlog/look.h"

#include "basic/strings.h"
#include "xferlog/report.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>

#define START 1700000000
#define LINES_MAX 20000
#define PATH_SIZE 128

/* ---- tempoftpd, instead of report.c ---- */

typedef enum Accident { NO_ACCIDENT, LOST_CALL, LOST_ANSWER } Accident;

static struct {
    LogPositions positions;
    uint8_t counted[LINES_MAX];
    unsigned calls, accident_at; /* of all calls; 0: none */
    Accident accident;
} service;

int report_ask(sd_bus *bus, LogPositions *ret) {
    *ret = service.positions;
    return 0;
}

int report_move(sd_bus *bus, const LogPosition *before, const LogPosition *after, const Tally *t) {
    bool accident = ++service.calls == service.accident_at;

    if (accident && service.accident == LOST_CALL)
        return -EAGAIN;
    if (!log_position_is_valid(after))
        return -EINVAL;
    int r = log_positions_move(&service.positions, before, after);
    if (r < 0)
        return r;
    for (size_t i = 0; i < t->n; i++)
        service.counted[t->rows[i].line.bytes]++; /* each line has its number for bytes, and an address of its own */
    return accident ? -EAGAIN : 0;
}

/* ---- a log and its writer ---- */

typedef struct World {
    char folder[64], log[PATH_SIZE];
    int writer;       /* Pure-FTPd's fd */
    int survivor;     /* a session's that began before the last rotation; -1: none */
    unsigned lines, lost;
    int64_t now;
    unsigned rotations, stamps;
    Look look;
} World;

static char *sibling(const World *w, const char *suffix) {
    static char path[PATH_SIZE + 64];

    snprintf(path, sizeof(path), "%s%s", w->log, suffix);
    return path;
}

/* In the world's time, and finer than the kernel's tick. */
static void stamp(World *w, int fd) {
    struct timespec now = { .tv_sec = w->now, .tv_nsec = ++w->stamps }, times[2] = { now, now };

    assert_int_equal(futimens(fd, times), 0);
}

static void open_log(World *w) {
    w->writer = open(w->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(w->writer >= 0);
    stamp(w, w->writer);
}

static void write_line(World *w, int fd) {
    char text[256], when[32];
    time_t now = w->now;
    struct tm tm;
    unsigned n = w->lines++;

    assert_true(n < LINES_MAX);
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
    int size = snprintf(text, sizeof(text), "%s 10.0.%u.%u []sent /data/ftp_ana_abcd/uno/a%%20b 226 ftp_ana_abcd %u\n", when, n / 256, n % 256, n);
    assert_true(lseek(fd, 0, SEEK_END) >= 0);
    assert_int_equal(write(fd, text, (size_t) size), size);
    stamp(w, fd);
}

static void write_lines(World *w, unsigned n) {
    while (n-- > 0)
        write_line(w, w->writer);
}

static void forget(Look *l) {
    if (l->held >= 0)
        close(l->held);
    l->held = -EBADF;
    l->asked = false;
    l->positions.n = 0;
}

/* kill -9 and a new start */
static void restart(World *w) {
    forget(&w->look);
}

static int look(World *w) {
    return look_at_log(&w->look, false);
}

static void rotate_by_rename(World *w) {
    char suffix[16];

    snprintf(suffix, sizeof(suffix), "-%08u", ++w->rotations);
    assert_int_equal(rename(w->log, sibling(w, suffix)), 0);
    if (w->survivor >= 0)
        close(w->survivor);
    w->survivor = w->writer;
    open_log(w);
}

static void copy_log(World *w, const char *suffix) {
    int from = open(w->log, O_RDONLY | O_CLOEXEC), to = open(sibling(w, suffix), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char data[4096];
    ssize_t n;

    assert_true(from >= 0 && to >= 0);
    while ((n = read(from, data, sizeof(data))) > 0)
        assert_int_equal(write(to, data, (size_t) n), n);
    stamp(w, to);
    close(from);
    close(to);
}

static void copy_and_truncate(World *w, bool look_between) {
    char suffix[16];

    snprintf(suffix, sizeof(suffix), "-%08u", ++w->rotations);
    copy_log(w, suffix);
    if (look_between)
        (void) !look(w);
    assert_int_equal(truncate(w->log, 0), 0);
}

static int set_up(void **state) {
    World *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    memset(&service, 0, sizeof(service));
    (void) mkdir("tmp", 0700);
    snprintf(w->folder, sizeof(w->folder), "tmp/xferlog-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->log, sizeof(w->log), "%s/transfer.log", w->folder);
    w->now = START;
    w->survivor = -1;
    w->look = (Look) { .log = w->log, .data_path = "/data", .held = -EBADF };
    open_log(w);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    World *w = *state;
    char command[128];

    forget(&w->look);
    close(w->writer);
    if (w->survivor >= 0)
        close(w->survivor);
    snprintf(command, sizeof(command), "rm -r %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void check_counts(const World *w) {
    for (unsigned i = 0; i < w->lines; i++)
        if (service.counted[i] != 1)
            fail_msg("line %u of %u was counted %u times", i, w->lines, service.counted[i]);
}

/* ---- the stories ---- */

static void lines_are_counted_as_they_come(void **state) {
    World *w = *state;

    assert_int_equal(look(w), 1); /* an empty log */
    for (unsigned i = 0; i < 20; i++) {
        write_lines(w, i);
        if (i % 3 == 0)
            restart(w);
        assert_int_equal(look(w), i > 0);
        assert_int_equal(look(w), 0);
        check_counts(w);
        w->now += i % 2;
    }
}

static void rotation_by_rename_leaves_nothing_behind(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    write_lines(w, 10);
    rotate_by_rename(w);
    write_line(w, w->survivor); /* a session that has the old one open */
    write_lines(w, 10);         /* in the same second */
    assert_int_equal(look(w), 1);
    check_counts(w);
    write_line(w, w->survivor);
    restart(w);
    assert_int_equal(look(w), 1);
    check_counts(w);
}

static void a_log_that_was_deleted_is_read_to_its_end(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    write_lines(w, 10);
    assert_int_equal(unlink(w->log), 0); /* rotated and compressed at once, or rm: it is still held */
    close(w->writer);
    open_log(w);
    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    check_counts(w);
    assert_int_equal(unlink(w->log), 0);
    assert_int_equal(look(w), 0);
}

static void copytruncate_leaves_nothing_behind(void **state) {
    for (unsigned i = 0; i < 8; i++) {
        World *w = *state;
        unsigned unread = i & 1 ? 10 : 0;
        write_lines(w, 10);
        assert_int_equal(look(w), 1);
        write_lines(w, unread);
        copy_and_truncate(w, i & 2);
        if (i & 4)
            restart(w);
        assert_true(look(w) >= 0);
        write_lines(w, 10); /* in the same second */
        assert_int_equal(look(w), 1);
        check_counts(w);
        assert_int_equal(look(w), 0);
        restart(w);
        assert_int_equal(look(w), 0);
        check_counts(w);
        w->now++;
    }
}

static void a_truncated_log_begins_anew_also_when_it_has_grown_past(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    assert_int_equal(truncate(w->log, 0), 0);
    write_lines(w, 50);
    assert_int_equal(look(w), 1);
    check_counts(w);
}

static void an_administrators_copy_counts_nothing(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    write_lines(w, 5);
    copy_log(w, ".bak");
    for (unsigned i = 0; i < 3; i++) {
        assert_true(look(w) >= 0);
        check_counts(w);
        w->now++;
        write_lines(w, 5);
        restart(w);
        assert_int_equal(look(w), 1);
        check_counts(w);
    }
}

static void an_old_copy_of_the_same_second_counts_nothing(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    copy_log(w, ".bak");
    write_lines(w, 5);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(look(w) >= 0);
        check_counts(w);
    }
}

static void a_log_that_an_editor_wrote_anew_is_the_same(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    write_lines(w, 3);
    copy_log(w, ".new");
    close(w->writer);
    assert_int_equal(rename(sibling(w, ".new"), w->log), 0);
    restart(w); /* not held: nothing but the content tells */
    open_log(w);
    assert_int_equal(look(w), 1);
    write_lines(w, 3);
    assert_int_equal(look(w), 1);
    check_counts(w);
}

static void two_rotations_while_nobody_looked(void **state) {
    World *w = *state;

    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    restart(w);
    for (unsigned i = 0; i < 3; i++) {
        write_lines(w, 10);
        rotate_by_rename(w);
        w->now++;
    }
    write_lines(w, 10);
    assert_int_equal(look(w), 1);
    check_counts(w);
}

static void the_first_look_takes_what_is_there(void **state) {
    World *w = *state;

    service.accident = LOST_ANSWER; /* and it is killed after the first of four files */
    service.accident_at = 1;

    for (unsigned i = 0; i < 3; i++) {
        write_lines(w, 10);
        rotate_by_rename(w);
        w->now++;
    }
    write_lines(w, 10);
    assert_int_equal(look(w), -EAGAIN);
    restart(w);
    assert_int_equal(look(w), 1);
    check_counts(w);
}

static void links_folders_and_compressed_files_are_no_logs(void **state) {
    World *w = *state;
    static const char *const compressed[] = { ".1.gz", ".2.xz", ".3.zst", ".4.bz2" };

    write_lines(w, 10);
    assert_int_equal(mkdir(sibling(w, ".folder"), 0700), 0);
    assert_int_equal(mkfifo(sibling(w, ".fifo"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", sibling(w, ".link")), 0);
    assert_int_equal(symlink("transfer.log", sibling(w, ".link2")), 0);
    for (size_t i = 0; i < ELEMENTS(compressed); i++)
        copy_log(w, compressed[i]);
    assert_int_equal(look(w), 1);
    check_counts(w);
    assert_int_equal(service.positions.n, 1);
}

static void others_lines_wake_nobody(void **state) {
    static const char line[] = "2023-11-14 22:13:20 10.0.0.1 []created /srv/x/y 226 bob 5\n";
    World *w = *state;
    size_t written = 0;

    assert_int_equal(look(w), 1); /* of a new file it is told that it is there */
    assert_int_equal(look(w), 0);
    while (written < LOOK_QUIET_BYTES / 2) {
        assert_int_equal(write(w->writer, line, sizeof(line) - 1), sizeof(line) - 1);
        written += sizeof(line) - 1;
    }
    assert_int_equal(look(w), 0);
    assert_int_equal(service.calls, 1);
    assert_int_equal(look_at_log(&w->look, true), 1); /* before it leaves */
    assert_int_equal(service.positions.at[0].offset, written);
    while (written < 2 * LOOK_QUIET_BYTES) {
        assert_int_equal(write(w->writer, line, sizeof(line) - 1), sizeof(line) - 1);
        written += sizeof(line) - 1;
    }
    assert_int_equal(look(w), 1);
    assert_int_equal(service.positions.at[0].offset, written);
}

/* The same story again and again, each time with a kill or a lost answer at another call. */
static void every_call_may_be_the_last(void **state) {
    for (unsigned accident = LOST_CALL; accident <= LOST_ANSWER; accident++)
        for (unsigned at = 1; at < 14; at++) {
            void *fresh;
            set_up(&fresh);
            World *w = fresh;
            service.accident = accident;
            service.accident_at = at;
            for (unsigned step = 0; step < 12; step++) {
                write_lines(w, 7);
                if (step % 4 == 1)
                    rotate_by_rename(w);
                if (step % 4 == 3)
                    copy_and_truncate(w, false);
                write_lines(w, step % 3);
                if (look(w) < 0) {
                    if (at % 2)
                        restart(w); /* killed; otherwise it tries again: first it is told -ESTALE */
                    else if (look(w) == -ESTALE)
                        assert_true(look(w) >= 0);
                }
                assert_true(look(w) >= 0);
                check_counts(w);
                w->now += step % 2;
            }
            assert_true(service.calls >= at);
            tear_down(&fresh);
        }
}

static uint32_t random_state;

static unsigned dice(unsigned n) { /* xorshift: the same numbers in every run */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

static void one_day_of_chance(World *w) {
    switch (dice(8)) {
    case 0:
        rotate_by_rename(w);
        break;
    case 1:
        copy_and_truncate(w, dice(2));
        break;
    case 2:
        restart(w);
        break;
    case 3:
        if (w->survivor >= 0)
            write_line(w, w->survivor);
        break;
    case 4:
        w->now += dice(3);
        break;
    case 5:
        service.accident = 1 + dice(2);
        service.accident_at = service.calls + 1 + dice(3);
        break;
    default:
        write_lines(w, dice(12));
    }
    if (look(w) < 0)
        (void) !look(w);
}

/* Rotations come one after a look, as they do: the folder's change is what a look is made for. */
static void whatever_comes(void **state) {
    for (uint32_t seed = 1; seed <= 60; seed++) {
        void *fresh;
        set_up(&fresh);
        World *w = fresh;
        random_state = seed * 2654435761u;
        for (unsigned i = 0; i < 120; i++)
            one_day_of_chance(w);
        while (look(w) != 0)
            assert_true(service.calls < 100000);
        for (unsigned i = 0; i < w->lines; i++)
            if (service.counted[i] != 1)
                fail_msg("seed %u: line %u of %u was counted %u times", seed, i, w->lines, service.counted[i]);
        tear_down(&fresh);
    }
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(lines_are_counted_as_they_come),
        STORY(rotation_by_rename_leaves_nothing_behind),
        STORY(a_log_that_was_deleted_is_read_to_its_end),
        STORY(copytruncate_leaves_nothing_behind),
        STORY(a_truncated_log_begins_anew_also_when_it_has_grown_past),
        STORY(an_administrators_copy_counts_nothing),
        STORY(an_old_copy_of_the_same_second_counts_nothing),
        STORY(a_log_that_an_editor_wrote_anew_is_the_same),
        STORY(two_rotations_while_nobody_looked),
        STORY(the_first_look_takes_what_is_there),
        STORY(links_folders_and_compressed_files_are_no_logs),
        STORY(others_lines_wake_nobody),
        cmocka_unit_test(every_call_may_be_the_last),
        cmocka_unit_test(whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
