/* The states' names, and every pair of states: who may move where. */
#include "model/state.h"

#include "basic/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void names_go_both_ways(void **state) {
    static const char *const names[] = { "recibido", "preparando", "traslado", "listo", "bloqueado", "expirado", "error", "eliminado" };
    State s;

    for (State i = 0; i < STATE_MAX; i++) {
        assert_string_equal(state_name(i), names[i]);
        assert_int_equal(state_parse(names[i], &s), 0);
        assert_int_equal(s, i);
    }
    assert_int_equal(state_parse("", &s), -EINVAL);
    assert_int_equal(state_parse("Listo", &s), -EINVAL);
    assert_int_equal(state_parse("listo ", &s), -EINVAL);
}

/* Rows: from; columns: to; in the order of the enum. */
static void every_pair(void **state) {
    static const char *const moves[] = {
        /*              r p t l b x e d */
        /* recibido   */ ".x....xx",
        /* preparando */ "x.x...xx",
        /* traslado   */ "xx.x..xx",
        /* listo      */ "....xx.x",
        /* bloqueado  */ "...x.x.x",
        /* expirado   */ ".......x",
        /* error      */ ".......x",
        /* eliminado  */ "........",
    };

    _Static_assert(ELEMENTS(moves) == STATE_MAX, "one row a state");
    for (State from = 0; from < STATE_MAX; from++)
        for (State to = 0; to < STATE_MAX; to++)
            assert_int_equal(state_may_move(from, to), moves[from][to] == 'x');
}

static void groups(void **state) {
    for (State s = 0; s < STATE_MAX; s++) {
        assert_int_equal(state_is_under_way(s), s == STATE_RECIBIDO || s == STATE_PREPARANDO || s == STATE_TRASLADO);
        assert_int_equal(state_is_in_flight(s), s == STATE_PREPARANDO || s == STATE_TRASLADO);
        assert_int_equal(state_is_final(s), s == STATE_ERROR || s == STATE_EXPIRADO || s == STATE_ELIMINADO);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(every_pair),
        cmocka_unit_test(groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
