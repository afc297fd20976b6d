"""Passwords travel as Fernet tokens: Python's cryptography.fernet opens them, keys can be changed, and no key means no start."""
import base64
import json
import os
import stat
import subprocess
import time

import pytest
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from conftest import BUILD

KEY_SETTING = "TEMPOFTP_ENCRYPTION_KEY"
KEY_FORM = "a Fernet key is 44 characters of base64url (32 bytes)"


def new_key():
    return Fernet.generate_key().decode()


def token_of(service, id="pedido"):
    return service.get(f"/tmpftp/{id}").json["password"].encode()


# ---- tokens -----------------------------------------------------------------------------------------

def test_pythons_fernet_opens_what_the_service_returns(simulator):
    service = simulator()
    at_once = service.submit("pedido").json["password"].encode()
    fernet = Fernet(service.key)
    password = fernet.decrypt(token_of(service)).decode()
    assert fernet.decrypt(at_once).decode() == password
    assert password.isalnum() and password.isascii() and len(password) >= 20
    fernet.decrypt(token_of(service), ttl=60)  # its time stamp is of now
    with pytest.raises(InvalidToken):
        Fernet(Fernet.generate_key()).decrypt(token_of(service))


def test_every_account_has_a_password_of_its_own(simulator):
    service = simulator()
    fernet = Fernet(service.key)
    passwords = {fernet.decrypt(service.submit(f"p{n}", usuario=f"u{n}@example.org").json["password"].encode()) for n in range(50)}
    assert len(passwords) == 50


def test_a_token_made_by_python_is_opened_by_the_service(simulator):
    """A state database whose tokens another program encrypted: the service checks them at its start and hands them out."""
    service = simulator()
    service.submit("pedido")
    service.stop()
    token = Fernet(service.key).encrypt(b"a password from elsewhere").decode()
    service.sqlite(f"UPDATE accounts SET token = '{token}'")
    service.start()
    assert token_of(service).decode() == token


# ---- changing keys ----------------------------------------------------------------------------------

def test_with_new_and_old_key_everything_is_encrypted_anew_with_the_first(simulator):
    service = simulator()
    old, new = service.key, new_key()
    before = {}
    for n in range(20):
        id = f"p{n}"
        service.submit(id, usuario=f"u{n}@example.org")
        before[id] = Fernet(old).decrypt(token_of(service, id))
    service.restart(**{KEY_SETTING: f"{new},{old}"})
    assert {id: Fernet(new).decrypt(token_of(service, id)) for id in before} == before
    assert "20 stored passwords encrypted anew" in service.said()
    service.restart(**{KEY_SETTING: new})
    assert {id: Fernet(new).decrypt(token_of(service, id)) for id in before} == before


def test_a_key_change_that_is_killed_in_the_middle_is_done_by_the_next_start(simulator):
    service = simulator()
    old = service.key
    for n in range(30):
        service.submit(f"p{n}", usuario=f"u{n}@example.org")
    service.stop()
    for n in range(12):  # killed 0, 3, 6… ms after its start: before, in, and after the transaction
        new = new_key()
        service.settings[KEY_SETTING] = f"{new},{old}"
        service.launch()
        time.sleep(n * 0.003)
        service.kill()
        tokens = [row[0].encode() for row in service.sqlite("SELECT token FROM accounts")]
        opened = {key for key in (new, old) for token in tokens if opens(key, token)}
        assert opened in ({new}, {old}), "all or none: one transaction"
        old = opened.pop()


def opens(key, token):
    try:
        Fernet(key).decrypt(token)
    except InvalidToken:
        return False
    return True


def test_spaces_and_line_ends_around_keys_do_not_matter(simulator):
    keys = [new_key(), new_key()]
    service = simulator(**{KEY_SETTING: f" {keys[0]} ,\t{keys[1]}\n"})
    service.submit("pedido")
    MultiFernet([Fernet(keys[0])]).decrypt(token_of(service))


# ---- no key, no start -------------------------------------------------------------------------------

@pytest.mark.parametrize("key", [None, "", "   "])
def test_without_a_key_it_does_not_start_and_says_what_to_do(simulator, key):
    service = simulator(started=False, **{KEY_SETTING: key})
    code, said = service.refuses_to_start()
    assert code == 78
    assert f"{KEY_SETTING} is not set" in said and "tempoftp clave" in said and "/etc/tempoftp/encryption.key" in said
    assert not list(service.state_folder.glob("*key*")), "a made-up key never replaces a missing one"


