/* Where a request's folders are, relative to the data path. Names only: no folder is looked at.
 *
 * An id has no '/', doesn't begin with '.', and has no "..", so none of these can point outside. */
#include "model/paths.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static void with_life(const char *folder, const char *id, uint64_t life, char ret[static REL_PATH_SIZE]) {
    snprintf(ret, REL_PATH_SIZE, "%s/%s.%" PRIu64, folder, id, life);
}

void path_staging(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]) {
    with_life(".staging", id, life, ret);
}

void path_blocked(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]) {
    with_life(".blocked", id, life, ret);
}

void path_purge(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]) {
    with_life(".purge", id, life, ret);
}

void path_home(const char *account, const char *id, char ret[static REL_PATH_SIZE]) {
    snprintf(ret, REL_PATH_SIZE, "%s/%s", account, id);
}

void path_drop(const char *account, char ret[static REL_PATH_SIZE]) {
    path_home(account, DROP_FOLDER, ret);
}

void path_drop_purge(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]) {
    snprintf(ret, REL_PATH_SIZE, ".purge/" DROP_FOLDER ".%s.%" PRIu64, id, life);
}

int path_parse_life(const char *name, char ret_id[static ID_MAX + 1], uint64_t *ret_life) {
    const char *dot = strrchr(name, '.');
    char id[ID_MAX + 1];
    uint64_t life;

    if (!dot || dot - name > ID_MAX)
        return -EINVAL;
    if ((dot[1] == '0' && dot[2] != '\0') || parse_u64(dot + 1, UINT64_MAX, &life) < 0)
        return -EINVAL; /* a number has one spelling */
    memcpy(id, name, (size_t) (dot - name));
    id[dot - name] = '\0';
    if (!id_is_valid(id))
        return -EINVAL;
    strcpy(ret_id, id);
    *ret_life = life;
    return 0;
}

int path_parse_drop(const char *name, char ret_id[static ID_MAX + 1], uint64_t *ret_life) {
    static const char prefix[] = DROP_FOLDER ".";

    return has_prefix(name, prefix) ? path_parse_life(name + sizeof(prefix) - 1, ret_id, ret_life) : -EINVAL;
}
