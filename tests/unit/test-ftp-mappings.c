/* What is left in a process that dropped its libraries, and that what it forks still works. */
#include "ftpd/jail.h"
#include "ftpd/mappings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORKS = 7, LEFT_BEHIND = 8, UNMAPPED = 9, BROKEN = 10 };

static bool is_mapped(const char *library) {
    char line[512];
    bool found = false;

    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof(line), maps))
        found = found || strstr(line, library);
    if (maps)
        fclose(maps);
    return found;
}

/* Ends the process by _exit(): nothing else may run in it. */
static _Noreturn void drop_and_look(const char *const *kept, const char *library) {
    int status;

    if (mappings_drop_libraries(kept) < 0)
        _exit(BROKEN);
    pid_t pid = _Fork();
    if (pid == 0) {
        void *memory = malloc(1 << 20);
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long) time(NULL));
        _exit(memory && text[0] != '\0' ? WORKS : BROKEN);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != WORKS)
        _exit(BROKEN);
    _exit(is_mapped(library) ? LEFT_BEHIND : UNMAPPED);
}

static int outcome(const char *const *kept, const char *library) {
    int status;
    pid_t pid = fork();
    if (pid == 0)
        drop_and_look(kept, library);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_libraries_go_and_libc_stays(void **state) {
    static const char *const none[] = { NULL };

    if (JAIL_SANITIZED)
        skip();
    assert_true(is_mapped("libcmocka"));
    assert_int_equal(outcome(none, "libcmocka"), UNMAPPED);
    assert_int_equal(outcome(none, "libc.so"), LEFT_BEHIND);
    assert_true(is_mapped("libcmocka")); /* only there */
}

static void test_what_is_named_stays(void **state) {
    static const char *const kept[] = { "libcmocka.", NULL };

    if (JAIL_SANITIZED)
        skip();
    assert_int_equal(outcome(kept, "libcmocka"), LEFT_BEHIND);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_libraries_go_and_libc_stays), cmocka_unit_test(test_what_is_named_stays) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
