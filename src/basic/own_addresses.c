/* Asks the kernel, over netlink (a sandbox has to allow AF_NETLINK), which addresses this machine has now. What they are compared with is not known here. */
#include "basic/own_addresses.h"

#include <ifaddrs.h>

int own_addresses_walk(OwnAddressWalk walk, void *userdata) {
    struct ifaddrs *list = NULL;
    int r = 0;

    if (getifaddrs(&list) < 0)
        return -errno;
    for (const struct ifaddrs *i = list; r == 0 && i; i = i->ifa_next)
        if (i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
            r = walk(i->ifa_addr, userdata);
    freeifaddrs(list);
    return r;
}
