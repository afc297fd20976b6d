/* `mensaje` of every state, and the journal's ids: 32 hex digits, no two alike. */
#include "model/messages.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void texts(void **state) {
    static const struct {
        State state;
        int vigencia;
        const char *message, *text;
    } cases[] = {
        { STATE_RECIBIDO, 5, NULL, "Solicitud en cola." },
        { STATE_PREPARANDO, 5, NULL, "Creando entorno y verificando espacio." },
        { STATE_TRASLADO, 5, NULL, "Copiando datos desde h:/a." },
        { STATE_TRASLADO, 5, "La copia está completa; …", "La copia está completa; …" },
        { STATE_LISTO, 5, NULL, "Listo, tiene 5 días para hacer la descarga." },
        { STATE_LISTO, 1, NULL, "Listo, tiene 1 día para hacer la descarga." },
        { STATE_BLOQUEADO, 5, "abuso", "Acceso bloqueado: abuso" },
        { STATE_BLOQUEADO, 5, NULL, "Acceso bloqueado: no especificada" },
        { STATE_EXPIRADO, 5, NULL, "La vigencia terminó." },
        { STATE_ERROR, 5, "Espacio insuficiente", "Espacio insuficiente" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const Request r = { .state = cases[i].state, .vigencia = cases[i].vigencia, .message = (char *) cases[i].message,
                            .ruta = (char *) "h:/a" };
        char text[256];
        request_message(&r, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void a_copy_that_waits_says_what_for(void **state) {
    char text[256];

    account_wait_message(NULL, text, sizeof(text));
    assert_string_equal(text, "La copia está completa; la base de datos de cuentas no responde, se reintenta.");
    account_wait_message("ALTER TABLE …", text, sizeof(text));
    assert_string_equal(text, "La copia está completa; la base de datos de cuentas no acepta la cuenta y un operador debe intervenir: ALTER TABLE …");
    account_wait_message("cut", text, 20); /* between two characters or not: always ended */
    assert_true(strlen(text) < 20);
}

static void ids(void **state) {
    const char *all[] = {
        message_id_for_state(STATE_RECIBIDO),  message_id_for_state(STATE_PREPARANDO), message_id_for_state(STATE_TRASLADO),
        message_id_for_state(STATE_LISTO),     message_id_for_state(STATE_BLOQUEADO),  message_id_for_state(STATE_EXPIRADO),
        message_id_for_state(STATE_ERROR),     message_id_for_state(STATE_ELIMINADO),
        MESSAGE_ID_PURGE_FAILED,
        MESSAGE_ID_ORPHAN,
        MESSAGE_ID_AUTH_OFF,
        MESSAGE_ID_CLOCK_JUMP,
        MESSAGE_ID_LOGIN,
        MESSAGE_ID_FETCHED,
        MESSAGE_ID_SESSION_ENDED,
        MESSAGE_ID_RULES_BROKEN,
        MESSAGE_ID_TRANSFER_RETRY,
        MESSAGE_ID_DROP,
        MESSAGE_ID_SESSIONS,
        MESSAGE_ID_ACCOUNTS_TROUBLE,
        MESSAGE_ID_ACCESS_WAITS,
        MESSAGE_ID_ACCESS_TOLD,
        MESSAGE_ID_ACCOUNT_ROWS,
    };
    uint8_t bytes[16];

    for (size_t i = 0; i < ELEMENTS(all); i++) {
        assert_int_equal(hex_decode(all[i], bytes, sizeof(bytes)), 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[i], all[j]);
    }
    assert_null(message_id_for_state(STATE_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(a_copy_that_waits_says_what_for), cmocka_unit_test(ids) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
