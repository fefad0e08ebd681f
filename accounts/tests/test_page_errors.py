"""Pages that say no: each says what is the matter, and leads on."""

from typing import Any

import httpx
import pytest
from django.template.loader import render_to_string
from django.test import Client

from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session


@pytest.mark.parametrize(
    ("template", "way_on"),
    [
        ("400.html", 'href="/"'),
        ("403.html", 'href="/"'),
        ("403_csrf.html", 'href="/"'),
        ("404.html", 'href="/"'),
        ("500.html", 'href=""'),
        ("503.html", 'href=""'),
    ],
)
def test_an_error_page_needs_no_request_and_no_database(template: str, way_on: str):
    page = render_to_string(template)
    assert f'class="button" {way_on}' in page
    assert "<h1>" in page


def test_a_page_that_is_not_there_looks_as_its_reader_chose(server: Server, alice: Person):
    alice.rest.patch("/users/me", json={"settings": {"theme": "dark"}})
    page = httpx.get(f"{server.url}/nowhere", cookies={"sessionid": web_session(alice)})
    assert page.status_code == 404
    assert 'data-theme="dark"' in page.text
    assert 'data-theme="system"' in httpx.get(f"{server.url}/nowhere").text


def test_a_form_from_before_the_sign_in_says_to_load_it_again(server: Server):
    page = httpx.post(f"{server.url}/login", data={"username": "ana"})
    assert page.status_code == 403
    assert "load the page again" in page.text


def test_where_registration_is_closed_the_page_says_whom_to_ask(
    installation: None, settings: Any, alice: Person
):
    settings.REGISTRATION_OPEN = False
    for page in (Client().get("/register"), Client().post("/register", {"username": "ana"})):
        assert page.status_code == 403
        assert "Ask an administrator" in page.content.decode()
    assert "/register" not in Client().get("/login").content.decode()
