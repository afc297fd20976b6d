/* What a session does for a living works inside the real jail: a call that somebody's library starts to make and the filter
 * doesn't know is found here, not by a client whose session dies.
 *
 * Every job runs jailed in a process of its own, on the server's own functions; what an intruder tries is test-ftp-jail.c. */
#include "ftpd/data.h"
#include "ftpd/listing.h"
#include "ftpd/path.h"

#include "jail-enter.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define SEVERAL 700 /* fit the buffer that is sorted, and are too many for qsort(3) to sort them on its stack */
#define MANY 5000   /* do not fit it */
#define LONG_NAME "a-rather-long-name-%05d.nc"
#define BIG (64 << 20) /* more than the sockets of both sides hold */
#define TICKS 3
#define JAIL_FAILED 200
#define LOOPBACK(number) \
    (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }

typedef struct Fixture {
    char root[64];
    int home, control[2], wire[2];
    JailFilters *filters;
} Fixture;

/* 0, or the number of what went wrong: the only word a jailed process has left. */
typedef int (*Job)(void);

/* ---- listings ---- */

typedef struct Lines {
    int n, last;
    bool sorted;
    size_t used;
    char rest[256]; /* the beginning of a line whose end is in the next piece */
} Lines;

static int take_lines(void *userdata, const char *data, size_t size) {
    Lines *l = userdata;

    for (size_t i = 0; i < size; i++) {
        if (l->used + 1 < sizeof(l->rest))
            l->rest[l->used++] = data[i];
        if (data[i] != '\n')
            continue;
        l->rest[l->used] = '\0';
        const char *number = strstr(l->rest, "name-");
        int value = number ? atoi(number + strlen("name-")) : -1;
        l->sorted = l->sorted && value > l->last;
        l->last = value;
        l->n++;
        l->used = 0;
    }
    return 0;
}

static int list(const char *folder, ListingFormat format, Lines *ret) {
    *ret = (Lines) { .last = -1, .sorted = true };
    Listing l = { .format = format, .facts = FACTS_DEFAULT, .home_fd = CHILD_HOME_FD, .folder = folder, .write = take_lines, .userdata = ret };
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, folder, O_RDONLY | O_DIRECTORY);

    return fd < 0 ? fd : listing_folder(&l, fd);
}

static int lists_several_in_order(void) {
    static const ListingFormat formats[] = { LISTING_LONG, LISTING_NAMES, LISTING_FACTS };
    Lines lines;

    for (int i = 0; i < (int) ELEMENTS(formats); i++)
        if (list("/several", formats[i], &lines) < 0 || lines.n != SEVERAL || !lines.sorted)
            return i + 1;
    return 0;
}

static int lists_many_completely(void) {
    static const ListingFormat formats[] = { LISTING_LONG, LISTING_NAMES, LISTING_FACTS };
    Lines lines;

    for (int i = 0; i < (int) ELEMENTS(formats); i++)
        if (list("/many", formats[i], &lines) < 0 || lines.n != MANY)
            return i + 1;
    return 0;
}

static int lists_links(void) {
    Lines lines;

    if (list("/", LISTING_LONG, &lines) < 0 || lines.n != 6)
        return 1;
    return list("/", LISTING_FACTS, &lines) < 0 || lines.n != 6 ? 2 : 0;
}

/* ---- names ---- */

static const struct {
    const char *path;
    int flags, expected; /* negative errno, or 0: it opens */
} opened[] = {
    { "/big", O_RDONLY, 0 },
    { "/big", O_RDONLY | O_NONBLOCK, 0 },
    { "/several", O_RDONLY | O_DIRECTORY, 0 },
    { "/", O_RDONLY | O_DIRECTORY, 0 },
    { "/inside", O_RDONLY, 0 },
    { "/none", O_RDONLY, -ENOENT },
    { "/big", O_RDONLY | O_DIRECTORY, -ENOTDIR },
    { "/../other/secret", O_RDONLY, -EXDEV },
    { "/several/../../other/secret", O_RDONLY, -EXDEV },
    { "/..", O_RDONLY | O_DIRECTORY, -EXDEV },
    { "/up", O_RDONLY, -EXDEV },
    { "/absolute", O_RDONLY, -EXDEV },
    { "/big", O_WRONLY, -EACCES },
    { "/big", O_RDWR, -EACCES },
    { "/big", O_WRONLY | O_APPEND, -EACCES },
};

static int opens_what_is_inside_for_reading(void) {
    for (int i = 0; i < (int) ELEMENTS(opened); i++) {
        _cleanup_close_ int fd = path_open(CHILD_HOME_FD, opened[i].path, opened[i].flags);
        if (opened[i].expected < 0 ? fd != opened[i].expected : fd < 0)
            return i + 1;
    }
    return 0;
}

/* ---- a download ---- */

static int keep_waiting(void *userdata) {
    return 0;
}

/* While the client doesn't read, the timer must interrupt the call again and again. */
static int tell_tick(void *userdata) {
    int *ticks = userdata;

    if (++*ticks <= TICKS && send(CHILD_CONTROL_FD, "t", 1, MSG_NOSIGNAL) != 1)
        return -EIO;
    return 0;
}

