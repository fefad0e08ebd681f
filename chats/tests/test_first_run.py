"""The first run: a link that the server prints makes the owner, once."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chatproject.testing import PASSWORD, Newcomer, Server

OWNER = {"username": "ana", "email": "ana@example.org", "password": PASSWORD}


def links(server: Server) -> list[str]:
    return re.findall(r"http://\S+/setup\?token=\S+", server.log.read_text())


@pytest.fixture
def browser(own_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_server.url, follow_redirects=True, timeout=60) as client:
        yield client


def fill(browser: httpx.Client, link: str, **facts: str) -> httpx.Response:
    page = browser.get(link)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return browser.post("/setup", data={**fields, **OWNER, **facts})


def test_the_link_makes_the_owner_once(own_server: Server, browser: httpx.Client):
    (link,) = links(own_server)
    assert "open it to become the owner" in browser.get("/login").text
    assert "open it to become the owner" in browser.get("/register").text

    refused = fill(browser, link, password="password")
    assert refused.status_code == 400
    assert "common" in refused.text

    page = fill(browser, link)
    assert page.status_code == 200, page.text
    assert re.fullmatch(rf"{own_server.url}/c/[0-9a-f-]{{36}}", str(page.url))
    assert "Your server is running" in page.text
    assert browser.get("/admin/").url.path == "/admin/"

    with httpx.Client(base_url=own_server.url, follow_redirects=True) as another:
        spent = another.get(link)
        assert spent.url.path == "/login"
        assert "is set up already" in spent.text
        assert "become the owner" not in spent.text

    own_server.stop()
    own_server.start()
    assert links(own_server) == [link]


@pytest.mark.embedded
def test_a_wrong_link_makes_nobody(own_server: Server, browser: httpx.Client):
    (link,) = links(own_server)
    for wrong in ("/setup", "/setup?token=", f"{link}x", "/setup?token=%00é"):
        page = browser.get(wrong)
        assert page.status_code == 403
        assert "Not the right link" in page.text
    browser.get("/login")
    form = {**OWNER, "token": "wrong", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    assert browser.post("/setup", data=form).status_code == 403
    assert fill(browser, link).url.path.startswith("/c/")


def test_of_four_who_open_the_link_at_once_one_becomes_the_owner(own_server: Server):
    (link,) = links(own_server)

    def one(number: int) -> str:
        name = f"ana{number}"
        with httpx.Client(base_url=own_server.url, follow_redirects=True, timeout=60) as client:
            facts = {"username": name, "email": f"{name}@example.org"}
            return fill(client, link, **facts).url.path

    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(one, range(4)))
    assert len([path for path in paths if path.startswith("/c/")]) == 1, paths


@pytest.mark.embedded
def test_registering_goes_on_as_before_and_the_link_too(own_server: Server, browser: httpx.Client):
    (link,) = links(own_server)
    Newcomer(own_server, "ben").rest.close()
    assert "become the owner" not in browser.get("/login").text
    assert fill(browser, link).url.path.startswith("/c/")
