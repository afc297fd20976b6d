/* Takes a list of keys apart, in place. What a key is, and whether it is a good one, is not known here. */
#include "crypto/key_list.h"

#include <string.h>

int key_list_parse(const char *text, KeyListAdd add, void *userdata, const char **ret_text) {
    static const char space[] = " \t\r\n";

    for (const char *p = text;; p++) {
        p += strspn(p, space);
        size_t size = strcspn(p, ","), trimmed = size;
        while (trimmed > 0 && strchr(space, p[trimmed - 1]))
            trimmed--;
        int r = add(p, trimmed, userdata, ret_text);
        if (r < 0)
            return r;
        p += size;
        if (*p == '\0')
            return 0;
    }
}
