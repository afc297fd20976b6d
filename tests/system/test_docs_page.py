"""The page /docs in a real browser: somebody logs in, tries calls and logs out, in Spanish, and nothing but the service is asked for anything."""
import json
import os
import shutil
import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

from conftest import BUILD
from people import PASSWORD, World

PATIENCE_S = 240  # a browser on a machine that has other things to do
LIST = "operations-Solicitudes-listar_solicitudes"


@pytest.fixture(scope="module")
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1000, TEMPOFTP_RATE_LIMIT_LOGIN="1000/second").start()
    try:
        if world.get("/docs").status == 404:
            pytest.skip("built without the page: the npm registry could not be reached, or -Ddocs=disabled")
        world.user("ana")
        assert world.operator.post("/tmpftp", world.fresh_request("de-ana")).status == 200
        yield world
    finally:
        world.remove()


class Page:
    """The page in a browser of its own, which can reach this machine only."""

    def __init__(self, world):
        self.base = f"http://127.0.0.1:{world.port}"
        self.folder = tempfile.mkdtemp(prefix="tempoftp-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,1400", f"--user-data-dir={self.folder}",
                     "--disable-background-networking", "--disable-component-update", "--no-first-run"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        RemoteConnection.set_timeout(PATIENCE_S + 60)
        try:
            self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver", env={**os.environ, "TMPDIR": self.folder}), options=options)
        except Exception:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.driver.set_page_load_timeout(PATIENCE_S)
        self.driver.set_script_timeout(PATIENCE_S)
        self.driver.get(f"{self.base}/docs")
        self.wait(expected_conditions.visibility_of_element_located((By.ID, LIST)))

    def wait(self, condition):
        return WebDriverWait(self.driver, PATIENCE_S).until(condition)

    def find(self, selector):
        return self.wait(expected_conditions.visibility_of_element_located((By.CSS_SELECTOR, selector)))

    def click(self, selector):
        """Where the page lays things over one another while it moves, a click of the script's is as good."""
        self.driver.execute_script("arguments[0].click()", self.find(selector))

    def notice(self, text):
        self.wait(lambda driver: driver.find_element(By.ID, "aviso").text == text)

    def log_in(self, email, password):
        for field, value in (("correo", email), ("clave", password)):
            self.find(f"#{field}").clear()
            self.find(f"#{field}").send_keys(value)
        self.click("#entrada button")

    def open_list(self):
        self.click(f"#{LIST} .opblock-summary-control")
        self.click(f"#{LIST} .try-out__btn")

    def send(self):
        """Sends the call and returns status and body of the answer."""
        answer = f"#{LIST} .live-responses-table .response"
        if self.driver.find_elements(By.CSS_SELECTOR, answer):
            self.click(f"#{LIST} .btn-clear")
            self.wait(lambda driver: not driver.find_elements(By.CSS_SELECTOR, answer))
        self.click(f"#{LIST} .execute")
        return int(self.find(f"{answer} .response-col_status").text), json.loads(self.find(f"{answer} .highlight-code pre").text)

    def logged(self, which):
        return [json.loads(row["message"])["message"] if which == "performance" else row["message"] for row in self.driver.get_log(which)]

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def page(world):
    page = Page(world)
    yield page
    page.close()


def test_somebody_logs_in_tries_a_call_and_logs_out(world, page):
    page.open_list()
    assert page.send() == (401, {"detail": "Credenciales inválidas"})

    page.log_in("ana@example.org", "otra clave muy larga")
    page.notice("Credenciales incorrectas")
    page.log_in("ana@example.org", PASSWORD)
    page.wait(lambda driver: driver.find_element(By.ID, "quien").text == "ana@example.org")
    assert not page.driver.find_element(By.ID, "entrada").is_displayed()
    status, body = page.send()
    assert status == 200 and [row["id"] for row in body["solicitudes"]] == ["de-ana"]

    page.click("#salida button")
    page.notice("Sesión cerrada")
    assert page.send() == (401, {"detail": "Credenciales inválidas"})
    stored = page.driver.execute_script("return JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert stored == '[{},{},""]', "the token was kept nowhere"

    asked = {message["params"]["request"]["url"] for message in page.logged("performance") if message["method"] == "Network.requestWillBeSent"}
    assert f"{page.base}/auth/login" in asked and f"{page.base}/openapi.json" in asked
    of_the_network = {url for url in asked if not url.startswith(("data:", "chrome:"))}  # the browser's first tab is a page of its own
    assert {url for url in of_the_network if not url.startswith(f"{page.base}/")} == set()
    assert not [line for line in page.logged("browser") if "Content Security Policy" in line or "Uncaught" in line]


def test_a_session_that_ends_elsewhere_is_told(world, page):
    page.log_in("ana@example.org", PASSWORD)
    page.wait(lambda driver: driver.find_element(By.ID, "quien").text == "ana@example.org")
    page.open_list()
    assert page.send()[0] == 200
    assert world.login("ana@example.org").post("/auth/logout").status == 200
    assert page.send()[0] == 401
    page.notice("La sesión terminó: inicie sesión de nuevo")
    assert page.find("#entrada").is_displayed()


def test_it_speaks_spanish(page):
    page.open_list()
    text = page.wait(lambda driver: driver.find_element(By.ID, "vista").text)
    for words in ("Solicitudes", "Listar solicitudes", "Parámetros", "Enviar", "Respuestas", "Cancelar"):
        assert words in text, words
    buttons = [button.text for button in page.driver.find_elements(By.CSS_SELECTOR, f"#{LIST} button")]
    assert not {"Try it out", "Execute", "Cancel", "Clear", "Reset", "Download"} & set(buttons)
    assert page.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "es"


def test_what_is_not_of_the_service_may_not_run_there(page):
    """The page's policy, not its good will: scripts and styles in the page itself, eval, and calls elsewhere are refused."""
    page.driver.execute_script("""
        const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", '<p id="styled" style="color: rgb(1, 2, 3)">x</p>');""")
    assert page.driver.execute_script("return window.ran") is None
    assert page.driver.execute_script("return getComputedStyle(document.getElementById('styled')).color") != "rgb(1, 2, 3)"
    reached = page.driver.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:1/').then(() => done('reached'), error => done(String(error)))")
    assert reached != "reached"
    assert len([line for line in page.logged("browser") if "Content Security Policy" in line]) >= 3
