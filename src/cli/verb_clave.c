/* tempoftp clave: a new key, for /etc/tempoftp/encryption.key or jwt.key (which takes any text of that length). Asks no service. */
#include "basic/strings.h"
#include "cli/verbs.h"
#include "crypto/fernet.h"

ExitCode verb_clave(const Args *args, Client *client) {
    char key[FERNET_KEY_TEXT_SIZE];

    fernet_key_generate(key);
    puts(key);
    wipe(key, sizeof(key));
    return EXIT_OK;
}