static int sends_a_file(void) {
    struct sockaddr_in local = LOOPBACK(0);
    DataChannel d = DATA_CHANNEL_INIT;
    uint16_t port;
    int ticks = 0;

    d.tick = keep_waiting;
    d.userdata = &ticks;
    if (data_listen(&d, (struct sockaddr *) &local, 20000, 29999, &port) < 0)
        return 1;
    if (send(CHILD_CONTROL_FD, &port, sizeof(port), MSG_NOSIGNAL) != sizeof(port))
        return 2;
    _cleanup_close_ int file = path_open(CHILD_HOME_FD, "/big", O_RDONLY);
    struct stat st;
    if (file < 0 || fstat(file, &st) < 0 || st.st_size != BIG)
        return 3;
    if (data_accept(&d, (struct sockaddr *) &local, false) < 0)
        return 4;
    d.tick = tell_tick;
    if (data_send_file(&d, file, 0, BIG) < 0 || d.sent != BIG)
        return 5;
    data_close(&d, false);
    return ticks >= TICKS ? 0 : 6;
}

/* The client, outside: connects, waits for the session's ticks, then reads all of it. */
static size_t download(int control) {
    static char buffer[1 << 20];
    _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t got = 0;
    uint16_t port;
    char byte;
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(recv(control, &port, sizeof(port), MSG_WAITALL), sizeof(port));
    struct sockaddr_in address = LOOPBACK(port);
    assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    for (int i = 0; i < TICKS; i++)
        assert_int_equal(recv(control, &byte, 1, 0), 1);
    while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
        got += (size_t) n;
    return got;
}

/* ---- running them ---- */

/* From the last name to the first: nobody finds them in order by chance. */
static void fill(int home, const char *folder, int n) {
    char name[64];

    assert_int_equal(mkdirat(home, folder, 0700), 0);
    _cleanup_close_ int fd = openat(home, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = n; i-- > 0;) {
        snprintf(name, sizeof(name), LONG_NAME, i);
        _cleanup_close_ int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(file >= 0);
    }
}

static void fill_home(const Fixture *f, int root) {
    char path[128];

    fill(f->home, "several", SEVERAL);
    fill(f->home, "many", MANY);
    _cleanup_close_ int big = openat(f->home, "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(big, BIG), 0);
    assert_int_equal(mkdirat(root, "other", 0700), 0);
    _cleanup_close_ int secret = openat(root, "other/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(secret >= 0);
    snprintf(path, sizeof(path), "%s/other/secret", f->root);
    assert_int_equal(symlinkat("../other/secret", f->home, "up"), 0);
    assert_int_equal(symlinkat(path, f->home, "absolute"), 0);
    assert_int_equal(symlinkat("big", f->home, "inside"), 0);
}

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    snprintf(f->root, sizeof(f->root), "/tmp/test-ftp-jail-work-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    _cleanup_close_ int root = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(root, "home", 0700), 0);
    f->home = openat(root, "home", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->home >= 0);
    fill_home(f, root);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->control), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->wire), 0);
    /* A session that was killed sends nothing: the client must not wait for ever. */
    assert_int_equal(setsockopt(f->control[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval) { .tv_sec = 20 }, sizeof(struct timeval)), 0);
    assert_int_equal(jail_filters_new(false, &f->filters), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    int fds[] = { f->home, f->control[0], f->control[1], f->wire[0], f->wire[1] };
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", f->root);
    assert_int_equal(system(command), 0);
    jail_filters_free(f->filters);
    for (size_t i = 0; i < ELEMENTS(fds); i++)
        close(fds[i]);
    free(f);
    return 0;
}

/* On a machine without landlock the filter alone is tested: that a session doesn't begin there is test-ftp-jail.c's. */
static pid_t begin(const Fixture *f, Job job) {
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    const int abi = jail_landlock_abi(), fds[] = { f->wire[1], f->control[1], f->home, -EBADF };
    if (jail_harden_process() < 0 || enter_jail(f->filters, JAIL_READER, fds) < 0 || jail_lock_home(-EBADF, 0, abi, true) < 0)
        _exit(JAIL_FAILED);
    _exit(job());
}

static void end(pid_t pid) {
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fail_msg("the jail killed it: %s", strsignal(WTERMSIG(status)));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void several_files_are_listed_in_order(void **state) {
    end(begin(*state, lists_several_in_order));
}

static void many_files_are_listed_completely(void **state) {
    end(begin(*state, lists_many_completely));
}

static void links_are_listed(void **state) {
    end(begin(*state, lists_links));
}

static void names_lead_inside_and_to_reading_only(void **state) {
    if (jail_landlock_abi() == 0)
        print_message("no landlock here: the file system's own modes would be tested\n");
    else
        end(begin(*state, opens_what_is_inside_for_reading));
}

static void a_file_is_sent_to_a_client_that_makes_it_wait(void **state) {
    const Fixture *f = *state;
    pid_t pid = begin(f, sends_a_file);

    assert_int_equal(download(f->control[0]), BIG);
    end(pid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_files_are_listed_in_order),
        cmocka_unit_test(many_files_are_listed_completely),
        cmocka_unit_test(links_are_listed),
        cmocka_unit_test(names_lead_inside_and_to_reading_only),
        cmocka_unit_test(a_file_is_sent_to_a_client_that_makes_it_wait),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
