/* Each name has a key; what has the same key is one set, and its numbers decide. Nothing is opened here: a file is what its name says. */
#include "export/order.h"

#include "basic/strings.h"

#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#define NUMBER_MAX 1000000000 /* of a volume; longer ones are names like others */

typedef enum Way { WAY_NONE, WAY_OLD, WAY_NEW } Way;

typedef struct Key {
    const char *name;
    size_t size;       /* of the name */
    size_t stem;       /* bytes of it that all volumes of a set share */
    const char *ending; /* what stands in for the rest when it is compared with other names */
    Way way;
    uint32_t number;
} Key;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ".rar" is 0, ".r00" 1, …, ".s00" 101. */
static bool read_old(const char *ending, uint32_t *ret) {
    char letter = (char) (ending[1] | 0x20);

    if (strncasecmp(ending, ".rar", 4) == 0) {
        *ret = 0;
        return true;
    }
    if (letter < 'r' || letter > 'z' || !is_digit(ending[2]) || !is_digit(ending[3]))
        return false;
    *ret = (uint32_t) ((letter - 'r') * 100 + (ending[2] - '0') * 10 + (ending[3] - '0') + 1);
    return true;
}

/* "….part12" before ".rar": where the stem ends, and 12. */
static bool read_new(const char *name, size_t end, size_t *ret_stem, uint32_t *ret) {
    size_t digits = end;
    uint64_t number = 0;

    while (digits > 0 && is_digit(name[digits - 1]))
        digits--;
    if (digits == end || digits < 5 || strncasecmp(name + digits - 5, ".part", 5) != 0)
        return false;
    for (size_t i = digits; i < end; i++) {
        number = number * 10 + (uint64_t) (name[i] - '0');
        if (number > NUMBER_MAX)
            return false;
    }
    *ret_stem = digits - 5;
    *ret = (uint32_t) number;
    return true;
}

/* `file`: the last part of a path; folders have names only. */
static Key key_of(const char *name, size_t size, bool file) {
    Key k = { .name = name, .size = size, .stem = size, .ending = "" };

    if (!file || size < 5 || name[size - 4] != '.' || !read_old(name + size - 4, &k.number))
        return k;
    k.way = WAY_OLD;
    k.stem = size - 4;
    k.ending = ".rar";
    if (k.number == 0 && read_new(name, size - 4, &k.stem, &k.number)) {
        k.way = WAY_NEW;
        k.ending = ".part";
    }
    return k;
}

static unsigned char byte_of(const Key *k, size_t i) {
    return (unsigned char) (i < k->stem ? k->name[i] : k->ending[i - k->stem]);
}

static int compare_keys(const Key *a, const Key *b) {
    size_t a_size = a->stem + strlen(a->ending), b_size = b->stem + strlen(b->ending);

    for (size_t i = 0; i < a_size && i < b_size; i++)
        if (byte_of(a, i) != byte_of(b, i))
            return byte_of(a, i) < byte_of(b, i) ? -1 : 1;
    if (a_size != b_size)
        return a_size < b_size ? -1 : 1;
    return (int) a->way - (int) b->way;
}

static int compare_names(const Key *a, const Key *b) {
    size_t size = a->size < b->size ? a->size : b->size;
    int difference = compare_keys(a, b);

    if (difference != 0)
        return difference;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    difference = memcmp(a->name, b->name, size);
    return difference != 0 ? difference : (a->size > b->size) - (a->size < b->size);
}

static Key next_part(const char **path) {
    size_t size = strcspn(*path, "/");
    Key k = key_of(*path, size, (*path)[size] == '\0');

    *path += size + ((*path)[size] == '/');
    return k;
}

int order_compare(const char *a, const char *b) {
    while (*a && *b) {
        Key left = next_part(&a), right = next_part(&b);
        int difference = compare_names(&left, &right);
        if (difference != 0)
            return difference;
    }
    return (*a != '\0') - (*b != '\0');
}

bool order_same_set(const char *a, const char *b) {
    const char *a_slash = strrchr(a, '/'), *b_slash = strrchr(b, '/');
    size_t a_folder = a_slash ? (size_t) (a_slash + 1 - a) : 0, b_folder = b_slash ? (size_t) (b_slash + 1 - b) : 0;
    Key left = key_of(a + a_folder, strlen(a + a_folder), true), right = key_of(b + b_folder, strlen(b + b_folder), true);

    return left.way != WAY_NONE && a_folder == b_folder && memcmp(a, b, a_folder) == 0 && compare_keys(&left, &right) == 0;
}
