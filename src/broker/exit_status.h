/* How a unit ended, in the words of `systemctl status`: "exit-code: 217/USER". Pure. Source: systemd.exec(5), "Process Exit Codes". */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* result, code, status: the unit's Result=, ExecMainCode= (CLD_…) and ExecMainStatus=. Cut at size. */
void exit_status_text(const char *result, int32_t code, int32_t status, char *ret, size_t size);
