/* Whose home and which request a path of the kernel leads into. */
#include "pureftpd/place.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void paths_lead_into_homes_and_requests(void **state) {
    static const struct {
        const char *link, *account, *id, *below;
    } rows[] = {
        { "/data", "", "", "" },
        { "/data/ftp_ana_abcd", "ftp_ana_abcd", "", "" },
        { "/data/ftp_ana_abcd (deleted)", "ftp_ana_abcd", "", "" },
        { "/data/ftp_ana_abcd/p1", "ftp_ana_abcd", "p1", "" },
        { "/data/ftp_ana_abcd/p1 (deleted)", "ftp_ana_abcd", "p1", "" },
        { "/data/ftp_ana_abcd/p1/a b/c.nc", "ftp_ana_abcd", "p1", "/a b/c.nc" },
        { "/data/ftp_ana_abcd/p1/a (deleted)", "ftp_ana_abcd", "p1", "/a (deleted)" },
        { "/data/ftp_ana_abcd/_buzon/x", "ftp_ana_abcd", "", "/_buzon/x" },
        { "/data/.blocked/p1.7/a", "", "p1", "/a" },
        { "/data/.purge/p.1.7", "", "p.1", "" },
        { "/data/.purge/p.1.7 (deleted)", "", "p.1", "" },
        { "/data/.purge/_buzon.p1.7/1", "", "", "" },
        { "/data/.purge/p1", "", "", "" },
        { "/data/.staging/p1.7/a", "", "", "" },
    };

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        Place p;
        if (!place_parse("/data", rows[i].link, &p))
            fail_msg("%s is not in the data path", rows[i].link);
        assert_string_equal(p.account, rows[i].account);
        assert_string_equal(p.id, rows[i].id);
        assert_string_equal(p.below, rows[i].below);
    }
}

static void other_paths_are_outside(void **state) {
    static const char *const links[] = { "/", "", "/dat", "/database", "/database/ftp_ana_abcd", "/srv/data", "socket:[7]", "/var/log/pure-ftpd/transfer.log" };
    Place p;

    for (size_t i = 0; i < ELEMENTS(links); i++)
        if (place_parse("/data", links[i], &p))
            fail_msg("%s is in the data path", links[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(paths_lead_into_homes_and_requests), cmocka_unit_test(other_paths_are_outside) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
