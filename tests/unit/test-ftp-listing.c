/* LIST, NLST and MLSD lines, and whole folders: small ones in order, large ones complete. */
#include "ftpd/listing.h"

#include "basic/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW 1795260600 /* 2026-11-21T11:30:00Z */

static const char *entry(const Listing *l, const char *name, const struct stat *st, const char *target) {
    static char line[LISTING_ENTRY_MAX + 1];
    line[listing_entry(l, name, st, target, line)] = '\0';
    return line;
}

static void long_format(void **state) {
    Listing l = { .format = LISTING_LONG, .now = NOW };
    struct stat file = { .st_mode = S_IFREG | 0640, .st_nlink = 1, .st_size = 5368709120, .st_mtime = NOW - 60 };
    struct stat folder = { .st_mode = S_IFDIR | 02750, .st_nlink = 3, .st_size = 4096, .st_mtime = 1551657600 };
    struct stat link = { .st_mode = S_IFLNK | 0777, .st_nlink = 1, .st_size = 5, .st_mtime = NOW };
    struct stat future = { .st_mode = S_IFREG | 0444, .st_nlink = 1, .st_mtime = NOW + 30 * 86400 };

    assert_string_equal(entry(&l, "a b.nc", &file, NULL), "-rw-r-----    1 ftp      ftp        5368709120 Nov 21 11:29 a b.nc\r\n");
    assert_string_equal(entry(&l, "d", &folder, NULL), "drwxr-x---    3 ftp      ftp              4096 Mar  4  2019 d\r\n");
    assert_string_equal(entry(&l, "l", &link, "a.txt"), "lrwxrwxrwx    1 ftp      ftp                 5 Nov 21 11:30 l -> a.txt\r\n");
    assert_string_equal(entry(&l, "f", &future, NULL), "-r--r--r--    1 ftp      ftp                 0 Dec 21  2026 f\r\n");
}

static void facts(void **state) {
    Listing l = { .format = LISTING_FACTS, .facts = FACTS_DEFAULT };
    struct stat file = { .st_mode = S_IFREG | 0640, .st_size = 12, .st_mtime = NOW };
    struct stat folder = { .st_mode = S_IFDIR | 0750, .st_mtime = 0 };

    assert_string_equal(entry(&l, "a;b = c", &file, NULL), "type=file;size=12;modify=20261121113000;perm=r; a;b = c\r\n");
    assert_string_equal(entry(&l, "d", &folder, NULL), "type=dir;modify=19700101000000;perm=el; d\r\n");
    l.facts = FACT_UNIX_MODE;
    assert_string_equal(entry(&l, "d", &folder, NULL), "UNIX.mode=0750; d\r\n");
    l.facts = 0;
    assert_string_equal(entry(&l, "d", &folder, NULL), " d\r\n");
}

static void fact_names(void **state) {
    char text[FACTS_TEXT_MAX];

    facts_text(FACT_TYPE | FACT_SIZE, true, text);
    assert_string_equal(text, "type*;size*;modify;perm;UNIX.mode;");
    facts_text(FACT_TYPE | FACT_SIZE, false, text);
    assert_string_equal(text, "type;size;");
    facts_text((unsigned) -1, true, text);
    assert_string_equal(text, "type*;size*;modify*;perm*;UNIX.mode*;");
    assert_int_equal(facts_parse("Type;MODIFY;unknown;unix.mode;"), FACT_TYPE | FACT_MODIFY | FACT_UNIX_MODE);
    assert_int_equal(facts_parse("size"), FACT_SIZE);
    assert_int_equal(facts_parse(""), 0);
    assert_int_equal(facts_parse(";;;"), 0);
}

static void names_with_prefix(void **state) {
    Listing l = { .format = LISTING_NAMES, .prefix = "dir/" };
    struct stat st = { .st_mode = S_IFREG };

    assert_string_equal(entry(&l, "a", &st, NULL), "dir/a\r\n");
}

