/* Any bytes as Pure-FTPd's configuration: what is found is a word without blanks at its ends, and a refusal leaves the result alone. */
#include "accounts/pureftpd_conf.h"

#include "basic/strings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PureftpdConf conf = { .crypt = "untouched" };

    int r = pureftpd_conf_parse((const char *) data, size, &conf);
    if (r < 0 && !streq(conf.crypt, "untouched"))
        __builtin_trap();
    size_t n = strnlen(conf.crypt, sizeof(conf.crypt));
    if (n == sizeof(conf.crypt))
        __builtin_trap();
    if (n > 0 && (strchr(" \t\r\n", conf.crypt[0]) || strchr(" \t\r\n", conf.crypt[n - 1])))
        __builtin_trap();
    return 0;
}
