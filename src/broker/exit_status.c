/* Names for the exit codes with which systemd says why it could not even start a program.
 *
 * Only words; what follows from them is decided elsewhere. Source: systemd.exec(5), "Process Exit Codes". */
#include "broker/exit_status.h"

#include "basic/cleanup.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int32_t status;
    const char *name;
} names[] = {
    { 200, "CHDIR" },
    { 201, "NICE" },
    { 202, "FDS" },
    { 203, "EXEC" },
    { 204, "MEMORY" },
    { 205, "LIMITS" },
    { 206, "OOM_ADJUST" },
    { 207, "SIGNAL_MASK" },
    { 208, "STDIN" },
    { 209, "STDOUT" },
    { 210, "CHROOT" },
    { 211, "IOPRIO" },
    { 212, "TIMERSLACK" },
    { 213, "SECUREBITS" },
    { 214, "SETSCHEDULER" },
    { 215, "CPUAFFINITY" },
    { 216, "GROUP" },
    { 217, "USER" },
    { 218, "CAPABILITIES" },
    { 219, "CGROUP" },
    { 220, "SETSID" },
    { 221, "CONFIRM" },
    { 222, "STDERR" },
    { 224, "PAM" },
    { 225, "NETWORK" },
    { 226, "NAMESPACE" },
    { 227, "NO_NEW_PRIVILEGES" },
    { 228, "SECCOMP" },
    { 229, "SELINUX_CONTEXT" },
    { 230, "PERSONALITY" },
    { 231, "APPARMOR" },
    { 232, "ADDRESS_FAMILIES" },
    { 233, "RUNTIME_DIRECTORY" },
    { 235, "CHOWN" },
    { 236, "SMACK_PROCESS_LABEL" },
    { 237, "KEYRING" },
    { 238, "STATE_DIRECTORY" },
    { 239, "CACHE_DIRECTORY" },
    { 240, "LOGS_DIRECTORY" },
    { 241, "CONFIGURATION_DIRECTORY" },
    { 242, "NUMA_POLICY" },
    { 243, "CREDENTIALS" },
    { 244, "BPF" },
};

static const char *exit_name(int32_t status) {
    for (size_t i = 0; i < ELEMENTS(names); i++)
        if (names[i].status == status)
            return names[i].name;
    return NULL;
}

void exit_status_text(const char *result, int32_t code, int32_t status, char *ret, size_t size) {
    const char *name = code == CLD_EXITED ? exit_name(status) : NULL;

    if (code == CLD_KILLED || code == CLD_DUMPED)
        name = sigabbrev_np(status);
    if (code == 0) /* no process was started */
        snprintf(ret, size, "%s", result);
    else
        snprintf(ret, size, "%s: %d%s%s", result, status, name ? "/" : "", name ? name : "");
}
