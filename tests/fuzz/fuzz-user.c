/* Bodies about users and tokens: whatever comes is read into values that keep their rules, or refused with a status and words. */
#include "basic/strings.h"
#include "model/user.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(int r, const Refusal *refusal) {
    assert(r == -EBADMSG);
    assert(refusal->status == 422 ? refusal->n_errors > 0 : refusal->status == 400 && refusal->message && refusal->plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *body = (const char *) data;
    _cleanup_new_user_ NewUser user = { 0 }, login = { 0 };
    _cleanup_user_change_ UserChange change = { 0 };
    char token[ONETIME_TOKEN_SIZE];
    Refusal refusal;

    int r = new_user_parse(body, size, &user, &refusal);
    if (r < 0)
        check_refusal(r, &refusal);
    else
        assert(email_is_valid(user.email) && strlen(user.password) >= USER_PASSWORD_MIN && strlen(user.password) <= USER_PASSWORD_MAX);
    r = login_body_parse(body, size, &login, &refusal);
    if (r < 0)
        check_refusal(r, &refusal);
    else
        assert(!login.email[0] || email_is_valid(login.email));
    r = user_change_parse(body, size, &change, &refusal);
    if (r < 0)
        check_refusal(r, &refusal);
    else
        assert(change.has_active || change.has_role || change.password);
    r = token_body_parse(body, size, token, &refusal);
    if (r < 0)
        check_refusal(r, &refusal);
    else
        assert(strlen(token) < sizeof(token));
    return 0;
}
