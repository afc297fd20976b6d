/* The walls inside the unit's walls. The worker may write its staging folder and its private /tmp only; ssh sees the key but not the data; rsync, which
 * speaks with a stranger's program, sees the data but neither key nor /tmp.
 *
 * A process in one of these layers can't trace or read the memory of one in another (landlock(7), "Ptrace restrictions"). */
#include "transfer/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUN (READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define DEVICE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
/* ABI 2: all rights it knows but those to devices. */
#define WRITE                                                                                                        \
    (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |         \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |                       \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER)
#define ALL (RUN | WRITE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO)

/* What every layer has: programs, libraries, configuration. */
static const struct {
    const char *path;
    uint64_t rights;
} always[] = {
    { "/usr", RUN },          { "/bin", RUN },           { "/sbin", RUN },         { "/lib", RUN },
    { "/lib64", RUN },        { "/etc", READ },          { "/proc", READ },        { "/dev/null", DEVICE },
    { "/dev/zero", DEVICE },  { "/dev/random", DEVICE }, { "/dev/urandom", DEVICE }, { TEMPOFTP_LIBEXECDIR, RUN },
};

#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_EXECUTE | DEVICE) /* what the kernel takes for something that is no folder */

/* A path that isn't there needs no right. */
static int allow(int rules, const char *path, uint64_t rights) {
    _cleanup_close_ int fd = -EBADF;
    struct landlock_path_beneath_attr beneath = { .allowed_access = rights };
    struct stat st;

    if (!path)
        return 0;
    fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= FILE_RIGHTS;
    beneath.parent_fd = fd;
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

int jail_enter(const Jail *j) {
    const struct landlock_ruleset_attr attributes = { .handled_access_fs = ALL };
    _cleanup_close_ int rules = -EBADF;
    int r = 0;

    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 2)
        return -EOPNOTSUPP;
    rules = (int) syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (rules < 0)
        return -errno;
    for (size_t i = 0; r >= 0 && i < ELEMENTS(always); i++)
        r = allow(rules, always[i].path, always[i].rights);
    if (r < 0 || (r = allow(rules, j->credentials, READ)) < 0 || (r = allow(rules, j->private_tmp, WRITE)) < 0 ||
        (r = allow(rules, j->staging, WRITE)) < 0)
        return r;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        return -errno;
    return 0;
}
