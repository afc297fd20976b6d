/* Any bytes as X-Forwarded-For: the client is an address in its one spelling, and a stranger's header is not looked at. */
#include "model/forwarded.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char networks[][11] = { "10.0.0.0/8", "::1" };
    static char *const proxies[] = { networks[0], networks[1], NULL };
    char client[ADDRESS_TEXT_MAX];
    struct in6_addr any;

    forwarded_client(proxies, "10.0.0.1", (const char *) data, size, client);
    if (inet_pton(AF_INET, client, &any) != 1 && inet_pton(AF_INET6, client, &any) != 1)
        __builtin_trap();
    forwarded_client(proxies, "192.0.2.1", (const char *) data, size, client);
    if (!streq(client, "192.0.2.1"))
        __builtin_trap();
    return 0;
}
