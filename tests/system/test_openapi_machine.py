"""Examples of /openapi.json that need a real FTP server, or accounts in MariaDB; the others are in test_openapi.py."""
import contextlib

import pytest

from client import ftp_login
from machine import wait_until
from openapi import Description
from test_openapi import EMAIL, ID, IN_THE_MACHINE


@pytest.fixture
def examples(api):
    return {example.key: example for example in Description(api).examples}


@pytest.fixture
def delivery(api, source, submit, wait_for, unique):
    """The request that examples are about, finished."""
    def deliver():
        route = source.make_tree(unique("tree"), {"a.txt": "hola\n"})
        return wait_for(submit(route, id=ID, usuario=EMAIL), "listo")
    return deliver


def test_sessions_of_the_ftp_server(machine, api, examples, delivery):
    answer = delivery()
    one, ended = examples["listar_sesiones", "una"], examples["terminar_sesion", "terminada"]
    with contextlib.closing(ftp_login(machine, answer)):
        wait_until(lambda: api.get("/sesiones").json["total"] == 1, 60)
        assert one.faults(one.play(api)) == []
        assert ended.faults(ended.play(api)) == []


def test_no_drop_folders_with_accounts_in_mariadb(accounts_in_mariadb, api, examples, delivery):
    delivery()
    refused = examples["abrir_buzon", "en_mariadb"]
    assert refused.faults(refused.play(api)) == []


def test_no_other_example_is_left_to_this_file():
    assert IN_THE_MACHINE == {("listar_sesiones", "una"), ("terminar_sesion", "terminada"), ("abrir_buzon", "en_mariadb")}
