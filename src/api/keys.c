/* Every stored token must be opened by a key we have, or the service does not start; a new first key takes them over. */
#include "api/keys.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>

#define KEYS_NOTE "keys checked" /* the keys that open every stored token, hashed: 10,000 tokens take longer to check than all else of a start */

typedef struct KeyCheck {
    Manager *m;
    unsigned unreadable, renewed;
    char digest[65];
} KeyCheck;

static int check_secret(const char *token, char **ret_token, void *userdata) {
    KeyCheck *check = userdata;
    char *plain;
    size_t size, index;

    int r = fernet_decrypt(check->m->keys, token, utc_now(), 0, &plain, &size, &index);
    if (r == -EBADMSG) {
        check->unreadable++;
        return 0;
    }
    if (r < 0)
        return r;
    if (index > 0) {
        r = fernet_encrypt(check->m->keys, plain, size, utc_now(), ret_token);
        check->renewed += r >= 0;
    }
    wipe_free(plain);
    return r;
}

static int check_token(const Account *a, char **ret_token, void *userdata) {
    return check_secret(a->token, ret_token, userdata);
}

static int keys_job(StoreTx *tx, void *userdata) {
    KeyCheck *check = userdata;
    int r = tx_rotate_tokens(tx, check_token, check);

    if (r >= 0)
        r = tx_rotate_secrets(tx, check_secret, check);
    if (r >= 0 && check->unreadable > 0)
        return -EBADMSG;
    return r < 0 ? r : tx_note_put(tx, KEYS_NOTE, check->digest);
}

/* Tokens that came later were made with the first of the same keys. */
static bool keys_are_checked(Manager *m, KeyCheck *check) {
    _cleanup_free_ char *note = NULL;
    uint8_t digest[32];

    sha256(m->settings->encryption_key, strlen(m->settings->encryption_key), digest);
    hex_encode(digest, sizeof(digest), check->digest);
    return store_note(m->store, KEYS_NOTE, &note) >= 0 && streq(note, check->digest);
}

int keys_open(Manager *m) {
    KeyCheck check = { .m = m };
    const char *text;

    if (is_blank(m->settings->encryption_key)) {
        log_error("TEMPOFTP_ENCRYPTION_KEY is not set: put a Fernet key (`tempoftp clave` prints a new one) into "
                  "/etc/tempoftp/encryption.key, mode 0600, or into the environment");
        return -ENOKEY;
    }
    int r = fernet_keys_parse(m->settings->encryption_key, &m->keys, &text);
    if (r < 0) {
        log_error("TEMPOFTP_ENCRYPTION_KEY is malformed (%s): a Fernet key is 32 bytes in base64url, as `tempoftp clave` prints", text);
        return r;
    }
    if (keys_are_checked(m, &check))
        return 0;
    r = store_write_wait(m->store, keys_job, &check);
    if (r == -EBADMSG)
        log_error("%u stored password%s cannot be decrypted with TEMPOFTP_ENCRYPTION_KEY: add the old key behind the new one, \"new,old\"",
                  check.unreadable, check.unreadable == 1 ? "" : "s");
    else if (r < 0)
        log_errno(r, "Cannot check the stored passwords");
    else if (check.renewed > 0)
        log_notice("%u stored password%s encrypted anew with the first key", check.renewed, check.renewed == 1 ? "" : "s");
    return r;
}