/* Against gmtime(3), from the year 1000, before which strftime(3) writes fewer digits. */
static void times_are_right(void **state) {
    for (int64_t t = -30610224000; t < 253402300800; t += 86399 * 77 + 1) {
        time_t at = (time_t) t;
        struct tm tm;
        char expected[32], got[TIME_VALUE_SIZE];

        assert_non_null(gmtime_r(&at, &tm));
        strftime(expected, sizeof(expected), "%Y%m%d%H%M%S", &tm);
        listing_time(t, got);
        assert_string_equal(got, expected);
    }
}

static int append(void *userdata, const char *data, size_t size) {
    buffer_append(userdata, data, size);
    return ((Buffer *) userdata)->error;
}

static int list(int fd, ListingFormat format, const char *pattern, Buffer *to) {
    Listing l = { .format = format, .facts = FACT_TYPE | FACT_SIZE, .now = NOW, .pattern = pattern, .home_fd = fd, .folder = "/",
                  .write = append, .userdata = to };
    _cleanup_close_ int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return listing_folder(&l, again);
}

static int make_folder(char *root) {
    assert_non_null(mkdtemp(root));
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void touch(int fd, const char *name) {
    _cleanup_close_ int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
}

static void remove_folder(char *root, int fd) {
    char command[64];

    close(fd);
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void small_folders_come_sorted(void **state) {
    static const char *const names[] = { "c", "a b", ".hidden", "b", "\xc3\xb1", "with\nnewline", "with\rreturn" };
    char root[] = "/tmp/test-ftp-listing-XXXXXX";
    _cleanup_buffer_ Buffer out = { 0 }, filtered = { 0 }, types = { 0 };
    int fd = make_folder(root);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        touch(fd, names[i]);
    assert_int_equal(mkdirat(fd, "dir", 0700), 0);
    assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
    assert_int_equal(symlinkat("a b", fd, "link"), 0);
    assert_int_equal(symlinkat("/etc/passwd", fd, "outside"), 0);
    assert_int_equal(list(fd, LISTING_NAMES, NULL, &out), 0);
    assert_string_equal(out.data, ".hidden\r\na b\r\nb\r\nc\r\ndir\r\nlink\r\noutside\r\n\xc3\xb1\r\n");
    assert_int_equal(list(fd, LISTING_NAMES, "?", &filtered), 0);
    assert_string_equal(filtered.data, "b\r\nc\r\n");
    assert_int_equal(list(fd, LISTING_FACTS, "*i*", &types), 0);
    assert_string_equal(types.data, "type=file;size=0; .hidden\r\ntype=dir; dir\r\ntype=file;size=0; link\r\n"
                                    "type=OS.unix=symlink; outside\r\n");
    remove_folder(root, fd);
}

static void large_folders_come_complete(void **state) {
    enum { N = 5000 };
    char root[] = "/tmp/test-ftp-listing-XXXXXX", name[64];
    _cleanup_buffer_ Buffer out = { 0 };
    static bool seen[N];
    size_t lines = 0;
    int fd = make_folder(root);

    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "a-name-of-some-length-%05d", i);
        touch(fd, name);
    }
    assert_int_equal(list(fd, LISTING_LONG, NULL, &out), 0);
    for (char *p = out.data; *p; p = strstr(p, "\r\n") + 2) {
        int i = atoi(strstr(p, "length-") + 7);
        assert_false(seen[i]);
        seen[i] = true;
        lines++;
    }
    assert_int_equal(lines, N);
    remove_folder(root, fd);
}

static int refuse(void *userdata, const char *data, size_t size) {
    return -EPIPE;
}

static void stops_when_nobody_reads(void **state) {
    char root[] = "/tmp/test-ftp-listing-XXXXXX";
    int fd = make_folder(root);
    Listing l = { .format = LISTING_NAMES, .home_fd = -EBADF, .write = refuse };

    touch(fd, "a");
    assert_int_equal(listing_folder(&l, fd), -EPIPE);
    remove_folder(root, fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_format),               cmocka_unit_test(facts),
        cmocka_unit_test(fact_names),                cmocka_unit_test(names_with_prefix),
        cmocka_unit_test(times_are_right),           cmocka_unit_test(small_folders_come_sorted),
        cmocka_unit_test(large_folders_come_complete), cmocka_unit_test(stops_when_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
