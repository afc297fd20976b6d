/* Any bytes as a users file: accounts that come out are names that can log in with a hash that is not too dear, each name once; a fault names a line. */
#include "ftpd/users_file.h"

#include "basic/strings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const UserTable *t) {
    for (size_t i = 0; i < t->n; i++) {
        const User *u = &t->users[i];
        PasswordCost cost;
        if (!user_name_is_valid(u->name, strlen(u->name)) || password_hash_check(u->hash, &cost) < 0)
            __builtin_trap();
        if (cost.kib > PASSWORD_WORK_MAX || users_find(t, u->name) != u)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    UserTable t = { .users = calloc(USERS_MAX, sizeof(User)) };
    UsersFault f = { 0 };

    if (!t.users)
        return 0;
    int r = users_file_parse((const char *) data, size, &t, &f);
    if (r < 0 && (f.line == 0 || f.what[0] == '\0'))
        __builtin_trap();
    check(&t);
    free(t.users);
    return 0;
}
