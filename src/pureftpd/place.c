/* Tells from a path whose home and which request it leads into. A request's folder keeps its request while it is moved away from under a session: into .blocked
 * or .purge, where id and life are its name. Looks at no file. */
#include "pureftpd/place.h"

#include "basic/strings.h"
#include "model/paths.h"

/* Cuts the first component off: *path moves behind it. False where it is empty or too long for anything of ours. */
static bool take_component(const char **path, char *ret, size_t size) {
    const char *begin = *path + (**path == '/');
    size_t n = strcspn(begin, "/");

    if (n == 0 || n >= size)
        return false;
    memcpy(ret, begin, n);
    ret[n] = '\0';
    *path = begin + n;
    return true;
}

/* What the kernel writes behind a folder's own name when it is gone. */
static void forget_deleted(char *name) {
    static const char mark[] = " (deleted)";
    if (has_suffix(name, mark))
        name[strlen(name) - strlen(mark)] = '\0';
}

bool place_parse(const char *data_path, const char *link, Place *ret) {
    char name[ID_MAX + sizeof(".18446744073709551615 (deleted)")];
    uint64_t life;

    if (!has_prefix(link, data_path))
        return false;
    const char *rest = link + strlen(data_path);
    if (*rest != '/' && *rest != '\0')
        return false;
    *ret = (Place) { .below = "" };
    if (!take_component(&rest, name, sizeof(name)))
        return true;
    forget_deleted(name);
    if (streq(name, ".blocked") || streq(name, ".purge")) {
        if (take_component(&rest, name, sizeof(name))) {
            forget_deleted(name);
            if (path_parse_life(name, ret->id, &life) >= 0)
                ret->below = rest;
        }
        return true;
    }
    if (strlen(name) > ACCOUNT_NAME_MAX || name[0] == '.')
        return true;
    strcpy(ret->account, name);
    ret->below = rest;
    if (take_component(&rest, name, sizeof(name))) {
        forget_deleted(name);
        if (id_is_valid(name)) {
            strcpy(ret->id, name);
            ret->below = rest;
        }
    }
    return true;
}
