/* Any text as the argument of PORT, EPRT and MFMT, and as a pattern of LIST: refused or understood, and what is understood reads the same when written. */
#include "ftpd/endpoint.h"
#include "ftpd/path.h"
#include "ftpd/timestamp.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const Endpoint *e) {
    char address[INET6_ADDRSTRLEN], text[128];
    Endpoint again;

    snprintf(text, sizeof(text), "|2|%s|%u|", inet_ntop(AF_INET6, &e->address, address, sizeof(address)), (unsigned) e->port);
    if (endpoint_parse_eprt(text, &again) < 0 || again.port != e->port || memcmp(&again.address, &e->address, sizeof(e->address)) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[TEXT_MAX + 1];
    Endpoint e;
    int64_t utc;

    size = size < TEXT_MAX ? size : TEXT_MAX;
    memcpy(text, data, size);
    text[size] = '\0';
    if (endpoint_parse_port(text, &e) >= 0) {
        if (!IN6_IS_ADDR_V4MAPPED(&e.address))
            __builtin_trap();
        check_again(&e);
    }
    if (endpoint_parse_eprt(text, &e) >= 0)
        check_again(&e);
    if (timestamp_parse(text, &utc) >= 0 && (utc < 0 || utc > 253402300799))
        __builtin_trap();
    (void) glob_match(text, "a-name.nc");
    /* A name without wildcards matches itself; a star matches whatever it is. */
    if ((!has_glob(text) && !glob_match(text, text)) || !glob_match("*", text))
        __builtin_trap();
    return 0;
}