@pytest.mark.parametrize("key, complaint", [
    ("short", KEY_FORM),
    ("x" * 44, "base64url"),
    (base64.b64encode(bytes(range(200, 232))).decode().replace("A", "+", 1), "base64url"),
    (base64.urlsafe_b64encode(b"x" * 16).decode(), KEY_FORM),
    (base64.urlsafe_b64encode(b"x" * 33).decode(), "base64url"),
    (Fernet.generate_key().decode()[:-1], KEY_FORM),
    (Fernet.generate_key().decode() + ",", KEY_FORM),
    (Fernet.generate_key().decode() + ",nonsense", KEY_FORM),
    (",".join(Fernet.generate_key().decode() for _ in range(9)), "at most 8"),
], ids=["short", "no base64", "plain base64", "16 bytes", "33 bytes", "no padding", "comma at the end", "second bad", "nine keys"])
def test_a_malformed_key_stops_the_start_and_is_not_shown(simulator, key, complaint):
    service = simulator(started=False, **{KEY_SETTING: key})
    code, said = service.refuses_to_start()
    assert code == 78
    assert f"{KEY_SETTING} is malformed" in said and complaint in said
    assert key not in said and all(part not in said for part in key.split(",") if len(part) > 8)


def test_a_lost_key_stops_the_start_and_tells_how_many_passwords_it_opened(simulator):
    service = simulator()
    for n in range(3):
        service.submit(f"p{n}", usuario=f"u{n}@example.org")
    service.stop()
    before = service.sqlite("SELECT token FROM accounts")
    service.settings[KEY_SETTING] = new_key()
    code, said = service.refuses_to_start()
    assert code == 78
    assert "3 stored passwords cannot be decrypted" in said and '"new,old"' in said
    assert service.sqlite("SELECT token FROM accounts") == before, "nothing is thrown away"
    service.settings[KEY_SETTING] = service.key
    service.start()
    assert len(service.get("/tmpftp").json["solicitudes"]) == 3


def test_tokens_of_the_dead_need_no_key(simulator):
    service = simulator()
    service.submit("pedido")
    service.delete("/tmpftp/pedido")
    service.restart(**{KEY_SETTING: new_key()})
    assert service.submit("pedido").status == 200


# ---- where the key comes from -----------------------------------------------------------------------

def test_systemds_credential_comes_before_the_environment(simulator):
    service = simulator(started=False)
    key = new_key()
    credentials = service.folder / "credentials"
    credentials.mkdir()
    (credentials / "tempoftp_encryption_key").write_text(key + "\n")
    (credentials / "tempoftp_encryption_key").chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    service.settings["CREDENTIALS_DIRECTORY"] = str(credentials)
    service.start()
    service.submit("pedido")
    Fernet(key).decrypt(token_of(service))


def test_an_env_file_is_read_only_when_it_is_named(simulator):
    service = simulator(started=False, **{KEY_SETTING: None})
    key = new_key()
    (service.folder / "settings").write_text(f"# comment\n{KEY_SETTING}='{key}'\n")
    (service.folder / ".env").write_text(f"{KEY_SETTING}={key}\n")
    assert service.refuses_to_start()[0] == 78, "never from the current folder by itself"
    service.arguments = ["--env-file", service.folder / "settings"]
    service.start()
    service.submit("pedido")
    Fernet(key).decrypt(token_of(service))


# ---- the command line -------------------------------------------------------------------------------

def cli(service, *arguments, key=None):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **({KEY_SETTING: key} if key else {})}
    return subprocess.run([BUILD / "src" / "cli" / "tempoftp", *(["--url", f"http://127.0.0.1:{service.port}"] if service else []),
                           *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment, cwd="/", timeout=20)


def test_tempoftp_clave_prints_a_new_key_that_both_sides_take(simulator):
    first, second = (cli(None, "clave") for _ in range(2))
    assert first.returncode == 0 and first.stderr == ""
    assert first.stdout != second.stdout
    key = first.stdout.strip()
    assert first.stdout == key + "\n" and len(base64.urlsafe_b64decode(key)) == 32
    service = simulator(**{KEY_SETTING: key})
    service.submit("pedido")
    assert Fernet(key).decrypt(token_of(service))


def test_tempoftp_ver_shows_the_password_to_who_has_the_key(simulator):
    service = simulator()
    service.submit("pedido")
    password = Fernet(service.key).decrypt(token_of(service)).decode()
    assert password in cli(service, "ver", "pedido", key=service.key).stdout
    without = cli(service, "ver", "pedido", key=new_key())
    assert password not in without.stdout + without.stderr
    assert json.loads(cli(service, "--json", "ver", "pedido", key=service.key).stdout)["id"] == "pedido"
