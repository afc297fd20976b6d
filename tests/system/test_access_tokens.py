"""Tokens: which are taken, how they end, how a key is changed; and one-time tokens, which are good once and not for long."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

import pytest

from conftest import BUILD
from machine import wait_until
from people import JWT_KEY, PASSWORD, World, b64, claims_of, signed, unb64

INVALID = {"detail": "Credenciales inválidas"}
SPENT = {"detail": "Token inválido o ya utilizado"}
HEADER = {"alg": "HS256", "typ": "JWT"}
OTHER_KEY = "another-key-of-more-than-32-characters-in-all"
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def world():
    world = World(BUILD)
    yield world.start()
    world.remove()


# ---- forgeries ------------------------------------------------------------------------------------------

def forgeries(token, now):
    """{what was tried: token} from a good token of a user who is there."""
    head, body, signature = token.split(".")
    claims = claims_of(token)

    def changed(**claim):
        return signed(HEADER, {**claims, **claim})

    def without(name):
        return signed(HEADER, {key: value for key, value in claims.items() if key != name})

    unsigned = f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{body}"
    sha512 = hmac.new(JWT_KEY.encode(), f"{head}.{body}".encode(), hashlib.sha512).digest()
    return {
        "alg none without a signature": f"{unsigned}.",
        "alg none with the old signature": f"{unsigned}.{signature}",
        "alg None, signed": signed({"alg": "None", "typ": "JWT"}, claims),
        "alg nOnE without a signature": b64(b'{"alg":"nOnE"}') + f".{body}.",
        "RS256 with the public key as a secret": signed({"alg": "RS256", "typ": "JWT"}, claims, PUBLIC_KEY),
        "RS256 with our own key": signed({"alg": "RS256", "typ": "JWT"}, claims),
        "HS512": signed({"alg": "HS512", "typ": "JWT"}, claims, digest=hashlib.sha512),
        "HS256 said, SHA-512 used": f"{head}.{body}.{b64(sha512)}",
        "expired": changed(iat=now - 1000, exp=now - 1),
        "expires this second": changed(iat=now - 900, exp=now),
        "from the future": changed(iat=now + 600, exp=now + 900),
        "too long a life": changed(exp=now + 10**6),
        "expires before it was issued": changed(iat=now + 30, exp=now + 20),
        "exp as text": changed(exp=str(now + 600)),
        "exp with a fraction": changed(exp=now + 600.5),
        "without exp": without("exp"),
        "without iat": without("iat"),
        "without sub": without("sub"),
        "without a generation": without("gen"),
        "an older generation": changed(gen=claims["gen"] - 1),
        "a later generation": changed(gen=claims["gen"] + 1),
        "another issuer": changed(iss="elsewhere"),
        "nobody": changed(sub="nobody@example.org"),
        "sub in capitals": changed(sub=claims["sub"].upper()),
        "sub that breaks SQL": changed(sub=f"{claims['sub']}' OR '1'='1"),
        "sub with NUL": changed(sub=f"{claims['sub']}\0"),
        "another key": signed(HEADER, claims, OTHER_KEY),
        "an empty key": signed(HEADER, claims, ""),
        "another user's claims, the old signature": f"{head}.{b64(json.dumps({**claims, 'sub': 'operator@example.org'}).encode())}.{signature}",
        "another order in the header": signed(b'{"typ":"JWT","alg":"HS256"}', claims),
        "a key's name in the header": signed({**HEADER, "kid": "/dev/null"}, claims),
        "a key in the header": signed({**HEADER, "jwk": {"kty": "oct", "k": b64(OTHER_KEY.encode())}}, claims, OTHER_KEY),
        "claims that are no JSON": signed(HEADER, b"sub=ana"),
        "claims that are a list": signed(HEADER, b"[1]"),
        "a claim twice": signed(HEADER, b'{"sub":"nobody@example.org",' + json.dumps(claims).encode()[1:]),
        "the signature one letter shorter": token[:-1],
        "half of it": token[:len(token) // 2],
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.{signature}",
        "padded": f"{token}=",
        "base64 with + and /": f"{head}.{body}.{base64.b64encode(unb64(signature)).decode()}",
        "spare bits of the last letter": token[:-1] + chr(ord(token[-1]) + 1),
        "an empty one": "",
        "dots": "..",
        "a huge one": f"{head}.{'A' * 20000}.{signature}",
    }


def test_forgeries_open_nothing(world):
    ana = world.user("ana")
    world.user("operator", "operador")
    tried = forgeries(ana.token, int(time.time()))
    assert len(tried) > 40
    for what, token in tried.items():
        reply = world.get("/tmpftp", headers={"Authorization": f"Bearer {token}"})
        assert reply.status == 401 and reply.json == INVALID and reply.headers["WWW-Authenticate"] == "Bearer", f"{what}: {reply}"
        assert ana.get("/tmpftp").status == 200, f"after {what}"


@pytest.mark.parametrize("header", ["Basic {}", "Bearer", "Bearer  {}", "{}", "Token {}", "Bearer {}, Bearer {}", "Bearer {} x"])
def test_other_headers_open_nothing(world, header):
    token = world.user("ana").token
    assert world.get("/tmpftp", headers={"Authorization": header.replace("{}", token)}).status == 401
    assert world.get(f"/tmpftp?access_token={token}").status == 401
    assert world.get("/tmpftp", headers={"Authorization": f"bEARER {token}"}).status == 200


def test_a_token_says_who_and_for_how_long(world):
    before = int(time.time())
    claims = claims_of(world.user("ana").token)
    assert claims["sub"] == "ana@example.org" and claims["iss"] == "tempoftp"
    assert claims["exp"] - claims["iat"] == 15 * 60 and before <= claims["iat"] <= time.time()
    world.restart(TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES=2, TEMPOFTP_APP_NAME="Servicio, ñ")
    claims = claims_of(world.login("ana@example.org").token)
    assert claims["exp"] - claims["iat"] == 120 and claims["iss"] == "Servicio, ñ"


def test_a_token_that_was_good_ends_when_its_time_is_over(world):
    ana = world.user("ana")
    claims = claims_of(ana.token)
    ends = int(time.time()) + 2
    short = world.with_token(signed(HEADER, {**claims, "exp": ends}))
    assert short.get("/tmpftp").status == 200
    wait_until(lambda: time.time() >= ends + 0.05)
    assert short.get("/tmpftp").status == 401


# ---- the end of a session -------------------------------------------------------------------------------

def patch(world, email, **change):
    assert world.operator("PATCH", f"/api/usuarios/{email}", change).status == 200


ENDS = {
    "logout": lambda world, ana: ana.post("/auth/logout"),
    "logout elsewhere": lambda world, ana: world.login(ana.email).post("/auth/logout"),
    "deactivated": lambda world, ana: patch(world, ana.email, is_active=False),
    "another password": lambda world, ana: patch(world, ana.email, password="otra clave muy larga"),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_session_ends_at_once_with_everything_of_it(world, how):
    world.restart(TEMPOFTP_SIM_DELAY_MS=600_000)
    ana, eva = world.user("ana"), world.user("eva")
    onetime = ana.post("/token/create").json["token"]
    assert world.operator.post("/tmpftp", world.fresh_request("una", usuario=ana.email)).status == 202
    with ana.open("GET", "/tmpftp/una/eventos", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.status == 200
        ENDS[how](world, ana)
        stream.read()  # to its end: the request goes on, the stream does not
    assert ana.get("/tmpftp").status == 401
    assert eva.get("/tmpftp").status == 200
    assert eva.post("/token/validate", {"token": onetime}).json == SPENT
    world.restart()
    assert ana.get("/tmpftp").status == 401 and eva.get("/tmpftp").status == 200


def test_activated_again_old_tokens_stay_void(world):
    ana = world.user("ana")
    patch(world, ana.email, is_active=False)
    reply = world.post("/auth/login", {"correo": ana.email, "password": PASSWORD})
    assert (reply.status, reply.json) == (403, {"detail": "Cuenta pendiente de activación"})
    patch(world, ana.email, is_active=True)
    assert ana.get("/tmpftp").status == 401
    assert world.login(ana.email).get("/tmpftp").status == 200


def test_another_role_holds_at_once_in_open_sessions(world):
    ana = world.user("ana")
    assert ana.get("/api/usuarios").status == 403
    patch(world, ana.email, rol="operador")
    assert ana.get("/api/usuarios").status == 200
    patch(world, ana.email, rol="usuario")
    assert ana.get("/api/usuarios").status == 403


def test_sessions_outlive_a_restart_and_a_kill(world):
    ana = world.user("ana")
    world.restart()
    assert ana.get("/tmpftp").status == 200
    world.kill()
    world.start()
    assert ana.get("/tmpftp").status == 200


# ---- keys -----------------------------------------------------------------------------------------------

def test_a_key_is_changed_while_sessions_live(world):
    old = world.user("ana")
    world.restart(TEMPOFTP_JWT_KEY=f"{OTHER_KEY},{JWT_KEY}")
    new = world.login(old.email)
    assert signed(HEADER, claims_of(new.token), OTHER_KEY) == new.token, "the first key signs"
    assert old.get("/tmpftp").status == new.get("/tmpftp").status == 200
    world.restart(TEMPOFTP_JWT_KEY=OTHER_KEY)
    assert (old.get("/tmpftp").status, new.get("/tmpftp").status) == (401, 200)


@pytest.mark.parametrize("key, says", [(None, "is not set"), ("clave_super_segura_cambia_esto", "at least 32"), (f"{JWT_KEY},short", "at least 32"),
                                       (f"{JWT_KEY} {JWT_KEY}", "without spaces")], ids=["missing", "short", "second short", "space"])
def test_a_bad_key_stops_the_start_and_is_not_shown(key, says):
    world = World(BUILD, TEMPOFTP_JWT_KEY=key)
    try:
        code, said = world.refuses_to_start()
        assert code == 78 and "TEMPOFTP_JWT_KEY" in said and says in said
        assert not key or key not in said
    finally:
        world.remove()


def test_without_access_control_no_key_is_needed_and_nobody_logs_in():
    world = World(BUILD, TEMPOFTP_JWT_KEY=None, TEMPOFTP_AUTH="off")
    try:
        world.start()
        assert world.get("/tmpftp").status == 200
        made = world.operator.post("/auth/register", {"nombre": "Ana", "correo": "ana@example.org", "password": PASSWORD})
        assert made.status == 200
        reply = world.operator.post("/auth/login", {"correo": "ana@example.org", "password": PASSWORD})
        assert reply.status == 503 and reply.headers["Retry-After"]
        assert world.post("/token/create").status == 401
    finally:
        world.remove()


# ---- one-time tokens ------------------------------------------------------------------------------------

def test_a_one_time_token_is_good_once(world):
    ana, eva = world.user("ana"), world.user("eva")
    reply = ana.post("/token/create")
    assert reply.status == 200 and list(reply.json) == ["token"] and len(reply.json["token"]) == 43
    first = eva.post("/token/validate", reply.json)
    assert (first.status, first.json) == (200, {"message": "Token válido y ahora consumido"})
    for who in (eva, ana):
        again = who.post("/token/validate", reply.json)
        assert (again.status, again.json) == (401, SPENT)
    for token in ("", "x", "A" * 43, "A" * 5000, reply.json["token"][:-1]):
        assert ana.post("/token/validate", {"token": token}).json == SPENT
    assert ana.post("/token/validate", {"token": None}).status == 422


def test_of_a_hundred_attempts_at_once_one_wins(world):
    ana = world.user("ana")
    for _ in range(3):
        token = {"token": ana.post("/token/create").json["token"]}
        mine = {"Authorization": f"Bearer {ana.token}"}
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            replies = list(pool.map(lambda _: world.operator.post("/token/validate", token, headers=mine), range(100)))
        assert sorted(reply.status for reply in replies) == [200] + [401] * 99


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_one_time_tokens_outlive_the_process(world, end):
    world.restart(TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS=600)
    ana = world.user("ana")
    token, spent = ana.post("/token/create").json, ana.post("/token/create").json
    assert ana.post("/token/validate", spent).status == 200
    getattr(world, end)()
    world.start()
    assert ana.post("/token/validate", spent).status == 401
    assert ana.post("/token/validate", token).status == 200


def test_one_time_tokens_expire_by_the_clock(world):
    world.restart(TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS=1)
    ana = world.user("ana")
    token = ana.post("/token/create").json
    made = time.monotonic()
    wait_until(lambda: time.monotonic() > made + 1.01)
    assert ana.post("/token/validate", token).json == SPENT
    world.restart(TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS=600)
    token = ana.post("/token/create").json
    wait_until(lambda: time.monotonic() > made + 2.5)
    assert ana.post("/token/validate", token).status == 200


def test_no_secret_is_kept_or_said(world):
    ana = world.user("ana")
    token = ana.post("/token/create").json["token"]
    assert ana.post("/auth/login", {"correo": ana.email, "password": "una clave equivocada"}).status == 401
    assert ana.post("/token/validate", {"token": token}).status == 200
    world.stop()
    kept = b"".join(path.read_bytes() for path in world.state_folder.rglob("*") if path.is_file()) + world.said().encode()
    assert b"ana@example.org" in kept
    for secret in (PASSWORD, "una clave equivocada", token, ana.token, ana.token.split(".")[2], JWT_KEY):
        assert secret.encode() not in kept
