/* The names in a folder as the kernel gives them, many a call: readdir(3) would want memory and more calls. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct dirent64_record { /* getdents64(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Whole records, to be walked by `length`. 0: no more. -EINVAL: not one fits. */
static inline ssize_t folder_read(int fd, void *data, size_t size) {
    long n = syscall(SYS_getdents64, fd, data, size);
    return n < 0 ? -errno : n;
}
