/* Reads the lines of --users-file. It opens no file and checks no password. */
#include "ftpd/users_file.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LINE_MAX_SIZE 512 /* the longest that can be right is shorter */
#define FIELDS_MAX 4

bool user_name_is_valid(const char *name, size_t size) {
    if (size == 0 || size >= WIRE_USER_SIZE || name[0] == '#')
        return false;
    for (size_t i = 0; i < size; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
            return false;
    return true;
}

const User *users_find(const UserTable *t, const char *name) {
    const User *found = NULL;

    for (size_t i = 0; i < t->n; i++) /* to the end, wherever it stands */
        if (streq(t->users[i].name, name))
            found = &t->users[i];
    return found;
}

static int fault(UsersFault *f, const char *what) {
    snprintf(f->what, sizeof(f->what), "%s", what);
    return -EINVAL;
}

static int read_hash(const char *text, User *u, UsersFault *f) {
    PasswordCost cost;

    int r = password_hash_check(text, &cost);
    if (r == -E2BIG) {
        snprintf(f->what, sizeof(f->what), "this hash is too dear, %" PRIu32 " KiB × %" PRIu32 " passes; at most %u. Make one with --hash-password",
                 cost.kib, cost.passes, PASSWORD_WORK_MAX);
        return -EINVAL;
    }
    if (r < 0)
        return fault(f, "the second field is no Argon2id hash with p=1; --hash-password makes one");
    strcpy(u->hash, text);
    return 0;
}

static int read_rights(const char *text, User *u, UsersFault *f) {
    u->writes = streq(text, "rw");
    return u->writes || streq(text, "ro") ? 0 : fault(f, "the third field is 'ro' or 'rw'");
}

/* The line is the callee's to cut. */
static int read_line(char *line, UserTable *t, UsersFault *f) {
    char *fields[FIELDS_MAX];
    size_t n = 0;
    User u = { 0 };

    for (char *rest = line; rest;) {
        char *field = strsep(&rest, ":");
        if (n == FIELDS_MAX)
            return fault(f, "more than four fields");
        fields[n++] = field;
    }
    if (n < 2)
        return fault(f, "expected NAME:HASH, NAME:HASH:rw or NAME:HASH:rw:BYTES");
    size_t size = strlen(fields[0]);
    if (!user_name_is_valid(fields[0], size))
        return fault(f, "a name is 1 to 64 printable ASCII characters, without blanks");
    memcpy(u.name, fields[0], size);
    if (users_find(t, u.name))
        return fault(f, "this name was given before");
    int r = read_hash(fields[1], &u, f);
    if (r >= 0 && n > 2)
        r = read_rights(fields[2], &u, f);
    if (r < 0)
        return r;
    if (n > 3 && parse_u64(fields[3], UINT64_MAX, &u.quota) < 0)
        return fault(f, "the fourth field is a number of bytes");
    if (t->n == USERS_MAX)
        return fault(f, "too many accounts");
    t->users[t->n++] = u;
    return 0;
}

int users_file_parse(const char *text, size_t size, UserTable *t, UsersFault *ret_fault) {
    const char *end = text + size;
    int r = 0;

    ret_fault->line = 0;
    while (r >= 0 && text < end) {
        char line[LINE_MAX_SIZE];
        const char *eol = memchr(text, '\n', (size_t) (end - text));
        size_t n = (size_t) ((eol ? eol : end) - text);

        ret_fault->line++;
        if (n >= sizeof(line) && text[0] != '#')
            r = fault(ret_fault, "the line is too long");
        else if (text[0] != '#') {
            memcpy(line, text, n);
            line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0'; /* some editors end lines with both */
            if (strlen(line) + 1 < n)
                r = fault(ret_fault, "a NUL byte");
            else if (!is_blank(line))
                r = read_line(line, t, ret_fault);
            wipe(line, sizeof(line));
        }
        text = eol ? eol + 1 : end;
    }
    return r;
}
