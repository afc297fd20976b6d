/* The control channel's bytes into commands. Pure: bytes in, commands out; no sockets, no clock.
 *
 * Source: RFC 959 section 4.1 and 5.3 (verb, one space, argument, CRLF), RFC 854 (Telnet: IAC sequences are taken out, IAC IAC is one
 * byte 255, and so is an IAC before a byte below 240, which Telnet has no meaning for), RFC 2640 section 3.1 (names are bytes). A lone LF ends a line too. A CR, LF or NUL inside a line is refused. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_LINE_MAX 4352 /* a verb and a path of 4096 bytes */
#define VERB_MAX 7

typedef enum TelnetState { TELNET_TEXT, TELNET_IAC, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC } TelnetState;

/* Text that has arrived and is not yet consumed. Starts as all zeros. */
typedef struct CommandReader {
    char data[COMMAND_LINE_MAX];
    size_t begin, end; /* what is held */
    TelnetState telnet;
    bool too_long; /* the rest of this line is being dropped */
} CommandReader;

typedef struct Command {
    char verb[VERB_MAX + 1]; /* upper case; empty when it was no word of 1 to 7 letters */
    char *argument;          /* inside the reader, valid until the next feed; NULL when there was none */
} Command;

/* Nothing has arrived that wasn't taken. */
bool command_reader_is_empty(const CommandReader *r);
/* How many more bytes may be fed now. Never 0 unless a whole line is waiting. */
size_t command_reader_space(const CommandReader *r);
/* size at most command_reader_space(). */
void command_reader_feed(CommandReader *r, const char *data, size_t size);
/* 1: *ret is the next command. 0: no whole line yet. -E2BIG: a line was too long and is gone. -EBADMSG: a line had a CR or NUL inside
 * and is gone. */
int command_reader_next(CommandReader *r, Command *ret) _must_use_;
/* Is there a whole line with that verb, first or behind others? */
bool command_reader_holds(const CommandReader *r, const char *verb);
/* Overwrites what was held: after a password, and when a connection changes hands. */
void command_reader_wipe(CommandReader *r);
