/* Finds the shared libraries of this process and unmaps what is not wanted. It knows nothing of FTP.
 *
 * dl_iterate_phdr(3). The tables that it shows lie in the libraries themselves, so they are copied before the first one goes. */
#include "ftpd/mappings.h"

#include "basic/strings.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 256

typedef struct Segment {
    void *start;
    size_t size;
} Segment;

typedef struct Segments {
    const char *const *kept;
    size_t n;
    Segment rows[SEGMENTS_MAX];
} Segments;

static bool is_kept(const char *path, const char *const *kept) {
    static const char *const always[] = { "libc.", "ld-", "ld.", "linux-vdso", NULL };
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (name[0] == '\0') /* the program itself */
        return true;
    for (const char *const *list = always; list; list = list == always ? kept : NULL)
        for (const char *const *prefix = list; *prefix; prefix++)
            if (has_prefix(name, *prefix))
                return true;
    return false;
}

static int add_object(struct dl_phdr_info *object, size_t size, void *userdata) {
    const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    Segments *s = userdata;

    if (is_kept(object->dlpi_name, s->kept))
        return 0;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        if (p->p_type != PT_LOAD)
            continue;
        if (s->n == SEGMENTS_MAX)
            return -E2BIG;
        uintptr_t start = (object->dlpi_addr + p->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + p->p_vaddr + p->p_memsz + page - 1) & ~(page - 1);
        s->rows[s->n++] = (Segment) { (void *) start, end - start };
    }
    return 0;
}

int mappings_drop_libraries(const char *const *kept) {
    Segments s = { .kept = kept };

    int r = dl_iterate_phdr(add_object, &s);
    if (r < 0)
        return r;
    for (size_t i = 0; i < s.n; i++)
        if (munmap(s.rows[i].start, s.rows[i].size) < 0)
            return -errno;
    return 0;
}
