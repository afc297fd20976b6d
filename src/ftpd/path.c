/* Joins what a client asks for with where it is, and opens it beneath the account's home with openat2(2).
 *
 * RESOLVE_BENEATH is the first wall, the session's landlock domain the second; text alone is trusted with nothing. This room
 * knows no commands and no replies. */
#include "ftpd/path.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#define AGAIN_MAX 1000 /* milliseconds at most, and no session is deaf */

/* Adds the components of text to the normalized path in ret (without trailing slash; "" is the root). */
static int append_components(const char *text, char ret[static VIRTUAL_PATH_MAX], size_t *size) {
    for (;;) {
        text += strspn(text, "/");
        size_t n = strcspn(text, "/");
        if (n == 0)
            return 0;
        if (n == 2 && text[0] == '.' && text[1] == '.') {
            while (*size > 0 && ret[--*size] != '/')
                ;
        } else if (n != 1 || text[0] != '.') {
            if (*size + 1 + n >= VIRTUAL_PATH_MAX)
                return -ENAMETOOLONG;
            ret[(*size)++] = '/';
            memcpy(ret + *size, text, n);
            *size += n;
        }
        text += n;
    }
}

int path_resolve(const char *folder, const char *argument, char ret[static VIRTUAL_PATH_MAX]) {
    char path[VIRTUAL_PATH_MAX];
    size_t size = 0;
    int r = 0;

    if (!argument || argument[0] != '/')
        r = append_components(folder, path, &size);
    if (r >= 0 && argument)
        r = append_components(argument, path, &size);
    if (r < 0)
        return r;
    if (size == 0)
        path[size++] = '/';
    memcpy(ret, path, size);
    ret[size] = '\0';
    return 0;
}

int path_open(int home_fd, const char *path, int flags) {
    struct open_how how = {
        .flags = (unsigned) flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY), /* openat2(2) takes few flags beside O_PATH */
        .mode = flags & O_CREAT ? 0666 : 0, /* the umask takes from that */
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const char *relative = path + strspn(path, "/");

    for (unsigned again = 0;;) {
        long fd = syscall(SYS_openat2, home_fd, *relative ? relative : ".", &how, sizeof(how));
        if (fd >= 0)
            return (int) fd;
        /* -EAGAIN: a rename happened under a ".." of a symbolic link; openat2(2) says to ask again. Or, with O_NONBLOCK, another program has a lease. */
        if (errno != EINTR && (errno != EAGAIN || ++again == AGAIN_MAX))
            return -errno;
    }
}

int path_open_parent(int home_fd, const char *path, const char **ret_name) {
    char folder[VIRTUAL_PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash[1] == '\0')
        return -EBUSY;
    memcpy(folder, path, (size_t) (slash - path));
    folder[slash - path] = '\0';
    *ret_name = slash + 1;
    return path_open(home_fd, folder, O_PATH | O_DIRECTORY);
}

bool path_is_within(const char *path, const char *id) {
    size_t n = strlen(id);

    return n > 0 && path[0] == '/' && strncmp(path + 1, id, n) == 0 && (path[n + 1] == '\0' || path[n + 1] == '/');
}

void path_first_component(const char *path, char *ret, size_t size) {
    path += strspn(path, "/");
    size_t n = strcspn(path, "/");
    if (n >= size)
        n = size - 1;
    memcpy(ret, path, n);
    ret[n] = '\0';
}

void path_quote(const char *path, char *ret) {
    for (; *path; path++) {
        if (*path == '"')
            *ret++ = '"';
        *ret++ = *path;
    }
    *ret = '\0';
}

bool has_glob(const char *text) {
    return strpbrk(text, "*?[") != NULL;
}

/* "[a-z]", "[!0-9]", "[]x]". The end of the set at `pattern`, NULL when it is none: then '[' is a letter. */
static const char *match_set(const char *pattern, unsigned char c, bool *ret) {
    const unsigned char *p = (const unsigned char *) pattern + 1;
    bool negated = *p == '!' || *p == '^', found = false;

    p += negated;
    for (const unsigned char *first = p; *p && (*p != ']' || p == first); p++) {
        if (p[1] == '-' && p[2] && p[2] != ']') {
            found |= c >= p[0] && c <= p[2];
            p += 2;
        } else
            found |= c == *p;
    }
    if (*p != ']')
        return NULL;
    *ret = found != negated;
    return (const char *) p + 1;
}

/* Does what begins at *pattern, and is no '*', match this byte? Then *pattern is behind it. */
static bool match_one(const char **pattern, char c) {
    bool found = false;
    const char *end = **pattern == '[' ? match_set(*pattern, (unsigned char) c, &found) : NULL;

    if (!end) {
        found = **pattern != '\0' && (**pattern == '?' || **pattern == c);
        end = *pattern + 1;
    }
    if (found)
        *pattern = end;
    return found;
}

bool glob_match(const char *pattern, const char *name) {
    const char *star = NULL, *resume = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (match_one(&pattern, *name))
            name++;
        else if (star) { /* let the last star eat one byte more; earlier stars never need to */
            pattern = star + 1;
            name = ++resume;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
