"""Posting by the page's plain form, without a script."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session


@pytest.fixture
def browse(server: Server) -> Iterator[Callable[[Person], httpx.Client]]:
    opened: list[httpx.Client] = []

    def signed_in(who: Person) -> httpx.Client:
        cookies = {"sessionid": web_session(who)}
        opened.append(
            httpx.Client(base_url=server.url, cookies=cookies, follow_redirects=True, timeout=30)
        )
        return opened[-1]

    yield signed_in
    for client in opened:
        client.close()


def _form_of(page: httpx.Response) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return dict(fields)


def test_pressing_send_twice_posts_once(
    browse: Callable[[Person], httpx.Client], alice: Person, group: dict[str, Any]
):
    browser = browse(alice)
    form = {**_form_of(browser.get(f"/c/{group['id']}")), "content": "Once\r\nonly"}
    answers = [browser.post(f"/c/{group['id']}", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    said = alice.rest.get(f"/chats/{group['id']}/messages").json()["results"]
    assert [message["content"] for message in said[1:]] == ["Once\nonly"]


def test_what_is_refused_stays_in_the_form(
    browse: Callable[[Person], httpx.Client], alice: Person, group: dict[str, Any]
):
    browser = browse(alice)
    form = {**_form_of(browser.get(f"/c/{group['id']}")), "content": "long " * 2_001}
    answer = browser.post(f"/c/{group['id']}", data=form)
    assert answer.status_code == 400
    assert "Not sent." in answer.text
    assert "long long long" in answer.text
    assert alice.rest.get(f"/chats/{group['id']}").json()["last_seq"] == group["last_seq"]


def test_a_stranger_posts_nowhere(
    browse: Callable[[Person], httpx.Client], alice: Person, mallory: Person, group: dict[str, Any]
):
    browser = browse(mallory)
    assert browser.get(f"/c/{group['id']}").status_code == 404
    form = _form_of(browser.get("/new"))
    answer = browser.post(f"/c/{group['id']}", data={**form, "content": "I am in"})
    assert answer.status_code == 404
    assert alice.rest.get(f"/chats/{group['id']}").json()["last_seq"] == group["last_seq"]
