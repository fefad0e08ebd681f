"""The page at its limits: it says when to come back, and loses no message."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chatproject.testing import PASSWORD, Newcomer, Server

pytestmark = pytest.mark.embedded


@pytest.fixture
def page(browser: Any, strict_server: Server) -> Any:
    """A page of a browser that nobody is signed in on."""
    context = browser.new_context(base_url=strict_server.url)
    yield context.new_page()
    context.close()


def log_in(page: Page, username: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Username or email").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_refused_sign_in_says_when_to_come_back(
    page: Page, newcomer: Callable[[str], Newcomer]
) -> None:
    ana = newcomer("ana")
    for _ in range(5):
        log_in(page, ana.username, "wrong horse 9")
        expect(page.get_by_role("alert")).to_have_text("Wrong name or password. Try again.")
    log_in(page, ana.username, PASSWORD)
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("Too many wrong passwords. Try again in 3 minutes.")
    expect(page).to_have_url(re.compile("/login"))


def test_a_message_beyond_the_rate_stays_and_is_sent_by_itself(
    page: Page, newcomer: Callable[[str], Newcomer]
) -> None:
    ben, cem = newcomer("ben"), newcomer("cem")
    chat = ben.direct_chat_with(cem)
    path = f"/chats/{chat['id']}/messages"
    log_in(page, ben.username, PASSWORD)
    page.goto(f"/c/{chat['id']}")
    composer = page.get_by_role("textbox", name=re.compile("^Message "))
    expect(composer).to_be_visible()
    while ben.rest.post(path, json={"content": "x"}).status_code == 201:
        pass
    began_at = time.monotonic()
    for number in range(6):
        composer.fill(f"number {number}")
        composer.press("Enter")
    for number in range(6):
        row = page.get_by_role("region", name="Messages").get_by_text(f"number {number}")
        expect(row).to_be_visible()
    deadline = began_at + 20
    told: list[str] = []
    while len(told) < 6 and time.monotonic() < deadline:
        page.wait_for_timeout(250)
        results = ben.rest.get(path).json()["results"]
        told = [one["content"] for one in results if one["content"].startswith("number")]
    assert told == [f"number {number}" for number in range(6)]
    assert time.monotonic() - began_at > 1.5
    expect(page.locator(".is-failed")).to_have_count(0)
