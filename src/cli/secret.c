/* Reads one line without showing it, and leaves the terminal as it was, also after Ctrl-C.
 * What the secret is for is not known here. */
#include "cli/secret.h"

#include "basic/strings.h"
#include "cli/service.h"
#include "cli/text.h"

#include <stdio.h>
#include <termios.h>

#define CTRL_C 3

/* Byte by byte: what follows the line is left for whoever reads next. */
static int read_line(char *line, size_t size) {
    size_t n = 0;

    for (;;) {
        char c;
        ssize_t k = read(STDIN_FILENO, &c, 1);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        if (k == 0 || c == '\n')
            break;
        if (c == CTRL_C)
            return -ECANCELED;
        if (n + 1 >= size)
            return -E2BIG;
        line[n++] = c;
    }
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return n > 0 ? 0 : -ENODATA;
}

/* Ctrl-C is a letter that ends the line here: a signal would end the program and leave the terminal without echo. */
static int read_terminal(const char *prompt, char *line, size_t size) {
    struct termios before, quiet;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return -errno;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t) (ECHO | ECHONL | ISIG);
    quiet.c_lflag |= ICANON;
    quiet.c_cc[VEOL] = CTRL_C;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
        return -errno;
    fputs(prompt, stderr);
    fflush(stderr);
    int r = read_line(line, size);
    (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return r == -ENODATA ? -ECANCELED : r;
}

int secret_read(const char *prompt, char **ret) {
    char line[SECRET_MAX];

    int r = isatty(STDIN_FILENO) ? read_terminal(prompt, line, sizeof(line)) : read_line(line, sizeof(line));
    if (r >= 0) {
        char *copy = strdup(line);
        r = copy ? 0 : -ENOMEM;
        if (copy)
            *ret = copy;
    }
    wipe(line, sizeof(line));
    return r;
}

ExitCode secret_ask(const char *prompt, char **ret) {
    int r = secret_read(prompt, ret);

    if (r == -ECANCELED)
        complain("Cancelado");
    else if (r == -ENODATA)
        complain("La entrada estándar está vacía");
    else if (r < 0)
        complain("No se puede leer: %s", text_errno(-r));
    return r < 0 ? EXIT_LOCAL : EXIT_OK;
}
