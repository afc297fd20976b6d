/* Runs a fuzzer's function over files instead of made-up bytes: its corpus is an ordinary test.
 *
 * Arguments: files, or folders whose files are meant. Fails when there is nothing to replay: an empty corpus tests nothing. */
#include "basic/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void close_file(FILE **file) {
    if (*file)
        fclose(*file);
}

static void close_folder(DIR **folder) {
    if (*folder)
        closedir(*folder);
}

static int replay_file(const char *path) {
    _cleanup_(close_file) FILE *file = fopen(path, "re");
    struct stat st;

    if (!file || fstat(fileno(file), &st) < 0)
        return -errno;
    size_t size = (size_t) st.st_size;
    /* Exactly as large as the input, so that a sanitizer sees the first byte read past it. */
    _cleanup_free_ uint8_t *data = malloc(size > 0 ? size : 1);
    if (!data)
        return -ENOMEM;
    if (fread(data, 1, size, file) != size)
        return -EIO;
    (void) LLVMFuzzerTestOneInput(data, size);
    return 1;
}

/* The number of inputs, or negative errno. */
static int replay(const char *path) {
    struct stat st;
    int n = 0;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);

    _cleanup_(close_folder) DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    for (struct dirent *entry; (entry = readdir(folder));) {
        _cleanup_free_ char *inside = NULL;
        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&inside, "%s/%s", path, entry->d_name) < 0)
            return -ENOMEM;
        int r = replay(inside);
        if (r < 0)
            return r;
        n += r;
    }
    return n;
}

int main(int argc, char *argv[]) {
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int r = replay(argv[i]);
        if (r < 0) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
            return EXIT_FAILURE;
        }
        total += r;
    }
    printf("%d inputs\n", total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
