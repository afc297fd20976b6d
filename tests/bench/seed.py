"""Fills a state database that tempoftpd has made with requests that are `listo`: one account for every ten of them.

The service must not be running. Tokens are true Fernet tokens of the service's own key, all of one password, since the service refuses to start on
one that it cannot open.
"""
import sqlite3
import time

import cryptography.fernet

REQUESTS_PER_ACCOUNT = 10
DAY = 86400


def request_id(n):
    """The same as in get.lua; in no order, as ids are."""
    return f"set-{n * 2654435761 % 2**32:08x}-{n}"


def account_name(n):
    return f"ftp_user{n}_{''.join(chr(97 + n // 26**k % 26) for k in range(4))}"


def fill(path, count, key):
    """Adds `count` requests to the database at `path`; returns their (account, id) pairs."""
    now = int(time.time())
    token = cryptography.fernet.Fernet(key).encrypt(b"abcdefghijklmnopqrstuvwx").decode()
    accounts = range((count + REQUESTS_PER_ACCOUNT - 1) // REQUESTS_PER_ACCOUNT)
    pairs = [(account_name(n // REQUESTS_PER_ACCOUNT), request_id(n)) for n in range(count)]
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.executemany("INSERT INTO accounts (name, email, hash, token, created) VALUES (?, ?, ?, ?, ?)",
                   ((account_name(n), f"user{n}@example.org", "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaA", token, now)
                    for n in accounts))
    # Ends are spread over the coming months, as they are in a service that has run for long.
    db.executemany("INSERT INTO requests (run, state, id, email, account, ruta, vigencia, created, ready, expires, copied, sized, bytes, "
                   "files) VALUES (1, 'listo', ?, ?, ?, 'source:/data/set', 90, ?, ?, ?, 1, 1, 123456789, 1234)",
                   ((id, f"user{n // REQUESTS_PER_ACCOUNT}@example.org", account, now, now, now + DAY + n * 60 * DAY // count)
                    for n, (account, id) in enumerate(pairs)))
    for n, state in enumerate(("recibido", "preparando", "traslado", "listo"), 1):
        db.execute("INSERT INTO events (life, n, at, state, actor) SELECT life, ?, created, ?, 'tempoftpd' FROM requests "
                   "WHERE state = 'listo' AND life > (SELECT coalesce(max(life), 0) FROM requests) - ?", (n, state, count))
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return pairs
